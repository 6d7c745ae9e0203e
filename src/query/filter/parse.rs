//! The grammar. Loosest first: `or`, `and`, `not`, comparisons.
//!
//! ```text
//! or         = and { ("or" | "||") and }
//! and        = not { ("and" | "&&") not }
//! not        = { "not" | "!" } comparison
//! comparison = operand [ operator operand | ("=~" | "!~") string ]
//! operand    = column | number | string | "true" | "false" | "(" or ")"
//! ```
//!
//! What begins a part decides which part it is, so nothing that has failed is
//! tried in another way, and the first failure is the one that is reported.

use winnow::ascii::multispace0;
use winnow::combinator::{alt, dispatch, fail, not, opt, peek, preceded, separated};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Stateful};
use winnow::token::{any, one_of, take_while};

use crate::query::filter::FilterError;
use crate::query::filter::ast::{Comparison, Expr, Literal, Pattern};
use crate::query::filter::error::Problem;
use crate::query::filter::token::{
    Depth, Failure, Input, OPERAND, Parsed, check_depth, keyword, next_place, number, sign, text,
    word,
};

pub(super) fn parse(expression: &str) -> Result<Expr, FilterError> {
    let mut input = Stateful {
        input: LocatingSlice::new(expression),
        state: Depth::default(),
    };
    disjunction(&mut input)
        .map_err(|failure| FilterError::new(expression, failure.place, failure.problem))
}

fn disjunction(input: &mut Input<'_>) -> Parsed<Expr> {
    separated(1.., conjunction, alt((sign("||"), keyword("or"))))
        .map(|parts| joined(parts, Expr::Or))
        .parse_next(input)
}

fn conjunction(input: &mut Input<'_>) -> Parsed<Expr> {
    separated(1.., negation, alt((sign("&&"), keyword("and"))))
        .map(|parts| joined(parts, Expr::And))
        .parse_next(input)
}

fn joined(parts: Vec<Expr>, join: fn(Vec<Expr>) -> Expr) -> Expr {
    match <[Expr; 1]>::try_from(parts) {
        Ok([part]) => part,
        Err(parts) => join(parts),
    }
}

fn negation(input: &mut Input<'_>) -> Parsed<Expr> {
    let mut count = 0;
    // "!=" and "!~" negate nothing.
    let bang = (sign("!"), not(one_of(['=', '~']))).void();
    let mut negator = opt(alt((bang, keyword("not"))));
    loop {
        let place = next_place(input)?;
        if negator.parse_next(input)?.is_none() {
            break;
        }
        count += 1;
        input.state.negations += 1;
        check_depth(input, place)?;
    }
    let part = comparison(input)?;
    input.state.negations -= count;
    Ok((0..count).fold(part, |part, _| Expr::Not(Box::new(part))))
}

fn comparison(input: &mut Input<'_>) -> Parsed<Expr> {
    let left = operand(input)?;
    let comparison = opt(comparison_operator).parse_next(input)?;
    if let Some(comparison) = comparison {
        let right = operand(input).map_err(|mut failure| {
            if let Problem::UnknownColumn(unknown) = failure.problem {
                failure.problem = Problem::UnknownWord(unknown);
            }
            failure
        })?;
        end_of_comparison(input, true)?;
        return Ok(Expr::Compare(Box::new(left), comparison, Box::new(right)));
    }
    let matching = alt((sign("=~").value(false), sign("!~").value(true)));
    if let Some(negated) = opt(matching).parse_next(input)? {
        let pattern = pattern(input)?;
        end_of_comparison(input, true)?;
        return Ok(Expr::Match {
            subject: Box::new(left),
            pattern,
            negated,
        });
    }
    end_of_comparison(input, false)?;
    Ok(left)
}

fn comparison_operator(input: &mut Input<'_>) -> Parsed<Comparison> {
    let symbol = take_while(1.., ['=', '!', '<', '>', '~']);
    preceded(multispace0, alt((symbol, word)))
        .verify_map(|text: &str| {
            Comparison::ALL.into_iter().find(|comparison| {
                let (symbol, word) = comparison.names();
                text == symbol || text.eq_ignore_ascii_case(word)
            })
        })
        .parse_next(input)
}

/// Sees to it that something follows that can follow.
fn end_of_comparison(input: &mut Input<'_>, is_complete: bool) -> Parsed<()> {
    let is_enclosed = input.state.parentheses > 0;
    let place = next_place(input)?;
    let rest: &str = &input.input;
    let goes_on = alt((sign("&&"), sign("||"), keyword("and"), keyword("or")));
    let ends = if is_enclosed {
        rest.starts_with(')')
    } else {
        rest.is_empty()
    };
    if ends || opt(peek(goes_on)).parse_next(input)?.is_some() {
        return Ok(());
    }
    let chains = alt((comparison_operator.void(), sign("=~"), sign("!~")));
    let problem = if is_complete && opt(peek(chains)).parse_next(input)?.is_some() {
        Problem::Chain
    } else {
        Problem::Expected(match (rest.chars().next(), is_complete, is_enclosed) {
            (Some('='), false, _) if !rest.starts_with("==") => "'==' or '=~'",
            (Some('&'), ..) => "'&&'",
            (Some('|'), ..) => "'||'",
            (_, false, false) => "a comparison, 'and', 'or' or the end",
            (_, false, true) => "a comparison, 'and', 'or' or ')'",
            (_, true, false) => "'and', 'or' or the end",
            (_, true, true) => "'and', 'or' or ')'",
        })
    };
    Err(Failure::new(place, problem))
}

fn operand(input: &mut Input<'_>) -> Parsed<Expr> {
    let place = next_place(input)?;
    let operand = dispatch! {peek(any);
        '(' => group,
        '"' | '\'' => text.map(|text| Expr::Literal(Literal::Text(text.to_owned()))),
        '0'..='9' => number.map(|number| Expr::Literal(Literal::Number(number))),
        'a'..='z' | 'A'..='Z' => name,
        _ => fail,
    }
    .parse_next(input);
    // An operand is never optional.
    operand.map_err(|failure| match failure.is_absence {
        true => Failure::new(place, failure.problem),
        false => failure,
    })
}

fn group(input: &mut Input<'_>) -> Parsed<Expr> {
    let place = next_place(input)?;
    '('.parse_next(input)?;
    input.state.parentheses += 1;
    check_depth(input, place)?;
    let part = disjunction(input)?;
    preceded(multispace0, ')').parse_next(input)?;
    input.state.parentheses -= 1;
    Ok(part)
}

fn name(input: &mut Input<'_>) -> Parsed<Expr> {
    let place = next_place(input)?;
    let name = word(input)?;
    let is = |keyword: &str| name.eq_ignore_ascii_case(keyword);
    if is("true") || is("false") {
        return Ok(Expr::Literal(Literal::Bool(is("true"))));
    }
    if ["and", "or", "not"].into_iter().any(is) {
        return Err(Failure::new(place, Problem::Expected(OPERAND)));
    }
    let column = name.parse().map(Expr::Column);
    column.map_err(|unknown| Failure::new(place, Problem::UnknownColumn(unknown)))
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
