//! Limits of the kernel, and what counts against them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::analysis::metrics::{Family, Reader, Sample};
use crate::analysis::{Limited, limits};
use crate::model::{Kind, Member, Snapshot};
use crate::text::Text;

/// The number of users for each limit, those with the highest counts. A user may
/// have thousands of subordinate UIDs.
pub(super) const MOST_USERS: usize = 200;

/// Returns the limits of the reader, what is used of them, and how many users
/// are left out.
pub(super) fn families(snapshot: &Snapshot, reader: &Reader) -> (Family, Family, usize) {
    let max_of = |kind: Kind| reader.max_namespaces.get(&kind).copied();
    let mut most: BTreeMap<String, f64> = Kind::ALL
        .iter()
        .filter_map(|kind| Some((format!("max_{kind}_namespaces"), max_of(*kind)? as f64)))
        .collect();
    let mut used: BTreeMap<String, Vec<(Text, u64)>> = BTreeMap::new();
    for limit in limits(snapshot, max_of) {
        let (user, max) = match &limit.limited {
            // Other user namespaces have limits of their own.
            Limited::Namespaces { user_ns, .. } if *user_ns != reader.user_ns => continue,
            Limited::Pids { namespace } if Some(*namespace) != reader.pid_ns => continue,
            Limited::Namespaces {
                kind, uid, user, ..
            } => {
                let uid = || uid.map(|uid| uid.to_string()).unwrap_or_default();
                (user.clone().unwrap_or_else(|| uid().into()), max_of(*kind))
            }
            Limited::Pids { .. } => (Text::default(), reader.pid_max),
            Limited::Levels { .. } => (Text::default(), limit.max),
        };
        if let Some(max) = max {
            most.insert(limit.name(), max as f64);
        }
        used.entry(limit.name())
            .or_default()
            .push((user, limit.count));
    }
    let mut omitted = 0;
    let mut samples = Vec::new();
    for (limit, counts) in used {
        // Two users may have one name.
        let mut users: BTreeMap<Text, u64> = BTreeMap::new();
        for (user, count) in counts {
            let known = users.entry(user).or_default();
            *known = count.max(*known);
        }
        let mut users: Vec<_> = users.into_iter().collect();
        users.sort_by_key(|(_, count)| Reverse(*count));
        omitted += users.len().saturating_sub(MOST_USERS);
        samples.extend(users.into_iter().take(MOST_USERS).map(|(user, count)| {
            let labels = vec![("limit", Text::from(&*limit)), ("user", user)];
            Sample {
                labels,
                value: count as f64,
            }
        }));
    }
    let limit = Family {
        name: "nsls_limit",
        help: "Limits of the kernel on namespaces, levels and PIDs, where nsls runs.",
        samples: most
            .into_iter()
            .map(|(limit, max)| Sample::new([("limit", &*limit)], max))
            .collect(),
    };
    let used = Family {
        name: "nsls_limit_used",
        help: "How much of a limit was found to be used, by user where each has their own.",
        samples,
    };
    (limit, used, omitted)
}
