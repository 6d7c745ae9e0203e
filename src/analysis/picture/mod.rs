//! A picture of a snapshot: who is in which namespaces, what hangs below what,
//! and how networks are wired.
//!
//! This is what every format of `nsls graph` draws. It says what is the same,
//! what is alike and what is unknown; where it stands and how it looks is left to
//! the formats.

mod fold;
mod matrix;
#[cfg(test)]
mod tests;
mod trees;
mod wires;

use std::collections::{BTreeMap, HashMap};

pub use matrix::{Block, Cell, Matrix, Party, Row};
pub use trees::{Node, Trees};
pub use wires::{Cable, Lane, Port, Socket, Wires};

use crate::model::{Namespace, NsId, Pid, Set, Snapshot, named};
use crate::text::Text;

/// So many that are alike are shown one by one; with more, one stands for all.
const MOST_ALIKE: usize = 12;

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
    pub addresses: BTreeMap<NsId, Vec<Text>>,
    roles: HashMap<NsId, Role<'a>>,
}

/// The part that a namespace plays in a picture.
#[derive(Clone, Debug)]
struct Role<'a> {
    namespace: &'a Namespace,
    tone: Tone,
    parties: Vec<Party<'a>>,
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
        let (rows, tones) = matrix::rows(snapshot, processes);
        let mut roles: HashMap<NsId, Role<'a>> = all(snapshot)
            .map(|namespace| {
                let role = Role {
                    namespace,
                    tone: tones.get(&namespace.id).copied().unwrap_or(Tone::Own),
                    parties: Vec::new(),
                };
                (namespace.id, role)
            })
            .collect();
        for row in &rows {
            for id in row.cells.iter().flat_map(|cell| &cell.namespaces) {
                if let Some(role) = roles.get_mut(id) {
                    role.parties.push(row.party);
                }
            }
        }
        let order: HashMap<NsId, usize> = rows
            .iter()
            .enumerate()
            .rev()
            .flat_map(|(place, row)| {
                let ids = row.cells.iter().flat_map(|cell| &cell.namespaces);
                ids.map(move |id| (*id, place))
            })
            .collect();
        Picture {
            snapshot,
            views,
            remarks: Vec::new(),
            is_complete: snapshot.is_complete(),
            time: None,
            addresses: BTreeMap::new(),
            trees: trees::grow(snapshot),
            wires: wires::lay(snapshot, &order),
            matrix: fold::fold(rows, &tones),
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
        .0
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

/// Iterates over all namespaces of a snapshot, requested or above those.
fn all(snapshot: &Snapshot) -> impl Iterator<Item = &Namespace> {
    snapshot.namespaces.iter().chain(&snapshot.ancestors)
}
