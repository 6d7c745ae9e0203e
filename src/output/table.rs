use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ColumnConstraint, Table, Width, presets};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::query::Align;

/// One column of a table.
pub(crate) struct Column<'a> {
    pub(crate) heading: &'a str,
    pub(crate) align: Align,
    /// Whether its cells may be cut so that rows fit.
    pub(crate) is_cut: bool,
}

/// One line of a table: cells without line breaks.
pub(crate) struct Line {
    pub(crate) cells: Vec<String>,
    /// Whether it is shown faintly where that can be shown.
    pub(crate) is_faint: bool,
}

/// Writes aligned columns with one space between and no trailing blanks.
///
/// With a width one column is cut so that a line fits, and no other: what was
/// cut out of a number would still look like one.
pub(crate) fn write(
    columns: &[Column<'_>],
    headings: bool,
    mut lines: Vec<Line>,
    width: Option<usize>,
    faint: anstyle::Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let heading = columns.iter().map(|column| column.heading);
    if headings {
        let cells = heading.map(str::to_owned).collect();
        let is_faint = false;
        lines.insert(0, Line { cells, is_faint });
    }
    if let Some(width) = width {
        cut(columns, &mut lines, width);
    }
    let ends = take_ends(columns, &mut lines);
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for line in &lines {
        table.add_row(line.cells.iter().map(Cell::new).collect::<Vec<_>>());
    }
    for (place, column) in columns.iter().enumerate() {
        let Some(set) = table.column_mut(place) else {
            continue;
        };
        set.set_padding((0, 1));
        if let Align::Right(least) = column.align {
            set.set_cell_alignment(CellAlignment::Right);
            let least = u16::try_from(least).unwrap_or(u16::MAX).saturating_add(1);
            set.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
    }
    let mut set = table.lines();
    for (line, end) in lines.iter().zip(ends) {
        let text = set.next().unwrap_or_default() + &end;
        let text = text.trim_end();
        if line.is_faint {
            writeln!(out, "{faint}{text}{faint:#}")?;
        } else {
            writeln!(out, "{text}")?;
        }
    }
    Ok(())
}

/// Cuts the cells of the column that may be cut, so that lines fit into a
/// width; its heading stays.
fn cut(columns: &[Column<'_>], lines: &mut [Line], width: usize) {
    let Some(place) = columns.iter().position(|column| column.is_cut) else {
        return;
    };
    let widest = |(nth, column): (usize, &Column<'_>)| {
        let cells = lines.iter().filter_map(|line| line.cells.get(nth));
        let widest = cells.map(|cell| cell.width()).max().unwrap_or(0);
        match column.align {
            Align::Right(least) => widest.max(least),
            Align::Left => widest,
        }
    };
    let others = columns.iter().enumerate().filter(|(nth, _)| *nth != place);
    let taken: usize = others.map(widest).sum::<usize>() + columns.len() - 1;
    let heading = columns
        .get(place)
        .map_or(0, |column| column.heading.width());
    let left = width.saturating_sub(taken).max(heading);
    for line in lines {
        if let Some(cell) = line.cells.get_mut(place) {
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
}

/// Takes the last column away if it is aligned to the left: nothing has to be
/// aligned behind it, and comfy-table counts places in 16 bits, which a command
/// line may exceed.
fn take_ends(columns: &[Column<'_>], lines: &mut [Line]) -> Vec<String> {
    let is_left = columns
        .last()
        .is_some_and(|column| column.align == Align::Left);
    let take = |line: &mut Line| match is_left {
        true => line.cells.pop().unwrap_or_default(),
        false => String::new(),
    };
    lines.iter_mut().map(take).collect()
}
