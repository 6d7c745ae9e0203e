//! What users may type.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::analysis::picture::ViewKind;
use crate::model::{Kind, Member, Pid, Source, Sources};
use crate::output::{GraphFormat, JsonLayout};
use crate::query::Relation;

/// List Linux namespaces, their processes and owners
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
    /// Find the namespace, container and process behind a port, an address, an
    /// interface, a mount, a PID or a name
    Find(FindArgs),
    /// Show what keeps a namespace alive
    Holders(HoldersArgs),
    /// Compare the namespaces of processes or containers; exit with 1 if any differ
    Compare(CompareArgs),
    /// Compare the namespaces of two times; exit with 1 if any differ
    Diff(DiffArgs),
    /// List containers and the namespaces they share with the host
    Containers(ContainersArgs),
    /// Translate a PID between PID namespaces
    Translate(TranslateArgs),
    /// Show namespace counts against their limits
    Limits(LimitsArgs),
    /// Write numbers for Prometheus
    Metrics(MetricsArgs),
    /// List namespaces that nothing seems to need, or that a command left behind;
    /// exit with 1 if there are any
    Leaks(LeaksArgs),
    /// Run a command in each of some namespaces
    Exec(ExecArgs),
    /// Show namespaces as they appear, are entered, lose their last process and end
    Watch(WatchArgs),
    /// Draw who is in which namespaces, as a web page, a graphic or a graph
    Graph(GraphArgs),
    /// Save a snapshot for --sysroot
    Capture(CaptureArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// List the processes in this namespace: an inode number,
    /// net:[4026532000], a path such as /run/netns/blue, or the name of a
    /// container, net namespace or interface; or the namespaces of this PID
    #[arg(conflicts_with = "pid", value_hint = ValueHint::FilePath)]
    pub(crate) namespace: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// Show these columns; +LIST adds to the default
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

    /// List the available columns and exit
    #[arg(short = 'H', long)]
    pub(crate) list_columns: bool,

    /// Join the values of a cell with commas instead of showing one per line
    #[arg(short = 'W', long)]
    pub(crate) nowrap: bool,

    /// Show a flat list, the default except for the processes of NAMESPACE
    #[arg(short, long, conflicts_with = "tree")]
    pub(crate) list: bool,

    /// Show a tree by owner, parent or process [default: owner]
    #[arg(short = 'T', long, value_name = "RELATION", num_args = 0..=1, require_equals = true, default_missing_value = "owner")]
    pub(crate) tree: Option<Tree>,

    /// Guess the namespaces of unreadable processes
    #[arg(long, conflicts_with_all = ["pid", "namespace"])]
    pub(crate) infer: bool,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

/// Which namespaces, beside one that is named.
#[derive(Debug, Args)]
pub(crate) struct SelectArgs {
    /// Only the namespaces of this process and of its future children; or of the
    /// first process of a container, or in a net namespace
    #[arg(short, long, visible_alias = "task")]
    pub(crate) pid: Option<String>,

    /// Only namespaces of these types
    #[arg(short = 't', long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = kind_parser())]
    pub(crate) types: Vec<Kind>,

    /// Only namespaces without processes
    #[arg(short = 'P', long, conflicts_with_all = ["pid", "namespace"])]
    pub(crate) persistent: bool,

    /// Only rows that match, such as 'TYPE == "net" and NPROCS > 1'
    #[arg(short = 'Q', long, value_name = "EXPR")]
    pub(crate) filter: Option<String>,

    /// Only namespaces of this container: its name, its ID, the start of its ID, a
    /// PID in it, or its net namespace or interface
    #[arg(long, value_name = "CONTAINER")]
    pub(crate) container: Option<String>,

    /// Only namespaces of the host, or only others
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no())]
    pub(crate) host: Option<bool>,

    /// Look for namespaces only in these places
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = sources_parser())]
    pub(crate) sources: Vec<Sources>,
}

#[derive(Debug, Args)]
pub(crate) struct ExecArgs {
    /// Run the command in this namespace: an inode number, net:[4026532000], a
    /// path such as /run/netns/blue, or a name; or in those of this PID
    #[arg(conflicts_with = "pid", value_hint = ValueHint::AnyPath)]
    pub(crate) namespace: Option<PathBuf>,

    /// The command and its arguments; {} becomes the name of the namespace, {ns}
    /// its number and {pid} its lowest PID
    #[arg(last = true, required = true, num_args = 1.., value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// Run up to N commands at once
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: u16,

    /// Enter the namespaces of all types of the process with the lowest PID, mnt,
    /// pid and user included
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FindArgs {
    /// :8080, tcp:8080, 10.0.0.2:8080, unix:/run/x.sock, @name, 10.88.0.2,
    /// 10.88.0.0/16, veth3cbe7a1, a MAC address, /dev/dm-3, /mnt/data, 8:17, a PID,
    /// a command, user:NAME, a container, pod or unit, the name, number or path of a
    /// namespace
    #[arg(required = true, value_name = "THING", value_hint = ValueHint::AnyPath)]
    pub(crate) things: Vec<String>,

    /// Show a command line that enters the namespace
    #[arg(long)]
    pub(crate) enter: bool,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HoldersArgs {
    /// The namespace: an inode number, net:[4026532000], a path, or the name of a
    /// net namespace or interface
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(crate) namespace: PathBuf,

    /// Follow holders recursively to processes
    #[arg(long)]
    pub(crate) chain: bool,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Processes by PID; containers by name, ID, or the start of their ID; net
    /// namespaces and interfaces by name
    #[arg(required = true, num_args = 2.., value_name = "PID|CONTAINER")]
    pub(crate) subjects: Vec<String>,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// What was before: a directory written by nsls capture, or a file written by
    /// nsls --json
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) old: PathBuf,

    /// What came after, in the same form; by default the system as it is now
    #[arg(value_hint = ValueHint::FilePath, conflicts_with_all = ["sysroot", "bpf"])]
    pub(crate) new: Option<PathBuf>,

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
    /// The PID of a process, here or in the namespace given with --from; here, also
    /// the name of a container, net namespace or interface
    pub(crate) pid: String,

    /// The PID namespace or container in which the process has this PID
    #[arg(long, value_name = "NAMESPACE|CONTAINER", value_hint = ValueHint::AnyPath)]
    pub(crate) from: Option<String>,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LimitsArgs {
    /// List the namespaces that count against this user, a name or a UID
    #[arg(long, value_name = "USER")]
    pub(crate) why: Option<String>,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    /// Replace this file at once instead of writing to standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LeaksArgs {
    /// Run this command with its arguments, and list the namespaces that came
    /// meanwhile and remain
    #[arg(last = true, num_args = 1.., value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,

    /// Only namespaces of these types
    #[arg(short = 't', long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = kind_parser())]
    pub(crate) types: Vec<Kind>,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Only namespaces of these types
    #[arg(short = 't', long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = kind_parser())]
    pub(crate) types: Vec<Kind>,

    /// Only namespaces whose row matches, such as 'UID >= 1000'
    #[arg(short = 'Q', long, value_name = "EXPR")]
    pub(crate) filter: Option<String>,

    /// Only namespaces of this container: its name, its ID, or the start of its ID
    #[arg(long, value_name = "CONTAINER")]
    pub(crate) container: Option<String>,

    /// End after so many events, after a time (500ms, 10s, 5m, 2h), or after the
    /// first event of a namespace whose row matches
    #[arg(long, value_name = "EXPR|DURATION|COUNT")]
    pub(crate) until: Option<String>,

    /// Scan at this interval (500ms, 10s, 5m, 2h) [default: 1s without perf events,
    /// else as seldom as is safe]
    #[arg(long, value_name = "DURATION")]
    pub(crate) interval: Option<String>,

    /// Run this command for each event, which its environment describes. It
    /// extends to the end of the line, or to a lone ;
    #[arg(long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true, value_terminator = ";", value_hint = ValueHint::CommandName)]
    pub(crate) exec: Vec<OsString>,

    /// Have a buffer of so many pages, a power of two, for the records of each CPU
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub(crate) ring_pages: Option<u32>,

    /// Write JSON, one object a line
    #[arg(short = 'J', long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) color: ColorArgs,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// Draw this file, written by nsls --json, instead of the running system
    #[arg(value_hint = ValueHint::FilePath, conflicts_with_all = ["sysroot", "bpf"])]
    pub(crate) file: Option<PathBuf>,
    /// The format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) format: Picture,
    /// Only this view; svg shows one [default: matrix]
    #[arg(long, value_name = "VIEW", value_parser = view_parser())]
    pub(crate) view: Option<ViewKind>,
    /// Replace this file at once instead of writing to standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CaptureArgs {
    /// The directory to write, which must be empty or not exist
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,

    /// Only these processes
    #[arg(short, long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pid: Vec<Pid>,

    #[command(flatten)]
    pub(crate) root: RootArgs,
}

/// How to write the result. All commands that show something share these.
#[derive(Debug, Args)]
pub(crate) struct ViewArgs {
    /// Write JSON, indented or on one line; or one object a line for each row
    #[arg(short = 'J', long, value_name = "FORMAT", conflicts_with = "raw", num_args = 0..=1, require_equals = true)]
    pub(crate) json: Option<Option<Json>>,

    /// Machine-readable output, one row per line
    #[arg(short, long)]
    pub(crate) raw: bool,

    /// Omit the line of column names
    #[arg(short, long)]
    pub(crate) noheadings: bool,

    /// Do not truncate commands to the width of the terminal
    #[arg(short = 'u', long)]
    pub(crate) notruncate: bool,

    #[command(flatten)]
    pub(crate) color: ColorArgs,

    /// Make links of paths [default: never; without WHEN: auto]
    #[arg(long, value_name = "WHEN", num_args = 0..=1, default_missing_value = "auto")]
    pub(crate) hyperlink: Option<When>,

    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

impl ViewArgs {
    /// Returns those of a command that has no formats to choose from.
    pub(crate) fn plain(scan: ScanArgs) -> Self {
        ViewArgs {
            json: None,
            raw: false,
            noheadings: false,
            notruncate: false,
            color: ColorArgs {
                color: Some(When::Never),
            },
            hyperlink: None,
            scan,
        }
    }
}

/// Whether to show colours.
#[derive(Debug, Args)]
pub(crate) struct ColorArgs {
    /// Show colours [default: auto; without WHEN: always]
    #[arg(long, alias = "colour", value_name = "WHEN", num_args = 0..=1, default_missing_value = "always")]
    pub(crate) color: Option<When>,
}

/// A value of `--color` and `--hyperlink`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

impl When {
    /// Returns whether it is time, which `auto` leaves to others.
    pub(crate) const fn is_now(self, auto: bool) -> bool {
        match self {
            When::Auto => auto,
            When::Always => true,
            When::Never => false,
        }
    }
}

/// Where to look, and what to make of what could not be seen.
#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    /// Exit with 3 if the view is incomplete
    #[arg(long)]
    pub(crate) strict: bool,

    /// Ask the kernel itself about processes and open files, by BPF iterators
    #[arg(long, conflicts_with = "sysroot")]
    pub(crate) bpf: bool,

    #[command(flatten)]
    pub(crate) root: RootArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RootArgs {
    /// Read DIR/proc and DIR/etc/passwd instead of the running system
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) sysroot: Option<PathBuf>,
}

/// A value of `--json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Json {
    #[default]
    Pretty,
    Compact,
    Lines,
}

impl From<Json> for JsonLayout {
    fn from(json: Json) -> Self {
        match json {
            Json::Pretty => JsonLayout::Pretty,
            Json::Compact => JsonLayout::Compact,
            Json::Lines => JsonLayout::Lines,
        }
    }
}

/// A value of `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Picture {
    /// A page with all views, which needs no network and no scripts
    #[default]
    Html,
    /// A vector graphic
    Svg,
    /// A graph for Graphviz
    Dot,
    /// A chart for Markdown
    Mermaid,
}

impl From<Picture> for GraphFormat {
    fn from(picture: Picture) -> Self {
        match picture {
            Picture::Html => GraphFormat::Html,
            Picture::Svg => GraphFormat::Svg,
            Picture::Dot => GraphFormat::Dot,
            Picture::Mermaid => GraphFormat::Mermaid,
        }
    }
}

/// A value of `--tree`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tree {
    Owner,
    Parent,
    Process,
}

impl From<Tree> for Relation {
    fn from(tree: Tree) -> Self {
        match tree {
            Tree::Owner => Relation::Owner,
            Tree::Parent => Relation::Parent,
            Tree::Process => Relation::Process,
        }
    }
}

fn kind_parser() -> impl TypedValueParser<Value = Kind> {
    let names = Kind::ALL.iter().map(|kind| PossibleValue::new(kind.name()));
    PossibleValuesParser::new(names).try_map(|name| name.parse())
}

fn view_parser() -> impl TypedValueParser<Value = ViewKind> {
    let names = ViewKind::ALL.iter().map(|view| view.name());
    PossibleValuesParser::new(names.map(PossibleValue::new)).try_map(|name| name.parse())
}

fn yes_or_no() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new(["yes", "no"]).map(|word| word == "yes")
}

fn sources_parser() -> impl TypedValueParser<Value = Sources> {
    let names = Source::ALL
        .iter()
        .filter(|source| source.finds_namespaces())
        .map(|source| source.name())
        .chain(["all"]);
    PossibleValuesParser::new(names.map(PossibleValue::new)).map(|name| {
        // No single source has the name "all".
        name.parse().map_or_else(|_| Sources::all(), Sources::of)
    })
}
