//! `nsls capture`: saves what a scan reads, to be read again with `--sysroot`,
//! on this machine or another.

mod process;
mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use rustix::fs::Mode;

use crate::cli::args::CaptureArgs;
use crate::cli::commands::capture::process::Captured;
use crate::cli::commands::capture::write::OutDir;
use crate::cli::console::Outcome;
use crate::cli::error::CliError;
use crate::cli::progress;
use crate::cli::stderr::warn;
use crate::cli::terminal::Terminal;
use crate::cli::view;
use crate::containers::{Affiliations, CONTAINER_NAMES, capture_key};
use crate::error::Error;
use crate::model::{Kind, Member, Pid};
use crate::proc::{ProcessDir, ReadError, Sysroot, Users};
use crate::scan::Progress;
use crate::scan::parallel::{self, Patience};

/// The number of processes that are read before they are written.
const BATCH: usize = 64;

const ONE: NonZeroUsize = NonZeroUsize::MIN;

/// Runs `nsls capture`. Saves only what a scan reads: the links and some files
/// of each process, and the names of their users and containers.
pub(crate) fn run(args: CaptureArgs, terminal: Terminal) -> Result<Outcome, CliError> {
    let root = view::root(args.root);
    let pids = pids(&root, &args.pid)?;
    let total = pids.len();
    // What is made is private, and no more than that: 0777 would keep us out.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let progress = Arc::<Progress>::default();
    progress.begin("processes", total);
    let shown = (terminal.wipes && !args.quiet).then(|| progress::show(Arc::clone(&progress)));
    let dir = OutDir::create(&args.dir)?;
    let proc = dir.dir("proc")?;
    let mut names = Names::new(&root);
    let mut refused = 0;
    let patience = Patience::default();
    let mut firsts = HashMap::new();
    let mut tables = HashSet::new();
    for pids in pids.chunks(BATCH) {
        let below = root.clone();
        let read = parallel::map(pids.to_vec(), ONE, &patience, move |pid| {
            Captured::read(&below, *pid)
        })?;
        let of_new = pids.iter().zip(&read).filter_map(|(pid, captured)| {
            let Some(Ok(Some(captured))) = captured else {
                return None;
            };
            let mount_ns = captured.mount_ns()?;
            let first = *firsts.entry(mount_ns).or_insert(*pid);
            (!tables.contains(&mount_ns)).then_some((*pid, mount_ns, first))
        });
        let of_new: Vec<_> = of_new.collect();
        let below = root.clone();
        let found = parallel::map(of_new.clone(), ONE, &patience, move |(pid, ..)| {
            below.copy_mounts(*pid)
        })?;
        for ((_, mount_ns, first), table) in of_new.into_iter().zip(found) {
            // One table of each mount namespace is enough, for the process through
            // which a scan reads it.
            if let Some(table) = table.flatten()
                && tables.insert(mount_ns)
            {
                let process = proc.dir(&first.to_string())?;
                process.write("mountinfo", &table)?;
            }
        }
        for (pid, captured) in pids.iter().zip(read) {
            match captured.unwrap_or_else(|| Ok(Some(Captured::blocked())))? {
                Some(captured) => {
                    captured.write(&proc.dir(&pid.to_string())?)?;
                    names.add(&captured);
                    refused += usize::from(captured.is_refused());
                }
                None if args.pid.contains(pid) => return Err(Error::NoProcess(*pid).into()),
                None => {}
            }
        }
        progress.advance(pids.len());
    }
    drop(shown);
    names.write(&dir)?;
    write_system(&root, &dir)?;
    if refused > 0 {
        warn(&format!(
            "links of {refused} of {total} processes could not be read, as the capture records"
        ));
    }
    Ok(Outcome::Done)
}

/// Returns the processes to capture: the requested ones, or else all. Fails
/// before anything is written if one does not exist.
fn pids(root: &Sysroot, requested: &[Pid]) -> Result<Vec<Pid>, Error> {
    for pid in requested {
        if let Err(ReadError::Gone) = ProcessDir::open(root, *pid) {
            return Err(Error::NoProcess(*pid));
        }
    }
    if !requested.is_empty() {
        // One that was named twice is written once.
        let once: BTreeSet<_> = requested.iter().copied().collect();
        return Ok(once.into_iter().collect());
    }
    let all = root.pids()?;
    if all.is_empty() {
        return Err(Error::NoProcesses(root.proc_path()));
    }
    Ok(all)
}

/// The names of the users and containers of captured processes. Nothing else is
/// saved of the files they come from, which may hold secrets.
struct Names<'a> {
    database: Users,
    users: BTreeMap<u32, Option<Vec<u8>>>,
    affiliations: Affiliations<'a>,
    containers: BTreeMap<String, String>,
}

impl<'a> Names<'a> {
    fn new(root: &'a Sysroot) -> Self {
        Names {
            database: Users::below(root),
            users: BTreeMap::new(),
            affiliations: Affiliations::below(root),
            containers: BTreeMap::new(),
        }
    }

    fn add(&mut self, process: &Captured) {
        if let Some(uid) = process.uid {
            self.users
                .entry(uid)
                .or_insert_with(|| self.database.name(uid));
        }
        let affiliation = self.affiliations.of(process.cgroup());
        if let Some(container) = &affiliation.container
            && let Some(name) = &container.name
        {
            let key = capture_key(container);
            self.containers.insert(key, name.clone());
        }
    }

    fn write(self, dir: &OutDir) -> Result<(), CliError> {
        let mut passwd = Vec::new();
        for (uid, name) in self.users {
            if let Some(name) = name {
                passwd.extend(name);
                passwd.extend(format!(":x:{uid}:0:::\n").bytes());
            }
        }
        dir.write("etc/passwd", &passwd)?;
        if !self.containers.is_empty() {
            let names = serde_json::to_vec_pretty(&self.containers).unwrap_or_default();
            dir.write(CONTAINER_NAMES, &names)?;
        }
        Ok(())
    }
}

/// Saves what concerns the system as a whole, and who captured it.
fn write_system(root: &Sysroot, dir: &OutDir) -> Result<(), CliError> {
    if let Some(release) = root.kernel_release() {
        dir.write("proc/sys/kernel/osrelease", &release)?;
    }
    if let Some(id) = root.boot_id() {
        let path = "proc/sys/kernel/random/boot_id";
        dir.write(path, format!("{id}\n").as_bytes())?;
    }
    for kind in Kind::ALL {
        if let Some(max) = root.max_namespaces(*kind) {
            let path = format!("proc/sys/user/max_{kind}_namespaces");
            dir.write(&path, format!("{max}\n").as_bytes())?;
        }
    }
    if let Some((status, mountinfo)) = root.reader() {
        dir.write("proc/self/status", &status)?;
        dir.write("proc/self/mountinfo", &mountinfo)?;
    }
    Ok(())
}
