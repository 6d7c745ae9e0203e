//! Sockets that listen or are bound: SOCK_DIAG_BY_FAMILY, sock_diag(7).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use rustix::io::Errno;

use crate::kernel::bytes::{u32_at, until_nul};
use crate::kernel::netlink::Socket;
use crate::kernel::netlink::message::{Attributes, Request};
use crate::model::{Local, NetSocket, Protocol, SocketState};

// linux/inet_diag.h, linux/sock_diag.h and linux/unix_diag.h.
const TCPDIAG_GETSOCK: u16 = 18;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const UDIAG_SHOW_NAME: u32 = 1;
const UNIX_DIAG_NAME: u16 = 0;
const INET_DIAG_SKV6ONLY: u16 = 11;

// net/tcp_states.h, which all families use.
const ESTABLISHED: u8 = 1;
const CLOSE: u8 = 7;
const LISTEN: u8 = 10;

const INET: u8 = libc::AF_INET as u8;
const INET6: u8 = libc::AF_INET6 as u8;
const UNIX: u8 = libc::AF_UNIX as u8;

/// Size of `struct inet_diag_msg`, and places in it.
const INET_MESSAGE: usize = 72;
const INET_STATE: usize = 1;
const INET_PORT: usize = 4;
const INET_ADDRESS: usize = 8;
const INET_INTERFACE: usize = 40;
const INET_INODE: usize = 68;

/// Size of `struct unix_diag_msg`, and places in it.
const UNIX_MESSAGE: usize = 16;
const UNIX_TYPE: usize = 1;
const UNIX_STATE: usize = 2;
const UNIX_INODE: usize = 4;

/// Sockets that the kernel lists with one dump.
///
/// For each dump of TCP or UDP it goes through the sockets of all net namespaces,
/// so fewer dumps are much less work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    /// IPv4 and IPv6: only the older request has both.
    Tcp,
    /// IPv4.
    Udp4,
    /// IPv6.
    Udp6,
    Unix,
}

impl Query {
    pub(crate) const ALL: [Query; 4] = [Query::Tcp, Query::Udp4, Query::Udp6, Query::Unix];

    /// Reads the body of an answer; `None` for a socket that does not count.
    pub(super) fn parse(self, body: &[u8]) -> Result<Option<NetSocket>, Errno> {
        match self {
            Query::Tcp => parse_inet(Protocol::Tcp, body),
            Query::Udp4 | Query::Udp6 => parse_inet(Protocol::Udp, body),
            Query::Unix => parse_unix(body),
        }
    }
}

/// Returns the sockets of the net namespace of a socket of sock_diag(7).
pub(crate) fn sockets(socket: &mut Socket, query: Query) -> Result<Vec<NetSocket>, Errno> {
    let mut dump =
        |request: Request, answer| socket.dump(&request, answer, |body| query.parse(body));
    let udp = |family| inet(family, libc::IPPROTO_UDP, &[CLOSE, ESTABLISHED]);
    match query {
        Query::Tcp => match dump(tcp(), TCPDIAG_GETSOCK) {
            // A kernel without the older request, or without either.
            Err(Errno::NOENT | Errno::INVAL | Errno::OPNOTSUPP) => tcp_by_family(dump),
            found => found,
        },
        Query::Udp4 => dump(udp(INET), SOCK_DIAG_BY_FAMILY),
        Query::Udp6 => dump(udp(INET6), SOCK_DIAG_BY_FAMILY),
        Query::Unix => dump(unix(), SOCK_DIAG_BY_FAMILY),
    }
}

/// Asks for TCP sockets with two dumps.
fn tcp_by_family(
    mut dump: impl FnMut(Request, u16) -> Result<Vec<NetSocket>, Errno>,
) -> Result<Vec<NetSocket>, Errno> {
    let of = |family| inet(family, libc::IPPROTO_TCP, &[LISTEN]);
    let mut both = dump(of(INET), SOCK_DIAG_BY_FAMILY)?;
    both.extend(dump(of(INET6), SOCK_DIAG_BY_FAMILY)?);
    Ok(both)
}

/// Returns a set of states as the kernel reads it.
fn states(states: &[u8]) -> [u8; 4] {
    let bits = states.iter().map(|state| 1u32 << state);
    bits.fold(0, |all, bit| all | bit).to_ne_bytes()
}

/// `struct inet_diag_req_v2`: family, protocol, extensions, states, and the
/// addresses of one socket, all zero for any.
fn inet(family: u8, protocol: i32, wanted: &[u8]) -> Request {
    let head = [family, protocol as u8, 0, 0];
    let body = [&head[..], &states(wanted), &[0; 48]].concat();
    Request::dump(SOCK_DIAG_BY_FAMILY, &body)
}

/// `struct inet_diag_req`: a family that is not regarded, lengths of prefixes,
/// extensions, the addresses of one socket, states, and a number that does not
/// matter.
fn tcp() -> Request {
    let body = [&[INET, 0, 0, 0][..], &[0; 48], &states(&[LISTEN]), &[0; 4]].concat();
    Request::dump(TCPDIAG_GETSOCK, &body)
}

/// `struct unix_diag_req`: family, protocol, states, inode number, what to show,
/// and the cookie of one socket.
///
/// A datagram socket to which another is connected counts as connected, too.
fn unix() -> Request {
    let body = [
        &[UNIX, 0, 0, 0][..],
        &states(&[LISTEN, CLOSE, ESTABLISHED]),
        &[0; 4],
        &UDIAG_SHOW_NAME.to_ne_bytes(),
        &[0; 8],
    ];
    Request::dump(SOCK_DIAG_BY_FAMILY, &body.concat())
}

/// Reads `struct inet_diag_msg`. A UDP socket without a port is none that can be
/// reached.
fn parse_inet(protocol: Protocol, body: &[u8]) -> Result<Option<NetSocket>, Errno> {
    let message = body.get(..INET_MESSAGE).ok_or(Errno::PROTO)?;
    let field = |place: usize| message.get(place).copied().ok_or(Errno::PROTO);
    let (family, state) = (field(0)?, field(INET_STATE)?);
    let port = message.get(INET_PORT..).and_then(<[u8]>::first_chunk);
    let port = u16::from_be_bytes(*port.ok_or(Errno::PROTO)?);
    let address: &[u8; 16] = message
        .get(INET_ADDRESS..)
        .and_then(<[u8]>::first_chunk)
        .ok_or(Errno::PROTO)?;
    let address: SocketAddr = match family {
        INET => {
            let [a, b, c, d, ..] = *address;
            SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), port).into()
        }
        INET6 => {
            let address = Ipv6Addr::from(*address);
            let interface = u32_at(message, INET_INTERFACE).ok_or(Errno::PROTO)?;
            // Of another address, the interface is the one it is bound to.
            let scope = if address.is_unicast_link_local() {
                interface
            } else {
                0
            };
            SocketAddrV6::new(address, port, 0, scope).into()
        }
        _ => return Err(Errno::PROTO),
    };
    let state = match (protocol, state) {
        (Protocol::Tcp, LISTEN) => SocketState::Listening,
        (Protocol::Udp, CLOSE | ESTABLISHED) => SocketState::Bound,
        _ => return Ok(None),
    };
    let mut is_v6_only = None;
    for attribute in Attributes(body.get(INET_MESSAGE..).unwrap_or_default()) {
        let (kind, value) = attribute?;
        if kind == INET_DIAG_SKV6ONLY {
            is_v6_only = value.first().map(|value| *value != 0);
        }
    }
    Ok((port != 0).then_some(NetSocket {
        protocol,
        local: Local::Inet(address),
        state,
        is_v6_only,
        ino: u32_at(message, INET_INODE).ok_or(Errno::PROTO)?.into(),
    }))
}

/// Reads `struct unix_diag_msg` and the name. A connected stream has the name of
/// the socket that accepted it, and receives nothing that is sent there.
fn parse_unix(body: &[u8]) -> Result<Option<NetSocket>, Errno> {
    let message = body.get(..UNIX_MESSAGE).ok_or(Errno::PROTO)?;
    let field = |place: usize| message.get(place).copied().ok_or(Errno::PROTO);
    if field(0)? != UNIX {
        return Err(Errno::PROTO);
    }
    let is_datagram = i32::from(field(UNIX_TYPE)?) == libc::SOCK_DGRAM;
    let state = match field(UNIX_STATE)? {
        LISTEN => SocketState::Listening,
        CLOSE => SocketState::Bound,
        ESTABLISHED if is_datagram => SocketState::Bound,
        _ => return Ok(None),
    };
    let mut name = &[][..];
    for attribute in Attributes(body.get(UNIX_MESSAGE..).unwrap_or_default()) {
        let (kind, value) = attribute?;
        if kind == UNIX_DIAG_NAME {
            name = value;
        }
    }
    let local = match name {
        [] => return Ok(None),
        [0, name @ ..] => Local::Abstract(name.into()),
        path => Local::Path(until_nul(path).into()),
    };
    Ok(Some(NetSocket {
        protocol: Protocol::Unix,
        local,
        state,
        is_v6_only: None,
        ino: u32_at(message, UNIX_INODE).ok_or(Errno::PROTO)?.into(),
    }))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

    use proptest::prelude::*;

    use super::*;
    use crate::kernel::netlink::message::tests::attribute;

    fn inet_message(family: u8, state: u8, address: &[u8], port: u16) -> Vec<u8> {
        let mut message = vec![0; INET_MESSAGE];
        message[..2].copy_from_slice(&[family, state]);
        message[INET_PORT..INET_PORT + 2].copy_from_slice(&port.to_be_bytes());
        message[INET_ADDRESS..INET_ADDRESS + address.len()].copy_from_slice(address);
        message[INET_INTERFACE..INET_INTERFACE + 4].copy_from_slice(&3u32.to_ne_bytes());
        message[INET_INODE..].copy_from_slice(&77u32.to_ne_bytes());
        message
    }

    fn unix_message(kind: i32, state: u8, name: Option<&[u8]>) -> Vec<u8> {
        let mut message = vec![0; UNIX_MESSAGE];
        message[..3].copy_from_slice(&[UNIX, kind as u8, state]);
        message[UNIX_INODE..UNIX_INODE + 4].copy_from_slice(&77u32.to_ne_bytes());
        let other = attribute(5, &[1; 8]);
        let name = name.map(|name| attribute(UNIX_DIAG_NAME, name));
        [message, other, name.unwrap_or_default()].concat()
    }

    fn shown(query: Query, message: &[u8]) -> Option<String> {
        let socket = query.parse(message).unwrap()?;
        assert_eq!(socket.ino, 77);
        Some(format!("{} {}", socket.state, socket))
    }

    #[test]
    fn what_listens_or_is_bound_is_read_with_its_address_and_the_rest_left_out() {
        let v4 = |state, port| inet_message(INET, state, &[127, 0, 0, 1], port);
        let v6 = |first, state| {
            let mut address = [0; 16];
            (address[0], address[1], address[15]) = (first, 0x80, 1);
            inet_message(INET6, state, &address, 53)
        };
        for (query, message, text) in [
            (Query::Tcp, v4(10, 8080), "listening tcp 127.0.0.1:8080"),
            (Query::Udp4, v4(7, 53), "bound udp 127.0.0.1:53"),
            (Query::Udp4, v4(1, 53), "bound udp 127.0.0.1:53"),
            (Query::Udp6, v6(0xfe, 7), "bound udp [fe80::1%3]:53"),
            (Query::Tcp, v6(0xfd, 10), "listening tcp [fd80::1]:53"),
        ] {
            assert_eq!(shown(query, &message).as_deref(), Some(text));
        }
        assert_eq!(shown(Query::Udp4, &v4(7, 0)), None);
        assert_eq!(shown(Query::Tcp, &v4(1, 80)), None);
    }

    #[test]
    fn a_unix_socket_is_read_with_its_path_or_name_and_a_connected_stream_left_out() {
        let (stream, datagram) = (libc::SOCK_STREAM, libc::SOCK_DGRAM);
        let text = |kind, state, name: &[u8]| {
            let message = unix_message(kind, state, Some(name));
            shown(Query::Unix, &message).unwrap_or_default()
        };
        assert_eq!(text(stream, LISTEN, b"/x\0"), "listening unix /x");
        assert_eq!(text(stream, CLOSE, b"x"), "bound unix x");
        assert_eq!(
            text(datagram, ESTABLISHED, b"\0a\0b"),
            r"bound unix @a\x00b"
        );
        assert_eq!(text(datagram, CLOSE, b"\0"), "bound unix @");
        assert_eq!(text(stream, ESTABLISHED, b"/x\0"), "");
        assert_eq!(text(datagram, CLOSE, b""), "");
        let message = unix_message(datagram, CLOSE, None);
        assert_eq!(shown(Query::Unix, &message), None);
    }

    #[test]
    fn a_broken_socket_is_an_error() {
        let inet = inet_message(INET, LISTEN, &[127, 0, 0, 1], 80);
        for length in 0..inet.len() {
            assert_eq!(Query::Tcp.parse(&inet[..length]), Err(Errno::PROTO));
        }
        let unix = unix_message(libc::SOCK_STREAM, LISTEN, Some(b"/run/x"));
        for broken in [
            &unix[..UNIX_MESSAGE - 1],
            &unix[..UNIX_MESSAGE + 2],
            &unix[..unix.len() - 4],
            &inet,
        ] {
            assert_eq!(Query::Unix.parse(broken), Err(Errno::PROTO), "{broken:?}");
        }
        let other = inet_message(UNIX, LISTEN, &[], 80);
        assert_eq!(Query::Tcp.parse(&other), Err(Errno::PROTO));
    }

    #[test]
    fn the_own_net_namespace_has_the_sockets_of_this_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let name = format!("nsls-test-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let listener = UnixListener::bind(&path).unwrap();
        let datagram = UnixDatagram::bind_addr(&address).unwrap();
        let _connected = (
            UnixStream::connect(&path).unwrap(),
            listener.accept().unwrap(),
        );
        let mut socket = Socket::diag().unwrap();
        let mut count = |query, text: String| {
            let found = sockets(&mut socket, query).unwrap();
            found.iter().filter(|one| one.to_string() == text).count()
        };
        let (tcp, udp) = (tcp.local_addr().unwrap(), udp.local_addr().unwrap());
        assert_eq!(count(Query::Tcp, format!("tcp {tcp}")), 1);
        assert_eq!(count(Query::Udp4, format!("udp {udp}")), 1);
        assert_eq!(count(Query::Udp6, format!("udp {udp}")), 0);
        assert_eq!(count(Query::Unix, format!("unix {}", path.display())), 1);
        assert_eq!(count(Query::Unix, format!("unix @{name}")), 1);
        drop(datagram);
    }

    #[test]
    fn a_socket_says_whether_it_leaves_ipv4_alone() {
        use rustix::net::sockopt::set_ipv6_v6only;
        use rustix::net::{AddressFamily, SocketType, bind, listen, socket};

        let open = |is_v6_only| {
            let own = socket(AddressFamily::INET6, SocketType::STREAM, None).unwrap();
            set_ipv6_v6only(&own, is_v6_only).unwrap();
            let any: SocketAddr = "[::]:0".parse().unwrap();
            bind(&own, &any).unwrap();
            listen(&own, 1).unwrap();
            TcpListener::from(own)
        };
        let mut socket = Socket::diag().unwrap();
        for is_v6_only in [true, false] {
            let own = open(is_v6_only);
            let local = Local::Inet(own.local_addr().unwrap());
            let found = sockets(&mut socket, Query::Tcp).unwrap();
            let seen = found.iter().find(|one| one.local == local);
            assert_eq!(seen.unwrap().is_v6_only, Some(is_v6_only));
        }
        let v4 = inet_message(INET, LISTEN, &[127, 0, 0, 1], 80);
        let v4 = Query::Tcp.parse(&v4).unwrap().unwrap();
        assert_eq!(v4.is_v6_only, None);
    }

    #[test]
    fn the_older_request_has_what_the_newer_ones_have_together() {
        let v4 = TcpListener::bind("127.0.0.1:0").unwrap();
        let v6 = TcpListener::bind("[::1]:0").unwrap();
        let mut socket = Socket::diag().unwrap();
        let own = [&v4, &v6].map(|one| format!("tcp {}", one.local_addr().unwrap()));
        let shown = |found: &[NetSocket]| {
            let mut texts: Vec<_> = found.iter().map(NetSocket::to_string).collect();
            texts.retain(|text| own.contains(text));
            texts.sort_unstable();
            texts
        };
        let older = sockets(&mut socket, Query::Tcp).unwrap();
        let newer = tcp_by_family(|request, answer| {
            socket.dump(&request, answer, |body| Query::Tcp.parse(body))
        });
        assert_eq!(shown(&older), own);
        assert_eq!(shown(&newer.unwrap()), own);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            for query in Query::ALL {
                let _ = query.parse(&bytes);
            }
        }
    }
}
