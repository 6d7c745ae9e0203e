//! Runs scripts in their own namespaces, for tests of the live system.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Outcome, binary, runs_all, skip};

/// Returns whether this machine allows tests to create namespaces; if not,
/// reports a skipped test.
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

/// Returns whether there is time for tests that take long; if not, reports a
/// skipped test.
pub fn has_time() -> bool {
    if !runs_all() {
        skip("it takes long (NSLS_TEST_LIVE=1 runs it)");
    }
    runs_all()
}

/// Returns whether these commands are installed; if not, reports a skipped
/// test.
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

/// Starts each script: unmounts the namespaces that were mounted on this
/// machine before.
const BEGIN: &str = r#"set -u
    mapfile -t mounts < /proc/self/mountinfo
    for line in "${mounts[@]}"; do
        read -r _ _ _ _ place rest <<< "$line"
        # If the file is removed meanwhile, so is the mount.
        [[ $rest != *" - nsfs "* ]] || umount -l "$(printf %b "$place")" 2> /dev/null || true
    done
"#;

/// Returns a command that runs a shell script in its own pid and mount
/// namespaces, with its own /proc, in `dir`. `$NSLS` is the tested binary. The
/// shell is PID 1, so everything it starts ends with it.
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

/// Returns the same command in its own mount namespace only.
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

/// Runs such a script in an empty directory.
pub fn run(text: &str) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    Outcome::of(&mut script(text, dir.path()))
}

/// Runs such a script, or returns `None` if its requirements are missing.
pub fn run_with(tools: &[&str], text: &str) -> Option<Outcome> {
    (can_unshare() && has(tools)).then(|| run(text))
}

/// Returns the rows of a tree drawn in the first column, NS, each prefixed with
/// the rows above it, sorted. lsns draws a namespace that it finds through a
/// child before its siblings, whatever its number.
pub fn edges(text: &str) -> Vec<String> {
    let mut above: Vec<String> = Vec::new();
    let mut rows: Vec<String> = Vec::new();
    for line in text.lines() {
        let drawn = line.find(|letter: char| letter.is_alphanumeric() || letter == '/');
        let (drawing, rest) = line.split_at(drawn.unwrap_or(0));
        let words = rest.split_whitespace().collect::<Vec<_>>().join(" ");
        if rest.starts_with('/') {
            rows.last_mut().unwrap().push_str(&format!(" and {words}"));
            continue;
        }
        above.truncate(drawing.chars().count() / 2);
        rows.push(format!("{}: {words}", above.join(" > ")));
        above.push(words.split(' ').next().unwrap().to_owned());
    }
    rows.sort();
    rows
}

/// Returns major and minor version of the running kernel.
pub fn linux() -> (u32, u32) {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    let mut number = || numbers.next().unwrap().parse().unwrap();
    (number(), number())
}
