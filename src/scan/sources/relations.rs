//! Parents and owners, known only to the kernel: a user or pid namespace lives
//! on while one below it does, and a user namespace while it owns one.
//!
//! Each namespace is opened and asked once, whatever led to it. A namespace
//! found in this way is asked in turn while it is open, because no path may
//! lead to it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Cause, Holder, Kind, LinkSet, NsId, OpenFile, Pid, Relations, Source};
use crate::scan::context::{Context, cause_of_errno, cause_of_open};
use crate::scan::details::inside::look_inside;
use crate::scan::groups::{Answer, Find, Groups};
use crate::scan::parallel;
use crate::scan::request::Plan;
use crate::scan::sources::processes::{Look, read_process};

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
    context: &Context<'_, K>,
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
        let known: HashSet<NsId> = groups.iter().map(|group| group.id).collect();
        let inquiry = Inquiry::new(context, kernel, plan, known);
        let subjects: Vec<Subject> = wave
            .iter()
            .filter_map(|id| {
                let group = groups.get(*id)?;
                Some(Subject {
                    id: *id,
                    pid: group.representative(),
                    holders: groups.holders(group),
                })
            })
            .collect();
        let ask_all = || parallel::map(&subjects, context.threads, |subject| inquiry.ask(subject));
        // Looking inside moves a thread into a namespace for good.
        let goes_inside = subjects
            .iter()
            .any(|subject| plan.questions.inside.inside(subject.id.kind).is_some());
        let asked = if goes_inside {
            parallel::in_own_thread(ask_all)
        } else {
            ask_all()
        }?;
        for (subject, asked) in subjects.iter().zip(asked) {
            let id = subject.id;
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
    context: &Context<'_, K>,
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
    let seen = read_process(context, pid, Look::links(links))?;
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

/// A namespace to ask.
struct Subject {
    id: NsId,
    /// Its representative.
    pid: Option<Pid>,
    /// What leads to it, best first.
    holders: Vec<Holder>,
}

/// What came of asking one namespace.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    /// What it said, and those above it that nothing else leads to.
    answers: Vec<(NsId, Answer)>,
    /// The namespaces above it, held by those below.
    finds: Vec<Find>,
    /// The holders that no longer lead to it.
    lost: Vec<Holder>,
}

impl Asked {
    /// Returns whether the namespace was opened, or is known not to open.
    fn is_answered(&self) -> bool {
        !self.answers.is_empty()
    }
}

/// One wave of questions, shared by all threads.
pub(crate) struct Inquiry<'a, K> {
    context: &'a Context<'a, K>,
    kernel: &'a K,
    plan: &'a Plan,
    /// The namespaces that something else leads to, so that they are asked
    /// anyway.
    known: HashSet<NsId>,
    /// The namespaces found in this wave.
    claimed: Mutex<HashSet<NsId>>,
}

impl<'a, K: Kernel> Inquiry<'a, K> {
    fn new(
        context: &'a Context<'a, K>,
        kernel: &'a K,
        plan: &'a Plan,
        known: HashSet<NsId>,
    ) -> Self {
        Inquiry {
            context,
            kernel,
            plan,
            known,
            claimed: Mutex::default(),
        }
    }

    /// Asks a namespace through the first of its holders that opens it.
    fn ask(&self, subject: &Subject) -> Result<Asked, Error> {
        let mut asked = Asked::default();
        let mut closed = None;
        for holder in &subject.holders {
            match open(self.context, self.kernel, holder, subject.id) {
                Ok(ns) => {
                    self.climb(ns, subject, holder, &mut asked)?;
                    return Ok(asked);
                }
                Err(OpenError::Gone | OpenError::Moved) => asked.lost.push(holder.clone()),
                Err(error) => {
                    closed = Some(cause_of_open(error, || subject.id.to_string().into())?);
                }
            }
        }
        if let Some(cause) = closed {
            self.context.miss(Source::Relations, cause);
            let answer = Answer {
                is_closed: true,
                ..Answer::default()
            };
            asked.answers.push((subject.id, answer));
        }
        Ok(asked)
    }

    /// Asks an open namespace, and those above it that nothing else leads to.
    fn climb(
        &self,
        ns: K::Ns,
        subject: &Subject,
        holder: &Holder,
        asked: &mut Asked,
    ) -> Result<(), Error> {
        let mut open = vec![(ns, subject.id)];
        while let Some((ns, id)) = open.pop() {
            let is_subject = id == subject.id;
            let pid = subject.pid.filter(|_| is_subject);
            let mut answer = Answer {
                via: is_subject.then(|| holder.clone()),
                ..Answer::default()
            };
            let above = self.ask_open(&ns, id, pid, &mut answer)?;
            for (ns, upper) in above {
                asked.finds.push((upper, held_below(upper, id)));
                if self.claim(upper) {
                    open.push((ns, upper));
                }
            }
            asked.answers.push((id, answer));
        }
        Ok(())
    }

    /// Asks an open namespace. Returns those directly above it.
    fn ask_open(
        &self,
        ns: &K::Ns,
        id: NsId,
        pid: Option<Pid>,
        answer: &mut Answer,
    ) -> Result<Vec<(K::Ns, NsId)>, Error> {
        let questions = self.plan.questions;
        let mut missed = Missed::default();
        let relations = &mut answer.relations;
        let above = self.relatives(ns, id, pid.is_some(), relations, &mut missed)?;
        if questions.netnsids && id.kind == Kind::Net {
            relations.netnsid = missed.keep(id, self.kernel.netnsid(ns))?;
        }
        if questions.unique_ids {
            relations.unique_id = match self.kernel.unique_id(ns) {
                Err(Errno::NOTTY | Errno::INVAL) => None,
                answer => missed.keep(id, answer)?,
            };
        }
        if let Some(need) = questions.inside.inside(id.kind) {
            // Everything asked from outside is known by now: this thread does
            // not come back.
            let facts = look_inside(self.context, self.kernel, ns, id, need, pid)?;
            answer.facts = Some(Arc::new(facts));
        }
        for cause in missed.0 {
            self.context.miss(Source::Relations, cause);
        }
        Ok(above)
    }

    /// Asks for owner, parent and creator. Returns the owner and the parent.
    fn relatives(
        &self,
        ns: &K::Ns,
        id: NsId,
        has_processes: bool,
        relations: &mut Relations,
        missed: &mut Missed,
    ) -> Result<Vec<(K::Ns, NsId)>, Error> {
        let questions = self.plan.questions;
        let wants_uid = questions.all_owner_uids || (questions.owner_uids && !has_processes);
        let mut owner = None;
        let mut parent = None;
        if questions.owners || (wants_uid && id.kind != Kind::User) {
            owner = self.above(id, self.kernel.owner(ns), missed)?;
        }
        if questions.parents && id.kind == Kind::Pid {
            parent = self.above(id, self.kernel.parent(ns), missed)?;
        }
        if wants_uid {
            let user_ns = match &owner {
                _ if id.kind == Kind::User => Some(ns),
                Some((owner, _)) => Some(owner),
                None => None,
            };
            if let Some(user_ns) = user_ns {
                relations.owner_uid = missed.keep(id, self.kernel.owner_uid(user_ns))?;
            }
        }
        relations.owner = owner.as_ref().map(|(_, id)| *id);
        relations.parent = match id.kind {
            Kind::User => relations.owner,
            _ => parent.as_ref().map(|(_, id)| *id),
        };
        Ok(owner.into_iter().chain(parent).collect())
    }

    /// Identifies a namespace above another; `None` if there is none, or none
    /// that is visible.
    fn above(
        &self,
        id: NsId,
        answer: Result<K::Ns, Errno>,
        missed: &mut Missed,
    ) -> Result<Option<(K::Ns, NsId)>, Error> {
        if let Err(Errno::PERM) = answer {
            // Nothing is above the initial namespaces.
            if id.ino != id.kind.initial_ino() {
                missed.note(Cause::Outside);
            }
            return Ok(None);
        }
        let found = answer.and_then(|ns| Ok((self.kernel.id(&ns)?, ns)));
        let found = missed.keep(id, found)?;
        Ok(found.map(|(id, ns)| (ns, id)))
    }

    /// Returns whether a namespace is new, and claims it for the caller to ask.
    fn claim(&self, id: NsId) -> bool {
        self.plan.kinds.contains(id.kind)
            && !self.known.contains(&id)
            && self
                .claimed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(id)
    }
}

/// Returns how a namespace is held by one directly below it.
fn held_below(upper: NsId, lower: NsId) -> Holder {
    if upper.kind == lower.kind {
        Holder::Child(lower)
    } else {
        Holder::Owned(lower)
    }
}

/// Why something is missing of one namespace, each cause once.
#[derive(Default)]
struct Missed(Vec<Cause>);

impl Missed {
    fn note(&mut self, cause: Cause) {
        if !self.0.contains(&cause) {
            self.0.push(cause);
        }
    }

    fn keep<T>(&mut self, id: NsId, answer: Result<T, Errno>) -> Result<Option<T>, Error> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(errno) => {
                self.note(cause_of_errno(errno, || id.to_string().into())?);
                Ok(None)
            }
        }
    }
}

/// Opens a namespace through something that leads to it.
pub(crate) fn open<K: Kernel>(
    context: &Context<'_, K>,
    kernel: &K,
    holder: &Holder,
    id: NsId,
) -> Result<K::Ns, OpenError> {
    let path = || context.root.holder_path(holder);
    match holder {
        Holder::Mount(mount) => kernel.open_mount(mount, id),
        Holder::Socket(file) | Holder::Tun(file) => open_device(kernel, *file, id),
        Holder::Listed { unique_id } => kernel.open_listed(*unique_id, id),
        Holder::Fd(_) | Holder::Path(_) => match path() {
            Some(path) => kernel.open_fd(&path, id),
            None => Err(OpenError::Unreachable),
        },
        _ => match path() {
            Some(path) => kernel.open_link(&path, id),
            None => Err(OpenError::Unreachable),
        },
    }
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
