//! The interfaces of the net namespace of the calling thread: RTM_GETLINK,
//! rtnetlink(7).

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use crate::kernel::netlink::{HEADER, NLM_F_REQUEST, NLMSG_ERROR, i32_at, u16_at, u32_at};
use crate::model::Interface;
use crate::text::Text;

const NLMSG_DONE: u16 = 3;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_DUMP_INTR: u16 = 0x10;
const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const IFLA_IFNAME: u16 = 3;
const IFLA_LINK: u16 = 5;
const IFLA_LINKINFO: u16 = 18;
const IFLA_EXT_MASK: u16 = 29;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_INFO_KIND: u16 = 1;
/// Statistics are most of an answer, and nobody wants them here.
const RTEXT_FILTER_SKIP_STATS: u32 = 8;
/// Size of struct ifinfomsg.
const INFO: usize = 16;
/// The largest piece of an answer that the kernel makes.
const PIECE: usize = 32768;

/// Every interface, by index.
pub(super) fn interfaces(socket: &OwnedFd) -> Result<Vec<Interface>, Errno> {
    // An interface that comes or goes meanwhile makes an answer useless.
    (0..8)
        .map(|_| dump(socket))
        .find(|answer| *answer != Err(Errno::INTR))
        .unwrap_or(Err(Errno::INTR))
}

fn dump(socket: &OwnedFd) -> Result<Vec<Interface>, Errno> {
    rustix::net::send(socket, &request(), SendFlags::empty())?;
    let mut buffer = vec![0; PIECE];
    let mut found = Vec::new();
    let mut is_interrupted = false;
    loop {
        let (received, _) = rustix::net::recv(socket, buffer.as_mut_slice(), RecvFlags::empty())?;
        let piece = read_piece(buffer.get(..received).unwrap_or_default(), &mut found)?;
        is_interrupted |= piece.is_interrupted;
        if !piece.is_last {
            continue;
        }
        if is_interrupted {
            return Err(Errno::INTR);
        }
        found.sort_by_key(|interface| interface.index);
        return Ok(found);
    }
}

fn request() -> Vec<u8> {
    let length = (HEADER + INFO + 8) as u32;
    let mut message = Vec::with_capacity(HEADER + INFO + 8);
    message.extend(length.to_ne_bytes());
    message.extend(RTM_GETLINK.to_ne_bytes());
    message.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    message.extend([0; 8]);
    message.extend([0; INFO]);
    message.extend(8u16.to_ne_bytes());
    message.extend(IFLA_EXT_MASK.to_ne_bytes());
    message.extend(RTEXT_FILTER_SKIP_STATS.to_ne_bytes());
    message
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Piece {
    is_last: bool,
    is_interrupted: bool,
}

/// Reads the messages of one piece.
fn read_piece(mut piece: &[u8], found: &mut Vec<Interface>) -> Result<Piece, Errno> {
    let mut read = Piece::default();
    while !piece.is_empty() {
        let length = u32_at(piece, 0).ok_or(Errno::PROTO)? as usize;
        let message = piece
            .get(..length)
            .filter(|message| message.len() >= HEADER);
        let message = message.ok_or(Errno::PROTO)?;
        let flags = u16_at(message, 6).unwrap_or(0);
        read.is_interrupted |= flags & NLM_F_DUMP_INTR != 0;
        let body = message.get(HEADER..).unwrap_or_default();
        match u16_at(message, 4) {
            Some(NLMSG_DONE) => {
                read.is_last = true;
                return Ok(read);
            }
            Some(NLMSG_ERROR) => {
                let code = i32_at(body, 0).unwrap_or(0);
                return Err(Errno::from_raw_os_error(code.saturating_neg()));
            }
            Some(RTM_NEWLINK) => found.push(interface(body).ok_or(Errno::PROTO)?),
            _ => return Err(Errno::PROTO),
        }
        piece = piece.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(read)
}

fn interface(body: &[u8]) -> Option<Interface> {
    let index = u32_at(body, 4)?;
    let mut interface = Interface {
        name: Text::default(),
        index: Some(index),
        link: None,
        link_nsid: None,
        is_veth: false,
        peer_ns: None,
    };
    for (name, value) in Attributes(body.get(INFO..)?) {
        match name {
            IFLA_IFNAME => interface.name = text(value).into(),
            IFLA_LINK => interface.link = u32_at(value, 0),
            IFLA_LINK_NETNSID => {
                interface.link_nsid = i32_at(value, 0).and_then(|id| u32::try_from(id).ok());
            }
            IFLA_LINKINFO => {
                let mut kinds = Attributes(value).filter(|(name, _)| *name == IFLA_INFO_KIND);
                interface.is_veth = kinds.any(|(_, kind)| text(kind) == b"veth");
            }
            _ => {}
        }
    }
    (!interface.name.is_empty()).then_some(interface)
}

/// Without the NUL at its end.
fn text(value: &[u8]) -> Vec<u8> {
    value
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or_default()
        .to_vec()
}

/// Attributes, names and values; what does not fit ends them.
struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let length = usize::from(u16_at(self.0, 0)?);
        let name = u16_at(self.0, 2)?;
        let value = self.0.get(4..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        // The highest bits are flags.
        Some((name & 0x3fff, value))
    }
}

/// The names in `/proc/PID/net/dev`, proc_pid_net(5): two lines of headings,
/// then `NAME: COUNTS`.
pub(super) fn parse_names(text: &[u8]) -> Result<Vec<Interface>, Errno> {
    let lines = text.split(|byte| *byte == b'\n').skip(2);
    let lines = lines.filter(|line| !line.is_empty());
    let interface = |line: &[u8]| {
        let end = line.iter().rposition(|byte| *byte == b':')?;
        Some(Interface {
            name: line.get(..end)?.trim_ascii().into(),
            index: None,
            link: None,
            link_nsid: None,
            is_veth: false,
            peer_ns: None,
        })
    };
    lines
        .map(|line| interface(line).ok_or(Errno::PROTO))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attribute(name: u16, value: &[u8]) -> Vec<u8> {
        let length = (4 + value.len()) as u16;
        let mut bytes = [&length.to_ne_bytes()[..], &name.to_ne_bytes(), value].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
        let length = (HEADER + body.len()) as u32;
        [
            &length.to_ne_bytes()[..],
            &kind.to_ne_bytes(),
            &flags.to_ne_bytes(),
            &[0; 8],
            body,
        ]
        .concat()
    }

    fn link(index: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
        let info = [&[0; 4][..], &index.to_ne_bytes(), &[0; 8]].concat();
        message(RTM_NEWLINK, 2, &[info, attributes.concat()].concat())
    }

    #[test]
    fn interfaces_are_read_with_what_they_are_tied_to() {
        let kind = attribute(IFLA_INFO_KIND, b"veth\0");
        let veth = link(
            7,
            &[
                attribute(IFLA_IFNAME, b"eth0\0"),
                attribute(IFLA_LINK, &8u32.to_ne_bytes()),
                attribute(99, b"x"),
                attribute(IFLA_LINKINFO, &kind),
                attribute(IFLA_LINK_NETNSID, &0i32.to_ne_bytes()),
            ],
        );
        let lo = link(1, &[attribute(IFLA_IFNAME, b"lo\0")]);
        let mut found = Vec::new();
        let piece = [lo, veth, message(NLMSG_DONE, 2, &[0; 4])].concat();
        let read = read_piece(&piece, &mut found);
        assert_eq!(
            read,
            Ok(Piece {
                is_last: true,
                is_interrupted: false
            })
        );
        let lo = Interface {
            name: "lo".into(),
            index: Some(1),
            link: None,
            link_nsid: None,
            is_veth: false,
            peer_ns: None,
        };
        let eth0 = Interface {
            name: "eth0".into(),
            index: Some(7),
            link: Some(8),
            link_nsid: Some(0),
            is_veth: true,
            peer_ns: None,
        };
        assert_eq!(found, [lo, eth0]);
    }

    #[test]
    fn without_permission_names_are_all() {
        let text = b"Inter-|  Receive\n face |bytes\n    lo: 0 0\neth0.1:7 0\n";
        let names = parse_names(text).unwrap();
        let names: Vec<_> = names.iter().map(|one| one.name.as_bytes()).collect();
        assert_eq!(names, [&b"lo"[..], b"eth0.1"]);
        assert_eq!(parse_names(b"a\nb\nnonsense\n"), Err(Errno::PROTO));
        assert_eq!(parse_names(b""), Ok(vec![]));
    }

    #[test]
    fn errors_interruptions_and_broken_messages_are_told_apart() {
        let read = |piece: &[u8]| read_piece(piece, &mut Vec::new());
        let denied = message(NLMSG_ERROR, 0, &(-1i32).to_ne_bytes());
        assert_eq!(read(&denied), Err(Errno::PERM));
        let interrupted = message(NLMSG_DONE, NLM_F_DUMP_INTR, &[0; 4]);
        assert_eq!(
            read(&interrupted),
            Ok(Piece {
                is_last: true,
                is_interrupted: true
            })
        );
        let nameless = link(1, &[]);
        let unknown = message(77, 0, &[]);
        for broken in [
            &nameless[..],
            &unknown,
            &nameless[..20],
            &[1, 0, 0, 0],
            &[0; 16],
        ] {
            assert_eq!(read(broken), Err(Errno::PROTO), "{broken:?}");
        }
        assert_eq!(read(&[]), Ok(Piece::default()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(piece: Vec<u8>) {
            let _ = read_piece(&piece, &mut Vec::new());
            let _ = interface(&piece);
        }
    }
}
