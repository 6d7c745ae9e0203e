use std::cmp::Ordering;

use regex_lite::Regex;

use crate::query::Column;
use crate::query::filter::number::Number;

/// An expression, or a part of one.
///
/// `And`, `Or` and `Test` hold any number of parts, so that a long chain is not a
/// deep tree. Only parentheses and negations add depth, and the parser limits both.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Column(&'static Column),
    Literal(Literal),
    Not(Box<Expr>),
    /// Two or more.
    And(Vec<Expr>),
    /// Two or more.
    Or(Vec<Expr>),
    /// A value and one or more tests, each of what the one before it makes:
    /// `1 < 2 == true`.
    Test(Box<Expr>, Vec<Test>),
}

/// What is asked of the value before it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Compare(Comparison, Expr),
    Match { pattern: Pattern, negated: bool },
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

/// A regular expression: a POSIX extended one as far as regex-lite has it. Two are
/// equal if their texts are.
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
            regex: Regex::new(&with_minima(text))?,
        })
    }
}

/// Writes `{,3}` as `{0,3}`, which regex-lite knows.
fn with_minima(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let mut is_escaped = false;
    // What was written when the bracket expression began that is still open.
    let mut bracket = None;
    for letter in pattern.chars() {
        let is_literal = std::mem::take(&mut is_escaped);
        match (letter, bracket) {
            ('\\', _) => is_escaped = !is_literal,
            ('[', None) if !is_literal => bracket = Some(written.len()),
            // The first one stands for itself: []a], [^]a].
            (']', Some(start)) if !matches!(written.get(start..), Some("[" | "[^")) => {
                bracket = None;
            }
            (',', None) if written.ends_with('{') && !written.ends_with("\\{") => {
                written.push('0');
            }
            _ => {}
        }
        written.push(letter);
    }
    written
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
            Expr::Not(part) => part.collect_columns(columns),
            Expr::And(parts) | Expr::Or(parts) => {
                for part in parts {
                    part.collect_columns(columns);
                }
            }
            Expr::Test(subject, tests) => {
                subject.collect_columns(columns);
                for test in tests {
                    if let Test::Compare(_, right) = test {
                        right.collect_columns(columns);
                    }
                }
            }
        }
    }
}
