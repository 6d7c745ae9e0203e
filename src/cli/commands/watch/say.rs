//! Events as lines: for people, and as JSON.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::kernel::Calendar;
use crate::model::{Kind, Snapshot};
use crate::output::{Palette, Role, VERSION, gaps, write_line};
use crate::text::{Text, for_table};
use crate::watch::{Event, Happening, Means, Who};

/// Turns times of the records into those of a wall clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallClock {
    /// The time of the records.
    pub(super) now: u64,
    /// The wall clock at that time, since the epoch.
    pub(super) wall: Duration,
}

impl WallClock {
    pub(super) fn at(now: u64) -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        let wall = wall.unwrap_or_default();
        WallClock { now, wall }
    }

    fn time(&self, time: u64) -> Duration {
        let later = Duration::from_nanos(time.saturating_sub(self.now));
        let earlier = Duration::from_nanos(self.now.saturating_sub(time));
        (self.wall + later).saturating_sub(earlier)
    }

    /// `13:20:25.104`, here.
    fn local(&self, time: u64) -> String {
        let time = self.time(time);
        let at = Calendar::local(time.as_secs().cast_signed());
        let millis = time.subsec_millis();
        format!(
            "{:02}:{:02}:{:02}.{millis:03}",
            at.hour, at.minute, at.second
        )
    }

    /// `2026-11-27T13:20:25.104123Z`, RFC 3339.
    pub(super) fn utc(&self, time: u64) -> String {
        let time = self.time(time);
        let at = Calendar::utc(time.as_secs().cast_signed());
        let micros = time.subsec_micros();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{micros:06}Z",
            at.year, at.month, at.day, at.hour, at.minute, at.second
        )
    }
}

/// Returns the line of an event for people.
pub(super) fn line(event: &Event, clock: WallClock, palette: Option<&Palette>) -> String {
    let role = match event.what {
        Happening::Appeared => Role::Added,
        Happening::Entered => Role::Entered,
        Happening::Emptied => Role::Changed,
        Happening::Ended => Role::Removed,
    };
    let paint = |role, text: &str| match palette {
        Some(palette) => palette.paint(role, text),
        None => text.to_owned(),
    };
    let (time, about) = (clock.local(event.time), about(event));
    let (kind, ino) = (event.id.kind, event.id.ino);
    let sign = paint(role, &event.what.sign().to_string());
    let word = paint(kind.into(), &format!("{:<6}", kind.name()));
    let line = format!("{time} {sign} {word} {ino:>10}  {about}");
    format!("{}\n", line.trim_end())
}

fn about(event: &Event) -> String {
    let who = event.who.as_ref();
    let text = match (event.what, event.means) {
        (Happening::Appeared, Means::Scan) => match who {
            Some(who) => format!("found by a scan, with {}", described(who)),
            None => "found by a scan".to_owned(),
        },
        (Happening::Appeared, _) => who.map(described).unwrap_or_default(),
        (Happening::Entered, means) => {
            let id = who.map(number).unwrap_or_default();
            let command = who.and_then(|who| who.command.as_ref());
            let command = command.map_or_else(String::new, |command| format!(": {command}"));
            format!("{id} entered by {}{command}", means.name())
        }
        (Happening::Emptied, _) => "no process left, kept by something else".to_owned(),
        (Happening::Ended, _) => match event.lived {
            Some(lived) => format!("lived {}", span(Duration::from_nanos(lived))),
            None => "was there before".to_owned(),
        },
    };
    match (event.is_certain, event.what) {
        (true, _) => text,
        (false, Happening::Appeared) => format!("{text}, or entered: its number is not new"),
        (false, _) => format!("{text}, as it seems"),
    }
}

/// `ip netns add zz1 (9516)`.
fn described(who: &Who) -> String {
    match &who.command {
        Some(command) => format!("{command} ({})", number(who)),
        None => format!("({})", number(who)),
    }
}

fn number(who: &Who) -> String {
    match who.tid == who.pid {
        true => who.pid.to_string(),
        false => format!("{} thread {}", who.pid, who.tid),
    }
}

/// `56 ms`, `1.5 s`, `3 min`.
pub(super) fn span(time: Duration) -> String {
    match time.as_secs() {
        0 if time.as_millis() == 0 => format!("{} µs", time.as_micros()),
        0 => format!("{} ms", time.as_millis()),
        1..10 => format!("{:.1} s", time.as_secs_f64()),
        seconds @ 10..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86400),
    }
}

/// Returns the line that says what was lost.
pub(super) fn remark(text: &str) -> String {
    format!("{:13}! {text}\n", "")
}

/// Returns the line of an event as JSON.
pub(super) fn json(event: &Event, clock: WallClock) -> Vec<u8> {
    #[derive(Serialize)]
    struct Line<'a> {
        event: &'a str,
        time: String,
        r#type: &'a str,
        ns: u64,
        id: Option<u64>,
        by: &'a str,
        pid: Option<u32>,
        tid: Option<u32>,
        command: Option<&'a Text>,
        lived: Option<f64>,
        certain: bool,
    }
    let who = event.who.as_ref();
    to_line(&Line {
        event: event.what.name(),
        time: clock.utc(event.time),
        r#type: event.id.kind.name(),
        ns: event.id.ino,
        id: event.unique_id,
        by: event.means.name(),
        pid: who.map(|who| who.pid),
        tid: who.map(|who| who.tid),
        command: who.and_then(|who| who.command.as_ref()),
        lived: event.lived.map(|lived| lived as f64 / 1e9),
        certain: event.is_certain,
    })
}

/// Returns the first line of JSON.
pub(super) fn json_begin(snapshot: &Snapshot, now: u64, has_perf: bool) -> Vec<u8> {
    #[derive(Serialize)]
    struct Line<G> {
        event: &'static str,
        version: u32,
        time: String,
        by: &'static str,
        namespaces: usize,
        complete: bool,
        gaps: G,
    }
    to_line(&Line {
        event: "watching",
        version: VERSION,
        time: WallClock::at(now).utc(now),
        by: if has_perf { "perf" } else { "scans" },
        namespaces: snapshot.namespaces.len(),
        complete: snapshot.is_complete(),
        gaps: gaps(&snapshot.gaps),
    })
}

/// Returns a line of JSON that says what was lost.
pub(super) fn json_count(event: &'static str, count: u64, now: u64) -> Vec<u8> {
    #[derive(Serialize)]
    struct Line {
        event: &'static str,
        time: String,
        count: u64,
    }
    let time = WallClock::at(now).utc(now);
    to_line(&Line { event, time, count })
}

fn to_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = Vec::new();
    // Nothing fails that writes to memory.
    let _ = write_line(value, &mut line);
    line
}

/// Returns the line below the events on a terminal.
pub(super) fn footer(counts: &[(Kind, usize)], said: [u64; 4], width: usize) -> String {
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    let kinds: Vec<_> = counts
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    let said: Vec<_> = Happening::ALL
        .iter()
        .zip(said)
        .map(|(what, count)| format!("{} {count}", what.sign()))
        .collect();
    let line = format!(
        "{total} namespaces: {}  {}",
        kinds.join(", "),
        said.join("  ")
    );
    line.chars().take(width.saturating_sub(1)).collect()
}

/// Returns the summary at the end: `watched 12 s: 3 appeared, 1 entered`.
pub(super) fn summary(time: Duration, said: [u64; 4], lost: u64) -> String {
    let counts = Happening::ALL.iter().zip(said);
    let counts: Vec<_> = counts
        .map(|(what, count)| format!("{count} {}", what.name()))
        .collect();
    let lost = match lost {
        0 => String::new(),
        lost => format!("; {lost} records lost"),
    };
    let line = format!("watched {}: {}{lost}", span(time), counts.join(", "));
    for_table(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NsId;

    #[test]
    fn what_happened_has_a_sign_and_on_a_terminal_a_colour_too() {
        let palette = Palette::default();
        let lines = |palette| {
            Happening::ALL.map(|what| {
                let event = Event {
                    time: 0,
                    what,
                    id: NsId {
                        ino: 4026532001,
                        kind: Kind::Net,
                    },
                    unique_id: None,
                    means: Means::Scan,
                    who: None,
                    lived: None,
                    is_certain: true,
                };
                // The time of day differs from place to place.
                let line = line(&event, WallClock::at(0), palette);
                line.split_once(' ').unwrap().1.to_owned()
            })
        };
        assert_eq!(
            lines(None),
            [
                "+ net    4026532001  found by a scan\n",
                "> net    4026532001   entered by scan\n",
                ". net    4026532001  no process left, kept by something else\n",
                "- net    4026532001  was there before\n",
            ]
        );
        let net = "\x1b[94;38;5;32mnet   \x1b[0m 4026532001 ";
        assert_eq!(
            lines(Some(&palette)),
            [
                format!("\x1b[32;38;5;28m+\x1b[0m {net} found by a scan\n"),
                format!("\x1b[94;38;5;32m>\x1b[0m {net}  entered by scan\n"),
                format!(
                    "\x1b[33;38;5;136m.\x1b[0m {net} no process left, kept by something else\n"
                ),
                format!("\x1b[31;38;5;196m-\x1b[0m {net} was there before\n"),
            ]
        );
    }
}
