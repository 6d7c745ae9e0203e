//! What open files carry: descriptors in flight through unix sockets, unix(7),
//! and the registered files of an io_uring, io_uring_register(2).
//!
//! A program follows the messages of a socket and the slots of a ring of each
//! open file, and those of sockets among them in turn. It holds no lock, so it
//! looks again after each file whether it is still where it was, and says if
//! not. All it reads are numbers to the verifier: it runs on every kernel alike,
//! and only after another program has seen that there is something to follow.

use std::os::fd::RawFd;

use crate::kernel::bpf::btf::{Btf, TypeId};
use crate::kernel::bpf::instructions::{Assembler, Jump, Pointer, R7, R8, R9};
use crate::kernel::bpf::programs::{
    CONTEXT_FD, CONTEXT_FILE, CONTEXT_TASK, Carrier, Files, PID, TaskFile, Types, put_ids, some_id,
};
use crate::kernel::bytes::{u32_at, u64_at};
use crate::model::{Cause, Pid};

/// The files that open files carry.
pub(in crate::kernel::bpf) struct Carried;

/// A record of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel::bpf) enum Item {
    /// A file that a file of the process carries.
    File(TaskFile),
    /// There may be more, for this reason.
    Unseen(Pid, Cause),
}

/// How deep sockets lie in messages of sockets, the open one included.
const LEVELS: i16 = 3;
/// How many messages and slots are followed of an open file: as many as the
/// verifier goes through without open-coded iterators, and with them.
const MOST_UNROLLED: i32 = 256;
const MOST: i32 = 1 << 16;
/// How many messages without files are passed over in a look for any.
const MOST_SKIMMED: i32 = 512;
/// How many are followed of all open files in a scan, which takes about a second:
/// a process can have the same socket open any number of times.
const BUDGET: i32 = 1 << 18;
/// How many files are told of an open file: as fit into what the kernel returns
/// at once.
const MOST_TOLD: i32 = 380;

// Values beside those of `Files`.
const MOVED: i32 = 6;
const TOO_MANY: i32 = 7;
const NO_FIELDS: i32 = 8;

// States of a socket, net/tcp_states.h.
const TCP_LISTEN: i32 = 10;

/// In place of a message: the level is that of a ring.
const SLOTS: i32 = 1;
/// The low bits of a pointer to a registered file are flags.
const FILE_MASK: i32 = !7;

// Places of what is told, after those of `Files`.
const CARRIER: i16 = 72;
const TOLD: i16 = 80;

// Places of what is only remembered. Of each level: the socket or ring; the
// message, or `SLOTS`; the number of the next file in it.
const BASE: i16 = TOLD;
const AT: i16 = 8;
const INDEX: i16 = 16;
const LEVEL: i16 = 24;
/// The message after this one.
const NEXT: i16 = BASE + LEVELS * LEVEL;
/// The list of files of a message, or of nodes of a ring, and its length.
const LIST: i16 = NEXT + 8;
const COUNT: i16 = NEXT + 16;
/// Where the file was found, what stood there, and the file.
const SLOT: i16 = NEXT + 24;
const FOUND: i16 = NEXT + 32;
const FILE: i16 = NEXT + 40;
/// The message it was found in, or `SLOTS`.
const MESSAGE: i16 = NEXT + 48;
/// What is compared.
const OTHER: i16 = NEXT + 56;
/// Whether the file holds a namespace.
const HOLDS: i16 = NEXT + 64;
/// How many were told, and whether some lie too deep.
const NUMBER: i16 = NEXT + 72;
const DEEP: i16 = NEXT + 80;
/// Always 0.
const ZERO: i16 = NEXT + 88;
const SIZE: i16 = NEXT + 96;

/// Where the slots of a ring are.
#[derive(Clone, Copy)]
enum Slots {
    /// Pointers to nodes of this type, since Linux 6.13.
    Nodes(TypeId),
    /// In a row, since Linux 5.15.
    Row,
}

impl Slots {
    fn find(btf: &Btf<'_>, ring: TypeId) -> Option<Self> {
        let table = btf.member(ring, "file_table")?.of;
        if let Some(data) = btf.member(table, "data") {
            let nodes = btf.member(data.of, "nodes")?.of;
            let node = btf.plain(btf.pointee(btf.pointee(nodes)?)?)?;
            btf.member(node, "file_ptr")?;
            return Some(Slots::Nodes(node));
        }
        btf.member(ring, "nr_user_files")?;
        let slot = btf.pointee(btf.member(table, "files")?.of)?;
        let file = btf.member(slot, "file_ptr")?;
        (btf.size(slot)? == 8 && file.offset == 0).then_some(Slots::Row)
    }
}

impl Carried {
    pub(in crate::kernel::bpf) const SIZE: i16 = TOLD;

    /// Writes the program, which counts its steps; `None` if this kernel lacks a
    /// field of messages.
    pub(in crate::kernel::bpf) fn program(
        btf: &Btf<'_>,
        types: &Types,
        counter: RawFd,
    ) -> Option<Vec<u8>> {
        let slots = types.io_ring_ctx.and_then(|ring| Slots::find(btf, ring));
        let mut c = Assembler::new(btf, None, SIZE);
        c.clear(0, i32::from(SIZE));
        let file = c.argument(R7, CONTEXT_FILE, types.file);
        let file = Assembler::unknown(file);
        let (neither, from_ring) = Files::put_file(&mut c, types, file, |c, carrier, pointer| {
            c.put_word(CARRIER, carrier as i32 + 1);
            match (carrier, slots) {
                (Carrier::Ring, None) => c.put_word(DEEP, NO_FIELDS),
                _ => enter(c, carrier, pointer)?,
            }
            Some(())
        })?;
        c.land_all(neither);
        c.land(from_ring);
        let carries = c.unless_word(BASE, 0);
        let not_closed = c.unless_word(DEEP, NO_FIELDS);
        Self::put_task(&mut c, types)?;
        c.put_number(Files::WHAT, NO_FIELDS);
        c.emit_first(TOLD);
        c.land(not_closed);
        c.exit();

        c.land(carries);
        Self::put_task(&mut c, types)?;
        let body = |c: &mut Assembler<'_>| {
            let mut ends = Vec::from(c.unless_counted(counter, ZERO, BUDGET));
            ends.extend(Self::step(c, btf, types, slots)?);
            Some(ends)
        };
        match types.numbers {
            Some(numbers) => c.repeat(numbers, MOST, body)?,
            None => c.repeat_by(R9, MOST_UNROLLED, body)?,
        }
        let is_left = c.unless_word(BASE, 0);
        let not_deep = c.unless_word(DEEP, 1);
        c.land(is_left);
        c.put_number(Files::WHAT, TOO_MANY);
        c.emit_first(TOLD);
        c.land(not_deep);
        c.end()
    }

    /// Writes a program that only looks whether an open file carries any: it tells
    /// something then. `None` for a kernel that loads [`program`](Self::program) as
    /// quickly, or lacks a field.
    pub(in crate::kernel::bpf) fn skim(btf: &Btf<'_>, types: &Types) -> Option<Vec<u8>> {
        if types.numbers.is_some() {
            return None;
        }
        let [message, parms, _] = types.messages?;
        let mut c = Assembler::new(btf, None, SIZE);
        c.clear(0, i32::from(SIZE));
        let file = c.argument(R7, CONTEXT_FILE, types.file);
        let file = Assembler::unknown(file);
        let (neither, from_ring) = Files::put_file(&mut c, types, file, |c, carrier, pointer| {
            enter(c, carrier, pointer)
        })?;
        c.land_all(neither);
        c.land(from_ring);
        let carries = c.unless_word(BASE, 0);
        c.exit();
        c.land(carries);
        let not_ring = c.unless_word(BASE + AT, SLOTS);
        let mut tells = vec![c.go()];
        c.land(not_ring);
        let sock = c.number_at(R7, BASE, types.sock);
        let not_listening = c.unless_equal(sock, "__sk_common.skc_state", TCP_LISTEN)?;
        tells.push(c.go());
        c.land(not_listening);
        c.copy_word(OTHER, BASE);
        c.add(OTHER, offset(btf, types.sock, "sk_receive_queue")?);
        let mut lasts = Vec::new();
        c.repeat_by(R9, MOST_SKIMMED, |c| {
            let not_last = c.unless_same_words(BASE + AT, OTHER);
            lasts.push(c.go());
            c.land(not_last);
            let skb = c.number_at(R8, BASE + AT, message);
            let cb = c.shift(R7, skb, offset(btf, message, "cb")?, parms);
            c.put(LIST, cb, "fp")?;
            let has_none = c.unless_word(LIST, 0);
            c.put(BASE + AT, skb, "next")?;
            let moved = c.unless_word(BASE + AT, 0);
            let gone = c.go();
            c.land(moved);
            Some(vec![has_none, gone])
        })?;
        c.land_all(tells);
        c.emit_first(8);
        c.land_all(lasts);
        c.end()
    }

    /// Puts whose open file it is.
    fn put_task(c: &mut Assembler<'_>, types: &Types) -> Option<()> {
        let task = c.argument(R7, CONTEXT_TASK, types.task);
        let task = Assembler::unknown(task);
        c.put(Files::TABLE, task, "files")?;
        c.put_argument(Files::FD, CONTEXT_FD);
        // It changes the other registers, which nothing is in yet.
        put_ids(c, task)
    }

    /// Goes on by one file or message; returns the jumps that end it all.
    fn step(
        c: &mut Assembler<'_>,
        btf: &Btf<'_>,
        types: &Types,
        slots: Option<Slots>,
    ) -> Option<Vec<Jump>> {
        let mut way = Way::default();
        let goes_on = c.unless_word(BASE, 0);
        way.ends.push(c.go());
        c.land(goes_on);
        let not_ring = c.unless_word(BASE + AT, SLOTS);
        match slots {
            Some(slots) => slots.next(c, btf, types, &mut way)?,
            None => way.up.push(c.go()),
        }
        let in_ring = c.go();
        c.land(not_ring);
        Self::next(c, btf, types, &mut way)?;

        c.land(in_ring);
        c.fetch(FOUND, SLOT);
        c.mask_word(FILE, FOUND, FILE_MASK);
        let is_file = c.unless_word(FILE, 0);
        way.over.push(c.go());
        c.land(is_file);
        let file = c.number_at(R7, FILE, types.file);
        // What the file carries may take the place of this level.
        c.copy_word(MESSAGE, BASE + AT);
        let (neither, from_ring) = Files::put_file(c, types, file, |c, carrier, pointer| {
            match (carrier, slots) {
                (Carrier::Ring, None) => c.put_word(DEEP, 1),
                _ => push(c, carrier, pointer)?,
            }
            Some(())
        })?;
        c.put_word(HOLDS, 1);
        let holds = c.go();
        c.land_all(neither);
        c.land(from_ring);
        c.put_word(HOLDS, 0);
        c.land(holds);
        Self::look_again(c, btf, types, &mut way)?;
        let holds = c.unless_word(HOLDS, 0);
        way.over.push(c.go());
        c.land(holds);

        c.land_all(way.told);
        c.emit_first(TOLD);
        c.add(NUMBER, 1);
        way.over.push(c.unless_word(NUMBER, MOST_TOLD));
        way.ends.push(c.go());

        c.land_all(way.moved);
        c.put_number(Files::WHAT, MOVED);
        c.emit_first(TOLD);
        c.clear(BASE, i32::from(LEVEL));
        way.ends.push(c.go());

        c.land_all(way.up);
        for level in 1..LEVELS {
            copy_level(c, level - 1, level);
        }
        c.clear(BASE + (LEVELS - 1) * LEVEL, i32::from(LEVEL));
        way.over.push(c.go());

        c.land_all(way.on);
        c.copy_word(BASE + AT, NEXT);
        c.clear(BASE + INDEX, 8);
        c.land_all(way.over);
        Some(way.ends)
    }

    /// Finds the next file in the messages of a socket.
    fn next(c: &mut Assembler<'_>, btf: &Btf<'_>, types: &Types, way: &mut Way) -> Option<()> {
        let [message, parms, list] = types.messages?;
        // The queue is a ring of messages, and itself one of its members.
        c.copy_word(OTHER, BASE);
        c.add(OTHER, offset(btf, types.sock, "sk_receive_queue")?);
        let not_last = c.unless_same_words(BASE + AT, OTHER);
        way.up.push(c.go());
        c.land(not_last);
        let skb = c.number_at(R8, BASE + AT, message);
        c.put(NEXT, skb, "next")?;
        let is_there = c.unless_word(NEXT, 0);
        way.moved.push(c.go());
        c.land(is_there);

        let sock = c.number_at(R7, BASE, types.sock);
        let not_listening = c.unless_equal(sock, "__sk_common.skc_state", TCP_LISTEN)?;
        // Each message is a connection that nobody has accepted yet.
        c.copy_word(MESSAGE, BASE + AT);
        let accepted = c.follow(R7, skb, "sk")?;
        c.put_number(Files::WHAT, Files::SOCKET);
        c.clear(Files::NAME, 8);
        Files::put_net(c, accepted)?;
        c.put(OTHER, skb, "next")?;
        way.moved.push(c.unless_same_words(NEXT, OTHER));
        c.copy_word(BASE + AT, NEXT);
        let has_messages = c.unless_equal(accepted, "sk_receive_queue.qlen", 0)?;
        way.told.push(c.go());
        c.land(has_messages);
        push(c, Carrier::Socket, accepted)?;
        way.told.push(c.go());

        c.land(not_listening);
        let parms = c.shift(R8, skb, offset(btf, message, "cb")?, parms);
        c.put(LIST, parms, "fp")?;
        let has_list = c.unless_word(LIST, 0);
        way.on.push(c.go());
        c.land(has_list);
        let files = c.number_at(R8, LIST, list);
        c.put(COUNT, files, "count")?;
        way.on.push(c.unless_less(BASE + INDEX, COUNT));
        c.copy_word(SLOT, LIST);
        c.add(SLOT, offset(btf, list, "fp")?);
        c.put_slot(SLOT, SLOT, BASE + INDEX);
        c.add(BASE + INDEX, 1);
        Some(())
    }

    /// Looks whether the file is still where it was found.
    fn look_again(
        c: &mut Assembler<'_>,
        btf: &Btf<'_>,
        types: &Types,
        way: &mut Way,
    ) -> Option<()> {
        let [message, parms, _] = types.messages?;
        c.fetch(OTHER, SLOT);
        way.moved.push(c.unless_same_words(FOUND, OTHER));
        let in_message = c.unless_word(MESSAGE, SLOTS);
        let in_ring = c.go();
        c.land(in_message);
        let skb = c.number_at(R8, MESSAGE, message);
        c.put(OTHER, skb, "next")?;
        way.moved.push(c.unless_same_words(NEXT, OTHER));
        let parms = c.shift(R8, skb, offset(btf, message, "cb")?, parms);
        c.put(OTHER, parms, "fp")?;
        way.moved.push(c.unless_same_words(LIST, OTHER));
        c.land(in_ring);
        Some(())
    }

    /// Parses a record; `None` if it is of nothing that can be named.
    pub(in crate::kernel::bpf) fn parse(record: &[u8]) -> Option<Item> {
        let pid = some_id(record, PID)?;
        let carrier = match u32_at(record, CARRIER as usize)? {
            1 => Carrier::Socket,
            2 => Carrier::Ring,
            _ => return None,
        };
        let cause = match u32_at(record, Files::WHAT as usize)?.cast_signed() {
            MOVED => Cause::Unstable,
            TOO_MANY => Cause::Truncated,
            NO_FIELDS => Cause::Unsupported,
            _ => {
                let file = Files::parse_file(record)?;
                let unique_id = u64_at(record, Files::UNIQUE_ID as usize)?;
                return Some(Item::File(TaskFile {
                    carrier: Some(carrier),
                    unique_id: (unique_id != 0).then_some(unique_id),
                    ..file
                }));
            }
        };
        Some(Item::Unseen(pid, cause))
    }
}

/// Where the parts of a step lead.
#[derive(Default)]
struct Way {
    /// To the end of everything.
    ends: Vec<Jump>,
    /// Out of a socket or ring.
    up: Vec<Jump>,
    /// To the next message.
    on: Vec<Jump>,
    /// To the next step.
    over: Vec<Jump>,
    /// To the record.
    told: Vec<Jump>,
    /// To the end, because something moved.
    moved: Vec<Jump>,
}

impl Slots {
    /// Finds the next file in the slots of a ring.
    fn next(
        self,
        c: &mut Assembler<'_>,
        btf: &Btf<'_>,
        types: &Types,
        way: &mut Way,
    ) -> Option<()> {
        let ring = types.io_ring_ctx?;
        let base = c.number_at(R8, BASE, ring);
        let (count, array) = match self {
            Slots::Nodes(_) => ("file_table.data.nr", "file_table.data.nodes"),
            Slots::Row => ("nr_user_files", "file_table.files"),
        };
        c.put(COUNT, base, count)?;
        way.up.push(c.unless_less(BASE + INDEX, COUNT));
        c.put(LIST, base, array)?;
        c.put_slot(SLOT, LIST, BASE + INDEX);
        c.add(BASE + INDEX, 1);
        if let Slots::Nodes(node) = self {
            c.fetch(SLOT, SLOT);
            let is_full = c.unless_word(SLOT, 0);
            way.over.push(c.go());
            c.land(is_full);
            c.add(SLOT, offset(btf, node, "file_ptr")?);
        }
        Some(())
    }
}

fn offset(btf: &Btf<'_>, of: TypeId, name: &str) -> Option<i32> {
    i32::try_from(btf.member(of, name)?.offset).ok()
}

/// Begins with a socket or ring at the first level.
fn enter(c: &mut Assembler<'_>, carrier: Carrier, pointer: Pointer) -> Option<()> {
    c.put_address(BASE, pointer);
    c.clear(BASE + AT, 16);
    match carrier {
        Carrier::Socket => c.put(BASE + AT, pointer, "sk_receive_queue.next"),
        Carrier::Ring => {
            c.put_word(BASE + AT, SLOTS);
            Some(())
        }
    }
}

/// Begins with a socket or ring before going on with those above, unless it is
/// one of them or they are too many.
fn push(c: &mut Assembler<'_>, carrier: Carrier, pointer: Pointer) -> Option<()> {
    c.put_address(OTHER, pointer);
    let mut known = Vec::new();
    for level in 0..LEVELS {
        let differs = c.unless_same_words(OTHER, BASE + level * LEVEL);
        known.push(c.go());
        c.land(differs);
    }
    let is_full = c.unless_word(BASE + (LEVELS - 1) * LEVEL, 0);
    for level in (1..LEVELS).rev() {
        copy_level(c, level, level - 1);
    }
    enter(c, carrier, pointer)?;
    known.push(c.go());
    c.land(is_full);
    c.put_word(DEEP, 1);
    c.land_all(known);
    Some(())
}

fn copy_level(c: &mut Assembler<'_>, to: i16, from: i16) {
    for word in [0, AT, INDEX] {
        c.copy_word(BASE + to * LEVEL + word, BASE + from * LEVEL + word);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::bpf::btf::tests::{NAME, numbers, pointer, structure, table};
    use crate::kernel::bpf::programs::FileType;
    use crate::model::{Kind, NsId};

    /// Returns a record with these 32-bit numbers.
    fn record(words: &[(i16, u32)]) -> Vec<u8> {
        let mut record = vec![0; TOLD as usize];
        for (place, word) in words {
            let place = *place as usize;
            record[place..place + 4].copy_from_slice(&word.to_ne_bytes());
        }
        record
    }

    #[test]
    fn a_carried_file_is_what_its_record_says() {
        let words = [
            (0, 8),
            (PID, 5),
            (Files::FD, 3),
            (Files::WHAT, 1),
            (Files::INO, 7),
            (Files::NAME, u32::from_ne_bytes(*b"net\0")),
            (Files::TABLE, 4),
            (Files::UNIQUE_ID, 70),
            (CARRIER, 1),
        ];
        let other = |more: &[(i16, u32)]| Carried::parse(&record(&[&words[..], more].concat()));
        let kind = Kind::Net;
        let mut file = TaskFile {
            pid: 5,
            tid: 8,
            fd: 3,
            table: 4,
            ns: NsId { ino: 7, kind },
            what: FileType::Namespace,
            ino: 0,
            carrier: Some(Carrier::Socket),
            unique_id: Some(70),
        };
        assert_eq!(other(&[]), Some(Item::File(file)));
        file.carrier = Some(Carrier::Ring);
        file.unique_id = None;
        let ring = [(CARRIER, 2), (Files::UNIQUE_ID, 0)];
        assert_eq!(other(&ring), Some(Item::File(file)));
        file.carrier = Some(Carrier::Socket);
        file.what = FileType::Socket;
        file.ino = 9;
        let socket = [(Files::WHAT, 2), (Files::NAME, 9), (Files::UNIQUE_ID, 0)];
        assert_eq!(other(&socket), Some(Item::File(file)));
        for (what, cause) in [
            (6, Cause::Unstable),
            (7, Cause::Truncated),
            (8, Cause::Unsupported),
        ] {
            assert_eq!(other(&[(Files::WHAT, what)]), Some(Item::Unseen(5, cause)));
        }
        for malformed in [
            (Files::WHAT, 0),
            (Files::WHAT, 9),
            (Files::INO, 0),
            (CARRIER, 0),
            (CARRIER, 3),
            (PID, 0),
        ] {
            assert_eq!(other(&[malformed]), None, "{malformed:?}");
        }
        let whole = record(&words);
        for length in 0..=CARRIER as usize {
            assert_eq!(Carried::parse(&whole[..length]), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(record in prop::collection::vec(any::<u8>(), 0..=TOLD as usize)) {
            let _ = Carried::parse(&record);
        }
    }

    /// `struct io_ring_ctx` with these members, each of 8 bytes.
    fn slots_of(types: &[(&str, &[u32])], ring: u32) -> Option<Slots> {
        let bytes = table(types);
        let btf = Btf::parse(&bytes).unwrap();
        Slots::find(&btf, TypeId(ring))
    }

    #[test]
    fn slots_of_a_ring_are_found_where_the_kernel_has_them() {
        let members = |members: &[[u32; 2]]| {
            let mut words = structure(members.len() as u32);
            words[1] = 8 * members.len() as u32;
            for [of, offset] in members {
                words.extend([NAME, *of, offset * 8]);
            }
            words
        };
        // struct io_fixed_file; struct io_file_table
        let row = |table: &str, ring: &str, to| {
            let number = numbers(8);
            let file = members(&[[1, 0]]);
            let (files, pointer) = (members(&[[3, 0]]), pointer(to));
            let of_ring = members(&[[4, 0], [1, 8]]);
            let types = [
                ("u64", number.as_slice()),
                ("io_fixed_file file_ptr", &file),
                ("-", &pointer),
                (table, &files),
                (ring, &of_ring),
            ];
            slots_of(&types, 5)
        };
        let ring = "io_ring_ctx file_table nr_user_files";
        assert!(matches!(
            row("io_file_table files", ring, 2),
            Some(Slots::Row)
        ));
        // Other names, or a pointer more.
        assert!(row("io_file_table other", ring, 2).is_none());
        assert!(row("io_file_table files", "io_ring_ctx file_table other", 2).is_none());
        assert!(row("io_file_table files", "io_ring_ctx other nr_user_files", 2).is_none());
        assert!(row("io_file_table files", ring, 3).is_none());

        // struct io_rsrc_node; struct io_rsrc_data
        let nodes = |node: &str, data: &str| {
            let number = numbers(8);
            let of_node = members(&[[1, 16]]);
            let (to_node, to_nodes) = (pointer(2), pointer(3));
            let of_data = members(&[[4, 8]]);
            let of_table = members(&[[5, 0]]);
            let of_ring = members(&[[6, 0]]);
            let types = [
                ("u64", number.as_slice()),
                (node, &of_node),
                ("-", &to_node),
                ("-", &to_nodes),
                (data, &of_data),
                ("io_file_table data", &of_table),
                ("io_ring_ctx file_table", &of_ring),
            ];
            slots_of(&types, 7)
        };
        let found = nodes("io_rsrc_node file_ptr", "io_rsrc_data nodes");
        assert!(matches!(found, Some(Slots::Nodes(TypeId(2)))));
        assert!(nodes("io_rsrc_node other", "io_rsrc_data nodes").is_none());
        assert!(nodes("io_rsrc_node file_ptr", "io_rsrc_data other").is_none());
    }
}
