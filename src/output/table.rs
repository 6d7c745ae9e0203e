use std::io::{self, Write};

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, Width, presets,
};

use crate::output::escape::for_table;
use crate::query::Align;

/// A character that no cell holds, because every control character is escaped.
/// As a word boundary it makes comfy-table cut anywhere.
const NO_BOUNDARY: char = '\u{1f}';

/// Writes aligned columns with one space between and no trailing blanks.
///
/// With a width the last column is cut so that a row fits, and no other: what
/// was cut out of a number would still look like one.
pub(crate) fn write(
    aligns: &[Align],
    headings: Option<&[&str]>,
    rows: impl Iterator<Item = Vec<Vec<u8>>>,
    width: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_truncation_indicator("");
    if let Some(headings) = headings {
        table.set_header(headings.iter().copied().map(Cell::new));
    }
    for row in rows {
        let mut row = Row::from(
            row.iter()
                .map(|cell| Cell::new(for_table(cell)))
                .collect::<Vec<_>>(),
        );
        row.max_height(1);
        table.add_row(row);
    }
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    for (place, align) in aligns.iter().enumerate() {
        let is_last = place + 1 == aligns.len();
        let Some(column) = table.column_mut(place) else {
            continue;
        };
        column.set_padding((0, u16::from(!is_last)));
        if let Align::Right(least) = *align {
            column.set_cell_alignment(CellAlignment::Right);
            let least = u16::try_from(least).unwrap_or(u16::MAX) + u16::from(!is_last);
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
        if width.is_some() {
            if is_last {
                column.set_delimiter(NO_BOUNDARY);
            } else {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
