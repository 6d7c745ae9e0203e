use std::collections::{BTreeSet, HashMap};

use crate::model::{NsId, Pid};

/// The namespaces of a system at one time, as far as they are compared. What is
/// `None` is unknown and compared with nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct State {
    /// The ID of the boot, random(4).
    pub boot_id: Option<String>,
    /// The namespaces.
    pub namespaces: Vec<Known>,
}

/// What is compared of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Known {
    /// Number and type.
    pub id: NsId,
    /// The number that the kernel never reuses on one boot.
    pub unique_id: Option<u64>,
    /// When the representative started, in clock ticks after boot.
    pub start: Option<u64>,
    /// The number of processes in it.
    pub nprocs: Option<u64>,
    /// The representative, the lowest PID in it.
    pub pid: Option<Pid>,
    /// The number of the user namespace that owns it.
    pub owner: Option<u64>,
    /// Where it is bind-mounted.
    pub mounts: Option<BTreeSet<String>>,
    /// What else holds it, except processes that are in it.
    pub holders: Option<BTreeSet<String>>,
    /// The name of the user of the representative, which is not compared.
    pub user: Option<String>,
    /// Its command line, which is not compared.
    pub command: Option<String>,
}

impl Known {
    /// Makes a namespace of which nothing else is known.
    pub const fn new(id: NsId) -> Self {
        Known {
            id,
            unique_id: None,
            start: None,
            nprocs: None,
            pid: None,
            owner: None,
            mounts: None,
            holders: None,
            user: None,
            command: None,
        }
    }
}

/// By what a namespace of one time was recognised at another, surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Identity {
    /// The boots differ, so nothing is the same.
    Boot,
    /// The number that the kernel never reuses, on the same boot.
    UniqueId,
    /// Number, type, and when the representative started. Initial namespaces,
    /// whose numbers are fixed, by these alone.
    Start,
    /// Number and type alone: another namespace may have got the number.
    Number,
}

impl Identity {
    /// Returns its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Identity::Boot => "boot",
            Identity::UniqueId => "id",
            Identity::Start => "start",
            Identity::Number => "number",
        }
    }
}

/// What became of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference<'a> {
    /// It is new.
    Added(&'a Known),
    /// It is gone.
    Removed(&'a Known),
    /// It is the same, and something about it is not.
    Changed(&'a Known, Vec<Change>),
}

impl Difference<'_> {
    /// Returns the namespace, as it was last.
    pub const fn namespace(&self) -> &Known {
        match self {
            Difference::Added(known)
            | Difference::Removed(known)
            | Difference::Changed(known, _) => known,
        }
    }
}

/// One thing about a namespace that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The number of processes in it.
    Processes(u64, u64),
    /// The lowest PID in it.
    Representative(Option<Pid>, Option<Pid>),
    /// The user namespace that owns it.
    Owner(u64, u64),
    /// Where it is bind-mounted: what came, and what went.
    Mounts(Vec<String>, Vec<String>),
    /// What else holds it: what came, and what went.
    Holders(Vec<String>, Vec<String>),
}

/// Compares two states. Returns the differences by number and type, those of the
/// old state first, and the least sure identity by which a namespace of one was
/// recognised in the other.
///
/// A number is given to another namespace as soon as it is free. So where there
/// are no IDs, a namespace whose representative did not start at the same time
/// counts as another.
pub fn diff<'a>(old: &'a State, new: &'a State) -> (Vec<Difference<'a>>, Identity) {
    let boots = old.boot_id.as_ref().zip(new.boot_id.as_ref());
    let is_same_boot = boots.is_some_and(|(old, new)| old == new);
    let is_other_boot = boots.is_some() && !is_same_boot;
    let all = new.namespaces.iter();
    let by_id: HashMap<_, _> = all.clone().map(|one| (one.unique_id, one)).collect();
    let by_number: HashMap<_, _> = all.clone().map(|one| (one.id, one)).collect();
    let find = |known: &Known| {
        if is_other_boot {
            return None;
        }
        if is_same_boot
            && known.unique_id.is_some()
            && let Some(found) = by_id.get(&known.unique_id)
        {
            return Some((*found, Identity::UniqueId));
        }
        let found = by_number.get(&known.id)?;
        Some((*found, same(known, found)?))
    };
    let mut differences = Vec::new();
    let mut found = BTreeSet::new();
    let mut weakest = match is_other_boot {
        true => Identity::Boot,
        false => Identity::UniqueId,
    };
    for known in &old.namespaces {
        let Some((now, identity)) = find(known) else {
            differences.push(Difference::Removed(known));
            continue;
        };
        weakest = weakest.max(identity);
        found.insert((now.id, now.unique_id));
        let changes = changes(known, now);
        if !changes.is_empty() {
            differences.push(Difference::Changed(now, changes));
        }
    }
    let is_new = |known: &&Known| !found.contains(&(known.id, known.unique_id));
    differences.extend(all.filter(is_new).map(Difference::Added));
    differences.sort_by_key(|one| {
        let is_added = matches!(one, Difference::Added(_));
        (one.namespace().id, is_added)
    });
    (differences, weakest)
}

/// Returns by what two namespaces of one number are the same, if they are.
fn same(old: &Known, new: &Known) -> Option<Identity> {
    match (old.unique_id, new.unique_id) {
        (Some(old), Some(new)) if old != new => return None,
        _ => {}
    }
    if old.id.ino == old.id.kind.initial_ino() {
        return Some(Identity::Start);
    }
    match (old.start, new.start) {
        (Some(old), Some(new)) => (old == new).then_some(Identity::Start),
        _ => Some(Identity::Number),
    }
}

fn changes(old: &Known, new: &Known) -> Vec<Change> {
    let mut changes = Vec::new();
    if let (Some(was), Some(is)) = (old.nprocs, new.nprocs) {
        if was != is {
            changes.push(Change::Processes(was, is));
        }
        if old.pid != new.pid {
            changes.push(Change::Representative(old.pid, new.pid));
        }
    }
    match (old.owner, new.owner) {
        (Some(was), Some(is)) if was != is => changes.push(Change::Owner(was, is)),
        _ => {}
    }
    if let Some((came, went)) = moved(&old.mounts, &new.mounts) {
        changes.push(Change::Mounts(came, went));
    }
    if let Some((came, went)) = moved(&old.holders, &new.holders) {
        changes.push(Change::Holders(came, went));
    }
    changes
}

/// Returns what came and what went, if anything did.
fn moved(
    old: &Option<BTreeSet<String>>,
    new: &Option<BTreeSet<String>>,
) -> Option<(Vec<String>, Vec<String>)> {
    let (old, new) = old.as_ref().zip(new.as_ref())?;
    let came: Vec<_> = new.difference(old).cloned().collect();
    let went: Vec<_> = old.difference(new).cloned().collect();
    (!came.is_empty() || !went.is_empty()).then_some((came, went))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    fn known(ino: u64) -> Known {
        let kind = Kind::Net;
        Known::new(NsId { ino, kind })
    }

    fn with_id(ino: u64, unique_id: u64) -> Known {
        Known {
            unique_id: Some(unique_id),
            ..known(ino)
        }
    }

    fn started(ino: u64, start: u64) -> Known {
        Known {
            start: Some(start),
            ..known(ino)
        }
    }

    fn state(boot: &str, namespaces: &[Known]) -> State {
        State {
            boot_id: (!boot.is_empty()).then(|| boot.to_owned()),
            namespaces: namespaces.to_vec(),
        }
    }

    /// Returns `+NUMBER`, `-NUMBER` and `~NUMBER`, and the identity.
    fn marks(old: &State, new: &State) -> (String, Identity) {
        let (differences, identity) = diff(old, new);
        let mark = |one: &Difference<'_>| {
            let mark = match one {
                Difference::Added(_) => '+',
                Difference::Removed(_) => '-',
                Difference::Changed(..) => '~',
            };
            format!("{mark}{}", one.namespace().id.ino)
        };
        let marks: Vec<_> = differences.iter().map(mark).collect();
        (marks.join(" "), identity)
    }

    #[test]
    fn an_id_outweighs_a_number_on_the_same_boot() {
        let old = state("a", &[with_id(1, 10), with_id(2, 11)]);
        // Number 1 was reused.
        let new = state("a", &[with_id(1, 12), with_id(2, 11)]);
        assert_eq!(marks(&old, &new), ("-1 +1".into(), Identity::UniqueId));
        assert_eq!(marks(&old, &old), (String::new(), Identity::UniqueId));
        // Then it is known, although not by which ID.
        let new = state("a", &[known(1), with_id(2, 11)]);
        assert_eq!(marks(&old, &new), (String::new(), Identity::Number));
    }

    #[test]
    fn nothing_outlasts_a_boot() {
        let (old, new) = (state("a", &[with_id(1, 1)]), state("b", &[with_id(1, 1)]));
        assert_eq!(marks(&old, &new), ("-1 +1".into(), Identity::Boot));
        // On unknown boots, equal IDs prove nothing, and others differ.
        let old = state("", &[with_id(1, 1), with_id(2, 2)]);
        let new = state("b", &[with_id(1, 1), with_id(2, 3)]);
        assert_eq!(marks(&old, &new), ("-2 +2".into(), Identity::Number));
    }

    #[test]
    fn without_ids_a_representative_that_started_later_is_one_of_another_namespace() {
        let old = state("a", &[started(1, 100), started(2, 100), known(3)]);
        let new = state("a", &[started(1, 100), started(2, 101)]);
        assert_eq!(marks(&old, &new), ("-2 +2 -3".into(), Identity::Start));
        // With no process on one side there is nothing to compare.
        let new = state("a", &[started(1, 100), known(2), started(3, 7)]);
        assert_eq!(marks(&old, &new), (String::new(), Identity::Number));
        let initial = Kind::Net.initial_ino();
        let old = state("a", &[started(initial, 1)]);
        let new = state("a", &[started(initial, 2)]);
        assert_eq!(marks(&old, &new), (String::new(), Identity::Start));
    }

    #[test]
    fn what_is_known_on_both_sides_is_compared_and_nothing_else() {
        let set = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
        let old = Known {
            nprocs: Some(1),
            pid: Some(7),
            owner: Some(5),
            mounts: set(&["/a", "/b"]),
            holders: set(&["fd 3 of 7"]),
            ..known(1)
        };
        let new = Known {
            nprocs: Some(2),
            pid: Some(6),
            owner: Some(6),
            mounts: set(&["/b", "/c"]),
            holders: set(&[]),
            ..known(1)
        };
        let changes = |old: &Known, new: &Known| match &diff(
            &state("", std::slice::from_ref(old)),
            &state("", std::slice::from_ref(new)),
        )
        .0[..]
        {
            [Difference::Changed(_, changes)] => changes.clone(),
            [] => Vec::new(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            changes(&old, &new),
            [
                Change::Processes(1, 2),
                Change::Representative(Some(7), Some(6)),
                Change::Owner(5, 6),
                Change::Mounts(vec!["/c".into()], vec!["/a".into()]),
                Change::Holders(vec![], vec!["fd 3 of 7".into()]),
            ]
        );
        assert_eq!(changes(&old, &known(1)), []);
        assert_eq!(changes(&known(1), &new), []);
        assert_eq!(changes(&new, &new), []);
    }
}
