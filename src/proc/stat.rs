use crate::model::Pid;
use crate::proc::ReadError;

/// Fields of `/proc/PID/stat`, proc_pid_stat(5).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// The kernel's name for the process; any bytes.
    pub(crate) comm: Vec<u8>,
    /// PID of the parent.
    pub(crate) ppid: Pid,
    /// When the process started, in clock ticks (USER_HZ, 1/100 s) after boot;
    /// `None` if the text ends before.
    pub(crate) start: Option<u64>,
}

/// Parses `PID (COMM) STATE PPID …`.
///
/// comm may contain any byte, closing parentheses and newlines included. It
/// ends at the last closing parenthesis, for no later field has one.
pub(crate) fn parse_stat(bytes: &[u8]) -> Result<Stat, ReadError> {
    try_parse(bytes).ok_or(ReadError::Malformed)
}

fn try_parse(bytes: &[u8]) -> Option<Stat> {
    let open = bytes.iter().position(|byte| *byte == b'(')?;
    let close = bytes.iter().rposition(|byte| *byte == b')')?;
    let comm = bytes.get(open + 1..close)?.to_vec();
    let mut fields = std::str::from_utf8(bytes.get(close + 1..)?)
        .ok()?
        .split_ascii_whitespace();
    let _state = fields.next()?;
    let ppid = fields.next()?.parse().ok()?;
    let start = match fields.nth(17) {
        Some(field) => Some(field.parse().ok()?),
        None => None,
    };
    Some(Stat { comm, ppid, start })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_may_hold_parentheses_colons_and_newlines() {
        for (text, comm) in [
            ("1 (init) S 0 1 1", "init"),
            ("7 (a) R 9 (b)) S 0 7 7", "a) R 9 (b)"),
            ("7 () S 0 7 7", ""),
            ("7 (x:\n\x1b[31m) Z 0 7 7", "x:\n\x1b[31m"),
        ] {
            let stat = Stat {
                comm: comm.into(),
                ppid: 0,
                start: None,
            };
            assert_eq!(parse_stat(text.as_bytes()), Ok(stat), "{text}");
        }
    }

    #[test]
    fn cut_or_foreign_text_is_malformed() {
        for text in [
            "",
            "1",
            "1 (init",
            "1 init) S 0",
            ")1 (",
            "1 (init)",
            "1 (init) S",
            "1 (init) S x",
            "1 (init) S -1",
            "1 (init) S 0 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 -5",
            "1 (init) S 0 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 x 9",
        ] {
            assert_eq!(
                parse_stat(text.as_bytes()),
                Err(ReadError::Malformed),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_name_parent_and_start_is_read_back(comm in proptest::collection::vec(any::<u8>(), 0..16), ppid: u32, start: u64) {
            let mut text = b"42 (".to_vec();
            text.extend(&comm);
            text.extend(format!(") S {ppid} 42 42 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 {start} 9").bytes());
            let start = Some(start);
            prop_assert_eq!(parse_stat(&text), Ok(Stat { comm, ppid, start }));
        }

        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = parse_stat(&text);
        }
    }
}
