//! What may be typed, and nothing else.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};

use crate::cli::error::CliError;
use crate::model::{Kind, Member, Pid, Source, Sources};

/// List namespaces: which there are, who is in them, and whose they are
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Name everything that keeps a namespace alive
    Holders(HoldersArgs),
    /// Tell which namespaces processes or containers share; exit with 1 if not all
    Compare(CompareArgs),
    /// List containers, and what they share with the host
    Containers(ContainersArgs),
    /// Turn the pid of a process into those that it has in other pid namespaces
    Translate(TranslateArgs),
    /// List how many namespaces there are of those that may be made
    Limits(LimitsArgs),
    /// Write what a scan reads into a directory, to be read again with --sysroot
    Capture(CaptureArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// List the processes of this namespace: an inode number, net:[4026532000],
    /// or a path such as /run/netns/blue
    #[arg(conflicts_with = "pid", value_hint = ValueHint::FilePath)]
    pub(crate) namespace: Option<PathBuf>,

    /// Only the namespaces of this process, those of its children included
    #[arg(short, long, visible_alias = "task", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pid: Option<Pid>,

    /// Only namespaces of these types
    #[arg(short = 't', long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = kind_parser())]
    pub(crate) types: Vec<Kind>,

    /// Only namespaces without processes
    #[arg(short = 'P', long, conflicts_with_all = ["pid", "namespace"])]
    pub(crate) persistent: bool,

    /// Only rows that meet this condition, such as 'TYPE == "net" and NPROCS > 1'
    #[arg(short = 'Q', long, value_name = "EXPR")]
    pub(crate) filter: Option<String>,

    /// Only what this container is in: its name, its id, or the beginning of that
    #[arg(long, value_name = "CONTAINER")]
    pub(crate) container: Option<String>,

    /// Only namespaces that are the host's own, or only others
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no())]
    pub(crate) host: Option<bool>,

    /// Show these columns; +LIST adds them to the default
    #[arg(
        short,
        long,
        value_name = "LIST",
        conflicts_with = "output_all",
        allow_hyphen_values = true
    )]
    pub(crate) output: Option<OsString>,

    /// Show all columns
    #[arg(long)]
    pub(crate) output_all: bool,

    /// Write JSON
    #[arg(short = 'J', long, conflicts_with = "raw")]
    pub(crate) json: bool,

    /// Write words with single spaces between, without alignment
    #[arg(short, long)]
    pub(crate) raw: bool,

    /// Write no line of column names
    #[arg(short, long)]
    pub(crate) noheadings: bool,

    /// Do not cut commands at the width of the terminal
    #[arg(short = 'u', long)]
    pub(crate) notruncate: bool,

    /// Join several texts of a cell by commas, rather than one a line
    #[arg(short = 'W', long)]
    pub(crate) nowrap: bool,

    /// No tree (the default, but for the processes of NAMESPACE)
    #[arg(short, long, conflicts_with = "tree")]
    pub(crate) list: bool,

    /// Show what hangs below what; by owner if nothing is named
    #[arg(short = 'T', long, value_name = "RELATION", num_args = 0..=1, require_equals = true, default_missing_value = "owner")]
    pub(crate) tree: Option<Tree>,

    /// List the columns that there are, and exit
    #[arg(short = 'H', long)]
    pub(crate) list_columns: bool,

    /// Show as well what processes whose namespaces may not be read have in common
    #[arg(long, conflicts_with_all = ["pid", "namespace"])]
    pub(crate) infer: bool,

    /// Look for namespaces only here, or in all places
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = sources_parser())]
    pub(crate) sources: Vec<Sources>,

    /// Exit with 3 if not everything could be seen
    #[arg(long)]
    pub(crate) strict: bool,

    #[command(flatten)]
    pub(crate) root: RootArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HoldersArgs {
    /// The namespace: an inode number, net:[4026532000], or a path
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(crate) namespace: PathBuf,

    /// Below each holder that is a namespace or lies in one, what holds that
    #[arg(long)]
    pub(crate) chain: bool,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Processes by pid, and containers by name, id, or the beginning of an id
    #[arg(required = true, num_args = 2.., value_name = "PID|CONTAINER")]
    pub(crate) subjects: Vec<String>,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ContainersArgs {
    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TranslateArgs {
    /// A process: its pid here, or with --from there
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pid: Pid,

    /// The pid namespace in which it has that pid, or a container
    #[arg(long, value_name = "NAMESPACE|CONTAINER", value_hint = ValueHint::AnyPath)]
    pub(crate) from: Option<String>,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LimitsArgs {
    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

/// How a subcommand writes.
#[derive(Debug, Args)]
pub(crate) struct ViewArgs {
    /// Write JSON
    #[arg(short = 'J', long, conflicts_with = "raw")]
    pub(crate) json: bool,

    /// Write words with single spaces between, without alignment
    #[arg(short, long)]
    pub(crate) raw: bool,

    /// Write no line of column names
    #[arg(short, long)]
    pub(crate) noheadings: bool,

    /// Do not cut commands at the width of the terminal
    #[arg(short = 'u', long)]
    pub(crate) notruncate: bool,

    /// Exit with 3 if not everything could be seen
    #[arg(long)]
    pub(crate) strict: bool,

    #[command(flatten)]
    pub(crate) root: RootArgs,
}

/// What a tree shows: [`Relation`](crate::query::Relation).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tree {
    Owner,
    Parent,
    Process,
}

impl Cli {
    /// The command line of this process. Exits after `--help`, and with a
    /// message and code 2 where it is wrong.
    ///
    /// # Errors
    ///
    /// The help could not be written.
    pub fn of_process() -> Result<Self, CliError> {
        let command = Cli::command();
        let flags = command.get_arguments();
        let flags = flags.filter(|argument| !argument.get_action().takes_values());
        let flags: String = flags.filter_map(clap::Arg::get_short).collect();
        let mut are_values = false;
        let parsed = Cli::try_parse_from(std::env::args_os().map(|word| {
            are_values |= word == "--";
            if are_values {
                word
            } else {
                attach(word, &flags)
            }
        }));
        let parsed = match parsed {
            Ok(cli) => cli.without_late_subcommand(),
            Err(error) => Err(without_subcommand(error)),
        };
        parsed.map_err(|error| {
            if error.use_stderr() {
                error.exit();
            }
            match error.print().and_then(|()| io::stdout().flush()) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => CliError::Output(error),
                _ => std::process::exit(0),
            }
        })
    }

    /// Behind options clap takes a subcommand for NAMESPACE. A file of that name
    /// may be called `./NAME`.
    fn without_late_subcommand(self) -> Result<Self, clap::Error> {
        let mut command = Cli::command();
        let named = self.list.namespace.as_deref().and_then(Path::to_str);
        match named.filter(|name| command.find_subcommand(name).is_some()) {
            Some(name) => {
                let message = format!("the subcommand '{name}' goes before all options");
                Err(command.error(ErrorKind::ArgumentConflict, message))
            }
            None => Ok(self),
        }
    }
}

/// Behind NAMESPACE clap takes any word for a subcommand.
fn without_subcommand(error: clap::Error) -> clap::Error {
    let mut command = Cli::command();
    match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) if command.find_subcommand(word).is_none() => {
            let message = format!("unexpected argument '{word}' found behind NAMESPACE");
            command.error(ErrorKind::UnknownArgument, message)
        }
        _ => error,
    }
}

/// `-Towner` is `-T=owner`, also behind some of these flags: `-nTowner`. Only a
/// value that is attached is one of -T.
fn attach(word: OsString, flags: &str) -> OsString {
    let letters = word.to_str().and_then(|word| word.strip_prefix('-'));
    match letters.and_then(|letters| letters.split_once('T')) {
        Some((before, value))
            if before.chars().all(|flag| flags.contains(flag))
                && value.starts_with(|first: char| first.is_ascii_lowercase()) =>
        {
            format!("-{before}T={value}").into()
        }
        _ => word,
    }
}

#[derive(Debug, Args)]
pub(crate) struct CaptureArgs {
    /// Where to write; it must be empty or not there yet
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,

    /// Only these processes
    #[arg(short, long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pid: Vec<Pid>,

    #[command(flatten)]
    pub(crate) root: RootArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RootArgs {
    /// Read DIR/proc and DIR/etc/passwd instead of the running system
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) sysroot: Option<PathBuf>,
}

fn kind_parser() -> impl TypedValueParser<Value = Kind> {
    let names = Kind::ALL.iter().map(|kind| PossibleValue::new(kind.name()));
    clap::builder::PossibleValuesParser::new(names).try_map(|name| name.parse())
}

fn yes_or_no() -> impl TypedValueParser<Value = bool> {
    let words = ["yes", "no"].map(PossibleValue::new);
    clap::builder::PossibleValuesParser::new(words).map(|word| word == "yes")
}

fn sources_parser() -> impl TypedValueParser<Value = Sources> {
    let sources = Source::ALL
        .iter()
        .filter(|source| source.finds_namespaces());
    let names = sources.map(|source| source.name()).chain(["all"]);
    clap::builder::PossibleValuesParser::new(names.map(PossibleValue::new)).map(|name| {
        // No single source has the name "all".
        name.parse().map_or_else(|_| Sources::all(), Sources::of)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relation_may_be_attached_to_its_letter() {
        let attached = |word: &str| attach(word.into(), "nJ").into_string().unwrap();
        assert_eq!(attached("-Towner"), "-T=owner");
        assert_eq!(attached("-nJTparent"), "-nJT=parent");
        for word in [
            "-T", "-T=owner", "-nT", "--Tx", "-oTx", "-TJ", "Towner", "-", "--",
        ] {
            assert_eq!(attached(word), word);
        }
    }
}
