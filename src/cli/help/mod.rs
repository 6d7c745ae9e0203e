//! Help on one screen, for `-h`. `--help` is clap's own, with all details and
//! examples.

pub(super) mod examples;

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command};

use crate::cli::args::{LOOK, OUTPUT, SELECT, SHOW};

/// The groups of options, in order.
const GROUPS: [&str; 4] = [SELECT, SHOW, LOOK, OUTPUT];

/// The width of the names of groups, in front of their options.
const LABEL: usize = 9;
/// The width of the names of options.
const NAMES: usize = 27;
/// The width of the names of arguments and subcommands.
const WORDS: usize = 12;

/// Returns whether the words ask for all details, rather than one screen.
pub(super) fn is_long(words: &[OsString]) -> bool {
    let mut words = words.iter().skip(1).take_while(|word| *word != "--");
    words.clone().next().is_some_and(|first| first == "help") || words.any(|word| word == "--help")
}

/// Returns the help for `-h`, of the subcommand that these words begin with.
pub(super) fn short(command: &mut Command, words: &[OsString]) -> StyledStr {
    command.build();
    let first = words.get(1).and_then(|word| word.to_str());
    let named = first.filter(|word| command.find_subcommand(word).is_some());
    match named.map(str::to_owned) {
        Some(name) => match command.find_subcommand_mut(&name) {
            Some(one) => screen(one),
            None => StyledStr::new(),
        },
        None => screen(command),
    }
}

/// Lays out the help of one command: a line for each subcommand and option, and
/// the name of each group in the margin.
fn screen(command: &mut Command) -> StyledStr {
    let usage = command.render_usage();
    let header = *command.get_styles().get_header();
    let literal = *command.get_styles().get_literal();
    let mut text = match command.get_about() {
        Some(about) => format!("{about}\n\n{}\n\n", usage.ansi()),
        None => format!("{}\n\n", usage.ansi()),
    };
    let row = |word: &str, help: String| {
        let gap = WORDS.saturating_sub(word.len());
        format!("  {literal}{word}{literal:#}{:gap$}{help}\n", "")
    };
    for arg in command.get_positionals().filter(|arg| !arg.is_hide_set()) {
        text += &row(&value_of(arg), short_help(arg));
    }
    if command.get_positionals().next().is_some() {
        text.push('\n');
    }
    if command.has_subcommands() {
        text += &format!("{header}Commands:{header:#}\n");
        let listed = |one: &&Command| !one.is_hide_set() && one.get_name() != "help";
        for one in command.get_subcommands().filter(listed) {
            let about = one.get_about().map(ToString::to_string);
            text += &row(one.get_name(), about.unwrap_or_default());
        }
        text.push('\n');
    }
    let options: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_positional())
        .filter(|arg| !arg.is_hide_set() && !arg.is_hide_short_help_set())
        .filter(|arg| !matches!(arg.get_action(), ArgAction::Version | ArgAction::Help))
        .collect();
    for (group, members) in groups(&options) {
        for (place, arg) in members.iter().enumerate() {
            let label = match (place, group) {
                (0, "") => "Options",
                (0, group) => group,
                _ => "",
            };
            let names = names(arg);
            let (margin, gap) = (
                LABEL.saturating_sub(label.len()),
                NAMES.saturating_sub(names.len()),
            );
            text += &format!(
                "{header}{label}{header:#}{:margin$}{literal}{names}{literal:#}{:gap$}{}\n",
                "",
                "",
                short_help(arg)
            );
        }
    }
    let name = command.get_bin_name().unwrap_or("nsls");
    text += &format!("\n{name} --help has all options, details and examples\n");
    text.into()
}

/// Returns the options of each group: those of the command alone, then in the
/// order of [`GROUPS`].
fn groups<'a>(options: &[&'a Arg]) -> Vec<(&'a str, Vec<&'a Arg>)> {
    let mut groups: Vec<(&str, Vec<&Arg>)> = Vec::new();
    for arg in options {
        let name = arg.get_help_heading().unwrap_or_default();
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, members)) => members.push(arg),
            None => groups.push((name, vec![arg])),
        }
    }
    groups.sort_by_key(|(name, _)| GROUPS.iter().position(|group| group == name));
    groups
}

/// Returns the names of an option with its value: `-J, --json[=FORMAT]`.
fn names(arg: &Arg) -> String {
    let mut names = match arg.get_short() {
        Some(short) => format!("-{short}"),
        None => "  ".to_owned(),
    };
    if let Some(long) = arg.get_long() {
        names += if arg.get_short().is_some() {
            ", "
        } else {
            "  "
        };
        names += &format!("--{long}");
    }
    if arg.get_action().takes_values() {
        let is_optional = arg
            .get_num_args()
            .is_some_and(|range| range.min_values() == 0);
        names += &match is_optional {
            true => format!("[={}]", value_of(arg)),
            false => format!(" {}", value_of(arg)),
        };
    }
    names
}

/// Returns the name of a value: `PID`.
fn value_of(arg: &Arg) -> String {
    let name = arg.get_value_names().and_then(|names| names.first());
    name.map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string)
}

fn short_help(arg: &Arg) -> String {
    arg.get_help().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn shown(words: &[&str]) -> String {
        let words: Vec<OsString> = words.iter().map(Into::into).collect();
        short(&mut Cli::command(), &words).to_string()
    }

    #[test]
    fn short_help_of_every_command_fits_a_screen_of_eighty_columns() {
        let command = Cli::command();
        let names = command.get_subcommands().map(Command::get_name);
        for name in names.chain(["-h"]) {
            let help = shown(&["nsls", name]);
            assert!(help.lines().count() <= 48, "{help}");
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }

    /// Splits a line as a shell does, as far as quotes and comments go.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (place, part) in line.split('\'').enumerate() {
            match place % 2 {
                0 => words.extend(part.split_whitespace().map(str::to_owned)),
                _ => words.push(part.to_owned()),
            }
        }
        words
    }

    #[test]
    fn every_example_can_be_typed() {
        let command = Cli::command();
        let all = [&command].into_iter().chain(command.get_subcommands());
        let mut count = 0;
        for one in all.filter(|one| !one.is_hide_set()) {
            let examples = one.get_after_long_help().unwrap().to_string();
            for line in examples.lines().filter(|line| line.starts_with("  nsls")) {
                count += 1;
                let typed = line.trim().split("  ").next().unwrap();
                let typed = typed.split(['|', '>']).next().unwrap();
                let parsed = Cli::command().try_get_matches_from(words(typed));
                assert!(parsed.is_ok(), "{line}: {parsed:?}");
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
        assert!(count > 25, "only {count} examples were found");
    }

    #[test]
    fn only_the_long_option_and_the_subcommand_help_ask_for_details() {
        let is_long = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            is_long(&words)
        };
        for line in ["nsls --help", "nsls find --help", "nsls help find"] {
            assert!(is_long(line), "{line}");
        }
        for line in ["nsls -h", "nsls find -nh", "nsls exec -h -- x --help"] {
            assert!(!is_long(line), "{line}");
        }
    }
}
