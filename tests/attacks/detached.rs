use super::run;
use crate::common::Outcome;

#[test]
fn a_file_below_a_detached_tree_is_found() {
    let script = r#"
        for how in "path" "" "path closed" "closed"; do
            attack detached.py $how; read -r ino file <<< "$told"
            look -t net -n -r -o NPROCS,HOLDERS -Q "NS == $ino" 2> err | sed "s/fd.x20$file.x20of.x20[0-9]*/FD/"
            exec 8>&-; rmdir tree
        done
    "#;
    let Some(run) = run(&[], script) else {
        return;
    };
    let expected = "0 FD\\x20(python3)\n".repeat(4);
    assert_eq!(run, Outcome::success(expected));
}
