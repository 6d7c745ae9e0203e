//! The order in which a forest is drawn.

/// What is drawn at one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// Nothing.
    Blank,
    /// A line that passes the row.
    Line,
    /// A line that passes the row, with a branch to it.
    Tee,
    /// The end of a line, with a branch to the row.
    Corner,
}

/// How many levels are indented; deeper rows are drawn at the last. Every row
/// repeats what is drawn above it, and anyone can make processes whose ancestors
/// are thousands.
const DEEPEST: usize = 128;

/// The place of one row in the drawing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) place: usize,
    pub(super) branches: Vec<Branch>,
    pub(super) has_children: bool,
}

/// Returns the rows in the order they are drawn, with what is drawn before each.
pub(super) fn order(parents: &[Option<usize>]) -> Vec<Drawn> {
    let parents = without_circles(parents);
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); parents.len()];
    let mut roots = Vec::new();
    for (place, parent) in parents.iter().enumerate() {
        match parent.and_then(|parent| children.get_mut(parent)) {
            Some(siblings) => siblings.push(place),
            None => roots.push(place),
        }
    }
    let mut order = Vec::with_capacity(parents.len());
    // Reversed, because the last one pushed is drawn first.
    let mut next: Vec<(usize, Vec<Branch>)> = roots
        .into_iter()
        .rev()
        .map(|root| (root, Vec::new()))
        .collect();
    while let Some((place, branches)) = next.pop() {
        let below: Vec<Branch> = branches
            .iter()
            .map(|branch| match branch {
                Branch::Tee | Branch::Line => Branch::Line,
                Branch::Corner | Branch::Blank => Branch::Blank,
            })
            .collect();
        let above = below.get(..DEEPEST - 1).unwrap_or(&below);
        let siblings = children.get(place).map_or(&[][..], Vec::as_slice);
        for (nth, child) in siblings.iter().enumerate().rev() {
            let is_last = nth + 1 == siblings.len();
            let hangs = if is_last { Branch::Corner } else { Branch::Tee };
            next.push((*child, [above, &[hangs]].concat()));
        }
        order.push(Drawn {
            place,
            branches,
            has_children: !siblings.is_empty(),
        });
    }
    order
}

/// Breaks each cycle of ancestors, which only a captured tree can contain, by
/// making one of its rows a root: no other row leads there.
fn without_circles(parents: &[Option<usize>]) -> Vec<Option<usize>> {
    let mut parents = parents.to_vec();
    // From where each was first come by.
    let mut seen: Vec<Option<usize>> = vec![None; parents.len()];
    for start in 0..parents.len() {
        let mut here = start;
        while let Some(mark @ None) = seen.get_mut(here) {
            *mark = Some(start);
            let Some(Some(parent)) = parents.get(here).copied() else {
                break;
            };
            if seen.get(parent) == Some(&Some(start)) {
                // Back where this climb has been: above `parent` lies `here`.
                if let Some(root) = parents.get_mut(parent) {
                    *root = None;
                }
                break;
            }
            here = parent;
        }
    }
    parents
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Branch::{Blank, Corner, Line, Tee};
    use super::*;

    /// Places with what is drawn before them.
    fn shape(parents: &[Option<usize>]) -> Vec<(usize, Vec<Branch>)> {
        let drawn = order(parents).into_iter();
        drawn.map(|drawn| (drawn.place, drawn.branches)).collect()
    }

    #[test]
    fn children_hang_below_their_parents_in_their_order() {
        let parents = [None, Some(0), Some(1), Some(1), Some(0), None, Some(5)];
        assert_eq!(
            shape(&parents),
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
        assert_eq!(shape(&chain)[3], (3, vec![Blank, Blank, Corner]));
    }

    #[test]
    fn who_has_children_is_known() {
        let parents = [None, Some(0), Some(1), None];
        let has_children: Vec<_> = order(&parents).iter().map(|it| it.has_children).collect();
        assert_eq!(has_children, [true, true, false, false]);
    }

    #[test]
    fn a_tree_may_be_deep_but_is_indented_only_so_far() {
        let parents: Vec<_> = (0..3000usize).map(|place| place.checked_sub(1)).collect();
        let depths: Vec<_> = shape(&parents).iter().map(|(_, it)| it.len()).collect();
        let expected: Vec<_> = (0..3000).map(|place| place.min(DEEPEST)).collect();
        assert_eq!(depths, expected);
    }

    #[test]
    fn a_circle_begins_anywhere_and_loses_nobody() {
        assert_eq!(
            shape(&[Some(1), Some(0), Some(2), Some(9)]),
            [(0, vec![]), (1, vec![Corner]), (2, vec![]), (3, vec![])]
        );
    }

    #[test]
    fn what_hangs_on_a_circle_is_drawn_as_if_it_were_none() {
        // 2 and 3 are above each other; 0 hangs on 2, and 4 and 5 on 3.
        let parents = [Some(2), None, Some(3), Some(2), Some(3), Some(3)];
        assert_eq!(
            shape(&parents),
            [
                (1, vec![]),
                (2, vec![]),
                (0, vec![Tee]),
                (3, vec![Corner]),
                (4, vec![Blank, Tee]),
                (5, vec![Blank, Corner]),
            ]
        );
    }

    proptest! {
        #[test]
        fn every_row_is_drawn_once(parents in proptest::collection::vec(proptest::option::of(0usize..40), 0..40)) {
            let mut drawn: Vec<usize> = order(&parents).iter().map(|drawn| drawn.place).collect();
            drawn.sort_unstable();
            prop_assert_eq!(drawn, (0..parents.len()).collect::<Vec<_>>());
        }

        #[test]
        fn every_line_that_begins_ends_in_a_corner(parents in proptest::collection::vec(proptest::option::of(0usize..20), 0..20)) {
            let shape = shape(&parents);
            for (nth, (_, branches)) in shape.iter().enumerate() {
                if branches.last() == Some(&Tee) {
                    let depth = branches.len();
                    let next = shape[nth + 1..].iter().find(|(_, other)| other.len() <= depth);
                    prop_assert_eq!(next.map(|(_, other)| other.len()), Some(depth));
                }
            }
        }
    }
}
