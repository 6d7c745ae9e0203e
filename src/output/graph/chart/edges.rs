use crate::analysis::picture::Socket;
use crate::model::{Kind, NsId};
use crate::output::graph::chart::lines::{called, few};
use crate::output::graph::chart::{COLUMNS, Chart, Drawing, Edge, Means};
use crate::output::graph::markup::cut;

impl Drawing<'_> {
    /// Draws parents, and owners: an edge to a box for all that one owns there.
    pub(super) fn relations(&mut self) {
        let snapshot = self.picture.snapshot;
        for namespace in snapshot.namespaces.iter().chain(&snapshot.ancestors) {
            let id = namespace.id;
            let Some(place) = self.places.get(&id).cloned() else {
                continue;
            };
            let relations = &namespace.relations;
            if let Some(parent) = self.known(relations.parent) {
                self.edge(&parent, &place.node, Means::Parent, None);
            }
            if id.kind != Kind::User
                && let Some(owner) = self.known(relations.owner)
            {
                let is_alone = place.anchor == place.node;
                let what = (!is_alone).then(|| id.kind.to_string());
                self.edge(&owner, &place.anchor, Means::Owns, what);
            }
        }
    }

    /// Returns the node of a namespace.
    fn known(&self, id: Option<NsId>) -> Option<String> {
        Some(self.places.get(&id?)?.node.clone())
    }

    /// Draws what connects interfaces.
    pub(super) fn cables(&mut self) {
        let picture = self.picture;
        for cable in &picture.wires.cables {
            let end = |socket: Socket| {
                let lane = picture.wires.lanes.get(socket.lane)?;
                let port = lane.ports.get(socket.port)?;
                let node = self.known(Some(lane.namespace.id))?;
                Some((node, cut(&called(port), COLUMNS / 2)))
            };
            let Some(((from, one), (to, other))) = end(cable.from).zip(end(cable.to)) else {
                continue;
            };
            let means = match cable.is_veth {
                true => Means::Veth,
                false => Means::OnTop,
            };
            self.edge(&from, &to, means, Some(format!("{one} – {other}")));
        }
    }

    /// Draws an edge, once, and adds a line to it, once.
    pub(super) fn edge(&mut self, from: &str, to: &str, means: Means, line: Option<String>) {
        // Those for which one node stands have no edges among themselves.
        if from == to && line.is_none() {
            return;
        }
        let key = (from.to_owned(), to.to_owned(), means);
        let lines = self.edges.entry(key).or_default();
        if let Some(line) = line
            && !lines.contains(&line)
        {
            lines.push(line);
        }
    }

    pub(super) fn finish(self) -> Chart {
        let edges = self
            .edges
            .into_iter()
            .map(|((from, to, means), mut lines)| {
                lines.sort();
                let lines = match means {
                    Means::Owns => vec![format!("owns {}", lines.join(", ")).trim_end().to_owned()],
                    Means::Parent => vec!["parent of".to_owned()],
                    Means::Holds => vec!["holds".to_owned()],
                    Means::In | Means::Veth | Means::OnTop => few(lines),
                };
                Edge {
                    from,
                    to,
                    means,
                    lines,
                }
            });
        Chart {
            edges: edges.collect(),
            ..self.chart
        }
    }
}
