//! What goes over a netlink socket, linux/netlink.h: a message is a header, the
//! fixed struct of its family, and attributes. Each part begins at a multiple
//! of four bytes.

use rustix::io::Errno;

use crate::kernel::bytes::{i32_at, u16_at, u32_at};
use crate::kernel::error::errno_from;

/// Size of `struct nlmsghdr`.
const HEADER: usize = size_of::<libc::nlmsghdr>();
/// Size of `struct nlattr`.
const ATTRIBUTE_HEADER: usize = size_of::<libc::nlattr>();
const ALIGNMENT: usize = 4;
const NLMSG_ERROR: u16 = libc::NLMSG_ERROR as u16;

/// A message to the kernel, under construction.
#[derive(Clone, Debug)]
pub(super) struct Request {
    kind: u16,
    flags: u16,
    body: Vec<u8>,
}

impl Request {
    /// Starts a request for one thing. `family` is the fixed struct that the
    /// message type begins with, such as `struct ifinfomsg`.
    pub(super) fn get(kind: u16, family: &[u8]) -> Self {
        Request::new(kind, libc::NLM_F_REQUEST, family)
    }

    /// Starts a request for everything there is.
    pub(super) fn dump(kind: u16, family: &[u8]) -> Self {
        Request::new(kind, libc::NLM_F_REQUEST | libc::NLM_F_DUMP, family)
    }

    fn new(kind: u16, flags: libc::c_int, family: &[u8]) -> Self {
        let mut body = family.to_vec();
        pad(&mut body);
        Request {
            kind,
            flags: flags as u16,
            body,
        }
    }

    /// Adds an attribute.
    pub(super) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let length = (ATTRIBUTE_HEADER + value.len()) as u16;
        self.body.extend(length.to_ne_bytes());
        self.body.extend(kind.to_ne_bytes());
        self.body.extend(value);
        pad(&mut self.body);
        self
    }

    /// Returns the message as it is sent. The kernel repeats the sequence
    /// number in its replies.
    pub(super) fn encode(&self, sequence: u32) -> Vec<u8> {
        let length = (HEADER + self.body.len()) as u32;
        let mut message = Vec::with_capacity(HEADER + self.body.len());
        message.extend(length.to_ne_bytes());
        message.extend(self.kind.to_ne_bytes());
        message.extend(self.flags.to_ne_bytes());
        message.extend(sequence.to_ne_bytes());
        // The port of the sender, which the kernel fills in.
        message.extend(0u32.to_ne_bytes());
        message.extend(&self.body);
        message
    }
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
}

/// A message from the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
    /// Everything after the header.
    pub(super) body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Returns the body of a message of this type: the error that the kernel
    /// reports instead, or EPROTO for any other message.
    pub(super) fn expect(&self, kind: u16) -> Result<&'a [u8], Errno> {
        match self.kind {
            NLMSG_ERROR => Err(i32_at(self.body, 0).map_or(Errno::PROTO, negated_errno)),
            found if found == kind => Ok(self.body),
            _ => Err(Errno::PROTO),
        }
    }
}

/// Returns the error that the kernel writes as a negative number.
pub(super) fn negated_errno(code: i32) -> Errno {
    errno_from(code.saturating_neg())
}

/// The messages of one datagram. A malformed one is EPROTO and the last.
pub(super) struct Messages<'a>(pub(super) &'a [u8]);

impl<'a> Messages<'a> {
    fn split(bytes: &'a [u8]) -> Option<(Message<'a>, &'a [u8])> {
        let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
        let message = bytes.get(..length)?;
        let parsed = Message {
            kind: u16_at(message, 4)?,
            flags: u16_at(message, 6)?,
            sequence: u32_at(message, 8)?,
            body: message.get(HEADER..)?,
        };
        Some((parsed, after(bytes, length)))
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Errno>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let (message, rest) = match Messages::split(self.0) {
            Some((message, rest)) => (Ok(message), rest),
            None => (Err(Errno::PROTO), &[][..]),
        };
        self.0 = rest;
        Some(message)
    }
}

/// The type of an attribute, without flags, and its value.
type Attribute<'a> = (u16, &'a [u8]);

/// The attributes in a message or in a nested attribute. A malformed one is
/// EPROTO and the last.
pub(super) struct Attributes<'a>(pub(super) &'a [u8]);

impl<'a> Attributes<'a> {
    fn split(bytes: &'a [u8]) -> Option<(Attribute<'a>, &'a [u8])> {
        let length = usize::from(u16_at(bytes, 0)?);
        let kind = u16_at(bytes, 2)? & libc::NLA_TYPE_MASK as u16;
        let value = bytes.get(ATTRIBUTE_HEADER..length)?;
        Some(((kind, value), after(bytes, length)))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, Errno>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let (attribute, rest) = match Attributes::split(self.0) {
            Some((attribute, rest)) => (Ok(attribute), rest),
            None => (Err(Errno::PROTO), &[][..]),
        };
        self.0 = rest;
        Some(attribute)
    }
}

/// Returns what follows a part of this length and its padding, which the last
/// part may lack.
fn after(bytes: &[u8], length: usize) -> &[u8] {
    let next = length.checked_next_multiple_of(ALIGNMENT);
    next.and_then(|next| bytes.get(next..)).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An attribute as it lies between others.
    pub(in crate::kernel::netlink) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        Request::get(0, &[]).attribute(kind, value).body
    }

    fn messages(datagram: &[u8]) -> Vec<Result<Message<'_>, Errno>> {
        Messages(datagram).collect()
    }

    fn attributes(bytes: &[u8]) -> Vec<Result<Attribute<'_>, Errno>> {
        Attributes(bytes).collect()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_request_has_the_bytes_that_the_kernel_reads() {
        let request = Request::dump(18, &[0xff]).attribute(29, &[8, 0, 0, 0]);
        #[rustfmt::skip]
        assert_eq!(
            request.attribute(3, b"a").encode(7),
            [
                36, 0, 0, 0, 18, 0, 0x01, 0x03, 7, 0, 0, 0, 0, 0, 0, 0,
                0xff, 0, 0, 0,
                8, 0, 29, 0, 8, 0, 0, 0,
                5, 0, 3, 0, b'a', 0, 0, 0,
            ]
        );
    }

    #[test]
    fn what_was_built_is_read_again() {
        let one = Request::get(20, &[0; 4]).attribute(3, b"lo\0").encode(7);
        let two = Request::dump(21, &[]).encode(8);
        let datagram = [one, two].concat();
        let [Ok(one), Ok(two)] = messages(&datagram)[..] else {
            panic!("{datagram:?}");
        };
        assert_eq!((one.kind, one.flags, one.sequence), (20, 1, 7));
        assert_eq!(attributes(&one.body[4..]), [Ok((3, &b"lo\0"[..]))]);
        let flags = 0x301;
        let (kind, sequence, body) = (21, 8, &[][..]);
        assert_eq!(
            two,
            Message {
                kind,
                flags,
                sequence,
                body
            }
        );
    }

    #[test]
    fn a_broken_message_is_an_error_and_the_last() {
        let good = Request::get(20, &[1; 4]).encode(7);
        for broken in [
            // Shorter than a header; longer than the datagram; nothing.
            &[15, 0, 0, 0, 20, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0][..],
            &good[..19],
            &[0; 16],
            &[1, 0, 0],
        ] {
            let datagram = [&good, broken].concat();
            let read = messages(&datagram);
            assert_eq!(read.len(), 2, "{broken:?}");
            assert!(read[0].is_ok());
            assert_eq!(read[1], Err(Errno::PROTO), "{broken:?}");
        }
        assert_eq!(messages(&[]), []);
    }

    #[test]
    fn a_broken_attribute_is_an_error_and_the_last() {
        let good = Request::get(0, &[]).attribute(3, &[1; 4]).body;
        for broken in [
            // Longer than what is left; shorter than a header; no header.
            &good[..7],
            &[0; 8],
            &[3, 0, 3, 0],
            &[4, 0, 3],
        ] {
            let bytes = [&good, broken].concat();
            let read = attributes(&bytes);
            assert_eq!(
                read,
                [Ok((3, &[1; 4][..])), Err(Errno::PROTO)],
                "{broken:?}"
            );
        }
        assert_eq!(attributes(&[]), []);
    }

    #[test]
    fn an_attribute_is_read_without_its_flags_and_the_last_needs_no_padding() {
        let nested = libc::NLA_F_NESTED as u16;
        let bytes = Request::get(0, &[]).attribute(nested | 18, b"a").body;
        assert_eq!(attributes(&bytes[..5]), [Ok((18, &b"a"[..]))]);
    }

    #[test]
    fn a_message_is_what_was_asked_for_or_an_error() {
        let expect = |kind, body| {
            let (flags, sequence) = (0, 0);
            Message {
                kind,
                flags,
                sequence,
                body,
            }
            .expect(20)
        };
        let (denied, acknowledged) = ((-1i32).to_ne_bytes(), 0i32.to_ne_bytes());
        let senseless = i32::MIN.to_ne_bytes();
        assert_eq!(expect(20, &[5]), Ok(&[5][..]));
        assert_eq!(expect(21, &[5]), Err(Errno::PROTO));
        assert_eq!(expect(NLMSG_ERROR, &denied), Err(Errno::PERM));
        assert_eq!(expect(NLMSG_ERROR, &acknowledged), Err(Errno::PROTO));
        assert_eq!(expect(NLMSG_ERROR, &senseless), Err(Errno::PROTO));
        assert_eq!(expect(NLMSG_ERROR, &[1]), Err(Errno::PROTO));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            for message in Messages(&bytes).flatten() {
                let _ = message.expect(20);
            }
            prop_assert!(Attributes(&bytes).count() <= bytes.len());
        }
    }
}
