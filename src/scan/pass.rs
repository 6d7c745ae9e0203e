//! One pass over the system: what leads to namespaces, then what there is to
//! know of them, in rounds until nothing changes any more.

use std::collections::{BTreeMap, HashSet};

use crate::containers::affiliate;
use crate::error::Error;
use crate::model::{
    Cause, Gap, Kind, LinkSet, Member, Namespace, NsId, Pid, Snapshot, Source, Sources,
};
use crate::proc::{ProcessDir, Users};
use crate::scan::Need;
use crate::scan::answers::{Answers, below};
use crate::scan::details::peers::find_peers;
use crate::scan::details::proc_files::{Contents, read_contents, tell_host};
use crate::scan::details::process::{Seen, read_details};
use crate::scan::find::find;
use crate::scan::findings::Findings;
use crate::scan::goal::Goal;
use crate::scan::group::group;
use crate::scan::inference::{group_fingerprints, liken};
use crate::scan::parallel::{apart, walk};
use crate::scan::plan::Plan;
use crate::scan::settings::Settings;
use crate::scan::sources::relations::Inquiry;
use crate::scan::tally::Tally;

/// Passes over the system, through the links of all processes and these
/// sources.
pub(crate) fn pass(settings: &Settings, goal: &Goal, sources: Sources) -> Result<Snapshot, Error> {
    let (root, needs) = (&settings.root, settings.needs);
    let plan = Plan::new(goal, settings.kinds, needs, sources, root.is_live());
    let pids = root.pids()?;
    if pids.is_empty() {
        return Err(Error::NoProcesses(root.proc_path()));
    }
    let mut tally = Tally::new(pids.len());
    let mut findings = find(settings, &plan, &pids, &mut tally)?;
    findings.finds.extend(goal.finds());
    let mut pass = Pass {
        settings,
        goal,
        plan,
        findings,
        answers: Answers::default(),
        contents: Contents::default(),
        users: Users::below(root),
        tally,
    };
    let found = loop {
        if let Some(found) = pass.round()? {
            break found;
        }
    };
    pass.finish(found)
}

struct Pass<'a> {
    settings: &'a Settings,
    goal: &'a Goal,
    plan: Plan,
    findings: Findings,
    answers: Answers,
    contents: Contents,
    users: Users,
    tally: Tally,
}

/// What a last round comes to.
struct Found {
    namespaces: Vec<Namespace>,
    ancestors: Vec<Namespace>,
    inferred: Vec<Namespace>,
    /// The processes that are shown.
    shown: Vec<Pid>,
}

impl Pass<'_> {
    /// Groups what was found, and finds out what is to be shown of it. None if
    /// something ended meanwhile, or something new was found: then again.
    fn round(&mut self) -> Result<Option<Found>, Error> {
        let needs = self.settings.needs;
        let all = group(
            &self.findings.processes,
            &self.findings.finds,
            self.plan.kinds,
            needs.contains(Need::Holders),
        );
        if self.ask(&all)? {
            return Ok(None);
        }
        let (goal, kinds) = (self.goal, self.settings.kinds);
        let wants = |namespace: &Namespace| goal.wants(namespace, kinds);
        let below = match goal {
            Goal::Namespace(_) => below(&all, wants),
            Goal::All | Goal::Process(..) => HashSet::new(),
        };
        let up = needs.contains(Need::Relations);
        let (namespaces, ancestors) = self.answers.split(all, wants, up, &below);
        let inferred = group_fingerprints(self.findings.fingerprints());
        let mut shown = goal.shown(&self.findings.processes, &namespaces, &ancestors);
        shown.extend(inferred.iter().filter_map(|namespace| namespace.pid));
        shown.sort_unstable();
        shown.dedup();
        if self.add_details(&shown)? || self.add_contents(&namespaces)? {
            return Ok(None);
        }
        Ok(Some(Found {
            namespaces,
            ancestors,
            inferred,
            shown,
        }))
    }

    /// Asks the kernel about what was found, as far as somebody wants to know
    /// and it was not asked before. Tells whether something is gone or new, and
    /// so the grouping is stale.
    fn ask(&mut self, all: &[Namespace]) -> Result<bool, Error> {
        let wanted = |namespace: &&Namespace| {
            self.plan.look_up || self.goal.wants(namespace, self.settings.kinds)
        };
        let known: HashSet<NsId> = all.iter().map(|namespace| namespace.id).collect();
        let holders = self.findings.holders();
        let linux = self.settings.linux();
        let inquiry = Inquiry::new(
            &linux,
            &self.settings.root,
            self.plan.questions,
            self.plan.kinds,
            known,
        );
        let mut lost = HashSet::new();
        let mut finds = Vec::new();
        loop {
            let reached = self
                .answers
                .reach(all.iter().filter(wanted).map(|namespace| namespace.id));
            let to_ask: Vec<&Namespace> = all
                .iter()
                .filter(|namespace| self.plan.questions.concern(namespace))
                .filter(|namespace| reached.contains(&namespace.id))
                .filter(|namespace| !self.answers.contains(namespace.id))
                .collect();
            if to_ask.is_empty() {
                break;
            }
            let ask = || {
                walk(&to_ask, self.settings.thread_count(), |namespace| {
                    let others = holders.get(&namespace.id).into_iter().flatten().copied();
                    let others = others.filter(|holder| **holder != namespace.via);
                    inquiry.ask(namespace, std::iter::once(&namespace.via).chain(others))
                })
            };
            let goes_inside = Kind::ALL
                .iter()
                .any(|kind| self.settings.needs.inside(*kind).is_some());
            let asked = if goes_inside { apart(ask) } else { ask() }?;
            for (namespace, asked) in to_ask.into_iter().zip(asked) {
                lost.extend(asked.lost.iter().cloned());
                finds.extend(asked.finds.iter().cloned());
                for (source, cause) in self.answers.add(namespace.id, asked) {
                    self.tally.add(source, cause, LinkSet::EMPTY);
                }
            }
            if !lost.is_empty() {
                break;
            }
        }
        // Who is held is known already, unless holders are to be named.
        let holders = self.settings.needs.contains(Need::Holders);
        let is_new = finds.iter().any(|(id, _)| holders || inquiry.found(*id));
        self.findings.finds.extend(finds);
        for id in self
            .findings
            .lose(&self.settings.root, &lost, &mut self.tally)?
        {
            self.answers.close(id);
            let cause = Cause::Failed("it could not be opened".to_owned());
            self.tally.add(Source::Relations, cause, LinkSet::EMPTY);
        }
        Ok(is_new || !lost.is_empty())
    }

    /// Reads the details of those of some processes that have none yet. Tells
    /// whether one of them is gone, and so the grouping is stale.
    fn add_details(&mut self, pids: &[Pid]) -> Result<bool, Error> {
        if !self.settings.needs.of_processes() {
            return Ok(false);
        }
        let mut pids = pids.to_vec();
        pids.retain(|pid| {
            self.findings
                .process(*pid)
                .is_some_and(|process| process.details.is_none())
        });
        let seen = walk(&pids, self.settings.thread_count(), |pid| {
            read_details(&self.settings.root, *pid, self.settings.needs)
        })?;
        let mut vanished = HashSet::new();
        for (pid, seen) in pids.into_iter().zip(seen) {
            let Some(process) = self.findings.process(pid) else {
                continue;
            };
            match seen {
                Seen::Details(mut details, causes) => {
                    if self.settings.needs.contains(Need::User) {
                        details.user = details.uid.and_then(|uid| self.users.name(uid));
                    }
                    process.details = Some(details);
                    for cause in causes {
                        self.tally.add(Source::Details, cause, LinkSet::EMPTY);
                    }
                }
                Seen::Vanished => {
                    vanished.insert(pid);
                    self.tally
                        .add(Source::Processes, Cause::Vanished, LinkSet::EMPTY);
                }
            }
        }
        self.findings
            .processes
            .retain(|process| !vanished.contains(&process.pid));
        Ok(!vanished.is_empty())
    }

    /// Reads what files of processes tell of those namespaces of which it was
    /// not read yet. Tells whether one of them is gone, and so the grouping is
    /// stale.
    fn add_contents(&mut self, namespaces: &[Namespace]) -> Result<bool, Error> {
        let questions =
            self.contents
                .questions(namespaces, &self.findings.processes, self.settings.needs);
        let told = walk(&questions, self.settings.thread_count(), |question| {
            read_contents(&self.settings.root, *question, self.settings.needs)
        })?;
        let gone = self.contents.add(questions, told, &mut self.tally);
        for _ in &gone {
            self.tally
                .add(Source::Processes, Cause::Vanished, LinkSet::EMPTY);
        }
        let processes = &mut self.findings.processes;
        processes.retain(|process| !gone.contains(&process.pid));
        Ok(!gone.is_empty())
    }

    /// Adds what can only be told of all together, and what is missing.
    fn finish(mut self, found: Found) -> Result<Snapshot, Error> {
        let Found {
            mut namespaces,
            mut ancestors,
            mut inferred,
            shown,
        } = found;
        let (settings, needs) = (self.settings, self.settings.needs);
        drop(self.answers);
        self.contents.tell(&mut namespaces);
        if needs.contains(Need::Interfaces) && settings.root.is_live() {
            let linux = settings.linux();
            let (questions, kinds) = (self.plan.questions, self.plan.kinds);
            let inquiry = Inquiry::new(&linux, &settings.root, questions, kinds, HashSet::new());
            find_peers(&inquiry, &mut namespaces, settings.thread_count())?;
        }
        if needs.contains(Need::Host) {
            tell_host(&mut namespaces, &settings.root, &mut self.tally);
        }
        if needs.contains(Need::Affiliation) {
            affiliate(&mut namespaces, &self.findings.processes);
        }
        if needs.contains(Need::User) {
            for namespace in namespaces.iter_mut().chain(&mut ancestors) {
                let relations = &mut namespace.relations;
                relations.owner_user = relations.owner_uid.and_then(|uid| self.users.name(uid));
            }
        }
        if let Goal::Process(_, links) = self.goal {
            for namespace in &mut namespaces {
                namespace.links = links.leading_to(namespace.id);
            }
        }
        liken(&mut inferred, &settings.root, &self.findings.processes);
        count_unknown(settings, &mut self.tally);
        let mut gaps = self.tally.gaps();
        let absent = absent_lists(&gaps);
        if !settings.is_chosen {
            // Only who asks for a list wants to hear that there is none.
            gaps.retain(|gap| !absent.contains(gap.source));
        }
        Ok(Snapshot {
            namespaces,
            ancestors,
            inferred,
            processes: self.findings.processes,
            parents: parents(settings, shown),
            sources: self.plan.sources.without(absent),
            gaps,
        })
    }
}

/// The lists of the kernel that it does not have, or not here.
fn absent_lists(gaps: &[Gap]) -> Sources {
    let is_absent = |gap: &&Gap| {
        gap.source.is_list() && matches!(gap.cause, Cause::Unsupported | Cause::Outside)
    };
    let absent = gaps.iter().filter(is_absent);
    absent.map(|gap| gap.source).collect()
}

/// Counts what this tree, or this place on the system, cannot tell at all.
fn count_unknown(settings: &Settings, tally: &mut Tally) {
    let inside =
        |kind: &Kind| settings.kinds.contains(*kind) && settings.needs.inside(*kind).is_some();
    if !settings.root.is_live() && Kind::ALL.iter().any(inside) {
        tally.add_uncounted(Source::Contents, Cause::Unsupported);
    }
    if settings.needs.contains(Need::Affiliation) && !settings.root.sees_all_cgroups() {
        tally.add_uncounted(Source::Cgroups, Cause::Outside);
    }
}

/// The parents of processes, and those of their ancestors. Whose parent
/// cannot be read is as if it had none.
fn parents(settings: &Settings, pids: Vec<Pid>) -> BTreeMap<Pid, Pid> {
    let mut parents = BTreeMap::new();
    let mut next = pids;
    if !settings.needs.contains(Need::Ancestry) {
        next.clear();
    }
    while let Some(pid) = next.pop() {
        if parents.contains_key(&pid) {
            continue;
        }
        let process = ProcessDir::open(&settings.root, pid);
        if let Ok(stat) = process.and_then(|process| process.stat()) {
            parents.insert(pid, stat.ppid);
            next.push(stat.ppid);
        }
    }
    parents
}
