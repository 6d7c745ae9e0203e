//! The man page: options from the command line, columns from their table, and
//! prose from a template.

use std::process::Command;

use clap_mangen::Man;
use nsls::output::Role;
use nsls::query::Column;
use nsls::{Cause, Kind, Member, Source};

use super::fill;
use super::spec::{command, flags, subcommands};
use crate::common::skip;

pub fn page() -> String {
    let command = command();
    let options_of = |name| {
        let sub = command.find_subcommand(name).unwrap().clone();
        // What it has in common with the main form is described there.
        options(&sub.mut_args(|arg| {
            let mut known = command.get_arguments();
            let is_known = known.any(|one| {
                one.get_id() == arg.get_id()
                    && one.get_help().map(ToString::to_string)
                        == arg.get_help().map(ToString::to_string)
            });
            let is_help = arg.get_id() == "help";
            arg.hide(is_known && !is_help)
        }))
    };
    fill(
        include_str!("templates/nsls.8"),
        &[
            ("VERSION", command.get_version().unwrap().to_owned()),
            ("ABOUT", about(&command)),
            ("OPTIONS", options(&command)),
            ("FIND", options_of("find")),
            ("HOLDERS", options_of("holders")),
            ("COMPARE", options_of("compare")),
            ("DIFF", options_of("diff")),
            ("LEAKS", options_of("leaks")),
            ("CONTAINERS", options_of("containers")),
            ("TRANSLATE", options_of("translate")),
            ("LIMITS", options_of("limits")),
            ("METRICS", options_of("metrics")),
            ("EXEC", options_of("exec")),
            ("WATCH", options_of("watch")),
            ("GRAPH", options_of("graph")),
            ("CAPTURE", options_of("capture")),
            ("EXPLAIN", options_of("explain")),
            ("ROLES", roles()),
            ("COLUMNS", Column::ALL.iter().map(column).collect()),
        ],
    )
}

/// Returns the keys of `NSLS_COLORS` that are no types.
fn roles() -> String {
    let roles = Role::ALL.iter().map(|role| role.name());
    let roles = roles.filter(|name| name.parse::<Kind>().is_err());
    let roles: Vec<_> = roles.map(|name| format!(r"\fB{name}\fR")).collect();
    let (last, others) = roles.split_last().unwrap();
    format!("{} and {last}", others.join(", "))
}

/// Returns the description in the NAME section, which apropos(1) shows.
fn about(command: &clap::Command) -> String {
    let about = command.get_about().unwrap().to_string();
    let mut letters = about.chars();
    let first = letters.next().unwrap().to_lowercase();
    first.chain(letters).collect()
}

/// The groups of options, which are headings below that of their command.
const GROUPS: [&str; 4] = ["Select", "Show", "Look", "Output"];

/// Returns the options of a command, without the heading.
fn options(command: &clap::Command) -> String {
    // clap_mangen omits aliases and prints a line per possible value.
    let command = command.clone().mut_args(|arg| {
        let aliases = arg.get_visible_aliases().unwrap_or_default();
        let aliases: Vec<_> = aliases.iter().map(|alias| format!("--{alias}")).collect();
        let values = arg.get_possible_values().into_iter();
        let values: Vec<_> = values.map(|value| value.get_name().to_owned()).collect();
        let mut help = description(&arg);
        if !aliases.is_empty() {
            help += &format!("; the same as {}", aliases.join(", "));
        }
        if !values.is_empty() && !arg.is_hide_possible_values_set() {
            help += &format!(": {}", values.join(", "));
        }
        arg.long_help(help).hide_possible_values(true)
    });
    let mut section = Vec::new();
    let man = Man::new(command);
    man.render_options_section(&mut section).unwrap();
    let section = String::from_utf8(section).unwrap();
    let heading = section.find(".SH OPTIONS\n").unwrap();
    let body = section[heading..].split_once('\n').unwrap().1;
    let body = GROUPS.iter().fold(body.to_owned(), |body, group| {
        let heading = format!(".SH {}\n", group.to_uppercase());
        body.replace(&heading, &format!(".SS {group}\n"))
    });
    // The string is defined in the preamble, which is not included.
    body.replace(r"\*(Aq", r"\(aq")
}

/// Returns the help of an option with its details, in sentences.
fn description(arg: &clap::Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let mut paragraphs = help.split("\n\n").collect::<Vec<_>>();
    let last = paragraphs.pop().unwrap_or_default();
    let before = paragraphs.iter().map(|paragraph| format!("{paragraph}. "));
    before.collect::<String>() + last.trim_end_matches('.')
}

fn column(column: &Column) -> String {
    let (name, kind, help) = (column.name, column.json.name(), escape(column.help));
    format!(".TP\n.BR {name} \" (\" \"{kind}\" )\n{help}\n")
}

/// Escapes text so that roff prints it as it is.
fn escape(text: &str) -> String {
    let text = text
        .replace('\\', r"\e")
        .replace('-', r"\-")
        .replace('\'', r"\(aq");
    if text.starts_with('.') {
        format!(r"\&{text}")
    } else {
        text
    }
}

/// Formats the page in long lines. Returns `None` if groff is not installed.
fn formatted() -> Option<String> {
    let page = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&page, self::page()).unwrap();
    let output = Command::new("groff")
        .args(["-man", "-Tascii", "-P-cbou", "-rHY=0", "-rLL=2000n", "-ww"])
        .arg(page.path())
        .output();
    let Ok(output) = output else {
        skip("groff is not installed");
        return None;
    };
    let warnings = String::from_utf8(output.stderr).unwrap();
    assert_eq!(warnings, "", "groff warns");
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_man_page_names_every_option_column_type_source_and_cause() {
    let page = page()
        .replace(r"\-", "-")
        .replace(r"\fR", "")
        .replace(r"\fB", "");
    let command = command();
    let mut words: Vec<String> = flags(&command)
        .iter()
        .flat_map(|flag| flag.names())
        .collect();
    for one in subcommands(&command) {
        words.push(one.get_name().to_owned());
        words.extend(flags(one).iter().flat_map(|flag| flag.names()));
    }
    words.extend(Column::ALL.iter().map(|column| column.name.to_owned()));
    words.extend(Kind::ALL.iter().map(|kind| kind.name().to_owned()));
    words.extend(Source::ALL.iter().map(|source| source.name().to_owned()));
    words.extend(Cause::ALL.iter().map(|cause| cause.name().to_owned()));
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let named: Vec<_> = page.split(|c| !is_part(c)).collect();
    for word in words {
        assert!(named.contains(&word.as_str()), "the man page has no {word}");
    }
}

#[test]
fn the_man_page_formats_without_warnings_and_in_order() {
    let Some(page) = formatted() else { return };
    let is_heading = |line: &&str| line.starts_with(|c: char| c.is_ascii_uppercase());
    let headings: Vec<_> = page.lines().filter(is_heading).collect();
    let headings: Vec<_> = headings
        .iter()
        .filter(|line| !line.contains("(8)"))
        .collect();
    assert_eq!(
        headings,
        [
            &"NAME",
            &"SYNOPSIS",
            &"DESCRIPTION",
            &"OPTIONS",
            &"COLUMNS",
            &"ORDER, GROUPS AND BLOCKS",
            &"TERMINAL",
            &"TREES",
            &"FILTER",
            &"JSON",
            &"GAPS",
            &"FIND",
            &"HOLDERS",
            &"COMPARE",
            &"DIFF",
            &"CONTAINERS",
            &"TRANSLATE",
            &"LIMITS",
            &"METRICS",
            &"LEAKS",
            &"EXEC",
            &"WATCH",
            &"GRAPH",
            &"CAPTURE",
            &"EXPLAIN",
            &"EXIT STATUS",
            &"ENVIRONMENT",
            &"NOTES",
            &"EXAMPLES",
            &"SEE ALSO",
        ]
    );
}
