use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::kernel::{Record, What};
use crate::model::{Holder, Link, Namespace, Process, Snapshot};
use crate::text::Text;

/// A system that answers from tables.
#[derive(Default)]
struct Fake {
    /// The namespaces that exist, by unique ID.
    alive: BTreeSet<u64>,
    /// What namespaces tasks are in now.
    inside: BTreeMap<(Tid, NsId), u64>,
    mounted: BTreeMap<NsId, u64>,
    commands: BTreeMap<Pid, &'static str>,
    links: BTreeMap<Pid, Links>,
    with_threads: BTreeSet<Pid>,
    existing: BTreeSet<Tid>,
    opened_before: bool,
}

impl Probe for Fake {
    fn is_alive(&mut self, _: NsId, unique_id: u64) -> Option<bool> {
        Some(self.alive.contains(&unique_id))
    }

    fn identify(&mut self, asked: &[(Tid, NsId)]) -> Vec<Option<u64>> {
        let found = asked.iter().map(|one| self.inside.get(one).copied());
        found.collect()
    }

    fn identify_mounted(&mut self, ids: &[NsId]) -> Vec<Option<u64>> {
        ids.iter().map(|id| self.mounted.get(id).copied()).collect()
    }

    fn examine(&mut self, tid: Tid, id: NsId, _: u64) -> Option<Examined> {
        let unique_id = self.inside.get(&(tid, id)).copied();
        unique_id.map(|unique_id| Examined {
            unique_id: Some(unique_id),
            was_open: self.opened_before,
        })
    }

    fn links(&mut self, pids: &[Pid]) -> Vec<Option<Links>> {
        pids.iter()
            .map(|pid| self.links.get(pid).cloned())
            .collect()
    }

    fn commands(&mut self, pids: &[Pid]) -> Vec<Option<Text>> {
        let command = |pid| self.commands.get(pid).map(|text| Text::from(*text));
        pids.iter().map(command).collect()
    }

    fn has_threads(&mut self, pid: Pid) -> bool {
        self.with_threads.contains(&pid)
    }

    fn exists(&mut self, tid: Tid) -> bool {
        self.existing.contains(&tid)
    }
}

const KINDS: [(Link, u64); 7] = [
    (Link::Mnt, 1),
    (Link::Net, 2),
    (Link::Ipc, 3),
    (Link::User, 4),
    (Link::Pid, 5),
    (Link::Uts, 6),
    (Link::Cgroup, 7),
];

/// The namespaces of everyone, but for one.
fn links(link: Link, ino: u64) -> Links {
    let mut links = host();
    links.set(link, ino);
    links
}

fn host() -> Links {
    let mut links = Links::default();
    for (link, ino) in KINDS {
        links.set(link, ino);
    }
    links
}

fn net(ino: u64) -> NsId {
    let kind = Kind::Net;
    NsId { ino, kind }
}

fn namespace(id: NsId, unique_id: Option<u64>, pid: Option<Pid>) -> Namespace {
    let via = Holder::Listed { unique_id: 0 };
    let mut namespace = Namespace::new(id, via);
    namespace.pid = pid;
    namespace.relations.unique_id = unique_id;
    namespace
}

/// A snapshot of processes 1 and 2, and of these.
fn snapshot(processes: &[(Pid, Links)], more: Vec<Namespace>) -> Snapshot {
    let basic = [(1, host()), (2, host())];
    let all = basic.iter().chain(processes);
    let mut namespaces: Vec<_> = host()
        .iter()
        .map(|(_, id)| namespace(id, Some(id.ino), Some(1)))
        .chain(more)
        .collect();
    namespaces.sort_by_key(|one| one.id);
    Snapshot {
        namespaces,
        processes: all
            .map(|(pid, links)| Process::new(*pid, links.clone()))
            .collect(),
        ..Snapshot::default()
    }
}

struct Bench {
    watcher: Watcher,
    fake: Fake,
}

impl Bench {
    /// Begins with a scan that finds processes 1 and 2.
    fn new() -> Self {
        Bench::with(&snapshot(&[], Vec::new()))
    }

    fn with(ground: &Snapshot) -> Self {
        let mut bench = Bench {
            watcher: Watcher::default(),
            fake: Fake {
                alive: (1..=7).collect(),
                existing: [1, 2].into(),
                ..Fake::default()
            },
        };
        assert_eq!(bench.scan(ground, 0), [""; 0]);
        bench
    }

    fn scan(&mut self, snapshot: &Snapshot, now: u64) -> Vec<String> {
        self.watcher.begin_scan();
        self.scanned(snapshot, now, now)
    }

    fn scanned(&mut self, snapshot: &Snapshot, started: u64, now: u64) -> Vec<String> {
        let mut notices = self.watcher.merge(snapshot, started, now, &mut self.fake);
        self.watcher.read(now, &mut self.fake);
        notices.extend(self.watcher.settle(now, false, &mut self.fake));
        notices.iter().map(shown).collect()
    }

    fn record(&mut self, time: u64, pid: Pid, tid: Tid, what: What) {
        let record = Record {
            time,
            pid,
            tid,
            what,
        };
        self.watcher.apply(record, &mut self.fake);
    }

    fn fork(&mut self, time: u64, from: Pid, pid: Pid, links: Links) {
        self.record(time, pid, pid, What::Fork(from));
        self.record(time, pid, pid, What::Namespaces(links));
    }

    fn settle(&mut self, now: u64) -> Vec<String> {
        self.settle_before(now, &[])
    }

    /// Settles while these records are not applied yet.
    fn settle_before(&mut self, now: u64, unapplied: &[Record]) -> Vec<String> {
        if self.watcher.read(now, &mut self.fake) {
            self.watcher.doubt(unapplied);
        }
        let notices = self.watcher.settle(now, true, &mut self.fake);
        notices.iter().map(shown).collect()
    }
}

fn shown(notice: &Notice) -> String {
    match notice {
        Notice::Lost { time, records } => format!("{time} ! {records}"),
        Notice::Event(event) => {
            let who = event.who.as_ref().map_or_else(String::new, |who| {
                let command = who
                    .command
                    .as_ref()
                    .map_or_else(String::new, Text::to_string);
                format!(" {} {command}", who.tid)
            });
            let lived = event
                .lived
                .map_or_else(String::new, |lived| format!(" lived {lived}"));
            let (time, sign, id) = (event.time, event.what.sign(), event.id);
            let unique_id = event
                .unique_id
                .map_or_else(String::new, |id| format!("#{id}"));
            let doubt = if event.is_certain { "" } else { " ?" };
            let by = event.means.name();
            format!("{time} {sign} {id}{unique_id} {by}{who}{lived}{doubt}")
        }
    }
}

#[test]
fn a_namespace_appears_is_entered_and_ends_with_the_last_process() {
    let mut bench = Bench::new();
    bench.fork(10, 2, 20, host());
    bench.record(11, 20, 20, What::Comm(Comm::new(b"unshare"), true));
    bench.fake.commands.insert(20, "unshare -n sleep 1");
    bench.fake.inside.insert((20, net(50)), 500);
    bench.fake.alive.insert(500);
    bench.record(12, 20, 20, What::Namespaces(links(Link::Net, 50)));
    assert_eq!(
        bench.settle(13),
        ["12 + net:[50]#500 unshare 20 unshare -n sleep 1"]
    );
    bench.record(14, 2, 2, What::Namespaces(links(Link::Net, 50)));
    assert_eq!(bench.settle(15), ["14 > net:[50]#500 setns 2 "]);
    bench.record(16, 20, 20, What::Exit);
    assert_eq!(bench.settle(17), [""; 0]);
    bench.record(18, 2, 2, What::Namespaces(host()));
    bench.fake.alive.remove(&500);
    assert_eq!(
        bench.settle(19),
        ["18 > net:[2]#2 setns 2 ", "18 - net:[50]#500 leave lived 6"]
    );
}

#[test]
fn a_namespace_that_something_else_keeps_is_emptied_once_and_ends_later() {
    let mut bench = Bench::new();
    bench.fork(10, 2, 20, host());
    bench.record(12, 20, 20, What::Namespaces(links(Link::Net, 50)));
    bench.record(13, 20, 20, What::Exit);
    // Only the mount tells which one it is.
    bench.fake.mounted.insert(net(50), 500);
    bench.fake.alive.insert(500);
    assert_eq!(bench.settle(14), ["12 + net:[50]#500 unshare 20 "]);
    assert!(bench.watcher.is_waiting());
    assert_eq!(bench.settle(13 + GRACE), ["13 . net:[50]#500 leave"]);
    assert!(!bench.watcher.is_waiting() && !bench.watcher.wants_scan());
    assert_eq!(bench.settle(14 + GRACE), [""; 0]);
    bench.fake.alive.remove(&500);
    let end = 20 + GRACE;
    let expected = format!("{end} - net:[50]#500 look lived {}", end - 12);
    assert_eq!(bench.settle(end), [expected]);
}

#[test]
fn a_namespace_that_came_and_went_between_two_looks_is_told_of_by_a_scan() {
    let mut bench = Bench::new();
    bench.fork(10, 2, 20, host());
    bench.record(12, 20, 20, What::Namespaces(links(Link::Uts, 50)));
    bench.record(13, 20, 20, What::Exit);
    assert_eq!(bench.settle(14), ["12 + uts:[50] unshare 20 "]);
    assert!(bench.watcher.wants_scan());
    // One that began before it was left proves nothing.
    assert_eq!(bench.scanned(&snapshot(&[], Vec::new()), 11, 15), [""; 0]);
    assert!(bench.watcher.wants_scan());
    let ended = bench.scan(&snapshot(&[], Vec::new()), 20);
    assert_eq!(
        ended,
        ["13 - uts:[50] leave lived 1"].map(|line| line.replace("leave", "scan"))
    );
    assert!(!bench.watcher.wants_scan());
}

#[test]
fn a_number_that_is_used_again_is_another_namespace_if_the_first_has_ended() {
    let mut bench = Bench::new();
    for (time, pid) in [(10, 20), (20, 21)] {
        bench.fork(time, 2, pid, host());
        let unshared = What::Namespaces(links(Link::Uts, 50));
        bench.record(time + 2, pid, pid, unshared);
        bench.record(time + 3, pid, pid, What::Exit);
    }
    // Neither was seen alive: the second may have entered the first.
    assert_eq!(
        bench.settle(24),
        [
            "12 + uts:[50] unshare 20 ",
            "13 - uts:[50] leave lived 1 ?",
            "22 + uts:[50] unshare 21  ?"
        ]
    );
}

#[test]
fn an_id_is_not_taken_from_a_later_namespace_that_has_the_number_by_then() {
    let unshared = |time, ino| Record {
        time,
        pid: 20,
        tid: 20,
        what: What::Namespaces(links(Link::Uts, ino)),
    };
    let uts = |ino| NsId {
        ino,
        kind: Kind::Uts,
    };
    let mut bench = Bench::new();
    bench.fork(10, 2, 20, host());
    bench.watcher.apply(unshared(12, 50), &mut bench.fake);
    // By the time of the reading, it has made another one, and a third, which has
    // the number of the first.
    bench.fake.inside.insert((20, uts(50)), 502);
    bench.fake.alive.insert(502);
    assert_eq!(
        bench.settle_before(13, &[unshared(14, 51), unshared(15, 50)]),
        ["12 + uts:[50] unshare 20 "]
    );
    bench.watcher.apply(unshared(14, 51), &mut bench.fake);
    bench.watcher.apply(unshared(15, 50), &mut bench.fake);
    assert_eq!(
        bench.settle(16),
        [
            "14 + uts:[51] unshare 20 ",
            "14 - uts:[50] leave lived 2 ?",
            "15 + uts:[50]#502 unshare 20  ?",
        ]
    );
    // Another task's changes, and its own of other types, cast no doubt on it.
    bench.fork(20, 2, 21, host());
    bench.record(21, 21, 21, What::Namespaces(links(Link::Uts, 52)));
    bench.fake.inside.insert((21, uts(52)), 503);
    bench.fake.alive.insert(503);
    let mut other_type = links(Link::Uts, 52);
    other_type.set(Link::Net, 53);
    let other_type = Record {
        time: 23,
        pid: 21,
        tid: 21,
        what: What::Namespaces(other_type),
    };
    assert_eq!(
        bench.settle_before(22, &[unshared(22, 54), other_type]),
        ["21 + uts:[52]#503 unshare 21 "]
    );
}

#[test]
fn a_number_that_is_used_again_is_another_namespace_if_clone_made_it() {
    let mut bench = Bench::new();
    for (time, pid) in [(10, 20), (20, 21)] {
        bench.fork(time, 2, pid, links(Link::Uts, 50));
        bench.record(time + 3, pid, pid, What::Exit);
    }
    assert_eq!(
        bench.settle(24),
        [
            "10 + uts:[50] fork 20 ",
            "13 - uts:[50] leave lived 3",
            "20 + uts:[50] fork 21 "
        ]
    );
}

#[test]
fn a_namespace_that_was_open_before_was_entered() {
    let mut bench = Bench::new();
    bench.fork(10, 2, 20, host());
    bench.record(12, 20, 20, What::Namespaces(links(Link::Net, 50)));
    bench.record(13, 20, 20, What::Exit);
    bench.fake.opened_before = true;
    bench.fake.inside.insert((2, net(50)), 500);
    bench.fake.alive.insert(500);
    bench.record(22, 2, 2, What::Namespaces(links(Link::Net, 50)));
    assert_eq!(
        bench.settle(24),
        [
            "12 + net:[50]#500 unshare 20 ",
            "22 > net:[50]#500 setns 2 "
        ]
    );
}

#[test]
fn a_pid_namespace_is_entered_by_fork() {
    let mut bench = Bench::new();
    bench.fork(10, 2, 20, links(Link::Pid, 50));
    bench.fork(11, 2, 21, links(Link::Pid, 50));
    let entered = bench.settle(12);
    assert_eq!(
        entered,
        ["10 + pid:[50] fork 20 ", "11 > pid:[50] fork 21  ?"]
    );
}

#[test]
fn a_pid_namespace_that_waits_for_its_first_process_has_not_ended() {
    let mut bench = Bench::new();
    bench.fork(10, 2, 20, host());
    let inside = links(Link::Uts, 60);
    let mut waiting = inside.clone();
    waiting.set(Link::PidForChildren, 50);
    bench.fake.links.insert(20, waiting);
    bench.record(12, 20, 20, What::Namespaces(inside.clone()));
    let begun = bench.settle(13);
    assert_eq!(
        begun,
        ["12 + uts:[60] unshare 20 ", "12 + pid:[50] unshare 20 "]
    );
    let mut born = inside;
    born.set(Link::Pid, 50);
    bench.fork(14, 20, 21, born);
    assert_eq!(bench.settle(15), ["14 > pid:[50] fork 21 "]);
}

#[test]
fn a_command_line_of_another_program_names_nobody() {
    let mut bench = Bench::new();
    bench.fork(10, 2, 20, host());
    bench.record(11, 20, 20, What::Comm(Comm::new(b"unshare"), true));
    bench.record(12, 20, 20, What::Namespaces(links(Link::Net, 50)));
    bench.fake.commands.insert(20, "/bin/sleep 1");
    assert_eq!(bench.settle(13), ["12 + net:[50] unshare 20 unshare"]);
}

#[test]
fn a_thread_elsewhere_keeps_a_namespace_and_is_named() {
    let mut bench = Bench::new();
    bench.record(10, 2, 30, What::Fork(2));
    bench.record(10, 2, 30, What::Namespaces(host()));
    bench.fake.inside.insert((30, net(50)), 500);
    bench.record(12, 2, 30, What::Namespaces(links(Link::Net, 50)));
    assert_eq!(bench.settle(13), ["12 + net:[50]#500 unshare 30 "]);
    // Back where its process is.
    bench.record(14, 2, 30, What::Namespaces(host()));
    assert_eq!(
        bench.settle(15),
        [
            "14 > net:[2]#2 setns 30 ",
            "14 - net:[50]#500 leave lived 2"
        ]
    );
    assert_eq!(bench.watcher.tasks.len(), 2);
}

#[test]
fn threads_that_outlive_their_leader_are_in_its_namespaces() {
    let mut bench = Bench::new();
    bench.fork(10, 2, 20, links(Link::Net, 50));
    bench.fake.inside.insert((20, net(50)), 500);
    bench.fake.alive.insert(500);
    bench.settle(11);
    bench.record(12, 20, 20, What::Exit);
    bench.fake.with_threads.insert(20);
    assert_eq!(bench.settle(12 + GRACE), [""; 0]);
    bench.fake.with_threads.clear();
    assert_eq!(bench.settle(13 + GRACE), ["12 . net:[50]#500 leave"]);
}

#[test]
fn a_thread_that_executes_a_program_becomes_its_process() {
    let mut bench = Bench::new();
    bench.fork(10, 2, 20, links(Link::Net, 50));
    bench.fake.inside.insert((20, net(50)), 500);
    bench.fake.alive.insert(500);
    bench.settle(11);
    bench.record(12, 20, 20, What::Exit);
    bench.record(13, 20, 20, What::Comm(Comm::new(b"other"), true));
    bench.fake.links.insert(20, links(Link::Net, 50));
    assert_eq!(bench.settle(13 + GRACE), [""; 0]);
    assert_eq!(bench.watcher.members(net(50)), 1);
}

#[test]
fn a_time_namespace_is_read_after_a_change_that_no_record_shows() {
    let mut bench = Bench::new();
    let mut found = host();
    found.set(Link::Time, 8);
    found.set(Link::TimeForChildren, 60);
    bench.fake.links.insert(2, found);
    bench.record(10, 2, 2, What::Namespaces(host()));
    let appeared = bench.settle(11);
    assert_eq!(
        appeared,
        ["10 + time:[8] unshare 2 ", "10 + time:[60] unshare 2 "]
    );
    bench.fork(12, 2, 20, host());
    let id = NsId {
        ino: 60,
        kind: Kind::Time,
    };
    assert_eq!(bench.watcher.members(id), 1);
}

#[test]
fn what_was_lost_is_said_and_repaired_by_the_next_scan() {
    let mut bench = Bench::new();
    bench.watcher.lose(3);
    assert!(bench.watcher.wants_scan());
    let processes = [(20, links(Link::Net, 50))];
    let more = vec![namespace(net(50), Some(500), Some(20))];
    bench.fake.alive.insert(500);
    bench.fake.existing.insert(20);
    assert_eq!(
        bench.scan(&snapshot(&processes, more), 9),
        ["9 ! 3", "9 + net:[50]#500 scan 20 "]
    );
    assert!(!bench.watcher.wants_scan());
    // The end of process 20 is lost, too.
    bench.watcher.lose(1);
    bench.fake.existing.remove(&20);
    bench.fake.alive.remove(&500);
    assert_eq!(
        bench.scan(&snapshot(&[], Vec::new()), 20),
        ["20 ! 1", "20 - net:[50]#500 scan lived 11"]
    );
}

#[test]
fn a_scan_that_fails_repairs_nothing() {
    let mut bench = Bench::new();
    bench.watcher.lose(3);
    bench.watcher.begin_scan();
    assert!(!bench.watcher.wants_scan());
    bench.watcher.abandon_scan();
    assert!(bench.watcher.wants_scan());
}

#[test]
fn a_scan_does_not_bring_back_what_ended_meanwhile() {
    let mut bench = Bench::new();
    bench.fork(10, 2, 20, links(Link::Net, 50));
    bench.fake.inside.insert((20, net(50)), 500);
    bench.settle(11);
    bench.watcher.begin_scan();
    bench.record(13, 20, 20, What::Exit);
    assert_eq!(bench.settle(14), ["13 - net:[50]#500 leave lived 3"]);
    let processes = [(20, links(Link::Net, 50))];
    let more = vec![namespace(net(50), Some(500), Some(20))];
    assert_eq!(bench.scanned(&snapshot(&processes, more), 12, 15), [""; 0]);
    assert_eq!(bench.watcher.tasks.len(), 2);
}

#[test]
fn a_scan_that_finds_another_number_again_tells_both() {
    let mut bench = Bench::with(&snapshot(&[], vec![namespace(net(50), Some(500), None)]));
    bench.fake.alive.insert(501);
    let found = snapshot(&[], vec![namespace(net(50), Some(501), None)]);
    assert_eq!(
        bench.scan(&found, 9),
        ["9 - net:[50]#500 scan", "9 + net:[50]#501 scan"]
    );
}

#[test]
fn what_happens_during_the_first_scan_is_no_event() {
    let mut bench = Bench {
        watcher: Watcher::default(),
        fake: Fake {
            alive: (1..=7).collect(),
            ..Fake::default()
        },
    };
    bench.watcher.begin_scan();
    bench.fork(10, 2, 20, links(Link::Net, 50));
    assert_eq!(bench.scanned(&snapshot(&[], Vec::new()), 5, 20), [""; 0]);
    assert_eq!(bench.watcher.members(net(50)), 1);
    assert_eq!(bench.watcher.members(net(2)), 2);
}

#[test]
fn a_record_that_comes_late_changes_nothing() {
    let mut bench = Bench::new();
    bench.fork(20, 2, 20, links(Link::Net, 50));
    bench.record(10, 20, 20, What::Exit);
    bench.record(11, 20, 20, What::Namespaces(host()));
    assert_eq!(bench.settle(21), ["20 + net:[50] fork 20 "]);
    assert_eq!(bench.watcher.members(net(50)), 1);
}

fn any_record() -> impl Strategy<Value = (Pid, Tid, What)> {
    let what = prop_oneof![
        (1u32..8).prop_map(What::Fork),
        Just(What::Exit),
        any::<bool>().prop_map(|is_exec| What::Comm(Comm::new(b"x"), is_exec)),
        (0..7usize, 50u64..53)
            .prop_map(|(kind, ino)| { What::Namespaces(links(KINDS[kind].0, ino)) }),
    ];
    (1u32..8, 1u32..8, what)
}

proptest! {
    #[test]
    fn whatever_comes_every_namespace_ends_as_often_as_it_appears(
        records in proptest::collection::vec(any_record(), 0..200),
        every in 1usize..20,
    ) {
        let mut bench = Bench::new();
        let mut told: Vec<String> = Vec::new();
        for (time, (pid, tid, what)) in (10..).zip(records) {
            bench.record(time, pid, tid, what);
            if (time as usize).is_multiple_of(every) {
                told.extend(bench.settle(time));
            }
        }
        bench.fake.existing.clear();
        for now in [1_000_000, 2_000_000] {
            told.extend(bench.scan(&snapshot(&[], Vec::new()), now));
        }
        for ino in 50..53 {
            let count = |sign: &str| {
                let about = format!(":[{ino}]");
                let lines = told.iter().filter(|line| line.contains(&about));
                lines.filter(|line| line.contains(sign)).count()
            };
            prop_assert_eq!(count(" + "), count(" - "), "{:#?}", &told);
        }
        prop_assert!(bench.watcher.spaces.len() == 7 && bench.watcher.tasks.len() == 2);
    }
}
