//! Finds the namespaces of a Linux system, the processes in them, their owners,
//! and what keeps them alive.
//!
//! A [`Scanner`] walks the processes below a [`Sysroot`], which is the running
//! system or a tree captured from one. It reads where the links in
//! `/proc/PID/ns` lead and groups the processes by namespace. The resulting
//! [`Snapshot`] is plain data.
//!
//! ```no_run
//! # fn main() -> Result<(), nsls::Error> {
//! use nsls::{Need, Scanner, Sysroot};
//!
//! let snapshot = Scanner::new(Sysroot::live()).needs(Need::Command).scan()?;
//! for namespace in &snapshot.namespaces {
//!     let first = snapshot.representative(namespace);
//!     if let Some(command) = first.and_then(|process| process.command()) {
//!         println!("{} {command}", namespace.id);
//!     }
//! }
//! if !snapshot.is_complete() {
//!     println!("some namespaces may be missing: {:?}", snapshot.gaps);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A scan never returns less than the truth without saying so: everything it
//! could not see is counted by source and cause in [`Snapshot::gaps`], and
//! whatever is unknown is `None`.
//!
//! [`analysis`] answers questions about a snapshot, such as which containers
//! there are, or what a namespace is held by.
//!
//! # Features
//!
//! `cli`, on by default, builds the command `nsls`. Its modules are public only
//! for the command and its tests, and may change at any time. A program that
//! needs the library alone saves nearly half of the dependencies, 22 crates
//! instead of 40:
//!
//! ```toml
//! nsls = { version = "0.1", default-features = false }
//! ```

pub mod analysis;
#[doc(hidden)]
pub mod bench;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod containers;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod kernel;
mod model;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod output;
mod proc;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod query;
mod scan;
mod text;
#[cfg(feature = "cli")]
mod watch;

pub use error::Error;
pub use model::{
    Affiliation, Cause, Container, Details, Engine, Facts, Fd, Fingerprint, Gap, Holder, IdMap,
    Inferred, Interface, InterfaceAddress, Kind, KindSet, Link, LinkSet, Links, Local, Mac, Member,
    Mount, MountQuery, MountRoot, MountedFs, Namespace, NetNsId, NetSocket, NsId, OpenFile, Pid,
    Process, Protocol, Relations, Set, Snapshot, SocketState, Source, Sources, SysvIpc, Tid,
    TimeOffset, TimeOffsets, UnknownName, Within,
};
pub use proc::Sysroot;
pub use scan::{Need, Needs, NsRef, Progress, Scanner, Step, Target};
pub use text::Text;
