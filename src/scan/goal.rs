use crate::model::{Holder, KindSet, Links, Namespace, Pid, Process};
use crate::scan::group::Find;
use crate::scan::target::Wanted;

/// What a scan is for, after names were resolved.
pub(crate) enum Goal {
    /// Every namespace.
    All,
    /// Where the links of one process, or of one thread, lead.
    Process(Pid, Links),
    /// One namespace, and the processes in it.
    Namespace(Wanted),
}

impl Goal {
    /// Whether a namespace is asked for, if these types are.
    pub(crate) fn wants(&self, namespace: &Namespace, kinds: KindSet) -> bool {
        kinds.contains(namespace.id.kind)
            && match self {
                Goal::All => true,
                Goal::Process(_, links) => !links.leading_to(namespace.id).is_empty(),
                Goal::Namespace(wanted) => wanted.is(namespace),
            }
    }

    /// What is known to lead to the namespaces, before anything is looked for:
    /// no process need be where one of its threads is.
    pub(crate) fn finds(&self) -> Vec<Find> {
        match self {
            Goal::Process(pid, links) => {
                let links = links.iter();
                links
                    .map(|(link, id)| (id, Holder::of_link(*pid, link)))
                    .collect()
            }
            Goal::Namespace(Wanted::Id(id, Some(holder))) => vec![(*id, holder.clone())],
            Goal::All | Goal::Namespace(_) => Vec::new(),
        }
    }

    /// The processes that will be shown: members of the one namespace, or else
    /// representatives; and what holds.
    pub(crate) fn shown(
        &self,
        processes: &[Process],
        namespaces: &[Namespace],
        ancestors: &[Namespace],
    ) -> Vec<Pid> {
        let all = || namespaces.iter().chain(ancestors);
        let mut pids: Vec<Pid> = all().filter_map(|namespace| namespace.pid).collect();
        let holders = |namespace: &Namespace| {
            // Of a list the first is enough.
            let most = match self {
                Goal::Namespace(_) => usize::MAX,
                Goal::All | Goal::Process(..) => 1,
            };
            let holders = namespace.holders.iter().take(most);
            holders.filter_map(Holder::pid).collect::<Vec<_>>()
        };
        pids.extend(all().flat_map(holders));
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
