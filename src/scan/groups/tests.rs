use super::*;
use crate::model::{Kind, LinkSet, Mount};

const fn pid_ns(ino: u64) -> NsId {
    NsId {
        ino,
        kind: Kind::Pid,
    }
}

fn process(pid: Pid, links: &[(Link, u64)]) -> Process {
    let mut process = Process::new(pid, Links::default());
    for (link, ino) in links {
        process.links.set(*link, *ino);
    }
    process
}

fn groups(processes: &[Process]) -> Groups {
    let mut groups = Groups::new(KindSet::all());
    groups.add(processes.to_vec());
    groups
}

/// Three processes in two pid namespaces; the first holds the other
/// namespace for its children.
fn three() -> [Process; 3] {
    [
        process(5, &[(Link::Pid, 1), (Link::PidForChildren, 2)]),
        process(6, &[(Link::Pid, 1), (Link::PidForChildren, 1)]),
        process(7, &[(Link::Pid, 2), (Link::PidForChildren, 2)]),
    ]
}

fn namespace(ino: u64, members: &[Pid], links: LinkSet) -> Namespace {
    let first = *members.first().unwrap();
    Namespace {
        nprocs: members.len(),
        pid: Some(first),
        links,
        ..Namespace::new(pid_ns(ino), Holder::of_link(first, Link::Pid))
    }
}

fn held_for_children(ino: u64, pid: Pid) -> Namespace {
    Namespace {
        links: Link::PidForChildren.into(),
        ..Namespace::new(pid_ns(ino), Holder::of_link(pid, Link::PidForChildren))
    }
}

fn mount(path: &str, id: u64) -> Holder {
    Holder::Mount(Mount {
        within: None,
        path: path.into(),
        id,
    })
}

#[test]
fn a_link_for_children_leads_to_a_namespace_without_counting_as_a_member() {
    let both = Kind::Pid.links();
    let (found, _) = groups(&three()).finish(false);
    assert_eq!(
        found,
        [namespace(1, &[5, 6], both), namespace(2, &[7], both)]
    );
    let (found, _) = groups(&three()[..2]).finish(false);
    assert_eq!(
        found,
        [namespace(1, &[5, 6], both), held_for_children(2, 5)]
    );
    let mut other_types = Groups::new(Kind::Net.into());
    other_types.add(three().into());
    assert_eq!(other_types.finish(false).0, []);
}

#[test]
fn a_process_that_ends_leaves_its_groups_to_the_next() {
    let both = Kind::Pid.links();
    let mut groups = groups(&three());
    groups.remove(5);
    assert_eq!(groups.process(5), None);
    let pids: Vec<Pid> = groups.processes().map(|process| process.pid).collect();
    assert_eq!(pids, [6, 7]);
    groups.remove(7);
    let (found, processes) = groups.finish(false);
    // Nothing leads to the second namespace any more.
    assert_eq!(found, [namespace(1, &[6], both)]);
    assert_eq!(processes, [three()[1].clone()]);
}

#[test]
fn a_process_that_moves_is_in_its_new_namespaces_only() {
    let mut groups = groups(&three());
    let moved = process(5, &[(Link::Pid, 1), (Link::PidForChildren, 3)]);
    groups.relink(5, moved.links, None);
    groups.remove(7);
    let (found, _) = groups.finish(false);
    let both = Kind::Pid.links();
    assert_eq!(
        found,
        [namespace(1, &[5, 6], both), held_for_children(3, 5)]
    );
}

#[test]
fn a_pid_that_is_reused_belongs_to_the_new_process() {
    let mut groups = groups(&three());
    groups.remove(5);
    let successor = process(5, &[(Link::Pid, 2), (Link::PidForChildren, 2)]);
    groups.add(vec![successor.clone()]);
    let (found, processes) = groups.finish(false);
    let both = Kind::Pid.links();
    assert_eq!(
        found,
        [namespace(1, &[6], both), namespace(2, &[5, 7], both)]
    );
    assert_eq!(processes.first(), Some(&successor));
}

#[test]
fn losses_are_reported_once_with_the_processes_that_still_exist() {
    let mut groups = groups(&three());
    assert_eq!(groups.take_losses(), None);
    groups.remove(7);
    assert_eq!(groups.take_losses(), Some(vec![]));
    let fd = |pid| {
        Holder::Fd(crate::model::OpenFile {
            pid,
            tid: None,
            fd: 3,
        })
    };
    for pid in [5, 7] {
        groups.insert((pid_ns(9), fd(pid)));
        groups.forget(pid_ns(9), &fd(pid));
    }
    assert_eq!(groups.take_losses(), Some(vec![5]));
    assert_eq!(groups.take_losses(), None);
}

#[test]
fn a_namespace_without_processes_is_opened_by_its_most_reliable_holder() {
    let mut groups = Groups::new(KindSet::all());
    for find in [
        (pid_ns(3), Holder::Path(Default::default())),
        (pid_ns(3), mount("/b", 31)),
        (pid_ns(3), mount("/a", 30)),
        (pid_ns(3), mount("/a", 32)),
        (pid_ns(1), Holder::Child(pid_ns(3))),
    ] {
        groups.insert(find);
    }
    let found = Namespace {
        mounts: vec!["/b".into(), "/a".into()],
        ..Namespace::new(pid_ns(3), mount("/a", 30))
    };
    let above = Namespace::new(pid_ns(1), Holder::Child(pid_ns(3)));
    assert_eq!(groups.finish(false).0, [above, found]);
}

#[test]
fn a_namespace_held_only_by_a_lost_one_is_lost_too() {
    let mut groups = groups(&three());
    groups.insert((pid_ns(8), Holder::Child(pid_ns(2))));
    groups.insert((pid_ns(9), Holder::Child(pid_ns(8))));
    groups.insert((pid_ns(9), mount("/a", 3)));
    groups.remove(5);
    groups.remove(7);
    let numbers: Vec<u64> = groups
        .finish(false)
        .0
        .iter()
        .map(|namespace| namespace.id.ino)
        .collect();
    assert_eq!(numbers, [1, 9]);
}

#[test]
fn every_holder_is_listed_only_on_request() {
    let mut groups = groups(&three());
    groups.insert((pid_ns(2), mount("/a", 30)));
    groups.insert((pid_ns(2), mount("/a", 30)));
    let listed = Holder::Listed { unique_id: 7 };
    groups.insert((pid_ns(2), listed));
    let (found, _) = groups.finish(true);
    let holders: Vec<_> = found
        .into_iter()
        .map(|namespace| namespace.holders)
        .collect();
    let link = Holder::of_link;
    assert_eq!(
        holders,
        [
            vec![
                link(5, Link::Pid),
                link(6, Link::Pid),
                link(6, Link::PidForChildren)
            ],
            vec![
                link(7, Link::Pid),
                link(5, Link::PidForChildren),
                link(7, Link::PidForChildren),
                mount("/a", 30)
            ],
        ]
    );
}
