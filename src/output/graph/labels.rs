//! What things are called on pictures, the same in all formats. Nothing here is escaped
//! for a format yet.

use std::collections::HashSet;

use crate::analysis::picture::{Block, Party, Picture, Tone};
use crate::model::{Namespace, NsId, Process};
use crate::query::{Value, program};
use crate::text::Text;

/// Names of what a picture shows.
pub(super) struct Labels<'a> {
    pub(super) picture: &'a Picture<'a>,
    /// How many of the last digits tell the numbers of namespaces apart.
    digits: usize,
}

impl<'a> Labels<'a> {
    pub(super) fn new(picture: &'a Picture<'a>) -> Self {
        let snapshot = picture.snapshot;
        let all = snapshot.namespaces.iter().chain(&snapshot.ancestors);
        let numbers: HashSet<u64> = all.map(|one| one.id.ino).collect();
        let tells = |digits: &u32| {
            let ends = numbers.iter().map(|ino| ino % 10_u64.pow(*digits));
            ends.collect::<HashSet<_>>().len() == numbers.len()
        };
        Labels {
            picture,
            digits: (4..=18).find(tells).unwrap_or(20) as usize,
        }
    }

    /// Returns the last digits of a number, as many as tell all of them apart.
    pub(super) fn short(&self, id: NsId) -> String {
        let number = id.ino.to_string();
        let start = number.len().saturating_sub(self.digits);
        number.get(start..).unwrap_or_default().to_owned()
    }

    /// Returns what a namespace is called where its type is known: `host`, `2532`, or
    /// with the letter of one that several share `A 2532`.
    pub(super) fn name(&self, id: NsId) -> String {
        match self.picture.tone(id) {
            Tone::Host => "host".to_owned(),
            Tone::Shared(place) => format!("{} {}", letters(place), self.short(id)),
            Tone::Own => self.short(id),
        }
    }

    /// Returns whose namespaces a row shows: `host`, `podman:web`, `cron.service`,
    /// `sleep (1187)`, `mount /run/netns/blue`.
    pub(super) fn party(&self, party: &Party<'_>) -> Text {
        match party {
            Party::Host => "host".into(),
            Party::Container(container) => container.to_string().into(),
            Party::Service(name) => (*name).into(),
            Party::Processes(process) => {
                let name = process
                    .command()
                    .map_or(&b"process"[..], |command| program(command));
                [name, format!(" ({})", process.pid).as_bytes()]
                    .concat()
                    .into()
            }
            Party::Held(holder) => {
                let process = holder
                    .pid()
                    .and_then(|pid| self.picture.snapshot.process(pid));
                let holders = std::slice::from_ref(*holder);
                Value::Holders(holders, process).bytes().into_owned().into()
            }
        }
    }

    /// Returns what a row of the matrix is called, or many that are alike.
    pub(super) fn row(&self, block: &Block<'_>) -> Text {
        let mut text = match &block.rows[..] {
            [first] => self.party(&first.party).into_bytes(),
            rows => format!("{} alike", rows.len()).into_bytes(),
        };
        let nprocs = block
            .rows
            .iter()
            .map(|row| row.nprocs)
            .sum::<Option<usize>>();
        if let Some(count) = nprocs {
            text.extend(format!(", {}", counted(count, "process", "processes")).bytes());
        }
        text.into()
    }

    /// Returns whether rows that are alike have different namespaces where the first has
    /// this one.
    pub(super) fn differs(&self, block: &Block<'_>, id: NsId) -> bool {
        block.rows.len() > 1 && self.picture.tone(id) == Tone::Own
    }

    /// Returns those that are in a namespace, the first few by name: `podman:web,
    /// podman:db and 7 more`.
    pub(super) fn parties(&self, id: NsId, most: usize) -> Text {
        let all = self.picture.parties(id);
        let names = all
            .iter()
            .take(most)
            .map(|party| self.party(party).into_bytes());
        let mut text = names.collect::<Vec<_>>().join(&b", "[..]);
        if all.len() > most {
            text.extend(format!(" and {} more", all.len() - most).bytes());
        }
        text.into()
    }

    /// Returns all there is to say of a namespace in a line.
    pub(super) fn sentence(&self, namespace: &Namespace) -> Text {
        let id = namespace.id;
        let tone = match self.picture.tone(id) {
            Tone::Host => ", the host's".to_owned(),
            Tone::Shared(place) => format!(", shared as {}", letters(place)),
            Tone::Own => String::new(),
        };
        let count = counted(namespace.nprocs, "process", "processes");
        let mut text = format!("{id}{tone}, {count}: ").into_bytes();
        text.extend(self.parties(id, 4).into_bytes());
        text.into()
    }
}

/// Returns a process as a line of a list: `1187 sleep 1000`.
pub(super) fn process(process: &Process) -> Text {
    let command = process.command().map_or(&b""[..], |command| command);
    [format!("{} ", process.pid).as_bytes(), command]
        .concat()
        .into()
}

/// Returns what a picture lacks, and a line that says so first; `None` if it lacks
/// nothing.
pub(super) fn lacks<'a>(picture: &'a Picture<'_>) -> Option<(&'static str, &'a [Text])> {
    let told = &picture.remarks[..];
    match picture.is_complete {
        true if told.is_empty() => None,
        true => Some(("Not everything is known:", told)),
        false => Some((
            "This picture is incomplete. Something that exists may be missing:",
            told,
        )),
    }
}

/// Returns the letters of the shared namespaces: A to Z, then AA and so on.
pub(super) fn letters(place: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = place + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// Returns a count with its noun.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Returns the words for the kinds of rows, in the plural.
pub(super) fn section(party: &Party<'_>) -> &'static str {
    match party {
        Party::Host => "Host",
        Party::Container(_) => "Containers",
        Party::Service(_) => "Services",
        Party::Processes(_) => "Other processes",
        Party::Held(_) => "Without processes",
    }
}

/// Returns a time in seconds since 1970 as `2026-11-27 21:02 UTC`.
pub(super) fn utc(time: f64) -> String {
    let minutes = (time / 60.0).floor() as i64;
    let (days, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
    // Years begin in March here, so that leap days are last.
    let days = days.saturating_add(719_468);
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year + later;
    let (hour, minute) = (minute / 60, minute % 60);
    format!("{year:04}-{month:02}-{date:02} {hour:02}:{minute:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_in_utc() {
        assert_eq!(utc(0.0), "1970-01-01 00:00 UTC");
        assert_eq!(utc(951_827_696.5), "2000-02-29 12:34 UTC");
        assert_eq!(utc(1_795_813_320.0), "2026-11-27 21:02 UTC");
        assert_eq!(utc(-60.0), "1969-12-31 23:59 UTC");
        // A document may claim anything.
        assert!(!utc(f64::NAN).is_empty() && !utc(f64::MAX).is_empty());
    }

    #[test]
    fn letters_count_on_after_z() {
        let names: Vec<_> = [0, 25, 26, 51, 52, 701, 702].map(letters).into();
        assert_eq!(names, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }
}
