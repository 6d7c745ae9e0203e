//! The man pages: options from the command line, columns from their table, and
//! prose from a template.

use std::process::Command;

use clap_mangen::Man;
use nsls::output::Role;
use nsls::query::Column;
use nsls::{Cause, Kind, Member, Source};

use super::fill;
use super::spec::{command, flags, subcommands};
use crate::common::skip;

/// Returns the pages, by the names of their files: `nsls.8`, and one for each
/// subcommand.
///
/// All come from one template. What is about a subcommand there, the section with
/// its name and its line of the synopsis, becomes a page of its own; `@NAME@` in the
/// section stands for its options.
pub fn pages() -> Vec<(String, String)> {
    let command = command();
    let version = command.get_version().unwrap();
    let template = include_str!("templates/nsls.8").replace("@VERSION@", version);
    let (head, body) = template.split_once(".SH NAME\n").unwrap();
    let mut sections: Vec<_> = body.split(".SH ").collect();
    let synopsis = sections.remove(1).strip_prefix("SYNOPSIS\n").unwrap();
    let mut entries: Vec<_> = synopsis.split(".br\n").collect();

    let mut pages = Vec::new();
    for one in subcommands(&command) {
        let name = one.get_name();
        let entry = take(&mut entries, |entry| {
            entry.starts_with(&format!(".B nsls {name}\n"))
        });
        let upper = name.to_uppercase();
        let heading = format!("{upper}\n");
        let section = take(&mut sections, |section| section.starts_with(&heading));
        let section = section.strip_prefix(&heading).unwrap();
        let page = format!(
            "{}.SH NAME\nnsls\\-{name} \\- {}\n.SH SYNOPSIS\n{entry}.SH DESCRIPTION\n{}\
             .SH SEE ALSO\n.BR nsls (8)\n",
            head.replace(".TH NSLS 8", &format!(".TH NSLS\\-{upper} 8")),
            about(one),
            fill(
                section,
                &[(&upper, format!(".SH OPTIONS\n{}", options(one)))]
            ),
        );
        pages.push((format!("nsls-{name}.8"), page));
    }

    let (name, sections) = sections.split_first().unwrap();
    let main = format!(
        "{head}.SH NAME\n{name}.SH SYNOPSIS\n{}.SH {}",
        entries.join(".br\n"),
        sections.join(".SH ")
    );
    let main = fill(
        &main,
        &[
            ("ABOUT", about(&command)),
            ("OPTIONS", options(&command)),
            ("ROLES", roles()),
            (
                "COMMANDS",
                subcommands(&command).into_iter().map(reference).collect(),
            ),
            ("COLUMNS", Column::ALL.iter().map(column).collect()),
        ],
    );
    pages.insert(0, ("nsls.8".to_owned(), main));
    pages
}

/// Removes the one part that is meant.
fn take<'a>(parts: &mut Vec<&'a str>, is_meant: impl Fn(&str) -> bool) -> &'a str {
    let found: Vec<_> = (0..parts.len()).filter(|i| is_meant(parts[*i])).collect();
    let [index] = found[..] else {
        panic!("the template has {} such parts in {parts:#?}", found.len());
    };
    parts.remove(index)
}

/// Returns an entry that leads to the page of a subcommand.
fn reference(command: &clap::Command) -> String {
    let help = escape(&command.get_about().unwrap().to_string());
    format!(".TP\n.BR nsls\\-{} (8)\n{help}\n", command.get_name())
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

/// Formats a page in long lines. Returns `None` if groff is not installed.
fn formatted(page: &str) -> Option<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, page).unwrap();
    let output = Command::new("groff")
        .args(["-man", "-Tascii", "-P-cbou", "-rHY=0", "-rLL=2000n", "-ww"])
        .arg(file.path())
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

/// Returns the words of a page, without fonts.
fn words(page: &str) -> Vec<String> {
    let page = page
        .replace(r"\-", "-")
        .replace(r"\fR", "")
        .replace(r"\fB", "");
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let words = page.split(|c| !is_part(c));
    words.map(str::to_owned).collect()
}

#[test]
fn the_man_pages_name_every_option_column_type_source_and_cause() {
    let command = command();
    let names_of = |command| {
        let flags = flags(command);
        flags.iter().flat_map(|flag| flag.names()).collect()
    };
    let mut expected: Vec<Vec<String>> = vec![names_of(&command)];
    let main = &mut expected[0];
    main.extend(Column::ALL.iter().map(|column| column.name.to_owned()));
    main.extend(Kind::ALL.iter().map(|kind| kind.name().to_owned()));
    main.extend(Source::ALL.iter().map(|source| source.name().to_owned()));
    main.extend(Cause::ALL.iter().map(|cause| cause.name().to_owned()));
    for one in subcommands(&command) {
        expected[0].push(format!("nsls-{}", one.get_name()));
        expected.push(names_of(one));
    }
    let pages = pages();
    assert_eq!(pages.len(), expected.len());
    for ((file, page), expected) in pages.iter().zip(&expected) {
        let named = words(page);
        for word in expected {
            assert!(named.contains(word), "{file} has no {word}");
        }
    }
}

#[test]
fn the_man_pages_format_without_warnings_and_in_order() {
    for (file, page) in pages() {
        let Some(text) = formatted(&page) else { return };
        let is_heading = |line: &&str| line.starts_with(|c: char| c.is_ascii_uppercase());
        let headings: Vec<_> = text
            .lines()
            .filter(is_heading)
            .filter(|line| !line.contains("(8)"))
            .collect();
        let expected: &[&str] = match file.as_str() {
            "nsls.8" => &[
                "NAME",
                "SYNOPSIS",
                "DESCRIPTION",
                "OPTIONS",
                "COMMANDS",
                "COLUMNS",
                "ORDER, GROUPS AND BLOCKS",
                "TERMINAL",
                "TREES",
                "FILTER",
                "JSON",
                "GAPS",
                "EXIT STATUS",
                "ENVIRONMENT",
                "NOTES",
                "EXAMPLES",
                "SEE ALSO",
            ],
            _ => &["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SEE ALSO"],
        };
        assert_eq!(headings, expected, "{file}");
    }
}
