//! What to enter, and under which name.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::cli::commands::exec::name::{name_of, plain};
use crate::cli::commands::list;
use crate::cli::error::CliError;
use crate::cli::options::Options;
use crate::kernel::NsFile;
use crate::model::{Holder, Kind, KindSet, Namespace, NsId, Pid, Snapshot};
use crate::output::why;
use crate::query::Row;
use crate::scan::{Entrance, Scanner, Target};

/// One run of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    /// What stands before each line of its output, and `{}`.
    pub(super) name: String,
    /// The process with the lowest PID in the namespace, or in the container.
    pid: Option<Pid>,
    /// The number of the namespace, if it is about one.
    ns: Option<u64>,
    /// The namespaces to enter, each with what leads to it.
    enters: Vec<(NsId, Vec<Holder>)>,
    /// Why there is nothing to enter.
    closed: Option<String>,
}

/// What is entered.
#[derive(Debug, Default)]
pub(super) struct Opened {
    pub(super) namespaces: Vec<(Kind, NsFile)>,
    ids: Vec<String>,
}

impl Opened {
    /// Says what is entered.
    pub(super) fn describe(&self) -> String {
        match &self.ids[..] {
            [] => "entering nothing, already there".to_owned(),
            ids => format!("entering {}", ids.join(", ")),
        }
    }
}

/// Returns a job for each selected namespace; for a container, or a process, one
/// with all its selected namespaces.
pub(super) fn jobs(
    options: &Options,
    snapshot: &Snapshot,
    scanner: &Scanner,
    all: bool,
) -> Result<Vec<Job>, CliError> {
    let root = &options.view.root;
    let rows = snapshot.namespaces.iter();
    let rows = rows.map(|namespace| snapshot.row(root, namespace));
    let rows = list::select(options, snapshot, rows.collect())?;
    let namespaces: Vec<&Namespace> = rows.iter().filter_map(Row::namespace).collect();
    let running = options.running(snapshot)?;
    let group = match (&options.target, running) {
        _ if namespaces.is_empty() => return Ok(Vec::new()),
        (Target::Process(pid), _) => Some((pid.to_string(), *pid)),
        (Target::All, Some(found)) => {
            let name = plain(found.container.label()).unwrap_or_else(|| found.container.id.clone());
            Some((name, found.representative.pid))
        }
        _ => None,
    };
    Ok(match group {
        Some((name, pid)) => {
            let kinds = namespaces.iter().map(|namespace| namespace.id.kind);
            let kinds = if all { KindSet::all() } else { kinds.collect() };
            let own = |id: NsId| all || namespaces.iter().any(|one| one.id == id);
            vec![Job::of_process(scanner, name, pid, kinds, own)]
        }
        None => {
            let job = |namespace: &&Namespace| Job::of_namespace(scanner, namespace, all);
            namespaces.iter().map(job).collect()
        }
    })
}

impl Job {
    fn of_namespace(scanner: &Scanner, namespace: &Namespace, all: bool) -> Self {
        let (id, name) = (namespace.id, name_of(namespace));
        let ns = Some(id.ino);
        match namespace.pid {
            Some(pid) if all => {
                let mut job = Job::of_process(scanner, name, pid, KindSet::all(), |_| true);
                if job.closed.is_none() && job.enters.iter().all(|(own, _)| *own != id) {
                    job.closed = Some(format!("process {pid} has left {id}"));
                }
                Job { ns, ..job }
            }
            pid => {
                let listed = namespace.relations.unique_id;
                let listed = listed.map(|unique_id| Holder::Listed { unique_id });
                let via = namespace.via.clone();
                Job {
                    name,
                    pid,
                    ns,
                    enters: vec![(id, [via].into_iter().chain(listed).collect())],
                    closed: all.then(|| format!("no process is in {id}")),
                }
            }
        }
    }

    /// Makes the job for namespaces of a process.
    fn of_process(
        scanner: &Scanner,
        name: String,
        pid: Pid,
        kinds: KindSet,
        wants: impl Fn(NsId) -> bool,
    ) -> Self {
        let links = scanner.links_of(pid);
        let closed = links.as_ref().err().map(ToString::to_string);
        let links = links.unwrap_or_default();
        let own = links
            .iter()
            .filter(|(link, id)| !link.is_for_children() && kinds.contains(id.kind) && wants(*id));
        let enters: Vec<_> = own
            .map(|(link, id)| (id, vec![Holder::of_link(pid, link)]))
            .collect();
        let nothing = || format!("process {pid} is in none of the namespaces");
        Job {
            name,
            pid: Some(pid),
            ns: match &enters[..] {
                [(only, _)] => Some(only.ino),
                _ => None,
            },
            closed: closed.or_else(|| enters.is_empty().then(nothing)),
            enters,
        }
    }

    /// Opens what is to be entered: all but where this process is already.
    pub(super) fn open(&self, scanner: &Scanner) -> Result<Opened, String> {
        if let Some(why) = &self.closed {
            return Err(why.clone());
        }
        let mut open = Opened::default();
        for (id, holders) in &self.enters {
            match scanner.open(*id, holders.clone()) {
                Ok(Entrance::Here) => {}
                Ok(Entrance::Open(ns)) => {
                    open.ids.push(id.to_string());
                    open.namespaces.push((id.kind, ns));
                }
                Ok(Entrance::Closed(cause)) => {
                    return Err(format!("cannot enter {id}: {}", why(cause)));
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(open)
    }

    /// Replaces `{}`, `{ns}` and `{pid}`. Fails if the job has no such thing.
    pub(super) fn fill_in(&self, words: &[OsString]) -> Result<Vec<OsString>, String> {
        words.iter().map(|word| self.fill_in_word(word)).collect()
    }

    fn fill_in_word(&self, word: &OsStr) -> Result<OsString, String> {
        let mut rest = word.as_bytes();
        let mut filled = Vec::new();
        while let Some((first, others)) = rest.split_first() {
            if let Some(after) = rest.strip_prefix(b"{}") {
                filled.extend(self.name.bytes());
                rest = after;
            } else if let Some(after) = rest.strip_prefix(b"{ns}") {
                let ns = self.ns.ok_or("no single namespace for {ns}")?;
                filled.extend(ns.to_string().bytes());
                rest = after;
            } else if let Some(after) = rest.strip_prefix(b"{pid}") {
                let pid = self.pid.ok_or("no process for {pid}")?;
                filled.extend(pid.to_string().bytes());
                rest = after;
            } else {
                filled.push(*first);
                rest = others;
            }
        }
        Ok(OsString::from_vec(filled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(ns: Option<u64>, pid: Option<Pid>) -> Job {
        Job {
            name: "blue".to_owned(),
            pid,
            ns,
            enters: Vec::new(),
            closed: None,
        }
    }

    #[test]
    fn braces_stand_for_the_name_the_number_and_the_pid() {
        let words = ["echo", "{}", "a{ns}b{pid}{}", "{x}", "{", "{{}}", "{n{}s}"];
        let words = words.map(OsString::from);
        let filled = job(Some(7), Some(12)).fill_in(&words).unwrap();
        let expected = [
            "echo",
            "blue",
            "a7b12blue",
            "{x}",
            "{",
            "{blue}",
            "{nblues}",
        ];
        assert_eq!(filled, expected.map(OsString::from));
        let bytes = [OsString::from_vec(b"\xff{}".to_vec())];
        let filled = job(None, None).fill_in(&bytes).unwrap();
        assert_eq!(filled, [OsString::from_vec(b"\xffblue".to_vec())]);
    }

    #[test]
    fn what_a_job_does_not_have_is_not_made_up() {
        let fill_in = |word: &str| job(None, None).fill_in(&[word.into()]);
        assert_eq!(fill_in("{pid}"), Err("no process for {pid}".to_owned()));
        let no_ns = "no single namespace for {ns}".to_owned();
        assert_eq!(fill_in("x{ns}"), Err(no_ns));
    }
}
