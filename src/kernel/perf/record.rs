//! What the kernel writes into a ring: perf_event_open(2), "MMAP layout".
//!
//! Records are parsed from a copy, with bounds checks. Each ends with its time,
//! as `sample_id_all` and PERF_SAMPLE_TIME have it.

use crate::kernel::bytes::{u16_at, u32_at, u64_at, until_nul};
use crate::model::{Kind, Links, Member, Pid, Tid};

/// Size of `struct perf_event_header`.
pub(super) const HEADER: usize = 8;
/// Size of what follows each record: its time.
const TRAILER: usize = 8;

// enum perf_event_type and the misc bits, linux/perf_event.h.
const LOST: u32 = 2;
const COMM: u32 = 3;
const EXIT: u32 = 4;
const FORK: u32 = 7;
const NAMESPACES: u32 = 16;
const COMM_EXEC: u16 = 1 << 13;

/// The order of namespaces in a record: enum `perf_ns_index`.
const ORDER: [Kind; 7] = [
    Kind::Net,
    Kind::Uts,
    Kind::Ipc,
    Kind::Pid,
    Kind::User,
    Kind::Mnt,
    Kind::Cgroup,
];

/// The kernel's name for a task, which has at most 15 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Comm([u8; 16]);

impl Comm {
    /// Takes what precedes a NUL, and no more than the kernel keeps.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut comm = [0; 16];
        let name = until_nul(bytes).iter().take(15);
        for (own, byte) in comm.iter_mut().zip(name) {
            *own = *byte;
        }
        Comm(comm)
    }

    /// Returns the name.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        until_nul(&self.0)
    }
}

/// Something that happened to a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// When, on the clock of the ring, in nanoseconds.
    pub(crate) time: u64,
    /// The process.
    pub(crate) pid: Pid,
    /// The thread.
    pub(crate) tid: Tid,
    /// What.
    pub(crate) what: What,
}

/// What happened to a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// It is in these namespaces now, of all types but time: after fork, unshare
    /// or setns.
    Namespaces(Links),
    /// This thread made it.
    Fork(Tid),
    /// It ended.
    Exit,
    /// It has another name, and if true, executes another program.
    Comm(Comm, bool),
}

/// One record of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Record(Record),
    /// So many records found no room.
    Lost(u64),
    /// Of no interest, or about a task outside of this pid namespace.
    Other,
    /// Not what this kernel is known to write.
    Malformed,
}

/// Returns the size of the record that begins here, header included; `None` if
/// no record does.
pub(super) fn size_of_record(header: &[u8]) -> Option<usize> {
    let size = usize::from(u16_at(header, 6)?);
    (size >= HEADER && size % 8 == 0).then_some(size)
}

/// Parses one whole record.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    try_parse(bytes).unwrap_or(Parsed::Malformed)
}

fn try_parse(bytes: &[u8]) -> Option<Parsed> {
    let kind = u32_at(bytes, 0)?;
    if size_of_record(bytes)? != bytes.len() {
        return None;
    }
    if kind == LOST {
        return Some(Parsed::Lost(u64_at(bytes, HEADER + 8)?));
    }
    if !matches!(kind, COMM | EXIT | FORK | NAMESPACES) {
        return Some(Parsed::Other);
    }
    let end = bytes.len().checked_sub(TRAILER)?;
    let time = u64_at(bytes, end)?;
    let body = bytes.get(HEADER..end)?;
    let (pid, tid, what) = match kind {
        COMM => {
            let is_exec = u16_at(bytes, 4)? & COMM_EXEC != 0;
            let comm = Comm::new(body.get(8..)?);
            (
                u32_at(body, 0)?,
                u32_at(body, 4)?,
                What::Comm(comm, is_exec),
            )
        }
        NAMESPACES => (
            u32_at(body, 0)?,
            u32_at(body, 4)?,
            What::Namespaces(namespaces(body.get(8..)?)?),
        ),
        FORK => (
            u32_at(body, 0)?,
            u32_at(body, 8)?,
            What::Fork(u32_at(body, 12)?),
        ),
        _ => (u32_at(body, 0)?, u32_at(body, 8)?, What::Exit),
    };
    // Such a task has no PID here, or none any more.
    if [pid, tid]
        .iter()
        .any(|id| *id == 0 || *id > i32::MAX.unsigned_abs())
    {
        return Some(Parsed::Other);
    }
    Some(Parsed::Record(Record {
        time,
        pid,
        tid,
        what,
    }))
}

/// Parses the number of namespaces and a pair of device and inode for each.
fn namespaces(bytes: &[u8]) -> Option<Links> {
    let count = u64_at(bytes, 0)?;
    let pairs = bytes.get(8..)?.as_chunks::<16>().0;
    if usize::try_from(count).ok()? != pairs.len() {
        return None;
    }
    let mut links = Links::default();
    for (kind, pair) in ORDER.iter().zip(pairs) {
        let own = kind.links().iter().find(|link| !link.is_for_children())?;
        // 0 if the kernel was built without this type.
        links.set(own, u64_at(pair, 8)?);
    }
    Some(links)
}

/// Returns the types of which records tell.
pub(crate) fn reported_kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL
        .iter()
        .copied()
        .filter(|kind| ORDER.contains(kind))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Link;

    fn record(kind: u32, misc: u16, body: &[&[u8]]) -> Vec<u8> {
        let body = body.concat();
        let size = u16::try_from(HEADER + body.len()).unwrap();
        let header = [
            &kind.to_ne_bytes()[..],
            &misc.to_ne_bytes(),
            &size.to_ne_bytes(),
        ];
        [header.concat(), body].concat()
    }

    fn task(pid: u32, tid: u32) -> Vec<u8> {
        [pid.to_ne_bytes(), tid.to_ne_bytes()].concat()
    }

    const TIME: [u8; 8] = 99u64.to_ne_bytes();

    fn seven(count: u64) -> Vec<u8> {
        let pairs = (1..=7).flat_map(|ino: u64| [4u64.to_ne_bytes(), ino.to_ne_bytes()].concat());
        count.to_ne_bytes().into_iter().chain(pairs).collect()
    }

    fn parsed(what: What) -> Parsed {
        let (time, pid, tid) = (99, 10, 11);
        Parsed::Record(Record {
            time,
            pid,
            tid,
            what,
        })
    }

    #[test]
    fn namespaces_are_read_in_the_order_of_the_kernel_and_only_whole() {
        let mut links = Links::default();
        for (link, ino) in [
            (Link::Net, 1),
            (Link::Uts, 2),
            (Link::Ipc, 3),
            (Link::Pid, 4),
            (Link::User, 5),
            (Link::Mnt, 6),
            (Link::Cgroup, 7),
        ] {
            links.set(link, ino);
        }
        let good = record(NAMESPACES, 0, &[&task(10, 11), &seven(7), &TIME]);
        assert_eq!(parse(&good), parsed(What::Namespaces(links)));
        for count in [6, 8, u64::MAX] {
            let bad = record(NAMESPACES, 0, &[&task(10, 11), &seven(count), &TIME]);
            assert_eq!(parse(&bad), Parsed::Malformed);
        }
        assert_eq!(parse(&good[..good.len() - 8]), Parsed::Malformed);
    }

    #[test]
    fn fork_and_exit_name_the_task_and_fork_its_maker() {
        let body = [10u32, 8, 11, 9].map(u32::to_ne_bytes).concat();
        let fork = record(FORK, 0, &[&body, &[0; 8], &TIME]);
        assert_eq!(parse(&fork), parsed(What::Fork(9)));
        let exit = record(EXIT, 0, &[&body, &[0; 8], &TIME]);
        assert_eq!(parse(&exit), parsed(What::Exit));
        assert_eq!(
            parse(&record(FORK, 0, &[&task(10, 8), &TIME])),
            Parsed::Malformed
        );
    }

    #[test]
    fn a_name_has_at_most_fifteen_bytes_and_ends_at_its_nul() {
        let comm = |name: &[u8], misc| record(COMM, misc, &[&task(10, 11), name, &TIME]);
        let exec = What::Comm(Comm::new(b"a\x1b"), true);
        assert_eq!(parse(&comm(b"a\x1b\0xxxxx", COMM_EXEC)), parsed(exec));
        let Parsed::Record(long) = parse(&comm(&[b'a'; 24], 0)) else {
            panic!("not a record");
        };
        assert_eq!(long.what, What::Comm(Comm::new(&[b'a'; 15]), false));
        assert_eq!(parse(&record(COMM, 0, &[&TIME])), Parsed::Malformed);
    }

    #[test]
    fn losses_are_counted_and_other_records_are_not_read() {
        let body = [1u64, 37, 99].map(u64::to_ne_bytes).concat();
        assert_eq!(parse(&record(LOST, 0, &[&body])), Parsed::Lost(37));
        assert_eq!(parse(&record(LOST, 0, &[&body[..8]])), Parsed::Malformed);
        assert_eq!(parse(&record(5, 0, &[&body])), Parsed::Other);
    }

    #[test]
    fn a_task_outside_of_this_pid_namespace_is_of_no_interest() {
        for (pid, tid) in [(0, 0), (0, 5), (5, 0), (u32::MAX, u32::MAX)] {
            let one = record(NAMESPACES, 0, &[&task(pid, tid), &seven(7), &TIME]);
            assert_eq!(parse(&one), Parsed::Other);
        }
    }

    #[test]
    fn a_record_has_a_size_that_is_possible() {
        let header = |size: u16| [&[0; 6][..], &size.to_ne_bytes()].concat();
        assert_eq!(size_of_record(&header(16)), Some(16));
        for size in [0, 7, 12, u16::MAX] {
            assert_eq!(size_of_record(&header(size)), None);
        }
        assert_eq!(size_of_record(&[0; 7]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_body_makes_it_panic(kind in 0u32..20, body: Vec<u64>) {
            let body: Vec<u8> = body.iter().flat_map(|word| word.to_ne_bytes()).collect();
            let _ = parse(&record(kind, 0, &[&body]));
        }
    }
}
