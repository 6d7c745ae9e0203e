use std::cmp::Ordering;
use std::fmt;

/// A number in an expression or a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// Wide enough for every unit: 1Y is 2 to the 80th.
    Integer(u128),
    /// Finite, and not negative.
    Float(f64),
}

impl Number {
    /// Parses digits, with or without a decimal point between them.
    pub(super) fn parse(digits: &str) -> Option<Self> {
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        match digits.split_once('.') {
            None if is_digits(digits) => digits.parse().ok().map(Number::Integer),
            Some((whole, fraction)) if is_digits(whole) && is_digits(fraction) => {
                Number::float(digits.parse().ok()?)
            }
            _ => None,
        }
    }

    /// Multiplies it; returns `None` if the result is too large.
    pub(super) fn times(self, factor: u128) -> Option<Self> {
        match self {
            Number::Integer(number) => number.checked_mul(factor).map(Number::Integer),
            Number::Float(number) => Number::float(number * factor as f64),
        }
    }

    pub(super) fn is_zero(self) -> bool {
        self.partial_cmp(&Number::Integer(0)) == Some(Ordering::Equal)
    }

    fn float(number: f64) -> Option<Self> {
        number.is_finite().then_some(Number::Float(number))
    }

    fn to_float(self) -> f64 {
        match self {
            Number::Integer(number) => number as f64,
            Number::Float(number) => number,
        }
    }
}

/// Compares integers exactly, and all else as floats.
impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Number::Integer(number), Number::Integer(other)) => Some(number.cmp(other)),
            _ => self.to_float().partial_cmp(&other.to_float()),
        }
    }
}

/// Writes digits without an exponent, as they are parsed.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Integer(number) => write!(f, "{number}"),
            Number::Float(number) if number.fract() == 0.0 => write!(f, "{number:.1}"),
            Number::Float(number) => write!(f, "{number}"),
        }
    }
}

/// Returns the factor of a unit: 1024 for `K` and `KiB`, 1000 for `KB`, 1 for
/// none. Returns `None` for an unknown unit.
pub(super) fn factor(unit: &str) -> Option<u128> {
    let mut letters = unit.chars();
    let Some(letter) = letters.next() else {
        return Some(1);
    };
    let power = "KMGTPEZY".find(letter)? as u32 + 1;
    match letters.as_str() {
        "" | "iB" => Some(1024_u128.pow(power)),
        "B" => Some(1000_u128.pow(power)),
        _ => None,
    }
}
