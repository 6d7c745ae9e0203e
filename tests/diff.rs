//! `nsls diff` of saved documents, captures and the running system.

use std::path::Path;

use crate::common::{Nsls, Outcome, live};

fn diff(arguments: &[&str]) -> Outcome {
    Nsls::new([&["diff"], arguments].concat()).run()
}

/// Writes files into a directory and returns their paths.
fn files<const N: usize>(dir: &Path, texts: [&str; N]) -> [String; N] {
    let mut place = 0;
    texts.map(|text| {
        place += 1;
        let path = dir.join(place.to_string());
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    })
}

const BEFORE: &str = r#"{"version":1,"complete":true,"gaps":[],"sources":["processes"],"boot_id":"b","time":1.5,"namespaces":[
    {"ns":1,"type":"net","id":10,"nprocs":1,"pid":7,"user":"ann","command":"sleep\u001b 1","ons":5,"nsfs":[]},
    {"ns":2,"type":"uts","id":11,"nprocs":0,"pid":null,"ons":5,"nsfs":["/run/x"]},
    {"ns":3,"type":"uts","id":12,"nprocs":0,"pid":null,"ons":5,"nsfs":[]}]}"#;

/// Number 2 was reused.
const AFTER: &str = r#"{"ns":1,"type":"net","id":10,"nprocs":2,"pid":7,"user":"ann","command":"sleep\u001b 1","ons":5,"nsfs":["/run/netns/a b"]}
{"ns":2,"type":"uts","id":13,"nprocs":0,"pid":null,"ons":5,"nsfs":["/run/y"]}
{"ns":3,"type":"uts","id":12,"nprocs":0,"pid":null,"ons":5,"nsfs":[]}
{"version":1,"complete":true,"gaps":[],"sources":["processes"],"boot_id":"b","time":2.5}
"#;

#[test]
fn saved_documents_and_lines_are_compared_by_id() {
    let dir = tempfile::tempdir().unwrap();
    let [old, new] = files(dir.path(), [BEFORE, AFTER]);
    let expected = r"DIFF TYPE    NS NPROCS   PID USER WHAT                  COMMAND
~    net      1      2     7 ann  processes 1 -> 2      sleep\x1b 1
                                  +mount /run/netns/a b
-    uts      2      0            /run/x
+    uts      2      0            /run/y
";
    let different = |stdout: &str| Outcome {
        status: 1,
        ..Outcome::success(stdout)
    };
    assert_eq!(diff(&[&old, &new]), different(expected));
    assert_eq!(diff(&["-n", &old, &old]), Outcome::success(""));
    assert_eq!(diff(&["-n", &new, &new]), Outcome::success(""));
    let lines = diff(&["-J=lines", &old, &new]);
    let expected = format!(
        r#"{{"change":"changed","type":"net","ns":1,"id":10,"nprocs":2,"pid":7,"user":"ann","command":"sleep\u001b 1","nsfs":["/run/netns/a b"],"changed":{{"nprocs":{{"new":2,"old":1}},"nsfs":{{"added":["/run/netns/a b"],"removed":[]}}}}}}
{{"change":"removed","type":"uts","ns":2,"id":11,"nprocs":0,"pid":null,"user":null,"command":null,"nsfs":["/run/x"],"changed":{{}}}}
{{"change":"added","type":"uts","ns":2,"id":13,"nprocs":0,"pid":null,"user":null,"command":null,"nsfs":["/run/y"],"changed":{{}}}}
{{"version":1,"complete":true,"gaps":[],"sources":[],"identity":"id","compared":["nprocs","ons","nsfs"],"old":{{"path":"{old}","boot_id":"b","time":1.5,"complete":true,"sources":["processes"]}},"new":{{"path":"{new}","boot_id":"b","time":2.5,"complete":true,"sources":["processes"]}}}}
"#
    );
    assert_eq!(lines, different(&expected));
}

#[test]
fn what_may_not_be_as_it_looks_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let other = BEFORE.replace(r#""b""#, r#""c""#);
    let partial = BEFORE
        .replace(r#""complete":true"#, r#""complete":false"#)
        .replace(r#"["processes"]"#, r#"["processes","fds"]"#)
        .replace(r#""id""#, r#""x""#);
    let [old, other, partial] = files(dir.path(), [BEFORE, &other, &partial]);
    let boots = diff(&["-n", &old, &other]);
    assert_eq!((boots.status, boots.stdout.lines().count()), (1, 6));
    let message = "nsls: OLD and NEW are from different boots, which share no namespace\n";
    assert_eq!(boots.stderr, message);
    let expected = "nsls: compared by number and type where there is neither an ID nor a process on both sides\n\
                    nsls: NEW is incomplete: what looks gone may be there\n\
                    nsls: OLD was made without fds: what looks new may have been there\n";
    let run = diff(&["-n", "--strict", &old, &partial]);
    assert_eq!((run.status, &*run.stderr), (3, expected));
}

#[test]
fn what_cannot_be_compared_is_an_error_of_one_line_and_not_a_difference() {
    let dir = tempfile::tempdir().unwrap();
    let [old, broken, later] = files(
        dir.path(),
        [
            BEFORE,
            "{\"version\":1,",
            "{\"version\":2,\"namespaces\":[]}",
        ],
    );
    let gone = dir.path().join("gone").to_str().unwrap().to_owned();
    let empty = dir.path().join("empty").to_str().unwrap().to_owned();
    std::fs::create_dir_all(&empty).unwrap();
    for (path, why) in [
        (&broken, "it ends too early"),
        (&later, "version 2 of the format, and only 1 is known"),
        (&gone, "no such file or directory"),
        (
            &empty,
            &*format!("cannot read {empty}/proc: no such file or directory"),
        ),
    ] {
        let message = format!("cannot compare {path}: {why}");
        assert_eq!(diff(&[path, &old]), Outcome::failure(2, &message));
        assert_eq!(diff(&[&old, path]), Outcome::failure(2, &message));
    }
}

#[test]
fn a_capture_is_compared_with_another_and_with_its_own_document() {
    let fixture = "fixtures/containers";
    let document = Nsls::words("--json -o +HOLDERS").sysroot(fixture).run();
    let dir = tempfile::tempdir().unwrap();
    let [saved] = files(dir.path(), [&document.stdout]);
    let message = "nsls: compared by number, type and start of the first process, as there are no IDs on both sides\n";
    for (old, new) in [(fixture, fixture), (&saved, fixture), (fixture, &saved)] {
        let run = diff(&["-n", old, new]);
        assert_eq!((run.status, &*run.stdout), (0, ""), "{run}");
        assert!(
            message.ends_with(&run.stderr) || run.stderr.starts_with("nsls: compared by number"),
            "{run}"
        );
    }
}

#[test]
fn what_came_and_went_on_this_system_is_found() {
    if !live::can_unshare() || !live::has(&["ip"]) {
        return;
    }
    let run = live::run(
        r#"
        mount -t tmpfs tmpfs /run
        ip netns add red
        cd /run
        "$NSLS" --json -o +ID,HOLDERS > before.json 2> /dev/null
        "$NSLS" --json=lines -o +ID,HOLDERS > before.lines 2> /dev/null
        ip netns add blue; touch /run/also; mount --bind /run/netns/red /run/also
        for before in before.json before.lines; do
            "$NSLS" diff $before -r -n > out 2> err; echo "exit code $?"
            sed -E 's/[0-9]{10}/N/g' out | grep run; cat err >&2
        done
        ip netns delete blue; umount /run/also
        "$NSLS" diff before.json -r -n 2> err | sed -E 's/[0-9]{10}/N/g' | grep run
        umount -l /run/netns/* /run
        "#,
    );
    let once = "exit code 1\n\
        ~ net N 0  root +mount\\x20/run/also \n\
        + net N 0  root /run/netns/blue \n";
    let lines = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&run.stdout), lines(&once.repeat(2)), "{run}");
}
