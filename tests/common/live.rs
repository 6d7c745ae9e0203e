//! Running things in namespaces of their own, for tests of the live system.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Outcome, binary, skip};

/// Whether this machine lets a test make namespaces; if not, says so.
pub fn can_unshare() -> bool {
    let tried = Command::new("unshare")
        .args(["-mfp", "--mount-proc", "true"])
        .stderr(Stdio::null())
        .status();
    let can = tried.is_ok_and(|status| status.success());
    if !can {
        skip("no namespaces can be made here (that needs root)");
    }
    can
}

/// Whether these commands are there; if not, says so.
pub fn has(commands: &[&str]) -> bool {
    let there = |command: &&str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|dir| dir.join(command).exists())
    };
    match commands.iter().find(|command| !there(command)) {
        Some(command) => {
            skip(&format!("there is no {command}"));
            false
        }
        None => true,
    }
}

/// Begins each script: namespaces that somebody else has mounted on this
/// machine are not those of the test.
const BEGIN: &str = r#"set -u
    mapfile -t mounts < /proc/self/mountinfo
    for line in "${mounts[@]}"; do
        read -r _ _ _ _ place rest <<< "$line"
        # Who removes the file meanwhile takes the mount away as well.
        [[ $rest != *" - nsfs "* ]] || umount -l "$(printf %b "$place")" 2> /dev/null || true
    done
"#;

/// A shell script in a pid and mount namespace of its own, with its own /proc
/// and an empty directory. `$NSLS` is the tested binary; pid 1 is the shell,
/// and everything it started ends with it.
pub fn script(text: &str, dir: &Path) -> Command {
    std::fs::write(dir.join("script"), format!("{BEGIN}{text}")).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["-mfp", "--mount-proc", "--kill-child", "bash", "script"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("NSLS", binary())
        .current_dir(dir)
        .stdin(Stdio::null());
    command
}

/// The same in the initial pid namespace: only a mount namespace of its own.
pub fn script_in_mounts(text: &str, dir: &Path) -> Command {
    std::fs::write(dir.join("script"), format!("{BEGIN}{text}")).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["-m", "bash", "script"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("NSLS", binary())
        .current_dir(dir)
        .stdin(Stdio::null());
    command
}

/// What such a script writes.
pub fn run(text: &str) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    Outcome::of(&mut script(text, dir.path()))
}

/// What nsls says on standard error in a pid namespace of its own, besides.
pub const INSIDE: &str =
    "nsls: parent or owner of 1 namespace lies outside the caller's user or pid namespace\n";
