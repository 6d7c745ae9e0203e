//! What a command writes, line by line.

use std::io::{self, BufRead, BufReader, Read};
use std::process::ExitStatus;

/// The longest line, in bytes. What is longer becomes several.
const LONGEST: u64 = 64 << 10;

/// Where a command writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// What happens to the command of a given number.
#[derive(Debug)]
pub(super) enum Event {
    /// It wrote a line, here without its end.
    Line(usize, Stream, Vec<u8>),
    /// It ended, and nobody can write in its place.
    End(usize, io::Result<ExitStatus>),
}

/// Reads lines until the end or until one is not taken. What cannot be read is
/// the end.
pub(super) fn read_lines(from: impl Read, mut take: impl FnMut(Vec<u8>) -> bool) {
    let mut from = BufReader::new(from);
    loop {
        let mut line = Vec::new();
        match from.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if !take(line) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        read_lines(text, |line| {
            lines.push(line);
            true
        });
        lines
    }

    #[test]
    fn the_last_line_need_not_end_and_bytes_stay_as_they_are() {
        assert_eq!(lines(b""), [b""; 0]);
        assert_eq!(lines(b"a\n\n\xff\x1b\r\n"), [&b"a"[..], b"", b"\xff\x1b\r"]);
        assert_eq!(lines(b"a\nb"), [b"a", b"b"]);
    }

    #[test]
    fn a_long_line_becomes_several() {
        let longest = LONGEST as usize;
        let found = lines(&vec![b'x'; longest + 1]);
        let lengths: Vec<_> = found.iter().map(Vec::len).collect();
        assert_eq!(lengths, [longest, 1]);
    }

    #[test]
    fn nothing_more_is_read_once_a_line_is_not_taken() {
        let mut count = 0;
        let endless = io::repeat(b'\n');
        read_lines(endless, |_| {
            count += 1;
            count < 3
        });
        assert_eq!(count, 3);
    }

    proptest! {
        #[test]
        fn no_bytes_are_lost(bytes: Vec<u8>) {
            let joined = lines(&bytes).join(&b'\n');
            let whole = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            prop_assert_eq!(joined, whole);
        }
    }
}
