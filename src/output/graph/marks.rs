//! The CSS classes of namespaces, by which all that is the same looks the same and
//! lights up together.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::analysis::picture::{Picture, Tone};
use crate::model::NsId;

/// So many hues there are. More shared namespaces have them again, in another pattern.
const HUES: usize = 8;

/// So many namespaces light up: each costs browsers time at every move of the pointer.
const MOST_LIT: usize = 200;

/// The classes of the namespaces of a picture.
pub(super) struct Marks<'a> {
    picture: &'a Picture<'a>,
    lit: HashMap<NsId, usize>,
    /// Whether a namespace leads to its entry in the list of all of them.
    pub(super) has_links: bool,
}

impl<'a> Marks<'a> {
    /// Makes marks for a picture in which nothing moves.
    pub(super) fn none(picture: &'a Picture<'a>) -> Self {
        Marks {
            picture,
            lit: HashMap::new(),
            has_links: false,
        }
    }

    /// Makes marks for a page: those that are seen at first light up, shared ones
    /// before others.
    pub(super) fn of_page(picture: &'a Picture<'a>) -> Self {
        let blocks = picture.matrix.blocks.iter();
        let rows = blocks.filter_map(|block| block.rows.first());
        let ids = rows.flat_map(|row| row.cells.iter().flat_map(|cell| &cell.namespaces));
        let mut seen: Vec<NsId> = ids.copied().collect();
        let folded = picture.matrix.blocks.iter().flat_map(|block| &block.rows);
        seen.extend(folded.flat_map(|row| row.cells.iter().flat_map(|cell| &cell.namespaces)));
        let mut lit = HashMap::new();
        for is_own in [false, true] {
            for id in &seen {
                let next = lit.len();
                if next < MOST_LIT && (picture.tone(*id) == Tone::Own) == is_own {
                    lit.entry(*id).or_insert(next);
                }
            }
        }
        Marks {
            picture,
            lit,
            has_links: true,
        }
    }

    /// Returns how many namespaces light up, if not all do.
    pub(super) fn most_lit(&self) -> Option<usize> {
        let snapshot = self.picture.snapshot;
        let all = snapshot.namespaces.len() + snapshot.ancestors.len();
        (self.lit.len() < all).then_some(self.lit.len())
    }

    /// Returns the classes of a namespace.
    pub(super) fn class(&self, id: NsId) -> String {
        let mut class = match self.picture.tone(id) {
            Tone::Host => "ns host".to_owned(),
            Tone::Own => "ns own".to_owned(),
            Tone::Shared(place) => {
                let pattern = match place / HUES % 3 {
                    0 => "",
                    1 => " striped",
                    _ => " dotted",
                };
                format!("ns s{}{pattern}", place % HUES)
            }
        };
        if self
            .picture
            .namespace(id)
            .is_some_and(|one| one.nprocs == 0)
        {
            class += " held";
        }
        if let Some(number) = self.lit.get(&id) {
            class += &format!(" n{number}");
        }
        class
    }

    /// Writes the rules by which all appearances of a namespace light up together.
    pub(super) fn write_rules(&self, out: &mut dyn Write) -> io::Result<()> {
        for number in 0..self.lit.len() {
            write!(out, ":root:has(.n{number}:is(:hover,:focus)) .n{number},")?;
        }
        writeln!(out, ".lit{{--ring:var(--on);--wide:3}}")
    }
}

/// Returns the name of the anchor of a namespace in the list of all of them.
pub(super) fn anchor(id: NsId) -> String {
    format!("{}-{}", id.kind, id.ino)
}
