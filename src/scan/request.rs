//! What a scan collects: what the caller needs, and which sources and questions
//! follow from that.

use crate::model::{
    Holder, Kind, KindSet, LinkSet, Links, Member, NsId, Pid, Set, Source, Sources,
};
use crate::scan::groups::Find;
use crate::scan::target::Wanted;

/// Something that costs a system call or more for each process or namespace,
/// and is collected only on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// Parents of processes.
    ParentProcess,
    /// All ancestors of processes.
    Ancestry,
    /// Command lines, or else names.
    Command,
    /// Effective UIDs.
    Uid,
    /// The names of those users; includes [`Need::Uid`].
    User,
    /// Parents and owners of namespaces, up to the top.
    Relations,
    /// The IDs of net namespaces in the caller's.
    NetNsId,
    /// Bind mounts of namespaces in the caller's mount namespace.
    Mounts,
    /// Everything that holds a namespace.
    Holders,
    /// The numbers that the kernel never reuses.
    UniqueId,
    /// Whether a path opens a namespace without processes now.
    Path,
    /// Groups of processes with unreadable links.
    Inference,
    /// The creator of the owner of every namespace, not only of those without
    /// processes.
    OwnerUid,
    /// PIDs in each nested pid namespace.
    InnerPids,
    /// Containers, pods and units of processes.
    Affiliation,
    /// Which namespaces are the host's own.
    Host,
    /// Host and domain names of uts namespaces.
    HostNames,
    /// UID and GID maps of user namespaces.
    IdMaps,
    /// Clock offsets of time namespaces.
    TimeOffsets,
    /// Roots of cgroup namespaces.
    CgroupRoot,
    /// Number and root of the mounts of mount namespaces.
    MountFacts,
    /// Interfaces of net namespaces.
    Interfaces,
    /// System V objects of ipc namespaces.
    SysvIpc,
    /// Largest PIDs of pid namespaces.
    PidMax,
}

/// What a scan has to collect.
pub type Needs = Set<Need>;

impl Member for Need {
    const ALL: &'static [Need] = &[
        Need::ParentProcess,
        Need::Ancestry,
        Need::Command,
        Need::Uid,
        Need::User,
        Need::Relations,
        Need::NetNsId,
        Need::Mounts,
        Need::Holders,
        Need::UniqueId,
        Need::Path,
        Need::Inference,
        Need::OwnerUid,
        Need::InnerPids,
        Need::Affiliation,
        Need::Host,
        Need::HostNames,
        Need::IdMaps,
        Need::TimeOffsets,
        Need::CgroupRoot,
        Need::MountFacts,
        Need::Interfaces,
        Need::SysvIpc,
        Need::PidMax,
    ];

    fn index(self) -> usize {
        self as usize
    }
}

impl Need {
    /// Returns whether it costs as much as the scan itself, or more.
    pub(crate) const fn is_dear(self) -> bool {
        !matches!(
            self,
            Need::ParentProcess
                | Need::Ancestry
                | Need::Command
                | Need::Uid
                | Need::User
                | Need::Relations
                | Need::NetNsId
                | Need::Mounts
                | Need::Path
                | Need::Inference
        )
    }
}

impl Needs {
    /// Returns whether anything has to be read of processes that are shown.
    pub(crate) fn of_processes(self) -> bool {
        !self
            .intersection(Needs::from([
                Need::ParentProcess,
                Need::Command,
                Need::Uid,
                Need::User,
                Need::InnerPids,
            ]))
            .is_empty()
    }

    /// Returns what is needed from inside a namespace of this type.
    pub(crate) fn inside(self, kind: Kind) -> Option<Need> {
        let need = match kind {
            Kind::Uts => Need::HostNames,
            Kind::Net => Need::Interfaces,
            Kind::Ipc => Need::SysvIpc,
            Kind::Cgroup => Need::CgroupRoot,
            Kind::Pid => Need::PidMax,
            Kind::Mnt | Kind::User | Kind::Time => return None,
        };
        self.contains(need).then_some(need)
    }

    /// Returns what is needed from the proc files of a process in a namespace
    /// of this type.
    pub(crate) fn of_proc_files(self, kind: Kind) -> Option<Need> {
        let need = match kind {
            Kind::User => Need::IdMaps,
            Kind::Time => Need::TimeOffsets,
            Kind::Mnt => Need::MountFacts,
            Kind::Net | Kind::Ipc | Kind::Pid | Kind::Uts | Kind::Cgroup => return None,
        };
        self.contains(need).then_some(need)
    }
}

/// What a scan is for, after names were resolved.
#[derive(Clone, Debug)]
pub(crate) enum Goal {
    /// Every namespace.
    All,
    /// The namespaces that the links of one process or thread lead to.
    Process(Pid, Links),
    /// One namespace, and the processes in it.
    Namespace(Wanted),
}

/// A request of a caller.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// What to scan for.
    pub(crate) goal: Goal,
    /// The types of namespaces to return.
    pub(crate) kinds: KindSet,
    /// What to collect besides.
    pub(crate) needs: Needs,
    /// Where to look, beside the links of processes.
    pub(crate) sources: Sources,
    /// Whether the caller chose the sources, and so wants to hear that this
    /// kernel lacks one.
    pub(crate) has_chosen_sources: bool,
}

impl Request {
    /// Returns whether a namespace is among the requested ones.
    pub(crate) fn wants(&self, id: NsId) -> bool {
        self.kinds.contains(id.kind)
            && match &self.goal {
                Goal::All => true,
                Goal::Process(_, links) => !links.leading_to(id).is_empty(),
                Goal::Namespace(wanted) => wanted.is(id),
            }
    }

    /// Returns what is known to lead to the requested namespaces before
    /// anything is read. The links of a thread may differ from those of every
    /// process.
    pub(crate) fn known_holders(&self) -> Vec<Find> {
        match &self.goal {
            Goal::Process(pid, links) => links
                .iter()
                .map(|(link, id)| (id, Holder::of_link(*pid, link)))
                .collect(),
            Goal::Namespace(Wanted::Id(id, Some(holder))) => vec![(*id, holder.clone())],
            Goal::All | Goal::Namespace(_) => Vec::new(),
        }
    }
}

/// What one scan reads and asks so that it misses nothing, and does no more.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The request it serves.
    pub(crate) request: Request,
    /// The types of namespaces to look for; more than requested where others
    /// lead to those.
    pub(crate) kinds: KindSet,
    /// The sources to read.
    pub(crate) sources: Sources,
    /// Whether to ask every namespace, rather than only the requested ones and
    /// those above them.
    pub(crate) asks_all: bool,
    /// What to ask each namespace.
    pub(crate) questions: Questions,
}

impl Plan {
    /// Makes the plan for a request. Only a live proc tree has a kernel to ask.
    pub(crate) fn new(request: Request, is_live: bool) -> Self {
        let needs = request.needs;
        let returned = match &request.goal {
            // What holds it may be a namespace of another type.
            Goal::Namespace(_) if needs.contains(Need::Holders) => KindSet::all(),
            Goal::Namespace(wanted) => wanted.kinds(),
            Goal::All | Goal::Process(..) => request.kinds,
        };
        let up = is_live && needs.contains(Need::Relations);
        let asks_all = is_live && request.sources.contains(Source::Relations);
        // Every namespace has a user namespace above it.
        let asks_owners = asks_all && returned.contains(Kind::User);
        let kinds = if asks_owners {
            KindSet::all()
        } else if up {
            returned.union(KindSet::of(Kind::User))
        } else {
            returned
        };
        let live_needs = if is_live { needs } else { Needs::EMPTY };
        Plan {
            kinds,
            sources: request
                .sources
                .iter()
                .filter(|source| match source {
                    Source::Processes | Source::Threads | Source::Fds | Source::Mounts => true,
                    Source::Sockets | Source::Tuns => is_live && kinds.contains(Kind::Net),
                    Source::Relations => asks_all,
                    Source::MountNamespaces | Source::Listns => is_live,
                    Source::Details | Source::Cgroups | Source::Contents => false,
                })
                .chain([Source::Processes])
                .collect(),
            asks_all,
            questions: Questions {
                owners: asks_owners || up,
                parents: (asks_all && kinds.contains(Kind::Pid)) || up,
                netnsids: live_needs.contains(Need::NetNsId),
                unique_ids: live_needs.contains(Need::UniqueId),
                owner_uids: live_needs.contains(Need::Uid) || live_needs.contains(Need::User),
                all_owner_uids: live_needs.contains(Need::OwnerUid),
                inside: live_needs,
                paths: live_needs.contains(Need::Path),
            },
            request,
        }
    }

    /// Returns the links that lead to namespaces of the types looked for.
    pub(crate) fn links(&self) -> LinkSet {
        self.kinds
            .iter()
            .flat_map(|kind| kind.links().iter())
            .collect()
    }

    pub(crate) fn reads(&self, source: Source) -> bool {
        self.sources.contains(source)
    }

    pub(crate) fn needs(&self, need: Need) -> bool {
        self.request.needs.contains(need)
    }
}

/// What to ask the kernel about a namespace.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Questions {
    /// The owner of any namespace.
    pub(crate) owners: bool,
    /// The parent of a pid namespace.
    pub(crate) parents: bool,
    /// The ID of a net namespace.
    pub(crate) netnsids: bool,
    /// The creator of the owner of a namespace without processes.
    pub(crate) owner_uids: bool,
    /// The creator of the owner of any namespace.
    pub(crate) all_owner_uids: bool,
    /// What to find out inside.
    pub(crate) inside: Needs,
    /// The number that the kernel never reuses.
    pub(crate) unique_ids: bool,
    /// Whether a path opens a namespace without processes.
    pub(crate) paths: bool,
}

impl Questions {
    /// Returns whether a namespace has to be opened for any of these.
    pub(crate) fn concern(self, kind: Kind, has_processes: bool) -> bool {
        self.owners
            || self.all_owner_uids
            || self.unique_ids
            || self.inside.inside(kind).is_some()
            || (self.parents && kind == Kind::Pid)
            || (self.netnsids && kind == Kind::Net)
            || (!has_processes && self.concern_empty())
    }

    /// Returns whether namespaces without processes are asked more than others.
    pub(crate) const fn concern_empty(self) -> bool {
        self.owner_uids || self.paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(goal: Goal, kinds: impl Into<KindSet>, needs: impl Into<Needs>) -> Request {
        Request {
            goal,
            kinds: kinds.into(),
            needs: needs.into(),
            sources: Sources::all(),
            has_chosen_sources: false,
        }
    }

    #[test]
    fn owners_are_looked_for_among_all_types_and_only_with_a_kernel() {
        let plan = |kind: Kind, is_live| Plan::new(request(Goal::All, kind, []), is_live);
        assert_eq!(plan(Kind::User, true).kinds, KindSet::all());
        assert_eq!(plan(Kind::User, false).kinds, KindSet::of(Kind::User));
        assert_eq!(plan(Kind::Net, true).kinds, KindSet::of(Kind::Net));
        let sources = plan(Kind::Uts, false).sources;
        let read = [
            Source::Processes,
            Source::Threads,
            Source::Fds,
            Source::Mounts,
        ];
        assert_eq!(sources, Sources::from(read));
        assert!(!plan(Kind::Uts, true).reads(Source::Sockets));
        assert!(plan(Kind::Net, true).reads(Source::Sockets));
    }

    #[test]
    fn a_namespace_is_opened_only_for_what_concerns_it() {
        let plan = |needs: &[Need]| {
            let needs: Needs = needs.iter().copied().collect();
            let mut request = request(Goal::All, Kind::Uts, needs);
            request.sources = Sources::EMPTY;
            Plan::new(request, true).questions
        };
        assert!(!plan(&[]).concern(Kind::Uts, false));
        let names = plan(&[Need::HostNames]);
        assert!(names.concern(Kind::Uts, true) && !names.concern(Kind::Net, true));
        let users = plan(&[Need::User]);
        assert!(users.concern(Kind::Uts, false) && !users.concern(Kind::Uts, true));
    }
}
