//! What can be explained. Types, gaps, holders and sources are looked up in
//! docs/, so that a fact stands in one place.

use crate::model::{Cause, Kind, Member, Source};
use crate::query::Column;

use super::page::{self, Page};

const TYPES: Page = Page(include_str!("../../../../docs/types.md"));
const GAPS: Page = Page(include_str!("../../../../docs/gaps.md"));
const HOLDERS: Page = Page(include_str!("../../../../docs/holders.md"));

/// The section about every type.
const ANY_TYPE: &str = "What keeps any of them alive";

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Category {
    Type,
    Column,
    Gap,
    Holder,
    Source,
}

/// A word that can be explained.
pub(super) struct Topic {
    pub(super) category: Category,
    pub(super) name: String,
}

impl Category {
    pub(super) const ALL: [Category; 5] = [
        Category::Type,
        Category::Column,
        Category::Gap,
        Category::Holder,
        Category::Source,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Category::Type => "type",
            Category::Column => "column",
            Category::Gap => "gap",
            Category::Holder => "holder",
            Category::Source => "source",
        }
    }
}

/// Returns the table of types: its headings, then a row for each.
pub(super) fn types() -> Vec<Vec<String>> {
    TYPES.table("type")
}

/// Returns everything that can be explained.
pub(super) fn all() -> Vec<Topic> {
    let holders = HOLDERS.table("kind").into_iter().skip(1);
    let holders = holders.filter_map(|row| row.into_iter().next());
    let named = |category, name: &str| Topic {
        category,
        name: name.to_owned(),
    };
    let mut all = Vec::new();
    all.extend(
        Kind::ALL
            .iter()
            .map(|kind| named(Category::Type, kind.name())),
    );
    all.extend(
        Column::ALL
            .iter()
            .map(|column| named(Category::Column, column.name)),
    );
    all.extend(
        Cause::ALL
            .iter()
            .map(|cause| named(Category::Gap, cause.name())),
    );
    all.extend(holders.map(|name| named(Category::Holder, &name)));
    all.extend(
        Source::ALL
            .iter()
            .map(|source| named(Category::Source, source.name())),
    );
    all
}

impl Topic {
    /// Returns whether a word means it. A type is known by its flag, too.
    pub(super) fn is(&self, word: &str) -> bool {
        self.name.eq_ignore_ascii_case(word)
            || self.category == Category::Type
                && row(types(), &self.name).is_some_and(|row| {
                    row.iter()
                        .any(|(heading, cell)| heading == "flag" && cell.eq_ignore_ascii_case(word))
                })
    }

    /// Returns its explanation, in lines of up to `width` characters.
    pub(super) fn text(&self, width: usize) -> String {
        let article = match self.category {
            Category::Type => "a type of namespaces",
            Category::Column => "a column",
            Category::Gap => "a cause of gaps",
            Category::Holder => "a kind of holder",
            Category::Source => "a source",
        };
        let name = &self.name;
        let mut lines = vec![format!("{name}, {article}"), String::new()];
        let rows = match self.category {
            Category::Type => row(types(), name),
            Category::Holder => row(HOLDERS.table("kind"), name),
            Category::Source => row(GAPS.table("source"), name),
            Category::Column => column(name),
            Category::Gap => None,
        };
        for (heading, cell) in rows.into_iter().flatten() {
            lines.extend(page::item(&format!("{heading}: {cell}"), width));
        }
        let sections: &[Option<&str>] = match self.category {
            Category::Type => &[TYPES.section(name), TYPES.section(ANY_TYPE)],
            Category::Gap => &[GAPS.section(name)],
            _ => &[],
        };
        for (place, section) in sections.iter().flatten().enumerate() {
            if place > 0 || lines.last().is_some_and(|line| !line.is_empty()) {
                lines.push(String::new());
            }
            lines.extend(page::lines(section, width));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// Returns the cells of a row beside their headings, without the name itself.
fn row(table: Vec<Vec<String>>, name: &str) -> Option<Vec<(String, String)>> {
    let mut rows = table.into_iter();
    let headings = rows.next()?;
    let found = rows.find(|row| row.first().is_some_and(|first| first == name))?;
    Some(headings.into_iter().zip(found).skip(1).collect())
}

fn column(name: &str) -> Option<Vec<(String, String)>> {
    let column: &Column = name.parse().ok()?;
    let mut rows = vec![
        ("shows".to_owned(), column.help.to_owned()),
        (
            "in JSON".to_owned(),
            format!("{}, {}", column.key(), column.json.name()),
        ),
    ];
    let code = format!("`{name}`");
    let is_about = |kind: &&Kind| {
        let section = TYPES.section(kind.name());
        section.is_some_and(|section| section.contains(&code))
    };
    let types: Vec<_> = Kind::ALL
        .iter()
        .filter(is_about)
        .map(|kind| kind.name())
        .collect();
    if !types.is_empty() {
        rows.push((
            "looks into".to_owned(),
            format!("{} namespaces", types.join(", ")),
        ));
    }
    rows.push((
        "to see it".to_owned(),
        format!("nsls -o +{name}, and in a filter: nsls -Q {name}"),
    ));
    Some(rows)
}
