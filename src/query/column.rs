use std::borrow::Cow;
use std::str::FromStr;

use crate::model::Affiliation;
use crate::query::nearest::nearest;
use crate::query::{Row, Value};
use crate::scan::{Need, Needs};

/// How a table aligns the cells of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// To the left, like text.
    Left,
    /// To the right, like numbers, in at least this many characters.
    Right(usize),
}

/// What the cells of a column name, if that decides how they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// Anything else.
    Other,
    /// A type of namespaces.
    Kind,
    /// Containers.
    Container,
    /// Files, by paths that are valid for the reader.
    Path,
}

/// The JSON type of a column. Everything except `Strings` may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A number.
    Number,
    /// A string.
    String,
    /// A number, or a word instead of one.
    NumberOrString,
    /// An array of strings.
    Strings,
    /// An array of strings, unless it is unknown.
    MaybeStrings,
    /// An array of objects.
    Objects,
    /// An object.
    Object,
    /// An array of numbers.
    Numbers,
}

impl Type {
    /// Returns its name in `--list-columns`.
    pub const fn name(self) -> &'static str {
        match self {
            Type::Number => "number",
            Type::String => "string",
            Type::NumberOrString => "number or string",
            Type::Strings | Type::MaybeStrings => "array",
            Type::Objects => "array of objects",
            Type::Object => "object",
            Type::Numbers => "array of numbers",
        }
    }
}

/// The longest name of a column.
const LONGEST: usize = 12;

/// One column.
#[derive(Debug)]
pub struct Column {
    /// Its name, which is also its heading.
    pub name: &'static str,
    /// The name in lower case. Kept as bytes so that it can be computed at
    /// compile time.
    key: [u8; LONGEST],
    /// One line of help.
    pub help: &'static str,
    /// Its type in JSON.
    pub json: Type,
    /// How a table aligns it.
    pub align: Align,
    /// Whether a table may truncate it to fit a terminal.
    pub is_cut: bool,
    /// What its cells name.
    pub naming: Naming,
    /// What a scan has to collect for it.
    needs: &'static [Need],
    get: Get,
}

/// How a column gets the value of a row.
#[derive(Debug)]
enum Get {
    Number(fn(&Row<'_>) -> Option<u64>),
    Text(for<'a> fn(&Row<'a>) -> Option<Cow<'a, [u8]>>),
    OfAffiliations(fn(&Affiliation) -> Option<String>),
    Value(for<'a> fn(&Row<'a>) -> Option<Value<'a>>),
}

impl Column {
    /// Makes a column of numbers.
    pub(super) const fn number(
        name: &'static str,
        help: &'static str,
        get: fn(&Row<'_>) -> Option<u64>,
    ) -> Self {
        Column::new(name, Type::Number, help, Get::Number(get))
    }

    /// Makes a column of text.
    pub(super) const fn text(
        name: &'static str,
        help: &'static str,
        get: for<'a> fn(&Row<'a>) -> Option<Cow<'a, [u8]>>,
    ) -> Self {
        Column::new(name, Type::String, help, Get::Text(get))
    }

    /// Makes a column of something that the cgroups of processes show.
    pub(super) const fn of_affiliations(
        name: &'static str,
        help: &'static str,
        get: fn(&Affiliation) -> Option<String>,
    ) -> Self {
        Column::new(name, Type::Strings, help, Get::OfAffiliations(get))
            .needing(&[Need::Members, Need::Affiliation])
    }

    /// Makes a column of any other values.
    pub(super) const fn of(
        name: &'static str,
        json: Type,
        help: &'static str,
        get: for<'a> fn(&Row<'a>) -> Option<Value<'a>>,
    ) -> Self {
        Column::new(name, json, help, Get::Value(get))
    }

    const fn new(name: &'static str, json: Type, help: &'static str, get: Get) -> Self {
        let mut key = [0; LONGEST];
        // A longer name fails to compile.
        let (start, _) = key.split_at_mut(name.len());
        start.copy_from_slice(name.as_bytes());
        start.make_ascii_lowercase();
        Column {
            name,
            key,
            help,
            json,
            align: match json {
                Type::Number | Type::NumberOrString | Type::Numbers => Align::Right(0),
                Type::String
                | Type::Strings
                | Type::MaybeStrings
                | Type::Objects
                | Type::Object => Align::Left,
            },
            is_cut: false,
            naming: Naming::Other,
            needs: &[],
            get,
        }
    }

    /// Aligns it to the right in at least this many characters.
    pub(super) const fn width(mut self, width: usize) -> Self {
        self.align = Align::Right(width);
        self
    }

    /// Lets a table truncate it.
    pub(super) const fn cut(mut self) -> Self {
        self.is_cut = true;
        self
    }

    /// Sets what its cells name.
    pub(super) const fn naming(mut self, naming: Naming) -> Self {
        self.naming = naming;
        self
    }

    /// Sets what a scan has to collect for it.
    pub(super) const fn needing(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    /// Iterates over the columns that JSON has by default: those that cost
    /// little more than the scan itself.
    pub fn usual() -> impl Iterator<Item = &'static Column> {
        Column::ALL
            .iter()
            .filter(|column| !column.needs.iter().any(|need| need.is_dear()))
    }

    /// Returns its key in JSON, the name in lower case.
    pub fn key(&self) -> &str {
        let key = self.key.get(..self.name.len()).unwrap_or_default();
        std::str::from_utf8(key).unwrap_or_default()
    }

    /// Returns what a scan has to collect for it.
    pub fn needs(&self) -> Needs {
        self.needs.iter().copied().collect()
    }

    /// Returns the value of a row.
    pub fn value<'a>(&self, row: &Row<'a>) -> Value<'a> {
        match self.get {
            Get::Number(get) => Value::from(get(row)),
            Get::Text(get) => Value::from(get(row)),
            Get::OfAffiliations(get) => {
                let mut texts: Vec<String> = row.affiliations().filter_map(get).collect();
                texts.sort_unstable();
                texts.dedup();
                Value::Several(texts)
            }
            Get::Value(get) => Value::from(get(row)),
        }
    }
}

/// Names are unique.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Column {}

/// No column has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown column '{name}'{}", nearest_or_list(*.nearest))]
pub struct UnknownColumn {
    name: String,
    nearest: Option<&'static str>,
}

fn nearest_or_list(nearest: Option<&'static str>) -> String {
    nearest.map_or_else(
        || " (--list-columns shows them all)".to_owned(),
        |name| format!(", nearest is {name}"),
    )
}

impl FromStr for &'static Column {
    type Err = UnknownColumn;

    fn from_str(name: &str) -> Result<Self, UnknownColumn> {
        Column::ALL
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownColumn {
                name: name.to_owned(),
                nearest: nearest(name, Column::ALL.iter().map(|column| column.name)),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_the_name_in_lower_case_and_no_name_comes_twice() {
        for (place, column) in Column::ALL.iter().enumerate() {
            assert_eq!(column.key(), column.name.to_lowercase());
            let first = Column::ALL
                .iter()
                .position(|other| other.name == column.name);
            assert_eq!(first, Some(place));
        }
    }
}
