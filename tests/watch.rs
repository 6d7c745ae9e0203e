//! `nsls watch` on the running system.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::common::{Outcome, live};

/// `watch ARGUMENTS` starts to watch, with the events in `events`; `seen COUNT TEXT`
/// waits until so many lines have the text; `stop` ends the watch, as ctrl-C would.
const HELPERS: &str = r#"
    watch() {
        : > events
        "$NSLS" watch --json=lines "$@" > events 2> why & watcher=$!
        seen 1 watching
    }
    seen() {
        for _ in {1..1200}; do
            [ "$(grep -c -- "$2" events)" -lt "$1" ] || return 0
            sleep 0.05
        done
        echo "no $1 of $2"; cat events why
    }
    # In the background of a script SIGINT is ignored.
    stop() { kill -TERM "$watcher"; wait "$watcher"; echo "$?"; }
    ino() { stat -L -c %i "$1"; }
    settle() { until [ "$(pgrep -c '^sleep$')" = "$1" ]; do sleep 0.02; done; }
"#;

/// What a script printed, the events that were watched, and what the watch said
/// beside.
struct Watched {
    run: Outcome,
    events: Vec<Value>,
    stderr: String,
}

impl Watched {
    /// Returns the events of a namespace.
    fn of(&self, kind: &str, ns: u64) -> Vec<&Value> {
        let is_it = |event: &&Value| event["type"] == kind && event["ns"] == ns;
        self.events.iter().filter(is_it).collect()
    }
}

fn names(events: &[&Value]) -> Vec<String> {
    let name = |event: &&Value| event["event"].as_str().unwrap().to_owned();
    events.iter().map(name).collect()
}

/// Does the same without what a zombie or a grace period may cause, and without the
/// birth of the first process of a pid namespace, which may be told apart.
fn ends(events: &[&Value]) -> Vec<String> {
    let mut names = names(events);
    names.retain(|name| name != "emptied" && name != "entered");
    names
}

/// Runs a script, or returns `None` if its requirements are missing. Every line of
/// `events` must match the schema.
fn watched(tools: &[&str], script: &str) -> Option<Watched> {
    if !live::can_unshare() || !live::has(tools) {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let script = format!("{HELPERS}{script}");
    let run = Outcome::of(&mut live::script(&script, dir.path()));
    let read = |name| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let events = read("events");
    let events = events
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let events: Vec<Value> = events.collect();
    validate(&events);
    Some(Watched {
        run,
        events,
        stderr: read("why"),
    })
}

fn validate(events: &[Value]) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/nsls.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for event in events {
        if let Err(error) = validator.validate(event) {
            panic!("{event}: {error}");
        }
    }
}

#[test]
fn a_named_network_appears_is_left_entered_and_ends() {
    let Some(watched) = watched(
        &["ip", "nsenter"],
        r#"
        mount -t tmpfs tmpfs /run
        watch -t net
        ip netns add blue; blue=$(ino /run/netns/blue)
        seen 1 "emptied.*$blue"
        nsenter --net=/run/netns/blue sleep 0.2
        seen 2 "emptied.*$blue"
        ip netns del blue; seen 1 "ended.*$blue"
        stop; echo "$blue"
        umount -l /run
        "#,
    ) else {
        return;
    };
    let printed: Vec<_> = watched.run.stdout.lines().collect();
    let [status, blue] = printed[..] else {
        panic!("{}", watched.run);
    };
    let events = watched.of("net", blue.parse().unwrap());
    assert_eq!(
        (status, names(&events)),
        (
            "0",
            ["appeared", "emptied", "entered", "emptied", "ended"]
                .map(str::to_owned)
                .into()
        )
    );
    // The first may be told before it was read.
    let ids: BTreeSet<_> = events
        .iter()
        .filter_map(|event| event["id"].as_u64())
        .collect();
    assert_eq!(ids.len(), 1, "{events:?}");
    let (added, entered, ended) = (events[0], events[2], events[4]);
    let command = added["command"].as_str().unwrap();
    assert!(["ip", "ip netns add blue"].contains(&command), "{command}");
    assert!(entered["command"].as_str().unwrap().starts_with("nsenter"));
    assert!(ended["lived"].as_f64().unwrap() > 0.2);
    assert!(
        events.iter().all(|event| event["certain"] == true),
        "{events:?}"
    );
    let last = watched.stderr.lines().last().unwrap();
    assert!(last.starts_with("nsls: watched "), "{last}");
}

#[test]
fn namespaces_of_every_type_appear_and_end_with_their_process() {
    let Some(watched) = watched(
        &["unshare"],
        r#"
        watch
        unshare -UCTmnipuf --kill-child sleep 1000 & settle 1
        seen 8 appeared
        pid=$(pgrep '^sleep$')
        for kind in mnt net ipc user pid uts cgroup; do ino "/proc/$pid/ns/$kind"; done
        pkill -KILL '^sleep$'; seen 8 ended
        stop
        "#,
    ) else {
        return;
    };
    let numbers: Result<Vec<u64>, _> = watched.run.stdout.lines().map(str::parse).collect();
    let Ok(numbers) = numbers else {
        panic!("{}", watched.run);
    };
    let kinds = ["mnt", "net", "ipc", "user", "pid", "uts", "cgroup"];
    assert_eq!(numbers.len(), 8, "{}", watched.run);
    for (kind, ns) in kinds.into_iter().zip(numbers) {
        let events = watched.of(kind, ns);
        assert_eq!(ends(&events), ["appeared", "ended"], "{kind}: {events:?}");
    }
    let time = watched
        .events
        .iter()
        .filter(|event| event["type"] == "time");
    let time: Vec<_> = time.collect();
    assert_eq!(ends(&time), ["appeared", "ended"]);
}

#[test]
fn a_user_without_permission_scans_at_intervals_and_is_told_so() {
    let Some(watched) = watched(
        &["setpriv", "unshare"],
        r#"
        nobody() { exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
        cp "$NSLS" nsls; chmod 755 . nsls; : > events
        nobody ./nsls watch --json -t user --interval 100ms > events 2> why & watcher=$!
        seen 1 watching
        (nobody unshare -U sleep 1000) & settle 1
        seen 1 appeared
        pkill '^sleep$'; seen 1 ended
        stop
        (nobody ./nsls watch --until 1ms 2>&1) | head -n 1
        "#,
    ) else {
        return;
    };
    let polls = "nsls: scanning at intervals (perf events need CAP_PERFMON); what comes and \
                 goes in between is not seen";
    assert_eq!(watched.run, Outcome::success(format!("0\n{polls}\n")));
    assert!(!watched.stderr.contains("scanning"), "{}", watched.stderr);
    assert_eq!(watched.events[0]["by"], "scans");
    let events: Vec<_> = watched.events[1..].iter().collect();
    assert_eq!(names(&events), ["appeared", "ended"]);
}

#[test]
fn records_that_are_lost_are_counted_and_a_scan_finds_what_they_were_about() {
    let Some(watched) = watched(
        &["unshare"],
        r#"
        watch -t uts --ring-pages 1
        kill -STOP "$watcher"
        for _ in {1..100}; do /bin/true; done
        unshare -u sleep 1000 & settle 1
        kill -CONT "$watcher"
        uts=$(ino "/proc/$(pgrep '^sleep$')/ns/uts")
        seen 1 lost; seen 1 "appeared.*$uts.*scan"
        stop
        "#,
    ) else {
        return;
    };
    assert_eq!(watched.run, Outcome::success("0\n"));
    let lost = watched.events.iter().find(|event| event["event"] == "lost");
    assert!(lost.unwrap()["count"].as_u64().unwrap() > 100);
}

#[test]
fn each_of_two_thousand_namespaces_a_second_is_told_of_or_counted_as_lost() {
    let Some(watched) = watched(
        &["perl"],
        r#"
        watch -t uts
        # unshare(CLONE_NEWUTS), and who is where then. Numbers are used again at once.
        perl -e '
            use Time::HiRes qw(time usleep);
            for (my ($made, $began) = (0, time); $made < 3000;) {
                while ($made < (time - $began) * 2000) {
                    syscall(272, 0x04000000) == 0 or die $!;
                    readlink("/proc/self/ns/uts") =~ /(\d+)/ and print "$1\n";
                    $made++;
                }
                usleep(500);
            }'
        sleep 1; stop
        "#,
    ) else {
        return;
    };
    let mut made: Vec<u64> = Vec::new();
    for line in watched.run.stdout.lines() {
        made.extend(line.parse::<u64>());
    }
    // The last line is the exit code of the watch.
    assert_eq!(made.pop(), Some(0), "{}", watched.run);
    assert!(made.len() >= 3000, "{}", watched.run);
    let count = |name: &str| {
        let events = watched.events.iter();
        let events = events.filter(|event| event["event"] == name);
        events
            .map(|event| event["count"].as_u64().unwrap())
            .sum::<u64>()
    };
    let (lost, dropped) = (count("lost"), count("dropped"));
    let mut arrivals: Vec<&Value> = watched.events.iter().collect();
    arrivals.retain(|event| event["event"] == "appeared" || event["event"] == "entered");
    arrivals.sort_by_key(|event| event["time"].as_str());
    let wrong = arrivals.iter().find(|event| event["event"] == "entered");
    assert_eq!(wrong, None);
    let told: Vec<u64> = arrivals
        .iter()
        .map(|event| event["ns"].as_u64().unwrap())
        .collect();
    if lost + dropped == 0 {
        assert_eq!(told, made);
    } else {
        assert!(told.len() as u64 + lost + dropped >= made.len() as u64);
    }
}

#[test]
fn a_watch_ends_after_a_count_a_time_or_a_namespace_that_matches() {
    let Some(watched) = watched(
        &["unshare"],
        r#"
        watch --until 2
        unshare -u sleep 1000 & unshare -u sleep 1000 & wait "$watcher"; echo "$?"
        grep -c appeared events
        watch --until 'TYPE == "ipc" and COMMAND =~ "^sleep"'
        unshare -u sleep 1000 & sleep 0.2; unshare -i sleep 1000 & wait "$watcher"; echo "$?"
        tail -n 1 events | grep -c ipc
        watch -t net -Q 'NS == 1' --until 100ms
        unshare -n true; wait "$watcher"; echo "$?"
        grep -vc watching events
        "$NSLS" watch --until 'x y'; echo "$?"
        "$NSLS" watch --interval 0s; echo "$?"
        "#,
    ) else {
        return;
    };
    assert_eq!(watched.run.stdout, "0\n2\n0\n1\n0\n0\n2\n2\n");
    assert_eq!(
        watched.run.stderr.lines().last(),
        Some("nsls: invalid interval '0s': give a number and ms, s, m or h")
    );
}

#[test]
fn a_command_runs_for_each_event_without_a_shell() {
    let Some(watched) = watched(
        &["unshare"],
        r#"
        watch -t uts --until 2 --exec sh -c 'echo "$NSLS_EVENT $NSLS_TYPE $NSLS_NS" >> "$0"' log
        unshare -u sleep 1000 & settle 1; uts=$(ino "/proc/$(pgrep '^sleep$')/ns/uts")
        seen 1 appeared; pkill '^sleep$'; wait "$watcher"; echo "$?"
        sed "s/$uts/N/" log
        watch -t uts --until 1 --exec ./nothing
        unshare -u sleep 1000 & wait "$watcher"; echo "$?"; cat why >&2
        "#,
    ) else {
        return;
    };
    assert_eq!(watched.run.stdout, "0\nappeared uts N\nended uts N\n0\n");
    let complaint = "nsls: cannot run ./nothing: no such file or directory\n";
    assert!(watched.run.stderr.ends_with(complaint), "{}", watched.run);
}

#[test]
fn a_reader_that_has_gone_ends_a_watch() {
    let Some(watched) = watched(
        &["mkfifo"],
        r#"
        mkfifo pipe; touch events
        "$NSLS" watch > pipe 2> why & watcher=$!
        sleep 0.5 < pipe
        wait "$watcher"; echo "$?"
        "#,
    ) else {
        return;
    };
    assert_eq!(watched.run, Outcome::success("0\n"));
}

#[test]
fn a_watch_sees_everything_that_polling_sees() {
    let Some(watched) = watched(
        &["unshare"],
        r#"
        "$NSLS" --json -o TYPE,NS > before 2> /dev/null
        watch
        for round in {1..8}; do
            for kind in -u -i -n -m -C; do unshare $kind sleep 0.$((RANDOM % 4)) & done
            "$NSLS" --json -o TYPE,NS > "poll$round" 2> /dev/null
        done
        sleep 1; stop
        for poll in before poll*; do
            tr -d ' \n' < "$poll" | grep -o '{"type":"[a-z]*","ns":[0-9]*}' | sort -u > "$poll.sorted"
        done
        sort -u poll*.sorted | comm -23 - before.sorted
        "#,
    ) else {
        return;
    };
    let mut polled = watched.run.stdout.lines();
    assert_eq!(polled.next(), Some("0"));
    let polled: Vec<Value> = polled
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(polled.len() > 5, "{}", watched.run);
    for one in polled {
        let (kind, ns) = (one["type"].as_str().unwrap(), one["ns"].as_u64().unwrap());
        let events = watched.of(kind, ns);
        assert!(names(&events).contains(&"appeared".to_owned()), "{one}");
    }
}

#[test]
fn a_container_that_is_not_there_has_no_events() {
    let Some(watched) = watched(
        &["unshare"],
        r#"
        watch --container nobody --until 300ms
        unshare -u sleep 0.1; wait "$watcher"; echo "$?"
        "#,
    ) else {
        return;
    };
    assert_eq!(watched.run, Outcome::success("0\n"));
    assert_eq!(watched.events.len(), 1);
}
