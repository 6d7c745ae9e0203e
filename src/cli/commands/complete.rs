//! `nsls __complete`: names for the completions of shells, one a line, each with a
//! tab and what it is. It is silent about what it cannot see.

use std::collections::BTreeMap;

use crate::analysis::{self, NETNS};
use crate::cli::args::{CompleteArgs, Names, ScanArgs, ViewArgs};
use crate::cli::commands::explain;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::view::View;
use crate::model::{Process, Snapshot, Source, Sources};
use crate::query::program;
use crate::scan::Need;
use crate::text::for_table;

/// The most names that are written.
const MOST: usize = 2000;
/// The longest name, and the longest description, in bytes.
const LONGEST: usize = 255;

/// Runs `nsls __complete`. Fails only if the names cannot be written.
pub(crate) fn run(args: CompleteArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let scan = ScanArgs {
        strict: false,
        quiet: true,
        verbose: false,
        bpf: false,
        root: args.root,
    };
    let view = View::new(ViewArgs::plain(scan), console.terminal);
    let mut names = BTreeMap::new();
    match args.what {
        Names::Topics => names.extend(explain::names()),
        Names::Containers => containers(&scan_for(&view, Source::Processes), &mut names),
        Names::Namespaces => {
            let snapshot = scan_for(&view, [Source::Processes, Source::Mounts]);
            namespaces(&snapshot, &mut names);
            containers(&snapshot, &mut names);
        }
    }
    let lines = names
        .iter()
        .filter(|(name, _)| is_offered(name))
        .take(MOST)
        .map(|(name, what)| format!("{name}\t{}\n", harmless(what)));
    console.print(&lines.collect::<String>())
}

/// Scans these sources; `None` if that fails.
fn scan_for(view: &View, sources: impl Into<Sources>) -> Option<Snapshot> {
    let needs = [
        Need::Members,
        Need::Mounts,
        Need::Affiliation,
        Need::Command,
    ];
    view.scanner().sources(sources).needs(needs).scan().ok()
}

fn containers(snapshot: &Option<Snapshot>, names: &mut BTreeMap<String, String>) {
    for one in snapshot.iter().flat_map(analysis::containers) {
        let label = one.container.label().to_owned();
        names.insert(label, "container".to_owned());
    }
}

/// Adds the names of net namespaces, and the numbers of all.
fn namespaces(snapshot: &Option<Snapshot>, names: &mut BTreeMap<String, String>) {
    let Some(snapshot) = snapshot else { return };
    for namespace in &snapshot.namespaces {
        let kind = namespace.id.kind;
        let netns = namespace.mounts.iter();
        let netns = netns.filter_map(|path| std::str::from_utf8(path.strip_prefix(NETNS)?).ok());
        names.extend(netns.map(|name| (name.to_owned(), format!("{kind} namespace"))));
        let process = snapshot.representative(namespace);
        let command = process.and_then(Process::command);
        let command = command.map_or(&b""[..], |command| program(command));
        let what = format!("{kind} {}", String::from_utf8_lossy(command));
        names.insert(namespace.id.ino.to_string(), what);
    }
}

/// Returns whether a shell can insert a name as it is, or quoted: printable text
/// that is no option.
fn is_offered(name: &str) -> bool {
    let is_printable = for_table(name.as_bytes()) == name;
    is_printable && !name.is_empty() && name.len() <= LONGEST && !name.starts_with('-')
}

/// Replaces whatever a terminal or a shell could interpret in a description, which
/// others choose.
fn harmless(what: &str) -> String {
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || " ._:@+/-".contains(*letter);
    let letters = what.trim_end().chars().take(LONGEST);
    letters
        .map(|letter| if is_plain(&letter) { letter } else { '?' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_shell_could_not_insert_are_left_out() {
        for name in ["web", "a b", "$(reboot)", "it's", "10:web", "grün"] {
            assert!(is_offered(name), "{name}");
        }
        let long = "x".repeat(256);
        for name in [
            "",
            "-f",
            "a\tb",
            "a\nb",
            "\x1b[31m",
            "\u{202e}x",
            r"\x41",
            &long,
        ] {
            assert!(!is_offered(name), "{name}");
        }
    }

    #[test]
    fn a_description_cannot_affect_a_terminal() {
        assert_eq!(harmless("net \x1b[31m`id`$(w)\t\n"), "net ??31m?id???w?");
        assert_eq!(harmless(&"x".repeat(1000)), "x".repeat(255));
    }
}
