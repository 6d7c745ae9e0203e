//! Which mounts lie on the way to another, by a mount table.

use std::collections::HashMap;
use std::io::Read;
use std::iter;

use crate::proc::ReadError;
use crate::proc::lines::Lines;
use crate::proc::mountinfo::parse_line;

/// How many mounts are followed on the way to one. Paths have fewer parts, but
/// mounts can be stacked.
const MOST_ABOVE: usize = 1024;

/// The mounts of one mount namespace, by ID.
#[derive(Debug, Default)]
pub(crate) struct MountTree(HashMap<u64, Node>);

#[derive(Debug)]
struct Node {
    /// ID of the mount on which it is mounted.
    parent: u64,
    /// Whether looking up a name there may mean to ask somebody.
    is_served: bool,
}

impl MountTree {
    /// Reads a table, up to what cannot be read of it.
    pub(crate) fn read<R: Read>(mut mountinfo: Lines<R>) -> Self {
        let mut nodes = HashMap::new();
        while let Some(line) = mountinfo.next() {
            match line.map(parse_line) {
                Ok(Some(line)) => {
                    let node = Node {
                        parent: line.parent,
                        is_served: is_served(line.fs_type),
                    };
                    nodes.insert(line.id, node);
                }
                Ok(None) | Err(ReadError::TooLong) => {}
                Err(_) => break,
            }
        }
        MountTree(nodes)
    }

    /// Returns whether a mount is covered, if its path could be followed up to the
    /// mount `reached` and no further: that is not on the way to it. `false` if
    /// that is a file server, which might know the rest.
    pub(crate) fn is_covered(&self, mount: u64, reached: u64) -> bool {
        let Some(Node { is_served, .. }) = self.0.get(&reached) else {
            return false;
        };
        let above = iter::successors(Some(mount), |id| Some(self.0.get(id)?.parent));
        let mut above = above.take(MOST_ABOVE).skip(1);
        // The mount at the root is on no other in the table.
        let ends = |id: &u64| *id == reached || !self.0.contains_key(id);
        !is_served
            && self.0.contains_key(&mount)
            && above.find(ends).is_some_and(|id| id != reached)
    }
}

/// Returns whether names of a file system are known to a FUSE server, another
/// machine or an automounter.
fn is_served(fs_type: &[u8]) -> bool {
    const SERVED: [&[u8]; 17] = [
        b"9p",
        b"afs",
        b"autofs",
        b"beegfs",
        b"ceph",
        b"cifs",
        b"coda",
        b"fuse",
        b"fuseblk",
        b"gpfs",
        b"lustre",
        b"nfs",
        b"nfs4",
        b"orangefs",
        b"smb3",
        b"vboxsf",
        b"virtiofs",
    ];
    SERVED.contains(&fs_type) || fs_type.starts_with(b"fuse.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a table from `ID PARENT TYPE`.
    fn tree(mounts: &[(u64, u64, &str)]) -> MountTree {
        let line = |(id, parent, fs_type): &(u64, u64, &str)| {
            format!("{id} {parent} 0:1 / /p rw - {fs_type} x rw\n")
        };
        let table: String = mounts.iter().map(line).collect();
        MountTree::read(Lines::of(table.as_bytes()))
    }

    #[test]
    fn a_mount_is_covered_by_what_is_not_on_the_way_to_it() {
        let tree = tree(&[
            (1, 0, "ext4"),
            (2, 1, "tmpfs"),
            (3, 2, "nsfs"),
            (4, 1, "proc"),
            (5, 4, "fuse.sshfs"),
            (6, 1, "nfs4"),
        ]);
        for (mount, reached, is_covered) in [
            (3, 4, true),
            // On the way, so that something else is the reason.
            (3, 2, false),
            (3, 1, false),
            (3, 5, false),
            (3, 6, false),
            (2, 3, true),
            // Neither may be there any more.
            (3, 9, false),
            (9, 4, false),
        ] {
            assert_eq!(
                tree.is_covered(mount, reached),
                is_covered,
                "{mount} {reached}"
            );
        }
    }

    #[test]
    fn a_table_that_is_broken_or_runs_in_circles_covers_nothing() {
        let circle = tree(&[(1, 2, "ext4"), (2, 1, "ext4"), (3, 3, "tmpfs")]);
        assert!(!circle.is_covered(1, 3));
        let broken = MountTree::read(Lines::of(&b"1 0 0:1 / / rw - ext4 x rw\n2 x\n\n3"[..]));
        assert!(!broken.is_covered(2, 1));
        assert!(!broken.is_covered(3, 1));
    }
}
