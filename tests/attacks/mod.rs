//! Attacks by a process on the reader, who is root. Each test makes the attack
//! and shows beside it that it would have worked.

mod blocked;
mod chrooted;
mod detached;
mod fuse;
mod moving;
mod newcomers;
mod renamed_tun;
mod sizes;
mod traced;
mod trees;

use crate::common::{Outcome, live};

/// Starts each script. `look` runs nsls, and fails if it takes more than ten
/// seconds (124) or 64 MiB (125). `attack` starts a program in this directory,
/// which lasts as long as the script, and waits for the first line it prints,
/// `$told`.
const BEGIN: &str = r#"
    look() { python3 "$ATTACKS/look.py" "$NSLS" "$@"; }
    attack() {
        mkfifo told
        case $1 in
            *.pl) exec 8> >(exec perl "$ATTACKS/$1" "${@:2}" > told) ;;
            *) exec 8> >(exec python3 -B "$ATTACKS/$1" "${@:2}" > told) ;;
        esac
        read -r -t 20 told < told || { echo "no attack"; exit 1; }
        rm told
    }
"#;

/// Runs a script in a pid and mount namespace of its own, where everything it
/// needs is there.
fn run(tools: &[&str], script: &str) -> Option<Outcome> {
    if !live::can_unshare() || !live::has(&["python3"]) || !live::has(tools) {
        return None;
    }
    let programs = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/attacks");
    Some(live::run(&format!("ATTACKS='{programs}'{BEGIN}{script}")))
}
