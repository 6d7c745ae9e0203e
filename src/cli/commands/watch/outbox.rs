//! Lines on their way to standard output.
//!
//! A reader may stop reading at any time. Then lines wait here, and if there are
//! too many, further ones are dropped and counted: neither the records nor a
//! signal must wait for a reader.

use std::io::{self, Write};

/// What a pipe takes at once when poll(2) says that it takes something, pipe(7).
const AT_ONCE: usize = 4096;

/// The most bytes that wait.
const MOST: usize = 4 << 20;

/// Lines that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Vec<u8>,
    /// How much of that was written.
    written: usize,
    dropped: u64,
}

impl Outbox {
    /// Adds a line, unless too many wait.
    pub(super) fn push(&mut self, line: &[u8]) {
        if self.waiting.len() - self.written + line.len() > MOST {
            self.dropped += 1;
            return;
        }
        if self.written > AT_ONCE {
            self.waiting.drain(..self.written);
            self.written = 0;
        }
        self.waiting.extend_from_slice(line);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.len() == self.written
    }

    /// Returns how many lines were dropped, once there is room again to say so.
    pub(super) fn take_dropped(&mut self) -> u64 {
        match self.waiting.len() - self.written < MOST / 2 {
            true => std::mem::take(&mut self.dropped),
            false => 0,
        }
    }

    /// Writes as much as does not block, if poll(2) said that it takes something.
    pub(super) fn write(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let rest = self.waiting.get(self.written..).unwrap_or_default();
        let part = rest.get(..AT_ONCE).unwrap_or(rest);
        out.write_all(part)?;
        out.flush()?;
        self.written += part.len();
        if self.is_empty() {
            self.waiting.clear();
            self.written = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_in_order_and_in_parts() {
        let mut outbox = Outbox::default();
        let lines: Vec<String> = (0..3000).map(|number| format!("{number}\n")).collect();
        let mut out = Vec::new();
        for (place, line) in lines.iter().enumerate() {
            outbox.push(line.as_bytes());
            if place % 1000 == 0 {
                outbox.write(&mut out).unwrap();
            }
        }
        while !outbox.is_empty() {
            outbox.write(&mut out).unwrap();
        }
        assert_eq!(String::from_utf8(out).unwrap(), lines.concat());
        assert_eq!(outbox.take_dropped(), 0);
    }

    #[test]
    fn what_nobody_reads_is_dropped_and_counted() {
        let mut outbox = Outbox::default();
        let line = [b'x'; 1 << 10];
        for _ in 0..5000 {
            outbox.push(&line);
        }
        assert_eq!(outbox.take_dropped(), 0);
        let mut out = Vec::new();
        while !outbox.is_empty() {
            outbox.write(&mut out).unwrap();
        }
        assert_eq!(out.len(), MOST);
        assert_eq!(outbox.take_dropped(), 5000 - (MOST >> 10) as u64);
        assert_eq!(outbox.take_dropped(), 0);
    }
}
