//! What the files of a process in `/proc/PID` say about the namespaces it is
//! in: ID maps, clock offsets, mounts.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Cause, Facts, Holder, Kind, MountQuery, MountedFs, NsId, Pid, Source};
use crate::proc::{MountFacts, ProcessDir, ReadError, mount_facts};
use crate::scan::context::{Context, cause_of_open, cause_of_read};
use crate::scan::groups::{Entrances, Group, Groups};
use crate::scan::plan::Plan;
use crate::scan::request::{Need, Needs};
use crate::scan::sources::mounts::{self, MountTable};

/// What was read about each namespace so far.
pub(crate) type ProcFacts = HashMap<NsId, Facts>;

/// Reads about the requested namespaces that were not read about yet. Returns
/// whether a process ended meanwhile; it is removed.
pub(crate) fn read<K: Kernel>(
    context: &Context<K>,
    plan: &Plan,
    groups: &mut Groups,
    known: &mut ProcFacts,
) -> Result<bool, Error> {
    let pending: Vec<Pending> = groups
        .iter()
        .filter(|group| plan.request.wants(group.id))
        .filter(|group| plan.request.needs.of_proc_files(group.id.kind).is_some())
        .filter(|group| !known.contains_key(&group.id))
        .map(|group| Pending::of(group, groups, context.root.is_live()))
        .collect();
    let is_lonely = |pending: &Pending| !pending.holders.is_empty();
    let entrances = match pending.iter().any(is_lonely) {
        true => groups.entrances(),
        false => Entrances::default(),
    };
    let needs = plan.request.needs;
    let queries = Arc::clone(&plan.request.mounts);
    let read = context.map("namespaces", pending.clone(), move |context, pending| {
        read_one(context, needs, &queries, &entrances, pending)
    })?;
    let mut has_lost = false;
    for (Pending { id, pid, .. }, facts) in pending.into_iter().zip(read) {
        let facts = facts.unwrap_or_else(|| {
            context.miss(Source::Contents, Cause::Blocked);
            Some(Facts::default())
        });
        match (facts, pid) {
            (Some(facts), _) => {
                known.insert(id, facts);
            }
            (None, Some(pid)) => {
                has_lost = true;
                if groups.process(pid).is_some() {
                    context.miss(Source::Processes, Cause::Vanished);
                    groups.remove(pid);
                }
            }
            (None, None) => {}
        }
    }
    Ok(has_lost)
}

/// A namespace to read about.
#[derive(Clone)]
struct Pending {
    id: NsId,
    /// A process in it.
    pid: Option<Pid>,
    /// That process, or the thread through which it is read.
    task: Option<Pid>,
    /// What leads to a mount namespace without processes.
    holders: Vec<Holder>,
}

impl Pending {
    fn of(group: &Group, groups: &Groups, is_live: bool) -> Self {
        let pid = match group.id.kind {
            // The file is about the namespace of future children.
            Kind::Time => group.first_for_children(),
            _ => group.representative(),
        };
        // A captured tree lists no threads beside processes.
        let reader = pid.filter(|_| is_live);
        let thread = reader.and_then(|pid| groups.process(pid)?.thread);
        let holders = match (group.id.kind, pid) {
            (Kind::Mnt, None) => groups.holders(group).collect(),
            _ => Vec::new(),
        };
        Pending {
            id: group.id,
            pid,
            task: thread.or(pid),
            holders,
        }
    }
}

/// Reads about one namespace through a process; `None` if the process ended.
fn read_one<K: Kernel>(
    context: &Context<K>,
    needs: Needs,
    queries: &[MountQuery],
    entrances: &Entrances,
    pending: &Pending,
) -> Result<Option<Facts>, Error> {
    let mut facts = Facts::default();
    let id = pending.id;
    let Some(pid) = pending.task else {
        match &context.kernel {
            Some(kernel) if id.kind == Kind::Mnt => {
                let holders = &pending.holders;
                let table = mounts::open_table(context, &**kernel, entrances, holders, id.ino);
                count_inside(
                    context,
                    table,
                    queries,
                    || id.to_string().into(),
                    &mut facts,
                )?;
            }
            _ => context.miss(Source::Contents, Cause::NoProcess),
        }
        return Ok(Some(facts));
    };
    let cause = match ProcessDir::open(&context.root, pid) {
        Err(ReadError::Gone) => return Ok(None),
        Err(error) => cause_of_read(error, || context.root.process_path(pid))?,
        Ok(process) => match read_files(&process, needs, queries, id.kind, &mut facts) {
            Ok(()) => {
                if facts.nmounts.is_some() && is_outside(context, pid, &facts) {
                    let table = mounts::enter(context, id, pid);
                    let path = || context.root.process_path(pid);
                    count_inside(context, table, queries, path, &mut facts)?;
                }
                return Ok(Some(facts));
            }
            Err(ReadError::Gone) if !process.exists() => return Ok(None),
            // A captured tree need not have every file.
            Err(ReadError::Gone) => Cause::Unsupported,
            Err(error) => cause_of_read(error, || context.root.process_path(pid))?,
        },
    };
    context.miss(Source::Contents, cause);
    Ok(Some(facts))
}

/// Returns whether a process with this mount table may not see all mounts.
fn is_outside<K>(context: &Context<K>, pid: Pid, facts: &Facts) -> bool {
    context.root.is_live()
        && (facts.mount_root.is_none() || context.root.is_at_root(pid) == Ok(false))
}

/// Counts the mounts in a table as it is inside a namespace: a process sees only
/// what is below its own root, and there may be none.
fn count_inside<K>(
    context: &Context<K>,
    table: Result<MountTable, OpenError>,
    queries: &[MountQuery],
    path: impl Fn() -> PathBuf,
    facts: &mut Facts,
) -> Result<(), Error> {
    let counted = match table {
        Ok(table) => mount_facts(table, |mount| is_wanted(queries, mount))
            .map_err(|error| cause_of_read(error, path)),
        Err(error) => Err(cause_of_open(error, path)),
    };
    match counted {
        Ok(read) => set(facts, read),
        Err(cause) => {
            context.miss(Source::Contents, cause?);
            facts.nmounts = None;
            facts.mount_root = None;
            facts.mounts = Vec::new();
        }
    }
    Ok(())
}

fn is_wanted(queries: &[MountQuery], mount: &MountedFs) -> bool {
    queries.iter().any(|query| query.matches(mount))
}

fn set(facts: &mut Facts, read: MountFacts) {
    facts.nmounts = Some(read.count);
    facts.mount_root = read.root;
    facts.mounts = read.found;
}

fn read_files(
    process: &ProcessDir<'_>,
    needs: Needs,
    queries: &[MountQuery],
    kind: Kind,
    facts: &mut Facts,
) -> Result<(), ReadError> {
    match needs.of_proc_files(kind) {
        Some(Need::IdMaps) => {
            facts.uid_map = Some(process.uid_map()?);
            facts.gid_map = Some(process.gid_map()?);
        }
        Some(Need::TimeOffsets) => facts.time_offsets = Some(process.timens_offsets()?),
        Some(Need::MountFacts) => {
            let read = process.mount_facts(|mount| is_wanted(queries, mount))?;
            set(facts, read);
        }
        _ => {}
    }
    Ok(())
}
