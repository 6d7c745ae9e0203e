//! Shows what keeps a namespace alive, and what keeps that alive in turn.
//!
//! ```console
//! # cargo run --example holders -- /run/netns/blue
//! ```

use std::error::Error;
use std::io::{Write, stdout};

use nsls::{Need, NsRef, Scanner, Sysroot, Target, analysis};

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args_os().nth(1).ok_or("no namespace given")?;
    let snapshot = Scanner::new(Sysroot::live())
        .target(Target::Namespace(NsRef::from(name)))
        .needs([Need::Holders, Need::Command])
        .scan()?;
    let mut out = stdout().lock();
    for namespace in &snapshot.namespaces {
        writeln!(out, "{} is held by", namespace.id)?;
        for held in analysis::holder_chain(&snapshot, namespace) {
            let indent = "  ".repeat(held.depth + 1);
            write!(out, "{indent}{}", held.holder.kind())?;
            if let Some(id) = held.holder.namespace() {
                write!(out, " {id}")?;
            }
            if let Some(process) = held.holder.pid().and_then(|pid| snapshot.process(pid)) {
                let command = process.command().map(ToString::to_string);
                write!(out, " {} {}", process.pid, command.unwrap_or_default())?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}
