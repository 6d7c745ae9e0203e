//! Which versions of lsns tests compare with.

use std::process::Command;

/// One lsns.
pub struct Lsns {
    /// How to run it.
    pub path: String,
    /// `2.42`.
    pub version: String,
}

impl Lsns {
    /// Returns what is installed, and what `NSLS_LSNS` names, separated by colons.
    pub fn all() -> Vec<Lsns> {
        let more = std::env::var("NSLS_LSNS").unwrap_or_default();
        let named = more.split(':').filter(|path| !path.is_empty());
        let paths = std::iter::once("lsns").chain(named);
        paths.filter_map(Lsns::at).collect()
    }

    /// Returns one that runs.
    fn at(path: &str) -> Option<Lsns> {
        let run = Command::new(path).arg("--version").output().ok()?;
        let text = String::from_utf8(run.stdout).ok()?;
        let (_, number) = text.trim().rsplit_once(' ')?;
        let parts: Vec<_> = number.split('.').take(2).collect();
        Some(Lsns {
            path: path.to_owned(),
            version: parts.join("."),
        })
    }

    /// Returns whether it has `-Q`, which came with 2.41.
    pub fn has_filter(&self) -> bool {
        let tried = Command::new(&self.path)
            .args(["-Q", "false", "-o", "NS"])
            .output();
        tried.is_ok_and(|run| run.status.success())
    }
}
