use crate::containers::Affiliations;
use crate::error::Error;
use crate::model::{Cause, Link, LinkSet, Pid, Source};
use crate::scan::Need;
use crate::scan::findings::Findings;
use crate::scan::inference::take_fingerprints;
use crate::scan::parallel::walk;
use crate::scan::plan::Plan;
use crate::scan::settings::Settings;
use crate::scan::sources::fds::{ask_sockets, ask_tuns, look_at_files};
use crate::scan::sources::listns::{list_mount_namespaces, list_namespaces};
use crate::scan::sources::mounts::{insiders, read_other_mounts, read_own_mounts};
use crate::scan::sources::processes::{Look, read_process, settle};
use crate::scan::sources::threads::read_thread_files;
use crate::scan::tally::Tally;

/// Everything that leads to a namespace, source by source.
pub(crate) fn find(
    settings: &Settings,
    plan: &Plan,
    pids: &[Pid],
    tally: &mut Tally,
) -> Result<Findings, Error> {
    let (root, threads, linux) = (&settings.root, settings.thread_count(), settings.linux());
    let runs = |source| plan.sources.contains(source);
    let kinds = plan.kinds.iter();
    let asked: LinkSet = kinds.flat_map(|kind| kind.links().iter()).collect();
    let mut links = asked;
    if runs(Source::Mounts) || runs(Source::MountNamespaces) {
        links.insert(Link::Mnt);
    }
    let look = Look {
        links,
        threads: runs(Source::Threads),
        fds: runs(Source::Fds) || runs(Source::Sockets) || runs(Source::Tuns),
        cgroup: settings.needs.contains(Need::Affiliation),
    };
    let mut sightings = walk(pids, threads, |pid| read_process(root, *pid, look))?;
    if look.fds && look.threads {
        read_thread_files(&linux, root, &mut sightings, threads)?;
    }
    if root.hides_processes() {
        tally.add_uncounted(Source::Processes, Cause::Hidden);
    }
    let settled = settle(sightings, asked, &mut Affiliations::below(root), tally);
    let mut finds = settled.finds;
    if runs(Source::Sockets) {
        finds.extend(ask_sockets(&linux, &settled.sockets, threads, tally)?);
    }
    if runs(Source::Tuns) {
        finds.extend(ask_tuns(&linux, &settled.tuns, threads, tally)?);
    }
    if runs(Source::Mounts) || settings.needs.contains(Need::Mounts) {
        finds.extend(read_own_mounts(root, tally)?);
    }
    let insiders = insiders(&settled.processes, &finds);
    if runs(Source::Mounts) {
        finds.extend(read_other_mounts(root, &insiders, threads, tally)?);
    }
    let is_inside = !settings.root.is_initial();
    if runs(Source::MountNamespaces) {
        let known = insiders.keys().copied().collect();
        finds.extend(list_mount_namespaces(&linux, is_inside, &known, tally)?);
    }
    if runs(Source::Listns) {
        finds.extend(list_namespaces(&linux, is_inside, tally)?);
    }
    if runs(Source::Fds) && root.is_live() {
        let files = &settled.files;
        let seen = look_at_files(&linux, root, files, &finds, threads, tally)?;
        finds.extend(seen);
    }
    let mut findings = Findings {
        processes: settled.processes,
        finds,
        fingerprints: Vec::new(),
    };
    if settings.needs.contains(Need::Inference) {
        let refused = settled.refused;
        findings.fingerprints = take_fingerprints(root, &refused, settings.kinds, threads)?;
        findings.add_refused(refused);
    }
    Ok(findings)
}
