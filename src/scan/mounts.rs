//! Bind mounts of namespaces in the mount namespace of the caller.

use crate::error::Error;
use crate::model::{Cause, Holder, LinkSet, Source};
use crate::proc::{Sysroot, namespace_mounts};
use crate::scan::group::Find;
use crate::scan::tally::{Tally, cause_of};

/// Every namespace in the mount table, which is read once. Type and number
/// stand in it: nothing that is mounted needs to be looked at.
pub(crate) fn read_mounts(root: &Sysroot, tally: &mut Tally) -> Result<Vec<Find>, Error> {
    let mountinfo = match root.mountinfo() {
        Ok(mountinfo) => mountinfo,
        Err(error) => {
            let cause = cause_of(error, || root.proc_path().join("self/mountinfo"))?;
            tally.add(Source::Mounts, cause, LinkSet::EMPTY);
            return Ok(Vec::new());
        }
    };
    let mut finds = Vec::new();
    for mount in namespace_mounts(&mountinfo) {
        match mount {
            Ok((id, mount)) => finds.push((id, Holder::Mount(mount))),
            Err(_) => tally.add(Source::Mounts, Cause::Malformed, LinkSet::EMPTY),
        }
    }
    Ok(finds)
}
