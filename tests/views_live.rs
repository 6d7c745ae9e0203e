//! Trees and lists of the running system, beside lsns where that is right.

use crate::common::{Outcome, live};

/// Runs a script where everything it needs is there. What nsls says about the
/// pid namespace that the script itself is in is left out.
fn run(script: &str) -> Option<Outcome> {
    if !live::can_unshare() || !live::has(&["lsns", "unshare", "nsenter"]) {
        return None;
    }
    let run = live::run(&format!("{HELPERS}{script}"));
    let stderr = run.stderr.replace(live::INSIDE, "");
    Some(Outcome { stderr, ..run })
}

/// `settle COUNT` waits for sleeping processes, and `ino PID TYPE` is a number.
/// `named` puts letters in the place of numbers, in the order of the kernel:
/// nobody knows the numbers beforehand, but the smallest is the oldest here.
const HELPERS: &str = r#"
    export LC_ALL=C.UTF-8
    settle() { until [ "$(pgrep -c '^sleep$')" = "$1" ]; do sleep 0.02; done; }
    ino() { local link=$(readlink /proc/$1/ns/$2); echo "${link//[!0-9]/}"; }
    plain() { sed 's/ *$//'; }
"#;

/// The lines of a tree without the numbers, which nobody knows beforehand.
fn shape(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let digits = |letter: char| letter.is_ascii_digit();
        let (drawing, rest) = line.split_at(line.find(digits).unwrap_or(0));
        format!(
            "{drawing}{}\n",
            rest.trim_start_matches(digits).trim_start()
        )
    });
    lines.collect()
}

#[test]
fn user_namespaces_hang_below_each_other_through_one_without_processes() {
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
    // Which of the two has the lower number is not promised.
    let either = [
        format!("{nested}{}", last(owning)),
        format!("{owning}{}", last(nested)),
    ];
    let (root, below) = shape.stdout.split_once('\n').unwrap();
    assert!(root.starts_with("user 2 bash "), "{root}");
    assert!(either.contains(&below.to_owned()), "{below}");
}

#[test]
fn trees_have_the_shape_that_lsns_gives_them() {
    let Some(run) = run(r#"
        unshare -Ur unshare -Ur sleep 1000 & unshare -Un sleep 1001 &
        unshare -pf unshare -pf sleep 1002 & unshare -i sleep 1003 & settle 4
        touch one two; mount --bind /proc/$(pgrep -f '^sleep 1001')/ns/user one
        mount --bind /proc/$(pgrep -f '^sleep 1001')/ns/user two
        columns=NS,TYPE,NPROCS,USER,NSFS,COMMAND
        for form in "-T -o $columns" "-T -W -o $columns" "--tree=parent -t pid -o $columns" \
            "--tree=parent -t user -o $columns" "-T -t user -o COMMAND,NS,TYPE"; do
            for LC_ALL in C C.UTF-8; do
                lsns $form | grep -v ' lsns ' | plain > lsns
                "$NSLS" $form > nsls
                diff lsns nsls > /dev/null && echo same || diff lsns nsls
            done
        done
    "#) else {
        return;
    };
    assert_eq!(run, Outcome::success("same\n".repeat(10)));
}

#[test]
fn pid_namespaces_hang_below_their_parents_and_other_types_nowhere() {
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
fn a_selection_is_drawn_with_what_is_above_it_and_raw_output_without() {
    let Some(run) = run(r#"
        unshare -Ur unshare -Ur unshare -n sleep 1000 & settle 1
        pid=$!; net=$(ino $pid net); user=$(ino $pid user)
        middle=$("$NSLS" -n -r -o PNS $user 2> /dev/null)
        "$NSLS" -T -t net -n -o NS,TYPE,NPROCS -Q "NS == $net"
        "$NSLS" -T -p $pid -t net -n -o NS,TYPE,NPROCS
        for form in "-r -T" "-r -l"; do
            "$NSLS" $form -t net -n -o TYPE,NPROCS -Q "NS == $net"
        done
        "$NSLS" -J -T -t net -o type,nprocs -Q "NS == $net" > tree
        "$NSLS" -J -t net -o type,nprocs -Q "NS == $net" > list
        diff tree list && echo same
    "#) else {
        return;
    };
    let drawn = "user 2\n└─user 0\n  └─user 1\n    └─net  1\n";
    let expected = format!("{}net 1\nnet 1\nsame\n", drawn.repeat(2));
    let shape = Outcome {
        stdout: shape(&run.stdout).replace("net 1\nnet 1\n", "net 1\nnet 1\n"),
        ..run
    };
    assert_eq!(shape, Outcome::success(expected));
}

#[test]
fn what_has_no_process_is_found_wherever_it_is_held() {
    let Some(run) = run(r#"
        touch net; unshare --net=net true
        exec 9< <(sleep 1000); settle 1
        unshare -u bash -c 'echo $$ > pid; exec sleep 1001' & settle 2
        exec 8< /proc/$!/ns/uts; kill $!; wait $! 2> /dev/null; settle 1
        unshare -T sleep 1002 & settle 2
        unshare -Ur unshare -Ur sleep 1003 & settle 3
        "$NSLS" -P -r -n -o TYPE,NPROCS,NSFS | sed "s|$PWD|DIR|" | sort
        "$NSLS" -P -t net -n -o TYPE,NPROCS,USER,NSFS | sed "s|$PWD|DIR|"
        "$NSLS" -P -T -t user -n -o NS,NPROCS | tr -d 0-9 | plain
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
    // bash, unshare (in bash's namespaces), sleep; bash has a row, unshare none.
    let Some(run) = run(r#"
        unshare -pf sh -c 'unshare -u sleep 1000; true' & settle 1
        "$NSLS" --tree=process -n -t uts -o COMMAND | sed 's/bash .*/bash/'
    "#) else {
        return;
    };
    assert_eq!(run, Outcome::success("bash\n└─sleep 1000\n"));
}

#[test]
fn the_processes_of_a_namespace_are_drawn_as_lsns_draws_them() {
    let Some(run) = run(r#"
        sh -c 'sleep 1000 & sh -c "sleep 1001; true"; true' & unshare -u sleep 1002 & settle 3
        for LC_ALL in C C.UTF-8; do
            for form in "" -l -Towner; do
                # No own line, and so the last branch is another's.
                lsns -n $form $(ino 1 ipc) -o COMMAND,PID,PPID | grep -v ' lsns ' > lsns
                "$NSLS" -n $form $(ino 1 ipc) -o COMMAND,PID,PPID > nsls
                # The lines of the two themselves differ, and so do widths.
                grep -v lsns lsns | tr -s ' ' > lsns.others
                grep -v nsls nsls | tr -s ' ' > nsls.others
                diff lsns.others nsls.others > /dev/null && echo same || diff lsns.others nsls.others
            done
        done
    "#) else {
        return;
    };
    assert_eq!(run, Outcome::success("same\n".repeat(6)));
}
