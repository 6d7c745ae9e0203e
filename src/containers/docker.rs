//! Where Docker keeps the names of its containers.
//!
//! Its data root is `/var/lib/docker`, unless `data-root` in its configuration or
//! an argument of its daemon names another. Any process may call itself dockerd,
//! so only one of root in the reader's mount namespace is believed.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;

use rustix::io::Errno;
use serde::Deserialize;

use crate::containers::names::docker_name;
use crate::model::{Link, Pid};
use crate::proc::{Dir, Limit, ProcessDir, ReadError, Sysroot};
use crate::scan::parallel::{self, Patience};

const DEFAULT_ROOT: &str = "/var/lib/docker";
const DEFAULT_CONFIG: &str = "/etc/docker/daemon.json";
/// More daemons than anyone runs.
const MOST_DAEMONS: usize = 16;

/// Finds names of containers. Looks for other data roots only for a container that
/// is not in those known.
#[derive(Default)]
pub(super) struct Docker {
    roots: Vec<Result<Dir, ReadError>>,
    known: Known,
    /// The containers without a name.
    unnamed: HashSet<String>,
    /// Why the last of them has none.
    why: Option<ReadError>,
}

/// How much of the configuration is known.
#[derive(Default)]
enum Known {
    #[default]
    Default,
    File,
    Daemons,
}

impl Docker {
    /// Returns the name of a container. Counts one that has none if `must_have_one`.
    pub(super) fn name(&mut self, root: &Sysroot, id: &str, must_have_one: bool) -> Option<String> {
        let mut why = ReadError::Gone;
        let mut note = |error| {
            // That a file is not there says less than any other reason.
            if error != ReadError::Gone {
                why = error;
            }
        };
        match read_default(root, id) {
            Ok(name) => return Some(name),
            Err(error) => note(error),
        }
        let mut seen = 0;
        loop {
            for dir in self.roots.iter().skip(seen) {
                let found = dir.as_ref().map_err(|error| *error);
                match found.and_then(|dir| read_below(dir, id)) {
                    Ok(name) => return Some(name),
                    Err(error) => note(error),
                }
            }
            seen = self.roots.len();
            let paths = match self.known {
                Known::Default => {
                    self.known = Known::File;
                    configured(root, DEFAULT_CONFIG).into_iter().collect()
                }
                Known::File => {
                    self.known = Known::Daemons;
                    roots_of_daemons(root)
                }
                Known::Daemons => break,
            };
            self.roots.extend(open_all(root, paths));
        }
        if must_have_one {
            self.unnamed.insert(id.to_owned());
            self.why = Some(why);
        }
        None
    }

    /// Returns how many containers have no known name, and why the last has none.
    pub(super) fn unnamed(&self) -> Option<(usize, ReadError)> {
        Some((self.unnamed.len(), self.why?))
    }
}

/// Opens data roots. One that a user controls may be one that does not answer.
fn open_all(root: &Sysroot, mut paths: Vec<String>) -> Vec<Result<Dir, ReadError>> {
    paths.retain(|path| path != DEFAULT_ROOT);
    let shared = root.clone();
    let opened = parallel::map(
        paths,
        NonZeroUsize::MIN,
        &Patience::default(),
        move |path| shared.system_dir(path),
    );
    let blocked = || Err(ReadError::Errno(Errno::TIMEDOUT));
    let opened = opened.unwrap_or_default().into_iter();
    opened
        .map(|opened| opened.unwrap_or_else(blocked))
        .collect()
}

fn read_default(root: &Sysroot, id: &str) -> Result<String, ReadError> {
    let path = format!("var/lib/docker/containers/{id}/config.v2.json");
    let config = root.dir()?.read(&path, Limit::Database)?;
    docker_name(&config).ok_or(ReadError::Malformed)
}

fn read_below(dir: &Dir, id: &str) -> Result<String, ReadError> {
    let config = dir.read(&format!("containers/{id}/config.v2.json"), Limit::Database)?;
    docker_name(&config).ok_or(ReadError::Malformed)
}

/// Reads the data root in a configuration.
fn configured(root: &Sysroot, file: &str) -> Option<String> {
    let file = file.strip_prefix('/')?;
    let text = root.dir().ok()?.read(file, Limit::Small).ok()?;
    data_root_in(&text)
}

/// Parses `daemon.json`, dockerd(8).
pub(super) fn data_root_in(config: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(rename = "data-root")]
        data_root: Option<String>,
        /// Its name before Docker 17.05.
        graph: Option<String>,
    }
    let config: Config = serde_json::from_slice(config).ok()?;
    absolute(config.data_root.or(config.graph)?)
}

fn absolute(path: String) -> Option<String> {
    path.starts_with('/').then_some(path)
}

/// What the arguments of a daemon say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    data_root: Option<String>,
    config_file: Option<String>,
}

impl Arguments {
    /// Parses a command line, whose arguments end with NUL. Of several values the
    /// last one counts.
    pub(super) fn parse(cmdline: &[u8]) -> Self {
        let mut found = Arguments::default();
        let words = cmdline.split(|byte| *byte == 0).map(OsStr::from_bytes);
        let mut words = words.map_while(OsStr::to_str).skip(1);
        while let Some(word) = words.next() {
            let (name, attached) = match (word.split_once('='), word.strip_prefix("-g")) {
                (Some((name, value)), _) => (name, Some(value)),
                (None, Some(value)) if !value.is_empty() => ("-g", Some(value)),
                _ => (word, None),
            };
            let place = match name {
                "--data-root" | "--graph" | "-g" => &mut found.data_root,
                "--config-file" => &mut found.config_file,
                _ => continue,
            };
            *place = attached
                .or_else(|| words.next())
                .and_then(|value| absolute(value.to_owned()));
        }
        found
    }
}

/// Returns the data roots of all daemons that run.
fn roots_of_daemons(root: &Sysroot) -> Vec<String> {
    let Some(home) = mount_ns_of_root(root) else {
        return Vec::new();
    };
    let pids = root.pids().unwrap_or_default();
    let shared = root.clone();
    // A process that calls itself dockerd may block whoever looks.
    let found = parallel::map(pids, NonZeroUsize::MIN, &Patience::default(), move |pid| {
        arguments_of_daemon(&shared, home, *pid)
    });
    let found = found.unwrap_or_default().into_iter().flatten().flatten();
    let mut roots: Vec<String> = found
        .take(MOST_DAEMONS)
        .filter_map(|found| {
            let in_file = || configured(root, found.config_file.as_deref()?);
            found.data_root.clone().or_else(in_file)
        })
        .collect();
    roots.dedup();
    roots
}

/// Returns the mount namespace in which paths mean what they do below the root.
fn mount_ns_of_root(root: &Sysroot) -> Option<u64> {
    if root.is_own() {
        return root.own_mount_ns();
    }
    ProcessDir::open(root, 1)
        .ok()?
        .ns()
        .ok()?
        .read(Link::Mnt)
        .ok()
}

/// Returns the arguments of a process that is a daemon of the system.
fn arguments_of_daemon(root: &Sysroot, home: u64, pid: Pid) -> Option<Arguments> {
    let process = ProcessDir::open(root, pid).ok()?;
    let is_daemon = process.euid() == Ok(0)
        && process.stat().ok()?.comm == b"dockerd"
        && process.ns().ok()?.read(Link::Mnt) == Ok(home);
    is_daemon.then(|| Some(Arguments::parse(&process.arguments().ok()?)))?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(data_root: Option<&str>, config_file: Option<&str>) -> Arguments {
        Arguments {
            data_root: data_root.map(str::to_owned),
            config_file: config_file.map(str::to_owned),
        }
    }

    #[test]
    fn a_configuration_names_the_data_root_by_either_key() {
        let of = |text: &str| data_root_in(text.as_bytes());
        let new = r#"{"data-root": "/data/docker", "debug": true}"#;
        assert_eq!(of(new).as_deref(), Some("/data/docker"));
        assert_eq!(of(r#"{"graph":"/old"}"#).as_deref(), Some("/old"));
        for text in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"data-root":7}"#,
            r#"{"data-root":"rel"}"#,
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn arguments_name_it_in_each_form() {
        let of = |line: &str| Arguments::parse(line.replace(' ', "\0").as_bytes());
        for line in [
            "dockerd --data-root /d",
            "dockerd -H unix:///x --data-root=/d --bridge=none",
            "dockerd -g /d",
            "dockerd -g=/d",
            "dockerd -g/d",
            "dockerd --graph /old --data-root /d",
        ] {
            assert_eq!(of(line), found(Some("/d"), None), "{line}");
        }
        let both = "/bin/dockerd --config-file=/c.json -g /d";
        assert_eq!(of(both), found(Some("/d"), Some("/c.json")));
        for line in [
            "",
            "dockerd",
            "--data-root",
            "dockerd --data-root",
            "dockerd -g rel",
        ] {
            assert_eq!(of(line), found(None, None), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = (data_root_in(&bytes), Arguments::parse(&bytes));
        }
    }
}
