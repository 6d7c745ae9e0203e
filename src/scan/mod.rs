//! The scan.
//!
//! It goes in one direction. Every source is read for what leads to a
//! namespace, and processes are grouped by namespace. The kernel is asked how
//! namespaces relate and what is inside them. Only then are details read, and
//! only of what will be shown: [`Need`]s name them, and whatever is not needed
//! is not read.
//!
//! The system changes meanwhile. A process that ends is taken out of its groups
//! where it was missed, and only that step is repeated; then the scan looks for
//! what may hold in its place.

mod context;
pub(crate) mod details;
#[cfg(feature = "cli")]
mod entrance;
mod groups;
mod inference;
mod mounted;
pub(crate) mod parallel;
mod plan;
mod progress;
mod request;
mod scanner;
mod sources;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rustix::io::Errno;

use crate::containers;
use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{Cause, Gap, Kind, KindSet, Namespace, Pid, Snapshot, Source, Sources};
use crate::proc::{ProcessDir, ReadError, Users};
use crate::scan::details::proc_files::ProcFacts;
use crate::scan::plan::Plan;
use crate::scan::request::Goal;
use crate::scan::sources::{Discovery, relations};

pub(crate) use context::Context;
pub(crate) use context::cause_of_read;
#[cfg(feature = "cli")]
pub(crate) use entrance::Entrance;
pub(crate) use groups::Groups;
pub use progress::{Progress, Step};
pub(crate) use request::Request;
pub use request::{Need, Needs};
pub use scanner::Scanner;
pub use target::{NsRef, Target};

/// How often a scan looks again for what was lost.
const MOST_LOOKS: usize = 3;

/// How often it looks for a namespace that was found again and lost again, as
/// its process hops from PID to PID.
const MOST_CATCHES: usize = 32;

/// Scans for what was requested.
///
/// If the kernel lists all namespaces, and it does not matter what leads to them,
/// threads, mounts and mount namespaces are looked at only if the list names one
/// that nothing else explains.
pub(crate) fn scan<K: Kernel>(context: &Context<K>, request: &Request) -> Result<Snapshot, Error> {
    let full = Plan::new(request.clone(), context.kernel.is_some());
    let kernel = context.kernel.as_ref();
    let lists_all = || kernel.is_some_and(|kernel| kernel.list().is_ok());
    let less = full.trusting_list().filter(|_| lists_all());
    let mut plan = less.unwrap_or_else(|| full.clone());
    loop {
        if let Some(snapshot) = attempt(context, &plan)? {
            return Ok(snapshot);
        }
        context.forget_gaps();
        plan = full.clone();
    }
}

/// Reads, groups and asks until every process that will be shown is known to
/// have been there.
///
/// Whenever a process ends, a descriptor is closed or a mount goes away in the
/// meantime, something else may hold what they held: new processes are read,
/// and again the processes that closed something. Each repetition of the loop
/// follows such a loss, and only the first few add anything to lose, so it
/// ends.
///
/// Returns `None` if the kernel lists a namespace that a plan which trusts the
/// list does not explain.
fn attempt<K: Kernel>(context: &Context<K>, plan: &Plan) -> Result<Option<Snapshot>, Error> {
    let mut found = sources::discover(context, plan)?;
    // Only a relation explains some of the others.
    let related = KindSet::from([Kind::User, Kind::Pid]);
    if found.lists_more(context, plan, KindSet::all().without(related)) {
        return Ok(None);
    }
    let mut facts = ProcFacts::new();
    let mut users = Users::below(&context.root);
    let mut looks = 0;
    loop {
        relations::ask(context, plan, &mut found.groups)?;
        if found.follow_lists(context, plan)? {
            relations::ask(context, plan, &mut found.groups)?;
        }
        let inferred = inference::group(&found.fingerprints, &found.groups);
        details::read_shown(context, plan, &mut found.groups, &inferred, &mut users)?;
        details::proc_files::read(context, plan, &mut found.groups, &mut facts)?;
        let Some(losers) = found.groups.take_losses() else {
            if found.lists_more(context, plan, KindSet::all()) {
                return Ok(None);
            }
            return assemble(context, plan, found, facts, users).map(Some);
        };
        let has_fled = looks >= MOST_LOOKS && found.groups.have_lost(2);
        let is_over = looks >= MOST_CATCHES || found.has_given_up();
        if has_fled && is_over {
            found.give_up(context);
        }
        if looks < MOST_LOOKS || has_fled && !is_over {
            looks += 1;
            found.read_new(context, plan)?;
            found.read_again(context, plan, &losers)?;
        }
    }
}

/// Makes a snapshot of what was read, and adds what only the whole shows.
fn assemble<K: Kernel>(
    context: &Context<K>,
    plan: &Plan,
    mut found: Discovery<'_>,
    mut facts: ProcFacts,
    mut users: Users,
) -> Result<Snapshot, Error> {
    let total = found.total;
    note_unnamed(context, &found)?;
    let socket_files = match plan.needs(Need::SocketFiles) {
        true => found.take_socket_files(&details::sockets(plan, &found.groups)),
        false => BTreeMap::new(),
    };
    let groups = found.groups;
    let asked_bpf = found.bpf;
    let mut inferred = inference::group(&found.fingerprints, &groups);
    inference::liken(context, &mut inferred, &groups)?;
    let shown = details::shown(plan, &groups, &inferred);
    let related = details::related(plan, &groups);
    let (all, processes) = groups.finish(plan.needs(Need::Holders));
    let (mut namespaces, mut ancestors): (Vec<Namespace>, Vec<Namespace>) = all
        .into_iter()
        .filter(|namespace| plan.request.wants(namespace.id) || related.contains(&namespace.id))
        .partition(|namespace| plan.request.wants(namespace.id));
    for namespace in &mut namespaces {
        if let Some(facts) = facts.remove(&namespace.id) {
            namespace.facts_mut().add_proc_files(facts);
        }
        if let Goal::Process(_, links) = &plan.request.goal {
            namespace.links = links.leading_to(namespace.id);
        }
    }
    if plan.needs(Need::Interfaces) {
        details::peers::find(context, &mut namespaces)?;
    }
    if plan.needs(Need::Host) {
        details::host::mark(context, &mut namespaces)?;
    }
    if plan.needs(Need::Affiliation) {
        containers::affiliate(&mut namespaces, &processes);
    }
    if plan.needs(Need::User) {
        for namespace in namespaces.iter_mut().chain(&mut ancestors) {
            let relations = &mut namespace.relations;
            let name = relations.owner_uid.and_then(|uid| users.name(uid));
            relations.owner_user = name.map(Into::into);
        }
    }
    note_unknowable(context, plan);
    let (gaps, absent) = gaps(context, plan, total);
    let mut sources = plan.sources.without(absent);
    if asked_bpf {
        sources.insert(Source::Bpf);
    }
    Ok(Snapshot {
        namespaces,
        ancestors,
        parents: parents(context, plan, shown)?,
        inferred,
        processes,
        socket_files,
        sources,
        gaps,
    })
}

/// Notes the containers that have a name which could not be found.
fn note_unnamed<K>(context: &Context<K>, found: &Discovery<'_>) -> Result<(), Error> {
    let Some((count, why)) = found.affiliations.unnamed() else {
        return Ok(());
    };
    let cause = match why {
        // In none of the places that are known.
        ReadError::Gone => Cause::Failed(Errno::NOENT.raw_os_error()),
        why => cause_of_read(why, || context.root.proc_path())?,
    };
    for _ in 0..count {
        context.miss(Source::Names, cause);
    }
    Ok(())
}

/// Notes what this tree, or this place in the system, cannot show at all.
fn note_unknowable<K>(context: &Context<K>, plan: &Plan) {
    let needs = plan.request.needs;
    let mut kinds = plan.request.kinds.iter();
    if context.kernel.is_none() && kinds.any(|kind: Kind| !needs.inside(kind).is_empty()) {
        context.miss_uncounted(Source::Contents, Cause::Unsupported);
    }
    if plan.needs(Need::Affiliation) && !context.root.sees_all_cgroups() {
        context.miss_uncounted(Source::Cgroups, Cause::Outside);
    }
}

/// Returns what is missing, and those of the kernel's lists that it lacks or
/// refuses. Only a caller who named such a list is interested in its absence.
fn gaps<K>(context: &Context<K>, plan: &Plan, total: usize) -> (Vec<Gap>, Sources) {
    let is_fact = |gap: &Gap| matches!(gap.cause, Cause::Unsupported | Cause::Outside);
    let mut gaps = context.gaps(total);
    let absent: Sources = gaps
        .iter()
        .filter(|gap| gap.source.is_list())
        .filter(|gap| is_fact(gap) || gap.cause == Cause::Denied)
        .map(|gap| gap.source)
        .collect();
    if !plan.request.has_chosen_sources {
        gaps.retain(|gap| !(gap.source.is_list() && is_fact(gap)));
    }
    (gaps, absent)
}

/// Returns the parents of processes, and those of all their ancestors. A
/// process whose parent is unreadable counts as having none.
fn parents<K: Kernel>(
    context: &Context<K>,
    plan: &Plan,
    pids: Vec<Pid>,
) -> Result<BTreeMap<Pid, Pid>, Error> {
    let mut parents = BTreeMap::new();
    let mut next = pids;
    if !plan.needs(Need::Ancestry) {
        next.clear();
    }
    while !next.is_empty() {
        next.retain(|pid| !parents.contains_key(pid));
        let wave = std::mem::take(&mut next);
        let read = context.map("processes", wave.clone(), |context, pid| {
            let process = ProcessDir::open(&context.root, *pid);
            let stat = process.and_then(|process| process.stat());
            let told = || Some(context.root.hidden(*pid)?.ppid);
            Ok(stat.map_or_else(|_| told(), |stat| Some(stat.ppid)))
        })?;
        for (pid, ppid) in wave.into_iter().zip(read) {
            if let Some(ppid) = ppid.flatten() {
                parents.insert(pid, ppid);
                next.push(ppid);
            }
        }
        next.sort_unstable();
        next.dedup();
    }
    Ok(parents)
}
