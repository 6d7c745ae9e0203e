//! Bind mounts of namespaces, in the mount tables of all mount namespaces. A
//! table gives type and number, so nothing that is mounted has to be looked at.

use std::collections::BTreeMap;

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{Cause, Holder, Link, Mount, NsId, Pid, Process, Source, Within};
use crate::proc::{NamespaceMounts, ReadError, namespace_mounts};
use crate::scan::context::{Context, cause_of_read};
use crate::scan::groups::Find;

/// Finds the namespaces in the mount table of the caller.
pub(crate) fn find_own<K>(context: &Context<K>) -> Result<Vec<Find>, Error> {
    match context.root.mountinfo().and_then(namespace_mounts) {
        Err(ReadError::Gone) => {
            context.miss(Source::Mounts, Cause::ForeignProc);
            Ok(Vec::new())
        }
        table => settle(context, None, table),
    }
}

/// Returns the processes in each mount namespace: by a thread if the leader has
/// ended, and threads that are elsewhere. What `/proc/PID` shows of a process,
/// `/proc/TID` shows of a thread, proc(5).
pub(crate) fn insiders(processes: &[Process], finds: &[Find]) -> BTreeMap<u64, Vec<Pid>> {
    let mut insiders: BTreeMap<u64, Vec<Pid>> = BTreeMap::new();
    for process in processes {
        if let Some(ino) = process.links.ino(Link::Mnt) {
            let task = process.thread.unwrap_or(process.pid);
            insiders.entry(ino).or_default().push(task);
        }
    }
    for (id, holder) in finds {
        if let Holder::Thread { tid, link, .. } = holder
            && *link == Link::Mnt
        {
            insiders.entry(id.ino).or_default().push(*tid);
        }
    }
    insiders
}

/// Finds the namespaces in the mount tables of other mount namespaces, each
/// read through the first process in it that still exists. Returns the mount
/// namespaces whose tables were read, with what is in them.
pub(crate) fn find_elsewhere<K: Kernel>(
    context: &Context<K>,
    insiders: BTreeMap<u64, Vec<Pid>>,
) -> Result<Vec<(u64, Vec<Find>)>, Error> {
    let others: Vec<_> = insiders.into_iter().collect();
    let found = context.map(others, |context, (mount_ns, pids)| {
        for pid in pids {
            match context.root.mountinfo_of(*pid).and_then(namespace_mounts) {
                Err(ReadError::Gone | ReadError::Errno(Errno::INVAL)) => {}
                table => {
                    let within = Within {
                        mount_ns: *mount_ns,
                        pid: Some(*pid),
                    };
                    let finds = settle(context, Some(within), table)?;
                    return Ok(Some((*mount_ns, finds)));
                }
            }
        }
        Ok(None)
    })?;
    let found = found.into_iter().map(|found| {
        found.unwrap_or_else(|| {
            context.miss(Source::Mounts, Cause::Blocked);
            None
        })
    });
    Ok(found.flatten().collect())
}

fn settle<K>(
    context: &Context<K>,
    within: Option<Within>,
    table: Result<NamespaceMounts, ReadError>,
) -> Result<Vec<Find>, Error> {
    let table = match table {
        Ok(table) => table,
        Err(error) => {
            let cause = cause_of_read(error, || context.root.proc_path())?;
            context.miss(Source::Mounts, cause);
            return Ok(Vec::new());
        }
    };
    let mut finds = Vec::new();
    let mut trouble = None;
    for mount in table {
        match mount {
            Ok((id, mount)) => finds.push((id, Holder::Mount(Mount { within, ..mount }))),
            Err(error) => trouble = Some(error),
        }
    }
    if let Some(error) = trouble {
        let cause = cause_of_read(error, || context.root.proc_path())?;
        context.miss(Source::Mounts, cause);
    }
    Ok(finds)
}

/// Returns the identity of a mount namespace by its inode number.
pub(crate) const fn mnt(ino: u64) -> NsId {
    NsId {
        ino,
        kind: crate::model::Kind::Mnt,
    }
}
