//! Which sources and questions follow from a request.

use crate::model::{Kind, KindSet, LinkSet, NsId, Pid, Source, Sources};
use crate::scan::request::{Goal, Need, Needs, Request};
use crate::scan::target::Wanted;

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
    /// Whether there is a kernel to ask.
    is_live: bool,
    /// What to ask each namespace.
    pub(crate) questions: Questions,
    /// Whether the kernel's list of namespaces takes the place of other sources.
    pub(crate) trusts_list: bool,
    /// The only process to read, if no other matters.
    pub(crate) alone: Option<Pid>,
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
        let of_others = Needs::from([Need::Members, Need::SocketFiles]);
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
                    Source::Bpf
                    | Source::Details
                    | Source::Cgroups
                    | Source::Names
                    | Source::Contents => false,
                })
                .chain([Source::Processes])
                .collect(),
            asks_all,
            is_live,
            trusts_list: false,
            alone: match request.goal {
                Goal::Process(pid, _) if needs.intersection(of_others).is_empty() => Some(pid),
                _ => None,
            },
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

    /// Returns the plan for a namespace of which only the number was known, now
    /// that its type is.
    pub(crate) fn narrowed(&self, id: NsId) -> Self {
        let request = Request {
            goal: Goal::Namespace(Wanted::Id(id, None)),
            ..self.request.clone()
        };
        Plan {
            questions: self.questions,
            ..Plan::new(request, self.is_live)
        }
    }

    /// Returns the plan that suffices if the kernel lists all namespaces, and if
    /// only which there are matters. Sockets and tun files hold what it does not
    /// list.
    pub(crate) fn trusting_list(&self) -> Option<Self> {
        let request = &self.request;
        let shown = Needs::from([Need::Holders, Need::Mounts, Need::Path, Need::Links]);
        let is_enough = self.is_live
            && self.reads(Source::Listns)
            && !request.has_chosen_sources
            && matches!(request.goal, Goal::All)
            && request.needs.intersection(shown).is_empty();
        let replaced = Sources::from([Source::Threads, Source::Mounts, Source::MountNamespaces]);
        is_enough.then(|| Plan {
            sources: self.sources.without(replaced),
            trusts_list: true,
            ..self.clone()
        })
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
            || !self.inside.inside(kind).is_empty()
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
            mounts: std::sync::Arc::default(),
            sources: Sources::all(),
            has_chosen_sources: false,
            uses_bpf: false,
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
    fn the_list_of_the_kernel_suffices_unless_it_matters_what_leads_to_a_namespace() {
        let plan = |needs: &[Need], change: fn(&mut Request)| {
            let needs: Needs = needs.iter().copied().collect();
            let mut request = request(Goal::All, KindSet::all(), needs);
            change(&mut request);
            Plan::new(request, true).trusting_list()
        };
        let less = plan(&[Need::Command, Need::User], |_| {}).unwrap();
        assert!(less.trusts_list && less.reads(Source::Listns) && less.reads(Source::Sockets));
        for source in [Source::Threads, Source::Mounts, Source::MountNamespaces] {
            assert!(!less.reads(source));
        }
        for need in [Need::Holders, Need::Mounts, Need::Path, Need::Links] {
            assert!(plan(&[need], |_| {}).is_none());
        }
        assert!(plan(&[], |request| request.has_chosen_sources = true).is_none());
        let captured = Plan::new(request(Goal::All, Kind::Net, []), false);
        assert!(captured.trusting_list().is_none());
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
