use std::io::{self, Write};

use serde::Serialize;

use crate::model::Snapshot;
use crate::output::heading::Heading;
use crate::output::table::{Table, TableRow};
use crate::output::tree::Place;
use crate::output::{Format, Role, json};
use crate::query::{Align, Column, Placed, Row};

/// When and on which boot a snapshot was taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Taken {
    /// `/proc/sys/kernel/random/boot_id`, random(4): the kernel chooses another
    /// at every boot.
    pub boot_id: Option<String>,
    /// Seconds since 1970-01-01 00:00 UTC, to the millisecond; `None` for a
    /// captured tree, which has no record of it.
    pub time: Option<f64>,
}

/// Rows, and the columns to show of them.
#[derive(Debug)]
pub struct Listing<'a> {
    /// The snapshot of the rows; JSON says whether it is complete.
    pub snapshot: &'a Snapshot,
    /// When and where it was taken, for JSON.
    pub taken: Taken,
    /// In a list of processes, the namespace they are in and the columns that
    /// JSON has of it.
    pub namespace: Option<(Row<'a>, &'a [&'static Column])>,
    /// The rows.
    pub rows: Vec<Placed<'a>>,
    /// The name of the column in which a tree is drawn; if it is not shown, the
    /// first column is used.
    pub tree_column: Option<&'static str>,
    /// The columns.
    pub columns: &'a [&'static Column],
    /// Whether the table begins with the names of the columns.
    pub headings: bool,
    /// Whether namespaces of the host have a look of their own.
    pub dims_host: bool,
}

impl Listing<'_> {
    /// Writes the listing.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Table(look) => self.table().write(look, self.headings, out),
            Format::Raw => self.table().write_raw(self.headings, out),
            Format::Json(layout) => json::write_listing(self, layout, out),
        }
    }

    fn table(&self) -> Table<'_> {
        let columns = self.columns.iter();
        let tree = self.tree_column.map(|name| {
            let mut columns = columns.clone();
            columns.position(|column| column.name == name).unwrap_or(0)
        });
        let mut headings: Vec<_> = columns.map(|column| Heading::of(column)).collect();
        if let Some(heading) = tree.and_then(|tree| headings.get_mut(tree)) {
            heading.align = Align::Left;
        }
        Table {
            headings,
            tree,
            rows: self.rows.iter().map(|placed| self.row(placed)).collect(),
        }
    }

    fn row<'a>(&self, placed: &'a Placed<'_>) -> TableRow<'a> {
        let row = &placed.row;
        let is_host = row.facts().and_then(|facts| facts.is_host);
        TableRow {
            heading: placed.heading.as_deref(),
            cells: self
                .columns
                .iter()
                .map(|column| column.value(row))
                .collect(),
            role: match placed.is_context {
                true => Some(Role::Context),
                false => (self.dims_host && is_host == Some(true)).then_some(Role::Host),
            },
            place: Place {
                branches: &placed.branches,
                has_children: placed.has_children,
            },
        }
    }
}
