//! Helpers for tests of the command: running it, and building trees for it.

pub mod live;
mod lsns;
pub mod page;
mod tree;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub use lsns::Lsns;
pub use tree::{INITIAL, Tree};

/// An invocation of `nsls`, independent of the environment.
pub struct Nsls {
    args: Vec<OsString>,
    stdout: Stdio,
    stderr: Stdio,
}

/// The observable result of a run.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Nsls {
    pub fn new<S: Into<OsString>>(args: impl IntoIterator<Item = S>) -> Self {
        Nsls {
            args: args.into_iter().map(Into::into).collect(),
            stdout: Stdio::piped(),
            stderr: Stdio::piped(),
        }
    }

    /// Splits a command line at white space, without quoting.
    pub fn words(line: &str) -> Self {
        Nsls::new(line.split_whitespace())
    }

    /// Reads this tree instead of the running system.
    pub fn sysroot(mut self, root: impl AsRef<Path>) -> Self {
        // A subcommand precedes all options.
        let is_word = |word: &OsString| !word.to_string_lossy().starts_with('-');
        let first = self.args.first().filter(|word| is_word(word));
        let place = usize::from(first.is_some_and(|word| is_subcommand(word)));
        self.args
            .splice(place..place, ["--sysroot".into(), root.as_ref().into()]);
        self
    }

    /// Redirects standard output.
    pub fn stdout(self, stdout: impl Into<Stdio>) -> Self {
        Nsls {
            stdout: stdout.into(),
            ..self
        }
    }

    /// Redirects standard error.
    pub fn stderr(self, stderr: impl Into<Stdio>) -> Self {
        Nsls {
            stderr: stderr.into(),
            ..self
        }
    }

    /// Returns the command, for tests that run it themselves.
    pub fn command(self) -> Command {
        let mut command = Command::new(binary());
        command
            .args(self.args)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(self.stdout)
            .stderr(self.stderr);
        command
    }

    pub fn run(self) -> Outcome {
        Outcome::of(&mut self.command())
    }
}

impl Outcome {
    /// Runs a command to completion.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Outcome {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Success with only this on standard output.
    pub fn success(stdout: impl Into<String>) -> Self {
        Outcome {
            status: 0,
            stdout: stdout.into(),
            stderr: String::new(),
        }
    }

    /// Failure with only one line on standard error.
    pub fn failure(status: i32, message: &str) -> Self {
        Outcome {
            status,
            stdout: String::new(),
            stderr: format!("nsls: {message}\n"),
        }
    }
}

/// Formats an outcome as in snapshots.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}--- exit code {}", self.stdout, self.status)?;
        if self.stderr.is_empty() {
            return Ok(());
        }
        write!(f, ", standard error\n{}", self.stderr)
    }
}

fn is_subcommand(word: &OsStr) -> bool {
    let command = <nsls::cli::Cli as clap::CommandFactory>::command();
    command.find_subcommand(word).is_some()
}

/// Returns the path of the tested binary.
pub fn binary() -> &'static OsStr {
    OsStr::new(env!("CARGO_BIN_EXE_nsls"))
}

/// Returns the path of a tree in `fixtures/`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

/// Returns the names of all trees in `fixtures/`, so that tests miss none.
pub fn fixtures() -> Vec<String> {
    let root = fixture("");
    let trees = names_in(&root).into_iter();
    trees.filter(|name| root.join(name).is_dir()).collect()
}

/// Returns the names in a directory, sorted.
pub fn names_in(dir: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let names = std::fs::read_dir(dir).unwrap().map(name);
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// Returns whether no test may skip itself.
pub fn runs_all() -> bool {
    std::env::var_os("NSLS_TEST_LIVE").is_some_and(|value| value == "1")
}

/// Reports why this machine cannot run a test.
///
/// Fails if `NSLS_TEST_LIVE=1` promises that all requirements are met.
pub fn skip(why: &str) {
    assert!(!runs_all(), "NSLS_TEST_LIVE=1, but {why}");
    eprintln!("skipped: {why}");
}
