use std::io::{BufRead, BufReader, Read};

use crate::error::errno_of;
use crate::proc::{ReadError, pulse};

/// Longest line, newline included. The kernel writes mountinfo lines of up to
/// 750 KB, for overlays of many layers.
const MOST: u64 = 1 << 20;

/// Most bytes of a file. A hundred thousand ordinary mounts take half of that; a
/// process can make the kernel write gigabytes.
pub(super) const MOST_IN_ALL: u64 = 64 << 20;

/// Reads the lines of a file with only one of them in memory.
pub(crate) struct Lines<R> {
    source: BufReader<R>,
    line: Vec<u8>,
    /// Bytes that may still be read.
    left: u64,
    has_failed: bool,
}

impl<R: Read> Lines<R> {
    pub(crate) fn of(source: R) -> Self {
        Lines {
            source: BufReader::new(source),
            line: Vec::new(),
            left: MOST_IN_ALL,
            has_failed: false,
        }
    }

    /// Reads the next line, without its newline.
    ///
    /// After a line that is too long ([`ReadError::TooLong`]), the next call returns
    /// the following one. Any other error ends the file, and so does the limit of
    /// the whole, with the same error.
    pub(crate) fn next(&mut self) -> Option<Result<&[u8], ReadError>> {
        if self.has_failed {
            return None;
        }
        let read = self.read();
        if let Ok(read) = read {
            let left = self.left.checked_sub(read);
            self.has_failed = left.is_none();
            self.left = left.unwrap_or_default();
        }
        match read {
            Ok(0) => None,
            Ok(_) if self.has_failed => Some(Err(ReadError::TooLong)),
            Ok(_) if self.line.len() as u64 > MOST => Some(Err(ReadError::TooLong)),
            Ok(_) => Some(Ok(self.line.strip_suffix(b"\n").unwrap_or(&self.line))),
            Err(error) => {
                self.has_failed = true;
                Some(Err(errno_of(&error).into()))
            }
        }
    }

    /// Reads a line, and returns the number of bytes that were read.
    fn read(&mut self) -> std::io::Result<u64> {
        pulse::beat();
        self.line.clear();
        let mut start = (&mut self.source).take(MOST + 1);
        let read = start.read_until(b'\n', &mut self.line)? as u64;
        if read <= MOST || self.line.last() == Some(&b'\n') {
            return Ok(read);
        }
        let mut rest = (&mut self.source).take(self.left);
        Ok(read + rest.skip_until(b'\n')? as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    fn all(source: impl Read) -> Vec<Result<Vec<u8>, ReadError>> {
        let mut lines = Lines::of(source);
        let mut all = Vec::new();
        while let Some(line) = lines.next() {
            all.push(line.map(<[u8]>::to_vec));
        }
        all
    }

    #[test]
    fn lines_end_at_newlines_and_the_last_at_the_end() {
        let line = |text: &str| Ok(text.as_bytes().to_vec());
        assert_eq!(
            all(&b"a\n\nb\xff"[..]),
            [line("a"), line(""), Ok(b"b\xff".to_vec())]
        );
        assert_eq!(all(&b"a\n"[..]), [line("a")]);
        assert_eq!(all(&b""[..]), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_one_read() {
        let longest = "x".repeat(MOST as usize - 1);
        let text = format!("{longest}\n{longest}y\n{longest}yy\nend\n");
        let expected = [
            Ok(longest.clone().into_bytes()),
            Err(ReadError::TooLong),
            Err(ReadError::TooLong),
            Ok(b"end".to_vec()),
        ];
        assert_eq!(all(text.as_bytes()), expected);
        let endless = std::io::repeat(b'x').take(MOST * 3);
        assert_eq!(all(endless), [Err(ReadError::TooLong)]);
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let line = "x".repeat(MOST as usize - 1) + "\n";
        let count = MOST_IN_ALL / MOST;
        let file = line.repeat(count as usize);
        let lines = all(file.as_bytes());
        assert_eq!(lines.len() as u64, count);
        assert!(lines.iter().all(Result::is_ok));
        let lines = all(file.as_bytes().chain(&b"a\nb\n"[..]));
        assert_eq!(lines.len() as u64, count + 1);
        assert_eq!(lines.last(), Some(&Err(ReadError::TooLong)));
        // One line may be all there is.
        assert_eq!(all(std::io::repeat(b'x')), [Err(ReadError::TooLong)]);
    }

    #[test]
    fn an_error_is_the_end() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(ErrorKind::InvalidInput.into())
            }
        }
        let broken = Err(ReadError::Errno(rustix::io::Errno::IO));
        assert_eq!(all(b"a\n".chain(Broken)), [Ok(b"a".to_vec()), broken]);
    }
}
