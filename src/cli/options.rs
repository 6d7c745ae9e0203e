//! What users mean. clap ends here.

use crate::analysis::{self, RunningContainer};
use crate::cli::args::ListArgs;
use crate::cli::columns::{add_inferred, default_columns, parse_columns};
use crate::cli::error::CliError;
use crate::cli::resolve;
use crate::cli::terminal::Terminal;
use crate::cli::view::View;
use crate::error::Error;
use crate::model::{KindSet, Pid, Snapshot, Sources};
use crate::output::{Format, JsonLayout};
use crate::query::{Column, Filter, Relation};
use crate::scan::{Need, Needs, Target};

/// What to list.
pub(crate) struct Options {
    /// Where to read and how to write.
    pub(crate) view: View,
    /// What to scan for.
    pub(crate) target: Target,
    /// The process, if NAMESPACE is its PID.
    pub(crate) took_for_pid: Option<Pid>,
    /// The types of namespaces to list.
    pub(crate) kinds: KindSet,
    /// The places to look for namespaces; `None` for all that this kernel has.
    pub(crate) sources: Option<Sources>,
    /// Whether to group processes whose namespaces are unreadable.
    pub(crate) infer: bool,
    /// Whether to leave out namespaces with processes.
    pub(crate) persistent: bool,
    /// The condition that rows must meet.
    pub(crate) filter: Option<Filter>,
    /// The name of the container to which rows must belong.
    pub(crate) container: Option<String>,
    /// Whether rows must, or must not, belong to the host.
    pub(crate) host: Option<bool>,
    /// The columns to show.
    pub(crate) columns: Vec<&'static Column>,
    /// The relation that a tree shows; `None` for a flat list.
    pub(crate) tree: Option<Relation>,
    /// Whether to list the available columns and nothing else.
    pub(crate) list_columns: bool,
}

/// Returns the layout of JSON that libsmartcols, and so lsns, takes from the
/// environment.
fn layout_of_environment() -> Option<JsonLayout> {
    let value = std::env::var_os("LIBSMARTCOLS_JSON")?;
    match value.to_str()? {
        "compact" => Some(JsonLayout::Compact),
        "lines" => Some(JsonLayout::Lines),
        _ => None,
    }
}

impl Options {
    /// Validates the arguments.
    pub(crate) fn new(args: ListArgs, terminal: Terminal) -> Result<Self, CliError> {
        let is_plain_json = args.view.json == Some(None);
        let mut view = View::new(args.view, terminal);
        if is_plain_json && let Some(layout) = layout_of_environment() {
            view.format = Format::Json(layout);
        }
        if let Format::Table(look) = &mut view.format {
            look.join = args.nowrap;
        }
        let kinds: KindSet = args.select.types.into_iter().collect();
        let wanted = if kinds.is_empty() {
            KindSet::all()
        } else {
            kinds
        };
        let has_name = args.namespace.is_some();
        let target = match (args.namespace, args.select.pid) {
            _ if args.list_columns => Target::All,
            (Some(name), _) => resolve::namespace(&view, name.as_os_str(), wanted)?,
            (None, Some(name)) => Target::Process(resolve::process(&view, &name)?),
            (None, None) => Target::All,
        };
        let defaults = default_columns(&target, kinds, view.format)?;
        let mut columns = match args.output {
            _ if args.output_all => Column::ALL.iter().collect(),
            Some(list) => parse_columns(&list, &defaults)?,
            None => defaults.clone(),
        };
        if args.infer {
            add_inferred(&mut columns, &defaults)?;
        }
        let relation = match args.tree {
            Some(tree) => Some(Relation::from(tree)),
            None if args.list => None,
            None => matches!(target, Target::Namespace(_)).then_some(Relation::Process),
        };
        Ok(Options {
            tree: relation.filter(|relation| is_drawn(*relation, &target, view.format, &columns)),
            view,
            took_for_pid: match target {
                Target::Process(pid) if has_name => Some(pid),
                _ => None,
            },
            target,
            kinds: wanted,
            sources: args.select.sources.into_iter().reduce(Sources::union),
            infer: args.infer,
            persistent: args.select.persistent,
            filter: args
                .select
                .filter
                .as_deref()
                .map(Filter::parse)
                .transpose()?,
            container: args.select.container,
            host: args.select.host,
            columns,
            list_columns: args.list_columns,
        })
    }

    /// Returns whether last lines say where a process belongs: for people, not for
    /// scripts.
    pub(crate) fn has_last_lines(&self, terminal: Terminal) -> bool {
        let is_shown = self.view.look().is_some() && terminal.width.is_some();
        is_shown && matches!(self.target, Target::Process(_))
    }

    /// Returns whether namespaces of the host have a look of their own, so that
    /// those of a process alone stand out.
    pub(crate) fn dims_host(&self) -> bool {
        let has_colors = self.view.look().is_some_and(|look| look.palette.is_some());
        has_colors && matches!(self.target, Target::Process(_))
    }

    /// Returns the container to which rows must belong.
    pub(crate) fn running<'a>(
        &self,
        snapshot: &'a Snapshot,
    ) -> Result<Option<RunningContainer<'a>>, CliError> {
        let Some(name) = &self.container else {
            return Ok(None);
        };
        let known = match analysis::find_container(snapshot, name) {
            Err(Error::NoContainer { .. }) => resolve::container(&self.view, name)?,
            found => return Ok(Some(found?)),
        };
        let mut all = analysis::containers(snapshot).into_iter();
        let found = all.find(|running| *running.container == known);
        // Its processes may have ended.
        let missing = || Error::NoContainer {
            name: name.clone(),
            gaps: snapshot.hiding_gaps(),
        };
        Ok(Some(found.ok_or_else(missing)?))
    }

    /// Returns what the scan has to collect.
    pub(crate) fn needs(&self) -> Needs {
        let mut needs = match self.tree {
            Some(Relation::Owner | Relation::Parent) => Needs::of(Need::Relations),
            Some(Relation::Process) => Needs::of(Need::Ancestry),
            None => Needs::EMPTY,
        };
        for column in &self.columns {
            needs = needs.union(column.needs());
        }
        for column in self.filter.iter().flat_map(Filter::columns) {
            needs = needs.union(column.needs());
        }
        if self.view.format.is_json() && matches!(self.target, Target::Namespace(_)) {
            // JSON also shows the namespace itself.
            for column in Column::usual() {
                needs = needs.union(column.needs());
            }
        }
        if self.persistent {
            needs.insert(Need::Members);
        }
        if self.host.is_some() {
            needs.insert(Need::Host);
        }
        if self.container.is_some() {
            needs = needs.union([Need::Members, Need::Affiliation].into());
        }
        if self.infer {
            needs = needs.union([Need::Members, Need::Inference].into());
        }
        needs
    }
}

/// Returns whether a tree makes a difference. JSON is flat, and a tree of
/// processes is drawn in the column of their commands.
fn is_drawn(
    relation: Relation,
    target: &Target,
    format: Format,
    columns: &[&'static Column],
) -> bool {
    !format.is_json()
        && match relation {
            Relation::Process => columns.iter().any(|column| column.name == "COMMAND"),
            Relation::Owner | Relation::Parent => !matches!(target, Target::Namespace(_)),
        }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::Cli;

    fn needs(line: &str) -> Needs {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let options = Options::new(cli.list, Terminal::default()).unwrap();
        options.needs()
    }

    #[test]
    fn a_tree_costs_nothing_where_none_is_drawn() {
        assert_eq!(needs("nsls -o NS -T"), Needs::of(Need::Relations));
        assert_eq!(needs("nsls -o NS -T=parent"), Needs::of(Need::Relations));
        let both = Needs::from([Need::Members, Need::Ancestry, Need::Command]);
        assert_eq!(needs("nsls -o COMMAND -T=process"), both);
        assert_eq!(needs("nsls -o COMMAND net:[1]"), both);
        for line in [
            "nsls -o PID -T -J",
            "nsls -o PID -T=process",
            "nsls -o PID net:[1]",
            "nsls -o PID -T=owner net:[1]",
        ] {
            assert_eq!(needs(line), Needs::of(Need::Members), "{line}");
        }
    }

    #[test]
    fn a_filter_adds_what_its_columns_need_and_no_more() {
        let members = Needs::of(Need::Members);
        assert_eq!(needs("nsls -o NS -Q TYPE=='net'"), Needs::EMPTY);
        assert_eq!(needs("nsls -o NS -Q NPROCS>1"), members);
        assert_eq!(needs("nsls -o NS -P"), members);
        let parent = members.union(Need::ParentProcess.into());
        assert_eq!(needs("nsls -o NS -Q PPID"), parent);
        let both = members.union([Need::Uid, Need::Command].into());
        assert_eq!(needs("nsls -o UID -Q PID&&!COMMAND"), both);
    }
}
