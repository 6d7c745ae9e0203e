//! Parents and owners, known only to the kernel: a user or pid namespace lives
//! on while one below it does, and a user namespace while it owns one.
//!
//! Each namespace is opened and asked once, whatever led to it. A namespace
//! found in this way is asked in turn while it is open, because no path may
//! lead to it.

mod inquiry;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Cause, Holder, LinkSet, NsId, OpenFile, Pid, Source, Within};
use crate::scan::context::Context;
use crate::scan::groups::{Answer, Entrances, Groups};
use crate::scan::plan::Plan;
use crate::scan::sources::processes::{Look, read_process};
use crate::scan::sources::relations::inquiry::{Asked, Inquiry};

/// How often a process may turn out to have moved before it counts as unstable.
const MOST_MOVES: u8 = 3;

/// Asks the kernel about the namespaces that the plan is about and those above
/// them, and adds what it finds.
///
/// A worklist: an answer adds the owner and the parent, a holder that turns out
/// to be lost adds its namespace again. It ends because namespaces nest 32 deep
/// at most, each lost holder is forgotten, and a process that keeps moving is
/// given up.
pub(crate) fn ask<K: Kernel>(
    context: &Context<K>,
    plan: &Plan,
    groups: &mut Groups,
) -> Result<(), Error> {
    let Some(kernel) = &context.kernel else {
        return Ok(());
    };
    let mut next: Vec<NsId> = groups
        .iter()
        .map(|group| group.id)
        .filter(|id| plan.asks_all || plan.request.wants(*id))
        .collect();
    let mut seen = HashSet::new();
    let mut moves = HashMap::new();
    while !next.is_empty() {
        let wave = take_wave(groups, plan, &mut next, &mut seen);
        let shared = Arc::new(std::mem::take(groups));
        let inquiry = Inquiry::new(context, kernel, plan, &shared);
        let asked = context.map(wave.clone(), move |_, id| inquiry.ask(*id));
        // A thread that blocked still has its share.
        *groups = Arc::unwrap_or_clone(shared);
        for (id, asked) in wave.into_iter().zip(asked?) {
            let asked = asked.unwrap_or_else(|| {
                context.miss(Source::Relations, Cause::Blocked);
                Asked::closed(id)
            });
            if asked.is_answered() {
                next.extend(asked.finds.iter().map(|(above, _)| *above));
            } else if !asked.lost.is_empty() {
                seen.remove(&id);
                next.push(id);
            }
            for holder in &asked.lost {
                next.extend(lose(context, groups, id, holder, &mut moves)?);
            }
            for find in asked.finds {
                groups.insert(find);
            }
            for (id, answer) in asked.answers {
                if let Some(group) = groups.get_mut(id) {
                    group.set_answer(answer);
                }
            }
        }
    }
    Ok(())
}

/// Takes the namespaces to ask from the worklist, and goes up through those
/// that were asked before.
fn take_wave(
    groups: &Groups,
    plan: &Plan,
    next: &mut Vec<NsId>,
    seen: &mut HashSet<NsId>,
) -> Vec<NsId> {
    let mut wave = Vec::new();
    while let Some(id) = next.pop() {
        let Some(group) = groups.get(id).filter(|_| seen.insert(id)) else {
            continue;
        };
        if group.is_asked() {
            next.extend(group.relatives());
        } else if plan
            .questions
            .concern(id.kind, group.representative().is_some())
        {
            wave.push(id);
        }
    }
    wave.sort_unstable();
    wave
}

/// Forgets a holder that no longer leads to a namespace. A process that moved
/// is read again; returns the namespaces it leads to now.
fn lose<K: Kernel>(
    context: &Context<K>,
    groups: &mut Groups,
    id: NsId,
    holder: &Holder,
    moves: &mut HashMap<Pid, u8>,
) -> Result<Vec<NsId>, Error> {
    groups.forget(id, holder);
    let (Some(pid), Some(link)) = (holder.pid(), holder.link()) else {
        return Ok(Vec::new());
    };
    let Some(process) = groups.process(pid) else {
        return Ok(Vec::new());
    };
    if process.holder(link) != *holder {
        // A thread of its own, which is forgotten.
        return Ok(Vec::new());
    }
    let (before, thread) = (process.links.clone(), process.thread);
    let links: LinkSet = before.iter().map(|(link, _)| link).collect();
    let look = Look::links(links);
    let seen = context.ask(pid, move |context, pid| read_process(context, *pid, look))?;
    let Some(seen) = seen else {
        context.miss_links(Source::Processes, Cause::Blocked, links);
        groups.remove(pid);
        return Ok(Vec::new());
    };
    if seen.links.is_empty() {
        context.miss_links(Source::Processes, Cause::Vanished, LinkSet::EMPTY);
        groups.remove(pid);
        return Ok(Vec::new());
    }
    if seen.links.ino(link) == Some(id.ino) && seen.thread == thread {
        // It leads there as before, and yet cannot be opened.
        context.miss(Source::Relations, Cause::Unreachable);
        if let Some(group) = groups.get_mut(id) {
            group.set_answer(Answer {
                is_closed: true,
                ..Answer::default()
            });
        }
        return Ok(Vec::new());
    }
    let count = moves.entry(pid).or_insert(0);
    *count += 1;
    if *count > MOST_MOVES {
        context.miss(Source::Processes, Cause::Unstable);
        groups.remove(pid);
        return Ok(Vec::new());
    }
    let ids = seen.links.iter().map(|(_, id)| id).collect();
    groups.relink(pid, seen.links, seen.thread);
    Ok(ids)
}

/// Opens a namespace through something that leads to it.
pub(crate) fn open<K: Kernel>(
    context: &Context<K>,
    kernel: &K,
    holder: &Holder,
    id: NsId,
) -> Result<K::Ns, OpenError> {
    let path = || context.root.holder_path(holder);
    let opened = match holder {
        Holder::Mount(mount) => kernel.open_mount(mount, id),
        Holder::Socket(file) | Holder::Tun(file) => open_device(kernel, *file, id),
        Holder::Listed { unique_id } | Holder::Kernel { unique_id } => {
            kernel.open_listed(*unique_id, id)
        }
        Holder::Fd(_) | Holder::Path(_) => match path() {
            Some(path) => kernel.open_fd(&path, id),
            None => Err(OpenError::Unreachable),
        },
        _ => match path() {
            Some(path) => kernel.open_link(&path, id),
            None => Err(OpenError::Unreachable),
        },
    };
    let is_hidden = || {
        holder
            .pid()
            .is_some_and(|pid| context.root.hidden(pid).is_some())
    };
    match opened {
        // The proc tree does not show that the process exists.
        Err(OpenError::Gone) if is_hidden() => Err(Errno::PERM.into()),
        opened => opened,
    }
}

/// The number of mount namespaces to go through, each mounted in the one before.
const MOST_WITHIN: usize = 8;

/// Opens a namespace through something that leads to it, as [`open`] does. A
/// bind mount in a mount namespace without processes is opened by a thread that
/// enters it, through one of its entrances.
pub(crate) fn open_through<K: Kernel>(
    context: &Context<K>,
    kernel: &K,
    entrances: &Entrances,
    holder: &Holder,
    id: NsId,
) -> Result<K::Ns, OpenError> {
    open_below(context, kernel, entrances, holder, id, MOST_WITHIN)
}

fn open_below<K: Kernel>(
    context: &Context<K>,
    kernel: &K,
    entrances: &Entrances,
    holder: &Holder,
    id: NsId,
    levels: usize,
) -> Result<K::Ns, OpenError> {
    let Holder::Mount(mount) = holder else {
        return open(context, kernel, holder, id);
    };
    let Some(Within {
        mount_ns,
        pid: None,
    }) = mount.within
    else {
        return open(context, kernel, holder, id);
    };
    let mut closed = OpenError::Unreachable;
    let Some(levels) = levels.checked_sub(1) else {
        return Err(closed);
    };
    let within = NsId::mnt(mount_ns);
    for entrance in entrances.of(mount_ns) {
        match open_below(context, kernel, entrances, entrance, within, levels) {
            Ok(within) => return kernel.open_mount_within(&within, mount, id),
            Err(error) => closed = error,
        }
    }
    Err(closed)
}

fn open_device<K: Kernel>(kernel: &K, file: OpenFile, id: NsId) -> Result<K::Ns, OpenError> {
    let process = kernel.hold(file.pid, file.tid)?;
    let ns = kernel.device_ns(&process, file.fd)?;
    if kernel.id(&ns)? == id {
        Ok(ns)
    } else {
        Err(OpenError::Moved)
    }
}
