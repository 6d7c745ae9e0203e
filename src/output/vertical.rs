//! Rows as blocks of lines, one line for each column.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::output::align::{Cell, write_cell};
use crate::output::palette::Pen;
use crate::output::table::{Table, cells};
use crate::output::{Look, Role};
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
            let mut pen = Pen::new(look.palette);
            pen.write(Some(Role::Heading), &for_table(heading));
            writeln!(out, "{}\n", pen.finish())?;
        }
        for (column, (heading, value)) in table.headings.iter().zip(&row.cells).enumerate() {
            let mut name = heading.name;
            let mut cells = cells(value, heading, look);
            if cells.is_empty() {
                // A list may be.
                cells.push(Cell::default());
            }
            for mut cell in cells {
                if table.tree == Some(column) {
                    row.draw(&mut cell, !name.is_empty(), look);
                }
                let mut pen = Pen::new(look.palette);
                pen.write(Some(Role::Heading), name);
                let shown = cell.text.trim_end();
                if !shown.is_empty() {
                    let blank = width.saturating_sub(name.width()) + 2;
                    pen.write(row.role, &" ".repeat(blank));
                    write_cell(&cell, shown, heading, row.role, &mut pen);
                }
                writeln!(out, "{}", pen.finish())?;
                name = "";
            }
        }
    }
    Ok(())
}
