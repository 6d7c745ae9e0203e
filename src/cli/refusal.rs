//! What is wrong with a command line, in one line that proposes the next step.
//! The parser's own words are never shown.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use crate::cli::args::Cli;
use crate::query::nearest;

/// Returns the message for an error of these words, which begin with the name of
/// the program.
pub(super) fn refusal(error: &clap::Error, words: &[OsString]) -> String {
    let root = Cli::command();
    let first = words.get(1).and_then(|word| word.to_str());
    let sub = first.and_then(|word| root.find_subcommand(word));
    let command = sub.unwrap_or(&root);
    let name = match sub {
        Some(sub) => format!("nsls {}", sub.get_name()),
        None => "nsls".to_owned(),
    };
    let more = format!("({name} --help says more)");
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let argument = text(ContextKind::InvalidArg);
    let value = text(ContextKind::InvalidValue);
    let option = plain(argument);
    match error.kind() {
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            unknown_option(&root, command, argument, &name)
        }
        ErrorKind::UnknownArgument => surplus(command, argument, &more),
        ErrorKind::InvalidSubcommand if first == Some("help") => {
            unknown_subcommand(&root, text(ContextKind::InvalidSubcommand))
        }
        // It takes any second argument for a subcommand.
        ErrorKind::InvalidSubcommand | ErrorKind::ArgumentConflict if option.is_empty() => {
            let mut words = words.iter().skip(2).take_while(|word| *word != "--");
            let late = words.find_map(|word| root.find_subcommand(word));
            match late {
                Some(late) => late_subcommand(late.get_name()),
                None => surplus(command, text(ContextKind::InvalidSubcommand), &more),
            }
        }
        ErrorKind::ArgumentConflict => conflict(&option, error.get(ContextKind::PriorArg)),
        ErrorKind::InvalidValue => {
            let valid = list(error.get(ContextKind::ValidValue));
            invalid_value(argument, value, &valid)
        }
        ErrorKind::ValueValidation => {
            let source = std::error::Error::source(error);
            let why = source.map_or_else(|| more, ToString::to_string);
            format!("invalid value '{value}' for {option}: {why}")
        }
        ErrorKind::TooManyValues if argument.starts_with('-') => {
            format!("{option} takes no value: leave out '{value}'")
        }
        ErrorKind::TooManyValues => surplus(command, value, &more),
        ErrorKind::TooFewValues => {
            let least = error.get(ContextKind::MinValues);
            let least = least.map(ToString::to_string).unwrap_or_default();
            let of = option.split(' ').next().unwrap_or_default();
            format!("{name} needs at least {least} of {of} {more}")
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = list(error.get(ContextKind::InvalidArg));
            let missing: Vec<_> = missing.iter().map(|word| plain(word)).collect();
            let has_command = command.get_positionals().any(clap::Arg::is_last_set);
            let dashes = if has_command { "-- " } else { "" };
            format!("{name} needs {dashes}{} {more}", missing.join(" and "))
        }
        ErrorKind::InvalidUtf8 => {
            let word = words.iter().find(|word| word.to_str().is_none());
            let word = word.map(|word| word.to_string_lossy());
            format!("'{}' is not valid UTF-8 {more}", word.unwrap_or_default())
        }
        // No other kind can be produced by what may be typed.
        _ => format!("invalid arguments {more}"),
    }
}

/// Refuses a subcommand after options, which clap would take for a NAMESPACE.
pub(super) fn late_subcommand(name: &str) -> String {
    format!("the subcommand '{name}' must come before all options; ./{name} is a file")
}

/// Returns the most similar subcommand.
pub(super) fn nearest_subcommand<'a>(root: &'a Command, word: &str) -> Option<&'a str> {
    let shown = root.get_subcommands().filter(|one| !one.is_hide_set());
    nearest(word, shown.map(Command::get_name))
}

pub(super) fn unknown_subcommand(root: &Command, word: &str) -> String {
    match nearest_subcommand(root, word) {
        Some(nearest) => format!("unknown subcommand '{word}', nearest is {nearest}"),
        None => format!("unknown subcommand '{word}' (nsls -h lists them)"),
    }
}

fn unknown_option(root: &Command, command: &Command, option: &str, name: &str) -> String {
    let unknown = format!("unknown option '{option}'");
    let Some(long) = option.strip_prefix("--") else {
        return format!("{unknown} ({name} --help lists them)");
    };
    let has = |one: &&Command| long_names(one).contains(&long);
    if has(&root) {
        return format!("{unknown}: it belongs to nsls without a subcommand");
    }
    if let Some(owner) = root.get_subcommands().find(has) {
        let owner = owner.get_name();
        return format!("{unknown}: it belongs to nsls {owner}");
    }
    match nearest(long, long_names(command)) {
        Some(nearest) => format!("{unknown}, nearest is --{nearest}"),
        None => format!("{unknown} ({name} --help lists them)"),
    }
}

fn long_names(command: &Command) -> Vec<&str> {
    let options = command.get_arguments();
    options
        .filter_map(|arg| arg.get_long_and_visible_aliases())
        .flatten()
        .collect()
}

/// Says that there is an argument too many.
fn surplus(command: &Command, word: &str, more: &str) -> String {
    let unexpected = format!("unexpected argument '{word}'");
    if command.get_positionals().any(clap::Arg::is_last_set) {
        return format!("{unexpected}: put -- before a command");
    }
    let last = command.get_positionals().last();
    match last.and_then(|arg| arg.get_value_names()) {
        Some([last, ..]) => format!("{unexpected} after {last} {more}"),
        _ => format!("{unexpected} {more}"),
    }
}

fn conflict(option: &str, prior: Option<&ContextValue>) -> String {
    let prior: Vec<_> = list(prior).iter().map(|prior| plain(prior)).collect();
    match &prior[..] {
        [] => format!("{option} cannot be used with other arguments"),
        prior => format!(
            "{option} cannot be used with {}: choose one",
            prior.join(" or ")
        ),
    }
}

fn invalid_value(argument: &str, value: &str, valid: &[String]) -> String {
    let option = plain(argument);
    let choices = valid.join(", ");
    if value.is_empty() {
        let name = argument.split_once('<').map_or("", |(_, name)| name);
        let name = name.split('>').next().unwrap_or_default();
        return match valid {
            [] => format!("{option} needs a value: {name}"),
            _ => format!("{option} needs a value: one of {choices}"),
        };
    }
    let invalid = format!("invalid value '{value}' for {option}");
    match nearest(value, valid.iter().map(String::as_str)) {
        Some(nearest) => format!("{invalid}, nearest is {nearest}"),
        None => format!("{invalid}: choose one of {choices}"),
    }
}

/// Returns the name of an option without its value, and that of an argument
/// without brackets: `--json`, `NAMESPACE`.
fn plain(argument: &str) -> String {
    if argument.starts_with("--") && !argument.starts_with("-- ") {
        let name = argument.split([' ', '[', '=']).next();
        return name.unwrap_or_default().to_owned();
    }
    argument
        .replace(['<', '>', '[', ']'], "")
        .replace("...", "")
}

/// Returns the strings in the context of an error.
fn list(value: Option<&ContextValue>) -> Vec<String> {
    match value {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}
