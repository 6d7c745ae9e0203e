//! Processes in a chroot, which show only the mounts below their own root.

use crate::attacks::run;
use crate::common::Outcome;

#[test]
fn a_process_in_a_chroot_does_not_hide_mounts() {
    let script = r#"
        mount --make-rprivate /
        mkdir jail; mkfifo ready
        cat > jail.py <<- 'END'
			import ctypes, os, signal, sys
			root = os.open(sys.argv[1], os.O_PATH)
			if sys.argv[2] == "detached":
			    ctypes.CDLL(None).umount2(sys.argv[1].encode(), 2)
			os.fchdir(root)
			os.chroot(".")
			print(flush=True)
			signal.pause()
		END
        jail() {
            unshare -m bash -c 'mount -t tmpfs jail jail; touch hidden
                unshare --uts=hidden true; exec python3 jail.py "$@"' jail "$@" > ready &
            read -r _ < ready
        }
        look() {
            grep -c hidden "/proc/$!/mountinfo"
            "$NSLS" -P -n -r -t uts -o TYPE,HOLDERS | sed "s|$PWD|DIR|; s|mnt:[^/]*|MNT|"
            [[ $("$NSLS" -n -r -t mnt -Q "PID == $!" -o NMOUNTS) == \
                $(nsenter --mount="/proc/$!/ns/mnt" cat /proc/self/mountinfo | wc -l) ]] && echo counted
            kill $!; wait $! 2> /dev/null || true
        }
        jail . attached; look
        jail /usr attached; look
        jail jail attached; look
        jail jail detached; look
    "#;
    let Some(run) = run(&["python3", "nsenter"], script) else {
        return;
    };
    let seen = "uts mount\\x20DIR/hidden\\x20in\\x20MNT\ncounted\n";
    let expected = format!("1\n{seen}0\n{seen}0\n{seen}0\n{seen}");
    assert_eq!(run, Outcome::success(&expected));
}
