use std::fmt::Write;
use std::sync::Arc;

use super::*;
use crate::model::{
    Affiliation, Container, Engine, Holder, Interface, Kind, Link, Links, Member, OpenFile, Process,
};
use crate::{Need, Scanner, Sysroot};

const HOST: [(Link, u64); 3] = [(Link::Mnt, 1), (Link::Net, 2), (Link::Pid, 3)];

/// Builds snapshots of mnt, net and pid namespaces, 1 to 3 of which are the host's.
#[derive(Default)]
struct Scene(Snapshot);

impl Scene {
    fn process(mut self, pid: Pid, belongs: &Affiliation, links: &[(Link, u64)]) -> Self {
        let mut process = Process::new(pid, Links::default());
        let belongs = Arc::new(belongs.clone());
        process.affiliation = Some(belongs.clone());
        for (link, ino) in links {
            process.links.set(*link, *ino);
            let namespace = self.namespace(*link, *ino, Holder::of_link(pid, *link));
            namespace.nprocs += 1;
            namespace.pid.get_or_insert(pid);
            let known = &mut namespace.facts_mut().affiliations;
            if !known.contains(&belongs) {
                known.push(belongs.clone());
            }
        }
        self.0.processes.push(process);
        self
    }

    fn namespace(&mut self, link: Link, ino: u64, holder: Holder) -> &mut Namespace {
        let kind = link.kind();
        let id = NsId { ino, kind };
        let all = &mut self.0.namespaces;
        let place = all.binary_search_by_key(&id, |one| one.id);
        let place = place.unwrap_or_else(|place| {
            all.insert(place, Namespace::new(id, holder));
            all[place].facts_mut().is_host = Some(ino <= 3);
            place
        });
        &mut all[place]
    }
}

fn container(name: &str, pod: Option<&str>) -> Affiliation {
    Affiliation {
        container: Some(Container {
            engine: Some(Engine::Podman),
            id: name.to_owned(),
            name: None,
            uid: None,
        }),
        pod: pod.map(str::to_owned),
        ..Affiliation::default()
    }
}

fn service(name: &str) -> Affiliation {
    Affiliation {
        unit: Some(name.to_owned()),
        ..Affiliation::default()
    }
}

fn nobody() -> Affiliation {
    Affiliation::default()
}

fn name(party: &Party<'_>) -> String {
    match party {
        Party::Host => "host".to_owned(),
        Party::Container(container) => container.to_string(),
        Party::Service(name) => (*name).to_owned(),
        Party::Processes(process) => format!("process {}", process.pid),
        Party::Held(holder) => holder.kind().to_owned(),
    }
}

/// Returns a line a row: who, the number of processes, and each cell. Rows of a block
/// begin with a bar.
fn lines(picture: &Picture<'_>) -> String {
    let mut text = String::new();
    for block in &picture.matrix.blocks {
        for row in &block.rows {
            let bar = if block.rows.len() > 1 { "| " } else { "" };
            let nprocs = row.nprocs.map(|count| format!(" ({count})"));
            write!(
                text,
                "{bar}{}{}:",
                name(&row.party),
                nprocs.unwrap_or_default()
            )
            .unwrap();
            for kind in Kind::ALL {
                let cell = row.cell(*kind);
                for id in &cell.namespaces {
                    let tone = match picture.tone(*id) {
                        Tone::Host => "host".to_owned(),
                        Tone::Own => "own".to_owned(),
                        Tone::Shared(place) => format!("shared {place}"),
                    };
                    write!(text, " {kind} {} {tone}", id.ino).unwrap();
                }
                if cell.is_unknown {
                    write!(text, " {kind} ?").unwrap();
                }
            }
            text.push('\n');
        }
    }
    text
}

fn draw(snapshot: &Snapshot) -> Picture<'_> {
    Picture::new(snapshot, ViewKinds::all(), Processes::All)
}

#[test]
fn rows_are_whose_namespaces_differ_from_the_hosts_and_what_they_share_has_one_tone() {
    let pod = Some("pod");
    let mut scene = Scene::default()
        .process(1, &nobody(), &HOST)
        .process(2, &service("cron.service"), &HOST)
        .process(
            3,
            &service("web.service"),
            &[(Link::Mnt, 10), (Link::Net, 2), (Link::Pid, 3)],
        )
        .process(
            4,
            &container("b", pod),
            &[(Link::Mnt, 11), (Link::Net, 12), (Link::Pid, 3)],
        )
        .process(
            5,
            &container("a", pod),
            &[(Link::Mnt, 13), (Link::Net, 12), (Link::Pid, 3)],
        )
        .process(
            6,
            &container("a", pod),
            &[(Link::Mnt, 14), (Link::Net, 12), (Link::Pid, 3)],
        )
        .process(
            7,
            &nobody(),
            &[(Link::Mnt, 1), (Link::Net, 15), (Link::Pid, 3)],
        )
        .process(
            8,
            &nobody(),
            &[(Link::Mnt, 1), (Link::Net, 15), (Link::Pid, 3)],
        )
        // Entered from the host.
        .process(
            9,
            &nobody(),
            &[(Link::Mnt, 1), (Link::Net, 12), (Link::Pid, 3)],
        );
    let file = OpenFile {
        pid: 1,
        tid: None,
        fd: 3,
    };
    scene.namespace(Link::Net, 16, Holder::Fd(file));
    for (link, ino, tid) in [(Link::Mnt, 17, 2), (Link::Mnt, 18, 4), (Link::Net, 19, 2)] {
        scene.namespace(link, ino, Holder::Thread { pid: 1, tid, link });
    }
    let expected = "\
host (2): mnt 1 host net 2 host pid 3 host
podman:a (2): mnt 13 own mnt 14 own net 12 shared 0 pid 3 host
podman:b (1): mnt 11 own net 12 shared 0 pid 3 host
web.service (1): mnt 10 own net 2 host pid 3 host
process 7 (2): mnt 1 host net 15 own pid 3 host
process 9 (1): mnt 1 host net 12 shared 0 pid 3 host
fd: net 16 own
thread: mnt 17 own net 19 own
thread: mnt 18 own
";
    let picture = draw(&scene.0);
    assert_eq!(lines(&picture), expected);
    let id = NsId {
        ino: 12,
        kind: Kind::Net,
    };
    let parties: Vec<_> = picture.parties(id).iter().map(name).collect();
    assert_eq!(parties, ["podman:a", "podman:b", "process 9"]);
}

#[test]
fn what_could_not_be_read_is_unknown_and_never_the_hosts() {
    let scene = Scene::default()
        .process(1, &nobody(), &HOST)
        .process(2, &container("a", None), &[(Link::Net, 10)])
        // Zombies, one of which alone is in a pid namespace.
        .process(3, &nobody(), &[(Link::Pid, 3)])
        .process(4, &nobody(), &[(Link::Pid, 11)]);
    let expected = "\
host (2): mnt 1 host net 2 host pid 3 host
podman:a (1): mnt ? net 10 own pid ?
process 4 (1): mnt ? net ? pid 11 own
";
    assert_eq!(lines(&draw(&scene.0)), expected);
}

#[test]
fn representatives_alone_make_no_row_of_what_others_have() {
    let scene = Scene::default().process(1, &nobody(), &HOST).process(
        2,
        &container("a", None),
        &[(Link::Mnt, 10), (Link::Net, 11), (Link::Pid, 3)],
    );
    let mut snapshot = scene.0;
    // A document does not say where its processes belong.
    for process in &mut snapshot.processes {
        process.affiliation = None;
    }
    let picture = Picture::new(&snapshot, ViewKinds::all(), Processes::Representatives);
    let expected = "\
host: mnt 1 host net 2 host pid 3 host
podman:a: mnt 10 own net 11 own pid 3 host
";
    assert_eq!(lines(&picture), expected);
}

#[test]
fn many_rows_that_are_alike_fold_and_few_do_not() {
    let many = |count: u32| {
        let mut scene = Scene::default().process(1, &nobody(), &HOST);
        for pid in 10..10 + count {
            let links = [(Link::Mnt, u64::from(pid)), (Link::Net, 2), (Link::Pid, 3)];
            scene = scene.process(pid, &container(&pid.to_string(), None), &links);
        }
        scene
            .process(
                90,
                &container("z", None),
                &[(Link::Mnt, 1), (Link::Net, 2), (Link::Pid, 91)],
            )
            .0
    };
    let blocks = |snapshot: &Snapshot| -> Vec<usize> {
        let picture = draw(snapshot);
        picture
            .matrix
            .blocks
            .iter()
            .map(|block| block.rows.len())
            .collect()
    };
    assert_eq!(blocks(&many(12)), [1; 14]);
    assert_eq!(blocks(&many(13)), [1, 13, 1]);
}

/// Makes a user namespace below another.
fn user(ino: u64, parent: u64) -> Namespace {
    let kind = Kind::User;
    let mut namespace = Namespace::new(NsId { ino, kind }, Holder::Path("".into()));
    namespace.relations.parent = Some(NsId { ino: parent, kind });
    namespace
}

/// Returns the nodes as depth, number and how many it stands for.
fn nodes(namespaces: Vec<Namespace>) -> Vec<(usize, u64, usize)> {
    let snapshot = Snapshot {
        namespaces,
        ..Snapshot::default()
    };
    let trees = draw(&snapshot).trees;
    let nodes = trees.user.iter();
    nodes
        .map(|node| (node.depth, node.namespace.id.ino, node.alike.len()))
        .collect()
}

#[test]
fn a_tree_shows_each_namespace_once_whatever_is_claimed_of_parents() {
    let tree = vec![user(1, 99), user(2, 1), user(3, 2), user(4, 1)];
    assert_eq!(nodes(tree), [(0, 1, 0), (1, 2, 0), (2, 3, 0), (1, 4, 0)]);
    let circle = vec![user(1, 3), user(2, 1), user(3, 2), user(4, 4)];
    assert_eq!(nodes(circle), [(0, 4, 0), (0, 1, 0), (1, 2, 0), (2, 3, 0)]);
    let leaves: Vec<_> = (2..16).map(|ino| user(ino, 1)).collect();
    let many = [vec![user(1, 0)], leaves, vec![user(16, 15)]].concat();
    assert_eq!(nodes(many), [(0, 1, 0), (1, 2, 12), (1, 15, 0), (2, 16, 0)]);
    let deep: Vec<_> = (1..100_000).map(|ino| user(ino, ino - 1)).collect();
    assert_eq!(nodes(deep).last(), Some(&(99_998, 99_999, 0)));
}

fn interface(name: &str, index: u32) -> Interface {
    Interface {
        name: name.into(),
        index: Some(index),
        ..Interface::default()
    }
}

fn veth(name: &str, index: u32, link: u32, peer_ns: u64, master: Option<u32>) -> Interface {
    Interface {
        link: Some(link),
        peer_ns: Some(peer_ns),
        kind: Some("veth".into()),
        master,
        ..interface(name, index)
    }
}

/// Returns a line a lane, and one for each cable.
fn wiring(nets: Vec<(u64, Option<Vec<Interface>>)>) -> String {
    let mut scene = Scene::default();
    for (ino, interfaces) in nets {
        let namespace = scene.namespace(Link::Net, ino, Holder::Path("".into()));
        namespace.facts_mut().interfaces = interfaces;
    }
    let picture = draw(&scene.0);
    let wires = &picture.wires;
    let mut text = String::new();
    for lane in &wires.lanes {
        write!(text, "{}+{}:", lane.namespace.id.ino, lane.alike.len()).unwrap();
        for port in &lane.ports {
            write!(text, " {}", port.interface.name).unwrap();
            if let Some(master) = port.master {
                write!(text, "<{master}").unwrap();
            }
            if !port.alike.is_empty() {
                write!(text, "+{}", port.alike.len()).unwrap();
            }
        }
        text.push('\n');
    }
    for cable in &wires.cables {
        let (from, to) = (cable.from, cable.to);
        let kind = if cable.is_veth { "=" } else { "-" };
        writeln!(
            text,
            "{}.{} {kind} {}.{}",
            from.lane, from.port, to.lane, to.port
        )
        .unwrap();
    }
    let numbers = |list: &[&Namespace]| -> Vec<u64> { list.iter().map(|one| one.id.ino).collect() };
    let (bare, unknown) = (numbers(&wires.bare), numbers(&wires.unknown));
    writeln!(text, "bare {bare:?} unknown {unknown:?}").unwrap();
    text
}

fn lo() -> Interface {
    interface("lo", 1)
}

#[test]
fn ports_follow_their_bridge_and_each_pair_is_one_cable() {
    let vlan = Interface {
        kind: Some("vlan".into()),
        link: Some(2),
        peer_ns: Some(2),
        ..interface("eth0.7", 9)
    };
    let host = vec![
        lo(),
        interface("eth0", 2),
        veth("veth1", 3, 2, 10, Some(5)),
        veth("veth2", 4, 2, 99, Some(5)),
        interface("br0", 5),
        vlan,
    ];
    let text = wiring(vec![
        (2, Some(host)),
        (10, Some(vec![lo(), veth("eth0", 2, 3, 2, None)])),
        (11, Some(vec![lo()])),
        (12, None),
    ]);
    let expected = "\
2+0: lo eth0 br0 veth1<2 veth2<2 eth0.7
10+0: lo eth0
0.3 = 1.1
0.5 - 0.1
bare [11] unknown [12]
";
    assert_eq!(text, expected);
}

#[test]
fn many_lanes_that_are_alike_are_one_and_so_are_the_ports_that_lead_there() {
    let mut host = vec![lo(), interface("br0", 2)];
    let mut nets = Vec::new();
    for place in 0..13 {
        host.push(veth(
            &format!("veth{place}"),
            10 + place,
            2,
            100 + u64::from(place),
            Some(2),
        ));
        let own = vec![lo(), veth("eth0", 2, 10 + place, 2, None)];
        nets.push((100 + u64::from(place), Some(own)));
    }
    nets.insert(0, (2, Some(host)));
    let expected = "\
2+0: lo br0 veth0<1+12
100+12: lo eth0
0.2 = 1.1
bare [] unknown []
";
    assert_eq!(wiring(nets), expected);
}

#[test]
fn interfaces_that_claim_to_be_ports_of_each_other_are_each_drawn_once() {
    let port = |name, index, master| Interface {
        master: Some(master),
        ..interface(name, index)
    };
    let all = vec![
        port("a", 2, 3),
        port("b", 3, 2),
        port("c", 4, 4),
        port("d", 5, 9),
    ];
    let expected = "2+0: d b a<1 c\nbare [] unknown []\n";
    assert_eq!(wiring(vec![(2, Some(all))]), expected);
}

#[test]
fn every_namespace_of_every_fixture_is_in_a_row_a_tree_and_in_the_wires() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for entry in std::fs::read_dir(fixtures).unwrap() {
        let root = entry.unwrap().path();
        let needs = [Need::Members, Need::Affiliation, Need::Host];
        let Ok(snapshot) = Scanner::new(Sysroot::at(&root)).needs(needs).scan() else {
            continue;
        };
        let picture = draw(&snapshot);
        for namespace in &snapshot.namespaces {
            let id = namespace.id;
            assert!(
                !picture.parties(id).is_empty(),
                "{id} of {}",
                root.display()
            );
            let trees = &picture.trees;
            let nodes = trees.user.iter().chain(&trees.pid);
            let drawn = nodes.flat_map(|node| [&[node.namespace][..], &node.alike].concat());
            let is_node = matches!(id.kind, Kind::User | Kind::Pid);
            assert_eq!(
                drawn.filter(|one| one.id == id).count(),
                usize::from(is_node),
                "{id}"
            );
            let wires = &picture.wires;
            let nets = wires.lanes.len() + wires.bare.len() + wires.unknown.len();
            let all = snapshot.namespaces.iter();
            assert_eq!(nets, all.filter(|one| one.id.kind == Kind::Net).count());
        }
    }
}
