//! The mount table, proc_pid_mountinfo(5), as bytes: a path may hold any.

use crate::model::{Mount, MountRoot, NsId};
use crate::proc::ReadError;
use crate::proc::link_text::parse_id;

/// What is read of one line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// The number of the mount.
    pub(crate) id: u64,
    /// What of the file system is mounted: of nsfs, the text of the link.
    pub(crate) root: &'a [u8],
    /// Where, still escaped.
    pub(crate) mount_point: &'a [u8],
    /// The type of the file system.
    pub(crate) fs_type: &'a [u8],
    /// What it is mounted from.
    pub(crate) source: &'a [u8],
    /// The options of the file system.
    pub(crate) super_options: &'a [u8],
}

/// Reads `ID PARENT MAJOR:MINOR ROOT MOUNT-POINT OPTIONS [TAGS] - TYPE SOURCE SUPER-OPTIONS`.
pub(crate) fn parse_line(line: &[u8]) -> Option<Line<'_>> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let root = fields.nth(2)?;
    let mount_point = fields.next()?;
    fields.find(|field| *field == b"-")?;
    let fs_type = fields.next()?;
    let source = fields.next()?;
    let super_options = fields.next()?;
    Some(Line {
        id,
        root,
        mount_point,
        fs_type,
        source,
        super_options,
    })
}

/// How many mounts a table has, and what lies at its root: the last that is
/// mounted there.
pub(crate) fn mount_facts(mountinfo: &[u8]) -> Result<(usize, Option<MountRoot>), ReadError> {
    let mut count = 0;
    let mut root = None;
    for line in mountinfo.split(|byte| *byte == b'\n') {
        if line.is_empty() {
            continue;
        }
        let line = parse_line(line).ok_or(ReadError::Malformed)?;
        count += 1;
        if line.mount_point == b"/" {
            root = Some(MountRoot {
                source: unescape(line.source).into(),
                dir: unescape(line.root).into(),
            });
        }
    }
    Ok((count, root))
}

/// Every namespace that is mounted, and where.
pub(crate) fn namespace_mounts(
    mountinfo: &[u8],
) -> impl Iterator<Item = Result<(NsId, Mount), ReadError>> {
    mountinfo
        .split(|byte| *byte == b'\n')
        .filter(|line| is_nsfs(line))
        .map(|line| try_mount(line).ok_or(ReadError::Malformed))
}

/// Whether a line is about nsfs. No path can look so: its spaces are escaped.
pub(crate) fn is_nsfs(line: &[u8]) -> bool {
    const MARK: &[u8] = b" - nsfs ";
    line.windows(MARK.len()).any(|window| window == MARK)
}

fn try_mount(line: &[u8]) -> Option<(NsId, Mount)> {
    let line = parse_line(line)?;
    let mount = Mount {
        within: None,
        path: unescape(line.mount_point).into(),
        id: line.id,
    };
    Some((parse_id(line.root)?, mount))
}

/// Undoes `\040` and the like: the kernel writes blanks, newlines and
/// backslashes so.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        if let (
            b'\\',
            [
                a @ b'0'..=b'3',
                b @ b'0'..=b'7',
                c @ b'0'..=b'7',
                after @ ..,
            ],
        ) = (first, after)
        {
            bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Kind;

    fn mounts(text: &str) -> Vec<Result<(NsId, Mount), ReadError>> {
        namespace_mounts(text.as_bytes()).collect()
    }

    #[test]
    fn mounts_of_namespaces_are_found_among_others_and_their_paths_unescaped() {
        let text = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n\
            41 25 0:4 net:[4026532000] /run/netns/blue rw shared:9 - nsfs nsfs rw\n\
            42 25 0:4 uts:[4026532001] /a\\040b\\134c\\012 rw - nsfs nsfs rw\n\
            43 25 0:9 / /\\040-\\040nsfs\\040 rw - tmpfs tmpfs rw\n";
        let mount = |ino, kind, path: &str, id| {
            Ok((
                NsId { ino, kind },
                Mount {
                    within: None,
                    path: path.into(),
                    id,
                },
            ))
        };
        assert_eq!(
            mounts(text),
            [
                mount(4026532000, Kind::Net, "/run/netns/blue", 41),
                mount(4026532001, Kind::Uts, "/a b\\c\n", 42),
            ]
        );
    }

    #[test]
    fn a_line_about_nsfs_that_makes_no_sense_is_malformed() {
        for line in [
            "41 25 0:4 net:[4026532000] - nsfs nsfs rw",
            "x 25 0:4 net:[1] /a rw - nsfs nsfs rw",
            "41 25 0:4 / /a rw - nsfs nsfs rw",
            "41 25 0:4 net:[1] /a rw - nsfs ",
            " - nsfs ",
        ] {
            assert_eq!(mounts(line), [Err(ReadError::Malformed)], "{line}");
        }
        assert_eq!(mounts("41 25 0:4 / /a rw - ext4 x rw\nnonsense\n"), []);
    }

    #[test]
    fn mounts_are_counted_and_the_last_at_the_root_lies_on_top() {
        let text = b"1 0 0:2 / / rw - rootfs rootfs rw\n2 1 8:1 /a\\040b / rw - ext4 /dev/sda rw\n\
            3 2 0:9 / /x rw - tmpfs tmpfs rw\n";
        let root = MountRoot {
            source: "/dev/sda".into(),
            dir: "/a b".into(),
        };
        assert_eq!(mount_facts(text), Ok((3, Some(root))));
        assert_eq!(mount_facts(b""), Ok((0, None)));
        assert_eq!(mount_facts(b"nonsense\n"), Err(ReadError::Malformed));
    }

    #[test]
    fn what_only_looks_like_an_escape_stays() {
        assert_eq!(unescape(br"\04"), br"\04");
        assert_eq!(unescape(br"\999\\101"), b"\\999\\A");
        assert_eq!(unescape(br"\400"), br"\400");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = namespace_mounts(&text).count();
            let _ = (parse_line(&text), unescape(&text));
        }
    }
}
