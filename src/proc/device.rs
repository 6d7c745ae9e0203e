//! What an open file is, by its device.

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::{AtFlags, FileType, Statx, StatxFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::path::Arg;

/// Major and minor number of a device.
pub(crate) type Device = (u32, u32);

/// Character device of `/dev/net/tun`: MISC_MAJOR and TUN_MINOR,
/// linux/major.h and linux/miscdevice.h.
const TUN: Device = (10, 200);

/// A file that keeps the net namespace in which it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetDevice {
    Socket,
    Tun,
}

/// Returns what the kernel knows about a file, following links, without asking
/// a file server: AT_STATX_DONT_SYNC. No field is asked for by name, since one
/// that serves other users only would refuse it; local files have them all.
pub(crate) fn look(dir: impl AsFd, path: impl Arg) -> Result<Statx, Errno> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    rustix::fs::statx(dir, path, flags, StatxFlags::empty())
}

/// Returns what the kernel knows about an open file.
pub(crate) fn look_at_open(file: impl AsFd) -> Result<Statx, Errno> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::EMPTY_PATH;
    rustix::fs::statx(file, Path::new(""), flags, StatxFlags::empty())
}

/// Returns the device that a file is on.
pub(crate) const fn device(seen: &Statx) -> Device {
    (seen.stx_dev_major, seen.stx_dev_minor)
}

/// Returns whether a file is a socket or the tun device. A file server may claim
/// either type, but all sockets are on sockfs; and a file server may have named
/// the device, but opening it led to the driver, and it stays that.
pub(crate) fn net_device(seen: &Statx) -> Result<Option<NetDevice>, Errno> {
    Ok(match FileType::from_raw_mode(seen.stx_mode.into()) {
        FileType::Socket if device(seen) == sockfs()? => Some(NetDevice::Socket),
        FileType::CharacterDevice if (seen.stx_rdev_major, seen.stx_rdev_minor) == TUN => {
            Some(NetDevice::Tun)
        }
        _ => None,
    })
}

/// Returns the device that all sockets are on.
fn sockfs() -> Result<Device, Errno> {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    if let Some(device) = DEVICE.get() {
        return Ok(*device);
    }
    let flags = SocketFlags::CLOEXEC;
    let own = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
    let seen = look_at_open(&own)?;
    Ok(*DEVICE.get_or_init(|| device(&seen)))
}
