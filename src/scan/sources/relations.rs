//! Parents and owners, of which only the kernel knows: a user or pid namespace
//! lives on while one below it does, and a user namespace while it owns one.
//!
//! Each namespace is opened and asked once, whoever led to it. What is found so
//! is asked in turn while it is open, for no path leads to it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{
    Cause, Facts, Holder, Kind, KindSet, Namespace, NsId, OpenFile, Relations, Source,
};
use crate::proc::Sysroot;
use crate::scan::details::inside::look_inside;
use crate::scan::group::Find;
use crate::scan::questions::Questions;
use crate::scan::tally::cause_of_errno;

/// The namespaces of a system that has just started: above them is nothing,
/// linux/proc_ns.h.
const INITIAL: [NsId; 2] = [
    NsId {
        ino: 4026531837,
        kind: Kind::User,
    },
    NsId {
        ino: 4026531836,
        kind: Kind::Pid,
    },
];

/// What came of asking one namespace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// What it said, and those above it that nothing else leads to.
    pub(crate) said: Vec<Said>,
    /// Who is above whom: the lower one holds the upper one.
    pub(crate) finds: Vec<Find>,
    /// The holders that lead to it no more.
    pub(crate) lost: Vec<Holder>,
    /// By which holder it was opened.
    pub(crate) via: Option<Holder>,
    /// Why it could not be opened.
    pub(crate) closed: Option<Cause>,
}

/// What one namespace said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) id: NsId,
    pub(crate) relations: Relations,
    /// What it is like inside, if somebody asked.
    pub(crate) facts: Option<Arc<Facts>>,
    /// Why something is not known.
    pub(crate) causes: Vec<(Source, Cause)>,
}

/// Asks namespaces; one for all threads.
pub(crate) struct Inquiry<'a, K> {
    kernel: &'a K,
    root: &'a Sysroot,
    questions: Questions,
    /// Of which types namespaces were looked for: one of another type is not
    /// known only because nobody looked.
    kinds: KindSet,
    /// The namespaces to which something else leads, so that they are asked
    /// anyway.
    known: HashSet<NsId>,
    /// Those that were found here.
    claimed: Mutex<HashSet<NsId>>,
}

impl<'a, K: Kernel> Inquiry<'a, K> {
    pub(crate) fn new(
        kernel: &'a K,
        root: &'a Sysroot,
        questions: Questions,
        kinds: KindSet,
        known: HashSet<NsId>,
    ) -> Self {
        Inquiry {
            kernel,
            root,
            questions,
            kinds,
            known,
            claimed: Mutex::default(),
        }
    }

    /// Asks a namespace that some of `holders` can open, best first.
    pub(crate) fn ask<'h>(
        &self,
        namespace: &Namespace,
        holders: impl Iterator<Item = &'h Holder>,
    ) -> Result<Asked, Error> {
        let mut asked = Asked::default();
        for holder in holders {
            match self.open(holder, namespace.id) {
                Ok(ns) => {
                    asked.via = Some(holder.clone());
                    asked.closed = None;
                    self.climb(ns, namespace, &mut asked)?;
                    return Ok(asked);
                }
                Err(Errno::NOENT | Errno::SRCH | Errno::BADF) => asked.lost.push(holder.clone()),
                Err(Errno::OPNOTSUPP) => {
                    asked.closed = Some(Cause::Failed("no path leads to it".to_owned()));
                }
                Err(Errno::STALE) if matches!(holder, Holder::Mount(_)) => {
                    asked.closed = Some(Cause::Covered);
                }
                Err(Errno::AGAIN) => {
                    asked.closed = Some(Cause::Failed("a file server lies on the way".to_owned()));
                }
                Err(Errno::STALE) => asked.lost.push(holder.clone()),
                Err(errno) => {
                    let path = || namespace.id.to_string().into();
                    asked.closed = Some(cause_of_errno(errno, path)?);
                }
            }
        }
        Ok(asked)
    }

    /// Whether a namespace was found by asking, and nothing else led to it.
    pub(crate) fn found(&self, id: NsId) -> bool {
        let claimed = self.claimed.lock();
        claimed
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&id)
    }

    /// The kernel that is asked.
    pub(crate) fn kernel(&self) -> &K {
        self.kernel
    }

    /// Opens a namespace by something that leads to it.
    pub(crate) fn open(&self, holder: &Holder, id: NsId) -> Result<K::Ns, Errno> {
        let path = self.root.holder_path(holder);
        match (holder, path) {
            (Holder::Mount(mount), _) => self.kernel.open_mount(mount, id),
            (Holder::Fd(_) | Holder::Path(_), Some(path)) => self.kernel.open_fd(&path, id),
            (Holder::Socket(file) | Holder::Tun(file), _) => self.open_device(*file, id),
            (Holder::Listed { unique_id }, _) => self.kernel.open_listed(*unique_id, id),
            (_, Some(path)) => self.kernel.open_link(&path, id),
            (_, None) => Err(Errno::OPNOTSUPP),
        }
    }

    fn open_device(&self, file: OpenFile, id: NsId) -> Result<K::Ns, Errno> {
        let held = self.kernel.hold(file.pid, file.tid)?;
        let ns = self.kernel.device_ns(&held, file.fd)?;
        if self.kernel.id(&ns)? == id {
            Ok(ns)
        } else {
            Err(Errno::STALE)
        }
    }

    /// Asks a namespace, and those above it that nobody else will ask.
    fn climb(&self, ns: K::Ns, namespace: &Namespace, asked: &mut Asked) -> Result<(), Error> {
        let mut open = vec![(ns, namespace.id, namespace.pid.is_none())];
        while let Some((ns, id, is_empty)) = open.pop() {
            let mut said = Said {
                id,
                relations: Relations::default(),
                facts: None,
                causes: Vec::new(),
            };
            let (owner, parent) = self.relatives(&ns, id, is_empty, &mut said)?;
            if self.questions.netnsids && id.kind == Kind::Net {
                said.relations.netnsid = self.keep(self.kernel.netnsid(&ns), &mut said)?;
            }
            if self.questions.unique_ids {
                said.relations.unique_id = match self.kernel.unique_id(&ns) {
                    Err(Errno::NOTTY | Errno::INVAL) => None,
                    answer => self.keep(answer, &mut said)?,
                };
            }
            if let Some(need) = self.questions.inside.inside(id.kind) {
                let pid = namespace.pid.filter(|_| id == namespace.id);
                // What is asked from outside is known by now: this thread does
                // not come back.
                let (facts, cause) = look_inside(self.kernel, &ns, id, need, pid)?;
                said.facts = Some(Arc::new(facts));
                said.causes
                    .extend(cause.map(|cause| (Source::Contents, cause)));
            }
            if let Some((_, owner)) = &owner {
                let holder = match id.kind {
                    Kind::User => Holder::Child(id),
                    _ => Holder::Owned(id),
                };
                asked.finds.push((*owner, holder));
            }
            if let Some((_, parent)) = &parent {
                asked.finds.push((*parent, Holder::Child(id)));
            }
            let above = owner.into_iter().chain(parent);
            open.extend(
                above
                    .filter(|(_, id)| self.claim(*id))
                    .map(|(ns, id)| (ns, id, true)),
            );
            asked.said.push(said);
        }
        Ok(())
    }

    /// The owner and the parent of a namespace, where they are wanted.
    #[expect(clippy::type_complexity, reason = "two of the same")]
    fn relatives(
        &self,
        ns: &K::Ns,
        id: NsId,
        is_empty: bool,
        said: &mut Said,
    ) -> Result<(Option<(K::Ns, NsId)>, Option<(K::Ns, NsId)>), Error> {
        let wants_uid = (self.questions.owner_uids && is_empty) || self.questions.all_owner_uids;
        let mut owner = None;
        let mut parent = None;
        if self.questions.owners || (wants_uid && id.kind != Kind::User) {
            owner = self.above(id, self.kernel.owner(ns), said)?;
        }
        if self.questions.parents && id.kind == Kind::Pid {
            parent = self.above(id, self.kernel.parent(ns), said)?;
        }
        if wants_uid {
            let user_ns = match &owner {
                _ if id.kind == Kind::User => Some(ns),
                Some((owner, _)) => Some(owner),
                None => None,
            };
            if let Some(user_ns) = user_ns {
                said.relations.owner_uid = self.keep(self.kernel.owner_uid(user_ns), said)?;
            }
        }
        let id_of = |relative: &Option<(K::Ns, NsId)>| relative.as_ref().map(|(_, id)| *id);
        said.relations.owner = id_of(&owner);
        said.relations.parent = if id.kind == Kind::User {
            id_of(&owner)
        } else {
            id_of(&parent)
        };
        Ok((owner, parent))
    }

    /// A namespace above another, if there is one that may be seen.
    fn above(
        &self,
        id: NsId,
        answer: Result<K::Ns, Errno>,
        said: &mut Said,
    ) -> Result<Option<(K::Ns, NsId)>, Error> {
        match answer {
            Err(Errno::PERM) if INITIAL.contains(&id) => Ok(None),
            Err(Errno::PERM) => {
                note(said, Cause::Outside);
                Ok(None)
            }
            answer => self
                .keep(answer.and_then(|ns| Ok((self.kernel.id(&ns)?, ns))), said)
                .map(|found| found.map(|(id, ns)| (ns, id))),
        }
    }

    fn keep<T>(&self, answer: Result<T, Errno>, said: &mut Said) -> Result<Option<T>, Error> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(errno) => {
                let cause = cause_of_errno(errno, || said.id.to_string().into())?;
                note(said, cause);
                Ok(None)
            }
        }
    }

    /// Whether a namespace is new and will be asked by whom it tells so.
    fn claim(&self, id: NsId) -> bool {
        self.kinds.contains(id.kind)
            && !self.known.contains(&id)
            && self
                .claimed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(id)
    }
}

fn note(said: &mut Said, cause: Cause) {
    let why = (Source::Relations, cause);
    if !said.causes.contains(&why) {
        said.causes.push(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Fake;
    use crate::model::Link;
    use crate::scan::Needs;

    const fn id(kind: Kind, ino: u64) -> NsId {
        NsId { ino, kind }
    }

    const TOP: NsId = INITIAL[0];
    const MIDDLE: NsId = id(Kind::User, 20);
    const BOTTOM: NsId = id(Kind::User, 30);
    const NET: NsId = id(Kind::Net, 40);
    const ALL: Questions = Questions {
        owners: true,
        parents: true,
        netnsids: false,
        unique_ids: false,
        owner_uids: true,
        all_owner_uids: false,
        inside: Needs::EMPTY,
        paths: false,
    };

    fn kernel() -> Fake {
        Fake {
            paths: [("/proc/7/ns/net".to_owned(), NET)].into(),
            owners: [(NET, BOTTOM), (BOTTOM, MIDDLE), (MIDDLE, TOP)].into(),
            uids: [(BOTTOM, 1000), (MIDDLE, 1000), (TOP, 0)].into(),
            ..Fake::default()
        }
    }

    fn ask(kernel: &Fake, known: &[NsId], holders: &[Holder]) -> Asked {
        let known = known.iter().copied().collect();
        let root = Sysroot::live();
        let inquiry = Inquiry::new(kernel, &root, ALL, KindSet::all(), known);
        let namespace = Namespace {
            pid: Some(7),
            ..Namespace::new(NET, Holder::of_link(7, Link::Net))
        };
        inquiry.ask(&namespace, holders.iter()).unwrap()
    }

    fn said(id: NsId, owner: Option<NsId>, owner_uid: Option<u32>) -> Said {
        let parent = owner.filter(|_| id.kind == Kind::User);
        Said {
            id,
            relations: Relations {
                owner,
                parent,
                owner_uid,
                ..Relations::default()
            },
            facts: None,
            causes: Vec::new(),
        }
    }

    #[test]
    fn a_chain_that_nothing_else_leads_to_is_climbed_to_the_top() {
        let kernel = kernel();
        let link = Holder::of_link(7, Link::Net);
        let asked = ask(&kernel, &[NET, TOP], std::slice::from_ref(&link));
        assert_eq!(
            asked,
            Asked {
                said: vec![
                    said(NET, Some(BOTTOM), None),
                    said(BOTTOM, Some(MIDDLE), Some(1000)),
                    said(MIDDLE, Some(TOP), Some(1000)),
                ],
                finds: vec![
                    (BOTTOM, Holder::Owned(NET)),
                    (MIDDLE, Holder::Child(BOTTOM)),
                    (TOP, Holder::Child(MIDDLE)),
                ],
                lost: vec![],
                via: Some(link),
                closed: None,
            }
        );
        assert_eq!(*kernel.asked.lock().unwrap(), [NET, BOTTOM, MIDDLE]);
    }

    #[test]
    fn what_is_known_is_asked_by_somebody_else() {
        let kernel = kernel();
        let asked = ask(&kernel, &[NET, BOTTOM], &[Holder::of_link(7, Link::Net)]);
        assert_eq!(asked.said, [said(NET, Some(BOTTOM), None)]);
        assert_eq!(*kernel.asked.lock().unwrap(), [NET]);
    }

    #[test]
    fn an_owner_that_may_not_be_seen_lies_outside() {
        let kernel = Fake {
            owners: [(NET, BOTTOM)].into(),
            ..kernel()
        };
        let asked = ask(&kernel, &[NET], &[Holder::of_link(7, Link::Net)]);
        let outside = Said {
            causes: vec![(Source::Relations, Cause::Outside)],
            ..said(BOTTOM, None, Some(1000))
        };
        assert_eq!(asked.said, [said(NET, Some(BOTTOM), None), outside]);
    }

    #[test]
    fn holders_that_are_gone_are_lost_and_a_covered_mount_is_not() {
        let mut kernel = kernel();
        let mount = |path: &str| {
            Holder::Mount(crate::model::Mount {
                within: None,
                path: path.into(),
                id: 1,
            })
        };
        kernel.paths.insert("/covered".to_owned(), TOP);
        let (pid, tid, fd) = (9, None, 3);
        let gone = Holder::Fd(OpenFile { pid, tid, fd });
        let asked = ask(&kernel, &[NET], &[gone.clone(), mount("/covered")]);
        assert_eq!(asked.lost, [gone]);
        assert_eq!(asked.closed, Some(Cause::Covered));
        assert_eq!((asked.via, asked.said), (None, vec![]));
    }
}
