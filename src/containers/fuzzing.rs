//! What the fuzz targets need of the parsers of this directory.

use crate::containers::{cgroup, docker, names};

pub(crate) fn cgroup(bytes: &[u8]) {
    let _ = cgroup::affiliation(bytes);
}

pub(crate) fn names(bytes: &[u8]) {
    let _ = names::docker_name(bytes);
    let _ = names::storage_names(bytes);
    let _ = names::bundle_name(bytes);
    let _ = docker::data_root_in(bytes);
    let _ = docker::Arguments::parse(bytes);
}
