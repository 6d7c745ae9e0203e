//! Questions about a snapshot.
//!
//! Each function takes what a scan found and returns plain data. None opens a
//! file or asks the kernel, so the answers are as complete as the
//! [`Snapshot`](crate::Snapshot) is, and each function names the
//! [`Need`](crate::Need)s it relies on.

mod charges;
mod compare;
mod containers;
mod diff;
mod find;
mod holders;
mod known_names;
mod leaks;
mod limits;
mod metrics;
pub mod picture;
mod translate;

pub use charges::{Charge, charged_to, charges};
pub use compare::{Comparison, compare};
pub use containers::{RunningContainer, containers, find_container};
pub use diff::{Change, Difference, Identity, Known, State, diff};
pub use find::{Found, InvalidThing, Match, Role, Thing, find};
#[cfg(feature = "cli")]
pub(crate) use find::{NETNS, PID_MAX};
pub use holders::{ChainedHolder, holder_chain};
pub use leaks::{Leak, leaks, timed};
pub use limits::{Limit, Limited, limits};
pub use metrics::{Family, Reader, Sample, metrics};
pub use translate::{NestedPid, nested_pids, outer_pid, visible_in};
