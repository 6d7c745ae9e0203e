use super::*;
use crate::kernel::bpf::btf::tests::{NAME, numbers, structure, table};
use crate::kernel::bpf::iterator::with_btf;
use crate::kernel::nsfs::flag_of_kind;
use crate::model::{HiddenProcess, Kind, Link};

/// Writes 32-bit numbers at places of a record of this size.
fn record(size: i16, words: &[(i16, u32)]) -> Vec<u8> {
    let mut record = vec![0; size as usize];
    for (place, word) in words {
        let place = *place as usize;
        record[place..place + 4].copy_from_slice(&word.to_ne_bytes());
    }
    record
}

/// Every record that is cut short is malformed.
fn assert_whole<I: Iterate>(record: &[u8], spare: usize) {
    assert!(I::parse(record).is_some());
    for length in 0..record.len() {
        if I::SIZE as usize - length > spare {
            assert!(I::parse(&record[..length]).is_none(), "{length}");
        }
    }
}

#[test]
fn a_task_is_what_its_record_says() {
    let net = Tasks::place(Link::Net);
    let run = Tasks::RUN;
    let words = [
        (TID, 8),
        (PID, 5),
        (net, 4_026_531_840),
        (Tasks::BEFORE, 1),
        (Tasks::AFTER, 1),
        (Tasks::FOR_CHILDREN, 70),
        (run, 800),
        (run + 8, 3),
        (run + 16, 9),
        (Tasks::ON_CPU, 1),
    ];
    let whole = record(Tasks::SIZE, &words);
    let mut task = Tasks::parse(&whole).unwrap();
    let mut links = Links::default();
    links.set(Link::Net, 4_026_531_840);
    let expected = Task {
        pid: 5,
        tid: 8,
        links,
        has_moved: false,
        for_children: Some(70),
        run: Run {
            task: 800,
            table: 3,
            sum: 9,
        },
        is_running: true,
    };
    assert_eq!(task, expected);
    assert_whole::<Tasks>(&whole, 4);
    let other = |word| Tasks::parse(&record(Tasks::SIZE, &[&words[..], &[word]].concat()));
    task.has_moved = true;
    assert_eq!(other((Tasks::AFTER, 2)), Some(task));
    // It is being released.
    assert_eq!(other((TID, 0)), None);
    assert_eq!(other((PID, 0)), None);
}

#[test]
fn a_process_is_what_its_record_says() {
    let word = |text: &[u8; 4]| u32::from_ne_bytes(*text);
    let words = [
        (TID, 5),
        (TID + 8, 77),
        (PID, 5),
        (Names::PARENT, 4),
        (Names::PARENT + 8, 77),
        (Names::COMM, word(b"a b\n")),
        (Names::COMM + 4, word(b"c\0xy")),
        (Names::UID, 1000),
    ];
    let whole = record(Names::SIZE, &words);
    let mut process = HiddenProcess {
        pid: 5,
        ppid: 4,
        uid: 1000,
        comm: b"a b\nc"[..].into(),
    };
    assert_eq!(Names::parse(&whole).as_ref(), Some(&process));
    assert_whole::<Names>(&whole, 4);
    let other = |word| Names::parse(&record(Names::SIZE, &[&words[..], &[word]].concat()));
    // A thread, and one that is being released.
    assert_eq!(other((TID, 6)), None);
    assert_eq!(other((TID, 0)), None);
    assert_eq!(other((PID, 0)), None);
    // The parent is outside.
    process.ppid = 0;
    assert_eq!(other((Names::PARENT + 8, 78)), Some(process));
}

#[test]
fn an_open_file_is_what_its_record_says() {
    let name = u32::from_ne_bytes(*b"uts\0");
    let words = [
        (TID, 8),
        (PID, 5),
        (Files::FD, 3),
        (Files::WHAT, 1),
        (Files::INO, 7),
        (Files::NAME, name),
        (Files::TABLE, 4),
    ];
    let whole = record(Files::SIZE, &words);
    let kind = Kind::Uts;
    let file = TaskFile {
        pid: 5,
        tid: 8,
        fd: 3,
        table: 4,
        ns: NsId { ino: 7, kind },
        what: FileType::Namespace,
        ino: 0,
        carrier: None,
        unique_id: None,
    };
    let seen = |file, carries| Some(Seen { file, carries });
    assert_eq!(Files::parse(&whole), seen(Some(file), None));
    assert_whole::<Files>(&whole, 0);
    let other = |words_of: &[(i16, u32)]| {
        Files::parse(&record(Files::SIZE, &[&words[..], words_of].concat()))
    };
    let kind = Kind::Net;
    let mut socket = TaskFile {
        ns: NsId { ino: 7, kind },
        what: FileType::Socket,
        ino: 99,
        ..file
    };
    assert_eq!(
        other(&[(Files::WHAT, 2), (Files::NAME, 99)]),
        seen(Some(socket), None)
    );
    let full = other(&[(Files::WHAT, 4), (Files::NAME, 99)]);
    assert_eq!(full, seen(Some(socket), Some(5)));
    assert_eq!(other(&[(Files::WHAT, 5)]), seen(None, Some(5)));
    (socket.what, socket.ino) = (FileType::Tun, 0);
    assert_eq!(other(&[(Files::WHAT, 3)]), seen(Some(socket), None));
    for malformed in [
        (Files::WHAT, 0),
        (Files::WHAT, 6),
        (Files::INO, 0),
        (Files::NAME, u32::from_ne_bytes(*b"abc\0")),
        (Files::NAME, u32::MAX),
        (TID, 0),
        (PID, 0),
    ] {
        assert_eq!(other(&[malformed]), None, "{malformed:?}");
    }
}

#[test]
fn a_listed_namespace_of_no_type_is_none() {
    let words = [
        (Lists::ADDRESS, 1),
        (Lists::START, 2),
        (Lists::ID, 3),
        (Lists::INO, 4),
        (Lists::TYPE, flag_of_kind(Kind::User)),
        (Lists::REFERENCES, 2),
        (Lists::ACTIVE, 1),
        (Lists::NAME, u32::from_ne_bytes(*b"user")),
    ];
    let whole = record(Lists::SIZE, &words);
    let facts = |record: &[u8]| {
        let listed = Lists::parse(record)?;
        let addresses = (listed.address, listed.start);
        let id = (listed.id.ino, listed.id.kind);
        Some((addresses, listed.unique_id, id, listed.is_active))
    };
    let user = (4, Kind::User);
    assert_eq!(facts(&whole), Some(((1, 2), 3, user, true)));
    let other = |word| facts(&record(Lists::SIZE, &[&words[..], &[word]].concat()));
    assert_eq!(other((Lists::ACTIVE, 0)), Some(((1, 2), 3, user, false)));
    for none in [
        (Lists::TYPE, 5),
        (Lists::TYPE, flag_of_kind(Kind::Uts)),
        (Lists::NAME, u32::from_ne_bytes(*b"uts\0")),
        // It is being removed.
        (Lists::REFERENCES, 0),
    ] {
        assert_eq!(other(none), Some(((1, 2), 3, (0, Kind::Net), true)));
    }
    assert_eq!(facts(&whole[..47]), None);
}

/// Makes a table with `task_struct` of members of 8 bytes with these names,
/// and of everything else that types are.
fn tasks_of(members: &[&str]) -> Vec<u8> {
    let empty = ["file", "socket", "sock", "ns_common", "pid_namespace"];
    let names = |names: &[&str]| names.join(" ");
    let mut members_of: Vec<u32> = structure(members.len() as u32);
    for index in 0..members.len() as u32 {
        members_of.extend([NAME, 1, index * 64]);
    }
    let nothing = structure(0);
    let task = names(&[&["task_struct"], members].concat());
    let number = numbers(8);
    let mut types: Vec<(&str, &[u32])> = vec![("long", &number), (&task, &members_of)];
    types.extend(empty.iter().map(|name| (*name, nothing.as_slice())));
    table(&types)
}

const OF_RUNS: [&str; 6] = ["flags", "pid", "files", "start_boottime", "nvcsw", "nivcsw"];

#[cfg(target_endian = "little")]
#[test]
fn the_lean_program_is_these_instructions() {
    let bytes = tasks_of(&OF_RUNS);
    let btf = Btf::parse(&bytes).unwrap();
    let types = Types::find(&btf).unwrap();
    let code = Runs::program(&btf, &types).unwrap();
    let code: Vec<String> = code
        .chunks(8)
        .map(|code| code.iter().map(|byte| format!("{byte:02x}")).collect())
        .collect();
    let expected = "
        bf16000000000000 7a0ae8ff00000000 7a0af0ff00000000 7a0af8ff00000000
        7967080000000000 5507020000000000 b700000000000000 9500000000000000
        7970000000000000 5700000000002000 1801000000000000 0000000000000000 5d10120000000000
        7970080000000000 7b0ae8ff00000000
        7970100000000000 7b0af0ff00000000
        b709000000000000
        7970180000000000 0f09000000000000
        7970200000000000 0f09000000000000
        7970280000000000 0f09000000000000
        7b9af8ff00000000
        7961000000000000 7911000000000000 bfa2000000000000 07020000e8ffffff
        b703000018000000 850000007f000000
        b700000000000000 9500000000000000";
    let expected: Vec<&str> = expected.split_whitespace().collect();
    assert_eq!(code, expected);
}

#[test]
fn a_kernel_that_lacks_a_field_has_no_program() {
    for lacking in OF_RUNS {
        let members: Vec<_> = OF_RUNS
            .into_iter()
            .filter(|name| *name != lacking)
            .collect();
        let bytes = tasks_of(&members);
        let btf = Btf::parse(&bytes).unwrap();
        let types = Types::find(&btf).unwrap();
        assert!(Runs::program(&btf, &types).is_none(), "{lacking}");
    }
    let bytes = tasks_of(&OF_RUNS);
    let btf = Btf::parse(&bytes).unwrap();
    let types = Types::find(&btf).unwrap();
    assert!(Tasks::program(&btf, &types).is_none());
    assert!(Files::program(&btf, &types).is_none());
    assert!(Lists::program(&btf, &types, &Entrance::Own).is_none());
    let without = table(&[("task_struct", &structure(0))]);
    assert!(Types::find(&Btf::parse(&without).unwrap()).is_none());
}

#[test]
fn every_jump_of_a_program_stays_inside_and_its_end_is_an_exit() {
    // Of the kernel that runs, if it says what its types are.
    let programs = with_btf(|btf| {
        let types = Types::find(btf)?;
        let older = Types {
            numbers: None,
            ..Types::find(btf)?
        };
        let programs = [
            Tasks::program(btf, &types),
            Runs::program(btf, &types),
            Files::program(btf, &types),
            Names::program(btf, &types),
            Carried::program(btf, &types, 0),
            Carried::program(btf, &older, 0),
            Carried::skim(btf, &older),
            Lists::program(btf, &types, &Entrance::Own),
            Lists::program(btf, &types, &Entrance::At(u64::MAX)),
        ];
        Some(programs)
    });
    for code in programs.into_iter().flatten().flatten() {
        let count = code.len() / 8;
        assert!(code.len().is_multiple_of(8) && count < 4096);
        assert_eq!(code[code.len() - 8], 0x95);
        for (index, code) in code.chunks(8).enumerate() {
            let is_jump = [0x05, 0x25, 0x55, 0x1d, 0x3d, 0x5d].contains(&code[0]);
            let distance = i16::from_ne_bytes([code[2], code[3]]);
            let to = index as i32 + 1 + i32::from(distance);
            assert!(!is_jump || distance != 0, "{index}");
            assert!(!is_jump || (0..count as i32).contains(&to), "{index}");
        }
    }
}
