//! What `cargo bench` needs of the inside. Not part of the public interface.

use crate::model::{Holder, Kind, KindSet, Link, LinkSet, Namespace, NsId, Pid, Process, Snapshot};
use crate::proc::{Lines, namespace_mounts, parse_id};
use crate::scan::Groups;

/// Makes processes of which each tenth is in namespaces of its own.
pub fn crowd(count: Pid) -> Vec<Process> {
    (1..=count)
        .map(|pid| {
            let mut process = Process::new(pid, Default::default());
            for link in LinkSet::all().iter() {
                let initial = link.kind().initial_ino();
                let own = match link {
                    Link::Net | Link::Mnt | Link::Uts if pid % 10 == 0 => u64::from(pid) * 3,
                    _ => 0,
                };
                process.links.set(link, initial + own);
            }
            process
        })
        .collect()
}

/// Groups processes by namespace. Returns the number of namespaces.
pub fn group(processes: Vec<Process>) -> usize {
    let mut groups = Groups::new(KindSet::all());
    groups.add(processes);
    groups.finish(false).0.len()
}

/// Makes a snapshot of net namespaces with one process each.
pub fn snapshot(count: Pid) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for pid in 1..=count {
        let id = NsId {
            ino: u64::from(pid),
            kind: Kind::Net,
        };
        let mut namespace = Namespace::new(id, Holder::of_link(pid, Link::Net));
        namespace.nprocs = 1;
        namespace.pid = Some(pid);
        snapshot.namespaces.push(namespace);
        let mut process = Process::new(pid, Default::default());
        process.links.set(Link::Net, id.ino);
        process.details = Some(Box::default());
        if let Some(details) = &mut process.details {
            details.command = Some(format!("/usr/bin/worker --number {pid}").into());
            details.uid = Some(0);
            details.user = Some("root".into());
        }
        snapshot.processes.push(process);
    }
    snapshot
}

/// Parses the text of a namespace link. Returns whether it is one.
pub fn is_link(text: &[u8]) -> bool {
    parse_id(text).is_some()
}

/// Reads a mount table. Returns the number of namespaces mounted in it.
pub fn mounted_namespaces(mountinfo: &[u8]) -> usize {
    namespace_mounts(Lines::of(mountinfo)).map_or(0, |table| table.mounts.len())
}
