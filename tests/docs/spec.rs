//! The command line, in the form that the documents need.

use clap::{Arg, Command, CommandFactory, ValueHint};
use nsls::cli::Cli;

/// Returns the command and its subcommands, with the options that clap adds.
pub fn command() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// Returns the documented subcommands, that is, all except `help`.
pub fn subcommands(command: &Command) -> Vec<&Command> {
    let all = command.get_subcommands();
    all.filter(|one| one.get_name() != "help" && !one.is_hide_set())
        .collect()
}

/// Returns the options of a command.
pub fn flags(command: &Command) -> Vec<Flag> {
    let options = command.get_arguments().filter(|arg| !arg.is_positional());
    options
        .filter(|arg| !arg.is_hide_set())
        .map(Flag::of)
        .collect()
}

/// One option.
pub struct Flag {
    pub short: Option<char>,
    /// The long names, including aliases.
    pub longs: Vec<String>,
    /// The help, on one line.
    pub help: String,
    pub value: Value,
    /// Whether the value may be omitted; if present, it follows `=`.
    pub is_optional: bool,
    /// Whether it may be given more than once.
    pub repeats: bool,
}

/// How to complete a value.
#[derive(Debug, PartialEq, Eq)]
pub enum Value {
    /// The option takes no value.
    None,
    /// Columns, separated by commas.
    Columns,
    /// One of these words.
    Word(Vec<String>),
    /// Some of these words, separated by commas.
    Words(Vec<String>),
    /// A process.
    Pid,
    /// Processes, separated by commas.
    Pids,
    /// One of the names that the command prints: containers, namespaces, topics.
    Names(&'static str),
    /// A process or container.
    PidOrContainer,
    Dir,
    File,
    /// A value that cannot be completed.
    Any,
}

impl Flag {
    fn of(arg: &Arg) -> Self {
        let longs = arg.get_long_and_visible_aliases().unwrap_or_default();
        Flag {
            short: arg.get_short(),
            longs: longs.into_iter().map(str::to_owned).collect(),
            help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
            value: Value::of(arg),
            is_optional: arg
                .get_num_args()
                .is_some_and(|range| range.min_values() == 0)
                && arg.get_action().takes_values(),
            repeats: matches!(arg.get_action(), clap::ArgAction::Append),
        }
    }

    /// Returns all names, with dashes.
    pub fn names(&self) -> Vec<String> {
        let short = self.short.map(|short| format!("-{short}"));
        let longs = self.longs.iter().map(|long| format!("--{long}"));
        short.into_iter().chain(longs).collect()
    }
}

impl Value {
    /// Determines the value of an option from its name, hint and possible
    /// values.
    pub fn of(arg: &Arg) -> Self {
        if !arg.get_action().takes_values() {
            return Value::None;
        }
        let values = arg.get_possible_values().into_iter();
        let words: Vec<_> = values.map(|value| value.get_name().to_owned()).collect();
        let is_list = arg.get_value_delimiter() == Some(',');
        let name = arg.get_value_names().and_then(|names| names.first());
        match (name.map(|name| name.as_str()), arg.get_value_hint()) {
            _ if !words.is_empty() && is_list => Value::Words(words),
            _ if !words.is_empty() => Value::Word(words),
            (Some("LIST"), _) => Value::Columns,
            (Some("PID"), _) if is_list => Value::Pids,
            (Some("PID"), _) => Value::Pid,
            (Some("PID|CONTAINER"), _) => Value::PidOrContainer,
            (Some("CONTAINER"), _) => Value::Names("containers"),
            (Some("NAMESPACE" | "NAMESPACE|CONTAINER" | "THING"), _) => Value::Names("namespaces"),
            (Some("WORD"), _) => Value::Names("topics"),
            (_, ValueHint::DirPath) => Value::Dir,
            (_, ValueHint::FilePath) => Value::File,
            _ => Value::Any,
        }
    }
}

#[test]
fn the_value_of_an_option_determines_its_completion() {
    let command = command();
    let flags = flags(&command);
    let of = |name: &str| {
        let is = |flag: &&Flag| flag.names().iter().any(|one| one == name);
        &flags.iter().find(is).unwrap().value
    };
    assert_eq!(of("--output"), &Value::Columns);
    assert_eq!(of("--task"), &Value::Pid);
    assert_eq!(of("--sysroot"), &Value::Dir);
    assert_eq!(of("--filter"), &Value::Any);
    assert_eq!(of("--container"), &Value::Names("containers"));
    assert_eq!(of("--raw"), &Value::None);
    assert!(matches!(of("--json"), Value::Word(words) if words.len() == 3));
    assert!(matches!(of("-t"), Value::Words(words) if words.len() == 8));
}
