//! What files of a process tell of the namespaces that it is in.

use std::collections::{HashMap, HashSet};

use crate::error::Error;
use crate::model::{Cause, Facts, Kind, Link, LinkSet, Namespace, NsId, Pid, Process, Source};
use crate::proc::{ProcessDir, ReadError, Sysroot};
use crate::scan::details::host::{HostNumbers, has_fixed_numbers};
use crate::scan::tally::{Tally, cause_of};
use crate::scan::{Need, Needs};

/// What was told of each namespace so far.
#[derive(Default)]
pub(crate) struct Contents(HashMap<NsId, Facts>);

/// A namespace, and a process that tells of it; none if there is none.
pub(crate) type Question = (NsId, Option<Pid>);

/// What came of it; none if the process is gone.
pub(crate) type Told = Option<(Facts, Option<Cause>)>;

impl Contents {
    /// The namespaces that were not asked yet.
    pub(crate) fn questions(
        &self,
        namespaces: &[Namespace],
        processes: &[Process],
        needs: Needs,
    ) -> Vec<Question> {
        let open: Vec<_> = namespaces
            .iter()
            .filter(|namespace| needs.of_files(namespace.id.kind).is_some())
            .filter(|namespace| !self.0.contains_key(&namespace.id))
            .collect();
        let mut makers: HashMap<u64, Pid> = HashMap::new();
        if open.iter().any(|namespace| namespace.id.kind == Kind::Time) {
            for process in processes {
                if let Some(ino) = process.links.ino(Link::TimeForChildren) {
                    makers.entry(ino).or_insert(process.pid);
                }
            }
        }
        let teller = |namespace: &&Namespace| match namespace.id.kind {
            // The file tells of the namespace of children.
            Kind::Time => makers.get(&namespace.id.ino).copied(),
            _ => namespace.pid,
        };
        open.iter()
            .map(|namespace| (namespace.id, teller(namespace)))
            .collect()
    }

    /// Notes what was told, and counts what was not. Returns the processes that
    /// are gone.
    pub(crate) fn add(
        &mut self,
        questions: Vec<Question>,
        told: Vec<Told>,
        tally: &mut Tally,
    ) -> HashSet<Pid> {
        let mut gone = HashSet::new();
        for ((id, pid), told) in questions.into_iter().zip(told) {
            match told {
                Some((facts, cause)) => {
                    if let Some(cause) = cause {
                        tally.add(Source::Contents, cause, LinkSet::EMPTY);
                    }
                    self.0.insert(id, facts);
                }
                None => gone.extend(pid),
            }
        }
        gone
    }

    /// Tells namespaces what was told of them.
    pub(crate) fn tell(mut self, namespaces: &mut [Namespace]) {
        for namespace in namespaces {
            if let Some(told) = self.0.remove(&namespace.id) {
                let facts = namespace.facts_mut();
                facts.uid_map = told.uid_map;
                facts.gid_map = told.gid_map;
                facts.time_offsets = told.time_offsets;
                facts.nmounts = told.nmounts;
                facts.mount_root = told.mount_root;
            }
        }
    }
}

/// Reads what a process tells of a namespace.
pub(crate) fn read_contents(
    root: &Sysroot,
    (id, teller): Question,
    needs: Needs,
) -> Result<Told, Error> {
    let mut facts = Facts::default();
    let Some(pid) = teller else {
        let cause = Cause::NoProcess;
        return Ok(Some((facts, Some(cause))));
    };
    let read = ProcessDir::open(root, pid).and_then(|process| {
        let told = tell(&process, id.kind, needs, &mut facts);
        match told {
            Err(ReadError::Gone) if process.exists() => Ok(()),
            told => told,
        }
    });
    let is_there = [
        facts.uid_map.is_some(),
        facts.time_offsets.is_some(),
        facts.nmounts.is_some(),
    ];
    match read {
        // A captured tree need not have every file.
        Ok(()) if !is_there.contains(&true) => Ok(Some((facts, Some(Cause::Unsupported)))),
        Ok(()) => Ok(Some((facts, None))),
        Err(ReadError::Gone) => Ok(None),
        Err(error) => {
            let cause = cause_of(error, || root.process_path(pid))?;
            Ok(Some((facts, Some(cause))))
        }
    }
}

fn tell(
    process: &ProcessDir<'_>,
    kind: Kind,
    needs: Needs,
    facts: &mut Facts,
) -> Result<(), ReadError> {
    match needs.of_files(kind) {
        Some(Need::IdMaps) => {
            facts.uid_map = Some(process.uid_map()?);
            facts.gid_map = Some(process.gid_map()?);
        }
        Some(Need::TimeOffsets) => facts.time_offsets = Some(process.timens_offsets()?),
        Some(Need::MountFacts) => {
            let (count, root) = process.mount_facts()?;
            facts.nmounts = Some(count);
            facts.mount_root = root;
        }
        _ => {}
    }
    Ok(())
}

/// Tells namespaces whether they are the host's own.
pub(crate) fn tell_host(namespaces: &mut [Namespace], root: &Sysroot, tally: &mut Tally) {
    let numbers = host_numbers(root);
    for namespace in namespaces {
        let is_host = numbers.is_host(namespace.id);
        if is_host.is_none() {
            tally.add(Source::Contents, Cause::Outside, LinkSet::EMPTY);
        }
        namespace.facts_mut().is_host = is_host;
    }
}

/// By the release of the kernel; before 6.17 by kthreadd, which goes nowhere,
/// or else by init.
fn host_numbers(root: &Sysroot) -> HostNumbers {
    let release = root.kernel_release().unwrap_or_default();
    if has_fixed_numbers(&release) {
        return HostNumbers {
            all_fixed: true,
            ..HostNumbers::default()
        };
    }
    let of_process = |pid| {
        let process = ProcessDir::open(root, pid).ok()?;
        let ns = process.ns().ok()?;
        let is_of_host = HostNumbers::default().is_host(NsId {
            ino: ns.read(Link::Pid).ok()?,
            kind: Kind::Pid,
        });
        (is_of_host == Some(true)).then_some(HostNumbers {
            all_fixed: false,
            mnt: ns.read(Link::Mnt).ok(),
            net: ns.read(Link::Net).ok(),
        })
    };
    of_process(2).or_else(|| of_process(1)).unwrap_or_default()
}
