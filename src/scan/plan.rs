use crate::model::{Kind, KindSet, Source, Sources};
use crate::scan::goal::Goal;
use crate::scan::questions::Questions;
use crate::scan::{Need, Needs};

/// What one pass over the system reads and asks.
pub(crate) struct Plan {
    /// Of which types.
    pub(crate) kinds: KindSet,
    /// Whether what is above is looked for, and not only for what is shown.
    pub(crate) look_up: bool,
    /// Where to look.
    pub(crate) sources: Sources,
    /// What to ask the kernel of each namespace.
    pub(crate) questions: Questions,
}

impl Plan {
    /// What has to be read and asked so that nothing is missed, and no more.
    pub(crate) fn new(
        goal: &Goal,
        kinds: KindSet,
        needs: Needs,
        sources: Sources,
        live: bool,
    ) -> Self {
        let shown = match goal {
            // What holds it may be a namespace of another type.
            Goal::Namespace(_) if needs.contains(Need::Holders) => KindSet::all(),
            Goal::Namespace(wanted) => wanted.kinds(),
            Goal::All | Goal::Process(..) => kinds,
        };
        let up = live && needs.contains(Need::Relations);
        let look_up = live && sources.contains(Source::Relations);
        // Every namespace has a user namespace above it.
        let look_up_owners = look_up && shown.contains(Kind::User);
        let read = if look_up_owners {
            KindSet::all()
        } else if up {
            shown.union(KindSet::of(Kind::User))
        } else {
            shown
        };
        let runs = |source: &Source| match source {
            Source::Processes => true,
            // Only the running kernel can be asked.
            Source::Sockets | Source::Tuns => live && read.contains(Kind::Net),
            Source::Relations => look_up,
            Source::MountNamespaces | Source::Listns => live,
            Source::Threads | Source::Fds | Source::Mounts => true,
            Source::Details | Source::Cgroups | Source::Contents => false,
        };
        let mut sources: Sources = sources.iter().filter(runs).collect();
        sources.insert(Source::Processes);
        let has = |need| live && needs.contains(need);
        Plan {
            kinds: read,
            look_up,
            sources,
            questions: Questions {
                owners: look_up_owners || up,
                parents: (look_up && read.contains(Kind::Pid)) || up,
                netnsids: has(Need::NetNsId),
                unique_ids: has(Need::UniqueId),
                owner_uids: has(Need::Uid) || has(Need::User),
                all_owner_uids: has(Need::OwnerUid),
                inside: if live { needs } else { Needs::EMPTY },
                paths: has(Need::Path),
            },
        }
    }
}
