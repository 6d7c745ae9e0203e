//! The proc tree: the only place that opens files below it.
//!
//! Everything hangs below a [`Sysroot`], so that a tree captured on another
//! machine, or made by a test, is read by the same code as the live system.
//! procfs opens the processes; links are read one by one through a directory
//! handle, because following them (as procfs itself does) costs twice as much
//! and fails as a whole when one of them is missing.

mod cmdline;
mod hidepid;
mod id_map;
mod lines;
mod link_text;
mod mountinfo;
mod process_dir;
mod read;
mod stat;
mod status;
mod sysroot;
mod timens_offsets;
mod users;

pub(crate) use link_text::parse_id;
pub(crate) use mountinfo::{NamespaceMounts, namespace_mounts};
pub(crate) use process_dir::{
    CommandLine, FdTarget, NsDir, PathHash, ProcFile, ProcessDir, errno_name, recorded_error,
};
pub(crate) use read::{Limit, READ, ReadError, read_whole};
pub(crate) use sysroot::Found;
pub use sysroot::Sysroot;
pub(crate) use users::Users;
