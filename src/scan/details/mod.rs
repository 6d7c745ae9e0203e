//! What is read of the processes and namespaces that are shown.

pub(crate) mod cgroup_root;
pub(crate) mod host;
pub(crate) mod inside;
pub(crate) mod peers;
pub(crate) mod proc_files;
pub(crate) mod process;
