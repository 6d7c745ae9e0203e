use std::fmt::{self, Display, Formatter};

use crate::query::filter::ast::{Expr, Literal, Test};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Column(column) => f.write_str(column.name),
            Expr::Literal(literal) => literal.fmt(f),
            Expr::Not(part) => {
                f.write_str("not ")?;
                enclosed(part, matches!(**part, Expr::And(_) | Expr::Or(_)), f)
            }
            Expr::And(parts) => joined(parts, " and ", f, |part| {
                matches!(part, Expr::And(_) | Expr::Or(_))
            }),
            Expr::Or(parts) => joined(parts, " or ", f, |part| matches!(part, Expr::Or(_))),
            Expr::Test(subject, tests) => {
                enclosed(subject, !is_operand(subject), f)?;
                tests.iter().try_for_each(|test| test.fmt(f))
            }
        }
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Test::Compare(comparison, right) => {
                write!(f, " {} ", comparison.names().0)?;
                enclosed(right, !is_operand(right), f)
            }
            Test::Match { pattern, negated } => {
                f.write_str(if *negated { " !~ " } else { " =~ " })?;
                quoted(&pattern.text, f)
            }
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Bool(literal) => literal.fmt(f),
            Literal::Number(number) => number.fmt(f),
            Literal::Text(text) => quoted(text, f),
        }
    }
}

/// Returns whether a comparison needs no parentheses around it.
fn is_operand(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(_) | Expr::Literal(_))
}

fn joined(
    parts: &[Expr],
    word: &str,
    f: &mut Formatter<'_>,
    encloses: fn(&Expr) -> bool,
) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(word)?;
        }
        enclosed(part, encloses(part), f)?;
    }
    Ok(())
}

fn enclosed(expr: &Expr, encloses: bool, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(if encloses { "(" } else { "" })?;
    expr.fmt(f)?;
    f.write_str(if encloses { ")" } else { "" })
}

fn quoted(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    let quote = if text.contains('"') { '\'' } else { '"' };
    write!(f, "{quote}{text}{quote}")
}
