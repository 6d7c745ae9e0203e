use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use crate::bpf;
use crate::common::{Outcome, live};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    version: u32,
    complete: bool,
    gaps: Vec<serde_json::Value>,
    sources: Vec<String>,
    boot_id: Option<String>,
    time: Option<f64>,
    namespaces: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    ns: u64,
    r#type: String,
    nprocs: u64,
    pid: Option<u32>,
    command: Option<String>,
}

/// Keeps two hundred children running, each for up to 20 ms and every third in
/// its own namespace.
pub const STORM: &str = r#"
    my $unshare = `uname -m` =~ /x86_64/ ? 272 : 97;
    my @flags = (0x4000000, 0x40000000, 0x8000000, 0x10000000, 0x20000, 0x2000000);
    my $children = 0;
    while (1) {
        while ($children < 200) {
            my $pid = fork;
            if (!defined $pid) { last }
            if ($pid == 0) {
                srand($$);
                syscall($unshare, $flags[rand @flags]) if rand() < 0.33;
                select undef, undef, undef, rand 0.02;
                exit;
            }
            $children++;
        }
        $children-- if wait > 0;
    }
"#;

#[test]
fn every_run_is_honest_while_processes_come_and_go() {
    every_run_is_honest("0");
}

#[test]
fn every_run_of_bpf_iterators_is_honest_too() {
    if bpf::is_possible() {
        every_run_is_honest("1");
    }
}

/// One storm at a time: two would leave no processor to the runs.
static STORMS: Mutex<()> = Mutex::new(());

/// How often to run under a storm: more often where the machine is for tests.
fn runs() -> u32 {
    match std::env::var_os("NSLS_TEST_LIVE") {
        Some(_) => 40,
        None => 10,
    }
}

/// `bpf` is the value of NSLS_BPF.
///
/// Every run is whole. It may say that some process was never caught, but misses
/// nothing else.
fn every_run_is_honest(bpf: &str) {
    if !live::has_time() {
        return;
    }
    let _alone = STORMS.lock().unwrap_or_else(PoisonError::into_inner);
    let runs = runs();
    if !live::can_unshare() || !live::has(&["perl"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("storm"), STORM).unwrap();
    let script = r#"
        perl storm & perl storm &
        sleep 0.3
        for run in $(seq "$RUNS"); do
            "$NSLS" --json -o ns,type,nprocs,pid,command > "$run.out" 2> "$run.err"
            echo $? > "$run.status"
        done
    "#;
    let status = live::script(script, dir.path())
        .env("NSLS_BPF", bpf)
        .env("RUNS", runs.to_string())
        .status()
        .unwrap();
    assert!(status.success());
    let read = |run: u32, what: &str| {
        fs::read_to_string(dir.path().join(format!("{run}.{what}"))).unwrap()
    };
    let mut storms = 0;
    for run in 1..=runs {
        let message = read(run, "err");
        assert_eq!(read(run, "status"), "0\n", "run {run}: {message}");
        assert_eq!(message, "", "run {run}");
        let listing: Listing = serde_json::from_str(&read(run, "out")).unwrap();
        assert_eq!(listing.version, 1);
        assert!(listing.boot_id.is_some() && listing.time.is_some());
        assert_eq!(listing.sources.contains(&"bpf".to_owned()), bpf == "1");
        assert!(!listing.gaps.is_empty());
        let hiding = listing.gaps.iter().filter(|gap| gap["hides"] == true);
        let causes: Vec<_> = hiding.map(|gap| (&gap["source"], &gap["cause"])).collect();
        assert_eq!(listing.complete, causes.is_empty(), "run {run}: {causes:?}");
        assert!(
            causes.is_empty() || causes == [(&"processes".into(), &"unstable".into())],
            "run {run}: {causes:?}"
        );
        let rows = listing.namespaces;
        assert!(rows.is_sorted_by_key(|row| row.ns), "run {run}");
        for row in &rows {
            let is_empty = row.nprocs == 0;
            assert_eq!(
                row.pid.is_none(),
                is_empty,
                "run {run}: {} {}",
                row.r#type,
                row.ns
            );
            assert_eq!(
                row.command.is_none(),
                is_empty,
                "run {run}: {} {}",
                row.r#type,
                row.ns
            );
        }
        // The pid namespace holds the shell, the storms and their children.
        let in_pid_ns = rows.iter().filter(|row| row.r#type == "pid");
        storms += u32::from(in_pid_ns.map(|row| row.nprocs).max() > Some(50));
    }
    assert!(storms > runs / 2, "there was no storm: {storms}");
}

/// Passes a net namespace on from process to process, each of which lives for
/// five milliseconds.
const BATON: &str = r#"
    use POSIX ();
    my $unshare = `uname -m` =~ /x86_64/ ? 272 : 97;
    syscall($unshare, 0x40000000) == 0 or die "$!";
    $| = 1;
    print +(stat "/proc/self/ns/net")[1], "\n";
    while (1) {
        POSIX::_exit(0) if fork;
        select undef, undef, undef, 0.005;
    }
"#;

#[derive(Debug, Deserialize)]
struct Tally {
    seen: BTreeMap<String, u32>,
    wrong: Vec<String>,
}

/// Takes half an hour; see CONTRIBUTING.md.
#[test]
#[ignore = "takes long"]
fn ten_thousand_runs_are_honest_while_processes_come_and_go() {
    if !live::can_unshare() || !live::has(&["perl", "python3"]) {
        return;
    }
    let runs = std::env::var("NSLS_CHURN_RUNS").ok();
    let runs: u32 = runs.map_or(10_000, |runs| runs.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("storm"), STORM).unwrap();
    fs::write(dir.path().join("baton"), BATON).unwrap();
    let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/churn.py");
    // One namespace is held by a process, one by an open file, one by a mount.
    let script = format!(
        r#"
        ino() {{ stat -L -c %i "$1"; }}
        mkfifo tell; unshare -u sh -c 'echo > tell; exec sleep 1000000' & read -r < tell
        steady=$(ino /proc/$!/ns/uts)
        touch ipc net
        unshare --net=net true; exec 7< net; steady+=" $(ino net)"; umount -l net
        unshare --ipc=ipc true; steady+=" $(ino ipc)"
        perl baton > passed & perl storm & perl storm &
        until [ -s passed ]; do sleep 0.02; done
        # Otherwise the storms, which take all there is, make it take hours.
        nice -n -10 python3 '{driver}' {runs} "$steady" "$(cat passed)"
        "#
    );
    let run = Outcome::of(&mut live::script(&script, dir.path()));
    assert_eq!((run.status, &*run.stderr), (0, ""));
    eprintln!("{}", run.stdout);
    let Tally { seen, wrong } = serde_json::from_str(&run.stdout).unwrap();
    assert!(wrong.is_empty(), "{}\n{seen:?}", wrong.join("\n"));
    let storms = seen["storm"];
    assert!(storms > runs / 2, "there was no storm: {storms}");
}
