//! Sockets, addresses and interfaces.

use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

use crate::analysis::find::{Found, Match, Role, Thing};
use crate::model::{Interface, Local, Namespace, NetSocket, NsId, Protocol, Snapshot};

/// Finds sockets, each once for every process that has it open.
pub(super) fn sockets<'a>(snapshot: &'a Snapshot, thing: &Thing) -> Vec<Match<'a>> {
    let mut matches = Vec::new();
    for namespace in &snapshot.namespaces {
        let facts = namespace.facts.as_deref();
        let sockets = facts.and_then(|facts| facts.sockets.as_deref());
        for socket in sockets.into_iter().flatten() {
            if !is_wanted(socket, thing) {
                continue;
            }
            let files = snapshot.socket_files(socket.ino);
            let processes = files.chunk_by(|one, next| one.pid == next.pid);
            let processes = processes.filter_map(|files| snapshot.process(files.first()?.pid));
            let mut holders: Vec<_> = processes.map(Some).collect();
            if holders.is_empty() {
                holders.push(None);
            }
            matches.extend(holders.into_iter().map(|process| Match {
                found: Found::Socket(socket),
                namespace,
                process,
            }));
        }
    }
    matches
}

fn is_wanted(socket: &NetSocket, thing: &Thing) -> bool {
    match (&socket.local, thing) {
        (
            Local::Inet(local),
            Thing::Port {
                protocol,
                address,
                port,
            },
        ) => {
            local.port() == *port
                && protocol.is_none_or(|protocol| protocol == socket.protocol)
                // Who listens on any address is reached at this one, too.
                && address.is_none_or(|address| {
                    local.ip() == address
                        || local.ip().is_unspecified() && reaches(socket, local.ip(), address)
                })
        }
        (Local::Path(bound), Thing::SocketPath(path)) => {
            socket.protocol == Protocol::Unix && bound.as_bytes() == path.as_os_str().as_bytes()
        }
        (Local::Abstract(bound), Thing::SocketName(name)) => bound.as_bytes() == name.as_bytes(),
        _ => false,
    }
}

/// Returns whether a socket that is bound to any address has this one, too. One of
/// IPv6 may serve IPv4.
fn reaches(socket: &NetSocket, any: IpAddr, address: IpAddr) -> bool {
    any.is_ipv4() == address.is_ipv4() || any.is_ipv6() && socket.is_v6_only == Some(false)
}

/// Finds addresses of interfaces within a network.
pub(super) fn addresses(snapshot: &Snapshot, address: IpAddr, prefix: u8) -> Vec<Match<'_>> {
    let mut matches = Vec::new();
    for (namespace, interface) in all(snapshot) {
        for own in &interface.addresses {
            if is_within(own.address, address, prefix) {
                let found = Found::Address(interface, *own);
                matches.push(Match::within(snapshot, namespace, found));
            }
        }
    }
    matches
}

/// Returns whether an address has the first bits of another.
fn is_within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let ((one, length), (other, other_length)) = (bits(address), bits(network));
    let rest = u32::from(length - prefix.min(length));
    length == other_length && (one ^ other).checked_shr(rest).unwrap_or(0) == 0
}

/// Finds interfaces, and for each what it is connected to: the other end of a
/// veth pair, the interfaces above and below it, the ports of a bridge.
pub(super) fn interfaces<'a>(snapshot: &'a Snapshot, thing: &Thing) -> Vec<Match<'a>> {
    let is_wanted = |interface: &Interface| match thing {
        Thing::Interface { name, link } => {
            interface.name.as_bytes() == name.as_bytes()
                && (link.is_none() || *link == interface.link)
        }
        Thing::InterfaceIndex(index) => interface.index == Some(*index),
        Thing::Mac(mac) => interface.mac.as_ref() == Some(mac),
        _ => false,
    };
    let mut matches: Vec<Match<'a>> = Vec::new();
    for (namespace, interface) in all(snapshot).filter(|(_, interface)| is_wanted(interface)) {
        let mut chain = vec![(namespace, interface, Role::Wanted)];
        follow(snapshot, &mut chain);
        for (namespace, interface, role) in chain {
            let found = Found::Interface(interface, role);
            let new = Match::within(snapshot, namespace, found);
            if !matches.contains(&new) {
                matches.push(new);
            }
        }
    }
    matches
}

type Step<'a> = (&'a Namespace, &'a Interface, Role);

/// Adds what is connected to the first interface of a chain. From a peer or a
/// port it goes on to the other end, and from a peer upwards, but never down
/// again: the other ports of a bridge are not connected to this one.
fn follow<'a>(snapshot: &'a Snapshot, chain: &mut Vec<Step<'a>>) {
    let mut next = 0;
    while let Some((namespace, interface, role)) = chain.get(next).copied() {
        next += 1;
        let mut add = |step: Step<'a>| {
            let is_known =
                |(known, one, _): &Step<'_>| known.id == step.0.id && std::ptr::eq(*one, step.1);
            if !chain.iter().any(is_known) {
                chain.push(step);
            }
        };
        if let Some((other, peer)) = peer(snapshot, interface) {
            let role = if interface.is_veth() {
                Role::Peer
            } else {
                Role::Parent
            };
            add((other, peer, role));
        }
        if role != Role::Port
            && let Some(master) = interface.master
            && let Some(master) = by_index(namespace, master)
        {
            add((namespace, master, Role::Master));
        }
        if role == Role::Wanted {
            let ports = own(namespace)
                .filter(|port| port.master.is_some() && port.master == interface.index);
            for port in ports {
                add((namespace, port, Role::Port));
            }
        }
    }
}

/// Returns the interface that one is linked to: the other end of a veth pair, or
/// the one below.
fn peer<'a>(
    snapshot: &'a Snapshot,
    interface: &Interface,
) -> Option<(&'a Namespace, &'a Interface)> {
    let (ino, kind) = (interface.peer_ns?, crate::model::Kind::Net);
    let namespace = snapshot.namespace(NsId { ino, kind })?;
    Some((namespace, by_index(namespace, interface.link?)?))
}

fn by_index(namespace: &Namespace, index: u32) -> Option<&Interface> {
    own(namespace).find(|interface| interface.index == Some(index))
}

fn own(namespace: &Namespace) -> impl Iterator<Item = &Interface> {
    let facts = namespace.facts.as_deref();
    let interfaces = facts.and_then(|facts| facts.interfaces.as_deref());
    interfaces.into_iter().flatten()
}

fn all(snapshot: &Snapshot) -> impl Iterator<Item = (&Namespace, &Interface)> {
    snapshot
        .namespaces
        .iter()
        .flat_map(|namespace| own(namespace).map(move |interface| (namespace, interface)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Holder, InterfaceAddress, Kind, Link, Links, OpenFile, Process, SocketState,
    };

    fn namespace(ino: u64, interfaces: Vec<Interface>, sockets: Vec<NetSocket>) -> Namespace {
        let kind = Kind::Net;
        let mut namespace = Namespace::new(NsId { ino, kind }, Holder::of_link(5, Link::Net));
        namespace.pid = Some(5);
        namespace.facts_mut().interfaces = Some(interfaces);
        namespace.facts_mut().sockets = Some(sockets);
        namespace
    }

    fn snapshot(namespaces: Vec<Namespace>) -> Snapshot {
        Snapshot {
            namespaces,
            processes: [5, 6, 7]
                .map(|pid| Process::new(pid, Links::default()))
                .into(),
            ..Snapshot::default()
        }
    }

    fn inet(protocol: Protocol, local: &str, ino: u64) -> NetSocket {
        NetSocket {
            protocol,
            local: Local::Inet(local.parse().unwrap()),
            state: SocketState::Listening,
            is_v6_only: (!local.starts_with(|c: char| c.is_ascii_digit())).then_some(false),
            ino,
        }
    }

    fn found(snapshot: &Snapshot, word: &str) -> Vec<(u64, String, Option<u32>)> {
        let things = Thing::readings(word).unwrap();
        let matches = things
            .iter()
            .flat_map(|thing| crate::analysis::find(snapshot, thing));
        matches
            .map(|one| {
                let what = match one.found {
                    Found::Socket(socket) => socket.to_string(),
                    Found::Address(interface, address) => format!("{address} {}", interface.name),
                    Found::Interface(interface, role) => {
                        format!("{} {}", role.name(), interface.name)
                    }
                    other => panic!("{other:?}"),
                };
                (
                    one.namespace.id.ino,
                    what,
                    one.process.map(|process| process.pid),
                )
            })
            .collect()
    }

    #[test]
    fn a_port_is_found_in_every_namespace_with_all_processes_that_have_it_open() {
        let unix = |local, ino| NetSocket {
            protocol: Protocol::Unix,
            local,
            state: SocketState::Listening,
            is_v6_only: None,
            ino,
        };
        let mut snapshot = snapshot(vec![
            namespace(
                1,
                vec![],
                vec![
                    inet(Protocol::Tcp, "0.0.0.0:80", 90),
                    inet(Protocol::Udp, "10.0.0.2:80", 91),
                    inet(Protocol::Tcp, "[::]:443", 92),
                    unix(Local::Path("/run/x".into()), 93),
                    unix(Local::Abstract("/run/x".into()), 94),
                ],
            ),
            namespace(2, vec![], vec![inet(Protocol::Tcp, "127.0.0.1:80", 95)]),
        ]);
        let file = |pid, fd| OpenFile { pid, tid: None, fd };
        let files = vec![file(6, 3), file(6, 4), file(7, 3), file(8, 3)];
        snapshot.socket_files.insert(90, files);
        let tcp = |pid| (1, "tcp 0.0.0.0:80".to_owned(), pid);
        let udp = (1, "udp 10.0.0.2:80".to_owned(), None);
        let other = (2, "tcp 127.0.0.1:80".to_owned(), None);
        let both = [tcp(Some(6)), tcp(Some(7)), udp.clone(), other.clone()];
        assert_eq!(found(&snapshot, ":80"), both);
        assert_eq!(found(&snapshot, "udp:80"), std::slice::from_ref(&udp));
        let at = [tcp(Some(6)), tcp(Some(7)), udp];
        assert_eq!(found(&snapshot, "10.0.0.2:80"), at);
        let local = [tcp(Some(6)), tcp(Some(7)), other];
        assert_eq!(found(&snapshot, "tcp:127.0.0.1:80"), local);
        let v6 = (1, "tcp [::]:443".to_owned(), None);
        assert_eq!(found(&snapshot, "10.0.0.2:443"), std::slice::from_ref(&v6));
        assert_eq!(found(&snapshot, "[::1]:443"), [v6]);
        let only = snapshot.namespaces[0].facts_mut().sockets.as_mut().unwrap();
        only[2].is_v6_only = Some(true);
        assert_eq!(found(&snapshot, "10.0.0.2:443"), []);
        assert_eq!(found(&snapshot, "[::1]:80"), []);
        assert_eq!(found(&snapshot, ":81"), []);
        let path = (1, "unix /run/x".to_owned(), None);
        assert_eq!(found(&snapshot, "unix:/run/x"), [path]);
        let name = (1, "unix @/run/x".to_owned(), None);
        assert_eq!(found(&snapshot, "@/run/x"), [name]);
    }

    #[test]
    fn an_address_is_within_the_networks_that_share_its_first_bits() {
        let address = |text: &str| text.parse().unwrap();
        for (one, network, prefix, expected) in [
            ("10.88.0.2", "10.88.0.0", 16, true),
            ("10.88.0.2", "10.88.0.9", 16, true),
            ("10.89.0.2", "10.88.0.0", 16, false),
            ("10.88.0.2", "10.88.0.2", 32, true),
            ("10.88.0.3", "10.88.0.2", 32, false),
            ("10.88.0.2", "0.0.0.0", 0, true),
            ("fd00::2", "::", 0, true),
            ("fd00::2", "fd00::", 64, true),
            ("fd00:1::2", "fd00::", 64, false),
            ("::1", "0.0.0.1", 0, false),
        ] {
            let is_within = is_within(address(one), address(network), prefix);
            assert_eq!(is_within, expected, "{one} {network}/{prefix}");
        }
    }

    fn interface(name: &str, index: u32) -> Interface {
        Interface {
            name: name.into(),
            index: Some(index),
            ..Interface::default()
        }
    }

    /// A bridge with two ports, whose other ends are in two namespaces, one of them
    /// a port of a bridge there.
    fn bridged() -> Snapshot {
        let veth = |name, index, link, ino, master| Interface {
            link: Some(link),
            kind: Some("veth".into()),
            peer_ns: Some(ino),
            master,
            ..interface(name, index)
        };
        let mut inner = veth("eth0", 2, 8, 1, Some(3));
        inner.addresses.push(InterfaceAddress {
            address: "10.88.0.2".parse().unwrap(),
            prefix: 16,
        });
        let macvlan = Interface {
            link: Some(2),
            kind: Some("macvlan".into()),
            peer_ns: Some(1),
            ..interface("mv0", 4)
        };
        snapshot(vec![
            namespace(
                1,
                vec![
                    interface("uplink", 2),
                    interface("br0", 7),
                    veth("veth8", 8, 2, 2, Some(7)),
                    veth("veth9", 9, 2, 3, Some(7)),
                ],
                vec![],
            ),
            namespace(2, vec![inner, interface("br1", 3), macvlan], vec![]),
            namespace(3, vec![veth("eth0", 2, 9, 1, None)], vec![]),
        ])
    }

    #[test]
    fn an_interface_is_found_with_what_it_is_connected_to() {
        let snapshot = bridged();
        let found = |word: &str| {
            let found = found(&snapshot, word).into_iter();
            found
                .map(|(ino, what, _)| format!("{ino} {what}"))
                .collect::<Vec<_>>()
        };
        let wire = [
            "1 interface veth8",
            "2 peer eth0",
            "1 master br0",
            "2 master br1",
        ];
        assert_eq!(found("interface:veth8"), wire);
        let bridge = [
            "1 interface br0",
            "1 port veth8",
            "1 port veth9",
            "2 peer eth0",
            "3 peer eth0",
            "2 master br1",
        ];
        assert_eq!(found("interface:br0"), bridge);
        assert_eq!(
            found("interface:mv0"),
            ["2 interface mv0", "1 parent uplink"]
        );
        let linked = ["3 interface eth0", "1 peer veth9", "1 master br0"];
        assert_eq!(found("interface:eth0@if9"), linked);
        assert_eq!(found("ifindex:7"), bridge);
        assert_eq!(found("10.88.0.0/16"), ["2 10.88.0.2/16 eth0"]);
        assert_eq!(found("interface:eth1"), [""; 0]);
    }
}
