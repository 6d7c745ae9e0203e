//! Tests of the language as a whole, by what they are about.

mod depth;
mod errors;
mod grammar;
mod meaning;
mod round_trip;

use super::Filter;

/// What is wrong with an expression, in full; it must be wrong.
fn error(expression: &str) -> String {
    Filter::parse(expression).unwrap_err().to_string()
}

/// How an expression is understood, in its one plain form.
fn plain(expression: &str) -> String {
    match Filter::parse(expression) {
        Ok(filter) => filter.to_string(),
        Err(error) => panic!("{error}"),
    }
}
