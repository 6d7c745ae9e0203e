//! Compares nsls with lsns on random systems.

use crate::common::{Outcome, live};

/// Creates a random tree of processes in namespaces from the seed in `$1`,
/// mounts some of the namespaces, and lists the tree with both tools. The rows
/// of namespaces with processes must be the same, in any order.
const RANDOM: &str = r#"
    RANDOM=$SEED
    mount --make-rprivate /
    mkdir -p mounts && mount -t tmpfs tmpfs mounts
    settle() { until [ "$(pgrep -c '^sleep$')" -ge $1 ]; do sleep 0.02; done; }
    flags() {
        local kinds=(--uts --ipc --net --cgroup --mount '--time --fork' '--pid --fork --mount-proc'
            '--user --map-root-user') some= i
        for ((i = 0; i < 1 + RANDOM % 3; i++)); do some+=" ${kinds[RANDOM % 8]}"; done
        echo $some
    }
    count=$((4 + RANDOM % 8))
    for ((n = 1; n <= count; n++)); do
        # The same option twice is refused.
        words=$(flags | sed 's/ --/\n--/g' | sort -u | tr '\n' ' ')
        inner=
        ((RANDOM % 3)) || inner="unshare $(flags | sed 's/ --/\n--/g' | sort -u | tr '\n' ' ')"
        unshare $words $inner sleep $((1000 + n)) 2> /dev/null &
        if ((RANDOM % 4 == 0)); then
            sleep 0.1; touch mounts/$n
            mount --bind /proc/$!/ns/uts mounts/$n 2> /dev/null || true
        fi
    done
    # Some combinations are refused by the kernel: wait until nothing changes.
    before=; until [ "$before" = "$(ls /proc/*/ns/* 2> /dev/null | wc -l) $(readlink /proc/[0-9]*/ns/* 2> /dev/null | sort -u | wc -l)" ]; do
        before="$(ls /proc/*/ns/* 2> /dev/null | wc -l) $(readlink /proc/[0-9]*/ns/* 2> /dev/null | sort -u | wc -l)"; sleep 0.3
    done
    columns=NS,TYPE,NPROCS,PID,PPID,UID,USER,PNS,ONS,NSFS,PATH,COMMAND
    "$NSLS" -r -n -o $columns -Q 'NPROCS > 0' > nsls 2> /dev/null
    lsns -l -r -n -o $columns > lsns
    sort nsls > nsls.sorted; sort lsns > lsns.sorted
    diff lsns.sorted nsls.sorted || exit 1
    [ $(wc -l < nsls) -gt 9 ] || echo "nothing was made"
"#;

#[test]
fn random_systems_are_listed_like_lsns() {
    if !live::can_unshare() || !live::has(&["lsns", "pgrep"]) {
        return;
    }
    // The seeds are arbitrary.
    for seed in 1..=12 {
        let run = live::run(&format!("SEED={seed}\n{RANDOM}"));
        assert_eq!(run, Outcome::success(""), "seed {seed}");
    }
}
