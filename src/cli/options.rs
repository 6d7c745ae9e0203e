//! What was typed, turned into what is meant. No clap below this line.

use std::ffi::OsStr;

use crate::cli::args::{ListArgs, RootArgs, Tree};
use crate::cli::error::CliError;
use crate::model::{Kind, KindSet, Sources};
use crate::proc::Sysroot;
use crate::query::{Column, Filter, Relation};
use crate::scan::{Need, Needs, NsRef, Target};

/// What to list, and how.
pub(crate) struct Options {
    /// Below which root to read.
    pub(crate) root: Sysroot,
    /// What to scan for.
    pub(crate) target: Target,
    /// Which types of namespaces.
    pub(crate) kinds: KindSet,
    /// Which rows of those.
    pub(crate) filter: Option<Filter>,
    /// In which container.
    pub(crate) container: Option<String>,
    /// Whether of the host, or not.
    pub(crate) host: Option<bool>,
    /// What to show of each row.
    pub(crate) columns: Vec<&'static Column>,
    /// What rows hang below, if a tree is shown.
    pub(crate) tree: Option<Relation>,
    /// Whether namespaces with processes are left out.
    pub(crate) persistent: bool,
    /// How to write.
    pub(crate) layout: Layout,
    /// Whether the names of the columns come first.
    pub(crate) headings: bool,
    /// Whether the columns themselves are listed.
    pub(crate) list_columns: bool,
    /// Where to look, if not everywhere.
    pub(crate) sources: Option<Sources>,
    /// Whether to infer what may not be read.
    pub(crate) infer: bool,
    /// Whether an incomplete view is a failure.
    pub(crate) strict: bool,
}

/// A format, before the width of the terminal is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A table; commands cut at the terminal's width, or not; several texts of
    /// a cell joined, or one a line.
    Table { cut: bool, join: bool },
    /// Words.
    Raw,
    /// JSON.
    Json,
}

/// The columns of a list of namespaces.
const NAMESPACES: &[&str] = &["NS", "TYPE", "NPROCS", "PID", "USER", "COMMAND"];
/// Those of a list of net namespaces alone.
const NET_NAMESPACES: &[&str] = &[
    "NS", "TYPE", "NPROCS", "PID", "USER", "NETNSID", "NSFS", "COMMAND",
];
/// Those for one process, which may lead to two namespaces of one type.
const OF_PROCESS: &[&str] = &["NS", "TYPE", "NPROCS", "PID", "USER", "LINKS", "COMMAND"];
/// Those of a list of processes.
const PROCESSES: &[&str] = &["PID", "PPID", "USER", "COMMAND"];

impl Options {
    /// Validates what was typed.
    pub(crate) fn new(args: ListArgs) -> Result<Self, CliError> {
        let target = match (args.namespace, args.pid) {
            (Some(word), _) => Target::Namespace(NsRef::from(word)),
            (None, Some(pid)) => Target::Process(pid),
            (None, None) => Target::All,
        };
        let layout = match (args.json, args.raw) {
            (true, _) => Layout::Json,
            (false, true) => Layout::Raw,
            (false, false) => Layout::Table {
                cut: !args.notruncate,
                join: args.nowrap,
            },
        };
        let kinds = args.types.into_iter().collect::<KindSet>();
        let columns = if args.output_all {
            Column::ALL.iter().collect()
        } else {
            let defaults = defaults(&target, kinds, layout)?;
            let mut columns = choose(args.output.as_deref(), &defaults)?;
            let inferred = column("INFERRED")?;
            if args.infer && !columns.contains(&inferred) {
                // What is inferred must never look like a fact. A command
                // comes last, for it may be long.
                let place = columns.len() - usize::from(columns.last() == defaults.last());
                columns.insert(place, inferred);
            }
            columns
        };
        let filter = args.filter.as_deref().map(Filter::parse).transpose();
        let filter = filter.map_err(CliError::Filter)?;
        let tree = match args.tree {
            None if args.list => None,
            None => matches!(target, Target::Namespace(_)).then_some(Tree::Process),
            tree => tree,
        };
        let tree = tree.and_then(|tree| relation(tree, &target, layout, &columns));
        Ok(Options {
            root: root(args.root),
            target,
            kinds: if kinds.is_empty() {
                KindSet::all()
            } else {
                kinds
            },
            filter,
            container: args.container,
            host: args.host,
            columns,
            tree,
            persistent: args.persistent,
            layout,
            headings: !args.noheadings,
            list_columns: args.list_columns,
            sources: args.sources.into_iter().reduce(Sources::union),
            infer: args.infer,
            strict: args.strict,
        })
    }

    /// The columns in which JSON shows the namespace whose processes are
    /// listed.
    pub(crate) fn namespace_columns(&self) -> Vec<&'static Column> {
        Column::usual().collect()
    }

    /// Whether a terminal shows namespaces of the host faintly: where one looks
    /// for those that a process has of its own.
    pub(crate) fn dims_host(&self) -> bool {
        matches!(
            (&self.target, self.layout),
            (Target::Process(_), Layout::Table { .. })
        )
    }

    /// What a scan has to collect for this; `host` if it is asked anyway which
    /// namespaces are the host's.
    pub(crate) fn needs(&self, host: bool) -> Needs {
        let mut columns = self.columns.clone();
        if self.layout == Layout::Json && matches!(self.target, Target::Namespace(_)) {
            columns.extend(self.namespace_columns());
        }
        columns.extend(self.filter.iter().flat_map(Filter::columns));
        let mut needs = match self.tree {
            Some(Relation::Owner | Relation::Parent) => Needs::of(Need::Relations),
            Some(Relation::Process) => Needs::of(Need::Ancestry),
            None => Needs::EMPTY,
        };
        for column in columns {
            needs = needs.union(column.needs());
        }
        if host || self.host.is_some() {
            needs.insert(Need::Host);
        }
        if self.container.is_some() {
            needs.insert(Need::Affiliation);
        }
        if self.infer {
            needs.insert(Need::Inference);
        }
        needs
    }
}

/// The root that was named, or the running system.
pub(crate) fn root(args: RootArgs) -> Sysroot {
    args.sysroot.map_or_else(Sysroot::live, Sysroot::at)
}

/// What rows hang below in what is written. JSON is flat; processes hang below
/// processes, and only where a command shows it.
fn relation(
    tree: Tree,
    target: &Target,
    layout: Layout,
    columns: &[&'static Column],
) -> Option<Relation> {
    let has_command = columns.iter().any(|column| column.name == "COMMAND");
    match (tree, target) {
        _ if layout == Layout::Json => None,
        (Tree::Process, _) => has_command.then_some(Relation::Process),
        (_, Target::Namespace(_)) => None,
        (Tree::Owner, _) => Some(Relation::Owner),
        (Tree::Parent, _) => Some(Relation::Parent),
    }
}

/// The columns that are shown if none are asked for. JSON holds all that a
/// scan knows anyway.
fn defaults(
    target: &Target,
    kinds: KindSet,
    layout: Layout,
) -> Result<Vec<&'static Column>, CliError> {
    let names = match target {
        Target::Namespace(_) => PROCESSES,
        _ if layout == Layout::Json => return Ok(Column::usual().collect()),
        Target::Process(_) => OF_PROCESS,
        Target::All if kinds == KindSet::of(Kind::Net) => NET_NAMESPACES,
        Target::All => NAMESPACES,
    };
    names.iter().map(|name| column(name)).collect()
}

/// Reads a list of columns: `NS,TYPE`, or `+PATH` for some more than the
/// default.
fn choose(
    list: Option<&OsStr>,
    defaults: &[&'static Column],
) -> Result<Vec<&'static Column>, CliError> {
    let Some(list) = list else {
        return Ok(defaults.to_vec());
    };
    let list = list.to_string_lossy();
    let (mut columns, names) = match list.strip_prefix('+') {
        Some(more) => (defaults.to_vec(), more),
        None => (Vec::new(), &*list),
    };
    if names.is_empty() {
        return Err(CliError::Usage(
            "no columns given (--list-columns shows them all)".to_owned(),
        ));
    }
    for name in names.split(',') {
        let column = column(name)?;
        // JSON cannot have a key twice, and a table need not.
        if !columns.iter().any(|known| known.name == column.name) {
            columns.push(column);
        }
    }
    Ok(columns)
}

fn column(name: &str) -> Result<&'static Column, CliError> {
    name.trim()
        .parse()
        .map_err(|error: crate::query::UnknownColumn| CliError::Usage(error.to_string()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use proptest::prelude::*;

    use super::*;
    use crate::cli::args::Cli;
    use crate::scan::Need;

    fn names(list: &str) -> Result<Vec<&'static str>, String> {
        let defaults = [column("NS").unwrap(), column("PID").unwrap()];
        choose(Some(OsStr::new(list)), &defaults)
            .map(|columns| columns.iter().map(|column| column.name).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn columns_are_named_in_any_case_and_shown_once() {
        assert_eq!(names("user,Ns,USER"), Ok(vec!["USER", "NS"]));
        assert_eq!(names("+path,ns"), Ok(vec!["NS", "PID", "PATH"]));
    }

    #[test]
    fn a_list_that_names_no_column_is_refused() {
        let none = "no columns given (--list-columns shows them all)".to_owned();
        assert_eq!(names(""), Err(none.clone()));
        assert_eq!(names("+"), Err(none));
        let unknown = |name| format!("unknown column '{name}' (--list-columns shows them all)");
        assert_eq!(names("NS,,PID"), Err(unknown("")));
        assert_eq!(names("NS,FOO"), Err(unknown("FOO")));
        assert_eq!(names("NS,inode"), Err(unknown("inode")));
    }

    #[test]
    fn a_name_with_a_slip_in_it_is_answered_with_the_right_one() {
        let unknown = |name, nearest| Err(format!("unknown column '{name}', nearest is {nearest}"));
        assert_eq!(names("NS,+PID"), unknown("+PID", "PID"));
        assert_eq!(names("nproc"), unknown("nproc", "NPROCS"));
        assert_eq!(names("COMMNAD"), unknown("COMMNAD", "COMMAND"));
    }

    #[test]
    fn a_tree_costs_nothing_where_none_is_drawn() {
        let needs = |line: &str| {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            Options::new(cli.list).unwrap().needs(false)
        };
        assert_eq!(needs("nsls -o NS -T"), Needs::of(Need::Relations));
        assert_eq!(needs("nsls -o NS -T=parent"), Needs::of(Need::Relations));
        let both = [Need::Ancestry, Need::Command].into_iter().collect();
        assert_eq!(needs("nsls -o COMMAND -T=process"), both);
        assert_eq!(needs("nsls -o COMMAND 1"), both);
        for line in [
            "nsls -o NS -T -J",
            "nsls -o PID -T=process",
            "nsls -o PID 1",
            "nsls -o PID -T=owner 1",
        ] {
            assert_eq!(needs(line), Needs::EMPTY, "{line}");
        }
    }

    #[test]
    fn a_filter_adds_what_its_columns_need_and_no_more() {
        let needs = |line: &str| {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            Options::new(cli.list).unwrap().needs(false)
        };
        assert_eq!(needs("nsls -o NS -Q NPROCS>1"), Needs::EMPTY);
        assert_eq!(needs("nsls -o NS -Q PPID"), Needs::of(Need::ParentProcess));
        let both = [Need::Uid, Need::Command].into_iter().collect();
        assert_eq!(needs("nsls -o UID -Q PID&&!COMMAND"), both);
    }

    proptest! {
        #[test]
        fn any_list_is_read_or_refused(list: String) {
            let _ = names(&list);
        }
    }
}
