use std::io::{self, Write};

use crate::output::listing::Format;
use crate::output::{raw, table};
use crate::query::Align;
use crate::text::for_table;

/// Rows of a subcommand, which has columns of its own.
pub(crate) struct Rows<'a> {
    /// The names of the columns.
    pub(crate) headings: &'a [&'a str],
    /// Which of them are aligned to the right.
    pub(crate) right: &'a [&'a str],
    /// Which of them may be cut.
    pub(crate) cut: Option<&'a str>,
    /// How words in the last column that are separated by commas look on a
    /// terminal.
    pub(crate) style: fn(&str) -> Option<anstyle::Style>,
    /// The cells; any bytes.
    pub(crate) rows: Vec<Vec<Vec<u8>>>,
}

impl Rows<'_> {
    /// Writes them as a table or raw.
    pub(crate) fn write(
        self,
        shows_headings: bool,
        format: Format,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let headings = self.headings;
        let Format::Table(look) = format else {
            let rows = self.rows.into_iter();
            return raw::write(shows_headings.then_some(headings), rows, out);
        };
        let columns: Vec<_> = headings
            .iter()
            .map(|heading| table::Column {
                heading,
                align: if self.right.contains(heading) {
                    Align::Right(5)
                } else {
                    Align::Left
                },
                is_cut: self.cut == Some(*heading),
            })
            .collect();
        let line = |row: &Vec<Vec<u8>>| {
            let mut cells: Vec<String> = row.iter().map(|cell| for_table(cell)).collect();
            if let (true, Some(last)) = (look.styles, cells.last_mut()) {
                *last = styled(last, self.style);
            }
            let is_faint = false;
            table::Line { cells, is_faint }
        };
        let lines = self.rows.iter().map(line).collect();
        let plain = anstyle::Style::new();
        table::write(&columns, shows_headings, lines, look.width, plain, out)
    }
}

fn styled(words: &str, style: impl Fn(&str) -> Option<anstyle::Style>) -> String {
    let words = words.split(',').map(|word| match style(word) {
        Some(style) => format!("{style}{word}{style:#}"),
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_its_own_style_or_none() {
        let red = anstyle::AnsiColor::Red.on_default();
        let style = |word: &str| (word == "net").then_some(red);
        assert_eq!(
            styled("pid,net,uts", style),
            "pid,\u{1b}[31mnet\u{1b}[0m,uts"
        );
        assert_eq!(styled("", style), "");
    }
}
