//! What is read about the processes and namespaces that are shown.

pub(crate) mod cgroup_root;
pub(crate) mod host;
pub(crate) mod inside;
pub(crate) mod peers;
pub(crate) mod proc_files;
pub(crate) mod process;

use std::collections::HashSet;

use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{Cause, Details, Inferred, NsId, Pid, Process, Source};
use crate::proc::Users;
use crate::scan::context::Context;
use crate::scan::groups::{Group, Groups};
use crate::scan::plan::Plan;
use crate::scan::request::{Goal, Need, Needs};

/// Reads the details of the processes that will be shown. Whenever one turns
/// out to have ended, it is removed and the next in its place is read, so that
/// every row names a process that existed when its details were read. Returns
/// whether any was lost.
pub(crate) fn read_shown<K: Kernel>(
    context: &Context<K>,
    plan: &Plan,
    groups: &mut Groups,
    inferred: &[Inferred],
    users: &mut Users,
) -> Result<bool, Error> {
    if !plan.request.needs.of_processes() {
        return Ok(false);
    }
    let needs = plan.request.needs;
    let mut has_lost = false;
    loop {
        let mut pending = shown(plan, groups, inferred);
        pending.retain(|pid| {
            groups
                .process(*pid)
                .is_some_and(|process| process.details.is_none())
        });
        if pending.is_empty() {
            return Ok(has_lost);
        }
        let read = process::read_all(context, &pending, needs)?;
        for (pid, read) in pending.into_iter().zip(read) {
            match (read, groups.process_mut(pid)) {
                (Some(read), Some(process)) => {
                    process.details = Some(settle(context, needs, read, users));
                }
                (None, Some(_)) => {
                    context.miss(Source::Processes, Cause::Vanished);
                    groups.remove(pid);
                    has_lost = true;
                }
                (_, None) => {}
            }
        }
    }
}

/// Counts what is missing of a process, and adds the name of its user.
fn settle<K>(
    context: &Context<K>,
    needs: Needs,
    read: process::Read,
    users: &mut Users,
) -> Box<Details> {
    let process::Read {
        mut details,
        causes,
    } = read;
    for cause in causes {
        context.miss(Source::Details, cause);
    }
    if needs.contains(Need::User) {
        let name = details.uid.and_then(|uid| users.name(uid));
        details.user = name.map(Into::into);
    }
    details
}

/// Reads the details of processes after a scan, and returns those that have ended
/// meanwhile, by PID.
pub(crate) fn describe<K: Kernel>(
    context: &Context<K>,
    needs: Needs,
    processes: &mut [&mut Process],
) -> Result<Vec<Pid>, Error> {
    let pids: Vec<Pid> = processes.iter().map(|process| process.pid).collect();
    let mut users = Users::below(&context.root);
    let mut vanished = Vec::new();
    let read = process::read_all(context, &pids, needs)?;
    for (process, read) in processes.iter_mut().zip(read) {
        match read {
            Some(read) => process.details = Some(settle(context, needs, read, &mut users)),
            None => vanished.push(process.pid),
        }
    }
    for _ in &vanished {
        context.miss(Source::Processes, Cause::Vanished);
    }
    Ok(vanished)
}

/// Returns the processes that will be shown, by PID: representatives, or the
/// members of the one requested namespace, and processes that hold.
pub(crate) fn shown(plan: &Plan, groups: &Groups, inferred: &[Inferred]) -> Vec<Pid> {
    let related = related(plan, groups);
    let mut pids: Vec<Pid> = inferred.iter().map(|group| group.pid).collect();
    if let Goal::Process(pid, _) = &plan.request.goal
        && plan.needs(Need::InnerPids)
    {
        // Its own are shown, whichever process represents its namespaces.
        pids.push(*pid);
    }
    for group in groups.iter() {
        let is_wanted = plan.request.wants(group.id);
        if !is_wanted && !related.contains(&group.id) {
            continue;
        }
        pids.extend(group.representative());
        match plan.request.goal {
            Goal::Namespace(_) => {
                if is_wanted {
                    pids.extend(group.members());
                }
                if plan.needs(Need::Holders) {
                    pids.extend(groups.holder_pids(group));
                }
            }
            // Of a list of holders the first is enough.
            Goal::All | Goal::Process(..) if plan.needs(Need::Holders) => {
                pids.extend(groups.first_holder(group).and_then(|holder| holder.pid()));
            }
            Goal::All | Goal::Process(..) => {}
        }
    }
    pids.sort_unstable();
    pids.dedup();
    pids
}

/// Returns the inode numbers of the sockets that were listed in the requested
/// namespaces.
pub(crate) fn sockets(plan: &Plan, groups: &Groups) -> HashSet<u64> {
    let wanted = groups.iter().filter(|group| plan.request.wants(group.id));
    let facts = wanted.filter_map(Group::facts);
    let sockets = facts.flat_map(|facts| facts.sockets.iter().flatten());
    sockets.map(|socket| socket.ino).collect()
}

/// Returns the namespaces to show beside the requested ones: those above them,
/// if relations are needed, and for one namespace those that hold it.
pub(crate) fn related(plan: &Plan, groups: &Groups) -> HashSet<NsId> {
    let mut related = HashSet::new();
    let requested = || groups.iter().filter(|group| plan.request.wants(group.id));
    if plan.needs(Need::Relations) {
        let above = |group: &Group| group.relatives().collect::<Vec<_>>();
        reach(groups, requested().flat_map(above), above, &mut related);
    }
    if let Goal::Namespace(_) = plan.request.goal
        && plan.needs(Need::Holders)
    {
        let below = |group: &Group| group.held_by().collect::<Vec<_>>();
        let mut found = HashSet::new();
        reach(groups, requested().flat_map(below), below, &mut found);
        related.extend(found);
    }
    related.retain(|id| !plan.request.wants(*id));
    related
}

/// Adds everything that can be reached from some namespaces.
fn reach(
    groups: &Groups,
    start: impl Iterator<Item = NsId>,
    step: impl Fn(&Group) -> Vec<NsId>,
    reached: &mut HashSet<NsId>,
) {
    let mut next: Vec<NsId> = start.collect();
    while let Some(id) = next.pop() {
        if reached.insert(id)
            && let Some(group) = groups.get(id)
        {
            next.extend(step(group));
        }
    }
}
