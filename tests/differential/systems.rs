use super::{Place, tools};
use crate::common::{Outcome, live};

/// Creates a random tree of processes in namespaces from `$SEED`, and mounts some of
/// the namespaces. Some combinations are refused by the kernel; it waits until
/// nothing changes.
pub(super) const SYSTEM: &str = r#"
    RANDOM=$SEED
    # The process with the lowest PID that a user may read, rather than the tool.
    as sleep 1000 &
    mkdir -p mounts && mount -t tmpfs tmpfs mounts
    choose() {
        local kinds=(--uts --ipc --net --cgroup --mount '--time --fork' '--pid --fork --mount-proc'
            '--user --map-root-user') some=$flags i
        for ((i = 0; i < 1 + RANDOM % 3; i++)); do some+=" ${kinds[RANDOM % 8]}"; done
        # The same option twice is refused.
        sed 's/ --/\n--/g' <<< "$some" | sort -u | tr '\n' ' '
    }
    count=$((4 + RANDOM % 8))
    for ((n = 1; n <= count; n++)); do
        words=$(choose)
        inner=
        ((RANDOM % 3)) || inner="unshare $(choose)"
        as unshare $words $inner sleep $((1000 + n)) 2> /dev/null &
        if ((RANDOM % 4 == 0)); then
            sleep 0.1; touch mounts/$n
            mount --bind /proc/$!/ns/uts mounts/$n 2> /dev/null || true
        fi
    done
    links() { echo $(ls /proc/*/ns/* 2> /dev/null | wc -l) $(readlink /proc/[0-9]*/ns/* 2> /dev/null | sort -u | wc -l); }
    before=; until [ "$before" = "$(links)" ]; do before=$(links); sleep 0.3; done
"#;

/// Lists it with both tools. The rows of namespaces with processes must be the same,
/// in any order.
const COMPARE: &str = r#"
    columns=NS,TYPE,NPROCS,PID,PPID,UID,USER,PNS,ONS,NSFS,PATH,COMMAND
    # Without a pipe, as NPROCS counts all that run.
    nsls -r -n -o $columns > all 2> /dev/null; awk '$3 > 0' all | sort > nsls.rows
    lsns -l -r -n -o $columns > all; awk '$3 > 0' all | sort > lsns.rows
    diff lsns.rows nsls.rows || exit 1
    [ $(wc -l < nsls.rows) -gt 7 ] || echo "nothing was made"
"#;

#[test]
fn random_systems_are_listed_like_lsns() {
    if !live::has_time() {
        return;
    }
    for lsns in tools(&["pgrep"]) {
        for place in Place::ALL {
            // The seeds are arbitrary.
            for seed in 1..=6 {
                let run = place.run(&lsns, &format!("SEED={seed}\n{SYSTEM}{COMPARE}"));
                let what = format!("seed {seed}, {place:?}, lsns {}", lsns.version);
                assert_eq!(run, Outcome::success(""), "{what}");
            }
        }
    }
}

/// A zombie, parents above the caller's namespaces, and a process that has ended hide
/// nothing.
#[test]
fn nothing_is_said_on_standard_error_where_lsns_says_nothing() {
    let script = r#"
        perl -e 'fork or exit; sleep 1000' &
        until grep -q '^State:.Z' /proc/[0-9]*/status; do sleep 0.02; done
        sleep 1000 &
        lsns > rows 2> said; lsns -J > rows 2>> said; lsns -p $! > rows 2>> said
        echo "lsns: $(cat said)"
        for arguments in '' -J -r -P '-Tprocess' "-p $!" '-t net -J' '--output-all -J'; do
            nsls $arguments > rows 2>> said
        done
        lsns -o +USER,NSFS,PNS,ONS,NETNSID > rows 2>> said
        nsls -o +USER,NSFS,PNS,ONS,NETNSID > rows 2>> said
        echo "nsls: $(cat said)"
        nsls -v -t user > rows 2> said
        grep -c 'zombie is left' said
    "#;
    for lsns in tools(&["perl"]).into_iter().take(1) {
        for place in [Place::Root, Place::Container] {
            let expected = Outcome::success("lsns: \nnsls: \n1\n");
            assert_eq!(place.run(&lsns, script), expected, "{place:?}");
        }
    }
}
