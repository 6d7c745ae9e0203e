//! The numbers that net namespaces give each other: RTM_GETNSID, rtnetlink(7).

use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

use crate::kernel::bytes::i32_at;
use crate::kernel::netlink::Socket;
use crate::kernel::netlink::message::{Attributes, Request};
use crate::model::NetNsId;

// linux/net_namespace.h.
const NETNSA_NSID: u16 = 1;
const NETNSA_FD: u16 = 3;
/// Size of `struct rtgenmsg`, padded.
const GENERIC: usize = 4;

/// Returns the number of an open net namespace in that of the socket.
pub(crate) fn get_nsid(socket: &mut Socket, ns: BorrowedFd<'_>) -> Result<NetNsId, Errno> {
    let fd = ns.as_raw_fd().to_ne_bytes();
    let request = Request::get(libc::RTM_GETNSID, &[0; GENERIC]).attribute(NETNSA_FD, &fd);
    socket.get(&request, libc::RTM_NEWNSID, parse)
}

pub(super) fn parse(body: &[u8]) -> Result<NetNsId, Errno> {
    for attribute in Attributes(body.get(GENERIC..).ok_or(Errno::PROTO)?) {
        let (kind, value) = attribute?;
        if kind == NETNSA_NSID {
            let nsid = i32_at(value, 0).ok_or(Errno::PROTO)?;
            return Ok(u32::try_from(nsid).map_or(NetNsId::Unassigned, NetNsId::Assigned));
        }
    }
    Err(Errno::PROTO)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `struct rtgenmsg` and two attributes; the number is the second.
    fn body(nsid: i32) -> Vec<u8> {
        let other = [8u16, 9].map(u16::to_ne_bytes).concat();
        let header = [8u16, NETNSA_NSID].map(u16::to_ne_bytes).concat();
        [&[0; 4], &other[..], &[7; 4], &header, &nsid.to_ne_bytes()].concat()
    }

    #[test]
    fn a_number_or_its_absence_is_read_behind_other_attributes() {
        assert_eq!(parse(&body(3)), Ok(NetNsId::Assigned(3)));
        assert_eq!(parse(&body(-1)), Ok(NetNsId::Unassigned));
    }

    #[test]
    fn a_broken_reply_is_no_number() {
        let whole = body(3);
        for length in 0..whole.len() {
            let broken = &whole[..length];
            assert_eq!(parse(broken), Err(Errno::PROTO), "{broken:?}");
        }
        assert_eq!(parse(&[0; 44]), Err(Errno::PROTO));
        let short = [
            &[0; 4][..],
            &[4u16, NETNSA_NSID].map(u16::to_ne_bytes).concat(),
        ]
        .concat();
        assert_eq!(parse(&short), Err(Errno::PROTO));
    }

    #[test]
    fn the_kernel_has_a_number_or_none_for_the_own_net_namespace() {
        let own = std::fs::File::open("/proc/self/ns/net").unwrap();
        let mut socket = Socket::route().unwrap();
        let ask = |socket: &mut Socket| get_nsid(socket, std::os::fd::AsFd::as_fd(&own));
        let first = ask(&mut socket);
        assert!(first.is_ok(), "{first:?}");
        // A request that fails leaves nothing behind that answers the next.
        let null = std::fs::File::open("/dev/null").unwrap();
        let refused = get_nsid(&mut socket, std::os::fd::AsFd::as_fd(&null));
        assert!(refused.is_err(), "{refused:?}");
        assert_eq!(ask(&mut socket), first);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
