use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{Cause, Facts, Holder, Namespace, NsId, Relations, Source};
use crate::scan::sources::relations::Asked;

/// What the kernel said of each namespace that it was asked about.
#[derive(Default)]
pub(crate) struct Answers(HashMap<NsId, Answer>);

#[derive(Default)]
struct Answer {
    relations: Relations,
    /// By which holder the namespace was opened; none if it was open already,
    /// or could not be opened.
    via: Option<Holder>,
    /// Whether it could not be opened.
    is_closed: bool,
    /// What it is like inside.
    facts: Option<Arc<Facts>>,
}

impl Answers {
    pub(crate) fn contains(&self, id: NsId) -> bool {
        self.0.contains_key(&id)
    }

    /// Adds what came of asking a namespace, and returns what is missing. If
    /// nothing led to it any more, that is no answer.
    pub(crate) fn add(&mut self, id: NsId, asked: Asked) -> Vec<(Source, Cause)> {
        let mut causes = Vec::new();
        if asked.via.is_some() || asked.closed.is_some() {
            let answer = self.0.entry(id).or_default();
            answer.is_closed = asked.closed.is_some();
            answer.via = asked.via;
            causes.extend(asked.closed.map(|cause| (Source::Relations, cause)));
        }
        for said in asked.said {
            let answer = self.0.entry(said.id).or_default();
            answer.relations = said.relations;
            answer.facts = said.facts;
            causes.extend(said.causes);
        }
        causes
    }

    /// Notes that a namespace cannot be opened, so that nobody asks it again.
    pub(crate) fn close(&mut self, id: NsId) {
        self.0.entry(id).or_default().is_closed = true;
    }

    /// Namespaces, and all that are known to be above them.
    pub(crate) fn reach(&self, ids: impl Iterator<Item = NsId>) -> HashSet<NsId> {
        let mut reached = HashSet::new();
        let mut next: Vec<NsId> = ids.collect();
        while let Some(id) = next.pop() {
            if let (true, Some(answer)) = (reached.insert(id), self.0.get(&id)) {
                next.extend(answer.relations.owner);
                next.extend(answer.relations.parent);
            }
        }
        reached
    }

    /// Tells namespaces what was said of them, and splits them into those that
    /// are wanted and others that matter: those `below`, and if `up` those above
    /// them.
    pub(crate) fn split(
        &self,
        mut all: Vec<Namespace>,
        wanted: impl Fn(&Namespace) -> bool,
        up: bool,
        below: &HashSet<NsId>,
    ) -> (Vec<Namespace>, Vec<Namespace>) {
        for namespace in &mut all {
            if let Some(answer) = self.0.get(&namespace.id) {
                namespace.relations = answer.relations.clone();
                namespace.is_closed = answer.is_closed;
                namespace.facts.clone_from(&answer.facts);
                if let Some(via) = &answer.via {
                    namespace.via = via.clone();
                }
            }
        }
        let (found, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(wanted);
        let found_ids = found.iter().map(|namespace| namespace.id);
        let above = self.reach(found_ids.filter(|_| up));
        let matters =
            |namespace: &Namespace| above.contains(&namespace.id) || below.contains(&namespace.id);
        (found, rest.into_iter().filter(matters).collect())
    }
}

/// The namespaces that hold those that are wanted, and those that hold these,
/// down to the last: children, namespaces that they own, and the mount
/// namespaces in which they are mounted.
pub(crate) fn below(all: &[Namespace], wanted: impl Fn(&Namespace) -> bool) -> HashSet<NsId> {
    let find = |id: NsId| {
        let place = all.binary_search_by_key(&id, |namespace| namespace.id);
        place.ok().and_then(|place| all.get(place))
    };
    let mut below = HashSet::new();
    let mut next: Vec<&Namespace> = all.iter().filter(|namespace| wanted(namespace)).collect();
    while let Some(namespace) = next.pop() {
        for id in namespace.holders.iter().filter_map(Holder::namespace) {
            if below.insert(id) {
                next.extend(find(id));
            }
        }
    }
    below
}
