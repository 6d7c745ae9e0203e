//! Rows as trees.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::{NsId, Pid, Snapshot};
use crate::query::order::{Branch, order};
use crate::query::{Row, Sort};

/// What rows hang below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// A namespace hangs below the user namespace that owns it.
    Owner,
    /// A user or pid namespace hangs below its parent; others hang nowhere.
    Parent,
    /// A process hangs below the nearest of its ancestors that has a row.
    Process,
}

/// A row in its place.
#[derive(Clone, Debug)]
pub struct Placed<'a> {
    /// What is shown.
    pub row: Row<'a>,
    /// The heading above it, if it is the first of its group. Any bytes.
    pub heading: Option<Vec<u8>>,
    /// What is drawn before it, from the root on; empty for a root.
    pub branches: Vec<Branch>,
    /// Whether others hang below it.
    pub has_children: bool,
    /// Whether it is only there so that others can hang below it.
    pub is_context: bool,
}

/// Rows without any tree.
pub fn flat(rows: Vec<Row<'_>>) -> Vec<Placed<'_>> {
    let place = |row| Placed {
        row,
        heading: None,
        branches: Vec::new(),
        has_children: false,
        is_context: false,
    };
    rows.into_iter().map(place).collect()
}

/// Rows in the order and place in which a tree shows them, with the ancestors
/// that are needed to draw it. The rows are sorted already, and only together with
/// ancestors once more.
pub fn grow<'a>(
    rows: Vec<Row<'a>>,
    snapshot: &'a Snapshot,
    relation: Relation,
    sort: &Sort,
) -> Vec<Placed<'a>> {
    match relation {
        Relation::Owner | Relation::Parent => {
            let above = |row: &Row<'_>| {
                let relations = row.relations()?;
                match relation {
                    Relation::Parent => relations.parent,
                    _ => relations.owner,
                }
            };
            let (mut rows, wanted) = with_ancestors(rows, snapshot, above);
            sort.apply(&mut rows);
            let places: HashMap<NsId, usize> = places(&rows, |row| row.id());
            let parents = rows.iter().map(|row| places.get(&above(row)?).copied());
            let parents = parents.collect::<Vec<_>>();
            draw(rows, &parents, |row| {
                row.id().is_none_or(|id| wanted.contains(&id))
            })
        }
        Relation::Process => {
            let pid = |row: &Row<'_>| row.process.map(|process| process.pid);
            let places: HashMap<Pid, usize> = places(&rows, pid);
            let mut nearest = Nearest {
                parents: &snapshot.parents,
                has_row: |pid| places.contains_key(&pid),
                known: HashMap::new(),
            };
            let parents = rows.iter().map(|row| {
                let own = pid(row)?;
                let above = nearest.above(own).filter(|above| *above != own)?;
                places.get(&above).copied()
            });
            let parents = parents.collect::<Vec<_>>();
            draw(rows, &parents, |_| true)
        }
    }
}

/// Finds the nearest ancestor of each process that has a row.
struct Nearest<'a, F> {
    parents: &'a BTreeMap<Pid, Pid>,
    has_row: F,
    /// The answers so far, by the process without a row from which they were
    /// found: a long line of ancestors is climbed once.
    known: HashMap<Pid, Option<Pid>>,
}

impl<F: Fn(Pid) -> bool> Nearest<'_, F> {
    /// Returns the nearest ancestor with a row: possibly the process itself, as
    /// what a captured tree says need not be true.
    fn above(&mut self, pid: Pid) -> Option<Pid> {
        let mut climbed = Vec::new();
        let mut here = pid;
        let found = loop {
            let Some(parent) = self.parents.get(&here).copied() else {
                break None;
            };
            if (self.has_row)(parent) {
                break Some(parent);
            }
            if let Some(known) = self.known.get(&parent) {
                break *known;
            }
            // Unless something is found further up, it is its own ancestor.
            self.known.insert(parent, None);
            climbed.push(parent);
            here = parent;
        };
        self.known
            .extend(climbed.into_iter().map(|climbed| (climbed, found)));
        found
    }
}

/// Where each thing is shown; of several rows that show it the last counts, so
/// that what hangs there is drawn right below.
fn places<K: std::hash::Hash + Eq>(
    rows: &[Row<'_>],
    key: impl Fn(&Row<'_>) -> Option<K>,
) -> HashMap<K, usize> {
    let keyed = |(place, row)| Some((key(row)?, place));
    rows.iter().enumerate().filter_map(keyed).collect()
}

/// Adds the rows of all namespaces above, and returns which were there before.
fn with_ancestors<'a>(
    rows: Vec<Row<'a>>,
    snapshot: &'a Snapshot,
    above: impl Fn(&Row<'_>) -> Option<NsId>,
) -> (Vec<Row<'a>>, HashSet<NsId>) {
    let wanted: HashSet<NsId> = rows.iter().filter_map(Row::id).collect();
    let all = snapshot.namespaces.iter().chain(&snapshot.ancestors);
    let others: HashMap<NsId, Row<'a>> = rows.first().map_or_else(HashMap::new, |row| {
        all.map(|namespace| (namespace.id, snapshot.row(row.root, namespace)))
            .collect()
    });
    let mut shown = wanted.clone();
    let mut next: Vec<NsId> = rows.iter().filter_map(&above).collect();
    let mut rows = rows;
    while let Some(id) = next.pop() {
        if let (true, Some(row)) = (shown.insert(id), others.get(&id)) {
            rows.push(*row);
            next.extend(above(row));
        }
    }
    rows.sort_by_key(|row| row.order());
    (rows, wanted)
}

/// Puts every row below its parent.
fn draw<'a>(
    rows: Vec<Row<'a>>,
    parents: &[Option<usize>],
    is_wanted: impl Fn(&Row<'_>) -> bool,
) -> Vec<Placed<'a>> {
    order(parents)
        .into_iter()
        .filter_map(|drawn| {
            let row = *rows.get(drawn.place)?;
            Some(Placed {
                row,
                heading: None,
                branches: drawn.branches,
                has_children: drawn.has_children,
                is_context: !is_wanted(&row),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Holder, Kind, Namespace};
    use crate::proc::Sysroot;
    use crate::text::Text;

    fn user(ino: u64) -> NsId {
        let kind = Kind::User;
        NsId { ino, kind }
    }

    fn namespace(id: NsId, above: Option<u64>) -> Namespace {
        let mut namespace = Namespace::new(id, Holder::Path(Text::default()));
        namespace.relations.owner = above.map(user);
        namespace.relations.parent = above.map(user).filter(|_| id.kind == Kind::User);
        namespace
    }

    /// What is drawn: number, depth, whether it is context.
    fn grown(snapshot: &Snapshot, shown: &[u64], relation: Relation) -> Vec<(u64, usize, bool)> {
        let rows = snapshot.namespaces.iter();
        let rows = rows.filter(|namespace| shown.contains(&namespace.id.ino));
        let root = Sysroot::at("/nonexistent");
        let rows = rows
            .map(|namespace| snapshot.row(&root, namespace))
            .collect();
        let placed = grow(rows, snapshot, relation, &Sort::default()).into_iter();
        placed
            .map(|it| (it.row.id().unwrap().ino, it.branches.len(), it.is_context))
            .collect()
    }

    /// 1 is above 2 and 2 above 3, which owns 9; the owner of 7 is not seen.
    fn snapshot() -> Snapshot {
        let uts = |ino| NsId {
            ino,
            kind: Kind::Uts,
        };
        Snapshot {
            ancestors: vec![namespace(user(1), None)],
            namespaces: vec![
                namespace(user(2), Some(1)),
                namespace(user(3), Some(2)),
                namespace(uts(7), Some(6)),
                namespace(uts(9), Some(3)),
            ],
            ..Snapshot::default()
        }
    }

    #[test]
    fn what_is_above_is_context_whether_or_not_it_was_asked_for() {
        assert_eq!(
            grown(&snapshot(), &[9], Relation::Owner),
            [(1, 0, true), (2, 1, true), (3, 2, true), (9, 3, false)]
        );
        assert_eq!(
            grown(&snapshot(), &[2, 9], Relation::Owner),
            [(1, 0, true), (2, 1, false), (3, 2, true), (9, 3, false)]
        );
    }

    #[test]
    fn what_hangs_below_something_unseen_or_below_nothing_is_a_root() {
        assert_eq!(grown(&snapshot(), &[7], Relation::Owner), [(7, 0, false)]);
        assert_eq!(
            grown(&snapshot(), &[3, 9], Relation::Parent),
            [(1, 0, true), (2, 1, true), (3, 2, false), (9, 0, false)]
        );
    }

    /// The nearest ancestor with a row of each process, asked in this order.
    fn nearest(parents: &[(Pid, Pid)], rows: &[Pid], asked: &[Pid]) -> Vec<Option<Pid>> {
        let mut nearest = Nearest {
            parents: &parents.iter().copied().collect(),
            has_row: |pid| rows.contains(&pid),
            known: HashMap::new(),
        };
        asked.iter().map(|pid| nearest.above(*pid)).collect()
    }

    #[test]
    fn ancestors_without_a_row_are_passed_over() {
        let parents = [(2, 1), (3, 2), (4, 3), (5, 4), (6, 4), (9, 8)];
        let found = nearest(&parents, &[2, 5, 6, 9], &[6, 5, 2, 9, 7]);
        assert_eq!(found, [Some(2), Some(2), None, None, None]);
    }

    #[test]
    fn processes_above_each_other_have_no_ancestor_or_themselves() {
        let circle = [(2, 3), (3, 4), (4, 2), (5, 4)];
        assert_eq!(nearest(&circle, &[5], &[5, 2, 3]), [None; 3]);
        let found = nearest(&circle, &[2, 5], &[2, 5]);
        assert_eq!(found, [Some(2), Some(2)]);
        let found = nearest(&circle, &[2, 5], &[5, 2]);
        assert_eq!(found, [Some(2), Some(2)]);
        assert_eq!(nearest(&[(2, 2)], &[2], &[2]), [Some(2)]);
    }

    #[test]
    fn namespaces_that_own_each_other_are_all_shown() {
        let mut snapshot = snapshot();
        snapshot.ancestors = vec![namespace(user(1), Some(3))];
        assert_eq!(
            grown(&snapshot, &[3, 7], Relation::Owner),
            [(1, 0, true), (2, 1, true), (3, 2, false), (7, 0, false)]
        );
    }
}
