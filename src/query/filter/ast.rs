use std::cmp::Ordering;

use regex_lite::Regex;

use crate::query::Column;
use crate::query::filter::number::Number;

/// An expression, or a part of one.
///
/// `And` and `Or` hold any number of parts, so that a long chain is not a deep
/// tree. Only parentheses and negations add depth, and the parser limits both.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Column(&'static Column),
    Literal(Literal),
    Not(Box<Expr>),
    /// Two or more.
    And(Vec<Expr>),
    /// Two or more.
    Or(Vec<Expr>),
    Compare(Box<Expr>, Comparison, Box<Expr>),
    Match {
        subject: Box<Expr>,
        pattern: Pattern,
        negated: bool,
    },
}

/// A literal value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Bool(bool),
    Number(Number),
    /// It never contains both kinds of quotes: one of them enclosed it, and there
    /// are no escapes.
    Text(String),
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A regular expression. Two are equal if their texts are.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) text: String,
    pub(super) regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Self, regex_lite::Error> {
        Ok(Pattern {
            text: text.to_owned(),
            regex: Regex::new(text)?,
        })
    }
}

impl Comparison {
    pub(super) const ALL: [Comparison; 6] = [
        Comparison::Eq,
        Comparison::Ne,
        Comparison::Lt,
        Comparison::Le,
        Comparison::Gt,
        Comparison::Ge,
    ];

    /// Returns its two spellings, the sign and the word.
    pub(super) const fn names(self) -> (&'static str, &'static str) {
        match self {
            Comparison::Eq => ("==", "eq"),
            Comparison::Ne => ("!=", "ne"),
            Comparison::Lt => ("<", "lt"),
            Comparison::Le => ("<=", "le"),
            Comparison::Gt => (">", "gt"),
            Comparison::Ge => (">=", "ge"),
        }
    }

    /// Returns whether it holds for two values in this order. `None` means that
    /// they are unequal and neither is less.
    pub(super) fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Comparison::Eq => order == Some(Ordering::Equal),
            Comparison::Ne => order != Some(Ordering::Equal),
            Comparison::Lt => order.is_some_and(Ordering::is_lt),
            Comparison::Le => order.is_some_and(Ordering::is_le),
            Comparison::Gt => order.is_some_and(Ordering::is_gt),
            Comparison::Ge => order.is_some_and(Ordering::is_ge),
        }
    }
}

impl Expr {
    pub(super) fn collect_columns(&self, columns: &mut Vec<&'static Column>) {
        match self {
            Expr::Column(column) => columns.push(column),
            Expr::Literal(_) => {}
            Expr::Not(part) | Expr::Match { subject: part, .. } => part.collect_columns(columns),
            Expr::And(parts) | Expr::Or(parts) => {
                for part in parts {
                    part.collect_columns(columns);
                }
            }
            Expr::Compare(left, _, right) => {
                left.collect_columns(columns);
                right.collect_columns(columns);
            }
        }
    }
}
