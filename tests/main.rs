//! Tests of the command as users run it: given arguments, its whole output is
//! compared.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "a test ends where something is not as it must be"
)]

mod common;

mod attacks;
mod bpf;
mod capture;
mod churn;
mod connected;
mod containers;
mod contents_live;
mod diff;
mod differential;
mod docs;
mod engines;
mod exec;
mod explain;
mod filter;
mod find;
mod graph;
mod graph_browser;
mod holders;
mod hostile;
mod infer;
mod json;
mod layout;
mod leaks;
mod live;
mod metrics;
mod monitoring;
mod mounts_live;
mod names;
mod network_live;
mod output;
mod readme;
mod refusals;
mod release;
mod roots;
mod seed;
mod snapshots;
mod terminal;
mod tutorial;
mod usage;
mod views;
mod views_live;
mod watch;
