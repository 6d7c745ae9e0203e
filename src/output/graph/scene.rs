//! A snapshot with everything that charts draw, for tests of their formats.

use std::sync::Arc;

use crate::analysis::picture::{Picture, Processes, ViewKinds};
use crate::model::{
    Affiliation, Container, Engine, Holder, Interface, Kind, Link, Links, Namespace, NsId, Pid,
    Process, Snapshot,
};
use crate::text::Text;

/// Writes a picture of the host, two containers of a pod that share a net namespace, a
/// service, and a namespace that is only mounted.
pub(super) fn drawn(
    views: ViewKinds,
    write: impl Fn(&Picture<'_>, &mut dyn std::io::Write) -> std::io::Result<()>,
) -> String {
    let pod = |name: &str| Affiliation {
        pod: Some("0123456789abcdef".to_owned()),
        ..container(name)
    };
    let service = Affiliation {
        unit: Some("web.service".to_owned()),
        ..Affiliation::default()
    };
    let mut snapshot = Snapshot::default();
    let host = [(Link::Net, 1), (Link::User, 2), (Link::Pid, 3)];
    add(&mut snapshot, 1, Affiliation::default(), &host);
    add(
        &mut snapshot,
        2,
        pod("a"),
        &[(Link::Net, 10), host[1], (Link::Pid, 11)],
    );
    add(
        &mut snapshot,
        3,
        pod("b"),
        &[(Link::Net, 10), host[1], (Link::Pid, 12)],
    );
    add(&mut snapshot, 4, service, &[host[0], (Link::User, 13)]);
    let mut mounted = Namespace::new(
        NsId {
            ino: 14,
            kind: Kind::Net,
        },
        Holder::Path(Text::from("/run/netns/x\"\\N")),
    );
    mounted.relations.owner = Some(NsId {
        ino: 13,
        kind: Kind::User,
    });
    mounted.facts_mut().interfaces = Some(vec![veth("eth0", 2, 5, 1)]);
    snapshot.namespaces.push(mounted);
    for namespace in &mut snapshot.namespaces {
        let parent = match namespace.id.ino {
            11 | 12 => Some(NsId {
                ino: 3,
                kind: Kind::Pid,
            }),
            13 => Some(NsId {
                ino: 2,
                kind: Kind::User,
            }),
            _ => None,
        };
        namespace.relations.parent = parent;
        if namespace.id.kind != Kind::User && namespace.relations.owner.is_none() {
            namespace.relations.owner = Some(NsId {
                ino: 2,
                kind: Kind::User,
            });
        }
        if namespace.id.ino == 1 {
            let bridge = Interface {
                name: "br0".into(),
                index: Some(4),
                kind: Some("bridge".into()),
                is_up: Some(false),
                ..Interface::default()
            };
            let mut port = veth("veth0", 5, 2, 14);
            port.master = Some(4);
            namespace.facts_mut().interfaces = Some(vec![bridge, port]);
        }
    }
    let mut picture = Picture::new(&snapshot, views, Processes::All);
    picture.remarks = vec!["1 process <hides>".into()];
    let mut text = Vec::new();
    write(&picture, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// Returns where a process of a container belongs.
pub(super) fn container(name: &str) -> Affiliation {
    Affiliation {
        container: Some(Container {
            engine: Some(Engine::Podman),
            id: name.to_owned(),
            name: None,
            uid: None,
        }),
        ..Affiliation::default()
    }
}

/// Adds a process, and the namespaces of its links; those with numbers below 9
/// are the host's.
pub(super) fn add(snapshot: &mut Snapshot, pid: Pid, belongs: Affiliation, links: &[(Link, u64)]) {
    let belongs = Arc::new(belongs);
    let mut process = Process::new(pid, Links::default());
    process.affiliation = Some(belongs.clone());
    for (link, ino) in links {
        process.links.set(*link, *ino);
        let id = NsId {
            ino: *ino,
            kind: link.kind(),
        };
        let all = &mut snapshot.namespaces;
        let place = all.iter().position(|one| one.id == id).unwrap_or_else(|| {
            all.push(Namespace::new(id, Holder::of_link(pid, *link)));
            all.len() - 1
        });
        let namespace = &mut all[place];
        namespace.nprocs += 1;
        namespace.pid.get_or_insert(pid);
        let facts = namespace.facts_mut();
        facts.is_host = Some(*ino < 9);
        facts.affiliations.push(belongs.clone());
    }
    snapshot.processes.push(process);
}

fn veth(name: &str, index: u32, link: u32, peer_ns: u64) -> Interface {
    Interface {
        name: name.into(),
        index: Some(index),
        kind: Some("veth".into()),
        link: Some(link),
        peer_ns: Some(peer_ns),
        is_up: Some(true),
        ..Interface::default()
    }
}
