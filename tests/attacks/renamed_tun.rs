use super::run;
use crate::common::{Outcome, skip};

/// Opens each file in a net namespace of its own, goes back, and waits for the
/// end of its standard input.
const HOLD: &str = r#"
import ctypes, os, sys

NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
own = os.open("/proc/self/ns/net", os.O_RDONLY)
for path in sys.argv[1:]:
    assert libc.unshare(NEWNET) == 0
    os.open(path, os.O_RDWR)
    assert libc.setns(own, NEWNET) == 0
os.write(1, b"%d\n" % os.getpid())
os.read(0, 1)
"#;

#[test]
fn a_tun_file_is_found_under_any_name() {
    let script = format!(
        r#"
        mount -t tmpfs tmpfs . && cd "$PWD" && mkdir net && touch bound gone net/tun
        mknod made c 10 200
        for file in bound gone; do mount --bind /dev/net/tun $file; done
        exec 8> >(exec python3 -c '{HOLD}' made bound gone net/tun > pid); sleep 0.1
        until [ -s pid ]; do sleep 0.02; done
        umount -l gone
        for fd in 4 5 6 7; do basename "$(readlink /proc/$(cat pid)/fd/$fd)"; done
        "$NSLS" -t net -P -r -n -o NPROCS,HOLDERS 2> /dev/null | sed "s/$(cat pid)/PID/" | sort
        "#
    );
    let tools = ["python3", "mknod"];
    if !std::path::Path::new("/dev/net/tun").exists() {
        return skip("there is no tun device");
    }
    let Some(run) = run(&tools, &script) else {
        return;
    };
    let expected = r"made
bound
/
tun
0 tun\x204\x20of\x20PID\x20(python3)
0 tun\x205\x20of\x20PID\x20(python3)
0 tun\x206\x20of\x20PID\x20(python3)
";
    assert_eq!(run, Outcome::success(expected));
}
