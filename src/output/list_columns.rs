use std::io::{self, Write};

use serde::Serialize;

use crate::output::heading::Heading;
use crate::output::table::Table;
use crate::output::{Format, json};
use crate::query::Column;

#[derive(Serialize)]
struct Document {
    version: u32,
    columns: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    key: &'static str,
    r#type: &'static str,
    description: &'static str,
}

impl Document {
    fn new() -> Self {
        let columns = Column::ALL.iter().map(|column| Entry {
            name: column.name,
            key: column.key(),
            r#type: column.json.name(),
            description: column.help,
        });
        Document {
            version: json::VERSION,
            columns: columns.collect(),
        }
    }
}

fn table() -> Table<'static> {
    let rows = Column::ALL.iter().map(|column| {
        [column.name, column.json.name(), column.help]
            .map(Into::into)
            .into()
    });
    Table::new(["NAME", "TYPE", "DESCRIPTION"].map(Heading::text), rows)
}

/// Writes the name, JSON type and help of every column.
///
/// # Errors
///
/// Those of the writer.
pub fn list_columns(format: Format, headings: bool, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Table(look) => table().write(look, headings, out),
        Format::Raw => table().write_raw(headings, out),
        Format::Json(layout) => json::write(&Document::new(), layout, out),
    }
}
