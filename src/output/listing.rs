use std::io::{self, Write};

use crate::model::Snapshot;
use crate::output::{json, raw, table};
use crate::query::{Align, Branch, Column, Placed, Row, Value};
use crate::text::for_table;

/// How a listing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns.
    Table(Look),
    /// Words with one space between.
    Raw,
    /// One JSON object.
    Json,
}

/// How a table looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Cut commands so that a line fits into so many characters.
    pub width: Option<usize>,
    /// Draw trees with more than ASCII.
    pub unicode: bool,
    /// Show context faintly, and what matters in colour, with escape sequences.
    pub styles: bool,
    /// Join several texts of a cell by commas rather than one a line.
    pub join: bool,
}

/// Rows and the columns to show of them.
#[derive(Debug)]
pub struct Listing<'a> {
    /// Where the rows are from; JSON says whether that is complete.
    pub snapshot: &'a Snapshot,
    /// The namespace whose processes are listed; none in a list of namespaces.
    /// JSON shows it with these columns.
    pub namespace: Option<(Row<'a>, &'a [&'static Column])>,
    /// What is listed.
    pub rows: Vec<Placed<'a>>,
    /// The name of the column in which a tree is drawn, if one is; without that
    /// column, in the first.
    pub tree_column: Option<&'static str>,
    /// What is shown of each.
    pub columns: &'a [&'static Column],
    /// Whether a table begins with the names of its columns.
    pub headings: bool,
    /// Whether namespaces of the host are shown faintly.
    pub dims_host: bool,
}

impl Listing<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Table(look) => self.write_table(look, out),
            Format::Raw => {
                let headings: Vec<_> = self.columns.iter().map(|column| column.name).collect();
                // Nothing would tell context from what was asked for.
                let rows = self.rows.iter().filter(|placed| !placed.is_context);
                let cells = rows.map(|placed| {
                    let columns = self.columns.iter();
                    columns
                        .map(|column| column.value(&placed.row).bytes().into_owned())
                        .collect()
                });
                raw::write(self.headings.then_some(&*headings), cells, out)
            }
            Format::Json => json::write_listing(self, out),
        }
    }

    fn write_table(&self, look: Look, out: &mut dyn Write) -> io::Result<()> {
        let tree_place = self.tree_column.map(|name| {
            let mut columns = self.columns.iter();
            columns.position(|column| column.name == name).unwrap_or(0)
        });
        let column = |(place, column): (usize, &&'static Column)| table::Column {
            heading: column.name,
            align: match column.align {
                _ if Some(place) == tree_place => Align::Left,
                align => align,
            },
            is_cut: column.is_cut,
        };
        let columns: Vec<_> = self.columns.iter().enumerate().map(column).collect();
        let mut lines = Vec::new();
        for placed in &self.rows {
            self.add_lines(placed, tree_place, look, &mut lines);
        }
        let faint = if look.styles {
            anstyle::Style::new().dimmed()
        } else {
            anstyle::Style::new()
        };
        table::write(&columns, self.headings, lines, look.width, faint, out)
    }

    /// The lines of one row: as many as its longest cell has.
    fn add_lines(
        &self,
        placed: &Placed<'_>,
        tree_place: Option<usize>,
        look: Look,
        lines: &mut Vec<table::Line>,
    ) {
        let cells: Vec<Vec<String>> = self
            .columns
            .iter()
            .map(|column| match column.value(&placed.row) {
                Value::Lines(texts) if !look.join => {
                    texts.iter().map(|text| for_table(text)).collect()
                }
                value => vec![for_table(&value.bytes())],
            })
            .collect();
        let is_of_host = placed
            .row
            .facts()
            .is_some_and(|facts| facts.is_host == Some(true));
        let height = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
        for nth in 0..height {
            let cell = |(place, cell): (usize, &Vec<String>)| {
                let text = cell.get(nth).map_or("", String::as_str);
                if Some(place) == tree_place {
                    drawing(placed, nth == 0, text.is_empty(), look.unicode) + text
                } else {
                    text.to_owned()
                }
            };
            lines.push(table::Line {
                cells: cells.iter().enumerate().map(cell).collect(),
                is_faint: placed.is_context || (self.dims_host && is_of_host),
            });
        }
    }
}

/// What stands before a row, or before its further lines, which may be free of
/// text.
fn drawing(placed: &Placed<'_>, is_first: bool, is_free: bool, unicode: bool) -> String {
    let glyph = |branch: &Branch| match (branch, unicode) {
        (Branch::Blank, _) => "  ",
        (Branch::Corner, _) if !is_first => "  ",
        (Branch::Line, true) => "\u{2502} ",
        (Branch::Line, false) => "| ",
        (Branch::Tee, true) if !is_first => "\u{2502} ",
        (Branch::Tee, false) if !is_first => "| ",
        (Branch::Tee, true) => "\u{251c}\u{2500}",
        (Branch::Tee, false) => "|-",
        (Branch::Corner, true) => "\u{2514}\u{2500}",
        (Branch::Corner, false) => "`-",
    };
    // To its children a line leads by its further lines.
    let leads_down = placed.has_children && !is_first && is_free;
    let down = leads_down.then_some(&Branch::Line);
    placed.branches.iter().chain(down).map(glyph).collect()
}
