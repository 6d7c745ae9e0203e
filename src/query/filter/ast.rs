use std::cmp::Ordering;

use regex_lite::Regex;

use crate::query::Column;
use crate::query::filter::number::Number;

/// An expression, or a part of one.
///
/// `And` and `Or` hold any number of parts, not two, so that a long chain is
/// not a deep tree: depth comes from parentheses and negations only, and the
/// parser limits those.
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

/// A value that stands in the expression itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Bool(bool),
    Number(Number),
    /// It never holds both kinds of quotes, for it was written between one of
    /// them, and nothing escapes the other.
    Text(String),
}

/// `==` and the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A regular expression, which is what it was written as.
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

    /// As it is written: the sign, and the word.
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

    /// Whether it holds for two values of this order; none where neither is
    /// less and they are not equal.
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
