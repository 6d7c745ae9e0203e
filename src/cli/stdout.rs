use std::io::{self, Write};

use rustix::io::Errno;

use crate::kernel::is_stdout_writable;

/// Standard output, which fails if it is closed or not open for writing; that
/// of the standard library discards everything then.
#[derive(Debug)]
pub struct Stdout(io::StdoutLock<'static>);

impl Stdout {
    /// Locks standard output.
    #[expect(clippy::new_without_default, reason = "a lock is no default")]
    pub fn new() -> Self {
        Stdout(io::stdout().lock())
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        require_writable()?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        require_writable()?;
        self.0.flush()
    }
}

/// Fails if standard output cannot be written to.
pub(super) fn require_writable() -> io::Result<()> {
    if is_stdout_writable() {
        Ok(())
    } else {
        Err(Errno::BADF.into())
    }
}
