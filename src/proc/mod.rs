//! The proc tree. No other module opens files below a root.
//!
//! All paths start at a [`Sysroot`], so that the same code reads the live system,
//! a tree captured on another machine, and the tree of a test. Processes are
//! opened by the procfs crate. Links are read one by one through a directory
//! handle: following them, as procfs does, costs twice as much and fails as a
//! whole if one of them is missing.
//!
//! Strangers control what is read: all of a captured tree, and on a live system
//! what processes say of themselves. So links may not leave a tree ([`dir`]), and
//! every read is bounded ([`read`]).

#[cfg(feature = "cli")]
mod capture;
mod cmdline;
mod device;
mod dir;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod hidden;
mod hidepid;
mod id_map;
mod lines;
mod link_text;
mod mount_tree;
mod mountinfo;
mod namespace_at;
mod ns_dir;
mod open_files;
mod paths;
mod proc_file;
mod process_dir;
pub(crate) mod pulse;
mod read;
mod reader;
mod reserved;
mod stat;
mod status;
mod sysroot;
mod timens_offsets;
mod users;

#[cfg(feature = "cli")]
pub(crate) use capture::errno_name;
pub(crate) use cmdline::CommandLine;
pub(crate) use device::{device, look, look_at_open, net_device};
pub(crate) use dir::Dir;
#[cfg(test)]
pub(crate) use dir::changes;
pub(crate) use lines::Lines;
pub(crate) use link_text::parse_id;
pub(crate) use mount_tree::MountTree;
pub(crate) use mountinfo::{
    MountFacts, NamespaceMounts, mount_facts, namespace_mounts, parse_device,
};
pub(crate) use namespace_at::Found;
pub(crate) use ns_dir::NsDir;
pub(crate) use open_files::FdTarget;
#[cfg(feature = "cli")]
pub(crate) use proc_file::ProcFile;
pub(crate) use process_dir::{ProcessDir, Tasks};
pub(crate) use read::{Limit, READ, ReadError, read_whole};
pub use sysroot::Sysroot;
pub(crate) use users::Users;
