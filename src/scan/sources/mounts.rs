//! Bind mounts of namespaces, in the mount tables of all mount namespaces.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use crate::error::Error;
use crate::model::{Cause, Holder, Link, LinkSet, Mount, Pid, Process, Source, Within};
use crate::proc::{NamespaceMounts, ReadError, Sysroot, namespace_mounts};
use crate::scan::group::Find;
use crate::scan::parallel::walk;
use crate::scan::tally::{Tally, cause_of};

/// What one mount table says; or why it could not be read.
type Table = Result<NamespaceMounts, ReadError>;

/// Every namespace in the mount table of the caller. Type and number stand in
/// it: nothing that is mounted needs to be looked at.
pub(crate) fn read_own_mounts(root: &Sysroot, tally: &mut Tally) -> Result<Vec<Find>, Error> {
    let table = root.mountinfo().and_then(namespace_mounts);
    let mut finds = Vec::new();
    match table {
        Err(ReadError::Gone) => {
            let cause = Cause::ForeignProc;
            tally.add(Source::Mounts, cause, LinkSet::EMPTY);
        }
        table => settle(root, None, table, &mut finds, tally)?,
    }
    Ok(finds)
}

/// Who is in each mount namespace: processes, through a thread if the leader is
/// gone, and threads that are elsewhere. What `/proc/PID` tells of a process,
/// `/proc/TID` tells of a thread, proc(5).
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

/// Every namespace in the mount tables of the other mount namespaces, read
/// through the first of those who are in each.
pub(crate) fn read_other_mounts(
    root: &Sysroot,
    insiders: &BTreeMap<u64, Vec<Pid>>,
    threads: NonZeroUsize,
    tally: &mut Tally,
) -> Result<Vec<Find>, Error> {
    let own = root.own_mount_ns();
    let others = insiders.iter().filter(|(ino, _)| Some(**ino) != own);
    let others: Vec<_> = others.collect();
    let tables = walk(&others, threads, |(mount_ns, pids)| {
        Ok(read_table(root, **mount_ns, pids))
    })?;
    let mut finds = Vec::new();
    for (within, table) in tables {
        settle(root, within, table, &mut finds, tally)?;
    }
    Ok(finds)
}

/// The mount table of the first of the processes that is still there.
fn read_table(root: &Sysroot, mount_ns: u64, pids: &[Pid]) -> (Option<Within>, Table) {
    for pid in pids {
        match root.mountinfo_of(*pid).and_then(namespace_mounts) {
            Err(ReadError::Gone | ReadError::Errno(rustix::io::Errno::INVAL)) => {}
            table => {
                let within = Within {
                    mount_ns,
                    pid: Some(*pid),
                };
                return (Some(within), table);
            }
        }
    }
    (None, Ok(Vec::new()))
}

fn settle(
    root: &Sysroot,
    within: Option<Within>,
    table: Table,
    finds: &mut Vec<Find>,
    tally: &mut Tally,
) -> Result<(), Error> {
    let mut is_malformed = false;
    match table {
        Ok(mounts) => {
            for mount in mounts {
                match mount {
                    Ok((id, mount)) => {
                        finds.push((id, Holder::Mount(Mount { within, ..mount })));
                    }
                    Err(_) => is_malformed = true,
                }
            }
        }
        Err(error) => {
            let cause = cause_of(error, || root.proc_path())?;
            tally.add(Source::Mounts, cause, LinkSet::EMPTY);
        }
    }
    if is_malformed {
        tally.add(Source::Mounts, Cause::Malformed, LinkSet::EMPTY);
    }
    Ok(())
}
