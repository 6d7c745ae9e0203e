//! What is in a namespace and whose it is, worked out from what was read. Text
//! goes in and plain data comes out; nothing here asks anybody.

mod cgroup_root;
mod container;
mod host;
mod names;

pub(crate) use cgroup_root::cgroup_root;
pub(crate) use container::affiliation;
pub(crate) use host::{HostNumbers, has_fixed_numbers};
pub(crate) use names::{bundle_name, docker_name, storage_names};
