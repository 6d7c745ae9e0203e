use std::collections::HashMap;

use crate::analysis::picture::{alike::stand_ins, all};
use crate::model::{Interface, Kind, Namespace, NsId, Snapshot};

/// Net namespaces, their interfaces, and what connects these.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Wires<'a> {
    /// Net namespaces with interfaces beside the loopback; that of the host first, then
    /// in the order of the matrix.
    pub lanes: Vec<Lane<'a>>,
    /// What connects their ports, each once.
    pub cables: Vec<Cable>,
    /// Net namespaces with no interface but the loopback.
    pub bare: Vec<&'a Namespace>,
    /// Net namespaces whose interfaces are unknown.
    pub unknown: Vec<&'a Namespace>,
}

/// A net namespace and its interfaces.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Lane<'a> {
    /// The namespace.
    pub namespace: &'a Namespace,
    /// Its interfaces, bridges and other masters before what is a port of them.
    pub ports: Vec<Port<'a>>,
    /// Others for which this one stands: interfaces of the same kinds, connected to the
    /// same namespaces.
    pub alike: Vec<&'a Namespace>,
}

/// An interface in a lane.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Port<'a> {
    /// The interface.
    pub interface: &'a Interface,
    /// The place, in the same lane, of the bridge or other interface that it is a port
    /// of.
    pub master: Option<usize>,
    /// Others in the same lane for which this one stands: they lead to namespaces for
    /// which the other end's lane stands.
    pub alike: Vec<&'a Interface>,
}

/// A connection of two ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Cable {
    /// One end; of a vlan, macvlan or ipvlan, that one.
    pub from: Socket,
    /// The other end; of those, the interface below.
    pub to: Socket,
    /// Whether it is a veth pair.
    pub is_veth: bool,
}

/// The place of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Socket {
    /// Which lane.
    pub lane: usize,
    /// Which port in it.
    pub port: usize,
}

/// Lays out the net namespaces of a snapshot in an order.
pub(super) fn lay(snapshot: &Snapshot, order: impl Fn(NsId) -> usize) -> Wires<'_> {
    let mut wires = Wires::default();
    let mut wired: Vec<(&Namespace, &[Interface])> = Vec::new();
    for namespace in all(snapshot).filter(|one| one.id.kind == Kind::Net) {
        let facts = namespace.facts.as_deref();
        match facts.and_then(|facts| facts.interfaces.as_deref()) {
            None => wires.unknown.push(namespace),
            Some(all) if all.iter().all(Interface::is_loopback) => wires.bare.push(namespace),
            Some(all) => wired.push((namespace, all)),
        }
    }
    wired.sort_unstable_by_key(|(namespace, _)| (order(namespace.id), namespace.id));
    let shapes: Vec<_> = wired.iter().map(|(_, all)| Some(shape(all))).collect();
    let mut places: Vec<usize> = Vec::new();
    // Where those are drawn that have no lane of their own.
    let mut stands_for: HashMap<u64, u64> = HashMap::new();
    for ((namespace, interfaces), first) in wired.into_iter().zip(stand_ins(&shapes)) {
        let place = places.get(first).copied().unwrap_or(wires.lanes.len());
        places.push(place);
        match wires.lanes.get_mut(place) {
            Some(lane) => {
                stands_for.insert(namespace.id.ino, lane.namespace.id.ino);
                lane.alike.push(namespace);
            }
            None => wires.lanes.push(Lane {
                namespace,
                ports: in_order(interfaces),
                alike: Vec::new(),
            }),
        }
    }
    for lane in &mut wires.lanes {
        fold(lane, &stands_for);
    }
    wires.cables = cables(&wires.lanes);
    wires
}

/// Returns what lanes that are alike have in common of their interfaces: the kind,
/// whether there are addresses, and the other end's namespace.
fn shape(interfaces: &[Interface]) -> Vec<u8> {
    let mut parts: Vec<Vec<u8>> = interfaces
        .iter()
        .map(|one| {
            let mut part = one.kind.as_deref().unwrap_or_default().to_vec();
            part.extend([0, u8::from(one.addresses.is_empty())]);
            part.extend(one.peer_ns.unwrap_or_default().to_le_bytes());
            part
        })
        .collect();
    parts.sort_unstable();
    parts.concat()
}

/// Returns ports in order: each interface that has no master, and right after it those
/// that are its ports.
fn in_order(interfaces: &[Interface]) -> Vec<Port<'_>> {
    let mut below: HashMap<u32, Vec<&Interface>> = HashMap::new();
    let mut pending: Vec<(&Interface, Option<usize>)> = Vec::new();
    for index in interfaces.iter().filter_map(|one| one.index) {
        below.entry(index).or_default();
    }
    for one in interfaces {
        match one.master.filter(|master| below.contains_key(master)) {
            Some(master) => below.entry(master).or_default().push(one),
            None => pending.push((one, None)),
        }
    }
    pending.reverse();
    let mut rest = interfaces.iter();
    let mut ports: Vec<Port<'_>> = Vec::new();
    loop {
        let Some((interface, master)) = pending.pop() else {
            // What is left claims to be a port of itself.
            let Some(circle) = rest.find_map(|one| below.remove(&one.index?)) else {
                return ports;
            };
            pending.extend(circle.into_iter().rev().map(|one| (one, None)));
            continue;
        };
        let place = ports.len();
        ports.push(Port {
            interface,
            master,
            alike: Vec::new(),
        });
        let own = interface.index.and_then(|index| below.remove(&index));
        let own = own.unwrap_or_default().into_iter().rev();
        pending.extend(own.map(|one| (one, Some(place))));
    }
}

/// Puts interfaces together that lead to where one lane is drawn for many, on the one
/// that leads to that lane.
fn fold(lane: &mut Lane<'_>, stands_for: &HashMap<u64, u64>) {
    let key = |port: &Port<'_>, drawn: u64| {
        let kind = port.interface.kind.as_deref().unwrap_or_default();
        [
            &drawn.to_le_bytes()[..],
            &port.master.unwrap_or(usize::MAX).to_le_bytes(),
            kind,
        ]
        .concat()
    };
    let drawn_for = |port: &Port<'_>| stands_for.get(&port.interface.peer_ns?).copied();
    let mut first: HashMap<Vec<u8>, usize> = HashMap::new();
    for (place, port) in lane.ports.iter().enumerate() {
        if let Some(to) = port.interface.peer_ns {
            first.entry(key(port, to)).or_insert(place);
        }
    }
    for (place, port) in lane.ports.iter().enumerate() {
        if let Some(drawn) = drawn_for(port) {
            first.entry(key(port, drawn)).or_insert(place);
        }
    }
    // Where each port is now.
    let mut places: Vec<usize> = Vec::new();
    let mut kept: Vec<Port<'_>> = Vec::new();
    let mut folded: Vec<(usize, &Interface)> = Vec::new();
    for (place, port) in lane.ports.drain(..).enumerate() {
        let into = drawn_for(&port).and_then(|drawn| first.get(&key(&port, drawn)).copied());
        match into.filter(|into| *into != place) {
            Some(into) => {
                folded.push((into, port.interface));
                places.push(usize::MAX);
            }
            None => {
                places.push(kept.len());
                kept.push(port);
            }
        }
    }
    for port in &mut kept {
        let master = port.master.and_then(|master| places.get(master));
        port.master = master.copied().filter(|master| *master != usize::MAX);
    }
    lane.ports = kept;
    for (into, interface) in folded {
        let port = places
            .get(into)
            .and_then(|place| lane.ports.get_mut(*place));
        if let Some(port) = port {
            port.alike.push(interface);
        }
    }
}

fn cables(lanes: &[Lane<'_>]) -> Vec<Cable> {
    let mut sockets: HashMap<(u64, u32), Socket> = HashMap::new();
    let ports = lanes.iter().enumerate().flat_map(|(lane, own)| {
        let ports = own.ports.iter().enumerate();
        ports.map(move |(port, one)| (own.namespace.id.ino, Socket { lane, port }, one))
    });
    for (ino, socket, port) in ports.clone() {
        if let Some(index) = port.interface.index {
            sockets.insert((ino, index), socket);
        }
    }
    let mut cables: Vec<Cable> = Vec::new();
    for (_, from, port) in ports {
        let one = port.interface;
        let Some(to) = one.peer_ns.zip(one.link).and_then(|end| sockets.get(&end)) else {
            continue;
        };
        let is_veth = one.is_veth();
        let (from, to) = match is_veth && *to < from {
            true => (*to, from),
            false => (from, *to),
        };
        if from != to {
            cables.push(Cable { from, to, is_veth });
        }
    }
    cables.sort_unstable();
    cables.dedup();
    cables
}
