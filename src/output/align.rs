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
    is_heading: bool,
}

impl Line {
    pub(super) const fn new(cells: Vec<String>, is_faint: bool) -> Self {
        Line {
            cells,
            end: String::new(),
            is_faint,
            is_heading: false,
        }
    }

    /// Makes a line without cells: the heading of those below it.
    pub(super) const fn heading(text: String) -> Self {
        Line {
            cells: Vec::new(),
            end: text,
            is_faint: false,
            is_heading: true,
        }
    }

    /// Returns whether it has cells, which can all be aligned. The width of a
    /// text is never larger than its length.
    fn fits(&self) -> bool {
        let mut cells = self.cells.iter();
        !self.is_heading && cells.all(|cell| cell.len() <= WIDEST || cell.width() <= WIDEST)
    }
}

/// Writes aligned columns with one space between them and no trailing spaces.
///
/// Only some columns are truncated if lines have to fit into a width: a truncated
/// number would look like a number. A line with a cell that is too wide to be
/// aligned has single spaces between its cells.
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
        for line in lines.iter_mut().filter(|line| !line.is_heading) {
            line.end = line.cells.pop().unwrap_or_default();
            if look.styles {
                line.end = styled(&line.end, last.style);
            }
        }
    }
    let bold = Style::new().bold();
    let mut aligned = align(headings, &lines).into_iter();
    for line in &lines {
        let text = if line.fits() {
            aligned.next().unwrap_or_default() + &line.end
        } else if line.is_heading && look.styles && !line.end.is_empty() {
            format!("{bold}{}{bold:#}", line.end)
        } else if line.is_heading {
            line.end.clone()
        } else {
            line.cells.join(" ") + " " + &line.end
        };
        write_line(text.trim_end(), line.is_faint, out)?;
    }
    Ok(())
}

/// Writes a line, possibly faintly.
pub(super) fn write_line(text: &str, is_faint: bool, out: &mut dyn Write) -> io::Result<()> {
    if is_faint {
        let faint = Style::new().dimmed();
        writeln!(out, "{faint}{text}{faint:#}")
    } else {
        writeln!(out, "{text}")
    }
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

/// Truncates the cells of the columns that may be cut, so that lines fit into a
/// width: always those of the widest. Their headings stay whole.
fn cut(headings: &[Heading<'_>], lines: &mut [Line], width: usize) {
    let mut widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(nth, heading)| match heading.cut {
            Some(_) => column_width(nth, heading.align, lines, usize::MAX)
                .min(width.max(heading.name.width())),
            None => column_width(nth, heading.align, lines, WIDEST),
        })
        .collect();
    let taken: usize = widths.iter().map(|width| width + 1).sum();
    // Nothing follows the last column.
    for _ in width..taken.saturating_sub(1) {
        let both = widths.iter_mut().zip(headings);
        let cut = both.filter(|(left, one)| one.cut.is_some() && **left > one.name.width());
        match cut.max_by_key(|(left, _)| **left) {
            Some((left, _)) => *left -= 1,
            None => break,
        }
    }
    for (nth, (heading, left)) in headings.iter().zip(widths).enumerate() {
        let Some(mark) = heading.cut else { continue };
        let cells = lines.iter_mut().filter_map(|line| line.cells.get_mut(nth));
        for cell in cells.filter(|cell| cell.width() > left) {
            let mut used = mark.width();
            let end = cell.char_indices().find(|(_, letter)| {
                used += letter.width().unwrap_or(0);
                used > left
            });
            if let Some((end, _)) = end {
                cell.truncate(end);
                cell.push_str(mark);
            }
        }
    }
}

/// Returns the width of a column, without the cells that are wider than this.
fn column_width(nth: usize, align: Align, lines: &[Line], widest: usize) -> usize {
    let least = match align {
        Align::Right(least) => least,
        Align::Left => 0,
    };
    let cells = lines.iter().filter_map(|line| line.cells.get(nth));
    let widths = cells.map(|cell| cell.width());
    widths
        .filter(|width| *width <= widest)
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
