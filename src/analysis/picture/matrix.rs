use std::collections::{HashMap, HashSet};

use crate::analysis::picture::{Processes, Tone, alike::stand_ins, all, is_host};
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

    /// Returns the key by which rows of processes are sorted.
    fn order(&self, processes: Processes) -> (u8, Option<&str>, Option<&Container>, &str, Pid) {
        match self.party {
            // Those of a pod share namespaces.
            Party::Container(container) => (0, self.pod, Some(container), "", 0),
            Party::Service(name) => (1, None, None, name, 0),
            Party::Processes(process) => {
                let last = u8::from(!self.is_whole(processes));
                (2 + last, None, None, "", process.pid)
            }
            Party::Host | Party::Held(_) => (4, None, None, "", 0),
        }
    }

    /// Returns whether it is a row even if all its namespaces have others.
    fn is_whole(&self, processes: Processes) -> bool {
        let is_known = || !self.cells.iter().any(|cell| cell.is_unknown);
        match self.party {
            Party::Processes(_) => processes == Processes::All && is_known(),
            _ => true,
        }
    }

    /// Marks as unknown what there must be: a process is in a namespace of each type.
    fn finish(mut self, kinds: &[bool]) -> Self {
        for (cell, exists) in self.cells.iter_mut().zip(kinds) {
            cell.is_unknown = *exists && cell.namespaces.is_empty();
        }
        self
    }
}

/// By what the rows of processes are told from each other.
#[derive(PartialEq, Eq, Hash)]
enum Key<'a> {
    Container(&'a Container),
    Service(&'a str),
    /// The numbers of namespaces, by type.
    Processes([Option<u64>; Kind::ALL.len()]),
}

/// Returns all rows in order.
pub(super) fn rows(snapshot: &Snapshot, processes: Processes) -> Vec<Row<'_>> {
    let mut of_host = Row::new(Party::Host);
    let mut host: HashSet<NsId> = HashSet::new();
    let mut kinds = [false; Kind::ALL.len()];
    for namespace in all(snapshot) {
        if let Some(exists) = kinds.get_mut(namespace.id.kind.index()) {
            *exists = true;
        }
        if is_host(namespace) {
            host.insert(namespace.id);
            of_host.add(namespace.id);
        }
    }
    let mut found = affiliated(snapshot);
    let is_hosts = |row: &Row<'_>| row.ids().all(|id| host.contains(&id));
    found.retain(|key, row| !matches!(key, Key::Service(_)) || !is_hosts(row));
    for process in &snapshot.processes {
        let affiliation = process.affiliation.as_deref();
        let unit = affiliation.and_then(|one| one.unit.as_deref());
        let container = process.container().map(Key::Container);
        let mut known = container.filter(|key| found.contains_key(key));
        known = known.or_else(|| unit.map(Key::Service).filter(|key| found.contains_key(key)));
        let row = match known {
            None if own(process, &kinds).all(|id| host.contains(&id)) => &mut of_host,
            known => {
                let key = known.unwrap_or_else(|| Key::Processes(numbers(process, &kinds)));
                found.entry(key).or_insert_with(|| {
                    let mut row = Row::new(Party::Processes(process));
                    own(process, &kinds).for_each(|id| row.add(id));
                    row
                })
            }
        };
        if processes == Processes::All {
            *row.nprocs.get_or_insert(0) += 1;
        }
    }
    let mut rows: Vec<Row<'_>> = found.into_values().map(|row| row.finish(&kinds)).collect();
    rows.sort_unstable_by(|one, next| one.order(processes).cmp(&next.order(processes)));
    let mut seen: HashSet<NsId> = host;
    // A zombie, or a representative that is known by some links only, adds a row only if
    // nobody else is in one of its namespaces.
    rows.retain(|row| {
        let adds = row.is_whole(processes) || row.ids().any(|id| !seen.contains(&id));
        if adds {
            seen.extend(row.ids());
        }
        adds
    });
    rows.insert(0, of_host.finish(&kinds));
    hold(snapshot, &seen, &mut rows);
    rows
}

/// Adds rows for the namespaces that no process is in.
fn hold<'a>(snapshot: &'a Snapshot, seen: &HashSet<NsId>, rows: &mut Vec<Row<'a>>) {
    let mut held: Vec<&Namespace> = all(snapshot)
        .filter(|namespace| !seen.contains(&namespace.id))
        .collect();
    held.sort_unstable_by_key(|namespace| {
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
}

/// Puts rows that are alike together if they are many.
pub(super) fn fold<'a>(rows: Vec<Row<'a>>, tone: impl Fn(&NsId) -> Tone) -> Matrix<'a> {
    let shapes: Vec<_> = rows.iter().map(|row| Some(shape(row, &tone))).collect();
    let mut blocks: Vec<Block<'a>> = Vec::new();
    // Where the block of each row is.
    let mut places: Vec<usize> = Vec::new();
    for (row, first) in rows.into_iter().zip(stand_ins(&shapes)) {
        let place = places.get(first).copied().unwrap_or(blocks.len());
        places.push(place);
        match blocks.get_mut(place) {
            Some(block) => block.rows.push(row),
            None => blocks.push(Block { rows: vec![row] }),
        }
    }
    Matrix { blocks }
}

/// Returns what rows that are alike have in common: the kind of the party, and the tones
/// in each cell.
fn shape(row: &Row<'_>, tone: impl Fn(&NsId) -> Tone) -> Vec<u8> {
    let party = match row.party {
        Party::Host => "1",
        Party::Container(_) => "2",
        Party::Service(_) => "3",
        Party::Processes(_) => "4",
        Party::Held(holder) => holder.kind(),
    };
    let mut shape = party.as_bytes().to_vec();
    for cell in &row.cells {
        shape.push(if cell.is_unknown { b'?' } else { b'/' });
        for id in &cell.namespaces {
            match tone(id) {
                Tone::Host => shape.push(b'h'),
                Tone::Own => shape.push(b'o'),
                Tone::Shared(place) => {
                    shape.push(b's');
                    shape.extend(place.to_le_bytes());
                }
            }
        }
    }
    shape
}

/// Returns a row for each container and for each service, by what namespaces say of
/// the processes in them.
fn affiliated(snapshot: &Snapshot) -> HashMap<Key<'_>, Row<'_>> {
    let mut found = HashMap::new();
    for namespace in all(snapshot) {
        let facts = namespace.facts.as_deref();
        for one in facts.into_iter().flat_map(|facts| &facts.affiliations) {
            let (key, party) = match (&one.container, one.unit.as_deref()) {
                (Some(container), _) => (Key::Container(container), Party::Container(container)),
                (None, Some(unit)) if unit.ends_with(".service") => {
                    (Key::Service(unit), Party::Service(unit))
                }
                _ => continue,
            };
            let row = found.entry(key).or_insert_with(|| Row::new(party));
            row.add(namespace.id);
            row.pod = row.pod.or(one.pod.as_deref());
        }
    }
    found
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
