use std::hash::{DefaultHasher, Hasher};

use crate::model::NsId;
use crate::proc::link_text::parse_id;

/// What an open file is, if it can hold a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FdTarget {
    /// A namespace.
    Namespace(NsId),
    /// A socket, by its inode number.
    Socket(u64),
    /// Another file. It may be a namespace that was opened by the path of a bind
    /// mount, or a tun file.
    File(PathHash),
}

/// Hash of a path. Paths themselves would take much memory, as a system has many
/// open files and hardly any of them matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PathHash(u64);

impl PathHash {
    pub(crate) fn of(path: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(path);
        PathHash(hasher.finish())
    }
}

/// Parses the target of a link in `/proc/PID/fd`; `None` for a file that cannot
/// hold a namespace. Only paths begin with a slash.
pub(super) fn parse_fd_target(text: &[u8]) -> Option<FdTarget> {
    if let [b'/', ..] = text {
        return Some(FdTarget::File(PathHash::of(text)));
    }
    if let Some(rest) = text.strip_prefix(b"socket:[") {
        let ino = std::str::from_utf8(rest.strip_suffix(b"]")?).ok()?.parse();
        return ino.ok().map(FdTarget::Socket);
    }
    parse_id(text).map(FdTarget::Namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_file_is_a_namespace_or_a_socket_or_nothing_to_us() {
        let net = NsId {
            ino: 7,
            kind: crate::model::Kind::Net,
        };
        assert_eq!(parse_fd_target(b"net:[7]"), Some(FdTarget::Namespace(net)));
        assert_eq!(parse_fd_target(b"socket:[9]"), Some(FdTarget::Socket(9)));
        let tun = FdTarget::File(PathHash::of(b"/dev/net/tun"));
        assert_eq!(parse_fd_target(b"/dev/net/tun"), Some(tun));
        let file = FdTarget::File(PathHash::of(b"/net:[7]"));
        assert_eq!(parse_fd_target(b"/net:[7]"), Some(file));
        for text in [
            "pipe:[9]",
            "socket:[x]",
            "socket:[9",
            "anon_inode:[pidfd]",
            "",
        ] {
            assert_eq!(parse_fd_target(text.as_bytes()), None, "{text}");
        }
    }
}
