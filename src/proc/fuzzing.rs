//! What the fuzz targets need of the parsers of this directory.

use crate::proc::hidepid::Hidepid;
use crate::proc::lines::Lines;
use crate::proc::{cmdline, id_map, link_text, mountinfo, open_files, stat, status};
use crate::proc::{timens_offsets, users};

pub(crate) fn mount_table(bytes: &[u8]) {
    let _ = mountinfo::namespace_mounts(Lines::of(bytes));
    let _ = mountinfo::mount_facts(Lines::of(bytes), |_| true);
    let _ = mountinfo::first_mount(Lines::of(bytes));
    for line in bytes.split(|byte| *byte == b'\n') {
        let parsed = mountinfo::parse_line(line);
        assert!(mountinfo::unescape(line).len() <= line.len());
        // Only whole fields are compared, so a path cannot pose as the type.
        if parsed.is_some_and(|line| line.fs_type == b"nsfs") {
            assert!(mountinfo::is_nsfs(line));
        }
    }
}

pub(crate) fn hidepid(bytes: &[u8]) {
    let (table, status) = halves(bytes);
    let _ = Hidepid::parse(Lines::of(table), b"/proc").hides_from(status);
}

pub(crate) fn stat(bytes: &[u8]) {
    let _ = stat::parse_stat(bytes);
}

pub(crate) fn status(bytes: &[u8]) {
    let _ = status::parse_euid(bytes);
    let _ = status::parse_cap_eff(bytes);
    let _ = status::parse_groups(bytes);
    let _ = status::parse_fsgid(bytes);
    let _ = status::parse_nspid(bytes);
}

pub(crate) fn cmdline(bytes: &[u8]) {
    let joined = cmdline::join_arguments(bytes.to_vec());
    assert!(joined.is_none_or(|joined| !joined.contains(&0)));
}

pub(crate) fn link(bytes: &[u8]) {
    // Only what the kernel writes is a namespace.
    if let Some(id) = link_text::parse_id(bytes) {
        assert_eq!(id.to_string().as_bytes(), bytes);
    }
    let _ = open_files::parse_target(bytes);
}

pub(crate) fn id_map(bytes: &[u8]) {
    let _ = id_map::parse_id_map(bytes);
}

pub(crate) fn time_offsets(bytes: &[u8]) {
    let _ = timens_offsets::parse_timens_offsets(bytes);
}

pub(crate) fn passwd(bytes: &[u8]) {
    let _ = users::parse_passwd(bytes);
    for uid in [0, 1000] {
        let _ = users::home_in(bytes, uid);
    }
}

/// Splits input for two files at the first NUL.
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0);
    bytes.split_at(end.unwrap_or(bytes.len()))
}
