use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Serialize, Serializer};

use crate::model::named;
use crate::text::Text;

/// A network interface, rtnetlink(7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Interface {
    /// Its name.
    pub name: Text,
    /// Its index in its net namespace; `None` if only its name is known.
    pub index: Option<u32>,
    /// The index of the interface it is linked to: of a veth, its peer; of a
    /// vlan, macvlan or ipvlan, the one below it.
    pub link: Option<u32>,
    /// The ID, in this net namespace, of the net namespace of that interface;
    /// `None` if both are in the same one.
    pub link_nsid: Option<u32>,
    /// The index of the bridge, bond or other interface that it is a port of.
    pub master: Option<u32>,
    /// What made it, as ip-link(8) names it: `veth`, `bridge`, `macvlan`;
    /// `None` for the loopback and for hardware.
    pub kind: Option<Text>,
    /// Its hardware address; `None` if it has none.
    pub mac: Option<Mac>,
    /// Whether it is up; `None` if only its name is known.
    pub is_up: Option<bool>,
    /// Its addresses, in order; requires
    /// [`Need::Addresses`](crate::Need::Addresses). Empty, too, if only its name
    /// is known.
    pub addresses: Vec<InterfaceAddress>,
    /// The name of the interface that [`link`](Self::link) is the index of;
    /// requires [`Need::Interfaces`](crate::Need::Interfaces), and that its net
    /// namespace was found, too.
    pub peer: Option<Text>,
    /// The inode number of the net namespace of that interface; the same.
    pub peer_ns: Option<u64>,
}

impl Interface {
    /// Returns whether it is the loopback, which is index 1 in every net namespace.
    pub fn is_loopback(&self) -> bool {
        self.kind.is_none() && (self.index == Some(1) || self.name[..] == *b"lo")
    }

    /// Returns whether it is one end of a veth pair.
    pub fn is_veth(&self) -> bool {
        self.kind.as_deref() == Some(b"veth")
    }
}

/// An address of an interface. Formats as `10.88.0.2/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct InterfaceAddress {
    /// The address of this end.
    pub address: IpAddr,
    /// The number of bits that its network has in common.
    pub prefix: u8,
}

impl fmt::Display for InterfaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A hardware address, of six bytes for most interfaces. Formats as
/// `02:42:ac:11:00:02`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(Vec<u8>);

impl Mac {
    /// Returns its bytes, the first one first.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Mac {
    fn from(bytes: &[u8]) -> Self {
        Mac(bytes.to_vec())
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

/// Serialises as it is displayed.
impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A socket that listens or is bound, sock_diag(7). Formats as `tcp [::]:443`,
/// `unix /run/x.sock` or `unix @abstract`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct NetSocket {
    /// Its protocol, of IPv4 and IPv6 alike.
    pub protocol: Protocol,
    /// Where it can be reached.
    pub local: Local,
    /// What it does there.
    pub state: SocketState,
    /// Whether a socket of IPv6 that is bound to any address leaves IPv4 alone,
    /// IPV6_V6ONLY; `None` for others, and if the kernel does not say.
    pub is_v6_only: Option<bool>,
    /// Its inode number, by which the processes that have it open are known:
    /// [`Snapshot::socket_files`](crate::Snapshot::socket_files).
    pub ino: u64,
}

named! {
    /// The protocol of a socket.
    pub enum Protocol {
        /// TCP, over IPv4 or IPv6; Multipath TCP included.
        Tcp = "tcp",
        /// UDP, over IPv4 or IPv6.
        Udp = "udp",
        /// A unix domain socket of any type, unix(7).
        Unix = "unix",
    }
}

named! {
    /// The state of a socket.
    pub enum SocketState {
        /// It accepts connections.
        Listening = "listening",
        /// It has an address and receives what is sent there; connected to one
        /// sender or not.
        Bound = "bound",
    }
}

/// The address of a socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Local {
    /// An address and a port. The scope ID of a link-local address is the index
    /// of its interface.
    Inet(SocketAddr),
    /// A path as it was bound: it may be relative, and exist no more.
    Path(Text),
    /// A name in the abstract namespace, without the NUL in front.
    Abstract(Text),
}

impl NetSocket {
    /// Returns its text as unescaped bytes, as the holder chose them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let protocol = self.protocol.name().as_bytes();
        match &self.local {
            Local::Inet(address) => format!("{} {address}", self.protocol).into_bytes(),
            // Else it would look like an abstract name.
            Local::Path(path) if path.starts_with(b"@") => [protocol, b" ./", path].concat(),
            Local::Path(path) => [protocol, b" ", path].concat(),
            Local::Abstract(name) => [protocol, b" @", name].concat(),
        }
    }
}

impl fmt::Display for NetSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Text::from(self.to_bytes()).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_shown_by_its_protocol_and_address_and_no_name_passes_for_another() {
        let text = |protocol, local| {
            let (state, ino) = (SocketState::Bound, 1);
            NetSocket {
                protocol,
                local,
                state,
                is_v6_only: None,
                ino,
            }
            .to_string()
        };
        let inet = |protocol, address: &str| text(protocol, Local::Inet(address.parse().unwrap()));
        assert_eq!(inet(Protocol::Tcp, "0.0.0.0:8080"), "tcp 0.0.0.0:8080");
        assert_eq!(inet(Protocol::Tcp, "[::]:443"), "tcp [::]:443");
        assert_eq!(inet(Protocol::Udp, "[fe80::1%3]:53"), "udp [fe80::1%3]:53");
        let path = |path: &str| text(Protocol::Unix, Local::Path(path.into()));
        assert_eq!(path("/run/x.sock"), "unix /run/x.sock");
        assert_eq!(path("@x"), "unix ./@x");
        let name = |name: &str| text(Protocol::Unix, Local::Abstract(name.into()));
        assert_eq!(name("x\0\x1b"), r"unix @x\x00\x1b");
    }

    #[test]
    fn addresses_are_shown_as_ip_does() {
        let address = InterfaceAddress {
            address: "fd00::2".parse().unwrap(),
            prefix: 64,
        };
        assert_eq!(address.to_string(), "fd00::2/64");
        assert_eq!(
            Mac::from(&[2, 0x42, 0xac][..]).to_string(),
            "02:42:ac".to_owned()
        );
        assert_eq!(Mac::from(&[][..]).to_string(), "");
    }
}
