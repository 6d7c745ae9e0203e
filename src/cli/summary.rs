//! The last line on a terminal: what was seen.

use std::collections::HashSet;

use crate::model::{Container, Kind, Member, NsId, Snapshot};
use crate::output::counted;
use crate::query::Row;
use crate::scan::{Need, Needs};

/// Says how many namespaces are listed, and as far as that was collected, how
/// many containers and processes are in them: "31 namespaces (4 without
/// processes), 5 containers, 214 processes".
pub(super) fn of_namespaces(rows: &[Row<'_>], snapshot: &Snapshot, needs: Needs) -> String {
    let ids: HashSet<NsId> = rows.iter().filter_map(Row::id).collect();
    let inferred = rows.len() - ids.len();
    let mut text = counted(ids.len(), "namespace", "namespaces");
    let knows_members = needs.contains(Need::Members);
    let listed = rows.iter().filter(|row| row.id().is_some());
    let empty = listed.filter(|row| row.nprocs() == 0).count();
    if knows_members && empty > 0 {
        text += &match empty == ids.len() {
            true => " without processes".to_owned(),
            false => format!(" ({empty} without processes)"),
        };
    }
    if inferred > 0 {
        text += &format!(", {inferred} inferred");
    }
    text += &containers(rows, needs);
    if knows_members && empty < ids.len() {
        let is_listed = |id: NsId| ids.contains(&id);
        let processes = snapshot.processes.iter().filter(|process| {
            let mut own = Kind::ALL.iter().filter_map(|kind| process.links.own(*kind));
            own.any(is_listed)
        });
        text += ", ";
        text += &counted(processes.count(), "process", "processes");
    }
    text
}

/// Says how many processes of a namespace are listed, and of how many
/// containers, if that was collected.
pub(super) fn of_processes(rows: &[Row<'_>], needs: Needs) -> String {
    counted(rows.len(), "process", "processes") + &containers(rows, needs)
}

fn containers(rows: &[Row<'_>], needs: Needs) -> String {
    if !needs.contains(Need::Affiliation) {
        return String::new();
    }
    let all = rows.iter().flat_map(Row::affiliations);
    let containers: HashSet<&Container> = all.filter_map(|one| one.container.as_ref()).collect();
    format!(", {}", counted(containers.len(), "container", "containers"))
}
