//! What only the kernel's own lists show: namespaces that nothing else led to, and
//! processes that the proc tree hides.

use std::collections::HashSet;
use std::sync::Arc;

use crate::kernel::{BpfError, Kernel, OpenError};
use crate::model::{Holder, NsId, Pid};
use crate::proc::ProcessDir;
use crate::scan::context::Context;
use crate::scan::groups::{Find, Group, Groups};
use crate::scan::plan::Plan;
use crate::scan::sources::bpf::Answer;

/// Follows the kernel's lists for namespaces that nothing else led to, and that
/// were there `before` anything was read: what is younger may have a holder
/// that was not looked at. Those that are `listed` in place of a look at everything
/// need no other explanation. Those that do not open are being removed, or were never
/// there, unless the kernel opens none that is not active.
pub(in crate::scan::sources) fn find_chained<K: Kernel>(
    kernel: &K,
    plan: &Plan,
    groups: &Groups,
    listed: &HashSet<NsId>,
    before: &[(u64, NsId)],
) -> Vec<Find> {
    let chained = kernel.chained().unwrap_or_default();
    let is_unheld = |group: &Group| groups.first_holder(group).is_none();
    let mut finds = Vec::new();
    for (unique_id, id) in chained {
        let is_old = before.binary_search(&(unique_id, id)).is_ok();
        if is_old
            && plan.kinds.contains(id.kind)
            && groups.get(id).is_none_or(is_unheld)
            && !listed.contains(&id)
            && matches!(
                kernel.open_listed(unique_id, id),
                Ok(_) | Err(OpenError::Unreachable)
            )
        {
            finds.push((id, Holder::Kernel { unique_id }));
        }
    }
    finds
}

/// Returns the processes that the kernel told of and the proc tree does not show,
/// by PID, and adds them to the hidden ones of the root. The list is by PID, too.
pub(in crate::scan::sources) fn find_hidden<K: Kernel>(
    context: &Context<K>,
    kernel: &Arc<K>,
    pids: &[Pid],
    answer: &Answer,
) -> Result<Vec<Pid>, BpfError> {
    let is_told = |pid| {
        let tasks = &answer.tasks;
        tasks
            .binary_search_by_key(&(pid, pid), |task| (task.pid, task.tid))
            .is_ok()
    };
    // Those that are younger than the list are not hidden.
    let is_shown = |pid| ProcessDir::open(&context.root, pid).is_ok_and(|process| process.exists());
    let mut hidden = kernel.names()?;
    hidden.retain(|process| {
        let pid = process.pid;
        pids.binary_search(&pid).is_err() && is_told(pid) && !is_shown(pid)
    });
    let mut found: Vec<_> = hidden.iter().map(|process| process.pid).collect();
    found.sort_unstable();
    let kernel = Arc::clone(kernel);
    context
        .root
        .add_hidden(hidden, move |pid| kernel.process_exists(pid));
    found.retain(|pid| context.root.hidden(*pid).is_some());
    Ok(found)
}
