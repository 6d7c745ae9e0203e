//! How a scan goes.
//!
//! Two phases. First the links of every process, which is cheap, uniform and
//! done on several threads; they are grouped by namespace in a hash map, so
//! that the cost grows in a straight line. Then details, only of what will be
//! shown: the representative of each namespace, or the members of the one that
//! was asked for. [`Need`]s say what to collect; nobody pays for the rest.
//!
//! Between them come what else leads to a namespace (open files, sockets, bind
//! mounts) and what only the kernel knows (owners and parents, whole chains).
//!
//! The system changes meanwhile. A process that ends between the phases is
//! taken out of its namespaces, and they are grouped again, so that every row
//! names a process that was there when its details were read.

mod answers;
pub(crate) mod details;
mod find;
mod findings;
mod goal;
mod group;
mod inference;
mod need;
mod parallel;
mod pass;
mod plan;
mod questions;
mod scanner;
mod settings;
mod sources;
mod tally;
mod target;

pub use need::{Need, Needs};
pub use scanner::Scanner;
pub(crate) use tally::cause_of;
pub use target::{NsRef, Target};
