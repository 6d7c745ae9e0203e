use std::io::{self, Write};

use crate::text::for_raw;

/// Writes rows of words with one space between. An empty cell is an empty
/// word, so that every row has as many as the first.
pub(crate) fn write(
    headings: Option<&[&str]>,
    rows: impl Iterator<Item = Vec<Vec<u8>>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if let Some(headings) = headings {
        writeln!(out, "{}", headings.join(" "))?;
    }
    for row in rows {
        let words: Vec<_> = row.iter().map(|cell| for_raw(cell)).collect();
        writeln!(out, "{}", words.join(" "))?;
    }
    Ok(())
}
