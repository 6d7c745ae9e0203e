//! Rows of cells with headings, whatever they are about.

use std::io::{self, Write};

use crate::output::align::{self, Cell, Line};
use crate::output::heading::Heading;
use crate::output::tree::Place;
use crate::output::{Look, Role, hyperlink, vertical};
use crate::query::Value;
use crate::text::{for_raw, for_table};

/// A table of a listing or of a subcommand.
pub(crate) struct Table<'a> {
    pub(super) headings: Vec<Heading<'a>>,
    /// The column in which a tree is drawn.
    pub(super) tree: Option<usize>,
    pub(super) rows: Vec<TableRow<'a>>,
}

/// One row.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableRow<'a> {
    /// The heading of the group that begins with it. Any bytes.
    pub(super) heading: Option<&'a [u8]>,
    pub(super) cells: Vec<Value<'a>>,
    /// What the row is; raw output leaves out those that only complete a tree.
    pub(super) role: Option<Role>,
    pub(super) place: Place<'a>,
}

impl TableRow<'_> {
    fn is_context(&self) -> bool {
        self.role == Some(Role::Context)
    }

    /// Draws the tree before the first or a further line of its cell in the tree.
    pub(super) fn draw(&self, cell: &mut Cell, is_first: bool, look: Look) {
        let is_empty = cell.text.is_empty();
        if self.is_context() && look.signs && !is_empty {
            cell.text = format!("({})", cell.text);
        }
        let branches = self.place.drawing(is_first, is_empty, look.unicode);
        cell.text.insert_str(0, &branches);
        cell.drawn = branches.len();
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
        for row in self.rows.iter().filter(|row| !row.is_context()) {
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
            let names = self.names().into_iter().map(str::to_owned);
            lines.push(Line::new(
                names.map(Cell::from).collect(),
                Some(Role::Heading),
            ));
        }
        for (nth, row) in self.rows.iter().enumerate() {
            if let Some(heading) = row.heading {
                // Between groups only.
                lines.extend((nth > 0).then(|| Line::title(String::new())));
                lines.push(Line::title(for_table(heading)));
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
        let columns = row.cells.iter().zip(&self.headings);
        let cells = columns.map(|(value, heading)| cells(value, heading, look));
        let cells: Vec<Vec<Cell>> = cells.collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let mut cells: Vec<_> = cells.into_iter().map(Vec::into_iter).collect();
        for nth in 0..height {
            let mut line: Vec<Cell> = cells
                .iter_mut()
                .map(|texts| texts.next().unwrap_or_default())
                .collect();
            if let Some(cell) = self.tree.and_then(|tree| line.get_mut(tree)) {
                row.draw(cell, nth == 0, look);
            }
            lines.push(Line::new(line, row.role));
        }
    }
}

/// Returns the lines of a cell.
pub(super) fn cells(value: &Value<'_>, heading: &Heading<'_>, look: Look) -> Vec<Cell> {
    match value {
        Value::Lines(texts) if !look.join => {
            let cells = texts.iter().map(|text| cell(text, heading.is_path, look));
            cells.collect()
        }
        Value::Text(text) => vec![cell(text, heading.is_path, look)],
        value => vec![for_table(&value.bytes()).into()],
    }
}

/// Makes the cell of a text, and a link of a path.
fn cell(text: &[u8], is_path: fn(&[u8]) -> bool, look: Look) -> Cell {
    Cell {
        link: match look.links && is_path(text) {
            true => hyperlink::begin(text),
            false => None,
        },
        ..for_table(text).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Palette;
    use crate::query::Branch;

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
    fn each_word_of_any_column_has_its_own_look_or_none_and_escapes_have_no_width() {
        let headings = [
            Heading::text("A").role(Role::of_kind),
            Heading::number("B").role(|word| (word == "90").then_some(Role::Alarm)),
            Heading::text("C").role(Role::of_kind).cut(),
        ];
        let rows = [["x,net", "90", "pid,utsuts,net "], ["", "9", " "]];
        let mut palette = Palette::default();
        palette
            .change("reset:net=36:pid=35:alarm=31:heading=1")
            .unwrap();
        let look = Look {
            palette: Some(Box::leak(Box::new(palette))),
            ..on_terminal(19)
        };
        assert_eq!(
            lines(headings, &rows, look),
            [
                "\x1b[1mA         B C\x1b[0m",
                "x,\x1b[36mnet\x1b[0m    \x1b[31m90\x1b[0m \x1b[35mpid\x1b[0m,uts",
                "          9",
            ]
        );
        assert_eq!(
            lines(headings, &rows, on_terminal(19)),
            ["A         B C", "x,net    90 pid,uts", "          9"]
        );
    }

    #[test]
    fn a_row_has_one_look_but_for_words_with_their_own() {
        let headings = TEXT.map(|heading| heading.role(Role::of_kind));
        let cells = ["1", "net", "3 "].map(Value::from).to_vec();
        let table = Table {
            headings: headings.to_vec(),
            tree: Some(0),
            rows: vec![TableRow {
                heading: None,
                cells,
                role: Some(Role::Context),
                place: Place {
                    branches: &[Branch::Corner],
                    has_children: false,
                },
            }],
        };
        let mut palette = Palette::default();
        palette.change("reset:net=36:context=2:tree=4").unwrap();
        let palette: &'static Palette = Box::leak(Box::new(palette));
        let shown = |palette, signs| {
            let look = Look {
                palette,
                signs,
                ..Look::default()
            };
            let mut written = Vec::new();
            table.write(look, false, &mut written).unwrap();
            String::from_utf8(written).unwrap()
        };
        assert_eq!(
            shown(Some(palette), true),
            "\x1b[4m`-\x1b[0m\x1b[2m(1) \x1b[0m\x1b[36mnet\x1b[0m\x1b[2m 3\x1b[0m\n"
        );
        assert_eq!(shown(None, true), "`-(1) net 3\n");
        assert_eq!(shown(None, false), "`-1 net 3\n");
    }

    #[test]
    fn only_a_path_in_a_column_of_paths_is_a_link_and_nothing_in_it_reaches_the_terminal() {
        let host = rustix::system::uname();
        let host = host.nodename().to_string_lossy().into_owned();
        let headings = [
            Heading::text("A").paths(|text| text != b"/no"),
            Heading::text("B"),
            Heading::text("C").paths(|_| true),
        ];
        let rows = [["/no", "/b", "/c\x1b\\\x07 d"], ["fd 4", "", "/e"]];
        let look = Look {
            links: true,
            ..on_terminal(80)
        };
        let link = |path: &str, text: &str| {
            format!("\x1b]8;;file://{host}{path}\x1b\\{text}\x1b]8;;\x1b\\")
        };
        let linked = link("/c%1B%5C%07%20d", r"/c\x1b\\x07 d");
        assert_eq!(
            lines(headings, &rows, look),
            [
                "A    B  C".to_owned(),
                format!("/no  /b {linked}"),
                format!("fd 4    {}", link("/e", "/e")),
            ]
        );
        let plain = lines(headings, &rows, on_terminal(80));
        assert_eq!(plain[2], "fd 4    /e");
    }
}
