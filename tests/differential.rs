//! Compares nsls with lsns: on random systems, and in what docs/lsns.md says.

mod documented;
mod filters;
mod systems;

use crate::common::{Lsns, Outcome, live};

/// Who looks, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Root,
    /// An ordinary user, among processes of root.
    Nobody,
    /// Root of new namespaces of all types, as in a container.
    Container,
}

impl Place {
    const ALL: [Place; 3] = [Place::Root, Place::Nobody, Place::Container];

    /// Runs a script there, in an empty directory. In it, `as` runs a command as who
    /// looks, `nsls` and `lsns` are the tools, and `$flags` are what unshare(1) needs
    /// there.
    fn run(self, lsns: &Lsns, script: &str) -> Outcome {
        let (who, flags) = match self {
            Place::Nobody => (
                "setpriv --reuid 65534 --regid 65534 --clear-groups",
                "--user --map-root-user",
            ),
            Place::Root | Place::Container => ("", ""),
        };
        let begin = format!(
            r#"
            mount --make-rprivate /
            chmod 755 .; cp "$NSLS" tool; chmod 755 tool; tool=$PWD/tool
            flags='{flags}'
            as() {{ {who} "$@"; }}
            nsls() {{ as "$tool" "$@"; }}
            lsns() {{ as {} "$@"; }}
            "#,
            // A function does not call itself.
            match lsns.path.contains('/') {
                true => lsns.path.clone(),
                false => format!("env {}", lsns.path),
            }
        );
        let script = format!("{begin}\n{script}");
        if self != Place::Container {
            return live::run(&script);
        }
        live::run(&format!(
            "cat > inner <<'END OF INNER'\n{script}\nEND OF INNER\n\
             exec unshare --user --map-root-user --mount --uts --ipc --net --cgroup --time \
             --pid --fork --mount-proc --kill-child bash inner"
        ))
    }
}

/// Returns the tools to compare with; none if that is impossible here.
fn tools(commands: &[&str]) -> Vec<Lsns> {
    let mut needed = vec!["lsns", "setpriv"];
    needed.extend(commands);
    match live::can_unshare() && live::has(&needed) {
        true => Lsns::all(),
        false => Vec::new(),
    }
}

/// Returns the tools that have filters. There may be none: older ones have not.
fn with_filters(commands: &[&str]) -> Vec<Lsns> {
    let mut tools = tools(commands);
    tools.retain(Lsns::has_filter);
    if tools.is_empty() {
        eprintln!("skipped: no lsns with --filter (2.41), see .ci/lsns");
    }
    tools
}
