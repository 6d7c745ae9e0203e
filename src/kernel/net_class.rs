//! Whether taking a copy of a socket would change it.
//!
//! The kernel gives every socket that a process receives, be it by
//! pidfd_getfd(2), the net_cls class and the net_prio index of the receiver
//! (`receive_fd` in fs/file.c), for all who have it open. That changes nothing
//! only if all processes have the same: the index is that of the cgroup, so the
//! hierarchy must have no other cgroup than its root.

use std::path::Path;

use rustix::io::Errno;

use crate::kernel::setns;

const CONTROLLERS: [&[u8]; 2] = [b"net_cls", b"net_prio"];

/// Returns whether sockets differ in class or index, as far as the kernel shows.
pub(super) fn tags_sockets(proc: &Path) -> bool {
    match setns::read(&proc.join("self/cgroup")) {
        // A kernel without cgroups.
        Err(Errno::NOENT) => false,
        Ok(own) if !has_hierarchy(&own) => false,
        _ => !setns::read(&proc.join("cgroups")).is_ok_and(|all| has_roots_only(&all)),
    }
}

/// Returns whether `/proc/PID/cgroup` lists a hierarchy of these controllers.
/// It lists all that are mounted anywhere.
fn has_hierarchy(cgroup: &[u8]) -> bool {
    cgroup.split(|byte| *byte == b'\n').any(|line| {
        let mut fields = line.splitn(3, |byte| *byte == b':');
        let controllers = fields.nth(1).unwrap_or_default();
        controllers
            .split(|byte| *byte == b',')
            .any(|name| CONTROLLERS.contains(&name))
    })
}

/// Returns whether `/proc/cgroups` counts one cgroup, the root, for each of
/// these controllers that it has.
fn has_roots_only(cgroups: &[u8]) -> bool {
    cgroups.split(|byte| *byte == b'\n').all(|line| {
        let mut fields = line.split(u8::is_ascii_whitespace);
        match fields.next() {
            Some(name) if CONTROLLERS.contains(&name) => fields.nth(1) == Some(b"1"),
            _ => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hierarchy_is_seen_alone_or_with_others() {
        for line in ["9:net_cls:/", "9:net_cls,net_prio:/a", "2:x,net_prio:/"] {
            let text = format!("10:cpu:/\n{line}\n0::/\n");
            assert!(has_hierarchy(text.as_bytes()), "{line}");
        }
        for line in ["0::/a:net_cls", "1:name=net_cls:/", "net_cls", ""] {
            assert!(!has_hierarchy(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn any_cgroup_below_the_root_makes_sockets_differ() {
        let head = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t40\t1\n";
        let text = |classes: &str| format!("{head}{classes}");
        let roots = "net_cls\t7\t1\t1\nnet_prio\t7\t1\t1\n";
        assert!(has_roots_only(text(roots).as_bytes()));
        assert!(has_roots_only(text("").as_bytes()));
        for classes in ["net_cls\t7\t2\t1\n", "net_prio\t7\t12\t1\n", "net_cls\t7\n"] {
            assert!(!has_roots_only(text(classes).as_bytes()), "{classes}");
        }
    }
}
