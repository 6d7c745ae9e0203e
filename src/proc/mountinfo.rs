//! Mount tables, proc_pid_mountinfo(5). They are parsed as bytes, for a path may
//! contain any.

use std::io::Read;

use crate::model::{Mount, MountRoot, MountedFs, NsId};
use crate::proc::ReadError;
use crate::proc::lines::Lines;
use crate::proc::link_text::parse_id;
use crate::text::parse_digits;

/// One line of a mount table. Paths are still escaped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// ID of the mount.
    pub(crate) id: u64,
    /// ID of the mount on which it is mounted.
    pub(crate) parent: u64,
    /// Major and minor number of the device.
    pub(crate) device: (u32, u32),
    /// Directory of the file system that is mounted; on nsfs, the text of the
    /// namespace link.
    pub(crate) root: &'a [u8],
    /// Where it is mounted.
    pub(crate) mount_point: &'a [u8],
    /// File system type.
    pub(crate) fs_type: &'a [u8],
    /// What is mounted: a device, or any text.
    pub(crate) source: &'a [u8],
    /// Options of the file system.
    pub(crate) super_options: &'a [u8],
}

/// Parses `ID PARENT MAJOR:MINOR ROOT MOUNT-POINT OPTIONS [TAGS] - TYPE SOURCE SUPER-OPTIONS`.
pub(crate) fn parse_line(line: &[u8]) -> Option<Line<'_>> {
    let mut fields = line.split(|byte| *byte == b' ');
    let mut id = || std::str::from_utf8(fields.next()?).ok()?.parse().ok();
    let (id, parent) = (id()?, id()?);
    let device = parse_device(fields.next()?)?;
    let root = fields.next()?;
    let mount_point = fields.next()?;
    fields.find(|field| *field == b"-")?;
    let fs_type = fields.next()?;
    let source = fields.next()?;
    let super_options = fields.next()?;
    Some(Line {
        id,
        parent,
        device,
        root,
        mount_point,
        fs_type,
        source,
        super_options,
    })
}

/// Parses `MAJOR:MINOR`.
pub(crate) fn parse_device(text: &[u8]) -> Option<(u32, u32)> {
    let (major, minor) = std::str::from_utf8(text).ok()?.split_once(':')?;
    Some((parse_digits(major)?, parse_digits(minor)?))
}

/// What a mount table says about file systems.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct MountFacts {
    /// The number of mounts.
    pub(crate) count: usize,
    /// What is mounted at the root: the last mount there covers the others.
    pub(crate) root: Option<MountRoot>,
    /// The mounts that were looked for.
    pub(crate) found: Vec<MountedFs>,
}

/// Reads a table, and keeps the mounts that answer a question. A line that is too
/// long is an error, for it may be one of them.
pub(crate) fn mount_facts<R: Read>(
    mut mountinfo: Lines<R>,
    is_wanted: impl Fn(&MountedFs) -> bool,
) -> Result<MountFacts, ReadError> {
    let mut facts = MountFacts::default();
    while let Some(line) = mountinfo.next() {
        let line = line?;
        if line.is_empty() {
            continue;
        }
        let line = parse_line(line).ok_or(ReadError::Malformed)?;
        facts.count += 1;
        let mounted = MountedFs {
            device: line.device,
            dir: unescape(line.root).into(),
            mount_point: unescape(line.mount_point).into(),
            fs_type: unescape(line.fs_type).into(),
            source: unescape(line.source).into(),
        };
        if line.mount_point == b"/" {
            facts.root = Some(MountRoot {
                source: mounted.source.clone(),
                dir: mounted.dir.clone(),
            });
        }
        if is_wanted(&mounted) {
            facts.found.push(mounted);
        }
    }
    Ok(facts)
}

/// Returns the ID of the first mount of a table.
pub(crate) fn first_mount<R: Read>(mut mountinfo: Lines<R>) -> Result<u64, ReadError> {
    let line = mountinfo.next().ok_or(ReadError::Malformed)??;
    Ok(parse_line(line).ok_or(ReadError::Malformed)?.id)
}

/// What a mount table says about namespaces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct NamespaceMounts {
    /// Each mount with its namespace, or why its line could not be read.
    pub(crate) mounts: Vec<Result<(NsId, Mount), ReadError>>,
    /// Whether the table has a mount at the root directory. That of a process
    /// whose root is elsewhere need not.
    pub(crate) has_root: bool,
}

/// Finds the mounts of namespaces in a table.
pub(crate) fn namespace_mounts<R: Read>(
    mut mountinfo: Lines<R>,
) -> Result<NamespaceMounts, ReadError> {
    let mut table = NamespaceMounts::default();
    let mounts = &mut table.mounts;
    while let Some(line) = mountinfo.next() {
        match line {
            Ok(line) if is_nsfs(line) => {
                mounts.push(try_mount(line).ok_or(ReadError::Malformed));
            }
            Ok(line) => table.has_root |= is_at_root(line),
            // The line may mount a namespace. Others follow it.
            Err(ReadError::TooLong) => mounts.push(Err(ReadError::TooLong)),
            Err(error) => return Err(error),
        }
    }
    Ok(table)
}

/// Returns whether a line is about nsfs. No path can imitate that: the kernel
/// escapes spaces in paths.
pub(crate) fn is_nsfs(line: &[u8]) -> bool {
    const MARK: &[u8] = b" - nsfs ";
    line.windows(MARK.len()).any(|window| window == MARK)
}

/// Returns whether a line is about a mount at the root directory.
fn is_at_root(line: &[u8]) -> bool {
    line.split(|byte| *byte == b' ').nth(4) == Some(b"/")
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

/// Decodes octal escapes such as `\040`, which the kernel writes for spaces,
/// tabs, newlines and backslashes in paths.
pub(crate) fn unescape(text: &[u8]) -> Vec<u8> {
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
        namespace_mounts(Lines::of(text.as_bytes())).unwrap().mounts
    }

    #[test]
    fn a_table_has_a_root_if_something_is_mounted_there() {
        let has_root = |text: &str| {
            namespace_mounts(Lines::of(text.as_bytes()))
                .unwrap()
                .has_root
        };
        assert!(has_root(
            "7 6 0:9 / /x rw - tmpfs tmpfs rw\n1 0 8:1 /a / rw - ext4 x rw\n"
        ));
        for text in [
            "",
            "nonsense",
            "7 6 0:9 / /x rw - tmpfs tmpfs rw\n",
            "7 6 0:9 /",
        ] {
            assert!(!has_root(text), "{text}");
        }
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
        let mounted = MountedFs {
            device: (8, 1),
            dir: "/a b".into(),
            mount_point: "/".into(),
            fs_type: "ext4".into(),
            source: "/dev/sda".into(),
        };
        let facts = |text: &[u8]| mount_facts(Lines::of(text), |mount| mount.device == (8, 1));
        let expected = MountFacts {
            count: 3,
            root: Some(root),
            found: vec![mounted],
        };
        assert_eq!(facts(text), Ok(expected));
        assert_eq!(facts(b""), Ok(MountFacts::default()));
        for malformed in [
            "nonsense\n",
            "1 0 8 / / rw - ext4 x rw\n",
            "1 0 +8:1 / / rw - ext4 x rw\n",
            "1 0 8:1:1 / / rw - ext4 x rw\n",
        ] {
            let malformed = facts(malformed.as_bytes());
            assert_eq!(malformed, Err(ReadError::Malformed));
        }
    }

    #[test]
    fn the_first_mount_is_that_of_the_first_line() {
        let text = b"7 0 0:2 / / rw - rootfs rootfs rw\n8 7 8:1 / / rw - ext4 /dev/sda rw\n";
        assert_eq!(first_mount(Lines::of(&text[..])), Ok(7));
        for text in ["", "\n", "x 0 0:2 / / rw - rootfs rootfs rw\n"] {
            let first = first_mount(Lines::of(text.as_bytes()));
            assert_eq!(first, Err(ReadError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_hides_no_other() {
        let long = format!("40 25 0:9 / /{} rw - tmpfs tmpfs rw", "x".repeat(1 << 20));
        let short = "41 25 0:4 net:[7] /a rw - nsfs nsfs rw";
        let found = mounts(&format!("{long}\n{short}\n"));
        assert_eq!(found[0], Err(ReadError::TooLong));
        assert_eq!(found[1..], mounts(short));
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
            let _ = namespace_mounts(Lines::of(&text[..]));
            let _ = (parse_line(&text), unescape(&text));
        }
    }
}
