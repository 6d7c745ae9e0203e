//! What is shipped for monitoring, with the programs that it is for: Prometheus,
//! node_exporter and systemd.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Outcome, binary, live, skip};

fn contrib(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("contrib")
        .join(path)
}

/// Runs a command, and asserts that it succeeds. Returns what it wrote.
fn succeed(command: &mut Command) -> String {
    let run = Outcome::of(command);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    run.stdout + &run.stderr
}

#[test]
fn prometheus_takes_the_metrics_and_an_alert_fires_for_a_leak_until_it_is_gone() {
    if !live::has_time() {
        return;
    }
    let tools = [
        "promtool",
        "prometheus",
        "prometheus-node-exporter",
        "python3",
        "ip",
        "timeout",
    ];
    if !live::can_unshare() || !live::has(&tools) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let script = format!(
        r#"
        mount -t tmpfs none /run
        timeout 100 unshare -n python3 '{}/tests/monitoring/live.py' '{}'
        "#,
        env!("CARGO_MANIFEST_DIR"),
        contrib("").display(),
    );
    let run = Outcome::of(&mut live::script(&script, dir.path()));
    let expected = "scraped by both parsers\n\
                    namespaces and processes are those that nsls lists\n\
                    leaked {'net': 1.0}\n\
                    textfile errors ['0']\n\
                    firing ['net']\n\
                    resolved\n\
                    metrics not stored [] dashboard ok\n";
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn the_alert_rules_are_valid_and_pass_their_tests() {
    if !live::has(&["promtool"]) {
        return;
    }
    let dir = contrib("prometheus");
    let mut check = Command::new("promtool");
    succeed(
        check
            .args(["check", "rules", "nsls.rules.yml"])
            .current_dir(&dir),
    );
    let mut test = Command::new("promtool");
    succeed(
        test.args(["test", "rules", "nsls.test.yml"])
            .current_dir(&dir),
    );
    // Each alert is tested.
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    let tests = read("nsls.test.yml");
    for line in read("nsls.rules.yml").lines() {
        if let Some(alert) = line.trim().strip_prefix("- alert: ") {
            assert!(tests.contains(&format!("alertname: {alert}\n")), "{alert}");
        }
    }
}

const SERVICE: &str = "systemd/nsls-metrics.service";

/// Returns the value of a setting of the service.
fn setting(name: &str) -> String {
    let service = fs::read_to_string(contrib(SERVICE)).unwrap();
    let values = service.lines().filter_map(|line| line.strip_prefix(name));
    let mut values = values.filter_map(|rest| rest.strip_prefix('='));
    values.next().unwrap().to_owned()
}

#[test]
fn systemd_takes_the_service_and_the_timer_and_finds_them_confined() {
    if !live::has(&["systemd-analyze"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let service = dir.path().join("nsls-metrics.service");
    let timer = dir.path().join("nsls-metrics.timer");
    let text = fs::read_to_string(contrib(SERVICE)).unwrap();
    let there = text.replace(
        "ExecStart=nsls ",
        &format!("ExecStart={} ", binary().display()),
    );
    fs::write(&service, there).unwrap();
    fs::copy(contrib("systemd/nsls-metrics.timer"), &timer).unwrap();
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no"]).args([&service, &timer]);
    // It only warns of what it does not know.
    assert_eq!(succeed(&mut verify), "");
    let mut security = Command::new("systemd-analyze");
    security
        .args(["security", "--offline=true", "--no-pager", "--threshold=40"])
        .arg(&service);
    succeed(&mut security);
}

/// Starts what only the capabilities of the service show: open files and sockets
/// of other users, and mounts in a mount namespace without processes.
const SITUATION: &str = r#"
    mount -t tmpfs none /run; mount -t tmpfs none /mnt
    python3 - <<'END' > told &
import ctypes, os, socket, subprocess, time
libc = ctypes.CDLL(None)
def apart(kind, flag, make):
    own = os.open(f"/proc/self/ns/{kind}", os.O_RDONLY)
    assert libc.unshare(flag) == 0
    made = make()
    assert libc.setns(own, flag) == 0
    return made
def mounts():
    subprocess.run("mount --make-rprivate / && mount -t tmpfs none /mnt && touch /mnt/net"
                   " && unshare -n mount -n --bind /proc/self/ns/net /mnt/net", shell=True, check=True)
    return os.open("/proc/self/ns/mnt", os.O_RDONLY)
NEWNS, NEWNET = 0x20000, 0x40000000
held = apart("mnt", NEWNS, mounts)
other = apart("net", NEWNET, socket.socket)
file = apart("net", NEWNET, lambda: os.open("/proc/self/ns/net", os.O_RDONLY))
os.setresuid(1000, 1000, 1000)
print("ready", flush=True)
time.sleep(1000)
END
    # The files of one that did not change its user belong to that.
    setpriv --reuid 1000 --clear-groups sleep 1000 &
    until [ -s told ] && pgrep -u 1000 '^sleep$' > pid; do sleep 0.05; done
"#;

#[test]
fn the_service_has_the_capabilities_and_calls_that_a_complete_scan_needs_and_no_more() {
    let tools = ["setpriv", "strace", "systemd-analyze", "python3", "pgrep"];
    if !live::can_unshare() || !live::has(&tools) {
        return;
    }
    let capabilities = setting("CapabilityBoundingSet").to_lowercase();
    let capabilities = capabilities.replace("cap_", "");
    let denied = setting("SystemCallFilter");
    let denied = denied.strip_prefix('~').unwrap();
    let script = format!(
        r#"{SITUATION}
        look() {{ "$@" "$NSLS" metrics 2>&1 | grep -vE '^nsls_scan_duration|^nsls_newest'; }}
        with() {{ look setpriv --bounding-set "-all$(printf ',+%s' "$@")"; }}
        look env > all
        with {capabilities} > some; diff all some
        # Without any one of them, something is missing.
        for one in {capabilities}; do
            with $(printf '%s\n' {capabilities} | grep -v "^$one\$") > less
            cmp -s all less && echo "not needed: $one"
        done
        grep -E '^nsls_leaked_namespaces.type="net"|^nsls_gaps' all
        strace -f -qq -o trace "$NSLS" metrics > /dev/null 2>&1
        grep -oE '^[0-9]+ +[a-z0-9_]+\(' trace | tr -d '( 0-9' | sort -u > used
        group() {{
            for call; do
                case $call in
                    @*) group $(systemd-analyze syscall-filter $call | grep -E '^    [@a-z]') ;;
                    *) echo $call ;;
                esac
            done
        }}
        group {denied} | tr -d '0-9' | sort -u > denied
        echo "used and denied:" $(comm -12 used denied)
        echo "many: $(($(wc -l < used) > 20)) $(($(wc -l < denied) > 50))"
        grep -oE 'socket\(AF_[A-Z0-9]+' trace | sort -u
        "#
    );
    let run = live::run(&script);
    let expected = "nsls_leaked_namespaces{type=\"net\"} 3\n\
                    nsls_gaps{source=\"relations\",cause=\"outside\"} 1\n\
                    used and denied:\n\
                    many: 1 1\n\
                    socket(AF_UNIX\n";
    assert_eq!(run, Outcome::success(expected));
    let families = setting("RestrictAddressFamilies");
    assert!(
        families.split(' ').any(|one| one == "AF_UNIX"),
        "{families}"
    );
}

/// Boots this machine's systemd in a container, on a copy of its files, with
/// nothing else to start than the service. `look` filters what may differ from a
/// run without its restrictions: the service's own process and namespace.
const BOOT: &str = r#"
    mount -t tmpfs none /run
    mkdir copy; mount -t tmpfs none copy; mkdir copy/root copy/upper copy/work
    mount -t overlay none -o lowerdir=/,upperdir=copy/upper,workdir=copy/work copy/root
    root=$PWD/copy/root
    cp "$NSLS" $root/usr/local/bin/nsls
    cp "$CONTRIB"/systemd/nsls-metrics.* $root/etc/systemd/system/
    cat > $root/etc/systemd/system/probe.service <<'END'
[Unit]
DefaultDependencies=no
Requires=sysinit.target
After=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/bash /probe
StandardOutput=file:/out
StandardError=inherit
END
    printf '[Unit]\nDefaultDependencies=no\nRequires=probe.service\n' \
        > $root/etc/systemd/system/probe.target
    cat > $root/probe <<'END'
file=/var/lib/prometheus/node-exporter/nsls.prom
look() { grep -E '^nsls_(gaps|leaked|limit\{|limit_used.limit="max_net|namespaces.type="(net|uts|ipc|user|pid)")' $1; }
mkdir -p ${file%/*}
ip netns add blue
unshare -n bash -c 'exec 3< /proc/self/ns/net; exec nsenter --net=/proc/1/ns/net sleep 1000' &
until [ "$(< /proc/$!/comm)" = sleep ]; do sleep 0.05; done
systemctl start nsls-metrics.service; echo $?
nsls metrics > /direct 2> /dev/null
stat -c %a%U $file
diff <(look /direct) <(look $file) && echo same
look $file | grep -E '^nsls_(gaps|leaked.*net|namespaces.*net)'
systemctl start nsls-metrics.timer; systemctl is-active nsls-metrics.timer
systemctl poweroff --force --force
END
    timeout -s KILL 60 systemd-nspawn -q --register=no --keep-unit -D $root -M nsls-test \
        --system-call-filter=pidfd_getfd --capability=CAP_NET_ADMIN -b systemd.unit=probe.target \
        systemd.mask=systemd-tmpfiles-setup.service < /dev/null > log 2>&1 || cat log
    cat $root/out
"#;

#[test]
fn the_service_under_systemd_sees_what_a_run_without_its_restrictions_sees() {
    if !live::can_unshare() || !live::has(&["systemd-nspawn", "systemd-analyze", "ip"]) {
        return;
    }
    if !Path::new("/lib/systemd/systemd").exists() {
        return skip("there is no systemd");
    }
    let dir = tempfile::tempdir().unwrap();
    let mut script = live::script(BOOT, dir.path());
    let run = Outcome::of(script.env("CONTRIB", contrib("")));
    let expected = "0\n\
                    644root\n\
                    same\n\
                    nsls_namespaces{type=\"net\",held=\"fd\"} 1\n\
                    nsls_namespaces{type=\"net\",held=\"mount\"} 1\n\
                    nsls_namespaces{type=\"net\",held=\"process\"} 1\n\
                    nsls_leaked_namespaces{type=\"net\"} 1\n\
                    nsls_gaps{source=\"cgroups\",cause=\"outside\"} NaN\n\
                    nsls_gaps{source=\"relations\",cause=\"outside\"} 1\n\
                    active\n\
                    Powering off.\n";
    assert_eq!(run, Outcome::success(expected));
}
