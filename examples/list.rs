//! Lists all namespaces of the running system with the command of their first
//! process.

use std::error::Error;
use std::io::{Write, stderr, stdout};

use nsls::{Need, Scanner, Sysroot};

fn main() -> Result<(), Box<dyn Error>> {
    let snapshot = Scanner::new(Sysroot::live()).needs(Need::Command).scan()?;
    let mut out = stdout().lock();
    for namespace in &snapshot.namespaces {
        write!(out, "{} {} processes", namespace.id, namespace.nprocs)?;
        let process = snapshot.representative(namespace);
        if let Some(command) = process.and_then(|process| process.command()) {
            write!(out, ", {command}")?;
        }
        writeln!(out)?;
    }
    if !snapshot.is_complete() {
        writeln!(stderr(), "some namespaces may be missing")?;
    }
    Ok(())
}
