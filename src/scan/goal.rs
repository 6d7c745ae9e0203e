use crate::model::{KindSet, Links, Namespace, Pid, Process};
use crate::scan::target::Wanted;

/// What a scan is for, after names were resolved.
pub(crate) enum Goal {
    /// Every namespace.
    All,
    /// Where these links lead.
    Process(Links),
    /// One namespace, and the processes in it.
    Namespace(Wanted),
}

impl Goal {
    /// Whether a namespace is asked for, if these types are.
    pub(crate) fn wants(&self, namespace: &Namespace, kinds: KindSet) -> bool {
        match self {
            Goal::All => kinds.contains(namespace.id.kind),
            Goal::Process(links) => {
                kinds.contains(namespace.id.kind) && !links.leading_to(namespace.id).is_empty()
            }
            Goal::Namespace(wanted) => wanted.is(namespace),
        }
    }

    /// The processes that will be shown: members of the one namespace, or else
    /// representatives.
    pub(crate) fn shown(
        &self,
        processes: &[Process],
        namespaces: &[Namespace],
        ancestors: &[Namespace],
    ) -> Vec<Pid> {
        let representatives = namespaces.iter().chain(ancestors);
        let mut pids: Vec<Pid> = representatives
            .filter_map(|namespace| namespace.pid)
            .collect();
        if let Goal::Namespace(_) = self {
            let member = |process: &&Process| {
                namespaces
                    .iter()
                    .any(|namespace| process.links.is_in(namespace.id))
            };
            pids.extend(processes.iter().filter(member).map(|process| process.pid));
        }
        pids.sort_unstable();
        pids.dedup();
        pids
    }
}
