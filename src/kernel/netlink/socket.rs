use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};

use crate::kernel::bytes::i32_at;
use crate::kernel::netlink::message::{Messages, Request, negated_errno};
use crate::proc::pulse;

const NLMSG_DONE: u16 = libc::NLMSG_DONE as u16;
const NLM_F_DUMP_INTR: u16 = libc::NLM_F_DUMP_INTR as u16;
/// The size up to which the kernel packs messages of a dump into a datagram,
/// net/netlink/af_netlink.c.
const DATAGRAM: usize = 32768;
/// How often to repeat a dump that changed while it was made.
const ATTEMPTS: usize = 8;
/// The largest number of messages that a dump may have, and of what is kept of
/// them. Whoever made more has spent far more memory on them.
const MOST_MESSAGES: usize = 1 << 22;
const MOST_FOUND: usize = 1 << 18;

/// A netlink socket that talks to the kernel alone.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Socket {
    /// Opens a socket of NETLINK_ROUTE, rtnetlink(7), in the net namespace of
    /// the calling thread.
    pub(crate) fn route() -> Result<Self, Errno> {
        Socket::open(None)
    }

    /// Opens a socket of NETLINK_SOCK_DIAG, sock_diag(7), in the net namespace of
    /// the calling thread.
    pub(crate) fn diag() -> Result<Self, Errno> {
        Socket::open(Some(rustix::net::netlink::SOCK_DIAG))
    }

    fn open(protocol: Option<Protocol>) -> Result<Self, Errno> {
        let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
        let fd = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, protocol)?;
        // Port 0 is the kernel: no one else can send to this socket.
        rustix::net::connect(&fd, &SocketAddrNetlink::new(0, 0))?;
        Ok(Socket {
            fd,
            sequence: 0,
            buffer: vec![0; DATAGRAM],
        })
    }

    /// Asks for one thing: `parse` reads the body of the reply, a message of
    /// type `answer`.
    pub(super) fn get<T>(
        &mut self,
        request: &Request,
        answer: u16,
        parse: impl FnOnce(&[u8]) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let sequence = self.send(request)?;
        loop {
            for message in Messages(self.receive()?) {
                let message = message?;
                if message.sequence == sequence {
                    return parse(message.expect(answer)?);
                }
            }
        }
    }

    /// Asks for everything there is: `parse` reads the body of each message of
    /// type `answer`, and returns `None` for what does not count. EINTR if it never stayed the same for the time of a dump,
    /// EFBIG if there is too much.
    ///
    /// After any other error the dump may still be under way, and the kernel
    /// begins no other on this socket (EBUSY).
    pub(super) fn dump<T>(
        &mut self,
        request: &Request,
        answer: u16,
        parse: impl Fn(&[u8]) -> Result<Option<T>, Errno>,
    ) -> Result<Vec<T>, Errno> {
        for _ in 0..ATTEMPTS {
            let mut dump = Dump::new(self.send(request)?, answer);
            while !dump.is_complete {
                pulse::beat();
                dump.read(self.receive()?, &parse)?;
            }
            if !dump.is_interrupted {
                return Ok(dump.found);
            }
        }
        Err(Errno::INTR)
    }

    /// Sends a request and returns its sequence number.
    fn send(&mut self, request: &Request) -> Result<u32, Errno> {
        self.sequence = self.sequence.wrapping_add(1);
        let message = request.encode(self.sequence);
        rustix::net::send(&self.fd, &message, SendFlags::empty())?;
        Ok(self.sequence)
    }

    /// Receives one datagram.
    fn receive(&mut self) -> Result<&[u8], Errno> {
        let buffer = self.buffer.as_mut_slice();
        let (received, length) = rustix::net::recv(&self.fd, buffer, RecvFlags::TRUNC)?;
        match length {
            0 => Err(Errno::PROTO),
            // What did not fit is lost.
            length if length > received => Err(Errno::MSGSIZE),
            _ => Ok(self.buffer.get(..received).unwrap_or_default()),
        }
    }
}

/// The replies to one dump.
#[derive(Debug, PartialEq, Eq)]
struct Dump<T> {
    sequence: u32,
    answer: u16,
    found: Vec<T>,
    /// The number of messages so far.
    count: usize,
    is_complete: bool,
    /// Something changed while the dump was made, so that parts may be missing.
    is_interrupted: bool,
}

impl<T> Dump<T> {
    fn new(sequence: u32, answer: u16) -> Self {
        Dump {
            sequence,
            answer,
            found: Vec::new(),
            count: 0,
            is_complete: false,
            is_interrupted: false,
        }
    }

    /// Reads one datagram. Skips replies to an earlier request, which an error
    /// may have left unread.
    fn read(
        &mut self,
        datagram: &[u8],
        parse: impl Fn(&[u8]) -> Result<Option<T>, Errno>,
    ) -> Result<(), Errno> {
        for message in Messages(datagram) {
            let message = message?;
            if message.sequence != self.sequence {
                continue;
            }
            self.is_interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
            if message.kind == NLMSG_DONE {
                self.is_complete = true;
                // The kernel reports here what stopped it halfway.
                return match i32_at(message.body, 0) {
                    Some(code) if code < 0 => Err(negated_errno(code)),
                    _ => Ok(()),
                };
            }
            self.found.extend(parse(message.expect(self.answer)?)?);
            self.count += 1;
            if self.count > MOST_MESSAGES || self.found.len() > MOST_FOUND {
                return Err(Errno::FBIG);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::bytes::u32_at;

    const ANSWER: u16 = 20;

    /// A message of a dump; `flags` are left to the caller.
    fn message(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let mut message = Request::get(kind, body).encode(sequence);
        message.splice(6..8, flags.to_ne_bytes());
        message
    }

    fn read(datagrams: &[&[u8]]) -> Result<Dump<u32>, Errno> {
        let mut dump = Dump::new(7, ANSWER);
        for datagram in datagrams {
            // 0 does not count.
            dump.read(datagram, |body| {
                let number = u32_at(body, 0).ok_or(Errno::PROTO)?;
                Ok((number != 0).then_some(number))
            })?;
        }
        Ok(dump)
    }

    fn dump(found: &[u32], is_complete: bool, is_interrupted: bool) -> Dump<u32> {
        Dump {
            sequence: 7,
            answer: ANSWER,
            found: found.to_vec(),
            count: found.len(),
            is_complete,
            is_interrupted,
        }
    }

    fn number(number: u32) -> Vec<u8> {
        message(ANSWER, 2, 7, &number.to_ne_bytes())
    }

    #[test]
    fn a_dump_goes_on_over_datagrams_until_it_is_done() {
        let done = message(NLMSG_DONE, 2, 7, &[0; 4]);
        let (first, second) = ([number(1), number(2)].concat(), number(3));
        let last = [second, done].concat();
        assert_eq!(read(&[&first]), Ok(dump(&[1, 2], false, false)));
        assert_eq!(read(&[&first, &last]), Ok(dump(&[1, 2, 3], true, false)));
        assert_eq!(
            read(&[&message(NLMSG_DONE, 2, 7, &[])]),
            Ok(dump(&[], true, false))
        );
    }

    #[test]
    fn what_does_not_count_is_not_kept_and_a_dump_that_is_too_large_is_an_error() {
        let some = [number(0), number(7), number(0)].concat();
        let read_some = read(&[&some]).unwrap();
        assert_eq!((read_some.found, read_some.count), (vec![7], 3));
        for most in [(MOST_MESSAGES, 0), (0, MOST_FOUND)] {
            let mut dump = Dump::new(7, ANSWER);
            (dump.count, dump.found) = (most.0, vec![1u8; most.1]);
            let answer = dump.read(&number(1), |_| Ok(Some(1)));
            assert_eq!(answer, Err(Errno::FBIG));
        }
    }

    #[test]
    fn an_interrupted_dump_says_so_in_any_of_its_messages() {
        let interrupted = message(ANSWER, 2 | NLM_F_DUMP_INTR, 7, &[1; 4]);
        let done = message(NLMSG_DONE, 2, 7, &[0; 4]);
        let found = u32::from_ne_bytes([1; 4]);
        assert_eq!(read(&[&interrupted, &done]), Ok(dump(&[found], true, true)));
        let interrupted = message(NLMSG_DONE, NLM_F_DUMP_INTR, 7, &[0; 4]);
        assert_eq!(read(&[&interrupted]), Ok(dump(&[], true, true)));
    }

    #[test]
    fn replies_to_an_earlier_request_are_skipped() {
        let stale = [
            message(ANSWER, 2, 6, &[1; 4]),
            message(NLMSG_DONE, NLM_F_DUMP_INTR, 6, &[0; 4]),
        ];
        assert_eq!(
            read(&[&stale.concat(), &number(1)]),
            Ok(dump(&[1], false, false))
        );
    }

    #[test]
    fn a_dump_that_failed_or_makes_no_sense_is_an_error() {
        let denied = (-1i32).to_ne_bytes();
        let refused = message(libc::NLMSG_ERROR as u16, 0, 7, &denied);
        let stopped = [number(1), message(NLMSG_DONE, 2, 7, &denied)].concat();
        assert_eq!(read(&[&refused]), Err(Errno::PERM));
        assert_eq!(read(&[&stopped]), Err(Errno::PERM));
        for broken in [
            message(ANSWER + 1, 2, 7, &[0; 4]),
            message(ANSWER, 2, 7, &[]),
            number(1).split_off(1),
        ] {
            assert_eq!(read(&[&broken]), Err(Errno::PROTO), "{broken:?}");
        }
    }
}
