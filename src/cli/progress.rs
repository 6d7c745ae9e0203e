//! How far a scan is, on a terminal.

use std::any::Any;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::scan::Progress;

/// How long a scan takes before anyone wonders.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the line is renewed.
const PAUSE: Duration = Duration::from_millis(100);

/// Returns to the beginning of the line and wipes it.
const WIPE: &str = "\r\x1b[K";

/// A thread that shows a line on standard error, and wipes it when this is
/// dropped.
struct Line {
    /// Nothing is sent: the thread ends when this is closed.
    open: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.open = None;
        if let Some(thread) = self.thread.take() {
            // What comes next begins on an empty line.
            let _ = thread.join();
        }
    }
}

/// Shows on standard error how far a scan is, if it takes long, until what it
/// returns is dropped. Without a thread nothing is shown.
pub(super) fn show(progress: Arc<Progress>) -> Box<dyn Any> {
    let (open, closed) = channel();
    let run = move || write(&progress, &closed, [PATIENCE, PAUSE], &mut io::stderr());
    Box::new(Line {
        open: Some(open),
        thread: thread::Builder::new().spawn(run).ok(),
    })
}

/// Writes the line after the first pause, and again after each further one,
/// until the channel is closed.
fn write(
    progress: &Progress,
    closed: &Receiver<()>,
    [mut pause, next]: [Duration; 2],
    err: &mut dyn Write,
) {
    let mut shown = String::new();
    while closed.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        pause = next;
        if let Some(step) = progress.read() {
            let line = format!(
                "{WIPE}nsls: reading {} of {} {}",
                step.done, step.total, step.what
            );
            if line != shown {
                // With nowhere to show it, a failure is ignored.
                let _ = err.write_all(line.as_bytes());
                shown = line;
            }
        }
    }
    if !shown.is_empty() {
        let _ = err.write_all(WIPE.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes on what is written, so that a test waits for it and not for a time.
    struct Passed(Sender<String>);

    impl Write for Passed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            self.0.send(text).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_line_is_renewed_when_something_was_read_and_wiped_at_the_end() {
        let progress = Arc::new(Progress::default());
        let (open, closed) = channel();
        let (sender, written) = channel();
        let own = Arc::clone(&progress);
        let writer = thread::spawn(move || {
            write(&own, &closed, [Duration::ZERO; 2], &mut Passed(sender));
        });
        progress.begin("processes", 20_000);
        let line = |text: &str| Ok(format!("\r\x1b[K{text}"));
        assert_eq!(written.recv(), line("nsls: reading 0 of 20000 processes"));
        progress.advance(12_345);
        assert_eq!(
            written.recv(),
            line("nsls: reading 12345 of 20000 processes")
        );
        drop(open);
        assert_eq!(written.recv(), line(""));
        writer.join().unwrap();
        assert!(written.recv().is_err());
    }

    #[test]
    fn a_short_scan_shows_nothing() {
        let progress = Progress::default();
        progress.begin("processes", 5);
        let (open, closed) = channel();
        drop(open);
        let mut written = Vec::new();
        write(&progress, &closed, [PATIENCE, PAUSE], &mut written);
        assert_eq!(written, b"");
    }
}
