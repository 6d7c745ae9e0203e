//! From what people hold in their hand to the namespace, the container and the
//! process behind it.

mod mounts;
mod names;
mod network;
mod processes;
mod readings;
mod thing;

use crate::model::Snapshot;
use crate::model::{Interface, InterfaceAddress, MountedFs, Namespace, NetSocket, Process};

#[cfg(feature = "cli")]
pub(crate) use names::NETNS;
pub use readings::InvalidThing;
#[cfg(feature = "cli")]
pub(crate) use readings::PID_MAX;
pub use thing::Thing;

/// Where a thing was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Match<'a> {
    /// What was found.
    pub found: Found<'a>,
    /// The namespace it is in.
    pub namespace: &'a Namespace,
    /// The process that has it, or else the representative of the namespace;
    /// `None` if there is none, or none is known.
    pub process: Option<&'a Process>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found<'a> {
    /// A socket.
    Socket(&'a NetSocket),
    /// An address of an interface.
    Address(&'a Interface, InterfaceAddress),
    /// An interface, and what it is to the one that was looked for.
    Interface(&'a Interface, Role),
    /// A mount.
    Mount(&'a MountedFs),
    /// Processes in the same namespaces, and how many.
    Processes(usize),
    /// A namespace itself.
    Namespace,
}

/// What an interface is to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The one that was looked for.
    Wanted,
    /// The other end of a veth pair.
    Peer,
    /// The interface it is a port of, such as a bridge.
    Master,
    /// A port of it.
    Port,
    /// The interface below a vlan, macvlan or ipvlan.
    Parent,
}

impl Role {
    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Wanted => "interface",
            Role::Peer => "peer",
            Role::Master => "master",
            Role::Port => "port",
            Role::Parent => "parent",
        }
    }
}

/// Finds a thing in a snapshot that was made with [`Thing::needs`], over
/// [`Thing::kinds`]; for commands and users, with the details of all processes,
/// [`Scanner::describe`](crate::Scanner::describe).
///
/// Processes in the same namespaces are found once, in a namespace that sets them
/// apart from the host, or else in their pid namespace.
pub fn find<'a>(snapshot: &'a Snapshot, thing: &Thing) -> Vec<Match<'a>> {
    match thing {
        Thing::Port { .. } | Thing::SocketPath(_) | Thing::SocketName(_) => {
            network::sockets(snapshot, thing)
        }
        Thing::Address { address, prefix } => network::addresses(snapshot, *address, *prefix),
        Thing::Interface { .. } | Thing::InterfaceIndex(_) | Thing::Mac(_) => {
            network::interfaces(snapshot, thing)
        }
        Thing::Device(..) | Thing::Mount(_) => mounts::mounts(snapshot),
        Thing::Process(_)
        | Thing::Command(_)
        | Thing::User(_)
        | Thing::Container(_)
        | Thing::Pod(_)
        | Thing::Unit(_) => processes::processes(snapshot, thing),
        Thing::Number(_)
        | Thing::Namespace(_)
        | Thing::UniqueId(_)
        | Thing::Path(_)
        | Thing::NetnsName(_) => names::namespaces(snapshot, thing),
    }
}

impl<'a> Match<'a> {
    /// Makes a match of which the representative of the namespace is the process.
    fn within(snapshot: &'a Snapshot, namespace: &'a Namespace, found: Found<'a>) -> Self {
        Match {
            found,
            namespace,
            process: snapshot.representative(namespace),
        }
    }
}
