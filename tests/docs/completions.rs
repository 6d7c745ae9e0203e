//! Shell completions: hand-written templates, filled from the command line and
//! the table of columns.

use clap::Command;
use nsls::query::Column;

use super::fill;
use super::spec::{Flag, Value, command, flags, subcommands};

mod run;

/// Quotes text for bash and zsh.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Quotes text for fish.
fn fish_quote(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

/// Returns the command and its subcommands.
fn commands(command: &Command) -> Vec<&Command> {
    let mut all = vec![command];
    all.extend(subcommands(command));
    all
}

/// Returns how to complete the argument of a command.
fn argument(command: &Command) -> Value {
    command
        .get_positionals()
        .next()
        .map_or(Value::None, Value::of)
}

/// Returns the names of the subcommands, with their help.
fn words(command: &Command) -> Vec<(String, String)> {
    let word = |one: &Command| {
        let about = one.get_about().map(ToString::to_string);
        (one.get_name().to_owned(), about.unwrap_or_default())
    };
    let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
    shown.map(word).collect()
}

pub fn bash() -> String {
    let command = command();
    let words: Vec<_> = words(&command).into_iter().map(|(word, _)| word).collect();
    let values = commands(&command).into_iter().flat_map(|command| {
        let name = command.get_name();
        let value = move |flag: &Flag| {
            let call = bash_call(&flag.value)?;
            // An optional value follows `=` only.
            let spellings = flag.names().into_iter().flat_map(|option| {
                let apart = (!flag.is_optional).then(|| format!("{name}:{option}"));
                apart.into_iter().chain([format!("{name}:{option}=")])
            });
            let spellings: Vec<_> = spellings.collect();
            Some(format!("        {}) {call} ;;", spellings.join(" | ")))
        };
        let mut values: Vec<_> = flags(command).iter().filter_map(value).collect();
        let argument = bash_call(&argument(command));
        values.extend(argument.map(|call| format!("        {name}:) {call} ;;")));
        values
    });
    let mut values: Vec<_> = values.collect();
    values.push(format!(
        "        help:) _nsls_offer '' {} ;;",
        words.join(" ")
    ));
    let options = commands(&command).into_iter().map(|command| {
        let names: Vec<_> = flags(command).iter().flat_map(Flag::names).collect();
        let name = command.get_name();
        format!("            {name}) _nsls_offer '' {} ;;", names.join(" "))
    });
    let columns = Column::ALL.iter();
    fill(
        include_str!("templates/nsls.bash"),
        &[
            (
                "COLUMNS",
                lines(columns.map(|column| format!("    {}", column.name))),
            ),
            ("VALUES", lines(values)),
            ("OPTIONS", lines(options)),
            ("COMMANDS", words.join(" | ")),
            ("WORDS", words.join(" ")),
        ],
    )
}

fn bash_call(value: &Value) -> Option<String> {
    Some(match value {
        Value::None => return None,
        Value::Columns => "_nsls_column_list".to_owned(),
        Value::Word(words) => format!("_nsls_offer '' {}", words.join(" ")),
        Value::Words(words) => format!("_nsls_list {}", words.join(" ")),
        Value::Pid => "_nsls_pid".to_owned(),
        Value::Pids => "_nsls_pid_list".to_owned(),
        Value::PidOrContainer => "_nsls_pid_or_container".to_owned(),
        Value::Names("namespaces") => "_nsls_namespaces".to_owned(),
        Value::Names(what) => format!("_nsls_names {what}"),
        Value::Dir => "compopt -o dirnames".to_owned(),
        Value::File => "compopt -o default".to_owned(),
        Value::Any => ":".to_owned(),
    })
}

pub fn zsh() -> String {
    let command = command();
    let column = |column: &Column| format!("    {}", quote(&described(column.name, column.help)));
    let word =
        |(word, help): (String, String)| format!("      {}", quote(&described(&word, &help)));
    let sub = subcommands(&command).into_iter().map(|command| {
        let options = zsh_options(command, "        ");
        format!(
            "    {}:1)\n      shift words\n      (( CURRENT-- ))\n      _arguments -s -S \\\n{options}\n      return\n      ;;",
            command.get_name()
        )
    });
    let names: Vec<_> = words(&command).into_iter().map(|(word, _)| word).collect();
    let help = format!(
        "    help:1)\n      (( CURRENT == 3 )) && compadd {}\n      return\n      ;;",
        names.join(" ")
    );
    fill(
        include_str!("templates/_nsls"),
        &[
            ("COLUMNS", lines(Column::ALL.iter().map(column))),
            ("COMMANDS", lines(sub.chain([help]))),
            ("WORDS", lines(words(&command).into_iter().map(word))),
            ("OPTIONS", zsh_options(&command, "    ")),
        ],
    )
}

/// Formats `word:description`; the word ends at the first colon.
fn described(word: &str, help: &str) -> String {
    format!("{word}:{help}")
}

/// Returns the specifications for _arguments, one per line.
fn zsh_options(command: &Command, indent: &str) -> String {
    let mut specs: Vec<String> = flags(command).iter().flat_map(zsh_specs).collect();
    if let Some(action) = zsh_action(&argument(command)) {
        let arg = command.get_positionals().next().unwrap();
        let is_one = arg
            .get_num_args()
            .is_none_or(|range| range.max_values() == 1);
        let place = if is_one { "1" } else { "*" };
        specs.push(quote(&format!(
            "{place}:{}:{action}",
            arg.get_id().as_str()
        )));
    }
    let lines: Vec<_> = specs.iter().map(|spec| format!("{indent}{spec}")).collect();
    lines.join(" \\\n")
}

fn zsh_specs(flag: &Flag) -> Vec<String> {
    let names = flag.names();
    // An option that may be given once excludes all its names.
    let others = if flag.repeats {
        "*".to_owned()
    } else {
        format!("({})", names.join(" "))
    };
    let help = flag
        .help
        .replace('\\', r"\\")
        .replace('[', r"\[")
        .replace(']', r"\]");
    let spec = |name: &String| {
        let Some(action) = zsh_action(&flag.value) else {
            return quote(&format!("{others}{name}[{help}]"));
        };
        let (sign, colon) = match (name.starts_with("--"), flag.is_optional) {
            (true, false) => ("=", ":"),
            (true, true) => ("=-", "::"),
            (false, false) => ("+", ":"),
            (false, true) => ("-", "::"),
        };
        quote(&format!(
            "{others}{name}{sign}[{help}]{colon}value:{action}"
        ))
    };
    names.iter().map(spec).collect()
}

/// Returns the action for a value. It begins with a blank, or _arguments would
/// add options for compadd to it.
fn zsh_action(value: &Value) -> Option<String> {
    Some(match value {
        Value::None => return None,
        Value::Columns => " _nsls_columns".to_owned(),
        Value::Word(words) => format!("({})", words.join(" ")),
        Value::Words(words) => format!(" _nsls_list value -- {}", words.join(" ")),
        Value::Pid => " _nsls_pids".to_owned(),
        Value::Pids => " _nsls_pids list".to_owned(),
        Value::PidOrContainer => " _nsls_pids_and_containers".to_owned(),
        Value::Names("namespaces") => " _nsls_namespaces".to_owned(),
        Value::Names(what) => format!(" _nsls_names {what}"),
        Value::Dir => "_directories".to_owned(),
        Value::File => "_files".to_owned(),
        Value::Any => " ".to_owned(),
    })
}

pub fn fish() -> String {
    let command = command();
    let names: Vec<_> = words(&command).into_iter().map(|(word, _)| word).collect();
    let columns = Column::ALL.iter();
    let columns = columns.map(|column| fish_quote(&format!("{}\t{}", column.name, column.help)));
    let columns: Vec<_> = columns
        .map(|column| format!("\\\n        {column}"))
        .collect();
    let mut options = Vec::new();
    for (word, help) in words(&command) {
        let help = fish_quote(&help);
        options.push(format!(
            "complete -c nsls -n __nsls_first -a {word} -d {help}"
        ));
    }
    let names_apart = names.join(" ");
    options.push(format!(
        "complete -c nsls -n '__nsls_command help' -f -a '{names_apart}'"
    ));
    // An option that several commands share takes one line.
    let mut shared: Vec<(String, Vec<&str>)> = Vec::new();
    for one in commands(&command) {
        for flag in flags(one) {
            let flag = fish_flag(&flag);
            match shared.iter_mut().find(|(known, _)| *known == flag) {
                Some((_, names)) => names.push(one.get_name()),
                None => shared.push((flag, vec![one.get_name()])),
            }
        }
    }
    for (flag, names) in shared {
        let condition = fish_quote(&format!("__nsls_command {}", names.join(" ")));
        options.push(format!("complete -c nsls -n {condition}{flag}"));
    }
    for (place, one) in commands(&command).into_iter().enumerate() {
        let condition = fish_quote(&format!("__nsls_command {}", one.get_name()));
        // The first word is more likely a subcommand.
        let condition = match place {
            0 => fish_quote("__nsls_command nsls; and not __nsls_empty"),
            _ => condition,
        };
        if let Some(argument) = fish_argument(&argument(one)) {
            options.push(format!("complete -c nsls -n {condition} {argument}"));
        }
    }
    fill(
        include_str!("templates/nsls.fish"),
        &[
            ("COMMANDS", names.join(" ")),
            ("COLUMNS", columns.concat()),
            ("OPTIONS", lines(options)),
        ],
    )
}

/// Returns how to complete an argument. Files are offered anyway, without `-f`.
fn fish_argument(value: &Value) -> Option<String> {
    Some(match value {
        Value::Dir => "-f -a '(__fish_complete_directories)'".to_owned(),
        Value::Pid => "-f -a '(__nsls_pids)'".to_owned(),
        Value::PidOrContainer => "-f -a '(__nsls_pids; __nsls_names containers)'".to_owned(),
        Value::Names("namespaces") => "-a '(__nsls_names namespaces)'".to_owned(),
        Value::Names(what) => format!("-f -a '(__nsls_names {what})'"),
        _ => return None,
    })
}

fn fish_flag(flag: &Flag) -> String {
    let short = flag.short.map(|short| format!(" -s {short}"));
    let longs = flag.longs.iter().map(|long| format!(" -l {long}"));
    let names: String = short.into_iter().chain(longs).collect();
    let value = match &flag.value {
        Value::None => String::new(),
        Value::Columns => " -x -a '(__nsls_columns)'".to_owned(),
        Value::Word(words) => format!(" -x -a '{}'", words.join(" ")),
        Value::Words(words) => format!(" -x -a '(__nsls_list {})'", words.join(" ")),
        Value::Pid => " -x -a '(__nsls_pids)'".to_owned(),
        Value::Pids => " -x -a '(__nsls_list (__nsls_pids))'".to_owned(),
        Value::PidOrContainer => " -x -a '(__nsls_pids; __nsls_names containers)'".to_owned(),
        Value::Names(what) => format!(" -x -a '(__nsls_names {what})'"),
        Value::Dir => " -x -a '(__fish_complete_directories)'".to_owned(),
        Value::File => " -r -F".to_owned(),
        Value::Any => " -x".to_owned(),
    };
    // An optional value never comes from the next word.
    let value = if flag.is_optional {
        value.replace(" -x ", " -f ")
    } else {
        value
    };
    format!("{names}{value} -d {}", fish_quote(&flag.help))
}
