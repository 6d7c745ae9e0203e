use std::fmt;

use unicode_width::UnicodeWidthStr;

use crate::query::UnknownColumn;
use crate::text::for_table;

/// The number of characters shown before the place of the error, and after it.
const SHOWN: usize = 60;

/// The maximum nesting of parentheses and negations, which bounds the recursion
/// of everything that walks the tree.
pub(super) const MAX_DEPTH: usize = 64;

/// Why an expression is not a filter.
///
/// `Display` writes three lines: the problem, the expression with everything
/// unprintable escaped, and a `^` below the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    expression: String,
    /// In bytes.
    place: usize,
    problem: Problem,
}

impl std::error::Error for FilterError {}

/// A problem in an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("expected {0}")]
    Expected(&'static str),
    #[error("{0}")]
    UnknownColumn(UnknownColumn),
    /// On the right of a comparison, where missing quotes are more likely.
    #[error("{0}; a string needs quotes")]
    UnknownWord(UnknownColumn),
    #[error("number too large")]
    TooLarge,
    #[error("unknown unit (those known are K, M, G, T, P, E, Z, Y, with iB or B after it)")]
    Unit,
    #[error("invalid regular expression: {0}")]
    Regex(String),
    #[error("more than {MAX_DEPTH} parentheses and negations in one another")]
    TooDeep,
}

impl FilterError {
    pub(super) fn new(expression: &str, place: usize, problem: Problem) -> Self {
        FilterError {
            expression: expression.to_owned(),
            place,
            problem,
        }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "cannot parse filter: {}", self.problem)?;
        let (before, after) = self
            .expression
            .split_at_checked(self.place)
            .unwrap_or((&self.expression, ""));
        let start = before.char_indices().rev().nth(SHOWN - 1);
        let end = after.char_indices().nth(SHOWN);
        let (hidden_before, before) = before.split_at(start.map_or(0, |(place, _)| place));
        let (after, hidden_after) = after.split_at(end.map_or(after.len(), |(place, _)| place));
        let cut_before = ellipsis(hidden_before);
        let cut_after = ellipsis(hidden_after);
        let shown = for_table([before, after].concat().as_bytes());
        // The width of `before` alone may differ: whether a backslash is escaped
        // depends on what follows it.
        let rest = for_table(after.as_bytes());
        let column = cut_before.len() + shown.width().saturating_sub(rest.width());
        let line = format!("  {cut_before}{shown}{cut_after}");
        writeln!(f, "{}", line.trim_end())?;
        write!(f, "  {:column$}^", "")
    }
}

const fn ellipsis(hidden: &str) -> &'static str {
    if hidden.is_empty() { "" } else { "..." }
}
