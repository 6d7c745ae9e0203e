use std::collections::HashMap;

use crate::query::{Placed, Row, columns, flat};
use crate::scan::{Need, Needs};

/// What rows that stand together have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// The containers of the processes, or being one of the host.
    Container,
    /// The type of the namespace.
    Type,
    /// The user.
    User,
}

impl Grouping {
    /// Returns what a scan has to collect for it.
    pub fn needs(self) -> Needs {
        match self {
            Grouping::Container => [Need::Members, Need::Affiliation, Need::Host].into(),
            Grouping::Type => Needs::EMPTY,
            Grouping::User => [Need::Members, Need::User].into(),
        }
    }

    /// Returns the name of the group of a row, any bytes. Every row is in one
    /// group: one of several containers is in that of all of them together.
    fn group(self, row: &Row<'_>) -> Vec<u8> {
        match self {
            Grouping::Container => container(row),
            Grouping::Type => row.kind().name().into(),
            Grouping::User => match columns::user(row) {
                Some(user) => user.bytes().into_owned(),
                None => "unknown user".into(),
            },
        }
    }
}

/// Returns the containers of a row, unless all processes of the host share it.
fn container(row: &Row<'_>) -> Vec<u8> {
    if row.facts().and_then(|facts| facts.is_host) == Some(true) {
        return "host".into();
    }
    match &row.containers()[..] {
        [] if row.inferred().is_some() => "unknown container".into(),
        [] => "no container".into(),
        some => some.join(", ").into(),
    }
}

/// Rows in groups, which are in the order of their first rows.
pub fn grouped(rows: Vec<Row<'_>>, by: Grouping) -> Vec<Placed<'_>> {
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut groups: Vec<(Vec<u8>, Vec<Row<'_>>)> = Vec::new();
    for row in rows {
        let name = by.group(&row);
        let place = *places.entry(name.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((name, vec![row])),
        }
    }
    let placed = groups.into_iter().flat_map(|(name, rows)| {
        let heading = [&name[..], format!(" ({})", rows.len()).as_bytes()].concat();
        let mut placed = flat(rows);
        if let Some(first) = placed.first_mut() {
            first.heading = Some(heading);
        }
        placed
    });
    placed.collect()
}
