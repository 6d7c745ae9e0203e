use std::collections::HashMap;

use crate::analysis::picture::{Block, Party, Picture, Row, Tone, ViewKind, ViewKinds};
use crate::model::{Kind, Member, NsId};
use crate::output::graph::chart::{COLUMNS, Drawing, Group, Look, Means, Node, Place};
use crate::output::graph::labels::counted;
use crate::output::graph::markup::cut;

/// What belongs into a box.
struct Content {
    /// The namespaces of those alone: of each node the one that gives it its name, and
    /// all for which it stands.
    own: Vec<(NsId, Vec<NsId>)>,
    /// Those that others are in, too.
    shared: Vec<NsId>,
    /// What else there is to say.
    lines: Vec<String>,
}

impl<'a> Drawing<'a> {
    /// Draws a row of the matrix, or several that are alike.
    pub(super) fn block(&mut self, number: usize, block: &'a Block<'a>) {
        let Some(first) = block.rows.first() else {
            return;
        };
        let Content { own, shared, lines } = self.content(block, first);
        let kinds = self.kinds();
        if own.is_empty() && shared.is_empty() && kinds.len() < Kind::ALL.len() {
            // Nothing of theirs is in this view.
            return;
        }
        let anchor = format!("p{number}");
        let is_held = matches!(first.party, Party::Held(_));
        let mut nodes = Vec::new();
        for (id, all) in own {
            nodes.push(self.namespace(id, &all, (!is_held).then_some(&anchor)));
        }
        for id in shared {
            self.edge(&anchor, &name_of(id), Means::In, None);
            self.shared(id, first.pod);
        }
        let title = self.title(block);
        if is_held {
            for node in &nodes {
                self.edge(&anchor, &node.name, Means::Holds, None);
            }
            nodes.push(Node {
                name: anchor,
                look: Look::Holder,
                lines: vec![title],
            });
            self.chart.nodes.append(&mut nodes);
            return;
        }
        let party = Node {
            name: anchor,
            look: Look::Party,
            lines: if lines.is_empty() {
                vec![title.clone()]
            } else {
                lines
            },
        };
        nodes.insert(0, party);
        let group = Group {
            name: format!("g{number}"),
            title,
            is_host: first.party == Party::Host,
            nodes,
            groups: Vec::new(),
        };
        let groups = match first.pod.and_then(|pod| self.pod(pod)) {
            Some(pod) => &mut pod.groups,
            None => &mut self.chart.groups,
        };
        groups.push(group);
    }

    fn title(&self, block: &Block<'_>) -> String {
        let party = |row: &Row<'_>| self.labels.party(&row.party);
        let title = match &block.rows[..] {
            [first, .., last] => {
                let (first, last) = (party(first), party(last));
                format!("{} alike: {first} … {last}", block.rows.len())
            }
            rows => rows.iter().map(|row| party(row).to_string()).collect(),
        };
        cut(&title, COLUMNS)
    }

    /// Returns what belongs into the box of a row, or of several that are alike.
    fn content(&self, block: &Block<'_>, first: &Row<'_>) -> Content {
        let (mut hosts, mut unknown) = (Vec::new(), Vec::new());
        let (mut own, mut shared) = (Vec::new(), Vec::new());
        for kind in self.kinds() {
            let cell = first.cell(*kind);
            if cell.is_unknown {
                unknown.push(kind.to_string());
            }
            for id in &cell.namespaces {
                match self.picture.tone(*id) {
                    Tone::Host if first.party != Party::Host => hosts.push(kind.to_string()),
                    Tone::Shared(_) => shared.push(*id),
                    // Already among those for which the first one stands.
                    Tone::Own if block.rows.len() > 1 && own.iter().any(is_of(*kind)) => {}
                    Tone::Own if block.rows.len() > 1 => {
                        let all = block
                            .rows
                            .iter()
                            .flat_map(|row| &row.cell(*kind).namespaces);
                        let is_own = |id: &&NsId| self.picture.tone(**id) == Tone::Own;
                        own.push((*id, all.filter(is_own).copied().collect()));
                    }
                    _ => own.push((*id, vec![*id])),
                }
            }
        }
        let counts = block.rows.iter().map(|row| row.nprocs);
        let count = counts.sum::<Option<usize>>();
        let count = count.map(|count| counted(count, "process", "processes"));
        let mut lines: Vec<String> = count.into_iter().collect();
        let words = [("host’s", hosts), ("not seen:", unknown)];
        for (word, kinds) in words.iter().filter(|(_, kinds)| !kinds.is_empty()) {
            lines.push(format!("{word} {}", kinds.join(", ")));
        }
        Content { own, shared, lines }
    }

    /// Returns the types of namespaces to draw.
    fn kinds(&self) -> &'static [Kind] {
        match self.picture.views == ViewKinds::of(ViewKind::Wires) {
            true => &[Kind::Net],
            false => Kind::ALL,
        }
    }

    /// Returns the box of a pod, and makes it if there is none.
    fn pod(&mut self, pod: &'a str) -> Option<&mut Group> {
        let groups = &mut self.chart.groups;
        let place = *self.boxes.entry(pod).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group {
                name: format!("pod{place}"),
                title: format!("pod {}", pod.get(..12).unwrap_or(pod)),
                is_host: false,
                nodes: Vec::new(),
                groups: Vec::new(),
            });
        }
        groups.get_mut(place)
    }

    /// Draws a namespace that several rows have, if it is not drawn yet: in the box of
    /// their pod, if all are of one.
    fn shared(&mut self, id: NsId, pod: Option<&'a str>) {
        if self.places.contains_key(&id) {
            return;
        }
        let node = self.namespace(id, &[id], None);
        let is_of_pod = self.pods.get(&id).copied().flatten().is_some();
        match pod.filter(|_| is_of_pod).and_then(|pod| self.pod(pod)) {
            Some(pod) => pod.nodes.push(node),
            None => self.chart.nodes.push(node),
        }
    }

    /// Makes a node for some namespaces of one type, of which one stands for all.
    fn namespace(&mut self, id: NsId, all: &[NsId], anchor: Option<&String>) -> Node {
        let name = name_of(id);
        for id in all {
            let place = Place {
                node: name.clone(),
                anchor: anchor.unwrap_or(&name).clone(),
            };
            self.places.insert(*id, place);
        }
        let tone = self.picture.tone(id);
        let mut lines = vec![match (all.len(), tone) {
            (2.., _) => format!("{} × {}", id.kind, all.len()),
            (_, Tone::Host) => format!("{} {}", id.kind, self.labels.short(id)),
            _ => format!("{} {}", id.kind, self.labels.name(id)),
        }];
        if id.kind == Kind::Net && self.picture.views.contains(ViewKind::Wires) {
            lines.extend(self.interfaces(id));
        }
        Node {
            name,
            look: Look::Namespace(tone),
            lines,
        }
    }
}

/// Returns whether a node stands for namespaces of a type.
fn is_of(kind: Kind) -> impl Fn(&(NsId, Vec<NsId>)) -> bool {
    move |(id, _)| id.kind == kind
}

/// Returns the name of the node of a namespace.
fn name_of(id: NsId) -> String {
    format!("{}_{}", id.kind, id.ino)
}

/// Returns, of each namespace, the pod of all rows that have it.
pub(super) fn pods<'a>(picture: &'a Picture<'a>) -> HashMap<NsId, Option<&'a str>> {
    let mut pods = HashMap::new();
    for row in picture.matrix.blocks.iter().flat_map(|block| &block.rows) {
        for id in row.cells.iter().flat_map(|cell| &cell.namespaces) {
            let pod = pods.entry(*id).or_insert(row.pod);
            *pod = pod.filter(|pod| row.pod == Some(pod));
        }
    }
    pods
}
