//! RTM_GETNSID, rtnetlink(7) and linux/net_namespace.h.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use crate::model::NetNsId;

pub(super) const NLMSG_ERROR: u16 = 2;
pub(super) const NLM_F_REQUEST: u16 = 1;
const RTM_NEWNSID: u16 = 88;
const RTM_GETNSID: u16 = 90;
const NETNSA_NSID: u16 = 1;
const NETNSA_FD: u16 = 3;
/// Sizes of the header of a message and of struct rtgenmsg, with its padding.
pub(super) const HEADER: usize = 16;
const GENERIC: usize = 4;

/// A socket of NETLINK_ROUTE.
pub(super) fn open() -> Result<OwnedFd, Errno> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        None,
    )?;
    rustix::net::connect(&socket, &SocketAddrNetlink::new(0, 0))?;
    Ok(socket)
}

/// Asks for the number of an open net namespace.
pub(super) fn get_nsid(socket: &OwnedFd, ns: BorrowedFd<'_>) -> Result<NetNsId, Errno> {
    rustix::net::send(socket, &request(ns.as_raw_fd()), SendFlags::empty())?;
    let mut buffer = [0; 512];
    let (received, _) = rustix::net::recv(socket, &mut buffer, RecvFlags::empty())?;
    parse_reply(buffer.get(..received).unwrap_or_default())
}

fn request(fd: i32) -> Vec<u8> {
    let length = HEADER + GENERIC + 8;
    let mut message = Vec::with_capacity(length);
    message.extend((length as u32).to_ne_bytes());
    message.extend(RTM_GETNSID.to_ne_bytes());
    message.extend(NLM_F_REQUEST.to_ne_bytes());
    // Sequence number and port: one question is under way, so none is needed.
    message.extend([0; 8]);
    message.extend([0; GENERIC]);
    message.extend(8u16.to_ne_bytes());
    message.extend(NETNSA_FD.to_ne_bytes());
    message.extend(fd.to_ne_bytes());
    message
}

fn parse_reply(message: &[u8]) -> Result<NetNsId, Errno> {
    let kind = u16_at(message, 4);
    let body = message.get(HEADER..).unwrap_or_default();
    if kind == Some(NLMSG_ERROR) {
        let code = i32_at(body, 0).unwrap_or(0);
        return Err(Errno::from_raw_os_error(code.saturating_neg()));
    }
    if kind != Some(RTM_NEWNSID) {
        return Err(Errno::PROTO);
    }
    let mut attributes = body.get(GENERIC..).unwrap_or_default();
    while let (Some(length), Some(name)) = (u16_at(attributes, 0), u16_at(attributes, 2)) {
        if name == NETNSA_NSID {
            let nsid = i32_at(attributes, 4).ok_or(Errno::PROTO)?;
            return Ok(u32::try_from(nsid).map_or(NetNsId::Unassigned, NetNsId::Assigned));
        }
        // Attributes stand at multiples of four.
        let next = usize::from(length).max(4).next_multiple_of(4);
        attributes = attributes.get(next..).unwrap_or_default();
    }
    Err(Errno::PROTO)
}

pub(super) fn u16_at(bytes: &[u8], place: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(place..)?.first_chunk()?))
}

pub(super) fn i32_at(bytes: &[u8], place: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(*bytes.get(place..)?.first_chunk()?))
}

pub(super) fn u32_at(bytes: &[u8], place: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(place..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reply(kind: u16, body: &[&[u8]]) -> Vec<u8> {
        let body = body.concat();
        let length = (HEADER + body.len()) as u32;
        [
            &length.to_ne_bytes()[..],
            &kind.to_ne_bytes(),
            &[0; 10],
            &body,
        ]
        .concat()
    }

    fn attribute(name: u16, value: i32) -> Vec<u8> {
        [
            &8u16.to_ne_bytes()[..],
            &name.to_ne_bytes(),
            &value.to_ne_bytes(),
        ]
        .concat()
    }

    #[test]
    fn a_number_or_its_absence_is_read_behind_other_attributes() {
        let nsid = |value| {
            reply(
                RTM_NEWNSID,
                &[&[0; 4], &attribute(9, 7), &attribute(NETNSA_NSID, value)],
            )
        };
        assert_eq!(parse_reply(&nsid(3)), Ok(NetNsId::Assigned(3)));
        assert_eq!(parse_reply(&nsid(-1)), Ok(NetNsId::Unassigned));
    }

    #[test]
    fn errors_and_broken_replies_are_no_number() {
        let error = reply(NLMSG_ERROR, &[&(-1i32).to_ne_bytes(), &[0; 16]]);
        assert_eq!(parse_reply(&error), Err(Errno::PERM));
        for broken in [
            reply(RTM_NEWNSID, &[&[0; 4]]),
            reply(RTM_NEWNSID, &[&[0; 4], &attribute(NETNSA_NSID, 3)[..6]]),
            reply(RTM_NEWNSID, &[&[0; 4], &[0; 40]]),
            reply(RTM_GETNSID, &[&[0; 4], &attribute(NETNSA_NSID, 3)]),
            Vec::new(),
        ] {
            assert_eq!(parse_reply(&broken), Err(Errno::PROTO), "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(message: Vec<u8>) {
            let _ = parse_reply(&message);
        }
    }
}
