//! What the fuzz targets need of the parsers of what the kernel answers.

use crate::kernel::{mount_list, netlink, perf, release};

pub(crate) use netlink::fuzzing::netlink;
pub(crate) use perf::parse_all as perf;

pub(crate) fn statmount(bytes: &[u8]) {
    let _ = mount_list::parse(bytes, 5);
}

pub(crate) fn release(bytes: &[u8]) {
    let _ = release::version_of(bytes);
}
