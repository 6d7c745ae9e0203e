//! Trees and lists of the running system, compared with lsns where lsns is
//! right.

use crate::common::{Outcome, live};

/// Runs a script, or returns `None` if its requirements are missing. Removes
/// the message about the pid namespace of the script.
fn run(script: &str) -> Option<Outcome> {
    if !live::can_unshare() || !live::has(&["lsns", "python3"]) {
        return None;
    }
    let run = live::run(&format!("{HELPERS}{script}"));
    let stderr = run.stderr.replace(live::INSIDE, "");
    Some(Outcome { stderr, ..run })
}

/// `settle COUNT` waits until COUNT processes sleep; `ino PID TYPE` prints the
/// number of a namespace.
const HELPERS: &str = r#"
    export LC_ALL=C.UTF-8
    settle() { until [ "$(pgrep -c '^sleep$')" = "$1" ]; do sleep 0.02; done; }
    ino() { local link=$(readlink /proc/$1/ns/$2); echo "${link//[!0-9]/}"; }
"#;

/// Removes the numbers, which vary, from the lines of a tree.
fn shape(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let digits = |letter: char| letter.is_ascii_digit();
        let (drawing, rest) = line.split_at(line.find(digits).unwrap_or(0));
        if drawing.contains(char::is_alphabetic) {
            return format!("{line}\n");
        }
        format!(
            "{drawing}{}\n",
            rest.trim_start_matches(digits).trim_start()
        )
    });
    lines.collect()
}

#[test]
fn user_namespaces_nest_through_one_without_processes() {
    let Some(run) = run(r#"
        unshare -Ur unshare -Ur sleep 1000 & settle 1
        unshare -Un sleep 1001 & settle 2
        "$NSLS" -T -n -t user,net -o NS,TYPE,NPROCS,COMMAND -Q 'TYPE == "user" or PID > 1'
    "#) else {
        return;
    };
    let shape = Outcome::success(shape(&run.stdout));
    let nested = "├─user 0\n│ └─user 1 sleep 1000\n";
    let owning = "├─user 1 sleep 1001\n│ └─net  1 sleep 1001\n";
    let last = |text: &str| text.replacen('├', "└", 1).replace('│', " ");
    // Either of the two may have the lower number.
    let either = [
        format!("{nested}{}", last(owning)),
        format!("{owning}{}", last(nested)),
    ];
    let (root, below) = shape.stdout.split_once('\n').unwrap();
    assert!(root.starts_with("user 2 bash "), "{root}");
    assert!(either.contains(&below.to_owned()), "{below}");
}

#[test]
fn trees_have_the_same_shape_as_in_lsns() {
    let forms = [
        "-T -o NS,TYPE,NPROCS,USER,COMMAND",
        "-T -o NS,NSFS,TYPE",
        "-T -W -o NS,NSFS,TYPE",
        "-Tparent -t user -t pid -o NS,TYPE,NPROCS,USER,COMMAND",
        "-Tparent -t user -o NS,NSFS,TYPE",
    ];
    let script = r#"
        unshare -Ur unshare -Ur sleep 1000 & unshare -Un sleep 1001 &
        unshare -pf unshare -pf sleep 1002 & unshare -i sleep 1003 & settle 4
        user=/proc/$(pgrep -f '^sleep 1001')/ns/user
        touch one two; mount --bind $user one; mount --bind $user two
        "#;
    for form in forms {
        for locale in ["C", "C.UTF-8"] {
            let both =
                format!("{script} export LC_ALL={locale}; lsns {form}; echo ==; \"$NSLS\" {form}");
            let Some(run) = run(&both) else { return };
            assert_eq!((run.status, &*run.stderr), (0, ""), "{form}");
            let (lsns, nsls) = run.stdout.split_once("==\n").unwrap();
            assert_eq!(
                live::edges(nsls),
                live::edges(lsns),
                "{form}\n{}",
                run.stdout
            );
            assert!(live::edges(nsls).len() > 4, "{}", run.stdout);
            assert_eq!(nsls.is_ascii(), locale == "C", "{}", run.stdout);
        }
    }
}

#[test]
fn pid_namespaces_nest_below_their_parents_and_other_types_do_not() {
    let Some(run) = run(r#"
        unshare -pf unshare -pf sleep 1000 & unshare -u sleep 1001 & settle 2
        "$NSLS" -Tparent -n -t pid -o NS,TYPE,NPROCS,COMMAND | tail -n +2
        "$NSLS" -Tparent -n -t uts -o NS,TYPE,COMMAND -Q 'PID > 1'
    "#) else {
        return;
    };
    let shape = Outcome {
        stdout: shape(&run.stdout),
        ..run
    };
    assert_eq!(
        shape,
        Outcome::success("└─pid 1 unshare -pf sleep 1000\n  └─pid 1 sleep 1000\nuts sleep 1001\n")
    );
}

#[test]
fn a_selection_is_drawn_with_its_ancestors_except_in_raw_output() {
    let Some(run) = run(r#"
        unshare -Ur unshare -Ur unshare -n sleep 1000 & settle 1
        pid=$!; net=$(ino $pid net)
        "$NSLS" -T -t net -n -o NS,TYPE,NPROCS -Q "NS == $net"
        "$NSLS" -T -p $pid -t net -n -o NS,TYPE,NPROCS
        "$NSLS" -T -p $pid -t net -n -o TYPE,NPROCS
        "$NSLS" -T -p $pid -t net -n -o TYPE,NS | tr -d 0-9
        for form in "-r -T" "-r -l"; do
            "$NSLS" $form -t net -n -o TYPE,NPROCS -Q "NS == $net"
        done
        "$NSLS" -J -T -t net -o type,nprocs -Q "NS == $net" > tree
        "$NSLS" -J -t net -o type,nprocs -Q "NS == $net" > list
        diff -I '"time":' tree list && echo same
    "#) else {
        return;
    };
    let drawn = "user 2\n└─user 0\n  └─user 1\n    └─net  1\n";
    let first = "user      2\n└─user    0\n  └─user  1\n    └─net 1\n";
    let second = "user \nuser └─\nuser   └─\nnet      └─\n";
    let expected = format!("{drawn}{drawn}{first}{second}net 1\nnet 1\nsame\n");
    let shape = Outcome {
        stdout: shape(&run.stdout),
        ..run
    };
    assert_eq!(shape, Outcome::success(expected));
}

#[test]
fn namespaces_without_processes_are_found_whatever_holds_them() {
    let Some(run) = run(r#"
        touch net; unshare --net=net true
        unshare -u sleep 1000 & settle 1
        exec 8< /proc/$!/ns/uts; kill $!; wait $! 2> /dev/null; settle 0
        unshare -Ur unshare -Ur sleep 1001 & settle 1
        python3 -c 'import ctypes, time; ctypes.CDLL(None).unshare(0x80); time.sleep(1000)' &
        until [ "$(ino $! time)" != "$(ino $! time_for_children)" ]; do sleep 0.02; done
        "$NSLS" -P -r -n -o TYPE,NPROCS,NSFS | sed "s|$PWD|DIR|" | sort
        "$NSLS" -P -t net -n -o TYPE,NPROCS,USER,NSFS | sed "s|$PWD|DIR|"
        "$NSLS" -P -T -t user -n -o NS,NPROCS | tr -d 0-9 | sed 's/ *$//'
        "$NSLS" -P -t ipc -n; echo $?
    "#) else {
        return;
    };
    assert_eq!(
        run,
        Outcome::success("net 0 DIR/net\ntime 0 \nuser 0 \nuts 0 \nnet 0 root DIR/net\n\n└─\n0\n")
    );
}

#[test]
fn a_namespace_hangs_below_an_ancestor_that_is_not_its_parent() {
    // The processes are bash, unshare (in bash's namespaces) and sleep. unshare
    // has no row.
    let Some(run) = run(r#"
        unshare -pf sh -c 'unshare -u sleep 1000; true' & settle 1
        "$NSLS" --tree=process -n -t uts -o COMMAND | sed 's/bash .*/bash/'
    "#) else {
        return;
    };
    assert_eq!(run, Outcome::success("bash\n└─sleep 1000\n"));
}

#[test]
fn the_processes_of_a_namespace_are_drawn_like_lsns() {
    let Some(run) = run(r#"
        sh -c 'sleep 1000 & sh -c "sleep 1001; true"; true' & unshare -u sleep 1002 & settle 3
        for LC_ALL in C C.UTF-8; do
            for form in "" -l -Towner; do
                lsns -n $form $(ino 1 ipc) -o COMMAND,PID,PPID > lsns
                "$NSLS" -n $form $(ino 1 ipc) -o COMMAND,PID,PPID > nsls
                # Lines about the tools themselves differ, and so do widths.
                grep -v lsns lsns | tr -s ' ' > lsns.others
                grep -v nsls nsls | tr -s ' ' > nsls.others
                diff lsns.others nsls.others && echo same
            done
        done
    "#) else {
        return;
    };
    assert_eq!(run, Outcome::success("same\n".repeat(6)));
}

#[test]
fn context_rows_are_in_parentheses_on_a_terminal_and_faint_if_it_supports_styles() {
    if !live::has(&["script"]) {
        return;
    }
    let Some(run) = run(r#"
        unshare -Un sleep 1000 & settle 1
        echo "stty cols 80; $NSLS -T -t net -p $! -n -o NS,TYPE" > command
        for styles in TERM=xterm TERM=dumb "TERM=xterm NO_COLOR=1" A=b; do
            env -u TERM $styles script -qec 'sh command' /dev/null < /dev/null |
                tr -d '\r' | sed 's/[0-9]\{10\}//; s/\x1b/ESC/g'
        done
    "#) else {
        return;
    };
    let plain = "()   user
└─() user
  └─ net
";
    let styled = "ESC[2m()   ESC[0mESC[95;38;5;169muserESC[0m
ESC[2m└─() ESC[0mESC[95;38;5;169muserESC[0m
ESC[2m  └─ESC[0m ESC[94;38;5;32mnetESC[0m
";
    assert_eq!(run.stdout, format!("{styled}{plain}{plain}{plain}"));
}
