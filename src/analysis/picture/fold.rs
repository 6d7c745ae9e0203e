//! What is the same and what is alike in the rows of a matrix.

use std::collections::{HashMap, HashSet};

use crate::analysis::picture::{Block, MOST_ALIKE, Matrix, Party, Row, Tone};
use crate::model::NsId;

/// Returns the tone of each namespace in these rows.
pub(super) fn tones(rows: &[Row<'_>], host: &HashSet<NsId>) -> HashMap<NsId, Tone> {
    let mut counts: HashMap<NsId, usize> = HashMap::new();
    for id in rows.iter().flat_map(Row::ids) {
        *counts.entry(id).or_default() += 1;
    }
    let mut tones = HashMap::new();
    let mut shared = 0;
    for id in rows.iter().flat_map(Row::ids) {
        tones.entry(id).or_insert_with(|| match counts.get(&id) {
            _ if host.contains(&id) => Tone::Host,
            Some(2..) => {
                shared += 1;
                Tone::Shared(shared - 1)
            }
            _ => Tone::Own,
        });
    }
    tones
}

/// Puts rows that are alike together if they are many.
pub(super) fn fold<'a>(rows: Vec<Row<'a>>, tones: &HashMap<NsId, Tone>) -> Matrix<'a> {
    let shapes: Vec<Shape> = rows.iter().map(|row| Shape::new(row, tones)).collect();
    let mut counts: HashMap<&Shape, usize> = HashMap::new();
    for shape in &shapes {
        *counts.entry(shape).or_default() += 1;
    }
    let mut places: HashMap<&Shape, usize> = HashMap::new();
    let mut blocks: Vec<Block<'a>> = Vec::new();
    for (row, shape) in rows.into_iter().zip(&shapes) {
        let is_folded = counts.get(shape).is_some_and(|count| *count > MOST_ALIKE);
        let place = *places.entry(shape).or_insert(blocks.len());
        match blocks.get_mut(place) {
            Some(block) if is_folded => block.rows.push(row),
            _ => blocks.push(Block { rows: vec![row] }),
        }
    }
    Matrix { blocks }
}

/// What rows that are alike have in common.
#[derive(PartialEq, Eq, Hash)]
struct Shape {
    /// The kind of the party, and of a holder.
    party: (u8, &'static str),
    /// The tones of each cell, and whether it is unknown.
    cells: Vec<(Vec<Tone>, bool)>,
}

impl Shape {
    fn new(row: &Row<'_>, tones: &HashMap<NsId, Tone>) -> Self {
        let tone = |id: &NsId| tones.get(id).copied().unwrap_or(Tone::Own);
        let cells = row.cells.iter().map(|cell| {
            let tones = cell.namespaces.iter().map(tone).collect();
            (tones, cell.is_unknown)
        });
        Shape {
            party: match row.party {
                Party::Host => (0, ""),
                Party::Container(_) => (1, ""),
                Party::Service(_) => (2, ""),
                Party::Processes(_) => (3, ""),
                Party::Held(holder) => (4, holder.kind()),
            },
            cells: cells.collect(),
        }
    }
}
