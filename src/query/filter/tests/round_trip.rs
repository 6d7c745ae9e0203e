//! What is printed is read as the same, and nothing makes the parser panic.

use proptest::prelude::*;

use crate::query::Column;
use crate::query::filter::Filter;
use crate::query::filter::ast::{Comparison, Expr, Literal, Pattern, Test};
use crate::query::filter::number::Number;

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<bool>().prop_map(Literal::Bool),
        any::<u128>().prop_map(|number| Literal::Number(Number::Integer(number))),
        (0.0..f64::MAX).prop_map(|number| Literal::Number(Number::Float(number))),
        (0.0..1e3).prop_map(|number| Literal::Number(Number::Float(number))),
        text().prop_map(Literal::Text),
    ]
}

/// With quotes of at most one kind.
fn text() -> impl Strategy<Value = String> {
    (any::<String>(), any::<bool>())
        .prop_map(|(text, double)| text.replace(if double { '\'' } else { '"' }, "\\"))
}

fn operand() -> impl Strategy<Value = Expr> {
    prop_oneof![
        prop::sample::select(Column::ALL.iter().collect::<Vec<_>>()).prop_map(Expr::Column),
        literal().prop_map(Expr::Literal),
    ]
}

fn expr() -> impl Strategy<Value = Expr> {
    operand().prop_recursive(5, 40, 4, |part| {
        let parts = || prop::collection::vec(part.clone(), 2..4);
        let boxed = || part.clone().prop_map(Box::new);
        prop_oneof![
            boxed().prop_map(Expr::Not),
            parts().prop_map(Expr::And),
            parts().prop_map(Expr::Or),
            (boxed(), prop::collection::vec(test(part.clone()), 1..4))
                .prop_map(|(subject, tests)| Expr::Test(subject, tests)),
        ]
    })
}

fn test(right: impl Strategy<Value = Expr>) -> impl Strategy<Value = Test> {
    let comparison = prop::sample::select(&Comparison::ALL[..]);
    let matching = ("[a-z'.*\\\\d]{0,3}x", any::<bool>());
    prop_oneof![
        (comparison, right).prop_map(|(comparison, right)| Test::Compare(comparison, right)),
        matching.prop_filter_map("a regular expression", |(text, negated)| {
            let pattern = Pattern::new(&text).ok()?;
            Some(Test::Match { pattern, negated })
        }),
    ]
}

/// Words of the language in any order, and now and then something else.
fn soup() -> impl Strategy<Value = String> {
    let words = [
        "PID", "nprocs", "USER", "NOPE", "and", "OR", "not", "eq", "==", "!=", "<", ">=", "=~",
        "!~", "!", "(", ")", "1", "1K", "2.5", "1.", "'a'", "\"b", "'", "true", " ", "\t", "\\",
        "世", "\u{301}", "\u{1b}", "=", "&", "&&", "|",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..30)
        .prop_map(|words| words.concat())
}

/// Asserts that an expression is read, or refused in three lines of which the
/// second and third are shown as they are.
fn check(expression: &str) -> Result<(), TestCaseError> {
    let error = match Filter::parse(expression) {
        Ok(filter) => {
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
            return Ok(());
        }
        Err(error) => error.to_string(),
    };
    let lines: Vec<_> = error.split('\n').collect();
    prop_assert_eq!(lines.len(), 3);
    prop_assert!(lines[0].starts_with("cannot parse filter: "));
    prop_assert!(!error.replace('\n', "").contains(char::is_control));
    prop_assert_eq!(lines[2].trim_start(), "^");
    Ok(())
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same(expr in expr()) {
        let filter = Filter(expr);
        prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
    }

    #[test]
    fn any_string_is_read_or_refused(expression: String) {
        check(&expression)?;
    }

    #[test]
    fn any_row_of_words_is_read_or_refused(expression in soup()) {
        check(&expression)?;
    }
}
