use std::borrow::Cow;
use std::cmp::Ordering;

use crate::query::filter::ast::{Comparison, Expr, Literal, Pattern, Test};
use crate::query::filter::number::Number;
use crate::query::holder::kind_and_place;
use crate::query::{Row, Type, Value};

/// The value of a part of an expression for one row.
enum Operand<'a> {
    Null,
    Bool(bool),
    One(Scalar<'a>),
    List(Vec<Scalar<'a>>),
}

enum Scalar<'a> {
    Number(Number),
    Text(Cow<'a, [u8]>),
}

/// Returns whether a row meets the condition.
pub(super) fn is_true(expr: &Expr, row: &Row<'_>) -> bool {
    match expr {
        Expr::Column(_) | Expr::Literal(_) => operand(expr, row).is_true(),
        Expr::Not(part) => !is_true(part, row),
        Expr::And(parts) => parts.iter().all(|part| is_true(part, row)),
        Expr::Or(parts) => parts.iter().any(|part| is_true(part, row)),
        Expr::Test(subject, tests) => tests
            .iter()
            .fold(operand(subject, row), |value, test| {
                Operand::Bool(holds(&value, test, row))
            })
            .is_true(),
    }
}

fn holds(value: &Operand<'_>, test: &Test, row: &Row<'_>) -> bool {
    match test {
        Test::Compare(comparison, right) => compare(value, *comparison, &operand(right, row)),
        Test::Match { pattern, negated } => value.matches(pattern) != *negated,
    }
}

fn operand<'a>(expr: &'a Expr, row: &Row<'a>) -> Operand<'a> {
    match expr {
        Expr::Column(column) => match (column.json, column.value(row)) {
            // Where words may stand, even 0 is one.
            (Type::NumberOrString, Value::Number(number)) => Value::Unnamed(number).into(),
            (_, value) => value.into(),
        },
        Expr::Literal(Literal::Bool(literal)) => Operand::Bool(*literal),
        Expr::Literal(Literal::Number(number)) => Operand::One(Scalar::Number(*number)),
        Expr::Literal(Literal::Text(text)) => Operand::One(Scalar::Text(text.as_bytes().into())),
        condition => Operand::Bool(is_true(condition, row)),
    }
}

impl<'a> From<Value<'a>> for Operand<'a> {
    fn from(value: Value<'a>) -> Self {
        match value {
            Value::Null => Operand::Null,
            // It is shown as 0, and found by it.
            Value::NoNumber => Value::Number(0).into(),
            Value::Number(number) => Operand::One(Scalar::Number(Number::Integer(number.into()))),
            // In place of a word it is one.
            Value::Unnamed(number) => Value::from(number.to_string()).into(),
            Value::Text(text) => Operand::One(Scalar::Text(text)),
            Value::Holders(holders, _) => Operand::list(holders.iter().map(kind_and_place)),
            Value::Several(words) => Operand::list(words.into_iter().map(String::into_bytes)),
            Value::List(texts) | Value::Lines(texts) => Operand::list(texts),
            Value::Interfaces(interfaces) => {
                Operand::list(interfaces.iter().map(|one| &one.name[..]))
            }
            // With and without the length of the prefix.
            Value::Addresses(addresses) => Operand::list(addresses.iter().flat_map(|one| {
                let texts = [one.to_string(), one.address.to_string()];
                texts.map(String::into_bytes)
            })),
            structured => match structured.bytes().into_owned() {
                text if text.is_empty() => Operand::Null,
                text => Operand::One(Scalar::Text(text.into())),
            },
        }
    }
}

impl<'a> Operand<'a> {
    fn list<T: Into<Cow<'a, [u8]>>>(texts: impl IntoIterator<Item = T>) -> Self {
        Operand::List(
            texts
                .into_iter()
                .map(|text| Scalar::Text(text.into()))
                .collect(),
        )
    }

    /// Returns whether it has a value that is neither empty nor 0.
    fn is_true(&self) -> bool {
        match self {
            Operand::Null => false,
            Operand::Bool(truth) => *truth,
            Operand::One(Scalar::Number(number)) => !number.is_zero(),
            Operand::One(Scalar::Text(text)) => !text.is_empty(),
            Operand::List(elements) => !elements.is_empty(),
        }
    }

    fn scalars(&self) -> &[Scalar<'a>] {
        match self {
            Operand::Null | Operand::Bool(_) => &[],
            Operand::One(scalar) => std::slice::from_ref(scalar),
            Operand::List(scalars) => scalars,
        }
    }

    /// Returns whether some of it matches. An empty cell is an empty text.
    fn matches(&self, Pattern { regex, .. }: &Pattern) -> bool {
        match (self, self.scalars()) {
            (Operand::Bool(truth), _) => regex.is_match(if *truth { "true" } else { "false" }),
            (_, []) => regex.is_match(""),
            (_, scalars) => scalars.iter().any(|scalar| match scalar {
                Scalar::Number(number) => regex.is_match(&number.to_string()),
                // Invalid UTF-8 becomes U+FFFD, like in JSON.
                Scalar::Text(text) => regex.is_match(&String::from_utf8_lossy(text)),
            }),
        }
    }
}

fn compare(left: &Operand<'_>, comparison: Comparison, right: &Operand<'_>) -> bool {
    if matches!(left, Operand::Bool(_)) || matches!(right, Operand::Bool(_)) {
        return comparison.holds(Some(left.is_true().cmp(&right.is_true())));
    }
    match (left.scalars(), right.scalars()) {
        // Two unknown values may be equal or not.
        ([], []) => false,
        // An empty cell comes before every text, and equals none.
        ([], [Scalar::Text(_)]) => comparison.holds(Some(Ordering::Less)),
        ([Scalar::Text(_)], []) => comparison.holds(Some(Ordering::Greater)),
        // A list differs from a value if none of its elements equals it.
        _ if comparison == Comparison::Ne => !any(left, Comparison::Eq, right),
        _ => any(left, comparison, right),
    }
}

fn any(left: &Operand<'_>, comparison: Comparison, right: &Operand<'_>) -> bool {
    let (left, right) = (left.scalars(), right.scalars());
    left.iter().any(|left| {
        right
            .iter()
            .any(|right| comparison.holds(order(left, right)))
    })
}

/// Returns the order of two values. A text and a number have one only if the
/// text is a number: neither `NETNSID < 5` nor `NETNSID > 5` finds "unassigned".
fn order(left: &Scalar<'_>, right: &Scalar<'_>) -> Option<Ordering> {
    match (left, right) {
        (Scalar::Text(left), Scalar::Text(right)) => Some(left.cmp(right)),
        _ => left.number()?.partial_cmp(&right.number()?),
    }
}

impl Scalar<'_> {
    fn number(&self) -> Option<Number> {
        match self {
            Scalar::Number(number) => Some(*number),
            Scalar::Text(text) => Number::parse(std::str::from_utf8(text).ok()?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Interface, InterfaceAddress};

    /// NETNSID is a column of numbers, words and nulls.
    #[test]
    fn a_number_in_whose_place_a_word_may_stand_is_compared_as_what_it_is() {
        let one = || Operand::from(Value::Number(1));
        let word = || Operand::from(Value::from("unassigned"));
        let number = || Operand::One(Scalar::Number(Number::Integer(1)));
        let text = |text: &'static str| Operand::from(Value::from(text));
        let (eq, ne) = (Comparison::Eq, Comparison::Ne);
        for (value, comparison, literal, truth) in [
            (one(), eq, number(), true),
            (one(), eq, text("1"), true),
            (one(), eq, text("unassigned"), false),
            (one(), ne, text("unassigned"), true),
            (word(), eq, text("unassigned"), true),
            (word(), ne, number(), true),
            (word(), eq, number(), false),
            (word(), Comparison::Lt, number(), false),
            (word(), Comparison::Ge, text("1"), true),
            (Operand::from(Value::Null), eq, text("unassigned"), false),
            (Operand::from(Value::Null), ne, number(), true),
        ] {
            assert_eq!(compare(&value, comparison, &literal), truth);
        }
    }

    #[test]
    fn an_interface_is_compared_by_its_name_and_an_address_with_and_without_its_prefix() {
        let interface = |name: &str| Interface {
            name: name.into(),
            link: Some(7),
            ..Interface::default()
        };
        let interfaces = [interface("lo"), interface("veth1")];
        let prefix = 16;
        let address = "10.88.0.2".parse().unwrap();
        let addresses = Value::Addresses(vec![InterfaceAddress { address, prefix }]);
        let (interfaces, addresses) = (Value::Interfaces(&interfaces), addresses);
        let text = |text: &'static str| Operand::from(Value::from(text));
        let (eq, ne) = (Comparison::Eq, Comparison::Ne);
        for (value, comparison, literal, truth) in [
            (&interfaces, eq, "veth1", true),
            (&interfaces, eq, "veth", false),
            (&interfaces, ne, "veth1", false),
            (&interfaces, ne, "veth2", true),
            (&addresses, eq, "10.88.0.2", true),
            (&addresses, eq, "10.88.0.2/16", true),
            (&addresses, eq, "10.88.0.2/24", false),
            (&addresses, ne, "10.88.0.2", false),
            (&addresses, ne, "10.88.0.3", true),
        ] {
            let value = Operand::from(value.clone());
            assert_eq!(
                compare(&value, comparison, &text(literal)),
                truth,
                "{literal}"
            );
        }
        let matches = |value: &Value<'_>, pattern| {
            Operand::from(value.clone()).matches(&Pattern::new(pattern).unwrap())
        };
        assert!(matches(&interfaces, "^veth") && !matches(&interfaces, "@"));
        assert!(matches(&addresses, r"^10\.88\.") && !matches(&addresses, "^88"));
    }
}
