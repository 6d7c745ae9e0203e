//! What only a thread inside a namespace sees.

use crate::error::Error;
use crate::kernel::{Kernel, NetQuestions, OpenError};
use crate::model::{Cause, Facts, Kind, NsId, Pid, Source};
use crate::scan::context::{Context, cause_of_open};
use crate::scan::details::cgroup_root::cgroup_root;
use crate::scan::request::{Need, Needs};

/// Enters a namespace and returns what is seen there. `pid` is a process in it,
/// if there is one. The calling thread stays inside.
pub(crate) fn look_inside<K: Kernel>(
    context: &Context<K>,
    kernel: &K,
    ns: &K::Ns,
    id: NsId,
    needs: Needs,
    pid: Option<Pid>,
) -> Result<Facts, Error> {
    let mut facts = Facts::default();
    let errors = match id.kind {
        Kind::Net => look_at_network(kernel, ns, needs, pid, &mut facts),
        _ => {
            let looks = needs
                .iter()
                .map(|need| look(kernel, ns, need, pid, &mut facts));
            looks.filter_map(Result::err).collect()
        }
    };
    let mut causes = Vec::new();
    for error in errors {
        let cause = match error {
            Failure::Cause(cause) => cause,
            Failure::Open(error) => cause_of_open(error, || id.to_string().into())?,
        };
        // A namespace counts once.
        if !causes.contains(&cause) {
            causes.push(cause);
            context.miss(Source::Contents, cause);
        }
    }
    Ok(facts)
}

enum Failure {
    Cause(Cause),
    Open(OpenError),
}

impl<E: Into<OpenError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Open(error.into())
    }
}

/// Asks everything about a net namespace at once, so that it is entered once.
fn look_at_network<K: Kernel>(
    kernel: &K,
    ns: &K::Ns,
    needs: Needs,
    pid: Option<Pid>,
    facts: &mut Facts,
) -> Vec<Failure> {
    let questions = NetQuestions {
        interfaces: needs.contains(Need::Interfaces),
        addresses: needs.contains(Need::Addresses),
        sockets: needs.contains(Need::Listeners) || needs.contains(Need::SocketFiles),
    };
    let network = kernel.network(ns, questions, pid);
    facts.interfaces = network.interfaces;
    facts.sockets = network.sockets;
    network.missed.into_iter().map(Failure::Open).collect()
}

fn look<K: Kernel>(
    kernel: &K,
    ns: &K::Ns,
    need: Need,
    pid: Option<Pid>,
    facts: &mut Facts,
) -> Result<(), Failure> {
    match (need, pid) {
        (Need::HostNames, _) => {
            let names = kernel.uts_names(ns)?;
            facts.hostname = Some(names.host.into());
            facts.domain = Some(names.domain.into());
        }
        (Need::SysvIpc, _) => facts.sysvipc = Some(kernel.sysvipc(ns)?),
        (Need::PidMax, _) => facts.pid_max = Some(kernel.pid_max(ns)?),
        (Need::MaxNamespaces, _) => facts.max_namespaces = Some(kernel.max_namespaces(ns)?),
        (Need::CgroupRoot, Some(pid)) => {
            let (outside, inside) = kernel.cgroups(ns, pid)?;
            let root = cgroup_root(&outside, &inside);
            facts.cgroup_root = Some(root.ok_or(Failure::Cause(Cause::OutsideRoot))?.into());
        }
        _ => return Err(Failure::Cause(Cause::NoProcess)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;
    use crate::kernel::{Fake, Network, UtsNames};
    use crate::proc::Sysroot;
    use crate::scan::context::tests::{one, with_kernel};

    #[test]
    fn what_is_seen_inside_is_a_fact_and_what_is_refused_has_its_cause() {
        let uts = |ino| NsId {
            ino,
            kind: Kind::Uts,
        };
        let names = UtsNames {
            host: b"blue".to_vec(),
            domain: b"(none)".to_vec(),
        };
        let mut kernel = Fake::default();
        kernel.uts_names.insert(uts(1), names);
        let root = Sysroot::at("/nonexistent");
        let look = |ino, need: Need| {
            let context = with_kernel(&root, Fake::default());
            let facts = look_inside(&context, &kernel, &uts(ino), uts(ino), need.into(), None);
            (facts.unwrap(), context.gaps(9))
        };
        let (facts, gaps) = look(1, Need::HostNames);
        assert_eq!((facts.hostname, gaps), (Some("blue".into()), vec![]));
        let gap = |cause| vec![one(Source::Contents, cause)];
        let nothing = Facts::default();
        let refused = (nothing.clone(), gap(Cause::Denied));
        assert_eq!(look(2, Need::HostNames), refused);
        let empty = (nothing, gap(Cause::NoProcess));
        assert_eq!(look(1, Need::CgroupRoot), empty);
    }

    #[test]
    fn a_net_namespace_counts_once_for_each_cause_and_keeps_what_it_answered() {
        let id = NsId {
            ino: 1,
            kind: Kind::Net,
        };
        let network = Network {
            sockets: Some(Vec::new()),
            missed: vec![
                OpenError::NoSockDiag,
                Errno::PROTO.into(),
                Errno::PROTO.into(),
            ],
            ..Network::default()
        };
        let kernel = Fake {
            networks: [(id, network)].into(),
            ..Fake::default()
        };
        let root = Sysroot::at("/nonexistent");
        let context = with_kernel(&root, Fake::default());
        let needs = Needs::from([Need::Addresses, Need::Listeners]);
        let facts = look_inside(&context, &kernel, &id, id, needs, None).unwrap();
        assert_eq!((facts.interfaces, facts.sockets), (None, Some(Vec::new())));
        let gaps = [Cause::Malformed, Cause::NoSockDiag].map(|cause| one(Source::Contents, cause));
        assert_eq!(context.gaps(9), gaps);
    }
}
