//! The proc tree: the only place that opens files below a root.
//!
//! Everything hangs below a [`Sysroot`], so that a tree captured on another
//! machine, or made by a test, is read by the same code as the live system.
//! procfs opens the processes; links are read one by one through a directory
//! handle, because following them (as procfs itself does) costs twice as much
//! and fails as a whole when one of them is missing.
//!
//! What is read was made by strangers: a captured tree as a whole, and on the
//! live system what processes write about themselves. So no link leads out of
//! a tree ([`dir`]), and every read is bounded ([`read`]).

mod cmdline;
mod dir;
mod fd_target;
mod hidepid;
mod id_map;
mod lines;
mod link_text;
mod mountinfo;
mod namespace_at;
mod ns_dir;
mod paths;
mod proc_file;
mod process_dir;
mod read;
mod reader;
mod stat;
mod status;
mod sysroot;
mod timens_offsets;
mod users;

pub(crate) use cmdline::CommandLine;
#[cfg(test)]
pub(crate) use dir::changes;
pub(crate) use fd_target::{FdTarget, PathHash};
pub(crate) use link_text::parse_id;
pub(crate) use mountinfo::{NamespaceMounts, namespace_mounts};
pub(crate) use namespace_at::Found;
pub(crate) use ns_dir::{NsDir, errno_name};
pub(crate) use proc_file::ProcFile;
pub(crate) use process_dir::ProcessDir;
pub(crate) use read::{Limit, READ, ReadError, read_whole};
pub use sysroot::Sysroot;
pub(crate) use users::Users;
