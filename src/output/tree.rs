use crate::query::Branch;

/// The place of a row in a tree.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place<'a> {
    /// What is drawn before it, from the root on.
    pub(super) branches: &'a [Branch],
    pub(super) has_children: bool,
}

impl Place<'_> {
    /// Returns what is drawn before the first or a further line of a row.
    ///
    /// Where a further line has no text of its own, a line leads down to the
    /// children.
    pub(super) fn drawing(self, is_first: bool, is_empty: bool, unicode: bool) -> String {
        let leads_down = self.has_children && !is_first && is_empty;
        self.branches
            .iter()
            .map(|branch| match branch {
                Branch::Tee if !is_first => Branch::Line,
                Branch::Corner if !is_first => Branch::Blank,
                branch => *branch,
            })
            .chain(leads_down.then_some(Branch::Line))
            .map(|branch| match (branch, unicode) {
                (Branch::Blank, _) => "  ",
                (Branch::Line, true) => "\u{2502} ",
                (Branch::Line, false) => "| ",
                (Branch::Tee, true) => "\u{251c}\u{2500}",
                (Branch::Tee, false) => "|-",
                (Branch::Corner, true) => "\u{2514}\u{2500}",
                (Branch::Corner, false) => "`-",
            })
            .collect()
    }
}
