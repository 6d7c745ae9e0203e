//! Network interfaces: RTM_GETLINK, rtnetlink(7), or their names alone from
//! proc.

use rustix::io::Errno;

use crate::kernel::bytes::{i32_at, u32_at, until_nul};
use crate::kernel::netlink::Socket;
use crate::kernel::netlink::message::{Attributes, Request};
use crate::model::Interface;
use crate::text::Text;

/// Size of `struct ifinfomsg`.
const INFO: usize = size_of::<libc::ifinfomsg>();
/// Places of `ifi_index` and `ifi_flags` in it.
const INDEX: usize = std::mem::offset_of!(libc::ifinfomsg, ifi_index);
const FLAGS: usize = std::mem::offset_of!(libc::ifinfomsg, ifi_flags);
const IFF_UP: u32 = libc::IFF_UP as u32;

/// Returns the interfaces of the net namespace of the socket, by index.
pub(crate) fn interfaces(socket: &mut Socket) -> Result<Vec<Interface>, Errno> {
    // Statistics would be most of the answer.
    let skip = (libc::RTEXT_FILTER_SKIP_STATS as u32).to_ne_bytes();
    let request =
        Request::dump(libc::RTM_GETLINK, &[0; INFO]).attribute(libc::IFLA_EXT_MASK, &skip);
    let mut interfaces = socket.dump(&request, libc::RTM_NEWLINK, |body| parse(body).map(Some))?;
    interfaces.sort_by_key(|interface| interface.index);
    Ok(interfaces)
}

/// Reads the body of RTM_NEWLINK.
pub(super) fn parse(body: &[u8]) -> Result<Interface, Errno> {
    let flags = u32_at(body, FLAGS).ok_or(Errno::PROTO)?;
    let mut interface = Interface {
        index: Some(u32_at(body, INDEX).ok_or(Errno::PROTO)?),
        is_up: Some(flags & IFF_UP != 0),
        ..Interface::default()
    };
    // Whether it is linked to one in a namespace that has no number, as when it
    // is being removed.
    let mut is_lost = false;
    for attribute in Attributes(body.get(INFO..).ok_or(Errno::PROTO)?) {
        let (kind, value) = attribute?;
        match kind {
            libc::IFLA_IFNAME => interface.name = until_nul(value).into(),
            // A tunnel over no interface in particular has 0.
            libc::IFLA_LINK => interface.link = u32_at(value, 0).filter(|index| *index != 0),
            libc::IFLA_LINK_NETNSID => {
                let nsid = i32_at(value, 0).ok_or(Errno::PROTO)?;
                interface.link_nsid = u32::try_from(nsid).ok();
                is_lost = nsid < 0;
            }
            libc::IFLA_MASTER => interface.master = u32_at(value, 0),
            libc::IFLA_ADDRESS if !value.is_empty() => interface.mac = Some(value.into()),
            libc::IFLA_LINKINFO => interface.kind = kind_of(value)?,
            _ => {}
        }
    }
    if interface.name.is_empty() {
        return Err(Errno::PROTO);
    }
    if is_lost {
        interface.link = None;
    }
    Ok(interface)
}

/// Reads what made the interface in IFLA_LINKINFO.
fn kind_of(link_info: &[u8]) -> Result<Option<Text>, Errno> {
    for attribute in Attributes(link_info) {
        let (kind, value) = attribute?;
        if kind == libc::IFLA_INFO_KIND {
            return Ok(Some(until_nul(value).into()));
        }
    }
    Ok(None)
}

/// Reads the names in `/proc/PID/net/dev`, proc_pid_net(5): two lines of
/// headings, then `NAME: COUNTS`.
pub(crate) fn parse_names(text: &[u8]) -> Result<Vec<Interface>, Errno> {
    let lines = text.split(|byte| *byte == b'\n').skip(2);
    let lines = lines.filter(|line| !line.is_empty());
    lines
        .map(|line| parse_name(line).ok_or(Errno::PROTO))
        .collect()
}

fn parse_name(line: &[u8]) -> Option<Interface> {
    let end = line.iter().rposition(|byte| *byte == b':')?;
    Some(Interface {
        name: line.get(..end)?.trim_ascii().into(),
        ..Interface::default()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::netlink::message::tests::attribute;

    fn link(index: u32, flags: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
        let index = index.to_ne_bytes();
        let info = [&[0; 4][..], &index, &flags.to_ne_bytes(), &[0; 4]].concat();
        [info, attributes.concat()].concat()
    }

    #[test]
    fn an_interface_is_read_with_what_it_is_tied_to() {
        let kind = attribute(libc::IFLA_INFO_KIND, b"veth\0");
        let veth = link(
            7,
            0x1043,
            &[
                attribute(libc::IFLA_IFNAME, b"eth0\0"),
                attribute(libc::IFLA_LINK, &8u32.to_ne_bytes()),
                attribute(99, b"x"),
                attribute(libc::IFLA_LINKINFO, &kind),
                attribute(libc::IFLA_LINK_NETNSID, &0i32.to_ne_bytes()),
                attribute(libc::IFLA_MASTER, &3u32.to_ne_bytes()),
                attribute(libc::IFLA_ADDRESS, &[2, 0, 0, 0, 0, 1]),
            ],
        );
        let eth0 = Interface {
            name: "eth0".into(),
            index: Some(7),
            link: Some(8),
            link_nsid: Some(0),
            master: Some(3),
            kind: Some("veth".into()),
            mac: Some([2, 0, 0, 0, 0, 1][..].into()),
            is_up: Some(true),
            ..Interface::default()
        };
        assert!(eth0.is_veth());
        assert_eq!(parse(&veth), Ok(eth0));
        let name = attribute(libc::IFLA_IFNAME, b"lo\0");
        let lo = link(1, 8, &[name, attribute(libc::IFLA_ADDRESS, b"")]);
        let expected = Interface {
            name: "lo".into(),
            index: Some(1),
            is_up: Some(false),
            ..Interface::default()
        };
        assert_eq!(parse(&lo), Ok(expected));
        let lost = [
            attribute(libc::IFLA_IFNAME, b"eth0\0"),
            attribute(libc::IFLA_LINK_NETNSID, &(-1i32).to_ne_bytes()),
            attribute(libc::IFLA_LINK, &8u32.to_ne_bytes()),
        ];
        let lost = parse(&link(2, 0, &lost)).unwrap();
        assert_eq!((lost.link, lost.link_nsid), (None, None));
    }

    #[test]
    fn a_broken_interface_is_an_error() {
        let name = attribute(libc::IFLA_IFNAME, b"eth0\0");
        let nested = attribute(libc::IFLA_LINKINFO, &[9, 0, 1, 0]);
        for broken in [
            link(1, 0, &[]),
            link(1, 0, &[attribute(libc::IFLA_IFNAME, b"\0")]),
            link(1, 0, &[name.clone(), vec![1]]),
            link(1, 0, &[name.clone(), nested]),
            link(1, 0, &[name])[..21].to_vec(),
            vec![0; INFO - 1],
            vec![],
        ] {
            assert_eq!(parse(&broken), Err(Errno::PROTO), "{broken:?}");
        }
    }

    #[test]
    fn the_own_net_namespace_has_the_interfaces_that_proc_names() {
        let asked = interfaces(&mut Socket::route().unwrap()).unwrap();
        let text = std::fs::read("/proc/thread-self/net/dev").unwrap();
        let mut asked: Vec<_> = asked.into_iter().map(|one| one.name).collect();
        let names = parse_names(&text).unwrap();
        let mut names: Vec<_> = names.into_iter().map(|one| one.name).collect();
        asked.sort();
        names.sort();
        assert_eq!(asked, names);
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

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
