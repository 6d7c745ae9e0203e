//! Which namespaces does this Linux system have, who is in them, and whose are
//! they?
//!
//! A [`Scanner`] walks the processes below a [`Sysroot`] (the running system,
//! or a tree captured from one), reads where the links in `/proc/PID/ns` lead,
//! and groups the processes by namespace. The result is a [`Snapshot`]: plain
//! data that does no I/O of its own.
//!
//! ```
//! # fn main() -> Result<(), nsls::Error> {
//! use nsls::{Kind, Need, Needs, NsId, Scanner, Sysroot};
//!
//! let tree = Sysroot::at("fixtures/ubuntu-20.04");
//! let snapshot = Scanner::new(tree).needs(Needs::of(Need::Command)).scan()?;
//! let udevd = NsId { ino: 4026532206, kind: Kind::Uts };
//! let members: Vec<_> = snapshot.members(udevd).map(|process| process.pid).collect();
//! assert_eq!(members, [206]);
//! # Ok(())
//! # }
//! ```
//!
//! A scan never shows less than the truth without saying so: what could not be
//! read is counted by cause in [`Snapshot::gaps`], and what is not known is
//! `None`. The rest of the crate is the command `nsls`: [`query`] is the table
//! of columns, [`output`] writes them.

mod cli;
mod containers;
mod error;
mod kernel;
pub mod model;
pub mod output;
mod proc;
pub mod query;
mod scan;
mod text;

pub use cli::{Cli, Console, is_utf8_locale, run};
pub use error::Error;
pub use model::{
    Cause, Gap, Holder, Kind, KindSet, Link, LinkSet, Namespace, NsId, Pid, Process, Relations,
    Snapshot, Source, Sources,
};
pub use proc::Sysroot;
pub use scan::{Need, Needs, NsRef, Scanner, Target};
