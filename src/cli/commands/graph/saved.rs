//! A saved document as a snapshot, as far as it goes.

use std::collections::HashMap;
use std::sync::Arc;

use crate::analysis::picture::{ViewKind, ViewKinds};
use crate::cli::saved::{Holder as SavedHolder, Interface as SavedInterface, Row, Saved};
use crate::model::{
    Affiliation, Container, Facts, Holder, Interface, Kind, Link, Links, Mount, Namespace, NsId,
    OpenFile, Process, Snapshot, Within,
};
use crate::text::Text;

/// Refuses a document without the columns that tell whether a namespace has processes.
pub(super) fn require(document: Saved) -> Result<Saved, String> {
    let is_enough = |(_, row): &(NsId, Row)| match row.nprocs {
        Some(0) => true,
        Some(_) => row.pid.is_some(),
        None => false,
    };
    match document.rows.iter().all(is_enough) {
        true => Ok(document),
        false => Err("its rows have no nprocs and pid: use -o with a + in front".to_owned()),
    }
}

/// Returns a sentence for each column that the views need and that a document lacks.
pub(super) fn absent(document: &Saved, views: ViewKinds) -> Vec<Text> {
    let has = |has: fn(&Row) -> bool| document.rows.iter().any(|(_, row)| has(row));
    let wants = |view| views.contains(view);
    let columns = [
        ("COMMAND", has(|row| row.command.is_some()), true),
        ("CONTAINER", has(|row| row.container.is_some()), true),
        (
            "UNIT",
            has(|row| row.unit.is_some()),
            wants(ViewKind::Matrix),
        ),
        ("HOST", has(|row| row.host.is_some()), true),
        (
            "HOLDERS",
            has(|row| row.holders.is_some()),
            wants(ViewKind::Matrix),
        ),
        ("PNS", has(|row| row.pns.is_some()), wants(ViewKind::Tree)),
        ("ONS", has(|row| row.ons.is_some()), wants(ViewKind::Tree)),
        (
            "INTERFACES",
            has(|row| row.interfaces.is_some()),
            wants(ViewKind::Wires),
        ),
        (
            "ADDRESSES",
            has(|row| row.addresses.is_some()),
            wants(ViewKind::Wires),
        ),
    ];
    let absent = columns
        .into_iter()
        .filter(|(_, has, wanted)| *wanted && !*has);
    absent
        .map(|(name, ..)| format!("this file has no column {name}").into())
        .collect()
}

/// Returns the addresses in net namespaces. Which interface has which is unknown.
pub(super) fn addresses(document: &Saved) -> HashMap<NsId, Vec<Text>> {
    let mut addresses = HashMap::new();
    for (id, row) in &document.rows {
        if let Some(Some(all)) = &row.addresses {
            let all = all.iter().map(|one| one.as_str().into());
            addresses.insert(*id, all.collect());
        }
    }
    addresses
}

/// Makes a snapshot of a document. Of each process it has only the links for which it
/// is the representative.
pub(super) fn snapshot(mut document: Saved) -> Snapshot {
    document
        .rows
        .sort_unstable_by_key(|(id, row)| (row.pid, *id));
    let mut processes: Vec<Process> = Vec::new();
    for (id, row) in &document.rows {
        let Some(pid) = row.pid else {
            continue;
        };
        if processes.last().is_none_or(|last| last.pid != pid) {
            processes.push(Process::new(pid, Links::default()));
        }
        if let Some(process) = processes.last_mut() {
            process.links.set(own_link(id.kind), id.ino);
            let details = process.details.get_or_insert_default();
            details.command = row.command.clone().flatten().map(Text::from);
            details.user = row.user.clone().map(Text::from);
        }
    }
    let rows = document.rows.into_iter();
    let mut namespaces: Vec<Namespace> = rows.map(|(id, row)| namespace(id, row)).collect();
    namespaces.sort_unstable_by_key(|namespace| namespace.id);
    namespaces.dedup_by_key(|namespace| namespace.id);
    Snapshot {
        namespaces,
        processes,
        ..Snapshot::default()
    }
}

/// Returns the link of a process that leads to its own namespace of a type.
const fn own_link(kind: Kind) -> Link {
    match kind {
        Kind::Mnt => Link::Mnt,
        Kind::Net => Link::Net,
        Kind::Ipc => Link::Ipc,
        Kind::User => Link::User,
        Kind::Pid => Link::Pid,
        Kind::Uts => Link::Uts,
        Kind::Cgroup => Link::Cgroup,
        Kind::Time => Link::Time,
    }
}

fn namespace(id: NsId, row: Row) -> Namespace {
    let holders: Vec<Holder> = row.holders.iter().flatten().filter_map(holder).collect();
    let mounts: Vec<Text> = row
        .nsfs
        .iter()
        .flatten()
        .map(|path| path.as_str().into())
        .collect();
    let own = row.pid.map(|pid| Holder::of_link(pid, own_link(id.kind)));
    let via = match (own, holders.first(), mounts.first(), row.path.as_deref()) {
        (Some(own), ..) => own,
        (_, Some(first), ..) => first.clone(),
        (_, _, Some(path), _) => Holder::Mount(Mount {
            within: None,
            path: path.clone(),
            id: 0,
        }),
        (.., path) => Holder::Path(path.unwrap_or("unknown").into()),
    };
    let mut namespace = Namespace::new(id, via);
    // A user or pid namespace has a parent of its own type.
    let above = |ino: Option<u64>, kind: Kind| Some(NsId { ino: ino?, kind });
    namespace.relations.parent = above(row.pns.flatten(), id.kind);
    namespace.relations.owner = above(row.ons.flatten(), Kind::User);
    namespace.relations.unique_id = row.id;
    let nprocs = row.nprocs.unwrap_or_default();
    namespace.nprocs = usize::try_from(nprocs).unwrap_or(usize::MAX);
    namespace.pid = row.pid;
    namespace.mounts = mounts;
    namespace.holders = holders;
    let is_initial = (id.ino == id.kind.initial_ino()).then_some(true);
    let mut facts = Facts {
        is_host: match row.host.flatten().as_deref() {
            Some("yes") => Some(true),
            Some("no") => Some(false),
            _ => is_initial,
        },
        ..Facts::default()
    };
    let containers = row.container.iter().flatten().map(|label| Affiliation {
        container: Some(container(label)),
        ..Affiliation::default()
    });
    let units = row.unit.iter().flatten().map(|unit| Affiliation {
        unit: Some(unit.clone()),
        ..Affiliation::default()
    });
    facts.affiliations = containers.chain(units).map(Arc::new).collect();
    facts.interfaces = row.interfaces.flatten().map(|all| interfaces(&all));
    namespace.facts = Some(Arc::new(facts));
    namespace
}

/// Returns the container that a document calls `docker:web`.
fn container(label: &str) -> Container {
    let (engine, id) = match label.split_once(':') {
        Some((engine, id)) => (engine.parse().ok(), id),
        None => (None, label),
    };
    Container {
        engine,
        id: id.to_owned(),
        name: None,
        uid: None,
    }
}

/// Returns a holder; `None` if its kind is unknown or lacks something.
fn holder(saved: &SavedHolder) -> Option<Holder> {
    let pid = saved.pid;
    let link = saved.link.as_deref().and_then(|link| link.parse().ok());
    let file = || {
        Some(OpenFile {
            pid: pid?,
            tid: saved.tid,
            fd: saved.fd?,
        })
    };
    let id = || {
        Some(NsId {
            ino: saved.ns?,
            kind: saved.r#type.as_deref()?.parse().ok()?,
        })
    };
    Some(match &*saved.kind {
        "process" | "for-children" => Holder::of_link(pid?, link?),
        "thread" => Holder::Thread {
            pid: pid?,
            tid: saved.tid?,
            link: link?,
        },
        "mount" => Holder::Mount(Mount {
            within: saved.mount_ns.map(|mount_ns| Within {
                mount_ns,
                pid: None,
            }),
            path: saved.path.as_deref()?.into(),
            id: 0,
        }),
        "path" => Holder::Path(saved.path.as_deref()?.into()),
        "fd" => Holder::Fd(file()?),
        "socket" => Holder::Socket(file()?),
        "tun" => Holder::Tun(file()?),
        "in-flight" => Holder::InFlight(file()?),
        "io_uring" => Holder::IoUring(file()?),
        "child" => Holder::Child(id()?),
        "owned" => Holder::Owned(id()?),
        "listed" => Holder::Listed {
            unique_id: saved.id?,
        },
        "kernel" => Holder::Kernel {
            unique_id: saved.id?,
        },
        _ => return None,
    })
}

/// Returns interfaces. The document names what each is a port of.
fn interfaces(all: &[SavedInterface]) -> Vec<Interface> {
    let named = all.iter().map(|one| (one.name.as_str(), one.index));
    let index: HashMap<&str, Option<u32>> = named.collect();
    let one = |one: &SavedInterface| Interface {
        name: one.name.as_str().into(),
        index: one.index,
        link: one.link,
        master: one
            .master
            .as_deref()
            .and_then(|name| index.get(name).copied().flatten()),
        kind: one.kind.as_deref().map(Text::from),
        is_up: one.up,
        peer: one.peer.as_deref().map(Text::from),
        peer_ns: one.peer_ns,
        ..Interface::default()
    };
    all.iter().map(one).collect()
}
