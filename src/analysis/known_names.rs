//! Names under which programs keep namespaces on purpose.

/// Directories below `/run` in which programs keep namespaces by name: ip-netns(8)
/// and CNI plugins, Docker, CRI-O, snapd.
const KNOWN: [&[u8]; 7] = [
    b"netns/",
    b"docker/netns/",
    b"utsns/",
    b"ipcns/",
    b"userns/",
    b"pidns/",
    b"snapd/ns/",
];

/// Directories below `/run/user/UID`, which rootless engines mount in a mount
/// namespace of theirs.
const KNOWN_OF_USERS: [&[u8]; 2] = [b"netns/", b"containers/networks/rootless-netns/"];

/// Returns whether a mount point is a name in a known directory: in the mount
/// namespace of the caller if it `is_here`, as a copy elsewhere outlives
/// `ip netns delete`; that of a rootless engine in any.
pub(super) fn is_known(path: &[u8], is_here: bool) -> bool {
    let below = |dir: &[u8]| path.strip_prefix(dir);
    // /var/run is a link to /run, except on very old systems.
    let Some(path) = below(b"/run/").or_else(|| below(b"/var/run/")) else {
        return false;
    };
    let of_user = path.strip_prefix(b"user/").and_then(|path| {
        let end = path.iter().position(|byte| *byte == b'/')?;
        let (uid, path) = path.split_at_checked(end)?;
        let is_uid = !uid.is_empty() && uid.iter().all(u8::is_ascii_digit);
        path.get(1..).filter(|_| is_uid)
    });
    let in_any = |dirs: &[&[u8]], path: &[u8]| {
        let name = dirs.iter().find_map(|dir| path.strip_prefix(*dir));
        name.is_some_and(|name| !name.is_empty() && !name.contains(&b'/'))
    };
    match of_user {
        Some(path) => in_any(&KNOWN_OF_USERS, path),
        None => is_here && in_any(&KNOWN, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_lies_right_below_a_known_directory() {
        for path in [
            "/run/netns/x",
            "/var/run/netns/cni-1",
            "/run/docker/netns/1",
            "/run/utsns/1",
            "/run/snapd/ns/lxd.mnt",
        ] {
            assert!(is_known(path.as_bytes(), true), "{path}");
            assert!(!is_known(path.as_bytes(), false), "{path}");
        }
        for path in [
            "/run/user/1000/netns/x",
            "/run/user/1000/containers/networks/rootless-netns/rootless-netns",
        ] {
            assert!(is_known(path.as_bytes(), true), "{path}");
            assert!(is_known(path.as_bytes(), false), "{path}");
        }
        for path in [
            "",
            "/run/netns/",
            "/run/netns/x/y",
            "/run/netnsx/blue",
            "/srv/run/netns/blue",
            "/run/user/netns/x",
            "/run/user/x/netns/x",
            "/run/user//netns/x",
            "/run/user/1000",
            "/run/user/1000/other",
        ] {
            assert!(!is_known(path.as_bytes(), true), "{path}");
        }
    }
}
