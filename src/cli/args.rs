//! What users may type.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::analysis::picture::ViewKind;
use crate::cli::help::examples;
use crate::model::{Kind, Member, Pid, Source, Sources, UnknownName};
use crate::output::{GraphFormat, JsonLayout};
use crate::query::{Grouping, Relation};
use crate::text::parse_digits;

// The groups of options in help. Each struct of options names the group of its own.
pub(super) const SELECT: &str = "Select";
pub(super) const SHOW: &str = "Show";
pub(super) const LOOK: &str = "Look";
pub(super) const OUTPUT: &str = "Output";

/// List Linux namespaces, their processes and owners
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    args_override_self = true,
    infer_long_args = true,
    override_usage = "nsls [OPTIONS] [NAMESPACE]\n       nsls COMMAND [OPTIONS] [ARGUMENTS]",
    after_long_help = examples::LIST
)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Write the man page or a completion script
    ///
    /// Redirect it to where your system looks for such files, as in
    /// nsls --generate complete-bash > ~/.local/share/bash-completion/completions/nsls
    #[arg(long, value_name = "WHAT", exclusive = true, hide_short_help = true)]
    pub(crate) generate: Option<Generate>,

    #[command(flatten)]
    pub(crate) list: ListArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find what has a port, an address, a mount, a PID or a name
    ///
    /// Shows the namespace, the container and the process behind each THING.
    Find(FindArgs),
    /// Show what keeps a namespace alive
    Holders(HoldersArgs),
    /// Compare the namespaces of processes or containers
    ///
    /// Exits with 1 if any differ.
    Compare(CompareArgs),
    /// Compare the namespaces of two times
    ///
    /// Exits with 1 if any differ.
    Diff(DiffArgs),
    /// List containers and the namespaces they share with the host
    Containers(ContainersArgs),
    /// Translate a PID between pid namespaces
    Translate(TranslateArgs),
    /// Show how near the limits of namespaces are
    Limits(LimitsArgs),
    /// Write numbers for Prometheus
    Metrics(MetricsArgs),
    /// List namespaces that nothing needs, or a command left behind
    ///
    /// Exits with 1 if there are any.
    Leaks(LeaksArgs),
    /// Run a command in each of some namespaces
    Exec(ExecArgs),
    /// Watch namespaces come, change and go
    ///
    /// Shows them as they appear, are entered, lose their last process and end, and who
    /// did it.
    Watch(WatchArgs),
    /// Draw who is in which namespaces
    ///
    /// The picture is a web page, a graphic or a graph.
    Graph(GraphArgs),
    /// Save a snapshot for --sysroot
    Capture(CaptureArgs),
    /// Explain a type, column, gap, holder or source
    ///
    /// Without WORD, shows an overview of the types of namespaces.
    Explain(ExplainArgs),
    /// Print names for completions
    #[command(name = "__complete", hide = true)]
    Complete(CompleteArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// List the processes in this namespace
    ///
    /// It is an inode number, net:[4026532000], a path such as /run/netns/blue, or
    /// the name of a container, net namespace or interface. A PID lists the
    /// namespaces of that process.
    #[arg(conflicts_with = "pid", value_hint = ValueHint::FilePath)]
    pub(crate) namespace: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// Guess the namespaces of unreadable processes
    #[arg(long, conflicts_with_all = ["pid", "namespace"], help_heading = LOOK)]
    pub(crate) infer: bool,

    #[command(flatten)]
    pub(crate) show: ShowArgs,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

/// What to show of the namespaces in a listing.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = SHOW)]
pub(crate) struct ShowArgs {
    /// Show columns; +LIST adds to the default
    #[arg(short, long, value_name = "LIST", allow_hyphen_values = true)]
    pub(crate) output: Option<OsString>,

    /// Show all columns, unless -o names some
    #[arg(long, hide_short_help = true)]
    pub(crate) output_all: bool,

    /// List the available columns and exit
    #[arg(short = 'H', long)]
    pub(crate) list_columns: bool,

    /// Sort by these columns
    ///
    /// -COLUMN puts the largest first. Rows without a value come last.
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub(crate) sort: Option<OsString>,

    /// Put rows under headings
    ///
    /// There is a heading for each container, type or user.
    #[arg(long, value_name = "BY", conflicts_with_all = ["tree", "json", "raw"])]
    pub(crate) group: Option<Group>,

    /// Show a flat list
    ///
    /// This is the default except for the processes of NAMESPACE.
    #[arg(short, long, conflicts_with = "tree", hide_short_help = true)]
    pub(crate) list: bool,

    /// Show a tree by owner, parent or process
    ///
    /// Without RELATION, by owner.
    #[arg(short = 'T', long, value_name = "RELATION", num_args = 0..=1, require_equals = true, default_missing_value = "owner")]
    pub(crate) tree: Option<Tree>,

    /// Join the values of a cell with commas
    ///
    /// By default a cell shows one per line.
    #[arg(short = 'W', long, hide_short_help = true)]
    pub(crate) nowrap: bool,
}

/// Which namespaces, beside one that is named.
#[derive(Debug, Args)]
#[command(next_help_heading = SELECT)]
pub(crate) struct SelectArgs {
    /// Only the namespaces of this process
    ///
    /// Those of its future children are included. The name of a container, or of a
    /// net namespace, stands for the first process in it.
    #[arg(short, long, visible_alias = "task")]
    pub(crate) pid: Option<String>,

    #[command(flatten)]
    pub(crate) types: TypesArgs,

    /// Only namespaces without processes
    #[arg(short = 'P', long, conflicts_with_all = ["pid", "namespace"])]
    pub(crate) persistent: bool,

    /// Only rows that match, such as 'NPROCS > 1'
    ///
    /// EXPR joins comparisons of columns by and, or, not and parentheses: == != <
    /// <= > >= compare, =~ and !~ match a regular expression.
    #[arg(short = 'Q', long, value_name = "EXPR")]
    pub(crate) filter: Option<String>,

    /// Only namespaces of this container
    ///
    /// It is its name, its ID, the start of its ID, a PID in it, or its net
    /// namespace or interface.
    #[arg(long, value_name = "CONTAINER")]
    pub(crate) container: Option<String>,

    /// Only namespaces of the host, or only others
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no(), hide_possible_values = true)]
    pub(crate) host: Option<bool>,

    /// Look for namespaces only in these places
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = sources_parser(), hide_short_help = true, help_heading = LOOK)]
    pub(crate) sources: Vec<Sources>,
}

/// Which types of namespaces.
#[derive(Debug, Args)]
pub(crate) struct TypesArgs {
    /// Only mnt net ipc user pid uts cgroup time
    ///
    /// Several are joined by commas. Capitals do not matter, and mount and network
    /// mean mnt and net.
    #[arg(short = 't', long = "type", value_name = "TYPE", value_delimiter = ',', ignore_case = true, value_parser = kind_parser(), hide_possible_values = true, help_heading = SELECT)]
    pub(crate) types: Vec<Kind>,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::EXEC)]
pub(crate) struct ExecArgs {
    /// Run the command in this namespace
    ///
    /// It is an inode number, net:[4026532000], a path such as /run/netns/blue, or a
    /// name. A PID stands for the namespaces of that process.
    #[arg(conflicts_with = "pid", value_hint = ValueHint::AnyPath)]
    pub(crate) namespace: Option<PathBuf>,

    /// The command and its arguments
    ///
    /// {} becomes the name of the namespace, {ns} its number and {pid} its lowest
    /// PID.
    #[arg(last = true, required = true, num_args = 1.., value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,

    /// Run up to N commands at once
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = number(1..=256), hide_default_value = true)]
    pub(crate) jobs: u32,

    /// Enter all namespaces of the lowest PID
    ///
    /// By default only the selected namespace is entered. mnt, pid and user are
    /// included.
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::FIND)]
pub(crate) struct FindArgs {
    /// :8080, 10.88.0.2, veth3cbe7a1, /mnt/data, a PID, a name
    ///
    /// Or tcp:8080, 10.0.0.2:8080, unix:/run/x.sock, @name, 10.88.0.0/16, a MAC
    /// address, /dev/dm-3, 8:17, a command, user:NAME, a container, pod or unit, the
    /// name, number or path of a namespace.
    #[arg(required = true, value_name = "THING", value_hint = ValueHint::AnyPath)]
    pub(crate) things: Vec<String>,

    /// Show a command that enters the namespace
    #[arg(long)]
    pub(crate) enter: bool,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::HOLDERS)]
pub(crate) struct HoldersArgs {
    /// The namespace: a number, a path or a name
    ///
    /// It is an inode number, net:[4026532000], a path, or the name of a container,
    /// net namespace or interface.
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(crate) namespace: PathBuf,

    /// Follow holders recursively to processes
    #[arg(long)]
    pub(crate) chain: bool,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::COMPARE)]
pub(crate) struct CompareArgs {
    /// Processes by PID, containers by name or ID
    ///
    /// The start of an ID is enough. Net namespaces and interfaces may be named,
    /// too.
    #[arg(required = true, num_args = 2.., value_name = "PID|CONTAINER")]
    pub(crate) subjects: Vec<String>,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::DIFF)]
pub(crate) struct DiffArgs {
    /// What was before
    ///
    /// It is a directory written by nsls capture, or a file written by nsls --json.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) old: PathBuf,

    /// What came after; by default the system now
    #[arg(value_hint = ValueHint::FilePath, conflicts_with_all = ["sysroot", "bpf"])]
    pub(crate) new: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::CONTAINERS)]
pub(crate) struct ContainersArgs {
    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::TRANSLATE)]
pub(crate) struct TranslateArgs {
    /// The PID of a process, here or as --from says
    ///
    /// Without --from, also the name of a container, net namespace or interface.
    pub(crate) pid: String,

    /// Where the process has this PID
    ///
    /// It is a pid namespace or a container.
    #[arg(long, value_name = "NAMESPACE|CONTAINER", value_hint = ValueHint::AnyPath)]
    pub(crate) from: Option<String>,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::LIMITS)]
pub(crate) struct LimitsArgs {
    /// List what counts against this user
    ///
    /// USER is a name or a UID.
    #[arg(long, value_name = "USER")]
    pub(crate) why: Option<String>,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::METRICS)]
pub(crate) struct MetricsArgs {
    /// Replace this file at once
    ///
    /// By default the numbers go to standard output.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::LEAKS)]
pub(crate) struct LeaksArgs {
    /// Run this, and list what namespaces it left behind
    #[arg(last = true, num_args = 1.., value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,

    #[command(flatten)]
    pub(crate) types: TypesArgs,

    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::WATCH)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub(crate) types: TypesArgs,

    /// Only namespaces whose row matches
    ///
    /// EXPR is written as for nsls --filter, such as 'UID >= 1000'.
    #[arg(short = 'Q', long, value_name = "EXPR", help_heading = SELECT)]
    pub(crate) filter: Option<String>,

    /// Only namespaces of this container
    ///
    /// It is its name, its ID, or the start of its ID.
    #[arg(long, value_name = "CONTAINER", help_heading = SELECT)]
    pub(crate) container: Option<String>,

    /// End after so many events, a time or a match
    ///
    /// END is a number of events, a time (500ms, 10s, 5m, 2h), or an expression as
    /// for --filter: then the first event of a namespace whose row matches is the
    /// last.
    #[arg(long, value_name = "END")]
    pub(crate) until: Option<String>,

    /// Scan at this interval: 500ms, 10s, 5m, 2h
    ///
    /// By default every second without perf events, and else as seldom as is safe.
    #[arg(long, value_name = "DURATION")]
    pub(crate) interval: Option<String>,

    /// Run this command for each event
    ///
    /// Its environment describes the event. The command extends to the end of the
    /// line, or to a lone ;
    #[arg(long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true, value_terminator = ";", value_hint = ValueHint::CommandName)]
    pub(crate) exec: Vec<OsString>,

    /// Buffer so many pages of records for each CPU
    ///
    /// N is a power of two.
    #[arg(long, value_name = "N", value_parser = number(1..=65536))]
    pub(crate) ring_pages: Option<u32>,

    /// Write JSON, one object a line
    #[arg(short = 'J', long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "lines", value_parser = ["lines"], help_heading = OUTPUT)]
    pub(crate) json: Option<String>,

    #[command(flatten)]
    pub(crate) color: ColorArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::GRAPH)]
pub(crate) struct GraphArgs {
    /// Draw this file, written by nsls --json
    ///
    /// Without it, the running system or that of --sysroot.
    #[arg(value_hint = ValueHint::FilePath, conflicts_with_all = ["sysroot", "bpf"])]
    pub(crate) file: Option<PathBuf>,

    /// The format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = OUTPUT)]
    pub(crate) format: Picture,

    /// Only this view; svg shows one
    ///
    /// By default, svg shows the matrix.
    #[arg(long, value_name = "VIEW", value_parser = view_parser(), help_heading = SHOW)]
    pub(crate) view: Option<ViewKind>,

    /// Replace this file at once
    ///
    /// Without it, the picture is written to standard output.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = OUTPUT)]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::CAPTURE)]
pub(crate) struct CaptureArgs {
    /// The directory to write, empty or not there yet
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,

    /// Only these processes
    #[arg(short, long, value_delimiter = ',', value_parser = number(1..=Pid::MAX))]
    pub(crate) pid: Vec<Pid>,

    /// Show no progress on a terminal
    #[arg(short, long)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) root: RootArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::EXPLAIN)]
pub(crate) struct ExplainArgs {
    /// What to explain, such as net, HOLDERS, denied or fds
    ///
    /// If it is several things, all are explained, unless type, column, gap, holder
    /// or source stands before it.
    #[arg(value_name = "WORD", num_args = 0..=2)]
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CompleteArgs {
    /// What to name
    pub(crate) what: Names,

    #[command(flatten)]
    pub(crate) root: RootArgs,
}

/// How to write the result. All commands that show something share these.
#[derive(Debug, Args)]
#[command(next_help_heading = OUTPUT)]
pub(crate) struct ViewArgs {
    /// Write JSON
    ///
    /// pretty is indented, compact is one line, lines is one object a line for each
    /// row.
    #[arg(short = 'J', long, value_name = "FORMAT", conflicts_with = "raw", num_args = 0..=1, require_equals = true)]
    pub(crate) json: Option<Option<Json>>,

    /// Write rows for scripts, one per line
    #[arg(short, long)]
    pub(crate) raw: bool,

    /// Omit the line of column names
    #[arg(short, long)]
    pub(crate) noheadings: bool,

    /// Do not cut text to the terminal's width
    #[arg(short = 'u', long)]
    pub(crate) notruncate: bool,

    /// Show each row as a block, one column a line
    #[arg(long, conflicts_with_all = ["json", "raw", "noheadings"])]
    pub(crate) vertical: bool,

    #[command(flatten)]
    pub(crate) color: ColorArgs,

    /// Make links of paths
    ///
    /// The default is never; without WHEN, auto.
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
            vertical: false,
            scan,
        }
    }
}

/// Whether to show colours.
#[derive(Debug, Args)]
#[command(next_help_heading = OUTPUT)]
pub(crate) struct ColorArgs {
    /// Show colours: auto, always, never
    ///
    /// The default is auto; without WHEN, always.
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
#[command(next_help_heading = LOOK)]
pub(crate) struct ScanArgs {
    /// Exit with 3 if the view is incomplete
    #[arg(long)]
    pub(crate) strict: bool,

    /// Report also what hides nothing
    ///
    /// Zombies, for example, which are in JSON anyway.
    #[arg(short, long, hide_short_help = true)]
    pub(crate) verbose: bool,

    /// Ask the kernel itself, by BPF iterators
    ///
    /// It tells of processes and open files, faster than /proc, and of what that
    /// does not show.
    #[arg(long, conflicts_with = "sysroot", hide_short_help = true)]
    pub(crate) bpf: bool,

    /// Show no counts and no progress on a terminal
    #[arg(short, long)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) root: RootArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = LOOK)]
pub(crate) struct RootArgs {
    /// Read a captured tree, not the running system
    ///
    /// nsls capture writes one. DIR/proc and DIR/etc/passwd are read.
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

/// A value of `--group`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    Container,
    Type,
    User,
}

impl From<Group> for Grouping {
    fn from(group: Group) -> Self {
        match group {
            Group::Container => Grouping::Container,
            Group::Type => Grouping::Type,
            Group::User => Grouping::User,
        }
    }
}

/// A value of `--generate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Generate {
    Man,
    CompleteBash,
    CompleteZsh,
    CompleteFish,
}

/// What a completion asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Names {
    Containers,
    Namespaces,
    Topics,
}

/// Takes the kernel's name of a type, or the whole word for it.
fn kind_parser() -> impl TypedValueParser<Value = Kind> {
    fn value(kind: Kind) -> PossibleValue {
        let value = PossibleValue::new(kind.name());
        match kind {
            Kind::Mnt => value.alias("mount"),
            Kind::Net => value.alias("network"),
            _ => value,
        }
    }
    let values = Kind::ALL.iter().map(|kind| value(*kind));
    PossibleValuesParser::new(values).try_map(|word| {
        let mut kinds = Kind::ALL.iter();
        let named = kinds.find(|kind| value(**kind).matches(&word, true));
        named.copied().ok_or(UnknownName)
    })
}

/// Parses a number, and says which are possible.
fn number(
    range: RangeInclusive<u32>,
) -> impl Fn(&str) -> Result<u32, String> + Clone + Send + Sync + 'static {
    move |word| {
        let number = parse_digits(word).filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
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
