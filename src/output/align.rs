//! Lines of cells as aligned text.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::output::Look;
use crate::output::hyperlink;
use crate::output::palette::{Pen, Role};
use crate::output::table::Heading;
use crate::query::Align;

/// The widest cell that others are aligned with: behind a wider one, every line
/// would be mostly blank.
const WIDEST: usize = 65_534;

/// One cell of a line, without a line break.
#[derive(Debug, Default)]
pub(super) struct Cell {
    pub(super) text: String,
    /// How many bytes at the start of the text are lines of a tree.
    pub(super) drawn: usize,
    /// The sequence that begins a link, if the text is one.
    pub(super) link: Option<String>,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell {
            text,
            ..Cell::default()
        }
    }
}

/// One line of a table.
pub(super) struct Line {
    pub(super) cells: Vec<Cell>,
    /// What the line is, which decides the look of all that has no other.
    pub(super) role: Option<Role>,
}

/// Writes aligned columns with one space between them and no trailing spaces.
///
/// One column is truncated if lines have to fit into a width, and no other:
/// a truncated number would look like a number. A line with a cell that is too
/// wide to be aligned has single spaces between its cells.
///
/// Escapes are added to what is aligned already, so they have no width and are
/// never cut.
pub(super) fn write(
    headings: &[Heading<'_>],
    mut lines: Vec<Line>,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    if let Some(width) = look.width {
        cut(headings, &mut lines, width);
    }
    let columns = headings.iter().enumerate();
    let widths: Vec<usize> = columns
        .map(|(nth, heading)| column_width(nth, heading.align, &lines))
        .collect();
    for line in &lines {
        writeln!(out, "{}", text(line, headings, &widths, look))?;
    }
    Ok(())
}

/// Returns a line, aligned if it can be.
fn text(line: &Line, headings: &[Heading<'_>], widths: &[usize], look: Look) -> String {
    let mut pen = Pen::new(look.palette);
    let is_aligned = can_be_aligned(line, headings);
    let mut after = 0;
    let is_blank = |cell: &Cell| cell.text.trim_end().is_empty();
    let last = line.cells.iter().rposition(|cell| !is_blank(cell));
    let cells = line.cells.iter().zip(headings).zip(widths).enumerate();
    for (nth, ((cell, heading), width)) in cells.take(last.map_or(0, |last| last + 1)) {
        let blank = match is_aligned {
            true => width.saturating_sub(cell.text.width()),
            false => 0,
        };
        let (before, behind) = match heading.align {
            Align::Left => (0, blank),
            Align::Right(_) => (blank, 0),
        };
        pen.write(line.role, &" ".repeat(after + before));
        // A space lies between columns.
        after = behind + 1;
        let shown = match Some(nth) == last {
            true => cell.text.trim_end(),
            false => &cell.text,
        };
        write_cell(cell, shown, heading, line.role, &mut pen);
    }
    pen.finish()
}

/// Writes what is shown of a cell, each comma-separated word in its own look.
fn write_cell<'a>(
    cell: &Cell,
    shown: &str,
    heading: &Heading<'_>,
    row: Option<Role>,
    pen: &mut Pen<'a>,
) {
    let (drawing, shown) = shown.split_at_checked(cell.drawn).unwrap_or((shown, ""));
    pen.write(Some(Role::Tree), drawing);
    if let Some(link) = &cell.link {
        pen.escape(link);
    }
    for (nth, word) in shown.split(',').enumerate() {
        if nth > 0 {
            pen.write(row, ",");
        }
        let own = match row {
            Some(Role::Heading) => None,
            _ => (heading.role)(word),
        };
        pen.write(own.or(row), word);
    }
    if cell.link.is_some() {
        pen.escape(hyperlink::END);
    }
}

/// Returns whether all cells of a line can be aligned. The last one, if it is to
/// the left, needs no alignment: nothing follows it.
fn can_be_aligned(line: &Line, headings: &[Heading<'_>]) -> bool {
    let ends_left = headings
        .last()
        .is_some_and(|last| last.align == Align::Left);
    let count = line.cells.len() - usize::from(ends_left);
    line.cells.iter().take(count).all(fits)
}

/// Returns whether others can be aligned with a cell. The width of a text is never
/// larger than its length.
fn fits(cell: &Cell) -> bool {
    cell.text.len() <= WIDEST || cell.text.width() <= WIDEST
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
        let end = cell.text.char_indices().find(|(_, letter)| {
            used += letter.width().unwrap_or(0);
            used > left
        });
        if let Some((end, _)) = end {
            cell.text.truncate(end);
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
    let widths = cells.map(|cell| cell.text.width());
    widths
        .filter(|width| *width <= WIDEST)
        .fold(least, usize::max)
}
