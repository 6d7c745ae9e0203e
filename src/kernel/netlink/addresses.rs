//! Addresses of network interfaces: RTM_GETADDR, rtnetlink(7).

use std::net::IpAddr;

use rustix::io::Errno;

use crate::kernel::bytes::u32_at;
use crate::kernel::netlink::Socket;
use crate::kernel::netlink::message::{Attributes, Request};
use crate::model::{Interface, InterfaceAddress};

/// Size of `struct ifaddrmsg`.
const INFO: usize = 8;
/// Places of `ifa_prefixlen` and `ifa_index` in it.
const PREFIX: usize = 1;
const INDEX: usize = 4;

/// Adds their addresses to the interfaces of the net namespace of the socket.
/// They are given by index.
pub(crate) fn add_addresses(
    socket: &mut Socket,
    interfaces: &mut [Interface],
) -> Result<(), Errno> {
    let request = Request::dump(libc::RTM_GETADDR, &[0; INFO]);
    let addresses = socket.dump(&request, libc::RTM_NEWADDR, parse)?;
    for (index, address) in addresses {
        // One without has come or gone since.
        let place = interfaces.binary_search_by_key(&Some(index), |interface| interface.index);
        if let Some(interface) = place.ok().and_then(|place| interfaces.get_mut(place)) {
            interface.addresses.push(address);
        }
    }
    for interface in interfaces {
        interface.addresses.sort_unstable();
        interface.addresses.dedup();
    }
    Ok(())
}

/// Reads the body of RTM_NEWADDR: the index of the interface, and the address;
/// `None` for one of another family than IPv4 and IPv6.
pub(super) fn parse(body: &[u8]) -> Result<Option<(u32, InterfaceAddress)>, Errno> {
    let info = body.get(..INFO).ok_or(Errno::PROTO)?;
    let family = info.first().copied().unwrap_or_default();
    let prefix = info.get(PREFIX).copied().unwrap_or_default();
    let index = u32_at(info, INDEX).ok_or(Errno::PROTO)?;
    if ![libc::AF_INET, libc::AF_INET6].contains(&i32::from(family)) {
        return Ok(None);
    }
    let (mut local, mut other) = (None, None);
    for attribute in Attributes(body.get(INFO..).unwrap_or_default()) {
        let (kind, value) = attribute?;
        match kind {
            libc::IFA_LOCAL => local = Some(address(family, value)?),
            // Where there is a local one, that of the other end.
            libc::IFA_ADDRESS => other = Some(address(family, value)?),
            _ => {}
        }
    }
    let address = local.or(other).ok_or(Errno::PROTO)?;
    Ok(Some((index, InterfaceAddress { address, prefix })))
}

/// Reads an address of a family, which must fill the bytes.
fn address(family: u8, bytes: &[u8]) -> Result<IpAddr, Errno> {
    let found = match i32::from(family) {
        libc::AF_INET => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    };
    found.ok_or(Errno::PROTO)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::netlink::message::tests::attribute;

    const INET: u8 = libc::AF_INET as u8;
    const INET6: u8 = libc::AF_INET6 as u8;

    fn body(family: u8, prefix: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
        let info = [&[family, prefix, 0, 0][..], &7u32.to_ne_bytes()].concat();
        [info, attributes.concat()].concat()
    }

    fn found(address: &str, prefix: u8) -> Option<(u32, InterfaceAddress)> {
        let address = address.parse().unwrap();
        Some((7, InterfaceAddress { address, prefix }))
    }

    #[test]
    fn the_address_of_this_end_is_read_and_not_that_of_the_other() {
        let [peer, own] = [[10, 0, 0, 1], [10, 0, 0, 2]];
        let both = [
            attribute(libc::IFA_ADDRESS, &peer),
            attribute(99, b"x"),
            attribute(libc::IFA_LOCAL, &own),
        ];
        assert_eq!(parse(&body(INET, 32, &both)), Ok(found("10.0.0.2", 32)));
        let one = [attribute(libc::IFA_ADDRESS, &[0xfd; 16])];
        let address = "fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd";
        assert_eq!(parse(&body(INET6, 64, &one)), Ok(found(address, 64)));
        assert_eq!(parse(&body(7, 64, &one)), Ok(None));
    }

    #[test]
    fn a_broken_address_is_an_error() {
        let whole = body(INET, 8, &[attribute(libc::IFA_LOCAL, &[127, 0, 0, 1])]);
        for length in (0..INFO).chain(INFO + 1..whole.len()) {
            assert_eq!(parse(&whole[..length]), Err(Errno::PROTO), "{length}");
        }
        for broken in [
            body(INET, 8, &[]),
            body(INET, 8, &[attribute(libc::IFA_LOCAL, &[0; 16])]),
            body(INET6, 8, &[attribute(libc::IFA_ADDRESS, &[0; 4])]),
        ] {
            assert_eq!(parse(&broken), Err(Errno::PROTO), "{broken:?}");
        }
    }

    #[test]
    fn every_address_goes_to_its_interface() {
        let mut socket = Socket::route().unwrap();
        let mut interfaces = super::super::interfaces(&mut socket).unwrap();
        add_addresses(&mut socket, &mut interfaces).unwrap();
        let lo = interfaces.iter().find(|one| &one.name[..] == b"lo");
        let lo = lo.unwrap();
        let has_it = lo
            .addresses
            .iter()
            .any(|one| one.to_string() == "127.0.0.1/8");
        assert!(has_it || lo.is_up == Some(false), "{lo:?}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
