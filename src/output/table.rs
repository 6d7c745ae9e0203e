//! Rows of cells with headings, whatever they are about.

use std::io::{self, Write};

use crate::output::Look;
use crate::output::align::{self, Line};
use crate::output::tree::Place;
use crate::output::vertical;
use crate::query::{Align, Column, Value};
use crate::text::{for_raw, for_table};

/// A table of a listing or of a subcommand.
pub(crate) struct Table<'a> {
    pub(super) headings: Vec<Heading<'a>>,
    /// The column in which a tree is drawn.
    pub(super) tree: Option<usize>,
    pub(super) rows: Vec<TableRow<'a>>,
}

/// The heading of a column, and how its cells are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heading<'a> {
    pub(super) name: &'a str,
    pub(super) align: Align,
    /// What ends a cell that is truncated so that lines fit; `None` if none may
    /// be.
    pub(super) cut: Option<&'static str>,
    /// The style of each comma-separated word; in the last column only.
    pub(super) style: fn(&str) -> Option<anstyle::Style>,
}

/// One row.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableRow<'a> {
    /// The heading of the group that begins with it. Any bytes.
    pub(super) heading: Option<&'a [u8]>,
    pub(super) cells: Vec<Value<'a>>,
    /// Whether it only completes a tree; raw output leaves it out.
    pub(super) is_context: bool,
    pub(super) is_faint: bool,
    pub(super) place: Place<'a>,
}

impl Heading<'static> {
    pub(super) const fn of(column: &Column) -> Self {
        Heading {
            align: column.align,
            cut: if column.is_cut { Some("") } else { None },
            ..Heading::text(column.name)
        }
    }
}

impl<'a> Heading<'a> {
    /// Makes the heading of a column of text.
    pub(crate) const fn text(name: &'a str) -> Self {
        Heading {
            name,
            align: Align::Left,
            cut: None,
            style: |_| None,
        }
    }

    /// Makes the heading of a column of numbers.
    pub(crate) const fn number(name: &'a str) -> Self {
        Heading {
            align: Align::Right(5),
            ..Heading::text(name)
        }
    }

    /// Lets cells be truncated so that lines fit.
    pub(crate) const fn cut(self) -> Self {
        self.cut_with("")
    }

    /// Lets cells be truncated, with a mark at the end of those that are.
    pub(crate) const fn cut_with(mut self, mark: &'static str) -> Self {
        self.cut = Some(mark);
        self
    }

    /// Sets the style of each comma-separated word of the last column.
    pub(crate) const fn styled(mut self, style: fn(&str) -> Option<anstyle::Style>) -> Self {
        self.style = style;
        self
    }
}

impl<'a> Table<'a> {
    /// Makes a table of rows of cells.
    pub(crate) fn new(
        headings: impl Into<Vec<Heading<'a>>>,
        rows: impl IntoIterator<Item = Vec<Value<'a>>>,
    ) -> Self {
        let rows = rows.into_iter().map(|cells| TableRow {
            cells,
            ..TableRow::default()
        });
        Table {
            headings: headings.into(),
            tree: None,
            rows: rows.collect(),
        }
    }

    /// Leaves out those of some columns that are empty in every row.
    pub(crate) fn without_empty(mut self, names: &[&str]) -> Self {
        for name in names {
            let place = self.headings.iter().position(|one| one.name == *name);
            let Some(place) = place else { continue };
            let mut cells = self.rows.iter().filter_map(|row| row.cells.get(place));
            if cells.all(|cell| cell.bytes().is_empty()) {
                self.headings.remove(place);
                for row in &mut self.rows {
                    row.cells.remove(place);
                }
            }
        }
        self
    }

    /// Writes words separated by single spaces, one row a line. An empty cell
    /// is an empty word, so that every row has the same number of spaces.
    pub(crate) fn write_raw(&self, has_headings: bool, out: &mut dyn Write) -> io::Result<()> {
        if has_headings {
            writeln!(out, "{}", self.names().join(" "))?;
        }
        for row in self.rows.iter().filter(|row| !row.is_context) {
            let words: Vec<_> = row
                .cells
                .iter()
                .map(|cell| for_raw(&cell.bytes()))
                .collect();
            writeln!(out, "{}", words.join(" "))?;
        }
        Ok(())
    }

    /// Writes aligned columns.
    pub(crate) fn write(
        &self,
        look: Look,
        has_headings: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if look.vertical {
            return vertical::write(self, look, out);
        }
        let mut lines = Vec::with_capacity(self.rows.len() + 1);
        if has_headings {
            let names = self.names().into_iter();
            lines.push(Line::new(names.map(str::to_owned).collect(), false));
        }
        for (nth, row) in self.rows.iter().enumerate() {
            if let Some(heading) = row.heading {
                // Between groups only.
                lines.extend((nth > 0).then(|| Line::heading(String::new())));
                lines.push(Line::heading(for_table(heading)));
            }
            self.add_lines(row, look, &mut lines);
        }
        align::write(&self.headings, lines, look, out)
    }

    fn names(&self) -> Vec<&str> {
        self.headings.iter().map(|heading| heading.name).collect()
    }

    /// Adds the lines of one row: as many as its tallest cell has.
    fn add_lines(&self, row: &TableRow<'_>, look: Look, lines: &mut Vec<Line>) {
        let cells = row.cells.iter().map(|value| texts(value, look));
        let cells: Vec<Vec<String>> = cells.collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let mut cells: Vec<_> = cells.into_iter().map(Vec::into_iter).collect();
        for nth in 0..height {
            let mut line: Vec<String> = cells
                .iter_mut()
                .map(|texts| texts.next().unwrap_or_default())
                .collect();
            if let Some(cell) = self.tree.and_then(|tree| line.get_mut(tree)) {
                let branches = row.place.drawing(nth == 0, cell.is_empty(), look.unicode);
                cell.insert_str(0, &branches);
            }
            lines.push(Line::new(line, row.is_faint && look.styles));
        }
    }
}

/// Returns the lines of a cell.
pub(super) fn texts(value: &Value<'_>, look: Look) -> Vec<String> {
    match value {
        Value::Lines(texts) if !look.join => texts.iter().map(|text| for_table(text)).collect(),
        value => vec![for_table(&value.bytes())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: [Heading<'static>; 3] =
        [Heading::text("A"), Heading::text("B"), Heading::text("C")];

    /// What a table with these headings and rows looks like.
    fn lines(headings: [Heading<'_>; 3], rows: &[[&str; 3]], look: Look) -> Vec<String> {
        let rows = rows.iter().map(|row| row.map(Value::from).to_vec());
        let mut written = Vec::new();
        let table = Table::new(headings, rows);
        table.write(look, true, &mut written).unwrap();
        let text = String::from_utf8(written).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn on_terminal(width: usize) -> Look {
        Look {
            width: Some(width),
            ..Look::default()
        }
    }

    #[test]
    fn a_cell_that_is_too_wide_to_be_aligned_loses_no_row_wherever_it_stands() {
        let wide = "x".repeat(70_000);
        for look in [Look::default(), on_terminal(80)] {
            for (place, expected) in ["W 20 30", "10 W 30", "10  20  W"].iter().enumerate() {
                let mut row = ["10", "20", "30"];
                row[place] = &wide;
                let rows = [["1", "2", "3"], row, ["400", "500", "600"]];
                let shown = lines(TEXT, &rows, look).join("\n").replace(&wide, "W");
                assert_eq!(
                    shown,
                    format!("A   B   C\n1   2   3\n{expected}\n400 500 600")
                );
            }
        }
    }

    #[test]
    fn a_cell_may_be_of_any_width_around_the_widest_that_is_aligned() {
        for width in 65_530..65_540 {
            let wide = "9".repeat(width);
            for headings in [TEXT, ["A", "B", "C"].map(Heading::number)] {
                for place in 0..3 {
                    let mut row = ["10", "20", "30"];
                    row[place] = &wide;
                    let shown = lines(headings, &[row, ["1", "2", "3"]], Look::default());
                    let words: Vec<Vec<_>> = shown
                        .iter()
                        .map(|line| line.split_whitespace().collect())
                        .collect();
                    assert_eq!(words, [["A", "B", "C"], row, ["1", "2", "3"]], "{width}");
                }
            }
        }
    }

    #[test]
    fn a_wide_cell_is_cut_where_that_is_allowed_and_else_does_not_narrow_the_others() {
        let wide = "x".repeat(70_000);
        let headings = [
            Heading::text("A"),
            Heading::text("B").cut(),
            Heading::text("C"),
        ];
        let rows = [
            ["1", &wide, "3"],
            [&wide, "seven", "6"],
            ["1", "eight", "9"],
        ];
        let shown = lines(headings, &rows, on_terminal(10)).join("\n");
        assert_eq!(
            shown.replace(&wide, "W"),
            "A B      C\n1 xxxxxx 3\nW seven 6\n1 eight  9"
        );
    }

    #[test]
    fn each_word_of_the_last_column_has_its_own_style_or_none() {
        let red = |word: &str| (word == "net").then(|| anstyle::AnsiColor::Red.on_default());
        let headings = [
            Heading::text("A"),
            Heading::text("B"),
            Heading::text("C").styled(red),
        ];
        let rows = [["net", "1", "pid,net,uts"], ["", "", ""]];
        let look = Look {
            styles: true,
            ..Look::default()
        };
        let styled = lines(headings, &rows, look);
        assert_eq!(
            styled,
            ["A   B C", "net 1 pid,\u{1b}[31mnet\u{1b}[0m,uts", ""]
        );
        let plain = lines(headings, &rows, Look::default());
        assert_eq!(plain, ["A   B C", "net 1 pid,net,uts", ""]);
    }
}
