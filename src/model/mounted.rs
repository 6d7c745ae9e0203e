use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::text::Text;

/// A mounted file system, proc_pid_mountinfo(5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MountedFs {
    /// Major and minor number of its device.
    pub device: (u32, u32),
    /// The directory of the file system that is mounted.
    pub dir: Text,
    /// Where it is mounted, seen from the root of its mount namespace.
    pub mount_point: Text,
    /// The type of the file system.
    pub fs_type: Text,
    /// The device, or any text.
    pub source: Text,
}

/// Which mounts to look for in every mount namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MountQuery {
    /// Those of a device, by major and minor number.
    Device(u32, u32),
    /// Those whose source is this path, proc_pid_mountinfo(5).
    Source(PathBuf),
    /// Those at a path, seen from the root of their mount namespace.
    Point(PathBuf),
    /// Those of a directory of a device: a bind mount elsewhere shows the same.
    Dir {
        /// Major and minor number of the device.
        device: (u32, u32),
        /// The directory, seen from the root of the file system.
        dir: Text,
    },
}

impl MountQuery {
    /// Returns whether a mount is one of those.
    pub fn matches(&self, mount: &MountedFs) -> bool {
        let is = |text: &Text, path: &Path| text.as_bytes() == path.as_os_str().as_bytes();
        match self {
            MountQuery::Device(major, minor) => mount.device == (*major, *minor),
            MountQuery::Source(path) => is(&mount.source, path),
            MountQuery::Point(path) => is(&mount.mount_point, path),
            MountQuery::Dir { device, dir } => mount.device == *device && mount.dir == *dir,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_found_by_its_device_source_point_or_directory() {
        let mount = MountedFs {
            device: (8, 17),
            dir: "/sub".into(),
            mount_point: "/mnt/data".into(),
            fs_type: "ext4".into(),
            source: "/dev/sdb1".into(),
        };
        let dir = |minor, dir: &str| MountQuery::Dir {
            device: (8, minor),
            dir: dir.into(),
        };
        for query in [
            MountQuery::Device(8, 17),
            MountQuery::Source("/dev/sdb1".into()),
            MountQuery::Point("/mnt/data".into()),
            dir(17, "/sub"),
        ] {
            assert!(query.matches(&mount), "{query:?}");
        }
        for query in [
            MountQuery::Device(17, 8),
            MountQuery::Source("/dev/sdb".into()),
            MountQuery::Point("/mnt/data/".into()),
            dir(17, "/"),
            dir(16, "/sub"),
        ] {
            assert!(!query.matches(&mount), "{query:?}");
        }
    }
}
