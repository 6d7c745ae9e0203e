//! Asks one namespace, and those above it that nothing else leads to.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Cause, Holder, Kind, Link, NsId, Pid, Relations, Source};
use crate::proc::{NsDir, ProcessDir};
use crate::scan::context::{Context, cause_of_errno, cause_of_open};
use crate::scan::details::inside::look_inside;
use crate::scan::groups::{Answer, Entrances, Find, Group, Groups};
use crate::scan::plan::Plan;
use crate::scan::sources::relations::{open, open_through};

/// What came of asking one namespace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// What it said, and those above it that nothing else leads to.
    pub(super) answers: Vec<(NsId, Answer)>,
    /// The namespaces above it, held by those below.
    pub(super) finds: Vec<Find>,
    /// The holders that no longer lead to it.
    pub(super) lost: Vec<Holder>,
}

impl Asked {
    /// Returns that of a namespace that does not open.
    pub(super) fn closed(id: NsId) -> Self {
        let answer = Answer {
            is_closed: true,
            ..Answer::default()
        };
        Asked {
            answers: vec![(id, answer)],
            ..Asked::default()
        }
    }

    /// Returns whether the namespace was opened, or is known not to open.
    pub(super) fn is_answered(&self) -> bool {
        !self.answers.is_empty()
    }
}

/// One wave of questions, shared by all threads.
pub(super) struct Inquiry<K> {
    context: Context<K>,
    kernel: Arc<K>,
    plan: Plan,
    /// The namespaces that something else leads to, so that they are asked
    /// anyway.
    groups: Arc<Groups>,
    /// What leads into mount namespaces, for the first mount that asks.
    entrances: OnceLock<Entrances>,
    /// The namespaces found in this wave.
    claimed: Mutex<HashSet<NsId>>,
}

impl<K: Kernel> Inquiry<K> {
    pub(super) fn new(
        context: &Context<K>,
        kernel: &Arc<K>,
        plan: &Plan,
        groups: &Arc<Groups>,
    ) -> Self {
        Inquiry {
            context: context.clone(),
            kernel: Arc::clone(kernel),
            plan: plan.clone(),
            groups: Arc::clone(groups),
            entrances: OnceLock::new(),
            claimed: Mutex::default(),
        }
    }

    /// Asks a namespace through the first of its holders that opens it.
    pub(super) fn ask(&self, id: NsId) -> Result<Asked, Error> {
        let mut asked = Asked::default();
        let mut closed = None;
        let Some(group) = self.groups.get(id) else {
            return Ok(asked);
        };
        for holder in self.groups.holders(group) {
            match self.open(&holder, id) {
                Ok(ns) => {
                    self.climb(ns, group, holder, &mut asked)?;
                    return Ok(asked);
                }
                Err(OpenError::Gone) if is_unborn(&self.context, &holder) => {
                    closed = Some(Cause::Unborn);
                }
                Err(OpenError::Gone | OpenError::Moved) => asked.lost.push(holder),
                Err(error) => {
                    closed = Some(cause_of_open(error, || id.to_string().into())?);
                }
            }
        }
        if let (Some(_), Some(unique_id)) = (closed, group.unique_id)
            && let Ok(ns) = self.kernel.open_listed(unique_id, id)
        {
            self.climb(ns, group, Holder::Listed { unique_id }, &mut asked)?;
            return Ok(asked);
        }
        if let Some(cause) = closed {
            self.context.miss(Source::Relations, cause);
            let closed = Asked::closed(id);
            asked.answers.extend(closed.answers);
        }
        Ok(asked)
    }

    fn open(&self, holder: &Holder, id: NsId) -> Result<K::Ns, OpenError> {
        let (context, kernel) = (&self.context, &*self.kernel);
        if !matches!(holder, Holder::Mount(_)) {
            return open(context, kernel, holder, id);
        }
        let entrances = self.entrances.get_or_init(|| self.groups.entrances());
        open_through(context, kernel, entrances, holder, id)
    }

    /// Asks an open namespace, and those above it that nothing else leads to.
    fn climb(
        &self,
        ns: K::Ns,
        subject: &Group,
        holder: Holder,
        asked: &mut Asked,
    ) -> Result<(), Error> {
        let mut open = vec![(ns, subject.id)];
        while let Some((ns, id)) = open.pop() {
            let is_subject = id == subject.id;
            let pid = subject.representative().filter(|_| is_subject);
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
        let needs = questions.inside.inside(id.kind);
        if !needs.is_empty() {
            // Everything asked from outside is known by now: this thread does
            // not come back.
            let facts = look_inside(&self.context, &*self.kernel, ns, id, needs, pid)?;
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
            && self.groups.get(id).is_none()
            && self
                .claimed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(id)
    }
}

/// Returns whether a link leads to a pid namespace that has no process yet, and
/// so does not resolve although the process that has the link lives.
fn is_unborn<K>(context: &Context<K>, holder: &Holder) -> bool {
    if holder.link() != Some(Link::PidForChildren) {
        return false;
    }
    let process = holder.pid().map(|pid| ProcessDir::open(&context.root, pid));
    let Some(Ok(process)) = process else {
        return false;
    };
    let is_there =
        |ns: NsDir<'_>| ns.read(Link::Net).is_ok() && ns.read(Link::PidForChildren).is_err();
    match (holder, process.tasks()) {
        (Holder::Thread { tid, .. }, Ok(tasks)) => tasks.ns(*tid).is_ok_and(is_there),
        _ => process.ns().is_ok_and(is_there),
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
