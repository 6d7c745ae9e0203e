//! What a namespace is like inside.

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Cause, Facts, NsId, Pid};
use crate::scan::Need;
use crate::scan::details::cgroup_root::cgroup_root;
use crate::scan::tally::cause_of_open_error;
use crate::text::Text;

/// Goes into a namespace, and tells what was seen, or why nothing was. `pid` is
/// a process in it, if there is one.
pub(crate) fn look_inside<K: Kernel>(
    kernel: &K,
    ns: &K::Ns,
    id: NsId,
    need: Need,
    pid: Option<Pid>,
) -> Result<(Facts, Option<Cause>), Error> {
    let mut facts = Facts::default();
    let mut cause = None;
    let looked = match (need, pid) {
        (Need::HostNames, _) => kernel.uts_names(ns, pid).map(|names| {
            facts.hostname = Some(names.host.into());
            facts.domain = Some(names.domain.into());
        }),
        (Need::Interfaces, _) => kernel
            .interfaces(ns, pid)
            .map(|interfaces| facts.interfaces = Some(interfaces))
            .map_err(OpenError::from),
        (Need::SysvIpc, _) => kernel
            .sysvipc(ns)
            .map(|count| facts.sysvipc = Some(count))
            .map_err(OpenError::from),
        (Need::PidMax, _) => kernel
            .pid_max(ns)
            .map(|pid_max| {
                facts.pid_max = pid_max;
                if pid_max.is_none() {
                    cause = Some(Cause::Failed(rustix::io::Errno::NOENT.raw_os_error()));
                }
            })
            .map_err(OpenError::from),
        (Need::CgroupRoot, Some(pid)) => kernel.cgroups(ns, pid).map(|(outside, inside)| {
            facts.cgroup_root = cgroup_root(&outside, &inside).map(Text::from);
            if facts.cgroup_root.is_none() {
                cause = Some(Cause::OutsideRoot);
            }
        }),
        _ => {
            cause = Some(Cause::NoProcess);
            Ok(())
        }
    };
    if let Err(error) = looked {
        cause = Some(cause_of_open_error(error, || id.to_string().into())?);
    }
    Ok((facts, cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Fake, UtsNames};
    use crate::model::Kind;

    #[test]
    fn what_is_told_inside_is_a_fact_and_what_is_refused_has_its_cause() {
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
        let look = |ino, need| look_inside(&kernel, &uts(ino), uts(ino), need, None).unwrap();
        let (facts, cause) = look(1, Need::HostNames);
        assert_eq!(
            (facts.hostname.as_deref(), cause),
            (Some(&b"blue"[..]), None)
        );
        let nothing = Facts::default();
        assert_eq!(
            look(2, Need::HostNames),
            (nothing.clone(), Some(Cause::Denied))
        );
        let empty = Cause::NoProcess;
        assert_eq!(look(1, Need::CgroupRoot), (nothing, Some(empty)));
    }
}
