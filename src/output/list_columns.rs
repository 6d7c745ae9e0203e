use std::io::{self, Write};

use serde::Serialize;

use crate::output::escape::for_table;
use crate::output::{Format, json, raw, table};
use crate::query::{Align, Column};

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
    let names = headings.then_some(&NAMES[..]);
    let cells = |column: &Column| {
        [column.name, column.json.name(), column.help]
            .map(|cell| cell.as_bytes().to_vec())
            .to_vec()
    };
    match format {
        Format::Table(_) => {
            let column = |heading| table::Column {
                heading,
                align: Align::Left,
                is_cut: false,
            };
            let line = |column: &Column| table::Line {
                cells: cells(column).iter().map(|cell| for_table(cell)).collect(),
                is_faint: false,
            };
            let plain = anstyle::Style::new();
            let lines = columns.map(line).collect();
            table::write(&NAMES.map(column), headings, lines, None, plain, out)
        }
        Format::Raw => raw::write(names, columns.map(cells), out),
        Format::Json => {
            let entry = |column: &Column| Entry {
                name: column.name,
                key: column.key,
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
