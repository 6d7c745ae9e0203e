use super::run;
use crate::common::{Outcome, skip};

/// A file server that answers until a file of its is open, and then no more. The
/// file has the name of the tun device. Prints the PID of the process that has
/// it open.
const SERVER: &str = r#"
import ctypes, os, struct, sys, time

libc = ctypes.CDLL(None, use_errno=True)
path = os.path.abspath("net/tun")
device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=100644,user_id=0,group_id=0".encode()
if libc.mount(b"fuse", path.encode(), b"fuse", 0, options):
    sys.exit(os.strerror(ctypes.get_errno()))
holder = os.fork()
if holder == 0:
    os.close(device)
    os.open(path, os.O_RDONLY)
    os.write(1, b"%d\n" % os.getpid())
    time.sleep(60)
    os._exit(0)
INIT, OPEN = 26, 14
while True:
    request = os.read(device, 1 << 20)
    _, opcode, unique = struct.unpack_from("IIQ", request)
    answer = {
        INIT: struct.pack("IIIIHHIIHHI28x", 7, 31, 0, 0, 1, 1, 4096, 1, 1, 0, 0),
        OPEN: struct.pack("QII", 1, 0, 0),
    }.get(opcode)
    errno = 0 if answer else -38
    answer = answer or b""
    os.write(device, struct.pack("IiQ", 16 + len(answer), errno, unique) + answer)
    if opcode == OPEN:
        time.sleep(60)
"#;

#[test]
fn a_hung_file_server_that_poses_as_the_tun_device_is_not_waited_for() {
    let script = format!(
        r#"
        mkdir net; touch net/tun
        exec 9< <(exec python3 -c '{SERVER}'); server=$!
        read -r -t 5 holder <&9
        # Only the end of the server frees those who wait for it.
        (sleep 8; kill -9 $server) > /dev/null 2>&1 &
        readlink /proc/$holder/fd/* | grep -o '/net/tun$'
        timeout 0.5 stat -L /proc/$holder/fd/3 > /dev/null 2>&1; echo "stat $?"
        SECONDS=0
        for arguments in "" "-t net" "--output-all" "--pid $holder"; do
            "$NSLS" $arguments > /dev/null 2>&1; echo "nsls $? $((SECONDS < 6))"
        done
        "#
    );
    if !std::path::Path::new("/dev/fuse").exists() {
        return skip("there is no /dev/fuse");
    }
    let Some(run) = run(&["python3", "timeout"], &script) else {
        return;
    };
    let expected = format!("/net/tun\nstat 124\n{}", "nsls 0 1\n".repeat(4));
    assert_eq!(run, Outcome::success(expected));
}
