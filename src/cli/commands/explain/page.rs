//! Pages of docs/, as text for a terminal.

/// A page.
#[derive(Clone, Copy)]
pub(super) struct Page(pub(super) &'static str);

impl Page {
    /// Returns the text of a section of the second level.
    pub(super) fn section(self, heading: &str) -> Option<&'static str> {
        let mut sections = self.0.split("\n## ").skip(1);
        sections.find_map(|section| {
            let (first, text) = section.split_once('\n')?;
            (first == heading).then_some(text.trim())
        })
    }

    /// Returns the cells of the table whose first column has this heading: those
    /// of the headings first.
    pub(super) fn table(self, heading: &str) -> Vec<Vec<String>> {
        let lines = self.0.lines();
        let lines = lines.skip_while(|line| cells(line).first().is_none_or(|cell| cell != heading));
        let rows = lines.take_while(|line| line.starts_with('|'));
        let is_rule = |line: &&str| line.starts_with("| -");
        rows.filter(|line| !is_rule(line)).map(cells).collect()
    }
}

/// Returns the cells of a row, as text; none if it is not one.
fn cells(line: &str) -> Vec<String> {
    let inner = line
        .strip_prefix("| ")
        .and_then(|rest| rest.strip_suffix(" |"));
    let cells = inner.map(|inner| inner.split(" | "));
    cells.into_iter().flatten().map(plain).collect()
}

/// Returns text without marks: links become their text, code and emphasis
/// themselves.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (place, part) in text.split('`').enumerate() {
        if place % 2 == 1 {
            // Code, with brackets and asterisks of its own.
            shown.push_str(part);
            continue;
        }
        let mut links = part.split("](");
        let first = links.next().unwrap_or_default();
        let behind = links.map(|link| link.split_once(')').map_or("", |(_, rest)| rest));
        for prose in [first].into_iter().chain(behind) {
            shown.extend(prose.chars().filter(|letter| !matches!(letter, '[' | '*')));
        }
    }
    shown
}

/// Returns the paragraphs and list items of a section, each in lines of up to
/// `width` characters.
pub(super) fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split("\n\n") {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        for item in paragraph.split("\n- ") {
            let is_item = paragraph.starts_with("- ");
            let item = item.strip_prefix("- ").unwrap_or(item);
            let (first, next) = if is_item { ("- ", "  ") } else { ("", "") };
            wrap(&plain(item), first, next, width, &mut lines);
        }
    }
    lines
}

/// Returns text without marks as a list item.
pub(super) fn item(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    wrap(text, "- ", "  ", width, &mut lines);
    lines
}

/// Breaks text between words.
fn wrap(text: &str, first: &str, next: &str, width: usize, lines: &mut Vec<String>) {
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let needed = line.chars().count() + 1 + word.chars().count();
        if !is_empty && needed > width {
            lines.push(std::mem::replace(&mut line, next.to_owned()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Page = Page(
        "# Title\n\n| kind | text |\n| --- | ---: |\n| `a` | [b](c.md#d) `[*|` |\n\n| no |\n\n\
         ## a\n\n*Hides.* See [`x[1]`](y.md) and\n[two\nlines](z).\n\n- one two\n  three\n- four\n\n\
         ## ab\n\nlast\n",
    );

    #[test]
    fn a_section_is_shown_without_marks_and_broken_between_words() {
        assert_eq!(
            lines(PAGE.section("a").unwrap(), 12),
            [
                "Hides. See",
                "x[1] and two",
                "lines.",
                "",
                "- one two",
                "  three",
                "- four"
            ]
        );
        assert_eq!(lines(PAGE.section("ab").unwrap(), 1), ["last"]);
        for missing in ["", "b", "Title", "A"] {
            assert_eq!(PAGE.section(missing), None, "{missing:?}");
        }
    }

    #[test]
    fn a_table_is_found_by_the_heading_of_its_first_column() {
        assert_eq!(PAGE.table("kind"), [["kind", "text"], ["a", "b [*|"]]);
        assert_eq!(PAGE.table("text"), [[""; 0]; 0]);
    }
}
