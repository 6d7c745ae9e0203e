//! A picture as boxes with nodes in them and edges between these, for languages whose
//! programs find the places themselves. Nothing here is escaped for a format yet.

mod boxes;
mod edges;
mod lines;

use std::collections::{BTreeMap, HashMap};

use crate::analysis::picture::{Lane, Picture, Tone, ViewKind};
use crate::model::NsId;
use crate::output::graph::labels::{Labels, lacks};

/// So many columns of a fixed font a line has.
const COLUMNS: usize = 60;

/// The colours of namespaces that several share: of their surfaces and lines.
pub(super) const HUES: [(&str, &str); 8] = [
    ("#cfe3f7", "#0069a8"),
    ("#fde2bd", "#a86200"),
    ("#c8ecdf", "#00765a"),
    ("#f4d5e7", "#a33d76"),
    ("#f5efad", "#7d7200"),
    ("#fbd4c3", "#b84600"),
    ("#d2e4e8", "#3d717c"),
    ("#dedcf8", "#5a50b8"),
];

/// Boxes and nodes, and the edges between nodes.
#[derive(Default)]
pub(super) struct Chart {
    /// What the picture lacks, a line each.
    pub(super) remarks: Vec<String>,
    pub(super) nodes: Vec<Node>,
    pub(super) groups: Vec<Group>,
    pub(super) edges: Vec<Edge>,
}

/// A box. Its name is unique and a word of ASCII letters and digits.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) is_host: bool,
    pub(super) nodes: Vec<Node>,
    pub(super) groups: Vec<Group>,
}

/// A node. Its name is unique and a word of ASCII letters, digits and `_`.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) look: Look,
    pub(super) lines: Vec<String>,
}

/// What a node stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Those whose box it is in.
    Party,
    /// What holds a namespace without processes.
    Holder,
    /// A namespace, or several that are alike.
    Namespace(Tone),
}

/// An edge, from and to the nodes with these names.
pub(super) struct Edge {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) means: Means,
    pub(super) lines: Vec<String>,
}

/// What an edge says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Means {
    /// Those are in that namespace, and so are others.
    In,
    /// That holds this namespace.
    Holds,
    /// A user namespace owns some of those, or one that several share.
    Owns,
    /// A user or pid namespace is the parent of another.
    Parent,
    /// The ends of a veth pair.
    Veth,
    /// An interface is on top of another.
    OnTop,
}

impl Chart {
    /// Draws the views of a picture in one chart.
    pub(super) fn new(picture: &Picture<'_>) -> Self {
        let labels = Labels::new(picture);
        let lanes = picture.wires.lanes.iter().flat_map(|lane| {
            let all = [lane.namespace]
                .into_iter()
                .chain(lane.alike.iter().copied());
            all.map(move |namespace| (namespace.id, lane))
        });
        let mut drawing = Drawing {
            picture,
            labels: &labels,
            lanes: lanes.collect(),
            pods: boxes::pods(picture),
            boxes: HashMap::new(),
            chart: Chart::default(),
            places: HashMap::new(),
            edges: BTreeMap::new(),
        };
        if let Some((line, told)) = lacks(picture) {
            drawing.chart.remarks.push(line.to_owned());
            let told = told.iter().map(ToString::to_string);
            drawing.chart.remarks.extend(told);
        }
        for (number, block) in picture.matrix.blocks.iter().enumerate() {
            drawing.block(number, block);
        }
        if picture.views.contains(ViewKind::Tree) {
            drawing.relations();
        }
        if picture.views.contains(ViewKind::Wires) {
            drawing.cables();
        }
        drawing.finish()
    }
}

impl Chart {
    /// Iterates over the looks of all nodes.
    pub(super) fn looks(&self) -> impl Iterator<Item = Look> {
        let inner = self.groups.iter().flat_map(|group| &group.groups);
        let groups = self.groups.iter().chain(inner);
        let nodes = groups.flat_map(|group| &group.nodes).chain(&self.nodes);
        nodes.map(|node| node.look)
    }
}

/// A chart as it grows.
struct Drawing<'a> {
    picture: &'a Picture<'a>,
    labels: &'a Labels<'a>,
    /// The lane in which the interfaces of a net namespace are.
    lanes: HashMap<NsId, &'a Lane<'a>>,
    /// The pod of all who are in a namespace, if they have one in common.
    pods: HashMap<NsId, Option<&'a str>>,
    /// The place of the box of each pod.
    boxes: HashMap<&'a str, usize>,
    chart: Chart,
    /// Where each namespace is drawn.
    places: HashMap<NsId, Place>,
    /// By the names of nodes and what they mean; with the lines of each.
    edges: BTreeMap<(String, String, Means), Vec<String>>,
}

/// Where a namespace is drawn: the name of its node, and of the one to which edges lead
/// that are about many in the same box.
#[derive(Clone)]
struct Place {
    node: String,
    anchor: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::picture::{Processes, ViewKinds};
    use crate::model::{Affiliation, Link, Snapshot};
    use crate::output::graph::scene::{add, container};

    #[test]
    fn many_that_are_alike_are_one_box_beside_what_they_share() {
        let mut snapshot = Snapshot::default();
        add(&mut snapshot, 1, Affiliation::default(), &[(Link::Mnt, 1)]);
        for pid in 10..30 {
            // The second process of each is somewhere else.
            for (pid, mnt) in [(pid, 100 + u64::from(pid)), (pid + 100, 9)] {
                add(
                    &mut snapshot,
                    pid,
                    container(&format!("c{}", pid % 100)),
                    &[(Link::Mnt, mnt)],
                );
            }
        }
        snapshot.namespaces.sort_by_key(|one| one.id);
        let picture = Picture::new(&snapshot, ViewKinds::all(), Processes::All);
        let chart = Chart::new(&picture);
        let text = |nodes: &[Node]| {
            let lines = nodes
                .iter()
                .map(|node| format!("{} {}", node.name, node.lines.join(", ")));
            lines.collect::<Vec<_>>()
        };
        let groups: Vec<_> = chart
            .groups
            .iter()
            .map(|group| (&*group.title, text(&group.nodes)))
            .collect();
        let expected = [
            (
                "host",
                vec!["p0 1 process".to_owned(), "mnt_1 mnt 1".to_owned()],
            ),
            (
                "20 alike: podman:c10 … podman:c29",
                vec!["p1 40 processes".to_owned(), "mnt_110 mnt × 20".to_owned()],
            ),
        ];
        assert_eq!(groups, expected);
        assert_eq!(text(&chart.nodes), ["mnt_9 mnt A 9"]);
        let edges = chart
            .edges
            .iter()
            .map(|edge| (&*edge.from, &*edge.to, edge.means));
        assert_eq!(edges.collect::<Vec<_>>(), [("p1", "mnt_9", Means::In)]);
    }

    #[test]
    fn hues_are_those_of_the_page_on_light_paper() {
        let (light, _) = include_str!("palette.css").split_once('}').unwrap();
        let light = format!("{light};");
        for (place, (surface, line)) in HUES.iter().enumerate() {
            assert!(light.contains(&format!("--c{place}:{surface};")), "{place}");
            assert!(light.contains(&format!("--d{place}:{line};")), "{place}");
        }
    }
}
