//! One file a source of namespaces, named as in `--sources`.

pub(crate) mod fds;
pub(crate) mod listns;
pub(crate) mod mounts;
pub(crate) mod processes;
pub(crate) mod relations;
pub(crate) mod threads;
