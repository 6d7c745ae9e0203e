//! Mounts that cover others, and file servers that do not answer.

use crate::common::{Outcome, live};

fn run(script: &str) -> Option<Outcome> {
    (live::can_unshare() && live::has(&["python3", "timeout"])).then(|| live::run(script))
}

/// Defines `mounted` to mount a namespace on a file, and `list` to list
/// namespaces without processes, sorted by type and within a time limit.
const MOUNTED: &str = r#"
    mount --make-rprivate /
    mounted() { touch "$2"; unshare --$1="$2" true; }
    list() { timeout 20 "$NSLS" -P -n -r -o TYPE,NSFS,PATH "$@" > list 2> messages; echo $?
        sed "s|$PWD|DIR|g" list | LC_ALL=C sort; cat messages; }
"#;

#[test]
fn a_mount_that_covers_a_namespace_is_not_mistaken_for_it() {
    let script = format!(
        r#"{MOUNTED}
        mounted uts fifo-over; mounted ipc file-over
        mkfifo fifo; echo text > file
        mount --bind fifo fifo-over; mount --bind file file-over
        list -t uts,ipc
        # They are still mounted, and visible again.
        umount fifo-over; umount file-over
        list -t uts,ipc
        "#
    );
    let Some(run) = run(&script) else { return };
    let expected = "0\n\
        ipc DIR/file-over \n\
        uts DIR/fifo-over \n\
        nsls: parent or owner of 2 namespaces could not be read (another mount covers it)\n\
        0\n\
        ipc DIR/file-over DIR/file-over\n\
        uts DIR/fifo-over DIR/fifo-over\n";
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn what_is_mounted_above_a_namespace_covers_it_and_is_no_file_server() {
    let script = format!(
        r#"{MOUNTED}
        mkdir -p a/b c/d e/f g/h
        mounted uts a/b/ns; mounted ipc c/d/ns; mounted net e/f/ns; mounted cgroup g/h/ns
        # With the name, which leads elsewhere; and without, as the kernel may know.
        mkdir -p other/b; touch other/b/ns; mount --bind other a
        mount -t proc proc c
        mount -t tmpfs tmpfs e
        mount --bind /usr g; stat g/h 2> /dev/null
        list -t uts,ipc,net,cgroup
        umount a; umount c; umount e; umount g
        list -t uts,ipc,net,cgroup
        "#
    );
    let Some(run) = run(&script) else { return };
    let expected = "0\n\
        cgroup DIR/g/h/ns \n\
        ipc DIR/c/d/ns \n\
        net DIR/e/f/ns \n\
        uts DIR/a/b/ns \n\
        nsls: parent or owner of 4 namespaces could not be read (another mount covers it)\n\
        0\n\
        cgroup DIR/g/h/ns DIR/g/h/ns\n\
        ipc DIR/c/d/ns DIR/c/d/ns\n\
        net DIR/e/f/ns DIR/e/f/ns\n\
        uts DIR/a/b/ns DIR/a/b/ns\n";
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn two_namespaces_on_one_path_are_not_confused() {
    let script = format!(
        r#"{MOUNTED}
        mounted uts both; mounted net other
        ls -i both other > numbers
        mount --bind other both; umount other
        list -t uts,net
        ino=$("$NSLS" -P -t net -n -r -o NS 2> /dev/null)
        [ "$(stat -c %i both)" = "$ino" ] && echo "the upper one is the net namespace"
        "#
    );
    let Some(run) = run(&script) else { return };
    let expected = "0\n\
        net DIR/both DIR/both\n\
        uts DIR/both \n\
        nsls: parent or owner of 1 namespace could not be read (another mount covers it)\n\
        the upper one is the net namespace\n";
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn a_mount_point_may_have_any_name() {
    let script = format!(
        r#"{MOUNTED}
        mounted uts $'a b\tc\\d\ne - nsfs f'
        list -t uts
        timeout 20 "$NSLS" $'a b\tc\\d\ne - nsfs f'
        "#
    );
    let Some(run) = run(&script) else { return };
    let name = r"DIR/a\x20b\x09c\x5cd\x0ae\x20-\x20nsfs\x20f";
    let expected = format!("0\nuts {name} {name}\n  PID  PPID USER COMMAND\n");
    assert_eq!(run, Outcome::success(expected));
}

/// Mounts a FUSE file system with an open file, and another directly on the
/// mount point of a namespace, then stops answering. The protocol is in
/// linux/fuse.h.
const FUSE: &str = r#"
import ctypes, os, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def mount(place, mode):
    dev = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={dev},rootmode={mode:o},user_id=0,group_id=0,allow_other".encode()
    if libc.mount(b"silent", place.encode(), b"fuse", 0, options):
        sys.exit(os.strerror(ctypes.get_errno()))
    return dev
def attr(ino, mode):
    return struct.pack("<QQQQQQIIIIIIIIII", ino, 0, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 512, 0)
def serve(dev):
    while True:
        request = os.read(dev, 1 << 17)
        length, opcode, unique, node = struct.unpack_from("<IIQQ", request)
        error, body = 0, b""
        if opcode == 26:  # INIT
            body = struct.pack("<IIIIHHIIHH", 7, 31, 0, 0, 1, 1, 4096, 1, 0, 0) + bytes(28)
        elif opcode == 1:  # LOOKUP
            body = struct.pack("<QQQQII", 2, 0, 0, 0, 0, 0) + attr(2, 0o100644)
        elif opcode == 3:  # GETATTR
            body = struct.pack("<QII", 0, 0, 0) + attr(node, 0o40755 if node == 1 else 0o100644)
        elif opcode == 14:  # OPEN
            body = struct.pack("<QII", 1, 0, 0)
        elif opcode == 2:  # FORGET
            continue
        else:
            error = -38
        os.write(dev, struct.pack("<IiQ", 16 + len(body), error, unique) + body)
        if opcode == 14:
            return
# The server is a separate process, because a process that ends with the file
# open waits for the server to answer or to end.
ready, go = os.pipe()
if os.fork() == 0:
    dev = mount(sys.argv[1], 0o40755)
    os.write(go, b"x")
    serve(dev)
    # This one is never served.
    mount(sys.argv[2], 0o100644)
    print("silent", flush=True)
    time.sleep(1000)
os.read(ready, 1)
held = os.open(sys.argv[1] + "/file", os.O_RDONLY)
time.sleep(1000)
"#;

#[test]
fn an_unresponsive_file_server_does_not_block() {
    let script = format!(
        r#"{MOUNTED}
        [ -c /dev/fuse ] || {{ echo "no /dev/fuse"; exit; }}
        cat > fuse.py <<'END'
{FUSE}
END
        mounted uts covered; mounted ipc open
        mkdir silent
        python3 fuse.py "$PWD/silent" "$PWD/covered" > started &
        until [ -s started ]; do kill -0 $! || exit; sleep 0.02; done
        list -t uts,ipc
        timeout 20 "$NSLS" --output-all > all 2> messages; echo $?
        timeout 20 "$NSLS" --json > all 2> messages; echo $?
        timeout 20 "$NSLS" -p $! > all 2> messages; echo $?
        "#
    );
    let Some(run) = run(&script) else { return };
    if run.stdout == "no /dev/fuse\n" {
        return crate::common::skip("there is no /dev/fuse");
    }
    let expected = "0\n\
        ipc DIR/open DIR/open\n\
        uts DIR/covered \n\
        nsls: parent or owner of 1 namespace could not be read (another mount covers it)\n\
        0\n0\n0\n";
    assert_eq!(run, Outcome::success(expected));
}
