//! Lines of cells as aligned text.

use std::io::{self, Write};

use anstyle::Style;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, Table, Width, presets};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::output::Look;
use crate::output::table::Heading;
use crate::query::Align;

/// The widest cell that can be aligned: comfy-table counts in 16 bits, with the
/// space behind the cell.
const WIDEST: usize = u16::MAX as usize - 1;

/// One line of a table. No cell contains a line break.
pub(super) struct Line {
    cells: Vec<String>,
    /// The last cell, if it is aligned to the left: nothing follows it, so it
    /// needs no alignment and may be of any width.
    end: String,
    is_faint: bool,
}

impl Line {
    pub(super) const fn new(cells: Vec<String>, is_faint: bool) -> Self {
        Line {
            cells,
            end: String::new(),
            is_faint,
        }
    }

    /// Returns whether all its cells can be aligned. The width of a text is
    /// never larger than its length.
    fn fits(&self) -> bool {
        self.cells
            .iter()
            .all(|cell| cell.len() <= WIDEST || cell.width() <= WIDEST)
    }
}

/// Writes aligned columns with one space between them and no trailing spaces.
///
/// One column is truncated if lines have to fit into a width, and no other:
/// a truncated number would look like a number. A line with a cell that is too
/// wide to be aligned has single spaces between its cells.
pub(super) fn write(
    headings: &[Heading<'_>],
    mut lines: Vec<Line>,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    if let Some(width) = look.width {
        cut(headings, &mut lines, width);
    }
    if let Some(last) = headings.last().filter(|last| last.align == Align::Left) {
        for line in &mut lines {
            line.end = line.cells.pop().unwrap_or_default();
            if look.styles {
                line.end = styled(&line.end, last.style);
            }
        }
    }
    let faint = Style::new().dimmed();
    let mut aligned = align(headings, &lines).into_iter();
    for line in &lines {
        let text = if line.fits() {
            aligned.next().unwrap_or_default() + &line.end
        } else {
            line.cells.join(" ") + " " + &line.end
        };
        let text = text.trim_end();
        if line.is_faint {
            writeln!(out, "{faint}{text}{faint:#}")?;
        } else {
            writeln!(out, "{text}")?;
        }
    }
    Ok(())
}

/// Returns the aligned cells of each line that fits, with a space behind each.
fn align(headings: &[Heading<'_>], lines: &[Line]) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for line in lines.iter().filter(|line| line.fits()) {
        table.add_row(line.cells.iter().map(Cell::new).collect::<Vec<_>>());
    }
    for (column, heading) in table.column_iter_mut().zip(headings) {
        column.set_padding((0, 1));
        if let Align::Right(least) = heading.align {
            column.set_cell_alignment(CellAlignment::Right);
            let least = u16::try_from(least).unwrap_or(u16::MAX).saturating_add(1);
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
    }
    table.lines().collect()
}

/// Truncates the cells of the column that may be cut, so that lines fit into a
/// width. Its heading stays whole.
fn cut(headings: &[Heading<'_>], lines: &mut [Line], width: usize) {
    let Some(place) = headings.iter().position(|heading| heading.is_cut) else {
        return;
    };
    let taken: usize = headings
        .iter()
        .enumerate()
        .filter(|(nth, _)| *nth != place)
        .map(|(nth, heading)| column_width(nth, heading.align, lines) + 1)
        .sum();
    let heading = headings
        .get(place)
        .map_or(0, |heading| heading.name.width());
    let left = width.saturating_sub(taken).max(heading);
    for cell in lines
        .iter_mut()
        .filter_map(|line| line.cells.get_mut(place))
    {
        let mut used = 0;
        let end = cell.char_indices().find(|(_, letter)| {
            used += letter.width().unwrap_or(0);
            used > left
        });
        if let Some((end, _)) = end {
            cell.truncate(end);
        }
    }
}

/// Returns the width of a column, without the cells that cannot be aligned.
fn column_width(nth: usize, align: Align, lines: &[Line]) -> usize {
    let least = match align {
        Align::Right(least) => least,
        Align::Left => 0,
    };
    let cells = lines.iter().filter_map(|line| line.cells.get(nth));
    let widths = cells.map(|cell| cell.width());
    widths
        .filter(|width| *width <= WIDEST)
        .fold(least, usize::max)
}

/// Returns comma-separated words, each in its own style.
fn styled(words: &str, style: fn(&str) -> Option<Style>) -> String {
    let words = words.split(',').map(|word| match style(word) {
        Some(style) => format!("{style}{word}{style:#}"),
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(",")
}
