//! Lines of cells as aligned text.

use std::io::{self, Write};
use std::iter::repeat_n;

use comfy_table::{CellAlignment, ColumnConstraint, Table, Width, presets};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::output::Look;
use crate::output::heading::Heading;
use crate::output::hyperlink;
use crate::output::palette::{Pen, Role};
use crate::query::Align;

/// The widest cell that can be aligned: comfy-table counts in 16 bits, with the
/// space behind the cell.
const WIDEST: usize = u16::MAX as usize - 1;

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
    cells: Vec<Cell>,
    /// What the line is, which decides the look of all that has no other.
    role: Option<Role>,
    /// What stands in place of the cells: the title of the lines below it.
    title: Option<String>,
}

impl Line {
    pub(super) const fn new(cells: Vec<Cell>, role: Option<Role>) -> Self {
        Line {
            cells,
            role,
            title: None,
        }
    }

    /// Makes a line without cells.
    pub(super) const fn title(text: String) -> Self {
        Line {
            cells: Vec::new(),
            role: Some(Role::Heading),
            title: Some(text),
        }
    }
}

/// Writes aligned columns with one space between them and no trailing spaces.
///
/// Only some columns are truncated if lines have to fit into a width: a truncated
/// number would look like a number. A line with a cell that is too wide to be
/// aligned has single spaces between its cells.
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
    // The last one, if it is to the left, needs no alignment: nothing follows it.
    let ends_left = headings
        .last()
        .is_some_and(|last| last.align == Align::Left);
    let count = headings.len() - usize::from(ends_left);
    let is_aligned = |line: &&Line| line.title.is_none() && line.cells.iter().take(count).all(fits);
    let mut columns: Vec<_> = (headings.iter().take(count).enumerate())
        .map(|(nth, heading)| {
            let lines = lines.iter().filter(is_aligned);
            align(heading.align, lines.filter_map(|line| line.cells.get(nth))).into_iter()
        })
        .collect();
    for line in &lines {
        let aligned: Vec<String> = match is_aligned(&line) {
            true => columns.iter_mut().filter_map(Iterator::next).collect(),
            false => Vec::new(),
        };
        writeln!(out, "{}", text(line, headings, &aligned, look))?;
    }
    Ok(())
}

/// Returns the cells of a column, each as wide as the widest.
fn align<'a>(align: Align, cells: impl Iterator<Item = &'a Cell>) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for cell in cells {
        table.add_row([&cell.text]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 0));
        if let Align::Right(least) = align {
            column.set_cell_alignment(CellAlignment::Right);
            let least = u16::try_from(least).unwrap_or(u16::MAX);
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
    }
    table.lines().collect()
}

/// Returns a line of the `aligned` cells, and behind them of others as they are.
fn text(line: &Line, headings: &[Heading<'_>], aligned: &[String], look: Look) -> String {
    let mut pen = Pen::new(look.palette);
    if let Some(title) = &line.title {
        pen.write(line.role, title);
    }
    let mut blank = String::new();
    for (nth, (cell, heading)) in line.cells.iter().zip(headings).enumerate() {
        let whole = aligned.get(nth).unwrap_or(&cell.text);
        let ended = whole.trim_end_matches(' ');
        let shown = match heading.align {
            Align::Left => ended,
            Align::Right(_) => ended.trim_start_matches(' '),
        };
        if !shown.is_empty() {
            blank.extend(repeat_n(' ', ended.len() - shown.len()));
            pen.write(line.role, &blank);
            blank.clear();
            write_cell(cell, shown, heading, line.role, &mut pen);
        }
        // A space lies between columns.
        blank.extend(repeat_n(' ', whole.len() - ended.len() + 1));
    }
    pen.finish()
}

/// Writes what is shown of a cell, each comma-separated word in its own look.
pub(super) fn write_cell<'a>(
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

/// Returns whether others can be aligned with a cell. The width of a text is never
/// larger than its length.
fn fits(cell: &Cell) -> bool {
    cell.text.len() <= WIDEST || cell.text.width() <= WIDEST
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
        for cell in cells.filter(|cell| cell.text.width() > left) {
            let mut used = mark.width();
            let end = cell.text.char_indices().find(|(_, letter)| {
                used += letter.width().unwrap_or(0);
                used > left
            });
            if let Some((end, _)) = end {
                cell.text.truncate(end);
                cell.text.push_str(mark);
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
    let widths = cells.map(|cell| cell.text.width());
    widths
        .filter(|width| *width <= widest)
        .fold(least, usize::max)
}
