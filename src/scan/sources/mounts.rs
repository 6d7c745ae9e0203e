//! Bind mounts of namespaces, in the mount tables of all mount namespaces. A
//! table gives type and number, so nothing that is mounted has to be looked at.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::sync::Arc;

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Cause, Holder, Link, Mount, NsId, Pid, Process, Source, Within};
use crate::proc::{Lines, NamespaceMounts, ReadError, namespace_mounts};
use crate::scan::context::{Context, cause_of_open, cause_of_read};
use crate::scan::groups::{Entrances, Find, Groups};
use crate::scan::sources::relations::open_through;

/// A mount table, as it is inside its namespace.
pub(crate) type MountTable = Lines<Box<dyn Read + Send>>;

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

/// The number of processes of one mount namespace that may be outside its root
/// before it is entered.
const MOST_OUTSIDE: usize = 16;

/// Finds the namespaces in the mount tables of other mount namespaces, each
/// read through the first process in it that still exists and is at its root.
/// If none is, the namespace is entered. Returns the mount namespaces whose
/// tables were read, with what is in them.
pub(crate) fn find_elsewhere<K: Kernel>(
    context: &Context<K>,
    insiders: BTreeMap<u64, Vec<Pid>>,
) -> Result<Vec<(u64, Vec<Find>)>, Error> {
    let others: Vec<_> = insiders.into_iter().collect();
    let found = context.map_counting(Source::Mounts, others, |context, (mount_ns, pids)| {
        let finds = find_in(context, *mount_ns, pids)?;
        Ok(finds.map(|finds| (*mount_ns, finds)))
    })?;
    Ok(found.into_iter().flatten().collect())
}

/// Finds the namespaces in the mount table of a mount namespace; `None` if no
/// process is left in it.
fn find_in<K: Kernel>(
    context: &Context<K>,
    mount_ns: u64,
    pids: &[Pid],
) -> Result<Option<Vec<Find>>, Error> {
    let mut partial = Vec::new();
    let mut is_hidden = false;
    for pid in pids {
        let is_at_root = || context.root.is_at_root(*pid);
        let table = is_at_root().and_then(|was_at_root| {
            let table = context.root.mountinfo_of(*pid).and_then(namespace_mounts)?;
            let is_whole = !context.root.is_live() || table.has_root;
            Ok((table, was_at_root && is_whole && is_at_root()?))
        });
        let within = Within {
            mount_ns,
            pid: Some(*pid),
        };
        match table {
            Err(ReadError::Gone | ReadError::Errno(Errno::INVAL)) => {
                is_hidden = is_hidden || context.root.hidden(*pid).is_some();
            }
            Ok((table, false)) => {
                partial.push((*pid, table));
                if partial.len() == MOST_OUTSIDE {
                    break;
                }
            }
            table => {
                let table = table.map(|(table, _)| table);
                return Ok(Some(settle(context, Some(within), table)?));
            }
        }
    }
    let Some((pid, table)) = partial.into_iter().next() else {
        if !is_hidden {
            return Ok(None);
        }
        context.miss(Source::Mounts, Cause::Hidden);
        return Ok(Some(Vec::new()));
    };
    complete(context, mount_ns, pid, table).map(Some)
}

/// Reads the mount table of which a process sees a part from inside, or else
/// keeps that part.
fn complete<K: Kernel>(
    context: &Context<K>,
    mount_ns: u64,
    pid: Pid,
    part: NamespaceMounts,
) -> Result<Vec<Find>, Error> {
    let (table, pid) = match enter(context, NsId::mnt(mount_ns), pid) {
        Ok(whole) => (namespace_mounts(whole), None),
        Err(error) => {
            let cause = cause_of_open(error, || context.root.process_path(pid))?;
            context.miss(Source::Mounts, cause);
            (Ok(part), Some(pid))
        }
    };
    settle(context, Some(Within { mount_ns, pid }), table)
}

/// Opens the mount table of the mount namespace of a process from inside.
pub(crate) fn enter<K: Kernel>(
    context: &Context<K>,
    id: NsId,
    pid: Pid,
) -> Result<MountTable, OpenError> {
    let kernel = context.kernel.as_ref().ok_or(OpenError::Unreachable)?;
    let path = context.root.process_path(pid).join("ns/mnt");
    let ns = kernel.open_link(&path, id)?;
    Ok(Lines::of(kernel.mount_table(&ns)?))
}

/// Finds the namespaces in the mount tables of mount namespaces that no process
/// is in, but that something leads to. Returns the mount namespaces that were
/// looked at, with what is in them.
pub(crate) fn find_lonely<K: Kernel>(
    context: &Context<K>,
    kernel: &Arc<K>,
    groups: &Groups,
    known: &HashSet<u64>,
) -> Result<Vec<(u64, Vec<Find>)>, Error> {
    let mut lonely: Vec<u64> = groups.entered_otherwise().collect();
    lonely.retain(|mount_ns| !known.contains(mount_ns));
    if lonely.is_empty() {
        return Ok(Vec::new());
    }
    let (kernel, entrances) = (Arc::clone(kernel), groups.entrances());
    let find = move |context: &Context<K>, mount_ns: &u64| {
        find_inside(context, &*kernel, &entrances, *mount_ns)
    };
    let found = context.map_counting(Source::Mounts, lonely.clone(), find)?;
    Ok(lonely.into_iter().zip(found).collect())
}

fn find_inside<K: Kernel>(
    context: &Context<K>,
    kernel: &K,
    entrances: &Entrances,
    mount_ns: u64,
) -> Result<Vec<Find>, Error> {
    let within = Within {
        mount_ns,
        pid: None,
    };
    match open_table(context, kernel, entrances, entrances.of(mount_ns), mount_ns) {
        Ok(table) => settle(context, Some(within), namespace_mounts(table)),
        // Nothing leads to it any more.
        Err(OpenError::Gone | OpenError::Moved) => Ok(Vec::new()),
        Err(error) => {
            let cause = cause_of_open(error, || NsId::mnt(mount_ns).to_string().into())?;
            context.miss(Source::Mounts, cause);
            Ok(Vec::new())
        }
    }
}

/// Opens the mount table of a mount namespace from inside, through the first of
/// some holders that opens it.
pub(crate) fn open_table<K: Kernel>(
    context: &Context<K>,
    kernel: &K,
    entrances: &Entrances,
    holders: &[Holder],
    mount_ns: u64,
) -> Result<MountTable, OpenError> {
    let mut closed = OpenError::Gone;
    for holder in holders {
        match open_through(context, kernel, entrances, holder, NsId::mnt(mount_ns)) {
            Ok(ns) => return Ok(Lines::of(kernel.mount_table(&ns)?)),
            Err(OpenError::Gone | OpenError::Moved) => {}
            Err(error) => closed = error,
        }
    }
    Err(closed)
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
    for mount in table.mounts {
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::kernel::Fake;
    use crate::model::Kind;
    use crate::proc::Sysroot;
    use crate::scan::context::tests::{one, with_kernel};

    const TABLE: &str = "1 0 8:1 / / rw - ext4 x rw\n41 1 0:4 net:[7] /a rw - nsfs nsfs rw\n";

    #[test]
    fn a_captured_table_is_whole() {
        let tree = tempfile::tempdir().unwrap();
        let process = tree.path().join("proc/5");
        std::fs::create_dir_all(&process).unwrap();
        std::fs::write(process.join("mountinfo"), TABLE).unwrap();
        symlink("/jail", process.join("root")).unwrap();
        let root = Sysroot::at(tree.path());
        let context = with_kernel(&root, Fake::default());
        let id = NsId {
            ino: 7,
            kind: Kind::Net,
        };
        let mount = Mount {
            within: Some(Within {
                mount_ns: 3,
                pid: Some(5),
            }),
            path: "/a".into(),
            id: 41,
        };
        let expected = vec![(3, vec![(id, Holder::Mount(mount))])];
        let found = find_elsewhere(&context, [(3, vec![4, 5]), (9, vec![4])].into());
        assert_eq!(found.unwrap(), expected);
        assert_eq!(context.gaps(9), []);
    }

    #[test]
    fn what_a_process_does_not_see_is_read_from_inside_or_else_a_gap() {
        let root = Sysroot::at("/nonexistent");
        let path = "/nonexistent/proc/5/ns/mnt".to_owned();
        let kernel = Fake {
            paths: [(path, NsId::mnt(3))].into(),
            mount_tables: [(NsId::mnt(3), TABLE.to_owned())].into(),
            ..Fake::default()
        };
        let paths = |context: &Context<Fake>, mount_ns| {
            let part = NamespaceMounts::default();
            let found = complete(context, mount_ns, 5, part).unwrap();
            found
                .into_iter()
                .map(|(id, holder)| (id.ino, holder.pid()))
                .collect::<Vec<_>>()
        };
        let context = with_kernel(&root, kernel);
        assert_eq!(paths(&context, 3), [(7, None)]);
        assert_eq!(context.gaps(9), []);
        let closed = Fake {
            paths: [("/nonexistent/proc/5/ns/mnt".to_owned(), NsId::mnt(3))].into(),
            ..Fake::default()
        };
        let context = with_kernel(&root, closed);
        assert_eq!(paths(&context, 3), []);
        assert_eq!(context.gaps(9), [one(Source::Mounts, Cause::Denied)]);
    }

    #[test]
    fn a_mount_namespace_without_processes_is_entered_and_what_is_mounted_there_too() {
        let file = |fd| {
            Holder::Fd(crate::model::OpenFile {
                pid: 5,
                tid: None,
                fd,
            })
        };
        let table =
            |line: &str| format!("1 0 8:1 / / rw - ext4 x rw\n41 1 0:4 {line} rw - nsfs n rw\n");
        let kernel = Arc::new(Fake {
            paths: [
                ("/proc/5/fd/3".to_owned(), NsId::mnt(3)),
                ("/proc/5/fd/4".to_owned(), NsId::mnt(9)),
                ("mnt:[3]/inner".to_owned(), NsId::mnt(4)),
            ]
            .into(),
            mount_tables: [
                (NsId::mnt(3), table("mnt:[4] /inner")),
                (NsId::mnt(4), table("net:[7] /a")),
            ]
            .into(),
            ..Fake::default()
        });
        let root = Sysroot::at("/nonexistent");
        let context = with_kernel(&root, Fake::default());
        // Only the types looked for are grouped.
        let mut groups = Groups::new(Kind::Net.into());
        groups.insert((NsId::mnt(3), file(8)));
        groups.insert((NsId::mnt(3), file(3)));
        let mut known = HashSet::new();
        let mut found = || {
            let found = find_lonely(&context, &kernel, &groups, &known).unwrap();
            for (mount_ns, finds) in &found {
                known.insert(*mount_ns);
                for find in finds {
                    groups.insert(find.clone());
                }
            }
            found
        };
        let mounted = |mount_ns, path: &str| {
            Holder::Mount(Mount {
                within: Some(Within {
                    mount_ns,
                    pid: None,
                }),
                path: path.into(),
                id: 41,
            })
        };
        let net = NsId {
            ino: 7,
            kind: Kind::Net,
        };
        assert_eq!(found(), [(3, vec![(NsId::mnt(4), mounted(3, "/inner"))])]);
        assert_eq!(found(), [(4, vec![(net, mounted(4, "/a"))])]);
        assert_eq!(found(), []);
        assert_eq!(context.gaps(9), []);
        // One that is gone, and one that refuses.
        let mut groups = Groups::new(Kind::Net.into());
        groups.insert((NsId::mnt(8), file(8)));
        groups.insert((NsId::mnt(9), file(4)));
        let found = find_lonely(&context, &kernel, &groups, &HashSet::new());
        assert_eq!(found.unwrap(), [(8, vec![]), (9, vec![])]);
        assert_eq!(context.gaps(9), [one(Source::Mounts, Cause::Denied)]);
    }
}
