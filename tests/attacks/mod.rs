//! Attacks by a process on the reader, who is root. Each test makes the attack
//! and shows beside it that it would have worked.

mod chrooted;
mod fuse;
mod newcomers;
mod renamed_tun;

use crate::common::{Outcome, live};

/// Runs a script in a pid and mount namespace of its own, where everything it
/// needs is there.
fn run(tools: &[&str], script: &str) -> Option<Outcome> {
    if !live::can_unshare() || !live::has(tools) {
        return None;
    }
    let run = live::run(script);
    let stderr = run.stderr.replace(live::INSIDE, "");
    Some(Outcome { stderr, ..run })
}
