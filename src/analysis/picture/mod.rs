//! A picture of a snapshot: who is in which namespaces, what hangs below what,
//! and how networks are wired.
//!
//! This is what every format of `nsls graph` draws. It says what is the same,
//! what is alike and what is unknown; where it stands and how it looks is left to
//! the formats.

mod alike;
mod matrix;
#[cfg(test)]
mod tests;
mod trees;
mod wires;

use std::collections::HashMap;

pub use matrix::{Block, Cell, Matrix, Party, Row};
pub use trees::{Node, Trees};
pub use wires::{Cable, Lane, Port, Socket, Wires};

use crate::model::{Namespace, NsId, Pid, Set, Snapshot, named};
use crate::text::Text;

named! {
    /// One way to look at namespaces.
    pub enum ViewKind {
        /// Who is in which namespaces: containers, services and others, by type.
        Matrix = "matrix",
        /// User namespaces and what they own, pid namespaces and their processes.
        Tree = "tree",
        /// Net namespaces, their interfaces, and what connects these.
        Wires = "wires",
    }
}

/// A set of views.
pub type ViewKinds = Set<ViewKind>;

/// Namespaces, ready to be drawn.
///
/// Requires [`Need::Members`](crate::Need::Members),
/// [`Need::Affiliation`](crate::Need::Affiliation) and
/// [`Need::Host`](crate::Need::Host); trees also
/// [`Need::Relations`](crate::Need::Relations), and wires
/// [`Need::Addresses`](crate::Need::Addresses).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Picture<'a> {
    /// What it shows.
    pub snapshot: &'a Snapshot,
    /// The views to draw. The others may lack what nobody collected for them.
    pub views: ViewKinds,
    /// What it lacks: sentences for people, which belong on the picture. Untrusted.
    pub remarks: Vec<Text>,
    /// Whether nothing that was looked for is hidden.
    pub is_complete: bool,
    /// When the snapshot was made, in seconds since 1970-01-01 00:00 UTC; `None` if
    /// unknown.
    pub time: Option<f64>,
    /// Who is in which namespaces.
    pub matrix: Matrix<'a>,
    /// What hangs below what.
    pub trees: Trees<'a>,
    /// How networks are wired.
    pub wires: Wires<'a>,
    /// Addresses in net namespaces of which nobody knows the interface. Untrusted.
    pub addresses: HashMap<NsId, Vec<Text>>,
    roles: HashMap<NsId, Role<'a>>,
}

/// The part that a namespace plays in a picture.
#[derive(Clone, Debug)]
struct Role<'a> {
    namespace: &'a Namespace,
    tone: Tone,
    /// Those that are in it.
    parties: Vec<Party<'a>>,
    /// The first row that has it.
    row: usize,
}

/// By what a namespace is told from others. The same tone is the same namespace,
/// except for [`Tone::Own`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tone {
    /// It is the host's.
    Host,
    /// Several rows of the matrix have it: the number of such namespaces before it.
    Shared(usize),
    /// One row has it.
    Own,
}

/// How much a snapshot knows of its processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processes {
    /// All of them, with all links that could be read.
    All,
    /// The representatives alone, with the links that made them that.
    Representatives,
}

impl<'a> Picture<'a> {
    /// Makes a picture of a snapshot. The cost is linear, and whatever the snapshot
    /// claims, nothing is drawn twice.
    pub fn new(snapshot: &'a Snapshot, views: ViewKinds, processes: Processes) -> Self {
        let rows = matrix::rows(snapshot, processes);
        let roles = roles(snapshot, &rows);
        let tone = |id: &NsId| roles.get(id).map_or(Tone::Own, |role| role.tone);
        let row = |id: NsId| roles.get(&id).map_or(usize::MAX, |role| role.row);
        Picture {
            snapshot,
            views,
            remarks: Vec::new(),
            is_complete: snapshot.is_complete(),
            time: None,
            addresses: HashMap::new(),
            trees: trees::grow(snapshot),
            wires: wires::lay(snapshot, row),
            matrix: matrix::fold(rows, tone),
            roles,
        }
    }

    /// Returns a namespace of the picture.
    pub fn namespace(&self, id: NsId) -> Option<&'a Namespace> {
        Some(self.roles.get(&id)?.namespace)
    }

    /// Returns the tone of a namespace.
    pub fn tone(&self, id: NsId) -> Tone {
        self.roles.get(&id).map_or(Tone::Own, |role| role.tone)
    }

    /// Returns those that are in a namespace, or without processes what holds it,
    /// in the order of the matrix.
    pub fn parties(&self, id: NsId) -> &[Party<'a>] {
        self.roles.get(&id).map_or(&[], |role| &role.parties)
    }
}

/// Returns the processes whose commands a picture shows, beside representatives;
/// for [`Scanner::describe`](crate::Scanner::describe).
pub fn shown_processes(snapshot: &Snapshot, views: ViewKinds) -> Vec<Pid> {
    let mut shown: Vec<Pid> = matrix::rows(snapshot, Processes::All)
        .iter()
        .filter_map(|row| match row.party {
            Party::Processes(process) => Some(process.pid),
            Party::Held(holder) => holder.pid(),
            _ => None,
        })
        .collect();
    if views.contains(ViewKind::Tree) {
        let trees = trees::grow(snapshot);
        let nodes = trees.pid.iter();
        shown.extend(nodes.flat_map(|node| node.processes.iter().map(|process| process.pid)));
    }
    shown
}

/// Returns the part of each namespace, by the rows that have it.
fn roles<'a>(snapshot: &'a Snapshot, rows: &[Row<'a>]) -> HashMap<NsId, Role<'a>> {
    let mut roles: HashMap<NsId, Role<'a>> = HashMap::new();
    for namespace in all(snapshot) {
        let role = Role {
            namespace,
            tone: if is_host(namespace) {
                Tone::Host
            } else {
                Tone::Own
            },
            parties: Vec::new(),
            row: usize::MAX,
        };
        roles.insert(namespace.id, role);
    }
    for (place, row) in rows.iter().enumerate() {
        for id in row.ids() {
            if let Some(role) = roles.get_mut(&id) {
                role.row = role.row.min(place);
                role.parties.push(row.party);
            }
        }
    }
    let mut shared = 0;
    for id in rows.iter().flat_map(Row::ids) {
        if let Some(role) = roles.get_mut(&id)
            && role.tone == Tone::Own
            && role.parties.len() > 1
        {
            role.tone = Tone::Shared(shared);
            shared += 1;
        }
    }
    roles
}

fn is_host(namespace: &Namespace) -> bool {
    let facts = namespace.facts.as_deref();
    facts.and_then(|facts| facts.is_host) == Some(true)
}

/// Iterates over all namespaces of a snapshot, requested or above those.
fn all(snapshot: &Snapshot) -> impl Iterator<Item = &Namespace> {
    snapshot.namespaces.iter().chain(&snapshot.ancestors)
}
