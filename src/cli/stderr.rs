//! Lines on standard error.

use std::io::{self, Write};

/// Writes a message to standard error.
pub(crate) fn warn(message: &str) {
    say(&format!("nsls: {message}"));
}

/// Writes a line to standard error.
pub(crate) fn say(line: &str) {
    write_whole(line, &mut io::stderr());
}

/// Writes a line in one write(2), so that nothing that others write meanwhile
/// lands inside it, nor it inside a row of theirs. With nowhere to complain to, a
/// failure is ignored.
fn write_whole(line: &str, err: &mut dyn Write) {
    let _ = err.write_all(format!("{line}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each call wrote.
    #[derive(Default)]
    struct Calls(Vec<Vec<u8>>);

    impl Write for Calls {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_written_at_once() {
        let mut calls = Calls::default();
        write_whole("nsls: no process 5", &mut calls);
        assert_eq!(calls.0, [b"nsls: no process 5\n"]);
    }
}
