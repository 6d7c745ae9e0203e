//! Rows as trees.

use std::collections::{HashMap, HashSet};

use crate::model::{NsId, Pid, Snapshot};
use crate::query::Row;

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
    /// What is drawn before it, from the root on; empty for a root.
    pub branches: Vec<Branch>,
    /// Whether it is only there so that others can hang below it.
    pub is_context: bool,
}

/// What is drawn at one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// Nothing.
    Blank,
    /// A line goes by.
    Line,
    /// A line goes by, and this row hangs on it.
    Tee,
    /// This row is the last that hangs here.
    Corner,
}

/// Rows without any tree.
pub fn flat(rows: Vec<Row<'_>>) -> Vec<Placed<'_>> {
    let place = |row| Placed {
        row,
        branches: Vec::new(),
        is_context: false,
    };
    rows.into_iter().map(place).collect()
}

/// Rows in the order and place in which a tree shows them, with the ancestors
/// that are needed to draw it.
pub fn grow<'a>(rows: Vec<Row<'a>>, snapshot: &'a Snapshot, relation: Relation) -> Vec<Placed<'a>> {
    match relation {
        Relation::Owner | Relation::Parent => {
            let above = |row: &Row<'_>| {
                let relations = &row.namespace.relations;
                match relation {
                    Relation::Parent => relations.parent,
                    _ => relations.owner,
                }
            };
            let (rows, wanted) = with_ancestors(rows, snapshot, above);
            let places: HashMap<NsId, usize> = places(&rows, |row| Some(row.namespace.id));
            let parents = rows.iter().map(|row| places.get(&above(row)?).copied());
            let parents = parents.collect::<Vec<_>>();
            draw(rows, &parents, |row| wanted.contains(&row.namespace.id))
        }
        Relation::Process => {
            let pid = |row: &Row<'_>| row.process.map(|process| process.pid);
            let places: HashMap<Pid, usize> = places(&rows, pid);
            let parents = rows.iter().map(|row| {
                let mut seen = HashSet::new();
                let mut here = pid(row)?;
                loop {
                    here = *snapshot.parents.get(&here)?;
                    match places.get(&here) {
                        Some(place) => return Some(*place),
                        // What a captured tree says need not be true.
                        None if seen.insert(here) => {}
                        None => return None,
                    }
                }
            });
            let parents = parents.collect::<Vec<_>>();
            draw(rows, &parents, |_| true)
        }
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

/// Adds the rows of all namespaces above, and tells which were there before.
fn with_ancestors<'a>(
    rows: Vec<Row<'a>>,
    snapshot: &'a Snapshot,
    above: impl Fn(&Row<'_>) -> Option<NsId>,
) -> (Vec<Row<'a>>, HashSet<NsId>) {
    let wanted: HashSet<NsId> = rows.iter().map(|row| row.namespace.id).collect();
    let all = snapshot.namespaces.iter().chain(&snapshot.ancestors);
    let others: HashMap<NsId, Row<'a>> = all
        .map(|namespace| (namespace.id, snapshot.row(namespace)))
        .collect();
    let mut shown = wanted.clone();
    let mut next: Vec<NsId> = rows.iter().filter_map(&above).collect();
    let mut rows = rows;
    while let Some(id) = next.pop() {
        if let (true, Some(row)) = (shown.insert(id), others.get(&id)) {
            rows.push(*row);
            next.extend(above(row));
        }
    }
    rows.sort_by_key(|row| row.namespace.id);
    (rows, wanted)
}

/// Puts every row below its parent. Who is its own ancestor is a root.
fn draw<'a>(
    rows: Vec<Row<'a>>,
    parents: &[Option<usize>],
    is_wanted: impl Fn(&Row<'_>) -> bool,
) -> Vec<Placed<'a>> {
    order(parents)
        .into_iter()
        .filter_map(|(place, branches)| {
            let row = *rows.get(place)?;
            Some(Placed {
                row,
                branches,
                is_context: !is_wanted(&row),
            })
        })
        .collect()
}

/// The order in which a forest is drawn, and what is drawn before each.
fn order(parents: &[Option<usize>]) -> Vec<(usize, Vec<Branch>)> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); parents.len()];
    let mut roots = Vec::new();
    for (place, parent) in parents.iter().enumerate() {
        match parent.and_then(|parent| children.get_mut(parent)) {
            Some(siblings) => siblings.push(place),
            None => roots.push(place),
        }
    }
    let mut drawn = vec![false; parents.len()];
    let mut order = Vec::with_capacity(parents.len());
    let mut draw_from = |root: usize| {
        // From the right, for the last one pushed comes first.
        let mut next: Vec<(usize, Vec<Branch>)> = vec![(root, Vec::new())];
        while let Some((place, branches)) = next.pop() {
            if drawn.get(place).copied().unwrap_or(true) {
                continue;
            }
            if let Some(drawn) = drawn.get_mut(place) {
                *drawn = true;
            }
            let below: Vec<Branch> = branches
                .iter()
                .map(|branch| match branch {
                    Branch::Tee | Branch::Line => Branch::Line,
                    Branch::Corner | Branch::Blank => Branch::Blank,
                })
                .collect();
            let siblings = children.get(place).map_or(&[][..], Vec::as_slice);
            for (nth, child) in siblings.iter().enumerate().rev() {
                let is_last = nth + 1 == siblings.len();
                let hangs = if is_last { Branch::Corner } else { Branch::Tee };
                next.push((*child, [&below[..], &[hangs]].concat()));
            }
            order.push((place, branches));
        }
    };
    for root in roots {
        draw_from(root);
    }
    // What is left goes round in circles.
    for place in 0..parents.len() {
        draw_from(place);
    }
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Branch::{Blank, Corner, Line, Tee};
    use super::*;

    #[test]
    fn children_hang_below_their_parents_in_their_order() {
        let parents = [None, Some(0), Some(1), Some(1), Some(0), None, Some(5)];
        assert_eq!(
            order(&parents),
            [
                (0, vec![]),
                (1, vec![Tee]),
                (2, vec![Line, Tee]),
                (3, vec![Line, Corner]),
                (4, vec![Corner]),
                (5, vec![]),
                (6, vec![Corner]),
            ]
        );
        let chain = [None, Some(0), Some(1), Some(2)];
        assert_eq!(order(&chain)[3], (3, vec![Blank, Blank, Corner]));
    }

    #[test]
    fn a_circle_begins_anywhere_and_loses_nobody() {
        let places: Vec<usize> = order(&[Some(1), Some(0), Some(2), Some(9)])
            .into_iter()
            .map(|(place, _)| place)
            .collect();
        assert_eq!(places, [3, 0, 1, 2]);
    }

    proptest! {
        #[test]
        fn every_row_is_drawn_once(parents in proptest::collection::vec(proptest::option::of(0usize..40), 0..40)) {
            let mut drawn: Vec<usize> = order(&parents).into_iter().map(|(place, _)| place).collect();
            drawn.sort_unstable();
            prop_assert_eq!(drawn, (0..parents.len()).collect::<Vec<_>>());
        }
    }
}
