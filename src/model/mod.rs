//! What is known about namespaces, as plain data.
//!
//! Nothing here opens a file or asks the kernel: the types say what a scan
//! found ([`Snapshot`], [`Namespace`], [`Process`]) and what it could not find
//! ([`Gap`]), and everything that shows something reads only these.

mod gap;
mod kind;
mod link;
mod namespace;
mod process;
mod set;
mod snapshot;

pub use gap::{Cause, Gap, Source, summary};
pub use kind::{Kind, UnknownKind};
pub use link::Link;
pub use namespace::{Namespace, NsId, Via};
pub use process::{Details, Links, Pid, Process};
pub use set::{Member, Set};
pub use snapshot::Snapshot;

/// A set of namespace types.
pub type KindSet = Set<Kind>;

/// A set of the links below `/proc/PID/ns`.
pub type LinkSet = Set<Link>;
