//! The filter language of `--filter`, as scols-filter(5) describes it:
//! `TYPE == "net" and not NPROCS > 1`.
//!
//! Where that page leaves something open, nsls promises: what has no value
//! makes a comparison false and never an error, texts and numbers are compared
//! as numbers if both are, and a list is compared by its elements.

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
/// `Display` writes it in the one form that has no needless parentheses, and
/// what it writes is read as the same filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Expr);

impl Filter {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// What is wrong in it, and where.
    pub fn parse(expression: &str) -> Result<Self, FilterError> {
        parse::parse(expression).map(Filter)
    }

    /// Every column in the expression, as often as it is there.
    pub fn columns(&self) -> impl Iterator<Item = &'static Column> {
        let mut columns = Vec::new();
        self.0.collect_columns(&mut columns);
        columns.into_iter()
    }

    /// Whether the row meets the condition.
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
