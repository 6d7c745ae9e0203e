use std::io::Read;

use crate::proc::lines::Lines;
use crate::proc::mountinfo::{parse_line, unescape};
use crate::proc::status::{parse_cap_eff, parse_fsgid, parse_groups};

/// Bit of CAP_SYS_PTRACE in a capability mask, linux/capability.h.
const CAP_SYS_PTRACE: u64 = 1 << 19;

/// How the proc file system treats processes of other users: its `hidepid`
/// and `gid` mount options, proc(5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hidepid {
    /// `hidepid=invisible` or `ptraceable`: the processes are not listed.
    invisible: bool,
    /// `gid=`: the group whose members see every process. `ptraceable` ignores
    /// it.
    gid: Option<u32>,
}

impl Hidepid {
    /// The strictest options: a reader who sees everything with these sees
    /// everything with any.
    pub(crate) const STRICTEST: Hidepid = Hidepid {
        invisible: true,
        gid: None,
    };

    /// Returns whether processes may be hidden from a reader without a trace.
    ///
    /// `status` is the reader's own `/proc/self/status`. A field that is missing
    /// from it counts as no privilege.
    pub(crate) fn hides_from(self, status: &[u8]) -> bool {
        let privileged = parse_cap_eff(status).unwrap_or(0) & CAP_SYS_PTRACE != 0;
        let mut groups = parse_groups(status).unwrap_or_default();
        groups.extend(parse_fsgid(status));
        let member = self.gid.is_some_and(|gid| groups.contains(&gid));
        self.invisible && !privileged && !member
    }

    /// Returns the options of the proc file system mounted at `mount_point` by
    /// a mount table. The last mount there covers the others.
    pub(crate) fn parse<R: Read>(mut mountinfo: Lines<R>, mount_point: &[u8]) -> Self {
        let mut hidepid = Hidepid::default();
        while let Some(line) = mountinfo.next() {
            if let Ok(Some(line)) = line.map(parse_line)
                && line.fs_type == b"proc"
                && unescape(line.mount_point) == mount_point
            {
                hidepid = of_options(line.super_options);
            }
        }
        hidepid
    }
}

fn of_options(options: &[u8]) -> Hidepid {
    let options = String::from_utf8_lossy(options);
    // Without `gid=` the group is 0, fs/proc/root.c.
    let mut hidepid = Hidepid {
        gid: Some(0),
        ..Hidepid::default()
    };
    for option in options.split(',') {
        match option.split_once('=') {
            Some(("hidepid", mode)) => {
                hidepid.invisible = matches!(mode, "2" | "invisible" | "4" | "ptraceable");
                if matches!(mode, "4" | "ptraceable") {
                    return Hidepid {
                        gid: None,
                        ..hidepid
                    };
                }
            }
            Some(("gid", gid)) => hidepid.gid = gid.parse().ok(),
            _ => {}
        }
    }
    hidepid
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOBODY: &[u8] = b"Groups:\t27 \nCapEff:\t0000000000000000\n";
    const ROOT: &[u8] = b"Groups:\t\nCapEff:\t000001ffffffffff\n";

    fn parse(options: &str) -> Hidepid {
        let line = format!("22 28 0:21 / /proc rw,nosuid shared:5 - proc proc {options}\n");
        Hidepid::parse(Lines::of(line.as_bytes()), b"/proc")
    }

    #[test]
    fn invisible_processes_are_seen_by_root_and_by_the_group() {
        for options in [
            "rw,hidepid=invisible",
            "rw,hidepid=2",
            "rw,hidepid=ptraceable",
            "rw,hidepid=4",
        ] {
            assert!(parse(options).hides_from(NOBODY), "{options}");
            assert!(!parse(options).hides_from(ROOT), "{options}");
        }
        assert!(!parse("rw,gid=27,hidepid=2").hides_from(NOBODY));
        assert!(parse("rw,gid=28,hidepid=2").hides_from(NOBODY));
        assert!(parse("rw,gid=27,hidepid=ptraceable").hides_from(NOBODY));
        let own_group = |gid| format!("Gid:\t1\t1\t1\t{gid}\nGroups:\t\n");
        assert!(!parse("rw,gid=27,hidepid=2").hides_from(own_group(27).as_bytes()));
        assert!(!parse("rw,hidepid=2").hides_from(own_group(0).as_bytes()));
        assert!(parse("rw,hidepid=2").hides_from(own_group(27).as_bytes()));
        assert!(parse("rw,hidepid=4").hides_from(own_group(0).as_bytes()));
    }

    #[test]
    fn processes_that_are_listed_are_not_hidden() {
        for options in [
            "rw",
            "rw,hidepid=1",
            "rw,hidepid=noaccess",
            "rw,hidepid=0",
            "rw,gid=27",
        ] {
            assert!(!parse(options).hides_from(NOBODY), "{options}");
        }
    }

    #[test]
    fn the_last_mount_on_the_place_counts_and_other_places_do_not() {
        const MOUNTINFO: &[u8] = b"1 0 0:1 / /proc rw - proc proc rw\n\
            2 1 0:2 / /proc rw - proc proc rw,hidepid=2\n\
            3 1 0:3 / /other\\040proc rw - proc proc rw\n\
            4 1 0:4 / /proc rw - tmpfs none rw\nbroken\n5 - proc\n";
        for (mount_point, hides) in [("/proc", true), ("/other proc", false), ("/nowhere", false)] {
            let hidepid = Hidepid::parse(Lines::of(MOUNTINFO), mount_point.as_bytes());
            assert_eq!(hidepid.hides_from(NOBODY), hides, "{mount_point}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mountinfo: Vec<u8>, status: Vec<u8>) {
            let _ = Hidepid::parse(Lines::of(&mountinfo[..]), b"/proc").hides_from(&status);
        }
    }
}
