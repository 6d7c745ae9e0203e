//! The whole scan, over a tree that changes and a kernel made of tables.

use std::cell::Cell;
use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::rc::Rc;

use tempfile::TempDir;

use super::*;
use crate::kernel::{Fake, Network};
use crate::model::{
    Holder, KindSet, LinkSet, Local, Member, NetSocket, NsId, Protocol, Relations, SocketState,
};
use crate::proc::{Sysroot, changes};
use crate::scan::request::Goal;

const fn id(kind: Kind, ino: u64) -> NsId {
    NsId { ino, kind }
}

const USER: NsId = id(Kind::User, 4026531837);
const SHARED: NsId = id(Kind::Net, 100);
const OWN: NsId = id(Kind::Net, 200);
/// Only the owner of a namespace, with no process in it.
const MIDDLE: NsId = id(Kind::User, 300);

fn add_process(tree: &Path, pid: Pid, net: NsId) {
    let dir = tree.join(format!("proc/{pid}"));
    fs::create_dir_all(dir.join("ns")).unwrap();
    fs::create_dir_all(dir.join("fd")).unwrap();
    for link in LinkSet::all().iter() {
        let kind = link.kind();
        let to = match kind {
            Kind::Net => net,
            _ => id(kind, kind.initial_ino()),
        };
        symlink(to.to_string(), dir.join("ns").join(link.name())).unwrap();
    }
    fs::write(dir.join("stat"), format!("{pid} (comm) S 1 1\n")).unwrap();
    fs::write(dir.join("status"), "Uid:\t0\t0\t0\t0\n").unwrap();
    fs::write(dir.join("cmdline"), format!("process\0{pid}\0")).unwrap();
}

/// Processes 1 in the initial namespace alone, 7 and 8 in one that they share,
/// 9 in one of its own, which a user namespace without processes owns.
fn tree() -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    for (pid, net) in [(1, id(Kind::Net, 1)), (7, SHARED), (8, SHARED), (9, OWN)] {
        add_process(tree.path(), pid, net);
    }
    tree
}

fn kernel(tree: &Path) -> Fake {
    let nets = [
        (1, id(Kind::Net, 1)),
        (7, SHARED),
        (8, SHARED),
        (9, OWN),
        (10, OWN),
    ];
    Fake {
        paths: nets
            .into_iter()
            .flat_map(|(pid, net)| {
                Kind::ALL.iter().map(move |kind| {
                    let to = match kind {
                        Kind::Net => net,
                        _ => id(*kind, kind.initial_ino()),
                    };
                    (format!("/proc/{pid}/ns/{kind}"), to)
                })
            })
            .collect(),
        tree: Some(tree.to_owned()),
        owners: Kind::ALL
            .iter()
            .map(|kind| (id(*kind, kind.initial_ino()), USER))
            .filter(|(id, _)| *id != USER)
            .chain([
                (id(Kind::Net, 1), USER),
                (SHARED, USER),
                (OWN, MIDDLE),
                (MIDDLE, USER),
            ])
            .collect(),
        uids: [(USER, 0), (MIDDLE, 1000)].into(),
        ..Fake::default()
    }
}

fn request() -> Request {
    Request {
        goal: Goal::All,
        kinds: KindSet::from([Kind::User, Kind::Net]),
        needs: [Need::Command, Need::Uid, Need::Relations].into(),
        mounts: std::sync::Arc::default(),
        sources: Sources::from([
            Source::Processes,
            Source::Threads,
            Source::Fds,
            Source::Relations,
        ]),
        has_chosen_sources: true,
        uses_bpf: false,
    }
}

/// Scans a tree to which something happens before the nth access. Returns the
/// snapshot, and whether the scan made so many accesses.
fn scan_with(
    tree: &Path,
    nth: usize,
    change: impl Fn() + 'static,
) -> (Result<Snapshot, Error>, bool) {
    let root = Sysroot::at(tree);
    let context = Context::new(&root, Some(kernel(tree)), NonZeroUsize::MIN, None);
    let count = Rc::new(Cell::new(0));
    let counter = count.clone();
    let count_down = move || {
        counter.set(counter.get() + 1);
        if counter.get() == nth {
            change();
        }
    };
    let scanned = changes::during(count_down, || scan(&context, &request()));
    (scanned, count.get() >= nth)
}

/// Takes a process away for good; what is open of it has no files any more.
fn end(tree: &Path, pid: Pid) {
    fs::remove_dir_all(tree.join(format!("proc/{pid}"))).unwrap();
}

/// Asserts that every row names a process that was there when it was read.
fn assert_whole(snapshot: &Snapshot) {
    for namespace in &snapshot.namespaces {
        let members = snapshot.members(namespace.id).count();
        assert_eq!(namespace.nprocs, members, "{}", namespace.id);
        let first = snapshot.members(namespace.id).next();
        assert_eq!(namespace.pid, first.map(|process| process.pid));
        if let Some(process) = first {
            let command = format!("process {}", process.pid);
            assert_eq!(process.command(), Some(&command.into()), "{}", namespace.id);
            assert_eq!(process.uid(), Some(0));
        }
    }
}

#[test]
fn the_kernel_adds_owners_that_no_process_is_in() {
    let tree = tree();
    let (snapshot, _) = scan_with(tree.path(), 0, || ());
    let snapshot = snapshot.unwrap();
    assert_whole(&snapshot);
    let found: Vec<_> = snapshot
        .namespaces
        .iter()
        .map(|namespace| (namespace.id, namespace.nprocs, namespace.relations.owner))
        .collect();
    assert_eq!(
        found,
        [
            (id(Kind::Net, 1), 1, Some(USER)),
            (SHARED, 2, Some(USER)),
            (OWN, 1, Some(MIDDLE)),
            (MIDDLE, 0, Some(USER)),
            (USER, 4, None),
        ]
    );
    let middle = snapshot.namespace(MIDDLE).unwrap();
    assert_eq!(middle.via, Holder::Owned(OWN));
    assert_eq!(snapshot.gaps, []);
}

#[test]
fn a_representative_may_end_between_any_two_reads() {
    for nth in 1.. {
        let tree = tree();
        let path = tree.path().to_owned();
        let (snapshot, was_reached) = scan_with(tree.path(), nth, move || end(&path, 7));
        let snapshot = snapshot.unwrap();
        assert_whole(&snapshot);
        let shared = snapshot.namespace(SHARED).unwrap();
        let expected = match snapshot.process(7) {
            Some(_) => (Some(7), 2),
            None => (Some(8), 1),
        };
        assert_eq!((shared.pid, shared.nprocs), expected, "access {nth}");
        assert!(snapshot.is_complete(), "access {nth}: {:?}", snapshot.gaps);
        if !was_reached {
            assert!(nth > 40, "only {nth} accesses");
            return;
        }
    }
}

#[test]
fn the_only_process_of_a_namespace_may_end_between_any_two_reads() {
    for nth in 1.. {
        let tree = tree();
        let path = tree.path().to_owned();
        let (snapshot, was_reached) = scan_with(tree.path(), nth, move || end(&path, 9));
        let snapshot = snapshot.unwrap();
        assert_whole(&snapshot);
        let is_there = snapshot.process(9).is_some();
        // With the process goes its namespace, and the owner of that.
        assert_eq!(snapshot.namespace(OWN).is_some(), is_there, "access {nth}");
        assert_eq!(
            snapshot.namespace(MIDDLE).is_some(),
            is_there,
            "access {nth}"
        );
        if !was_reached {
            return;
        }
    }
}

#[test]
fn a_process_that_hops_to_another_pid_between_any_two_reads_hides_nothing() {
    for nth in 1.. {
        let tree = tree();
        let path = tree.path().to_owned();
        let (snapshot, was_reached) = scan_with(tree.path(), nth, move || {
            add_process(&path, 10, OWN);
            end(&path, 9);
        });
        let snapshot = snapshot.unwrap();
        assert_whole(&snapshot);
        let own = snapshot.namespace(OWN);
        let pid = own.and_then(|namespace| namespace.pid);
        assert!(matches!(pid, Some(9 | 10)), "access {nth}: {own:?}");
        if !was_reached {
            return;
        }
    }
}

#[test]
fn a_process_that_hops_on_at_every_read_is_a_gap() {
    let tree = tree();
    let path = tree.path().to_owned();
    let pid = Cell::new(9);
    let root = Sysroot::at(tree.path());
    let context = Context::new(&root, Some(kernel(tree.path())), NonZeroUsize::MIN, None);
    let hop = move || {
        add_process(&path, pid.get() + 1, OWN);
        end(&path, pid.replace(pid.get() + 1));
    };
    let snapshot = changes::during(hop, || scan(&context, &request())).unwrap();
    assert_whole(&snapshot);
    assert!(!snapshot.is_complete());
    let hidden = snapshot.gaps.iter().filter(|gap| gap.cause.hides());
    let causes: Vec<Cause> = hidden.map(|gap| gap.cause).collect();
    assert_eq!(causes, [Cause::Unstable]);
}

#[test]
fn the_last_process_may_end_between_any_two_reads() {
    for nth in 1.. {
        let tree = tempfile::tempdir().unwrap();
        add_process(tree.path(), 7, SHARED);
        let path = tree.path().to_owned();
        let (scanned, was_reached) = scan_with(tree.path(), nth, move || end(&path, 7));
        match scanned {
            Ok(snapshot) => assert_whole(&snapshot),
            Err(error) => assert!(matches!(error, Error::NoProcesses(_)), "{error}"),
        }
        if !was_reached {
            return;
        }
    }
}

#[test]
fn a_process_that_moves_each_time_it_is_looked_at_is_given_up() {
    let tree = tree();
    let path = tree.path().join("proc/9/ns/net");
    let moves = Cell::new(0);
    let root = Sysroot::at(tree.path());
    let context = Context::new(&root, Some(kernel(tree.path())), NonZeroUsize::MIN, None);
    let hop = move || {
        moves.set(moves.get() + 1);
        fs::remove_file(&path).unwrap();
        symlink(id(Kind::Net, 1000 + moves.get()).to_string(), &path).unwrap();
    };
    let snapshot = changes::during(hop, || scan(&context, &request())).unwrap();
    assert_whole(&snapshot);
    assert_eq!(snapshot.process(9), None);
    assert!(!snapshot.is_complete());
    let causes: Vec<Cause> = snapshot.gaps.iter().map(|gap| gap.cause).collect();
    assert_eq!(causes, [Cause::Unstable]);
}

#[test]
fn without_a_kernel_nothing_is_known_of_owners() {
    let tree = tree();
    let root = Sysroot::at(tree.path());
    let context = Context::new(&root, None::<Fake>, NonZeroUsize::MIN, None);
    let snapshot = scan(&context, &request()).unwrap();
    assert_whole(&snapshot);
    assert!(
        snapshot
            .namespaces
            .iter()
            .all(|namespace| namespace.relations == Relations::default())
    );
    assert_eq!(snapshot.namespace(MIDDLE), None);
}

/// Scans with a kernel that lists these namespaces.
fn scan_listed(tree: &Path, listed: impl IntoIterator<Item = NsId>) -> Snapshot {
    let listed = (10..).zip(listed);
    let mut kernel = Fake {
        listed: Some(listed.collect()),
        ..kernel(tree)
    };
    let thread = "/proc/9/task/10/ns/net".to_owned();
    kernel.paths.insert(thread, id(Kind::Net, 400));
    let root = Sysroot::at(tree);
    let context = Context::new(&root, Some(kernel), NonZeroUsize::MIN, None);
    let request = Request {
        sources: Sources::all(),
        has_chosen_sources: false,
        ..request()
    };
    scan(&context, &request).unwrap()
}

#[test]
fn threads_and_mounts_are_looked_at_only_if_the_kernel_lists_more_than_processes_explain() {
    let tree = tree();
    // Thread 10 of process 9 is elsewhere.
    let elsewhere = id(Kind::Net, 400);
    let thread = tree.path().join("proc/9/task/10/ns");
    fs::create_dir_all(&thread).unwrap();
    fs::create_dir(tree.path().join("proc/9/task/9")).unwrap();
    symlink(elsewhere.to_string(), thread.join("net")).unwrap();
    fs::write(tree.path().join("proc/9/task/10/stat"), "10 (comm) S 1 1\n").unwrap();
    let explained = [id(Kind::Net, 1), SHARED, OWN, MIDDLE, USER];
    let looked = |snapshot: &Snapshot| {
        let all = [Source::Threads, Source::Mounts];
        let looked = all.map(|source| snapshot.sources.contains(source));
        assert_eq!(looked[0], looked[1]);
        looked[0]
    };
    let ids = |snapshot: &Snapshot| -> Vec<NsId> {
        snapshot.namespaces.iter().map(|found| found.id).collect()
    };
    // The owner is known from a relation, and of other types none matters.
    let known = [explained.as_slice(), &[id(Kind::Uts, 500)]].concat();
    let snapshot = scan_listed(tree.path(), known);
    assert_eq!(
        (looked(&snapshot), ids(&snapshot)),
        (false, explained.to_vec())
    );
    assert!(snapshot.sources.contains(Source::Listns));
    let more = [explained.as_slice(), &[elsewhere]].concat();
    let snapshot = scan_listed(tree.path(), more);
    let mut all = explained.to_vec();
    all.insert(4, elsewhere);
    assert_eq!((looked(&snapshot), ids(&snapshot)), (true, all));
    let via = &snapshot.namespace(elsewhere).unwrap().via;
    assert!(
        matches!(
            via,
            Holder::Thread {
                pid: 9,
                tid: 10,
                ..
            }
        ),
        "{via:?}"
    );
    // Nothing but the list knows this user namespace.
    let more = [explained.as_slice(), &[id(Kind::User, 600)]].concat();
    let snapshot = scan_listed(tree.path(), more);
    assert!(looked(&snapshot));
    assert!(snapshot.namespace(id(Kind::User, 600)).is_some());
}

#[test]
fn a_pid_namespace_before_its_first_process_is_no_gap_if_the_kernel_lists_it() {
    let tree = tree();
    fs::remove_file(tree.path().join("proc/9/ns/pid_for_children")).unwrap();
    let unborn = id(Kind::Pid, 700);
    let scan = |listed: Option<NsId>, need: Option<Need>| {
        let kernel = Fake {
            listed: listed.map(|id| [(10, id)].into()),
            ..kernel(tree.path())
        };
        let root = Sysroot::at(tree.path());
        let context = Context::new(&root, Some(kernel), NonZeroUsize::MIN, None);
        let request = Request {
            kinds: Kind::Pid.into(),
            needs: need.into_iter().collect(),
            mounts: std::sync::Arc::default(),
            sources: Sources::all(),
            has_chosen_sources: false,
            ..request()
        };
        let snapshot = scan(&context, &request).unwrap();
        let gaps = snapshot
            .gaps
            .iter()
            .filter(|gap| gap.cause == Cause::Unborn);
        (gaps.count(), snapshot.namespace(unborn).is_some())
    };
    assert_eq!(scan(None, None), (1, false));
    assert_eq!(scan(Some(unborn), None), (0, true));
    // What holds it remains unknown.
    assert_eq!(scan(Some(unborn), Some(Need::Holders)), (1, true));
}

#[test]
fn a_socket_is_traced_to_every_file_of_a_process_that_still_exists() {
    let tree = tree();
    let socket = |protocol, ino| NetSocket {
        protocol,
        local: Local::Path("/x".into()),
        state: SocketState::Bound,
        is_v6_only: None,
        ino,
    };
    let network = Network {
        sockets: Some(vec![socket(Protocol::Udp, 70), socket(Protocol::Unix, 71)]),
        ..Network::default()
    };
    let kernel = || Fake {
        networks: [(SHARED, network.clone())].into(),
        ..kernel(tree.path())
    };
    for (pid, fd, ino) in [(7, 4, 70), (7, 3, 70), (8, 3, 70), (9, 3, 70), (9, 4, 99)] {
        let link = tree.path().join(format!("proc/{pid}/fd/{fd}"));
        symlink(format!("socket:[{ino}]"), link).unwrap();
    }
    let root = Sysroot::at(tree.path());
    let scan = |needs: &[Need]| {
        let context = Context::new(&root, Some(kernel()), NonZeroUsize::MIN, None);
        let request = Request {
            kinds: Kind::Net.into(),
            needs: needs.iter().copied().collect(),
            sources: Source::Processes.into(),
            ..request()
        };
        scan(&context, &request).unwrap()
    };
    let snapshot = scan(&[Need::SocketFiles]);
    let files = |ino| {
        let files = snapshot.socket_files(ino).iter();
        files.map(|file| (file.pid, file.fd)).collect::<Vec<_>>()
    };
    assert_eq!(files(70), [(7, 3), (7, 4), (8, 3), (9, 3)]);
    // Nobody has it open; nobody listed it.
    assert_eq!((files(71), files(99)), (vec![], vec![]));
    // Those that may not be entered.
    let denied = snapshot
        .gaps
        .iter()
        .map(|gap| (gap.source, gap.cause, gap.count));
    let expected = (Source::Contents, Cause::Denied, Some(2));
    assert_eq!(denied.collect::<Vec<_>>(), [expected]);
    let snapshot = scan(&[Need::Listeners]);
    assert!(snapshot.socket_files.is_empty());
    let facts = snapshot.namespace(SHARED).unwrap().facts.clone().unwrap();
    assert_eq!(facts.sockets.as_ref().map(Vec::len), Some(2));
    let without = scan(&[]);
    assert_eq!(
        (
            without.namespace(SHARED).unwrap().facts.clone(),
            without.gaps
        ),
        (None, vec![])
    );
}
