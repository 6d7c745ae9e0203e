use std::collections::{HashMap, HashSet};

use crate::analysis::picture::{alike::stand_ins, all};
use crate::model::{Kind, Link, Member, Namespace, NsId, Process, Snapshot};

/// So many processes of a pid namespace are shown.
const FEW: usize = 6;

/// Trees of namespaces. Each is in the order in which it is drawn: a node, then what
/// hangs below it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Trees<'a> {
    /// User namespaces, and what they own.
    pub user: Vec<Node<'a>>,
    /// Pid namespaces, and the processes in them.
    pub pid: Vec<Node<'a>>,
    /// Namespaces of other types whose owner is unknown.
    pub unowned: Vec<&'a Namespace>,
}

/// A user or pid namespace in its tree.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Node<'a> {
    /// The namespace.
    pub namespace: &'a Namespace,
    /// How many lie above it.
    pub depth: usize,
    /// The place of its parent in the list of nodes; `None` for a root, whose parent
    /// does not exist or is unknown.
    pub parent: Option<usize>,
    /// Others in the same place for which this one stands. Nothing hangs below any.
    pub alike: Vec<&'a Namespace>,
    /// Namespaces of other types that a user namespace owns, by type and number.
    pub owned: Vec<&'a Namespace>,
    /// The first processes in a pid namespace, those of nested ones left out. Their
    /// number is [`Namespace::nprocs`].
    pub processes: Vec<&'a Process>,
}

pub(super) fn grow(snapshot: &Snapshot) -> Trees<'_> {
    let mut owned: HashMap<NsId, Vec<&Namespace>> = HashMap::new();
    let mut unowned = Vec::new();
    let known: HashSet<NsId> = all(snapshot).map(|namespace| namespace.id).collect();
    for namespace in all(snapshot).filter(|one| one.id.kind != Kind::User) {
        match namespace
            .relations
            .owner
            .filter(|owner| known.contains(owner))
        {
            Some(owner) => owned.entry(owner).or_default().push(namespace),
            None => unowned.push(namespace),
        }
    }
    for list in owned.values_mut().chain([&mut unowned]) {
        list.sort_unstable_by_key(|namespace| (namespace.id.kind, namespace.id));
    }
    let mut user = preorder(snapshot, Kind::User, |namespace| {
        let owned = owned.get(&namespace.id).map_or(&[][..], Vec::as_slice);
        let mut shape = vec![u8::from(namespace.nprocs > 0)];
        shape.extend(owned.iter().map(|one| one.id.kind.index() as u8));
        shape
    });
    let mut pid = preorder(snapshot, Kind::Pid, |namespace| {
        let first = snapshot.representative(namespace);
        let command = first.and_then(Process::command);
        let program = command.and_then(|command| command.split(|byte| *byte == b' ').next());
        program.unwrap_or_default().to_vec()
    });
    for node in &mut user {
        node.owned = owned.remove(&node.namespace.id).unwrap_or_default();
    }
    let places: HashMap<NsId, usize> = pid
        .iter()
        .enumerate()
        .map(|(place, node)| (node.namespace.id, place))
        .collect();
    let kind = Kind::Pid;
    for process in &snapshot.processes {
        let id = process.links.ino(Link::Pid).map(|ino| NsId { ino, kind });
        let place = id.and_then(|id| places.get(&id));
        if let Some(node) = place.and_then(|place| pid.get_mut(*place))
            && node.processes.len() < FEW
        {
            node.processes.push(process);
        }
    }
    Trees { user, pid, unowned }
}

/// Returns the namespaces of one type in the order of a tree. Leaves with the same
/// parent and shape fold if they are many. Parents that form a circle, which a saved
/// document may claim, are cut where they close.
fn preorder<'a>(
    snapshot: &'a Snapshot,
    kind: Kind,
    shape: impl Fn(&Namespace) -> Vec<u8>,
) -> Vec<Node<'a>> {
    let of_kind: Vec<&Namespace> = all(snapshot)
        .filter(|namespace| namespace.id.kind == kind)
        .collect();
    let known: HashSet<NsId> = of_kind.iter().map(|namespace| namespace.id).collect();
    let mut below: HashMap<NsId, Vec<&Namespace>> = HashMap::new();
    let mut children: Vec<&Namespace> = Vec::new();
    for namespace in &of_kind {
        let parent = namespace.relations.parent;
        let parent = parent.filter(|parent| known.contains(parent) && *parent != namespace.id);
        match parent {
            Some(parent) => below.entry(parent).or_default().push(namespace),
            None => children.push(namespace),
        }
    }
    let mut nodes: Vec<Node<'a>> = Vec::new();
    let mut seen: HashSet<NsId> = HashSet::new();
    let mut place = None;
    let mut pending: Vec<Node<'a>> = Vec::new();
    let mut rest = of_kind.iter();
    loop {
        children.retain(|child| !seen.contains(&child.id));
        let is_leaf = |one: &Namespace| !below.contains_key(&one.id);
        let drawn = alike(std::mem::take(&mut children), is_leaf, &shape);
        pending.extend(drawn.into_iter().rev().map(|(namespace, alike)| Node {
            depth: place.map_or(0, |(_, depth)| depth + 1),
            parent: place.map(|(place, _)| place),
            alike,
            ..Node::root(namespace)
        }));
        let Some(node) = pending.pop().or_else(|| {
            // What no root leads to is in a circle.
            let unseen = rest.find(|namespace| !seen.contains(&namespace.id));
            unseen.copied().map(Node::root)
        }) else {
            return nodes;
        };
        if seen.insert(node.namespace.id) {
            seen.extend(node.alike.iter().map(|namespace| namespace.id));
            children = below.remove(&node.namespace.id).unwrap_or_default();
            place = Some((nodes.len(), node.depth));
            nodes.push(node);
        }
    }
}

/// Returns siblings in order, each with those that it stands for: leaves of one shape
/// if they are many.
fn alike<'a>(
    siblings: Vec<&'a Namespace>,
    is_leaf: impl Fn(&Namespace) -> bool,
    shape: impl Fn(&Namespace) -> Vec<u8>,
) -> Vec<(&'a Namespace, Vec<&'a Namespace>)> {
    let shapes: Vec<Option<Vec<u8>>> = siblings
        .iter()
        .map(|one| is_leaf(one).then(|| shape(one)))
        .collect();
    let mut drawn: Vec<(&'a Namespace, Vec<&'a Namespace>)> = Vec::new();
    let mut places: Vec<usize> = Vec::new();
    for (namespace, first) in siblings.into_iter().zip(stand_ins(&shapes)) {
        let place = places.get(first).copied().unwrap_or(drawn.len());
        places.push(place);
        match drawn.get_mut(place) {
            Some((_, alike)) => alike.push(namespace),
            None => drawn.push((namespace, Vec::new())),
        }
    }
    drawn
}

impl<'a> Node<'a> {
    fn root(namespace: &'a Namespace) -> Self {
        Node {
            namespace,
            depth: 0,
            parent: None,
            alike: Vec::new(),
            owned: Vec::new(),
            processes: Vec::new(),
        }
    }
}
