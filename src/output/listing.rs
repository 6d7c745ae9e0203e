use std::io::{self, Write};

use crate::model::Snapshot;
use crate::output::{json, raw, table};
use crate::query::{Column, Row};

/// How a listing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns.
    Table {
        /// Cut the last column so that a row fits into so many characters.
        width: Option<usize>,
    },
    /// Words with one space between.
    Raw,
    /// One JSON object.
    Json,
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
    pub rows: Vec<Row<'a>>,
    /// What is shown of each.
    pub columns: &'a [&'static Column],
    /// Whether a table begins with the names of its columns.
    pub headings: bool,
}

impl Listing<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Table { width } => {
                let headings: Vec<_> = self.columns.iter().map(|column| column.name).collect();
                let aligns: Vec<_> = self.columns.iter().map(|column| column.align).collect();
                let cells = self.rows.iter().map(|row| self.cells(row));
                table::write(
                    &aligns,
                    self.headings.then_some(&*headings),
                    cells,
                    width,
                    out,
                )
            }
            Format::Raw => {
                let headings: Vec<_> = self.columns.iter().map(|column| column.name).collect();
                let cells = self.rows.iter().map(|row| self.cells(row));
                raw::write(self.headings.then_some(&*headings), cells, out)
            }
            Format::Json => json::write_listing(self, out),
        }
    }

    fn cells(&self, row: &Row<'_>) -> Vec<Vec<u8>> {
        self.columns
            .iter()
            .map(|column| column.value(row).bytes().into_owned())
            .collect()
    }
}
