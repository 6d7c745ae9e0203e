use std::fmt;

/// One line of a uid_map or gid_map, user_namespaces(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdMap {
    /// The first id inside of the user namespace.
    pub inner: u32,
    /// The id that it is outside: in the user namespace of the reader, or, of
    /// the reader's own, in its parent.
    pub outer: u32,
    /// How many ids follow each other.
    pub count: u32,
}

/// As podman(1) and others write it: `inner:outer:count`.
impl fmt::Display for IdMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.inner, self.outer, self.count)
    }
}

/// How far the clocks of a time namespace are from those of the initial one,
/// time_namespaces(7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeOffsets {
    /// Of CLOCK_MONOTONIC.
    pub monotonic: TimeOffset,
    /// Of CLOCK_BOOTTIME.
    pub boottime: TimeOffset,
}

/// The offset of one clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeOffset {
    /// Seconds, rounded down.
    pub seconds: i64,
    /// Nanoseconds more.
    pub nanoseconds: u32,
}

/// Seconds, with a fraction where there is one.
impl fmt::Display for TimeOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds);
        let size = nanoseconds.unsigned_abs();
        let sign = if nanoseconds < 0 { "-" } else { "" };
        write!(f, "{sign}{}", size / 1_000_000_000)?;
        match size % 1_000_000_000 {
            0 => Ok(()),
            fraction => f.write_str(format!(".{fraction:09}").trim_end_matches('0')),
        }
    }
}

impl fmt::Display for TimeOffsets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "monotonic={},boottime={}", self.monotonic, self.boottime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_a_decimal_number_of_seconds() {
        let text = |seconds, nanoseconds| {
            TimeOffset {
                seconds,
                nanoseconds,
            }
            .to_string()
        };
        assert_eq!(text(86_400, 0), "86400");
        assert_eq!(text(-5, 0), "-5");
        assert_eq!(text(1, 500_000_000), "1.5");
        assert_eq!(text(-2, 500_000_000), "-1.5");
        assert_eq!(text(-1, 999_999_999), "-0.000000001");
        assert_eq!(text(i64::MIN, 0), "-9223372036854775808");
    }
}
