use crate::model::Pid;
use crate::proc::ReadError;

/// Parses the effective UID in `/proc/PID/status`, proc_pid_status(5): the
/// second number of `Uid:`.
pub(crate) fn parse_euid(bytes: &[u8]) -> Result<u32, ReadError> {
    let numbers = field(bytes, "Uid").ok_or(ReadError::Malformed)?;
    let euid = numbers
        .split_ascii_whitespace()
        .nth(1)
        .ok_or(ReadError::Malformed)?;
    euid.parse().map_err(|_| ReadError::Malformed)
}

/// Parses the effective capabilities, one bit each: `CapEff:`.
pub(crate) fn parse_cap_eff(bytes: &[u8]) -> Result<u64, ReadError> {
    let mask = field(bytes, "CapEff").ok_or(ReadError::Malformed)?;
    u64::from_str_radix(mask.trim(), 16).map_err(|_| ReadError::Malformed)
}

/// Parses the supplementary groups: `Groups:`.
pub(crate) fn parse_groups(bytes: &[u8]) -> Result<Vec<u32>, ReadError> {
    let groups = field(bytes, "Groups").ok_or(ReadError::Malformed)?;
    let groups = groups.split_ascii_whitespace().map(str::parse);
    groups
        .collect::<Result<_, _>>()
        .map_err(|_| ReadError::Malformed)
}

/// Parses the GID for file access: the fourth number of `Gid:`.
pub(crate) fn parse_fsgid(bytes: &[u8]) -> Option<u32> {
    let numbers = field(bytes, "Gid")?;
    numbers.split_ascii_whitespace().nth(3)?.parse().ok()
}

/// Parses the PIDs of a process in each of its pid namespaces, from that of the
/// proc tree inwards: `NSpid:`.
pub(crate) fn parse_nspid(bytes: &[u8]) -> Result<Vec<Pid>, ReadError> {
    let ids = field(bytes, "NSpid").ok_or(ReadError::Malformed)?;
    let ids: Result<Vec<Pid>, _> = ids.split_ascii_whitespace().map(str::parse).collect();
    ids.ok()
        .filter(|ids| !ids.is_empty())
        .ok_or(ReadError::Malformed)
}

/// Parses the PID of the process that a thread belongs to: `Tgid:`.
pub(crate) fn parse_tgid(bytes: &[u8]) -> Result<Pid, ReadError> {
    let tgid = field(bytes, "Tgid").ok_or(ReadError::Malformed)?;
    tgid.trim().parse().map_err(|_| ReadError::Malformed)
}

/// Parses how often a thread ceased to run: `voluntary_ctxt_switches:` and
/// `nonvoluntary_ctxt_switches:`.
pub(crate) fn parse_switches(bytes: &[u8]) -> Result<u64, ReadError> {
    let count = |name| field(bytes, name)?.trim().parse::<u64>().ok();
    let sum = count("voluntary_ctxt_switches")
        .zip(count("nonvoluntary_ctxt_switches"))
        .map(|(voluntary, other)| voluntary.wrapping_add(other));
    sum.ok_or(ReadError::Malformed)
}

/// Returns the rest of the line that begins with `NAME:`.
///
/// No process can forge a line: only `Name:` has text of its own, and the kernel
/// escapes newlines there.
fn field<'a>(bytes: &'a [u8], name: &str) -> Option<&'a str> {
    bytes.split(|byte| *byte == b'\n').find_map(|line| {
        let value = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
        std::str::from_utf8(value).ok()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STATUS: &[u8] = b"Name:\tUid:\t\\n\xff\nState:\tS\nUid:\t1000\t0\t1000\t1000\n\
        Gid:\t1\t1\t1\t1\nGroups:\t4 24 \nNSpid:\t9454\t11\nCapEff:\t00000000a80425fb\n";

    #[test]
    fn fields_are_found_by_name_and_the_name_of_the_process_is_none() {
        assert_eq!(parse_euid(STATUS), Ok(0));
        assert_eq!(parse_cap_eff(STATUS), Ok(0xa80425fb));
        assert_eq!(parse_groups(STATUS), Ok(vec![4, 24]));
        assert_eq!(parse_groups(b"Groups:\t\n"), Ok(vec![]));
        assert_eq!(parse_nspid(STATUS), Ok(vec![9454, 11]));
    }

    #[test]
    fn missing_or_broken_fields_are_malformed() {
        for text in [
            "",
            "Uid:",
            "Uid:\t1000",
            "Uid:\t1\tx",
            "Uid:\t1\t-1",
            "Uidx:\t1\t1",
            "Uid:\t1\t4294967296",
        ] {
            assert_eq!(
                parse_euid(text.as_bytes()),
                Err(ReadError::Malformed),
                "{text}"
            );
        }
        assert_eq!(parse_cap_eff(b"CapEff:\t"), Err(ReadError::Malformed));
        assert_eq!(parse_groups(b"Groups:\t1 x\n"), Err(ReadError::Malformed));
        for text in ["", "NSpid:\n", "NSpid:\t1\tx\n", "NSpid:\t-1\n"] {
            assert_eq!(parse_nspid(text.as_bytes()), Err(ReadError::Malformed));
        }
    }

    #[test]
    fn a_thread_names_its_process() {
        assert_eq!(parse_tgid(b"Name:\tx\nTgid:\t12\nPid:\t13\n"), Ok(12));
        for text in ["", "Tgid:\n", "Tgid:\t-1\n", "Tgid:\tx\n", "Pid:\t13\n"] {
            assert_eq!(
                parse_tgid(text.as_bytes()),
                Err(ReadError::Malformed),
                "{text}"
            );
        }
    }

    #[test]
    fn switches_of_both_kinds_are_counted() {
        let text = "voluntary_ctxt_switches:\t11\nnonvoluntary_ctxt_switches:\t43\n";
        assert_eq!(parse_switches(text.as_bytes()), Ok(54));
        for text in [
            "",
            "voluntary_ctxt_switches:\t11\n",
            "voluntary_ctxt_switches:\tx\nnonvoluntary_ctxt_switches:\t43\n",
        ] {
            assert_eq!(
                parse_switches(text.as_bytes()),
                Err(ReadError::Malformed),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_uid_is_read_back(real: u32, effective: u32) {
            let text = format!("Name:\tx\nUid:\t{real}\t{effective}\t0\t0\n");
            prop_assert_eq!(parse_euid(text.as_bytes()), Ok(effective));
        }

        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = (parse_euid(&text), parse_cap_eff(&text), parse_groups(&text));
            let _ = (parse_nspid(&text), parse_switches(&text));
        }
    }
}
