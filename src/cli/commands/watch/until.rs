//! When a watch ends, and how times are written on the command line.

use std::time::Duration;

use crate::cli::error::CliError;
use crate::query::Filter;

/// When a watch ends.
#[derive(Debug, PartialEq)]
pub(super) enum Until {
    /// After so many events.
    Count(u64),
    /// After this time.
    Time(Duration),
    /// After an event of a namespace whose row matches.
    Match(Filter),
}

impl Until {
    /// Reads a count, a duration, or else an expression.
    pub(super) fn parse(word: &str) -> Result<Self, CliError> {
        if let Ok(count) = word.parse()
            && word.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Ok(Until::Count(count));
        }
        match duration(word) {
            Some(duration) => Ok(Until::Time(duration)),
            None => Ok(Until::Match(Filter::parse(word)?)),
        }
    }
}

/// Reads an interval, which is not zero.
pub(super) fn interval(word: &str) -> Result<Duration, CliError> {
    let read = duration(word).filter(|duration| !duration.is_zero());
    read.ok_or_else(|| {
        let message = format!("invalid interval '{word}': give a number and ms, s, m or h");
        CliError::Usage(message)
    })
}

/// Reads a number with a unit: `500ms`, `1.5s`, `2h`.
fn duration(word: &str) -> Option<Duration> {
    let unit = word.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (number, unit) = word.split_at_checked(unit)?;
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    if !number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    let seconds = number.parse::<f64>().ok()? * scale;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_count_and_with_a_unit_a_time() {
        assert_eq!(Until::parse("5").unwrap(), Until::Count(5));
        for (word, millis) in [
            ("10s", 10_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("0s", 0),
        ] {
            let time = Until::Time(Duration::from_millis(millis));
            assert_eq!(Until::parse(word).unwrap(), time, "{word}");
        }
    }

    #[test]
    fn anything_else_is_an_expression() {
        let filter = "TYPE == \"net\"";
        let expected = Until::Match(Filter::parse(filter).unwrap());
        assert_eq!(Until::parse(filter).unwrap(), expected);
        for word in [
            "",
            "s",
            "10x",
            "-5s",
            "+5",
            "1e9s",
            "5 s s",
            "99999999999999999999",
        ] {
            let count_or_time = matches!(Until::parse(word), Ok(Until::Count(_) | Until::Time(_)));
            assert!(!count_or_time, "{word}");
        }
    }

    #[test]
    fn an_interval_is_a_time_that_passes() {
        assert_eq!(interval("2s").unwrap(), Duration::from_secs(2));
        for word in ["0s", "5", "x", "99999999999999999999999d"] {
            assert!(matches!(interval(word), Err(CliError::Usage(_))), "{word}");
        }
    }
}
