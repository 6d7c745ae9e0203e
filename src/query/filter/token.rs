//! The tokens of the grammar: words, signs, numbers and strings.

use winnow::ascii::{digit1, multispace0};
use winnow::combinator::{alt, opt, preceded};
use winnow::error::ParserError;
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location};
use winnow::token::{one_of, take_till, take_while};

use crate::query::filter::ast::Comparison;
use crate::query::filter::error::Problem;
use crate::query::filter::number::{Number, factor};

pub(super) const OPERAND: &str = "a column, a value or '('";

pub(super) type Input<'s> = LocatingSlice<&'s str>;
pub(super) type Parsed<T> = Result<T, Failure>;

/// A problem and its place in bytes.
pub(super) struct Failure {
    pub(super) place: usize,
    pub(super) problem: Problem,
    /// Whether it only means that something optional is absent.
    pub(super) is_absence: bool,
}

impl Failure {
    pub(super) fn new(place: usize, problem: Problem) -> Self {
        Failure {
            place,
            problem,
            is_absence: false,
        }
    }
}

impl<'s> ParserError<Input<'s>> for Failure {
    type Inner = Self;

    fn from_input(input: &Input<'s>) -> Self {
        Failure {
            is_absence: true,
            ..Failure::new(input.current_token_start(), Problem::Expected(OPERAND))
        }
    }

    fn is_backtrack(&self) -> bool {
        self.is_absence
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

pub(super) fn number(input: &mut Input<'_>) -> Parsed<Number> {
    let place = next_place(input)?;
    let digits = (digit1, opt(('.', digit1))).take().parse_next(input)?;
    let unit_place = input.current_token_start();
    if input.starts_with('.') {
        return Err(Failure::new(unit_place + 1, Problem::Expected("a digit")));
    }
    let unit = take_while(0.., is_of_word).parse_next(input)?;
    let factor = factor(unit).ok_or_else(|| Failure::new(unit_place, Problem::Unit))?;
    let number = Number::parse(digits).and_then(|number| number.times(factor));
    number.ok_or_else(|| Failure::new(place, Problem::TooLarge))
}

/// Reads a string without its quotes. Like in scols-filter(5), there are no
/// escapes: a backslash is a backslash, which suits regular expressions.
pub(super) fn text<'s>(input: &mut Input<'s>) -> Parsed<&'s str> {
    let quote = one_of(['"', '\'']).parse_next(input)?;
    let text = take_till(0.., quote).parse_next(input)?;
    if opt(quote).parse_next(input)?.is_none() {
        let closing = if quote == '"' {
            "a closing \""
        } else {
            "a closing '"
        };
        return Err(Failure::new(
            input.current_token_start(),
            Problem::Expected(closing),
        ));
    }
    Ok(text)
}

pub(super) fn sign<'s>(sign: &'static str) -> impl Parser<Input<'s>, (), Failure> {
    preceded(multispace0, sign).void()
}

pub(super) fn keyword<'s>(keyword: &'static str) -> impl Parser<Input<'s>, (), Failure> {
    preceded(multispace0, word)
        .verify(move |word: &str| word.eq_ignore_ascii_case(keyword))
        .void()
}

/// Reads `==` and the other comparisons, as a sign or a word.
pub(super) fn comparison_sign(input: &mut Input<'_>) -> Parsed<Comparison> {
    let sign = take_while(1.., ['=', '!', '<', '>', '~']);
    preceded(multispace0, alt((sign, word)))
        .verify_map(|text: &str| {
            Comparison::ALL.into_iter().find(|comparison| {
                let (sign, word) = comparison.names();
                text == sign || text.eq_ignore_ascii_case(word)
            })
        })
        .parse_next(input)
}

/// Reads the name of a column, or a keyword.
pub(super) fn word<'s>(input: &mut Input<'s>) -> Parsed<&'s str> {
    (
        one_of(|letter: char| letter.is_ascii_alphabetic()),
        take_while(0.., is_of_word),
    )
        .take()
        .parse_next(input)
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_.%:/-".contains(letter)
}

/// Skips blanks and returns the place of what follows.
pub(super) fn next_place(input: &mut Input<'_>) -> Parsed<usize> {
    multispace0.parse_next(input)?;
    Ok(input.current_token_start())
}
