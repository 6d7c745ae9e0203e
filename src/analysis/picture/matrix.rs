use std::collections::{BTreeMap, HashMap, HashSet};

use crate::analysis::picture::{Processes, Tone, all, fold::tones};
use crate::model::{Container, Holder, Kind, Member, Namespace, NsId, Pid, Process, Snapshot, Tid};

/// Who is in which namespaces.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Matrix<'a> {
    /// The rows: the host, containers, services, other processes, and what holds
    /// namespaces without processes. Every namespace is in at least one.
    pub blocks: Vec<Block<'a>>,
}

/// Rows that are alike: they share the same namespaces and have one of their own
/// for the same types. All others are blocks of one row.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Block<'a> {
    /// At least one.
    pub rows: Vec<Row<'a>>,
}

/// Someone, and the namespaces of theirs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row<'a> {
    /// Whose namespaces these are.
    pub party: Party<'a>,
    /// The pod of a container.
    pub pod: Option<&'a str>,
    /// The number of processes; of the host, of those that no other row counts.
    /// `None` if unknown.
    pub nprocs: Option<usize>,
    /// One for each type, in the order of [`Kind`].
    pub cells: [Cell; Kind::ALL.len()],
}

/// The namespaces of one type of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cell {
    /// By number. Processes of one container or service may be in several.
    pub namespaces: Vec<NsId>,
    /// Whether there is at least one that could not be seen. Else an empty cell says
    /// that there is none: the kernel has no such type, or the row is about another.
    pub is_unknown: bool,
}

/// Whose namespaces a row shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Party<'a> {
    /// The initial namespaces.
    Host,
    /// A container.
    Container(&'a Container),
    /// A systemd service with a namespace other than the host's.
    Service(&'a str),
    /// The first of some processes in exactly the same namespaces, which belong to no
    /// container or service with a row.
    Processes(&'a Process),
    /// What holds a namespace without processes: the first of several.
    Held(&'a Holder),
}

impl<'a> Row<'a> {
    fn new(party: Party<'a>) -> Self {
        Row {
            party,
            pod: None,
            nprocs: None,
            cells: Default::default(),
        }
    }

    /// Returns the cell of a type.
    pub fn cell(&self, kind: Kind) -> &Cell {
        const EMPTY: &Cell = &Cell {
            namespaces: Vec::new(),
            is_unknown: false,
        };
        self.cells.get(kind.index()).unwrap_or(EMPTY)
    }

    fn add(&mut self, id: NsId) {
        if let Some(cell) = self.cells.get_mut(id.kind.index())
            && cell.namespaces.last() != Some(&id)
        {
            cell.namespaces.push(id);
        }
    }

    /// Iterates over its namespaces.
    pub(super) fn ids(&self) -> impl Iterator<Item = NsId> {
        self.cells
            .iter()
            .flat_map(|cell| cell.namespaces.iter().copied())
    }

    /// Marks as unknown what there must be: a process is in a namespace of each type.
    fn finish(mut self, kinds: &[bool]) -> Self {
        for (cell, exists) in self.cells.iter_mut().zip(kinds) {
            cell.is_unknown = *exists && cell.namespaces.is_empty();
        }
        self
    }
}

/// Returns all rows in order, and the tone of each namespace in them.
pub(super) fn rows(
    snapshot: &Snapshot,
    processes: Processes,
) -> (Vec<Row<'_>>, HashMap<NsId, Tone>) {
    let host: HashSet<NsId> = all(snapshot)
        .filter(|namespace| is_host(namespace))
        .map(|namespace| namespace.id)
        .collect();
    let kinds: Vec<bool> = Kind::ALL
        .iter()
        .map(|kind| all(snapshot).any(|namespace| namespace.id.kind == *kind))
        .collect();
    let mut of_host = Row::new(Party::Host);
    let (mut containers, mut services) = affiliated(snapshot);
    services.retain(|_, row| row.ids().any(|id| !host.contains(&id)));
    for namespace in all(snapshot).filter(|namespace| is_host(namespace)) {
        of_host.add(namespace.id);
    }

    let mut others: BTreeMap<[Option<u64>; Kind::ALL.len()], Row<'_>> = BTreeMap::new();
    for process in &snapshot.processes {
        let of_container = process.container().map(|one| containers.get_mut(one));
        let unit = process
            .affiliation
            .as_ref()
            .and_then(|one| one.unit.as_deref());
        let row = match (
            of_container.flatten(),
            unit.and_then(|unit| services.get_mut(unit)),
        ) {
            (Some(row), _) | (None, Some(row)) => row,
            (None, None) if own(process, &kinds).all(|id| host.contains(&id)) => &mut of_host,
            (None, None) => others.entry(numbers(process, &kinds)).or_insert_with(|| {
                let mut row = Row::new(Party::Processes(process));
                own(process, &kinds).for_each(|id| row.add(id));
                row
            }),
        };
        if processes == Processes::All {
            *row.nprocs.get_or_insert(0) += 1;
        }
    }

    let mut rows = vec![of_host.finish(&kinds)];
    let mut containers: Vec<Row<'_>> = containers.into_values().collect();
    // Those of a pod share namespaces.
    containers.sort_by(|one, next| one.pod.cmp(&next.pod));
    let parties = containers.into_iter().chain(services.into_values());
    rows.extend(parties.map(|row| row.finish(&kinds)));
    let (mut whole, part): (Vec<_>, Vec<_>) = others
        .into_values()
        .map(|row| row.finish(&kinds))
        .partition(|row| {
            processes == Processes::All && !row.cells.iter().any(|cell| cell.is_unknown)
        });
    whole.sort_by_key(first_pid);
    rows.append(&mut whole);
    let mut seen: HashSet<NsId> = rows.iter().flat_map(Row::ids).collect();
    // A zombie, or a representative that is known by some links only, adds a row only if
    // nobody else is in one of its namespaces.
    let mut part = part;
    part.sort_by_key(first_pid);
    for row in part {
        if row.ids().any(|id| !seen.contains(&id)) {
            seen.extend(row.ids());
            rows.push(row);
        }
    }
    let mut held: Vec<&Namespace> = all(snapshot)
        .filter(|namespace| !seen.contains(&namespace.id))
        .collect();
    held.sort_by_key(|namespace| {
        let holder = holder(namespace);
        (
            holder.kind(),
            thread(holder),
            namespace.id.kind,
            namespace.id,
        )
    });
    let mut last = None;
    for namespace in held {
        let holder = holder(namespace);
        if last.is_none() || last != thread(holder) {
            rows.push(Row::new(Party::Held(holder)));
        }
        last = thread(holder);
        if let Some(row) = rows.last_mut() {
            row.add(namespace.id);
        }
    }
    let tones = tones(&rows, &host);
    (rows, tones)
}

/// Returns a row for each container and for each service, by what namespaces say of
/// the processes in them.
fn affiliated(snapshot: &Snapshot) -> (BTreeMap<&Container, Row<'_>>, BTreeMap<&str, Row<'_>>) {
    let mut containers = BTreeMap::new();
    let mut services = BTreeMap::new();
    for namespace in all(snapshot) {
        let facts = namespace.facts.as_deref();
        for one in facts.into_iter().flat_map(|facts| &facts.affiliations) {
            let row = match (&one.container, one.unit.as_deref()) {
                (Some(container), _) => containers
                    .entry(container)
                    .or_insert_with(|| Row::new(Party::Container(container))),
                (None, Some(unit)) if unit.ends_with(".service") => services
                    .entry(unit)
                    .or_insert_with(|| Row::new(Party::Service(unit))),
                _ => continue,
            };
            row.add(namespace.id);
            row.pod = row.pod.or(one.pod.as_deref());
        }
    }
    (containers, services)
}

/// Returns the namespaces that a process is in, of the types that were looked for.
fn own(process: &Process, kinds: &[bool]) -> impl Iterator<Item = NsId> {
    let links = process.links.iter();
    links
        .filter(|(link, _)| {
            let is_known = kinds.get(link.kind().index()) == Some(&true);
            is_known && !link.is_for_children()
        })
        .map(|(_, id)| id)
}

fn numbers(process: &Process, kinds: &[bool]) -> [Option<u64>; Kind::ALL.len()] {
    let mut numbers = [None; Kind::ALL.len()];
    for id in own(process, kinds) {
        if let Some(number) = numbers.get_mut(id.kind.index()) {
            *number = Some(id.ino);
        }
    }
    numbers
}

fn first_pid(row: &Row<'_>) -> Pid {
    match row.party {
        Party::Processes(process) => process.pid,
        _ => 0,
    }
}

fn holder(namespace: &Namespace) -> &Holder {
    namespace.holders.first().unwrap_or(&namespace.via)
}

/// Returns the thread that a holder is, which may be in several namespaces.
const fn thread(holder: &Holder) -> Option<(Pid, Tid)> {
    match holder {
        Holder::Thread { pid, tid, .. } => Some((*pid, *tid)),
        _ => None,
    }
}

fn is_host(namespace: &Namespace) -> bool {
    let facts = namespace.facts.as_deref();
    facts.and_then(|facts| facts.is_host) == Some(true)
}
