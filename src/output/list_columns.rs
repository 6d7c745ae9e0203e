use std::io::{self, Write};

use serde::Serialize;

use crate::output::{Format, Rows, json};
use crate::query::Column;

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    key: &'static str,
    r#type: &'static str,
    description: &'static str,
}

#[derive(Serialize)]
struct Document {
    version: u32,
    columns: Vec<Entry>,
}

/// What is listed of each column.
const NAMES: [&str; 3] = ["NAME", "TYPE", "DESCRIPTION"];

/// Writes the table of columns itself: name, type in JSON, description.
///
/// # Errors
///
/// Those of the writer.
pub fn list_columns(format: Format, headings: bool, out: &mut dyn Write) -> io::Result<()> {
    let columns = Column::ALL.iter();
    let cells = |column: &Column| {
        [column.name, column.json.name(), column.help]
            .map(|cell| cell.as_bytes().to_vec())
            .to_vec()
    };
    match format {
        Format::Table(_) | Format::Raw => {
            // A description is not cut.
            let rows = Rows {
                headings: &NAMES,
                right: &[],
                cut: None,
                style: |_| None,
                rows: columns.map(cells).collect(),
            };
            rows.write(headings, format, out)
        }
        Format::Json => {
            let entry = |column: &'static Column| Entry {
                name: column.name,
                key: column.key(),
                r#type: column.json.name(),
                description: column.help,
            };
            json::write(
                &Document {
                    version: json::VERSION,
                    columns: columns.map(entry).collect(),
                },
                out,
            )
        }
    }
}
