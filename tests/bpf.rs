//! `--bpf`: every value is that of `/proc`, and what stands in the way is said.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use nsls::{Cause, Holder, Need, NsId, Pid, Scanner, Snapshot, Source, Sysroot};

use crate::common::{Nsls, Outcome, live, skip};
use crate::{churn, holders};

/// Returns whether this machine has BPF iterators; if not, reports a skipped
/// test.
pub fn is_possible() -> bool {
    let snapshot = scan(true);
    match snapshot.gaps.iter().find(|gap| gap.source == Source::Bpf) {
        Some(gap) => {
            skip(&format!(
                "there are no BPF iterators ({})",
                gap.cause.name()
            ));
            false
        }
        None => snapshot.sources.contains(Source::Bpf),
    }
}

fn scan(bpf: bool) -> Snapshot {
    let scanner = Scanner::new(Sysroot::live()).needs(Need::Holders);
    scanner.bpf(bpf).scan().unwrap()
}

/// Returns what processes, threads and their open files lead to, as far as
/// `/proc` shows it.
fn facts(snapshot: &Snapshot) -> BTreeSet<(NsId, Holder)> {
    // Before Linux 6.9 nobody may examine the sockets of threads.
    let is_old = live::linux() < (6, 9);
    let is_shown = |holder: &&Holder| match holder {
        Holder::Socket(file) | Holder::Tun(file) => file.tid.is_none() || !is_old,
        holder => holder.pid().is_some(),
    };
    let mut facts = BTreeSet::new();
    for namespace in &snapshot.namespaces {
        let of_processes = namespace.holders.iter().filter(is_shown);
        facts.extend(of_processes.map(|holder| (namespace.id, holder.clone())));
    }
    facts
}

/// Processes that stop being there with this.
struct Running {
    child: Child,
    others: Vec<Pid>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in &self.others {
            let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

fn start(command: &mut Command) -> Running {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Running {
        child: child.unwrap(),
        others: Vec::new(),
    }
}

/// Keeps namespaces alive in every way, in a process each.
fn start_ways(dir: &std::path::Path) -> Running {
    std::fs::write(dir.join("ways.py"), holders::WAYS).unwrap();
    let script = r#"
        mount --make-rprivate /
        mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns
        mkdir -p tmp && mount -t tmpfs tmpfs tmp && cd tmp
        exec python3 -u ../ways.py > ../ways
        "#;
    let mut running = start(&mut live::script_in_mounts(script, dir));
    let mut ways = String::new();
    for _ in 0..200 {
        ways = std::fs::read_to_string(dir.join("ways")).unwrap_or_default();
        if ways.ends_with("all\n") {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    let pids = ways.lines().filter_map(|line| line.split(' ').nth(3));
    running.others = pids.map(|pid| pid.parse().unwrap()).collect();
    assert!(running.others.len() > 20, "{ways}");
    running
}

/// Returns when each process started, so that one is not taken for another.
fn starts() -> BTreeMap<Pid, String> {
    let start = |entry: std::io::Result<std::fs::DirEntry>| {
        let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields = stat.rsplit(')').next()?;
        Some((pid, fields.split_whitespace().nth(19)?.to_owned()))
    };
    let entries = std::fs::read_dir("/proc").unwrap();
    entries.filter_map(start).collect()
}

/// Compares everything that the iterators tell with `/proc`.
fn compare(pids: &[Pid]) {
    let started = starts();
    let before = scan(false);
    let told = scan(true);
    let after = scan(false);
    let started_after = starts();
    assert!(told.sources.contains(Source::Bpf));
    let of_pids = |snapshot: &Snapshot| -> Vec<_> {
        let facts = facts(snapshot).into_iter();
        let mut facts = facts.filter(|(_, holder)| pids.contains(&holder.pid().unwrap()));
        facts.by_ref().collect()
    };
    // These processes do nothing.
    let known = of_pids(&before);
    assert_eq!(of_pids(&after), known);
    assert_eq!(of_pids(&told), known);
    assert!(known.len() > 10 * pids.len());
    // Others may do anything, but what was there all the time is told.
    let own = std::process::id();
    let is_steady = |pid: Pid| {
        pid != own && started.contains_key(&pid) && started.get(&pid) == started_after.get(&pid)
    };
    let (before, after, told_facts) = (facts(&before), facts(&after), facts(&told));
    let missing: Vec<_> = before
        .intersection(&after)
        .filter(|(_, holder)| holder.pid().is_some_and(is_steady))
        .filter(|fact| !told_facts.contains(*fact))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    // And every link is as it reads.
    let mut equal = 0;
    for process in &told.processes {
        for (link, id) in process.links.iter() {
            let task = process
                .thread
                .map_or_else(String::new, |tid| format!("task/{tid}/"));
            let path = format!("/proc/{}/{task}ns/{link}", process.pid);
            let Ok(text) = std::fs::read_link(path) else {
                continue;
            };
            let holder = process.holder(link);
            let is_same = before.contains(&(id, holder.clone())) && after.contains(&(id, holder));
            if is_same && is_steady(process.pid) {
                assert_eq!(text.to_str().unwrap(), id.to_string(), "{}", process.pid);
                equal += 1;
            }
        }
    }
    assert!(equal > 10 * pids.len());
}

#[test]
fn every_link_thread_and_open_file_is_that_of_proc() {
    if !is_possible() || !live::can_unshare() || !live::has(&["python3", "ip"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    compare(&start_ways(dir.path()).others);
}

#[test]
fn every_value_is_that_of_proc_while_processes_come_and_go() {
    if !live::has_time()
        || !is_possible()
        || !live::can_unshare()
        || !live::has(&["python3", "ip", "perl"])
    {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let ways = start_ways(dir.path());
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("storm"), churn::STORM).unwrap();
    let _storm = start(&mut live::script("exec perl storm", other.path()));
    sleep(Duration::from_millis(300));
    for _ in 0..5 {
        compare(&ways.others);
    }
}

#[test]
fn the_numbers_of_processes_are_those_of_the_pid_namespace_of_the_reader() {
    if !is_possible() || !live::can_unshare() || !live::has(&["perl"]) {
        return;
    }
    let run = live::run(
        r#"
        perl -e 'use Socket; socket my $s, AF_INET, SOCK_DGRAM, 0; sleep 1000' &
        unshare -pf --kill-child sleep 1000 &
        sleep 0.3
        for bpf in 0 1; do
            export NSLS_BPF=$bpf
            "$NSLS" -r -o NS,TYPE,NPROCS,PID,COMMAND,NHOLDERS 2> err > $bpf
            # This nsls and what started it are others each time.
            "$NSLS" holders -r -n $(readlink /proc/self/ns/net) 2>> err | grep -v nsls > holders-$bpf
        done
        diff 0 1 && diff holders-0 holders-1 && grep -c . holders-1
        "#,
    );
    assert_eq!((run.status, run.stdout.as_str()), (0, "5\n"), "{run}");
}

#[test]
fn a_pid_namespace_without_processes_is_known_before_its_first() {
    if !is_possible() || !live::can_unshare() {
        return;
    }
    let mut command = Command::new("unshare");
    let sleeper = start(command.args(["--pid", "sleep", "1000"]));
    let pid = sleeper.child.id();
    while std::fs::read(format!("/proc/{pid}/comm")).unwrap() != b"sleep\n" {
        sleep(Duration::from_millis(5));
    }
    let held = |snapshot: &Snapshot| {
        let mut namespaces = snapshot.namespaces.iter();
        let link = nsls::Link::PidForChildren;
        let holder = Holder::ForChildren { pid, link };
        let found = namespaces.find(|namespace| namespace.holders.contains(&holder));
        found.map(|namespace| (namespace.nprocs, namespace.holders.len()))
    };
    assert_eq!(held(&scan(true)), Some((0, 1)));
    assert_eq!(held(&scan(false)), None);
    let unborn = |snapshot: &Snapshot| {
        let mut gaps = snapshot.gaps.iter();
        gaps.any(|gap| gap.source == Source::Processes && gap.cause == Cause::Unborn)
    };
    assert!(!unborn(&scan(true)) && unborn(&scan(false)));
}

/// Makes an ipc namespace that only an attached segment keeps, and prints it.
const ATTACH: &str = r#"
import ctypes, os, time
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
home = os.open("/proc/self/ns/ipc", os.O_RDONLY)
libc.unshare(0x8000000)
libc.shmat(libc.shmget(0, 4096, 0o1600), None, 0)
said = os.readlink("/proc/self/ns/ipc")
libc.setns(home, 0)
os.close(home)
open("said", "w").write(said + "\n")
time.sleep(1000)
"#;

#[test]
fn a_namespace_that_only_the_kernel_keeps_is_found_until_it_ends() {
    if !is_possible() || !live::can_unshare() || !live::has(&["python3"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut python = Command::new("python3");
    let running = start(python.args(["-c", ATTACH]).current_dir(dir.path()));
    let said = dir.path().join("said");
    while !std::fs::read(&said).unwrap_or_default().ends_with(b"\n") {
        sleep(Duration::from_millis(5));
    }
    let name = std::fs::read_to_string(said).unwrap().trim().to_owned();
    let found = || {
        let snapshot = scan(true);
        let mut namespaces = snapshot.namespaces.into_iter();
        namespaces.find(|namespace| namespace.id.to_string() == name)
    };
    if live::linux() < (6, 18) {
        skip("older kernels have no such lists");
        return;
    }
    let namespace = found().unwrap();
    assert_eq!(namespace.nprocs, 0);
    let kinds: Vec<_> = namespace.holders.iter().map(Holder::kind).collect();
    assert_eq!(kinds, ["kernel"]);
    let id = namespace.id;
    drop(running);
    // The kernel takes its time to remove it.
    let is_gone = (0..100).any(|_| {
        sleep(Duration::from_millis(20));
        found().is_none_or(|namespace| namespace.id != id)
    });
    assert!(is_gone);
}

/// Makes net namespaces that only a file in flight, or in an io_uring, keeps, and
/// prints the name of each with the file descriptor that carries it.
const CARRY: &str = r#"
import ctypes, os, socket, time
libc = ctypes.CDLL(None, use_errno=True)
said = open("saying", "w")

def namespace(act, *arguments):
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    libc.unshare(0x40000000)
    fd = os.open("/proc/self/ns/net", os.O_RDONLY)
    name = os.readlink("/proc/self/ns/net")
    libc.setns(home, 0)
    os.close(home)
    carrier = act(fd, *arguments)
    os.close(fd)
    said.write(f"{name} {carrier}\n")

def send(fd, sender, carrier, before=0):
    for _ in range(before):
        sender.send(b"-")
    socket.send_fds(sender, [b"x"], [said.fileno(), fd, fd])
    return carrier

# In flight, behind other messages of one socket.
one, other = socket.socketpair(type=socket.SOCK_DGRAM)
namespace(send, one, other.fileno(), 5)
# In flight through a socket that is in flight, too, and has itself in it.
inner = socket.socketpair()
namespace(send, inner[0], other.fileno())
socket.send_fds(inner[0], [b"x"], [inner[1].fileno()])
socket.send_fds(one, [b"x"], [inner[1].fileno()])
inner[1].close()
# Sent through a connection that nobody has accepted, by a client that has gone.
server = socket.socket(socket.AF_UNIX)
server.bind("\0nsls-" + str(os.getpid()))
server.listen()
client = socket.socket(socket.AF_UNIX)
client.connect(server.getsockname())
namespace(send, client, server.fileno())
client.close()
# A socket of another net namespace that is in flight.
def send_socket(fd, sender, carrier):
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    libc.setns(fd, 0)
    sent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    libc.setns(home, 0)
    os.close(home)
    socket.send_fds(sender, [b"x"], [sent.fileno()])
    return carrier
namespace(send_socket, one, other.fileno())
# io_uring_setup(2), io_uring_register(2) with IORING_REGISTER_FILES.
ring = libc.syscall(425, 4, ctypes.create_string_buffer(120))
def register(fd):
    slots = (ctypes.c_int * 4)(-1, -1, fd, -1)
    assert libc.syscall(427, ring, 2, slots, 4) == 0
    return ring
if ring >= 0:
    namespace(register)
said.close()
os.rename("saying", "said")
time.sleep(1000)
"#;

/// Starts this script, and returns the lines that it says with its PID.
fn start_carrying(dir: &std::path::Path, script: &str) -> (Running, Vec<(String, String)>) {
    std::fs::write(dir.join("carry.py"), script).unwrap();
    let mut python = Command::new("python3");
    let running = start(python.arg("carry.py").current_dir(dir));
    let said = dir.join("said");
    while !said.exists() {
        sleep(Duration::from_millis(5));
    }
    let said = std::fs::read_to_string(said).unwrap();
    let lines = said.lines().map(|line| line.split_once(' ').unwrap());
    let lines = lines.map(|(name, carrier)| (name.to_owned(), carrier.to_owned()));
    (running, lines.collect())
}

#[test]
fn files_in_flight_and_in_rings_are_holders() {
    if !live::has_time() {
        return;
    }
    if !is_possible() || !live::can_unshare() || !live::has(&["python3"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (running, said) = start_carrying(dir.path(), CARRY);
    let pid = running.child.id();
    if said.len() < 5 {
        skip("there is no io_uring");
    }
    let kinds = [
        "in-flight",
        "in-flight",
        "in-flight",
        "in-flight",
        "io_uring",
    ];
    // The interpreter may be one that another program started.
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let command = String::from_utf8(command).unwrap().replace('\0', " ");
    let command = command.trim_end();
    for ((name, fd), kind) in said.iter().zip(kinds) {
        let run = Nsls::words(&format!("holders --bpf -n {name}")).run();
        let expected = format!("{kind} {pid:>5} root {command} fd {fd}\n");
        assert_eq!((run.status, &run.stdout), (0, &expected), "{run}");
        let json = Nsls::words(&format!("holders --bpf --json {name}")).run();
        let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        let holders = json["holders"].as_array().unwrap();
        assert_eq!(holders.len(), 1, "{holders:?}");
        let holder = &holders[0];
        assert_eq!(holder["kind"], *kind);
        assert_eq!((&holder["pid"], &holder["tid"]), (&pid.into(), &().into()));
        assert_eq!(holder["fd"].to_string(), *fd);
    }
    // They are gone with what carries them.
    drop(running);
    let names: Vec<_> = said.iter().map(|(name, _)| name.as_str()).collect();
    let is_gone = (0..100).any(|_| {
        sleep(Duration::from_millis(20));
        let snapshot = scan(true);
        let mut namespaces = snapshot.namespaces.iter();
        namespaces.all(|namespace| !names.contains(&&*namespace.id.to_string()))
    });
    assert!(is_gone);
}

/// Sends more than is followed: sockets in sockets, and many files.
const CARRY_MORE: &str = r#"
import ctypes, os, socket, time
keep = []
inner = None
for _ in range(5):
    pair = socket.socketpair()
    fd = os.open("/proc/self/ns/net", os.O_RDONLY)
    socket.send_fds(pair[0], [b"x"], [fd] + ([inner.fileno()] if inner else []))
    if inner:
        inner.close()
    os.close(fd)
    keep.append(pair[0])
    inner = pair[1]
os.rename(os.path.realpath("empty"), "said")
time.sleep(1000)
"#;

#[test]
fn what_lies_too_deep_is_counted() {
    if !is_possible() || !live::can_unshare() || !live::has(&["python3"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let many = r#"
import os, socket, time
one, other = socket.socketpair(type=socket.SOCK_DGRAM)
fd = os.open("/proc/self/ns/net", os.O_RDONLY)
for _ in range(3):
    socket.send_fds(one, [b"x"], [fd] * 200)
os.rename("empty", "said")
time.sleep(1000)
"#;
    for script in [CARRY_MORE, many] {
        std::fs::write(dir.path().join("empty"), "").unwrap();
        let _ = std::fs::remove_file(dir.path().join("said"));
        let (running, _) = start_carrying(dir.path(), script);
        let snapshot = scan(true);
        let counts = |snapshot: &Snapshot| {
            let gaps = snapshot.gaps.iter();
            let gaps =
                gaps.filter(|gap| (gap.source, gap.cause) == (Source::Fds, Cause::Truncated));
            gaps.map(|gap| gap.count).collect::<Vec<_>>()
        };
        assert_eq!(counts(&snapshot), [Some(1)], "{script}");
        drop(running);
        assert_eq!(counts(&scan(true)), [], "{script}");
    }
}

#[test]
fn processes_that_hidepid_hides_are_listed() {
    if !is_possible() || !live::can_unshare() || !live::has(&["setpriv"]) {
        return;
    }
    let run = live::run(
        r#"
        chmod 755 . && cp "$NSLS" nsls
        unshare -n sleep 1000 &
        while [ "$(cat /proc/$!/comm)" != sleep ]; do sleep 0.05; done
        ns=$(readlink /proc/$!/ns/net)
        mount -t proc -o hidepid=2 proc /proc
        list() {
            setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=+bpf,+perfmon \
                --ambient-caps=+bpf,+perfmon ./nsls "$@"
        }
        list -t net --raw -n -o NS 2> err | grep -cF "$(tr -cd 0-9 <<< "$ns")"
        grep -c "other users' processes are hidden" err
        list --bpf "$ns" --raw -n -o PID,PPID,UID,USER,COMMAND > out 2> err
        echo $?
        sed "s/^$! $$ /PID PPID /" out
        list holders --bpf "$ns" --raw -n 2>> err | sed "s/ $! / PID /"
        list --bpf -t net --raw -n -o NS,NPROCS,PID 2>> err | grep -c " 1 $!\$"
        grep "other users\|ended during" err
        "#,
    );
    let lines: Vec<_> = run.stdout.lines().collect();
    let expected = [
        "0",
        "1",
        "0",
        "PID PPID 0 root sleep",
        "process PID root sleep net",
        "1",
    ];
    assert_eq!(lines, expected, "{run}");
}

#[test]
fn what_stands_in_the_way_is_said_and_proc_is_read() {
    if !is_possible() || !live::can_unshare() {
        return;
    }
    let run = |before: &str| {
        let dir = tempfile::tempdir().unwrap();
        let script = format!(
            r#"
            {before} "$NSLS" --strict --bpf -n -r -t uts -o NS,PID 2> err > out
            echo $?
            # Whatever else this machine hides comes after it.
            sed 's/read, .*/read/' err
            grep -c . out > /dev/null && "$NSLS" --bpf --json | grep -c '^ *"bpf",$'
            "#
        );
        Outcome::of(&mut live::script(&script, dir.path())).stdout
    };
    let said = |why: &str| format!("3\nnsls: BPF iterators {why}, so /proc was read\n");
    assert_eq!(
        run("mount -t tmpfs tmpfs /sys/kernel/btf;"),
        said("did not run (the kernel has no BTF)") + "0\n"
    );
    assert_eq!(
        run("mount -t tmpfs tmpfs /sys/kernel/security;
             echo none integrity [confidentiality] > /sys/kernel/security/lockdown;"),
        said("did not run (the kernel is locked down)") + "0\n"
    );
    assert_eq!(
        run("unshare -U"),
        said("did not run (permission denied)") + "1\n"
    );
    assert_eq!(
        run("unshare -pf"),
        said("did not run (/proc belongs to another pid namespace)") + "1\n"
    );
}

#[test]
fn iterators_and_a_captured_tree_exclude_each_other() {
    let run = Nsls::words("--bpf --sysroot /x").run();
    let message = "--bpf cannot be used with --sysroot: choose one";
    assert_eq!(run, Outcome::failure(2, message));
    // The environment gives way.
    let tree = crate::common::Tree::new().process(7, "sleep\0");
    let list = Nsls::words("-n -r -t uts -o PID").sysroot(tree.path());
    let run = Outcome::of(list.command().env("NSLS_BPF", "1"));
    assert_eq!(run, Outcome::success("7\n"));
}
