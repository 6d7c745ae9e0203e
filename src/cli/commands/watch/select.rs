//! Which events are shown: by type, and by the row of the namespace.

use std::collections::HashMap;

use crate::cli::commands::watch::until::Until;
use crate::cli::error::CliError;
use crate::model::{Container, Holder, Kind, KindSet, Namespace, NsId, Process, Snapshot};
use crate::proc::Sysroot;
use crate::query::{Filter, Row, Subject};
use crate::scan::{Need, Needs, Scanner, Target};
use crate::watch::{Event, Happening, Watcher};

/// The most namespaces of one batch whose rows are read at once; the others get
/// theirs by the next scan.
const MOST_ROWS: usize = 64;

/// What is shown.
#[derive(Debug)]
pub(super) struct Selection {
    kinds: KindSet,
    filter: Option<Filter>,
    container: Option<String>,
    needs: Needs,
    root: Sysroot,
    /// What is known of each namespace, if that matters.
    rows: HashMap<NsId, (Namespace, Option<Process>)>,
    /// How many rows may still be read for this batch.
    budget: usize,
}

impl Selection {
    pub(super) fn new(
        types: Vec<Kind>,
        filter: Option<&str>,
        container: Option<String>,
        until: Option<&Until>,
        root: Sysroot,
    ) -> Result<Self, CliError> {
        let kinds: KindSet = types.into_iter().collect();
        let filter = Filter::optional(filter)?;
        let until = until.and_then(|until| match until {
            Until::Match(filter) => Some(filter),
            Until::Count(_) | Until::Time(_) => None,
        });
        let mut needs = Needs::EMPTY;
        for column in filter.iter().chain(until).flat_map(Filter::columns) {
            needs = needs.union(column.needs());
        }
        if filter.is_some() || until.is_some() {
            needs.insert(Need::Members);
        }
        if container.is_some() {
            needs = needs.union([Need::Members, Need::Affiliation].into());
        }
        Ok(Selection {
            kinds: if kinds.is_empty() {
                KindSet::all()
            } else {
                kinds
            },
            filter,
            container,
            needs,
            root,
            rows: HashMap::new(),
            budget: 0,
        })
    }

    /// Returns what scans have to collect.
    pub(super) fn needs(&self) -> Needs {
        self.needs
    }

    fn reads_rows(&self) -> bool {
        !self.needs.is_empty()
    }

    /// Takes the rows of a scan.
    pub(super) fn take(&mut self, snapshot: &Snapshot) {
        if !self.reads_rows() {
            return;
        }
        for namespace in &snapshot.namespaces {
            let process = snapshot.representative(namespace).cloned();
            self.rows.insert(namespace.id, (namespace.clone(), process));
        }
    }

    /// Begins a batch of events.
    pub(super) fn begin(&mut self) {
        self.budget = MOST_ROWS;
    }

    /// Returns whether an event is shown.
    pub(super) fn selects(&mut self, event: &Event, watcher: &Watcher, scanner: &Scanner) -> bool {
        if event.what == Happening::Appeared && self.reads_rows() {
            self.rows.remove(&event.id);
            self.read_row(event, scanner);
        }
        let (filter, container) = (self.filter.as_ref(), self.container.as_deref());
        let is_match = match container {
            Some(name) => self.is_of(event.id, name),
            None => true,
        };
        self.kinds.contains(event.id.kind)
            && is_match
            && filter.is_none_or(|filter| self.matches(filter, event, watcher))
    }

    /// Forgets what is known of a namespace that ended.
    pub(super) fn forget(&mut self, event: &Event) {
        if event.what == Happening::Ended {
            self.rows.remove(&event.id);
        }
    }

    /// Returns whether the row of the namespace of an event matches. What was not
    /// read in time is missing.
    pub(super) fn matches(&self, filter: &Filter, event: &Event, watcher: &Watcher) -> bool {
        let known = self.rows.get(&event.id);
        let mut namespace = match known {
            Some((namespace, _)) => namespace.clone(),
            None => Namespace {
                is_closed: true,
                ..Namespace::new(event.id, Holder::Listed { unique_id: 0 })
            },
        };
        namespace.nprocs = watcher.members(event.id);
        if namespace.relations.unique_id.is_none() {
            namespace.relations.unique_id = event.unique_id;
        }
        filter.matches(&Row {
            root: &self.root,
            subject: Subject::Namespace(&namespace),
            process: known.and_then(|(_, process)| process.as_ref()),
            is_member: false,
            holder: None,
            asked: None,
        })
    }

    fn is_of(&self, id: NsId, name: &str) -> bool {
        let facts = self.rows.get(&id).and_then(|(one, _)| one.facts.as_deref());
        let affiliations = facts.map_or(&[][..], |facts| &facts.affiliations);
        let mut containers = affiliations.iter().filter_map(|one| one.container.as_ref());
        containers.any(|one: &Container| one.is_called(name) || one.has_prefix(name))
    }

    /// Reads the row of a namespace that is new, through the task that is in it.
    fn read_row(&mut self, event: &Event, scanner: &Scanner) {
        let Some(who) = event.who.as_ref().filter(|_| self.budget > 0) else {
            return;
        };
        self.budget -= 1;
        let scanner = scanner.clone().kinds(event.id.kind);
        let needs = self.needs.without(Need::Members.into());
        let scanner = scanner.needs(needs).target(Target::Process(who.tid));
        let Ok(snapshot) = scanner.scan() else { return };
        if let Some(namespace) = snapshot.namespace(event.id) {
            let process = snapshot.process(who.tid).cloned();
            self.rows.insert(event.id, (namespace.clone(), process));
        }
    }
}
