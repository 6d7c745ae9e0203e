//! The filter language of `--filter`, as scols-filter(5) describes it:
//! `TYPE == "net" and not NPROCS > 1`.
//!
//! Where that page leaves something open, lsns 2.42 is followed as far as people
//! would expect it: an empty cell differs from every value, a text that is a number
//! is compared with a number as one, and a list is compared by its elements.

mod ast;
mod error;
mod eval;
mod number;
mod parse;
mod print;
#[cfg(test)]
mod tests;
mod token;

use std::fmt;
use std::str::FromStr;

use crate::query::{Column, Row};

use ast::Expr;
pub use error::FilterError;

/// A condition on rows.
///
/// `Display` writes it without needless parentheses, in a form that parses as
/// the same filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Expr);

impl Filter {
    /// Parses an expression.
    ///
    /// # Errors
    ///
    /// The first problem in it, and its place.
    pub fn parse(expression: &str) -> Result<Self, FilterError> {
        parse::parse(expression).map(Filter)
    }

    /// Parses the value of an option; an empty one asks for no filter.
    ///
    /// # Errors
    ///
    /// Those of [`Filter::parse`].
    #[cfg(feature = "cli")]
    pub(crate) fn optional(expression: Option<&str>) -> Result<Option<Self>, FilterError> {
        let given = expression.filter(|expression| !expression.is_empty());
        given.map(Filter::parse).transpose()
    }

    /// Iterates over the columns in the expression, including repetitions.
    pub fn columns(&self) -> impl Iterator<Item = &'static Column> {
        let mut columns = Vec::new();
        self.0.collect_columns(&mut columns);
        columns.into_iter()
    }

    /// Returns whether a row meets the condition.
    pub fn matches(&self, row: &Row<'_>) -> bool {
        eval::is_true(&self.0, row)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(expression: &str) -> Result<Self, FilterError> {
        Filter::parse(expression)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
