//! Names the containers that are on the network of the host.

use std::error::Error;
use std::io::{Write, stdout};

use nsls::{Kind, Need, Scanner, Sysroot, analysis};

fn main() -> Result<(), Box<dyn Error>> {
    let snapshot = Scanner::new(Sysroot::live())
        .kinds(Kind::Net)
        .needs([Need::Affiliation, Need::Host])
        .scan()?;
    let mut out = stdout().lock();
    for running in analysis::containers(&snapshot) {
        if running.shared.contains(Kind::Net) {
            let pid = running.representative.pid;
            writeln!(out, "{} (PID {pid})", running.container)?;
        } else if running.unknown.contains(Kind::Net) {
            writeln!(out, "{} may be", running.container)?;
        }
    }
    Ok(())
}
