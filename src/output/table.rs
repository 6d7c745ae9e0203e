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
    // comfy-table counts in u16 and cuts what is longer. Text that ends a row
    // and is not to be cut needs no setting: it is put behind the others.
    let apart = width.is_none() && aligns.len() > 1 && aligns.last() == Some(&Align::Left);
    let mut ends = Vec::new();
    let mut split = |mut cells: Vec<String>| {
        ends.push(if apart { cells.pop() } else { None });
        cells.into_iter().map(Cell::new)
    };
    if let Some(headings) = headings {
        table.set_header(split(headings.iter().copied().map(String::from).collect()));
    }
    for row in rows {
        let mut row = Row::from(split(row.iter().map(|cell| for_table(cell)).collect()));
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
    for (line, end) in table.lines().zip(ends) {
        let line = line + &end.unwrap_or_default();
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
