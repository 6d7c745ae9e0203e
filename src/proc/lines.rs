use std::io::{BufRead, BufReader, Read};

use crate::error::errno_of;
use crate::proc::{ReadError, pulse};

/// Longest line, newline included. The kernel writes mountinfo lines of up to
/// 750 KB, for overlays of many layers.
const MOST: u64 = 1 << 20;

/// Reads the lines of a file with only one of them in memory.
pub(crate) struct Lines<R> {
    source: BufReader<R>,
    line: Vec<u8>,
    has_failed: bool,
}

impl<R: Read> Lines<R> {
    pub(crate) fn of(source: R) -> Self {
        Lines {
            source: BufReader::new(source),
            line: Vec::new(),
            has_failed: false,
        }
    }

    /// Reads the next line, without its newline.
    ///
    /// After [`ReadError::TooLong`] the next call returns the following line. Any
    /// other error ends the file.
    pub(crate) fn next(&mut self) -> Option<Result<&[u8], ReadError>> {
        if self.has_failed {
            return None;
        }
        match self.read() {
            Ok(0) => None,
            Ok(_) if self.line.len() as u64 > MOST => Some(Err(ReadError::TooLong)),
            Ok(_) => Some(Ok(self.line.strip_suffix(b"\n").unwrap_or(&self.line))),
            Err(error) => {
                self.has_failed = true;
                Some(Err(errno_of(&error).into()))
            }
        }
    }

    fn read(&mut self) -> std::io::Result<usize> {
        pulse::beat();
        self.line.clear();
        let mut start = (&mut self.source).take(MOST + 1);
        let read = start.read_until(b'\n', &mut self.line)?;
        if read as u64 > MOST && self.line.last() != Some(&b'\n') {
            self.source.skip_until(b'\n')?;
        }
        Ok(read)
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
