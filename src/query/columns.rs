//! The table of columns. Listings, JSON, `--list-columns`, the man page,
//! completions and the schema all read it; a new column is one more entry.

use std::borrow::Cow;

use crate::model::{Kind, NetNsId, NetSocket};
use crate::query::column::{Column, Naming, Type};
use crate::query::{Row, Value};
use crate::scan::Need;

impl Column {
    /// Every column, in the order of `--output-all`.
    pub const ALL: &'static [Column] = &[
        Column::number("NS", "inode number of the namespace", |row| {
            Some(row.id()?.ino)
        })
        .width(10),
        Column::text("TYPE", "type of the namespace", |row| {
            Some(row.kind().name().as_bytes().into())
        })
        .naming(Naming::Kind),
        Column::text("PATH", "path that opens the namespace", |row| {
            Some(row.path()?.into_os_string().into_encoded_bytes().into())
        })
        .needing(&[Need::Members, Need::Path])
        .naming(Naming::Path),
        Column::number("NPROCS", "number of processes in the namespace", |row| {
            Some(row.nprocs() as u64)
        })
        .needing(&[Need::Members]),
        Column::number("PID", "lowest PID in the namespace", |row| {
            Some(row.process?.pid.into())
        })
        .needing(&[Need::Members])
        .width(5),
        Column::number("PPID", "parent of PID", |row| {
            Some(row.process?.ppid()?.into())
        })
        .needing(&[Need::Members, Need::ParentProcess])
        .width(5),
        Column::text("COMMAND", "command line of PID", |row| {
            Some(row.process?.command()?.as_bytes().into())
        })
        .needing(&[Need::Members, Need::Command])
        .cut(),
        Column::number(
            "UID",
            "effective UID of PID; without a process, creator of the owning user namespace",
            |row| Some(row.user().0?.into()),
        )
        .needing(&[Need::Members, Need::Uid])
        .width(5),
        Column::of("USER", Type::String, "name of that user", user)
            .needing(&[Need::Members, Need::User]),
        Column::of(
            "NETNSID",
            Type::NumberOrString,
            "ID of the net namespace in the caller's net namespace",
            netnsid,
        )
        .needing(&[Need::NetNsId]),
        Column::of(
            "NSFS",
            Type::Strings,
            "paths where the namespace is bind-mounted",
            |row| {
                let paths = row.mounts().iter().map(|path| path.as_bytes().into());
                Some(Value::Lines(paths.collect()))
            },
        )
        .needing(&[Need::Mounts])
        .naming(Naming::Path),
        Column::of(
            "PNS",
            Type::Number,
            "parent of the pid or user namespace",
            |row| Some(Value::number_or_zero(row.parent())),
        )
        .needing(&[Need::Relations])
        .width(10),
        Column::of(
            "ONS",
            Type::Number,
            "user namespace that owns the namespace",
            |row| Some(Value::number_or_zero(row.owner())),
        )
        .needing(&[Need::Relations])
        .width(10),
        Column::number("ID", "unique id, never reused", |row| {
            row.relations()?.unique_id
        })
        .needing(&[Need::UniqueId]),
        Column::number(
            "START",
            "start of PID, in clock ticks (1/100 s) after boot",
            |row| row.process?.start(),
        )
        .needing(&[Need::Members, Need::StartTime]),
        Column::number("NHOLDERS", "number of holders", |row| {
            Some(row.namespace()?.holders.len() as u64)
        })
        .needing(&[Need::Members, Need::Holders]),
        Column::of(
            "HOLDERS",
            Type::Objects,
            "what keeps the namespace alive; a table shows the first and how many more",
            |row| Some(Value::Holders(row.holders(), row.holder)),
        )
        .needing(&[Need::Members, Need::Holders, Need::Command]),
        Column::text("HOSTNAME", "host name in a uts namespace", |row| {
            Some(row.facts()?.hostname.as_deref()?.into())
        })
        .needing(&[Need::HostNames]),
        Column::text("DOMAIN", "NIS domain name in a uts namespace", |row| {
            Some(row.facts()?.domain.as_deref()?.into())
        })
        .needing(&[Need::HostNames]),
        Column::of(
            "NSPID",
            Type::Numbers,
            "PID as seen in its own pid namespace; JSON lists every level, outermost first",
            |row| Some(Value::Pids(row.nspid())),
        )
        .needing(&[Need::Members, Need::InnerPids]),
        Column::of(
            "UIDMAP",
            Type::Objects,
            "UID map of a user namespace, as inner:outer:count",
            |row| Some(Value::IdMap(row.facts()?.uid_map.as_deref()?)),
        )
        .needing(&[Need::IdMaps]),
        Column::of(
            "GIDMAP",
            Type::Objects,
            "GID map of a user namespace, as inner:outer:count",
            |row| Some(Value::IdMap(row.facts()?.gid_map.as_deref()?)),
        )
        .needing(&[Need::IdMaps]),
        Column::of(
            "TIMEOFFSET",
            Type::Object,
            "clock offsets of a time namespace, in seconds",
            |row| Some(Value::TimeOffsets(row.facts()?.time_offsets?)),
        )
        .needing(&[Need::TimeOffsets]),
        Column::text(
            "CGROUPROOT",
            "root of a cgroup namespace, as a path in the caller's",
            |row| Some(row.facts()?.cgroup_root.as_deref()?.into()),
        )
        .needing(&[Need::CgroupRoot]),
        Column::number("NMOUNTS", "number of mounts in a mount namespace", |row| {
            Some(row.facts()?.nmounts? as u64)
        })
        .needing(&[Need::MountFacts]),
        Column::text(
            "MNTROOT",
            "what is mounted at the root of a mount namespace",
            mount_root,
        )
        .needing(&[Need::MountFacts]),
        Column::of(
            "INTERFACES",
            Type::Objects,
            "interfaces of a net namespace, as name@peer(its net namespace) master bridge",
            |row| Some(Value::Interfaces(row.facts()?.interfaces.as_deref()?)),
        )
        .needing(&[Need::Interfaces]),
        Column::of(
            "ADDRESSES",
            Type::MaybeStrings,
            "addresses of those interfaces, with the lengths of their prefixes",
            addresses,
        )
        .needing(&[Need::Addresses]),
        Column::of(
            "LISTEN",
            Type::MaybeStrings,
            "sockets in a net namespace that listen, or are bound: tcp, udp and unix",
            listen,
        )
        .needing(&[Need::Listeners])
        .cut(),
        Column::of(
            "NETNS",
            Type::MaybeStrings,
            "names of a net namespace in /run/netns, as ip-netns(8) takes them",
            netns,
        )
        .needing(&[Need::Mounts]),
        Column::of(
            "SYSVIPC",
            Type::Object,
            "numbers of System V objects in an ipc namespace",
            |row| Some(Value::SysvIpc(row.facts()?.sysvipc?)),
        )
        .needing(&[Need::SysvIpc]),
        Column::number("PIDMAX", "largest PID in a pid namespace", |row| {
            Some(row.facts()?.pid_max?.into())
        })
        .needing(&[Need::PidMax]),
        Column::of_affiliations(
            "CONTAINER",
            "containers of the processes, as engine:name; a table shows the first and how many more",
            |one| Some(one.container.as_ref()?.to_string()),
        )
        .naming(Naming::Container),
        Column::of_affiliations("ENGINE", "engines of those containers", |one| {
            Some(one.container.as_ref()?.engine?.to_string())
        }),
        Column::of_affiliations("POD", "UIDs of their pods", |one| one.pod.clone()),
        Column::of_affiliations(
            "UNIT",
            "systemd services and scopes of the processes",
            |one| one.unit.clone(),
        ),
        Column::text(
            "HOST",
            "yes for an initial namespace of the host, else no",
            |row| {
                Some(if row.facts()?.is_host? {
                    b"yes"[..].into()
                } else {
                    b"no"[..].into()
                })
            },
        )
        .needing(&[Need::Host]),
        Column::text(
            "INFERRED",
            "what the row was inferred from with --infer, else empty",
            |row| Some(row.inferred()?.to_string().into_bytes().into()),
        ),
        Column::of(
            "LINKS",
            Type::Strings,
            "links in /proc/PID/ns that lead to it; with --pid, those of that process",
            |row| {
                let names = row.links().iter().map(|link| link.name().as_bytes().into());
                Some(Value::List(names.collect()))
            },
        )
        .needing(&[Need::Links]),
    ];
}

/// Returns the user of a row, by UID if the user has no name.
fn user<'a>(row: &Row<'a>) -> Option<Value<'a>> {
    match row.user() {
        (Some(uid), None) => Some(Value::Unnamed(uid.into())),
        (_, name) => Some(name?.into()),
    }
}

fn netnsid<'a>(row: &Row<'a>) -> Option<Value<'a>> {
    match row.relations()?.netnsid? {
        NetNsId::Assigned(id) => Some(id.into()),
        NetNsId::Unassigned => Some("unassigned".into()),
    }
}

/// Returns the addresses of all interfaces. They are unknown if only the names
/// of the interfaces are.
fn addresses<'a>(row: &Row<'a>) -> Option<Value<'a>> {
    let interfaces = row.facts()?.interfaces.as_deref()?;
    if interfaces.iter().any(|one| one.index.is_none()) {
        return None;
    }
    let addresses = interfaces.iter().flat_map(|one| &one.addresses);
    Some(Value::Addresses(addresses.copied().collect()))
}

/// Returns the texts of sockets, each once: several can share an address.
fn listen<'a>(row: &Row<'a>) -> Option<Value<'a>> {
    let sockets = row.facts()?.sockets.as_deref()?;
    let mut texts: Vec<Vec<u8>> = sockets.iter().map(NetSocket::to_bytes).collect();
    texts.dedup();
    Some(Value::Lines(texts.into_iter().map(Cow::from).collect()))
}

/// Returns the names that ip-netns(8) has for a net namespace.
fn netns<'a>(row: &Row<'a>) -> Option<Value<'a>> {
    if row.kind() != Kind::Net {
        return None;
    }
    let names = row.mounts().iter().filter_map(|path| {
        let name = path.strip_prefix(b"/run/netns/")?;
        (!name.is_empty() && !name.contains(&b'/')).then_some(name)
    });
    Some(Value::List(names.map(Cow::from).collect()))
}

/// Returns the source of the root mount, and in brackets the directory of it
/// that is mounted, like findmnt(8).
fn mount_root<'a>(row: &Row<'a>) -> Option<Cow<'a, [u8]>> {
    let root = row.facts()?.mount_root.as_ref()?;
    Some(match &root.dir[..] {
        b"/" => root.source.as_bytes().into(),
        dir => [&root.source[..], b"[", dir, b"]"].concat().into(),
    })
}
