//! The grammar, loosest operator first:
//!
//! ```text
//! or         = and { ("or" | "||") and }
//! and        = not { ("and" | "&&") not }
//! not        = { "not" | "!" } comparison
//! comparison = operand { operator operand | ("=~" | "!~") string }
//! operand    = column | number | string | "true" | "false" | "(" or ")"
//! ```
//!
//! The first token of a part decides what the part is, so the parser never
//! backtracks, and the first failure is the one to report. Groups in
//! parentheses are kept in a list rather than on the stack, which may be small.

use std::mem;

use winnow::combinator::{alt, dispatch, fail, not, opt, peek};
use winnow::prelude::*;
use winnow::stream::LocatingSlice;
use winnow::token::{any, one_of};

use crate::query::filter::FilterError;
use crate::query::filter::ast::{Comparison, Expr, Literal, Pattern, Test};
use crate::query::filter::error::{MAX_DEPTH, Problem};
use crate::query::filter::token::{
    Failure, Input, OPERAND, Parsed, comparison_sign, keyword, next_place, number, sign, text, word,
};

pub(super) fn parse(expression: &str) -> Result<Expr, FilterError> {
    let parser = ExprParser {
        input: LocatingSlice::new(expression),
        enclosing: Vec::new(),
        group: Group::default(),
    };
    parser
        .whole()
        .map_err(|failure| FilterError::new(expression, failure.place, failure.problem))
}

struct ExprParser<'s> {
    input: Input<'s>,
    /// The groups around the current one, outermost first.
    enclosing: Vec<Group>,
    group: Group,
}

/// What was read of a group in parentheses, or of the whole expression.
#[derive(Default)]
struct Group {
    /// The parts up to the last "or".
    or: Vec<Expr>,
    /// The parts behind it, up to the last "and".
    and: Vec<Expr>,
    /// The number of "not" behind that.
    negations: usize,
    /// A comparison whose next right side comes next.
    open: Option<(Tested, Comparison)>,
}

/// An operand, and the tests of it that were read.
struct Tested(Expr, Vec<Test>);

impl From<Tested> for Expr {
    fn from(Tested(subject, tests): Tested) -> Self {
        if tests.is_empty() {
            return subject;
        }
        Expr::Test(Box::new(subject), tests)
    }
}

/// What follows a comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    And,
    Or,
    /// The end of the group.
    End,
}

impl Group {
    /// Adds a comparison.
    fn add(&mut self, comparison: Expr, next: Next) {
        let negations = mem::take(&mut self.negations);
        let part = (0..negations).fold(comparison, |part, _| Expr::Not(Box::new(part)));
        self.and.push(part);
        if next != Next::And {
            self.or.push(joined(mem::take(&mut self.and), Expr::And));
        }
    }
}

fn joined(parts: Vec<Expr>, join: fn(Vec<Expr>) -> Expr) -> Expr {
    match <[Expr; 1]>::try_from(parts) {
        Ok([part]) => part,
        Err(parts) => join(parts),
    }
}

impl ExprParser<'_> {
    fn whole(mut self) -> Parsed<Expr> {
        let mut operand = self.operand()?;
        loop {
            let mut tested = match self.group.open.take() {
                Some((Tested(left, mut tests), sign)) => {
                    tests.push(Test::Compare(sign, operand));
                    Tested(left, tests)
                }
                None => Tested(operand, Vec::new()),
            };
            while let Some(test) = self.matching()? {
                tested.1.push(test);
            }
            if let Some(sign) = opt(comparison_sign).parse_next(&mut self.input)? {
                self.group.open = Some((tested, sign));
                operand = self.operand()?;
                continue;
            }
            let next = self.next(!tested.1.is_empty())?;
            self.group.add(tested.into(), next);
            operand = if next != Next::End {
                self.operand()?
            } else {
                // A group that ends is an operand of the one around it.
                let ended = joined(mem::take(&mut self.group.or), Expr::Or);
                let Some(group) = self.enclosing.pop() else {
                    return Ok(ended);
                };
                self.group = group;
                ended
            };
        }
    }

    /// Reads a simple operand, and before it any negations and opening
    /// parentheses.
    fn operand(&mut self) -> Parsed<Expr> {
        loop {
            if self.group.open.is_none() {
                self.negations()?;
            }
            let place = next_place(&mut self.input)?;
            if opt('(').parse_next(&mut self.input)?.is_none() {
                return self.simple_operand(place);
            }
            self.enclosing.push(mem::take(&mut self.group));
            self.check_depth(place)?;
        }
    }

    fn negations(&mut self) -> Parsed<()> {
        loop {
            let place = next_place(&mut self.input)?;
            // "!=" and "!~" negate nothing.
            let bang = (sign("!"), not(one_of(['=', '~']))).void();
            let negation = opt(alt((bang, keyword("not")))).parse_next(&mut self.input)?;
            if negation.is_none() {
                return Ok(());
            }
            self.group.negations += 1;
            self.check_depth(place)?;
        }
    }

    fn check_depth(&self, place: usize) -> Parsed<()> {
        let groups = self.enclosing.iter().chain([&self.group]);
        let negations: usize = groups.map(|group| group.negations).sum();
        if self.enclosing.len() + negations > MAX_DEPTH {
            return Err(Failure::new(place, Problem::TooDeep));
        }
        Ok(())
    }

    fn simple_operand(&mut self, place: usize) -> Parsed<Expr> {
        let operand = dispatch! {peek(any);
            '"' | '\'' => text.map(|text| Expr::Literal(Literal::Text(text.to_owned()))),
            '0'..='9' => number.map(|number| Expr::Literal(Literal::Number(number))),
            'a'..='z' | 'A'..='Z' => name,
            _ => fail,
        }
        .parse_next(&mut self.input);
        operand.map_err(|failure| match failure.problem {
            // An operand is never optional.
            problem if failure.is_absence => Failure::new(place, problem),
            Problem::UnknownColumn(unknown) if self.is_in_right_side() => {
                Failure::new(failure.place, Problem::UnknownWord(unknown))
            }
            problem => Failure::new(failure.place, problem),
        })
    }

    fn is_in_right_side(&self) -> bool {
        let mut groups = self.enclosing.iter().chain([&self.group]);
        groups.any(|group| group.open.is_some())
    }

    /// Reads `=~` or `!~` and a pattern, if they are there.
    fn matching(&mut self) -> Parsed<Option<Test>> {
        let matching = alt((sign("=~").value(false), sign("!~").value(true)));
        let Some(negated) = opt(matching).parse_next(&mut self.input)? else {
            return Ok(None);
        };
        let pattern = pattern(&mut self.input)?;
        Ok(Some(Test::Match { pattern, negated }))
    }

    /// Reads what follows a comparison. It `is_complete` unless it is an
    /// operand that no operator followed.
    fn next(&mut self, is_complete: bool) -> Parsed<Next> {
        let is_enclosed = !self.enclosing.is_empty();
        let input = &mut self.input;
        let place = next_place(input)?;
        let ends = if is_enclosed {
            opt(')').parse_next(input)?.is_some()
        } else {
            input.is_empty()
        };
        if ends {
            return Ok(Next::End);
        }
        let and = alt((sign("&&"), keyword("and"))).value(Next::And);
        let or = alt((sign("||"), keyword("or"))).value(Next::Or);
        if let Some(next) = opt(alt((and, or))).parse_next(input)? {
            return Ok(next);
        }
        let rest: &str = input;
        let expected = match (rest.chars().next(), is_complete, is_enclosed) {
            (Some('='), false, _) if !rest.starts_with("==") => "'==' or '=~'",
            (Some('&'), ..) => "'&&'",
            (Some('|'), ..) => "'||'",
            (_, false, false) => "a comparison, 'and', 'or' or the end",
            (_, false, true) => "a comparison, 'and', 'or' or ')'",
            (_, true, false) => "'and', 'or' or the end",
            (_, true, true) => "'and', 'or' or ')'",
        };
        Err(Failure::new(place, Problem::Expected(expected)))
    }
}

fn name(input: &mut Input<'_>) -> Parsed<Expr> {
    let place = next_place(input)?;
    let name = word(input)?;
    match name.to_ascii_lowercase().as_str() {
        "true" => Ok(Expr::Literal(Literal::Bool(true))),
        "false" => Ok(Expr::Literal(Literal::Bool(false))),
        "and" | "or" | "not" => Err(Failure::new(place, Problem::Expected(OPERAND))),
        _ => match name.parse() {
            Ok(column) => Ok(Expr::Column(column)),
            Err(unknown) => Err(Failure::new(place, Problem::UnknownColumn(unknown))),
        },
    }
}

fn pattern(input: &mut Input<'_>) -> Parsed<Pattern> {
    let place = next_place(input)?;
    let text = text(input).map_err(|failure| {
        if failure.is_absence {
            Failure::new(place, Problem::Expected("a string in quotes"))
        } else {
            failure
        }
    })?;
    Pattern::new(text).map_err(|error| Failure::new(place, Problem::Regex(error.to_string())))
}
