use std::cmp::Ordering;

use crate::query::{Column, Row, Value};

/// An order of rows by the values of columns; without columns, the order that
/// they are in.
#[derive(Clone, Debug, Default)]
pub struct Sort(Vec<SortColumn>);

/// A column to sort by.
#[derive(Clone, Copy, Debug)]
pub struct SortColumn {
    /// The column.
    pub column: &'static Column,
    /// Whether the largest value comes first.
    pub is_descending: bool,
}

/// What a value is compared by: numbers come before words.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(u64),
    Text(Vec<u8>),
}

impl Sort {
    /// Makes the order by the first column, then by the next.
    pub const fn by(columns: Vec<SortColumn>) -> Self {
        Sort(columns)
    }

    /// Iterates over the columns.
    pub fn columns(&self) -> impl Iterator<Item = &'static Column> {
        self.0.iter().map(|by| by.column)
    }

    /// Sorts rows. Those without a value come last in either direction, and
    /// those with equal values stay in their order.
    pub fn apply(&self, rows: &mut Vec<Row<'_>>) {
        if self.0.is_empty() {
            return;
        }
        let mut keyed: Vec<(Vec<Option<Key>>, Row<'_>)> = rows
            .iter()
            .map(|row| (self.columns().map(|by| key(&by.value(row))).collect(), *row))
            .collect();
        keyed.sort_by(|(one, _), (other, _)| self.compare(one, other));
        *rows = keyed.into_iter().map(|(_, row)| row).collect();
    }

    fn compare(&self, one: &[Option<Key>], other: &[Option<Key>]) -> Ordering {
        let pairs = one.iter().zip(other).zip(&self.0);
        let orders = pairs.map(|((one, other), by)| match (one, other) {
            (Some(one), Some(other)) if by.is_descending => other.cmp(one),
            (Some(one), Some(other)) => one.cmp(other),
            (one, other) => one.is_none().cmp(&other.is_none()),
        });
        orders.fold(Ordering::Equal, Ordering::then)
    }
}

/// Returns what to compare a value by; `None` if its cell is empty or says that
/// there is no number.
fn key(value: &Value<'_>) -> Option<Key> {
    match value {
        Value::NoNumber => None,
        Value::Number(number) | Value::Unnamed(number) => Some(Key::Number(*number)),
        Value::Pids(pids) => pids.last().map(|pid| Key::Number((*pid).into())),
        value => {
            let text = value.bytes();
            (!text.is_empty()).then(|| Key::Text(text.into_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of values in the order by one column.
    fn sorted(values: &[Value<'_>], is_descending: bool) -> Vec<usize> {
        let column = &Column::ALL[0];
        let sort = Sort::by(vec![SortColumn {
            column,
            is_descending,
        }]);
        let mut keyed: Vec<_> = values
            .iter()
            .map(|value| [key(value)])
            .enumerate()
            .collect();
        keyed.sort_by(|(_, one), (_, other)| sort.compare(one, other));
        keyed.into_iter().map(|(place, _)| place).collect()
    }

    #[test]
    fn numbers_are_compared_as_numbers_and_come_before_words_and_what_is_unknown_is_last() {
        let values = [
            Value::Null,
            "b".into(),
            Value::Number(10),
            Value::NoNumber,
            Value::Pids(&[70, 9]),
            "10".into(),
            Value::Unnamed(100),
            Value::List(Vec::new()),
        ];
        assert_eq!(sorted(&values, false), [4, 2, 6, 5, 1, 0, 3, 7]);
        assert_eq!(sorted(&values, true), [1, 5, 6, 2, 4, 0, 3, 7]);
    }

    #[test]
    fn the_next_column_decides_between_equal_values() {
        let by = |is_descending| SortColumn {
            column: &Column::ALL[0],
            is_descending,
        };
        let sort = Sort::by(vec![by(true), by(false)]);
        let keys = |one, other| [Some(Key::Number(one)), Some(Key::Number(other))];
        let compare = |one: [Option<Key>; 2], other: [Option<Key>; 2]| sort.compare(&one, &other);
        assert_eq!(compare(keys(2, 5), keys(1, 1)), Ordering::Less);
        assert_eq!(compare(keys(1, 5), keys(1, 1)), Ordering::Greater);
        assert_eq!(compare(keys(1, 5), keys(1, 5)), Ordering::Equal);
    }
}
