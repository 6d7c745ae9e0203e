use std::sync::Arc;

use rustix::io::Errno;

use super::*;
use crate::kernel::{Carrier, Fake, Run};
use crate::model::{HiddenProcess, Holder, Kind, KindSet, Link, LinkSet, Links, Member, Sources};
use crate::proc::{ReadError, Sysroot};
use crate::scan::context::tests::with_kernel;
use crate::scan::groups::Groups;
use crate::scan::request::{Goal, Request};

fn task(pid: Pid, tid: Tid, net: Option<u64>) -> Task {
    let mut links = Links::default();
    for link in Link::ALL {
        let is_kept = matches!(link, Link::Pid | Link::User);
        if net.is_some() || is_kept {
            links.set(*link, 100 + link.index() as u64);
        }
    }
    links.set(Link::Net, net.unwrap_or(0));
    Task {
        pid,
        tid,
        links,
        has_moved: false,
        for_children: None,
        run: Run::default(),
        is_running: false,
    }
}

const fn net(ino: u64) -> NsId {
    let kind = Kind::Net;
    NsId { ino, kind }
}

fn file(pid: Pid, tid: Tid, fd: u32, table: u64) -> TaskFile {
    TaskFile {
        pid,
        tid,
        fd,
        table,
        ns: net(9),
        what: FileType::Socket,
        ino: 77,
        carrier: None,
        unique_id: None,
    }
}

/// Reads everything.
fn everything() -> Look {
    Look {
        thread_links: true,
        links: LinkSet::all(),
        threads: true,
        fds: true,
        cgroup: false,
    }
}

fn plan() -> Plan {
    let request = Request {
        goal: Goal::All,
        kinds: KindSet::all(),
        needs: Need::SocketFiles.into(),
        mounts: Arc::default(),
        sources: Sources::all(),
        has_chosen_sources: false,
        uses_bpf: true,
    };
    Plan::new(request, true)
}

fn files_of(all: Vec<TaskFile>) -> TaskFiles {
    let unseen = Vec::new();
    TaskFiles { all, unseen }
}

/// Reads processes 5, 6 and 7 of which this is told, on this system.
fn told(tasks: Vec<Task>, files: Vec<TaskFile>) -> (Told, Vec<(Cause, LinkSet)>) {
    let list = || Ok(vec![5, 6, 7]);
    let kernel = Fake {
        told: Some((tasks, files_of(files))),
        ..Fake::default()
    };
    let root = Sysroot::live();
    let context = with_kernel(&root, Fake::default());
    let plan = plan();
    let look = everything();
    let mut affiliations = Affiliations::below(&root);
    let (pids, answer) = ask(&context, &kernel, look, list).unwrap();
    let answer = answer.unwrap();
    let told = read(&context, &plan, look, &pids, answer, &mut affiliations);
    let gaps = context
        .gaps(3)
        .into_iter()
        .map(|gap| (gap.cause, gap.links));
    (told.unwrap(), gaps.collect())
}

#[test]
fn what_was_not_told_or_moved_is_left_to_proc() {
    let mut moved = task(7, 8, Some(1));
    moved.has_moved = true;
    let tasks = vec![
        task(4, 4, Some(1)),
        task(7, 7, Some(1)),
        moved,
        // Its first thread was not told of.
        task(6, 9, Some(1)),
        task(5, 5, Some(1)),
    ];
    let (told, gaps) = told(tasks, vec![file(7, 7, 3, 1), file(5, 5, 3, 2)]);
    assert_eq!(told.rest, [6, 7]);
    let pids: Vec<_> = told.processes.iter().map(|process| process.pid).collect();
    assert_eq!(pids, [5]);
    let open = OpenFile {
        pid: 5,
        tid: None,
        fd: 3,
    };
    assert_eq!(told.finds, [(net(9), Holder::Socket(open))]);
    assert_eq!(told.sockets, [(open, 77)]);
    assert_eq!(gaps, []);
}

#[test]
fn processes_that_the_proc_tree_hides_are_what_the_kernel_told() {
    // No system has such PIDs.
    let (hidden, moved, ended, thread) = (5_000_001, 5_000_002, 5_000_003, 5_000_004);
    let own = std::process::id();
    let name = |pid| HiddenProcess {
        pid,
        ppid: 1,
        uid: 7,
        comm: b"name"[..].into(),
    };
    let mut others = task(moved, moved, Some(1));
    others.has_moved = true;
    let answer = Answer {
        tasks: vec![
            task(own, own, Some(1)),
            task(hidden, hidden, Some(1)),
            task(hidden, thread, Some(1)),
            others,
        ],
        files: files_of(vec![file(hidden, hidden, 3, 1)]),
        doubtful: [hidden].into(),
    };
    let names = [own, moved, ended, hidden].map(name).to_vec();
    let kernel = Fake {
        names,
        ..Fake::default()
    };
    let root = Sysroot::live();
    let context = with_kernel(&root, kernel);
    let kernel = context.kernel.as_ref().unwrap();
    // This process was not listed, and yet is there.
    let found = find_hidden(&context, kernel, &[], &answer).unwrap();
    assert_eq!(found, [hidden, moved]);
    let known = |pid| context.root.hidden(pid);
    assert_eq!(known(hidden), Some(name(hidden)));
    assert_eq!((known(own), known(ended)), (None, None));
    let open = |pid| ProcessDir::open(&context.root, pid).err();
    assert_eq!(open(hidden), Some(ReadError::Errno(Errno::PERM)));
    assert_eq!(open(ended), Some(ReadError::Gone));
    // Each scan has its own.
    assert_eq!(root.hidden(hidden), None);

    let mut affiliations = Affiliations::below(&root);
    let look = Look {
        cgroup: true,
        ..everything()
    };
    let pids = [hidden, moved];
    let told = read(&context, &plan(), look, &pids, answer, &mut affiliations).unwrap();
    let pids: Vec<_> = told.processes.iter().map(|process| process.pid).collect();
    assert_eq!((pids, told.rest), (vec![hidden], vec![moved]));
    let open = OpenFile {
        pid: hidden,
        tid: None,
        fd: 3,
    };
    assert_eq!(told.finds, [(net(9), Holder::Socket(open))]);
    assert_eq!(told.vanished, [0; 0]);
    let gaps = context.gaps(2).into_iter();
    let gaps: Vec<_> = gaps.map(|gap| (gap.source, gap.cause, gap.count)).collect();
    let expected = [
        (Source::Fds, Cause::Hidden, Some(1)),
        (Source::Cgroups, Cause::Hidden, Some(1)),
    ];
    assert_eq!(gaps, expected);
}

#[test]
fn what_files_carry_is_told_of_listed_processes() {
    let mut moved = task(6, 6, Some(1));
    moved.has_moved = true;
    let tasks = vec![task(5, 5, Some(1)), moved];
    let carried = |pid, tid, fd, carrier, what| TaskFile {
        carrier: Some(carrier),
        what,
        unique_id: (what == FileType::Namespace).then_some(70),
        ..file(pid, tid, fd, 1)
    };
    let (socket, ring) = (Carrier::Socket, Carrier::Ring);
    let all = vec![
        carried(5, 5, 3, socket, FileType::Namespace),
        carried(5, 5, 3, socket, FileType::Socket),
        carried(6, 6, 4, ring, FileType::Tun),
        // It was not listed.
        carried(8, 8, 4, ring, FileType::Namespace),
    ];
    let unseen = [(5, Cause::Truncated), (5, Cause::Truncated)];
    let unseen = [&unseen[..], &[(6, Cause::Unstable), (8, Cause::Unstable)]].concat();
    let answer = Answer {
        tasks,
        files: TaskFiles { all, unseen },
        doubtful: HashSet::new(),
    };
    let root = Sysroot::live();
    let context = with_kernel(&root, Fake::default());
    let mut affiliations = Affiliations::below(&root);
    let look = everything();
    let pids = [5, 6];
    let told = read(&context, &plan(), look, &pids, answer, &mut affiliations).unwrap();
    assert_eq!(told.rest, [6]);
    let open = |pid, fd| OpenFile { pid, tid: None, fd };
    let expected = [
        (net(9), Holder::InFlight(open(5, 3))),
        (net(9), Holder::InFlight(open(5, 3))),
        (net(9), Holder::IoUring(open(6, 4))),
    ];
    assert_eq!(told.finds, expected);
    assert_eq!(told.ids, [(net(9), 70)]);
    let mut gaps: Vec<_> = context
        .gaps(2)
        .into_iter()
        .map(|gap| (gap.source, gap.cause, gap.count))
        .collect();
    gaps.sort_unstable();
    let expected = [
        (Source::Fds, Cause::Truncated, Some(1)),
        (Source::Fds, Cause::Unstable, Some(1)),
    ];
    assert_eq!(gaps, expected);
}

#[test]
fn a_process_whose_first_thread_ended_is_read_through_the_next() {
    let tasks = vec![
        task(5, 5, None),
        task(6, 6, None),
        task(6, 8, None),
        task(6, 9, Some(1)),
        task(6, 10, Some(2)),
        task(7, 7, Some(1)),
    ];
    // Threads 9 and 10 share a table, 11 has its own.
    let files = vec![file(6, 9, 3, 1), file(6, 10, 3, 1), file(6, 11, 3, 2)];
    let (told, gaps) = told(tasks, files);
    let threads: Vec<_> = told
        .processes
        .iter()
        .map(|process| process.thread)
        .collect();
    assert_eq!(threads, [None, Some(9), None]);
    let (pid, link) = (6, Link::Net);
    let socket = |tid| {
        let tid = Some(tid);
        (net(9), Holder::Socket(OpenFile { pid, tid, fd: 3 }))
    };
    let thread = (net(2), Holder::Thread { pid, tid: 10, link });
    assert_eq!(told.finds, [thread, socket(9), socket(11)]);
    let lost = LinkSet::all().without(LinkSet::from([Link::Pid, Link::User]));
    assert_eq!(gaps, [(Cause::Zombie, lost), (Cause::ZombieLeader, lost)]);
}

#[test]
fn only_another_pid_namespace_for_children_has_a_number_of_its_own() {
    let mut task = task(5, 5, Some(1));
    task.for_children = Some(70);
    task.links.set(Link::PidForChildren, 8);
    let id = NsId {
        ino: 8,
        kind: Kind::Pid,
    };
    assert_eq!(for_children(&task), Some((id, 70)));
    task.links.set(Link::Pid, 8);
    assert_eq!(for_children(&task), None);
}

/// Returns the processes in doubt of these tasks, each with its PID, TID,
/// table and how far it has come.
fn in_doubt(before: &[[u32; 4]], after: &[[u32; 4]], running: Option<Tid>) -> Vec<Pid> {
    let run = |[_, tid, table, sum]: [u32; 4]| Run {
        task: tid,
        table: table.into(),
        sum: sum.into(),
    };
    let before = before.iter().map(|numbers| run(*numbers)).collect();
    let after = after.iter().map(|numbers| {
        let [pid, tid, ..] = *numbers;
        Task {
            run: run(*numbers),
            is_running: running == Some(tid),
            ..task(pid, tid, Some(1))
        }
    });
    let mut pids: Vec<_> = doubtful(before, &after.collect::<Vec<_>>())
        .into_iter()
        .collect();
    pids.sort_unstable();
    pids
}

#[test]
fn only_processes_of_which_no_thread_ran_have_the_files_they_had() {
    let asleep = [[5, 5, 1, 70], [5, 6, 1, 70], [7, 7, 2, 70]];
    let in_doubt = |after: &[_], running| in_doubt(&asleep, after, running);
    let none: [Pid; 0] = [];
    assert_eq!(in_doubt(&asleep, None), none);
    // A thread ran, and has stopped or runs still.
    let ran = [[5, 5, 1, 70], [5, 6, 1, 71], [7, 7, 2, 70]];
    assert_eq!(in_doubt(&ran, None), [5]);
    assert_eq!(in_doubt(&asleep, Some(7)), [7]);
    // One began, with a table that it shares or one of its own.
    let begun = |table| [asleep[0], asleep[1], asleep[2], [8, 8, table, 90]];
    assert_eq!(in_doubt(&begun(2), None), [7, 8]);
    assert_eq!(in_doubt(&begun(3), None), [8]);
    // One ended, or is a zombie.
    assert_eq!(in_doubt(&asleep[..2], None), none);
    assert_eq!(in_doubt(&[asleep[0], asleep[2]], None), [5]);
    let zombie = [asleep[0], [5, 6, 0, 71], asleep[2]];
    assert_eq!(in_doubt(&zombie, None), [5]);
    // Another took its table.
    let other = [[5, 5, 3, 70], asleep[1], asleep[2]];
    assert_eq!(in_doubt(&other, None), [5]);
}

#[test]
fn processes_that_share_a_table_are_in_doubt_together() {
    let asleep = [[5, 5, 1, 70], [7, 7, 1, 70], [8, 8, 2, 70]];
    let ran = [[5, 5, 1, 71], [7, 7, 1, 70], [8, 8, 2, 70]];
    assert_eq!(in_doubt(&asleep, &ran, None), [5, 7]);
    // Also if the one that ran has ended.
    assert_eq!(in_doubt(&asleep, &asleep[1..], None), [7]);
    // Its number may be that of another by now.
    let reused = [[5, 5, 2, 999], [7, 7, 1, 70], [8, 8, 2, 70]];
    assert_eq!(in_doubt(&asleep, &reused, None), [5, 7, 8]);
}

#[test]
fn kernel_threads_and_this_process_are_never_in_doubt() {
    let own = std::process::id();
    let before = [[own, own, 4, 70]];
    let after = [[own, own, 4, 71], [2, 2, 0, 0]];
    assert_eq!(in_doubt(&before, &after, Some(2)), [0; 0]);
}

#[test]
fn files_in_doubt_are_those_that_proc_shows() {
    use std::os::fd::AsRawFd;

    let own = std::process::id();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let namespace = std::fs::File::open("/proc/self/ns/uts").unwrap();
    let ino = rustix::fs::fstat(&socket).unwrap().st_ino;
    let fd = |file: &dyn AsRawFd| file.as_raw_fd().cast_unsigned();
    let tasks = vec![task(own, own, Some(1)), task(own, 7, Some(1))];
    let (root, plan) = (Sysroot::live(), plan());
    let context = with_kernel(&root, Fake::default());
    let read = |pid, told: Vec<TaskFile>| {
        let answer = Answer {
            tasks: tasks.clone(),
            files: files_of(told),
            doubtful: [pid].into(),
        };
        let mut affiliations = Affiliations::below(&root);
        read(
            &context,
            &plan,
            everything(),
            &[own],
            answer,
            &mut affiliations,
        )
        .unwrap()
    };
    // One that is not there, and one that another process has, too.
    let mut shared = file(9, 9, 1, 2);
    shared.ino = ino;
    let told = read(own, vec![file(own, own, 99_999, 1), shared]);
    let open = |fd| OpenFile {
        pid: own,
        tid: None,
        fd,
    };
    assert!(
        told.finds
            .contains(&(net(9), Holder::Socket(open(fd(&socket)))))
    );
    let fds: Vec<_> = told
        .finds
        .iter()
        .filter_map(|(_, holder)| match holder {
            Holder::Socket(open) | Holder::Fd(open) => Some(open.fd),
            _ => None,
        })
        .collect();
    assert!(!fds.contains(&99_999));
    let [sighting] = &told.sightings[..] else {
        panic!("{:?}", told.sightings.len());
    };
    let named: Vec<_> = sighting.files.iter().map(|(open, _)| open.fd).collect();
    assert!(named.contains(&fd(&namespace)) && !named.contains(&fd(&socket)));
    // Known by its namespace, so that it is not asked again.
    assert_eq!(told.sockets, [(open(fd(&socket)), ino)]);
    assert_eq!(sighting.tids, [own, 7]);
    assert_eq!((told.processes.len(), told.vanished.len()), (1, 0));
}

#[test]
fn a_process_that_ended_before_its_files_were_read_may_have_a_successor() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let pid = child.id();
    // A zombie has no files.
    while !std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .unwrap()
        .contains(") Z ")
    {
        thread::yield_now();
    }
    let root = Sysroot::live();
    let context = with_kernel(&root, Fake::default());
    let vanished = |pid| {
        let answer = Answer {
            tasks: vec![task(pid, pid, Some(1))],
            files: files_of(vec![file(pid, pid, 3, 1)]),
            doubtful: [pid].into(),
        };
        let mut affiliations = Affiliations::below(&root);
        let told = read(
            &context,
            &plan(),
            everything(),
            &[pid],
            answer,
            &mut affiliations,
        )
        .unwrap();
        assert!(told.processes.is_empty() && told.finds.is_empty());
        told.vanished
    };
    assert_eq!(vanished(pid), [pid]);
    child.wait().unwrap();
    assert_eq!(vanished(pid), [pid]);
}

#[test]
fn only_what_nothing_else_led_to_and_was_there_before_is_kept_by_the_kernel() {
    let kernel = Fake {
        listed: Some([(1, net(1)), (2, net(2)), (3, net(3)), (5, net(5))].into()),
        ..Fake::default()
    };
    let plan = plan();
    let mut groups = Groups::new(KindSet::all());
    groups.insert((net(1), Holder::Child(net(9))));
    // This does not say what holds it.
    groups.insert((net(3), Holder::Listed { unique_id: 3 }));
    let before = [(1, net(1)), (3, net(3)), (4, net(4)), (5, net(5))];
    let listed = [net(5)].into();
    let finds = find_chained(&kernel, &plan, &groups, &listed, &before);
    assert_eq!(finds, [(net(3), Holder::Kernel { unique_id: 3 })]);
}

#[test]
fn each_refusal_has_its_cause() {
    for (error, expected) in [
        (BpfError::Lockdown, Cause::Lockdown),
        (BpfError::NoBtf, Cause::NoBtf),
        (BpfError::ForeignProc, Cause::ForeignProc),
        (Errno::PERM.into(), Cause::Denied),
        (
            Errno::NOSYS.into(),
            Cause::Failed(Errno::NOSYS.raw_os_error()),
        ),
    ] {
        assert_eq!(cause(error).unwrap(), expected);
    }
}
