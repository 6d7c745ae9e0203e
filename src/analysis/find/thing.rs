use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::model::{Kind, KindSet, Mac, NsId, Pid, Protocol};
use crate::scan::{Need, Needs};

/// Something that people hold in their hand and look for: one reading of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Thing {
    /// Sockets of a port, [`Protocol::Tcp`] or [`Protocol::Udp`].
    Port {
        /// The protocol; `None` for both.
        protocol: Option<Protocol>,
        /// The address they are bound to; `None` for any.
        address: Option<IpAddr>,
        /// The port.
        port: u16,
    },
    /// Unix sockets that are bound to a path.
    SocketPath(PathBuf),
    /// Unix sockets that are bound to an abstract name, unix(7).
    SocketName(String),
    /// Interfaces with an address in a network.
    Address {
        /// The address, or the first of the network.
        address: IpAddr,
        /// The bits that all addresses of the network have in common; all of
        /// them for an address.
        prefix: u8,
    },
    /// Interfaces by name.
    Interface {
        /// The name.
        name: String,
        /// The index of the interface it is linked to, as in `eth0@if7`; `None`
        /// for any.
        link: Option<u32>,
    },
    /// Interfaces by index, in any net namespace.
    InterfaceIndex(u32),
    /// Interfaces by hardware address.
    Mac(Mac),
    /// Mounts of a device, by major and minor number.
    Device(u32, u32),
    /// Mounts at a path, or of the device at that path.
    Mount(PathBuf),
    /// A process.
    Process(Pid),
    /// Processes by the name of the program, without its directory.
    Command(String),
    /// Processes of a user, by name or UID.
    User(String),
    /// Processes of a container, by its name, its ID, or the start of its ID.
    Container(String),
    /// Processes of a pod, by its UID, the engine's ID for it, or the start of
    /// either.
    Pod(String),
    /// Processes of a systemd unit, whose suffix may be left out.
    Unit(String),
    /// A namespace by inode number, of any type.
    Number(u64),
    /// A namespace by type and inode number.
    Namespace(NsId),
    /// A namespace by the number that is never given to another.
    UniqueId(u64),
    /// A namespace by a path that leads to it. It is found as the
    /// [`Thing::Namespace`] that [`Scanner::identify`](crate::Scanner::identify)
    /// says it is.
    Path(PathBuf),
    /// A net namespace by its name in `/run/netns`, ip-netns(8).
    NetnsName(String),
}

impl Thing {
    /// Returns what a scan has to collect to find it.
    pub fn needs(&self) -> Needs {
        let shown = Needs::from([Need::Members, Need::Affiliation, Need::Command, Need::User]);
        shown.union(match self {
            Thing::Port { .. } | Thing::SocketPath(_) | Thing::SocketName(_) => {
                Needs::from([Need::Listeners, Need::SocketFiles])
            }
            Thing::Address { .. } => Needs::from([Need::Interfaces, Need::Addresses]),
            Thing::Interface { .. } | Thing::InterfaceIndex(_) | Thing::Mac(_) => {
                Need::Interfaces.into()
            }
            Thing::Device(..) | Thing::Mount(_) => Need::MountFacts.into(),
            Thing::Process(_)
            | Thing::Command(_)
            | Thing::User(_)
            | Thing::Container(_)
            | Thing::Pod(_)
            | Thing::Unit(_) => Need::Host.into(),
            Thing::UniqueId(_) => Need::UniqueId.into(),
            Thing::NetnsName(_) => Need::Mounts.into(),
            Thing::Number(_) | Thing::Namespace(_) | Thing::Path(_) => Needs::EMPTY,
        })
    }

    /// Returns the types of namespaces it can be found in.
    pub fn kinds(&self) -> KindSet {
        match self {
            Thing::Port { .. }
            | Thing::SocketPath(_)
            | Thing::SocketName(_)
            | Thing::Address { .. }
            | Thing::Interface { .. }
            | Thing::InterfaceIndex(_)
            | Thing::Mac(_)
            | Thing::NetnsName(_) => Kind::Net.into(),
            Thing::Device(..) | Thing::Mount(_) => Kind::Mnt.into(),
            Thing::Namespace(id) => id.kind.into(),
            _ => KindSet::all(),
        }
    }

    /// Returns whether it is found by what processes say of themselves.
    pub const fn is_of_processes(&self) -> bool {
        matches!(
            self,
            Thing::Process(_)
                | Thing::Command(_)
                | Thing::User(_)
                | Thing::Container(_)
                | Thing::Pod(_)
                | Thing::Unit(_)
        )
    }

    /// Returns whether only the running system can tell: a captured tree has no
    /// sockets and no interfaces.
    pub fn is_live(&self) -> bool {
        let inside = Needs::from([
            Need::Listeners,
            Need::Interfaces,
            Need::Addresses,
            Need::UniqueId,
        ]);
        !self.needs().intersection(inside).is_empty()
    }

    /// Returns whether the details of all processes decide what is found.
    pub const fn depends_on_details(&self) -> bool {
        matches!(self, Thing::Command(_) | Thing::User(_))
    }

    /// Returns what it is, for people: `container`, `TCP port`.
    pub const fn name(&self) -> &'static str {
        match self {
            Thing::Port { protocol, .. } => match protocol {
                Some(Protocol::Tcp) => "TCP port",
                Some(Protocol::Udp) => "UDP port",
                _ => "port",
            },
            Thing::SocketPath(_) | Thing::SocketName(_) => "unix socket",
            Thing::Address { .. } => "address",
            Thing::Interface { .. } => "interface",
            Thing::InterfaceIndex(_) => "index of an interface",
            Thing::Mac(_) => "hardware address",
            Thing::Device(..) => "mounted device",
            Thing::Mount(_) => "mount",
            Thing::Process(_) => "process",
            Thing::Command(_) => "command",
            Thing::User(_) => "user with processes",
            Thing::Container(_) => "container",
            Thing::Pod(_) => "pod",
            Thing::Unit(_) => "unit",
            Thing::Number(_) | Thing::Namespace(_) | Thing::Path(_) => "namespace",
            Thing::UniqueId(_) => "namespace ID",
            Thing::NetnsName(_) => "net namespace in /run/netns",
        }
    }
}

/// Formats as the word that leaves this reading alone.
impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |path: &Path| path.display().to_string();
        match self {
            Thing::Port {
                protocol,
                address,
                port,
            } => {
                let protocol = protocol.map_or(String::new(), |protocol| format!("{protocol}:"));
                match address {
                    Some(address) => {
                        write!(f, "{protocol}{}", SocketAddr::new(*address, *port))
                    }
                    None if protocol.is_empty() => write!(f, ":{port}"),
                    None => write!(f, "{protocol}{port}"),
                }
            }
            Thing::SocketPath(socket) => write!(f, "unix:{}", path(socket)),
            Thing::SocketName(name) => write!(f, "unix:@{name}"),
            Thing::Address { address, prefix } => {
                let is_one = *prefix == if address.is_ipv4() { 32 } else { 128 };
                match is_one {
                    true => write!(f, "{address}"),
                    false => write!(f, "{address}/{prefix}"),
                }
            }
            Thing::Interface {
                name,
                link: Some(link),
            } => write!(f, "interface:{name}@if{link}"),
            Thing::Interface { name, link: None } => write!(f, "interface:{name}"),
            Thing::InterfaceIndex(index) => write!(f, "ifindex:{index}"),
            Thing::Mac(mac) => write!(f, "mac:{mac}"),
            Thing::Device(major, minor) => write!(f, "{major}:{minor}"),
            Thing::Mount(mount) => write!(f, "mount:{}", path(mount)),
            Thing::Process(pid) => write!(f, "pid:{pid}"),
            Thing::Command(name) => write!(f, "command:{name}"),
            Thing::User(name) => write!(f, "user:{name}"),
            Thing::Container(name) => write!(f, "container:{name}"),
            Thing::Pod(name) => write!(f, "pod:{name}"),
            Thing::Unit(name) => write!(f, "unit:{name}"),
            Thing::Number(ino) => write!(f, "ns:{ino}"),
            Thing::Namespace(id) => write!(f, "{id}"),
            Thing::UniqueId(id) => write!(f, "id:{id}"),
            Thing::Path(link) => write!(f, "{}", path(link)),
            Thing::NetnsName(name) => write!(f, "netns:{name}"),
        }
    }
}
