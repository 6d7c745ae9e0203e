//! What is known about namespaces, as plain data.
//!
//! Nothing here opens a file or asks the kernel. The types describe what a scan
//! found ([`Snapshot`], [`Namespace`], [`Process`]) and what it could not see
//! ([`Gap`]); everything that shows something reads only these.

mod affiliation;
mod facts;
mod gap;
mod holder;
mod inference;
mod kind;
mod link;
mod mounted;
mod named;
mod namespace;
mod network;
mod process;
mod set;
mod snapshot;
mod source;

pub(crate) use affiliation::is_long_id;
pub use affiliation::{Affiliation, Container, Engine};
pub use facts::{Facts, IdMap, MountRoot, SysvIpc, TimeOffset, TimeOffsets};
pub use gap::{Cause, Gap};
pub use holder::{Fd, Holder, Mount, OpenFile, Tid, Within};
pub use inference::{Fingerprint, Inferred};
pub use kind::Kind;
pub use link::Link;
pub use mounted::{MountQuery, MountedFs};
pub use named::UnknownName;
pub(crate) use named::named;
pub use namespace::{Namespace, NetNsId, NsId, Relations};
pub use network::{Interface, InterfaceAddress, Local, Mac, NetSocket, Protocol, SocketState};
pub(crate) use process::HiddenProcess;
pub use process::{Details, Links, Pid, Process};
pub use set::{Member, Set};
pub use snapshot::Snapshot;
pub use source::Source;

/// A set of namespace types.
pub type KindSet = Set<Kind>;

/// A set of sources.
pub type Sources = Set<Source>;

/// A set of links in `/proc/PID/ns`.
pub type LinkSet = Set<Link>;
