//! Rows as blocks of lines, one line for each column.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::output::Look;
use crate::output::align::write_line;
use crate::output::table::{Table, texts};
use crate::text::for_table;

/// Writes a block for each row, with an empty line between two. Every block has
/// the name of each column, and beside it the value, which may be of any width.
pub(super) fn write(table: &Table<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let names = table.headings.iter().map(|heading| heading.name.width());
    let width = names.max().unwrap_or(0);
    for (nth, row) in table.rows.iter().enumerate() {
        if nth > 0 {
            writeln!(out)?;
        }
        if let Some(heading) = row.heading {
            writeln!(out, "{}\n", for_table(heading))?;
        }
        for (column, (heading, value)) in table.headings.iter().zip(&row.cells).enumerate() {
            let mut name = heading.name;
            let texts = texts(value, look);
            // A list may be empty.
            let one = [String::new()];
            for text in if texts.is_empty() { &one[..] } else { &texts } {
                let is_first = !name.is_empty();
                let drawn = match table.tree == Some(column) {
                    true => row.place.drawing(is_first, text.is_empty(), look.unicode),
                    false => String::new(),
                };
                let line = format!("{name:width$}  {drawn}{text}");
                write_line(line.trim_end(), row.is_faint && look.styles, out)?;
                name = "";
            }
        }
    }
    Ok(())
}
