use std::io::{self, Write};

use crate::output::escape::for_table;
use crate::output::{Format, raw, table};
use crate::query::Align;

/// Writes rows of texts under fixed headings, as a table or raw: those named in
/// `right` as numbers, and one that may be cut on a terminal.
pub(crate) fn write_rows(
    headings: &[&str],
    right: &[&str],
    cut: Option<&str>,
    shows_headings: bool,
    rows: Vec<Vec<Vec<u8>>>,
    format: Format,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Format::Table(look) = format else {
        return raw::write(shows_headings.then_some(headings), rows.into_iter(), out);
    };
    let columns: Vec<_> = headings
        .iter()
        .map(|heading| table::Column {
            heading,
            align: if right.contains(heading) {
                Align::Right(5)
            } else {
                Align::Left
            },
            is_cut: cut == Some(*heading),
        })
        .collect();
    let line = |row: &Vec<Vec<u8>>| table::Line {
        cells: row.iter().map(|cell| for_table(cell)).collect(),
        is_faint: false,
    };
    let lines = rows.iter().map(line).collect();
    let plain = anstyle::Style::new();
    table::write(&columns, shows_headings, lines, look.width, plain, out)
}
