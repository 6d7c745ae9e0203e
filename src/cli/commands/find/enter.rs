//! Command lines that enter a namespace.

use std::os::unix::ffi::OsStrExt;

use crate::analysis::Found;
use crate::cli::commands::find::Hit;
use crate::cli::shell::{netns_name, quote};
use crate::model::Kind;

impl Hit<'_> {
    /// Returns a command line for a shell; `None` if nothing opens the namespace.
    ///
    /// A process is entered with everything that it is in; what lies in a
    /// namespace, in that one alone, so that the programs of the caller work
    /// there.
    pub(super) fn enter(&self) -> Option<Vec<u8>> {
        if !self.root.is_live() {
            return None;
        }
        let namespace = self.one.namespace;
        if let (Found::Processes(_), Some(process)) = (&self.one.found, self.one.process) {
            return Some(format!("nsenter --target {} --all", process.pid).into_bytes());
        }
        let option = option(namespace.id.kind);
        if let Some(pid) = namespace.pid {
            return Some(format!("nsenter --target {pid} --{option}").into_bytes());
        }
        if namespace.id.kind == Kind::Net
            && let Some(name) = namespace.mounts.iter().find_map(|path| netns_name(path))
        {
            return Some([b"ip netns exec ", &*quote(name), b" sh"].concat());
        }
        let path = self.snapshot.row(self.root, namespace).path()?;
        let path = quote(path.as_os_str().as_bytes());
        Some([b"nsenter --", option.as_bytes(), b"=", &*path].concat())
    }
}

/// Returns the option of nsenter(1) for a type.
const fn option(kind: Kind) -> &'static str {
    match kind {
        Kind::Mnt => "mount",
        kind => kind.name(),
    }
}
