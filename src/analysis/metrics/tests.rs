use std::sync::Arc;

use super::containers::MOST_CONTAINERS;
use super::limits::MOST_USERS;
use super::*;
use crate::model::{
    Affiliation, Cause, Container, Engine, Gap, Holder, Link, LinkSet, Links, Mount, OpenFile, Pid,
    Process, Source,
};

fn id(kind: Kind, ino: u64) -> NsId {
    NsId { ino, kind }
}

fn namespace(kind: Kind, ino: u64, holders: &[Holder]) -> Namespace {
    let mut namespace = Namespace::new(id(kind, ino), Holder::of_link(1, Link::Net));
    namespace.holders = holders.to_vec();
    namespace
}

fn mount(path: &str) -> Holder {
    Holder::Mount(Mount {
        within: None,
        path: path.into(),
        id: 1,
    })
}

fn socket() -> Holder {
    Holder::Socket(OpenFile {
        pid: 1,
        tid: None,
        fd: 3,
    })
}

/// Returns the samples of a family as lines.
fn lines_of(snapshot: &Snapshot, reader: &Reader, name: &str) -> Vec<String> {
    let families = metrics(snapshot, reader, Duration::from_millis(1250));
    let family = families.into_iter().find(|family| family.name == name);
    let Some(family) = family else {
        return Vec::new();
    };
    let samples = family.samples.iter().map(|sample| {
        let labels = sample.labels.iter();
        let labels = labels.map(|(name, value)| format!("{name}={value} "));
        format!("{}{}", labels.collect::<String>(), sample.value)
    });
    samples.collect()
}

fn lines(snapshot: &Snapshot, name: &str) -> Vec<String> {
    lines_of(snapshot, &Reader::default(), name)
}

#[test]
fn a_namespace_counts_where_its_first_holder_says() {
    let mut used = namespace(Kind::Net, 1, &[mount("/run/netns/blue")]);
    used.nprocs = 2;
    let namespaces = vec![
        used,
        namespace(Kind::Net, 2, &[mount("/run/netns/red"), socket()]),
        namespace(Kind::Net, 3, &[mount("/run/netns/green")]),
        namespace(Kind::Net, 4, &[mount("/srv/x")]),
        namespace(Kind::Net, 5, &[socket()]),
        // Without holders, what led to it.
        namespace(Kind::Uts, 6, &[]),
    ];
    let snapshot = Snapshot {
        namespaces,
        ..Snapshot::default()
    };
    assert_eq!(
        lines(&snapshot, "nsls_namespaces"),
        [
            "type=mnt held=process 0",
            "type=net held=mount 3",
            "type=net held=process 1",
            "type=net held=socket 1",
            "type=ipc held=process 0",
            "type=user held=process 0",
            "type=pid held=process 0",
            "type=uts held=process 1",
            "type=cgroup held=process 0",
            "type=time held=process 0",
        ]
    );
    assert_eq!(
        lines(&snapshot, "nsls_leaked_namespaces"),
        [
            "type=mnt 0",
            "type=net 2",
            "type=ipc 0",
            "type=user 0",
            "type=pid 0",
            "type=uts 1",
            "type=cgroup 0",
            "type=time 0",
        ]
    );
}

fn gap(cause: Cause, count: Option<usize>) -> Gap {
    Gap {
        source: Source::Fds,
        cause,
        count,
        total: 9,
        links: LinkSet::EMPTY,
    }
}

#[test]
fn gaps_of_one_name_are_added_and_an_unknown_count_makes_the_sum_unknown() {
    let mut snapshot = Snapshot::default();
    assert!(lines(&snapshot, "nsls_gaps").is_empty());
    assert_eq!(lines(&snapshot, "nsls_complete"), ["1"]);
    snapshot.gaps = vec![
        gap(Cause::Vanished, Some(1)),
        gap(Cause::Failed(5), Some(2)),
        gap(Cause::Failed(12), Some(3)),
        gap(Cause::Hidden, None),
    ];
    assert_eq!(
        lines(&snapshot, "nsls_gaps"),
        [
            "source=fds cause=failed 5",
            "source=fds cause=hidden NaN",
            "source=fds cause=vanished 1",
        ]
    );
    assert_eq!(lines(&snapshot, "nsls_complete"), ["0"]);
    assert_eq!(lines(&snapshot, "nsls_scan_duration_seconds"), ["1.25"]);
}

#[test]
fn an_id_is_shown_only_if_the_kernel_has_some() {
    let mut one = namespace(Kind::Uts, 1, &[]);
    let snapshot = |namespace: &Namespace| Snapshot {
        namespaces: vec![namespace.clone(), self::namespace(Kind::Uts, 2, &[])],
        ..Snapshot::default()
    };
    assert!(lines(&snapshot(&one), "nsls_newest_namespace_id").is_empty());
    one.relations.unique_id = Some(4100);
    assert_eq!(lines(&snapshot(&one), "nsls_newest_namespace_id"), ["4100"]);
    // Those of mount namespaces alone are of another sequence.
    one.id.kind = Kind::Mnt;
    assert!(lines(&snapshot(&one), "nsls_newest_namespace_id").is_empty());
}

fn owned(kind: Kind, ino: u64, owner: u64, uid: u32, user: Option<&str>) -> Namespace {
    let mut namespace = namespace(kind, ino, &[]);
    namespace.relations.owner = Some(id(Kind::User, owner));
    namespace.relations.owner_uid = Some(uid);
    namespace.relations.owner_user = user.map(Text::from);
    namespace
}

#[test]
fn only_the_limits_of_the_reader_are_shown() {
    let mut below = namespace(Kind::Pid, 20, &[]);
    below.relations.parent = Some(id(Kind::Pid, 10));
    below.nprocs = 2;
    let mut own = namespace(Kind::Pid, 10, &[]);
    own.nprocs = 5;
    let snapshot = Snapshot {
        namespaces: vec![
            owned(Kind::Net, 1, 7, 0, Some("root")),
            owned(Kind::Net, 2, 7, 0, Some("root")),
            owned(Kind::Net, 3, 7, 1000, None),
            // In another user namespace.
            owned(Kind::Net, 4, 8, 1000, None),
            own,
            below,
        ],
        ..Snapshot::default()
    };
    let reader = Reader {
        user_ns: Some(id(Kind::User, 7)),
        pid_ns: Some(id(Kind::Pid, 10)),
        max_namespaces: [(Kind::Net, 100), (Kind::Uts, 50)].into(),
        pid_max: Some(32768),
    };
    assert_eq!(
        lines_of(&snapshot, &reader, "nsls_limit"),
        [
            "limit=max_net_namespaces 100",
            "limit=max_uts_namespaces 50",
            "limit=pid_max 32768",
        ]
    );
    assert_eq!(
        lines_of(&snapshot, &reader, "nsls_limit_used"),
        [
            "limit=max_net_namespaces user=root 2",
            "limit=max_net_namespaces user=1000 1",
            "limit=pid_max user= 7",
            "limit=pid_namespace_levels user= 1",
        ]
    );
}

#[test]
fn no_more_users_are_named_than_can_be_stored() {
    let users = MOST_USERS + 3;
    let mut namespaces: Vec<_> = (1..)
        .zip(0..users)
        .map(|(ino, user)| owned(Kind::Uts, ino, 7, u32::try_from(user).unwrap(), None))
        .collect();
    // That with the most is not left out.
    namespaces.push(owned(Kind::Uts, 1000, 7, 9999, Some("busy")));
    namespaces.push(owned(Kind::Uts, 1001, 7, 9999, Some("busy")));
    let snapshot = Snapshot {
        namespaces,
        ..Snapshot::default()
    };
    let reader = Reader {
        user_ns: Some(id(Kind::User, 7)),
        ..Reader::default()
    };
    let used = lines_of(&snapshot, &reader, "nsls_limit_used");
    assert_eq!(used.len(), MOST_USERS);
    assert_eq!(used[0], "limit=max_uts_namespaces user=busy 2");
    assert_eq!(
        lines_of(&snapshot, &reader, "nsls_omitted"),
        [
            "metric=nsls_container_shares_host 0",
            "metric=nsls_limit_used 4",
        ]
    );
}

fn in_container(pid: Pid, id: &str, name: Option<&str>, uid: Option<u32>, net: u64) -> Process {
    let container = Container {
        engine: Some(Engine::Podman),
        id: id.to_owned(),
        name: name.map(str::to_owned),
        uid,
    };
    let affiliation = Affiliation {
        container: Some(container),
        ..Affiliation::default()
    };
    let mut process = Process::new(pid, Links::default());
    process.affiliation = Some(Arc::new(affiliation));
    process.links.set(Link::Net, net);
    process
}

/// A system with these processes, and with net namespaces 1, the host's, 2, and
/// 3, of which it is unknown.
fn with_processes(processes: Vec<Process>) -> Snapshot {
    let net = |ino, is_host| {
        let mut namespace = namespace(Kind::Net, ino, &[]);
        namespace.facts_mut().is_host = is_host;
        namespace
    };
    Snapshot {
        namespaces: vec![net(1, Some(true)), net(2, Some(false)), net(3, None)],
        processes,
        ..Snapshot::default()
    }
}

/// Returns the samples about net namespaces.
fn shares(snapshot: &Snapshot) -> Vec<String> {
    let lines = lines(snapshot, "nsls_container_shares_host").into_iter();
    lines.filter(|line| line.contains("type=net")).collect()
}

#[test]
fn a_container_shares_a_namespace_or_does_not_or_nobody_knows() {
    let processes = vec![
        in_container(1, "a", Some("web"), None, 1),
        in_container(2, "b", Some("db"), None, 2),
        in_container(3, "c", None, None, 3),
    ];
    assert_eq!(
        shares(&with_processes(processes)),
        [
            "container=db engine=podman uid= type=net 0",
            "container=web engine=podman uid= type=net 1",
        ]
    );
}

#[test]
fn no_container_poses_as_another() {
    let processes = vec![
        in_container(1, "a", Some("web"), None, 2),
        // A user names it the same.
        in_container(2, "b", Some("web"), Some(1000), 1),
        // Two of the system do.
        in_container(3, "c", Some("db"), None, 2),
        in_container(4, "d", Some("db"), None, 1),
        // And one has the ID of another for its name.
        in_container(5, "e", Some("d"), None, 2),
    ];
    assert_eq!(
        shares(&with_processes(processes)),
        [
            "container=c engine=podman uid= type=net 0",
            "container=d engine=podman uid= type=net 1",
            "container=web engine=podman uid= type=net 0",
            "container=web engine=podman uid=1000 type=net 1",
        ]
    );
}

#[test]
fn users_cannot_crowd_out_the_containers_of_the_system() {
    let mut processes: Vec<_> = (1..=MOST_CONTAINERS)
        .map(|pid| {
            let id = format!("a{pid}");
            in_container(u32::try_from(pid).unwrap(), &id, None, Some(1000), 1)
        })
        .collect();
    processes.push(in_container(5000, "z", Some("web"), None, 1));
    let snapshot = with_processes(processes);
    let shares = shares(&snapshot);
    assert_eq!(shares.len(), MOST_CONTAINERS);
    assert_eq!(shares[0], "container=web engine=podman uid= type=net 1");
    assert_eq!(
        lines(&snapshot, "nsls_omitted")[0],
        "metric=nsls_container_shares_host 1"
    );
}

#[test]
fn no_two_samples_have_the_same_labels() {
    let processes = vec![
        in_container(1, "x", Some("x"), None, 1),
        in_container(2, "y", Some("x"), None, 2),
    ];
    let mut snapshot = with_processes(processes);
    snapshot.gaps = vec![
        gap(Cause::Failed(1), Some(1)),
        gap(Cause::Failed(2), Some(1)),
    ];
    // Two users of one name.
    for uid in [0, 1] {
        let ino = 100 + u64::from(uid);
        snapshot
            .namespaces
            .push(owned(Kind::Uts, ino, 7, uid, Some("root")));
    }
    let reader = Reader {
        user_ns: Some(id(Kind::User, 7)),
        ..Reader::default()
    };
    for family in metrics(&snapshot, &reader, Duration::ZERO) {
        let mut labels: Vec<_> = family.samples.iter().map(|one| &one.labels).collect();
        let all = labels.len();
        labels.sort();
        labels.dedup();
        assert_eq!(labels.len(), all, "{}", family.name);
    }
}
