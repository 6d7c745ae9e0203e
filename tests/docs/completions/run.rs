//! Runs the completions in their shells.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nsls::query::Column;

use crate::common::skip;

/// Returns what bash offers for the last of these words. A line `compopt …`
/// shows a request to readline.
fn bash(words: &[&str]) -> Option<Vec<String>> {
    let script = r#"
        compopt() { echo "compopt $*"; }
        . "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=63
        _nsls
        ((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let options = ["--norc", "--noprofile", "-uc", script, "bash"];
    let words: Vec<_> = ["nsls"].iter().chain(words).copied().collect();
    shell("bash", &options, &super::bash(), &words)
}

/// Returns what fish offers at the end of this line, with descriptions.
fn fish(line: &str) -> Option<Vec<String>> {
    let script = "source $argv[1]; complete -C $argv[2]";
    shell(
        "fish",
        &["--no-config", "-c", script],
        &super::fish(),
        &[line],
    )
}

/// Returns what fish offers, without descriptions, sorted.
fn fish_words(line: &str) -> Option<Vec<String>> {
    let lines = fish(line)?.into_iter();
    let words = lines.map(|line| line.split('\t').next().unwrap().to_owned());
    let mut words: Vec<_> = words.collect();
    words.sort();
    Some(words)
}

/// Returns what zsh offers at the end of this line, in order: in a
/// comma-separated list, for the last element.
fn zsh(line: &str) -> Option<Vec<String>> {
    let options = ["-f", "-c", include_str!("list.zsh"), "zsh"];
    shell("zsh", &options, &super::zsh(), &[line])
}

/// Runs a shell with a completion file and these arguments, and returns the
/// lines it prints. Returns `None` if the shell is not installed.
fn shell(
    name: &str,
    options: &[&str],
    completion: &str,
    arguments: &[&str],
) -> Option<Vec<String>> {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("_nsls");
    fs::write(&file, completion).unwrap();
    let path = with_printed_names(home.path());
    let mut command = Command::new(name);
    command.args(options).arg(file).args(arguments);
    command
        .stdin(Stdio::null())
        .current_dir(&home)
        .env("PATH", path)
        .env("HOME", home.path());
    let Ok(output) = command.output() else {
        skip(&format!("{name} is not installed"));
        return None;
    };
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
    assert!(output.status.success(), "{name}: {}", output.status);
    assert!(!home.path().join(TRACE).exists(), "{name} ran a name");
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(str::to_owned).collect())
}

/// What a name leaves behind that a shell ran.
const TRACE: &str = "ran";
/// Names that a container or net namespace may have.
const NAMES: [&str; 7] = [
    "web",
    "$(touch ran)",
    "`touch ran`",
    "two words",
    "it's;touch ran",
    "~*?[a]",
    "a:b",
];

/// Installs a `nsls` that prints these names and complains, and returns a PATH on
/// which it comes first.
fn with_printed_names(dir: &Path) -> OsString {
    let names = NAMES.map(|name| format!("{name}\tcontainer\n")).concat();
    fs::write(dir.join("names"), names).unwrap();
    let script = format!(
        "#!/bin/sh\necho complaint >&2\n[ \"$1\" = __complete ] && cat {}\n",
        dir.join("names").display()
    );
    let program = dir.join("nsls");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let before = std::env::var_os("PATH").unwrap_or_default();
    let dirs = [dir.to_owned()]
        .into_iter()
        .chain(std::env::split_paths(&before));
    std::env::join_paths(dirs).unwrap()
}

const KINDS: [&str; 8] = ["mnt", "net", "ipc", "user", "pid", "uts", "cgroup", "time"];

/// Returns the words after a line that requests no blank behind a word.
fn open_list(words: &[&str]) -> Vec<String> {
    let words = words.iter().map(|word| (*word).to_owned());
    ["compopt -o nospace".to_owned()]
        .into_iter()
        .chain(words)
        .collect()
}

#[test]
fn bash_completes_types_in_a_comma_list_without_repetition() {
    let Some(all) = bash(&["-t", ""]) else { return };
    assert_eq!(all, open_list(&KINDS));
    for words in [
        &["--type", "u"][..],
        &["-J", "--type", "=", "u"],
        &["-t", "u"],
    ] {
        assert_eq!(
            bash(words).unwrap(),
            open_list(&["user", "uts"]),
            "{words:?}"
        );
    }
    assert_eq!(
        bash(&["-t", "mnt,uts,u"]).unwrap(),
        open_list(&["mnt,uts,user"])
    );
    // COMP_WORDBREAKS without `=`.
    assert_eq!(
        bash(&["--type=mnt,n"]).unwrap(),
        open_list(&["--type=mnt,net"])
    );
    let rest = bash(&["--type", "="]).unwrap();
    assert_eq!(rest, open_list(&KINDS));
}

#[test]
fn bash_completes_columns_in_any_case_and_after_a_plus() {
    let Some(all) = bash(&["-o", ""]) else { return };
    let names: Vec<_> = Column::ALL.iter().map(|column| column.name).collect();
    assert_eq!(all, open_list(&names));
    assert_eq!(bash(&["-o", "nsf"]).unwrap(), open_list(&["NSFS"]));
    assert_eq!(bash(&["-o", "NS,PP"]).unwrap(), open_list(&["NS,PPID"]));
    assert_eq!(bash(&["-o", "+onS"]).unwrap(), open_list(&["+ONS"]));
    assert_eq!(
        bash(&["-o", "+PATH,uid,Us"]).unwrap(),
        open_list(&["+PATH,UID,USER"])
    );
    assert_eq!(bash(&["--output", "NS,X"]).unwrap(), open_list(&[]));
}

#[test]
fn bash_completes_options_commands_and_paths() {
    let Some(options) = bash(&["--no"]) else {
        return;
    };
    let beginning = |prefix| move |option: &&String| option.starts_with(prefix);
    assert!(options.iter().all(|option| beginning("--no")(&option)));
    assert!(options.iter().any(|option| option == "--noheadings"));
    assert_eq!(bash(&["-n", "--tas"]).unwrap(), ["--task"]);
    assert_eq!(bash(&["cap"]).unwrap(), ["compopt -o default", "capture"]);
    assert_eq!(bash(&["help", "cap"]).unwrap(), ["capture"]);
    assert_eq!(bash(&["--sysroot", "x"]).unwrap(), ["compopt -o dirnames"]);
    assert_eq!(bash(&["-J", "/run/"]).unwrap(), ["compopt -o default"]);
    assert_eq!(bash(&["capture", ""]).unwrap(), ["compopt -o dirnames"]);
    assert_eq!(bash(&["capture", "--js"]).unwrap(), [""; 0]);
    assert_eq!(bash(&["-J", "--", "-"]).unwrap(), ["compopt -o default"]);
    assert_eq!(bash(&["-Q", "N"]).unwrap(), [""; 0]);
}

/// A running process with a given name, killed on drop.
struct Named(Child);

impl Named {
    fn new(name: &str) -> Self {
        let script = r#"printf %s "$1" > /proc/$$/comm; read -r line"#;
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", name]);
        let child = command.stdin(Stdio::piped()).spawn().unwrap();
        let named = Named(child);
        let comm = format!("/proc/{}/comm", named.pid());
        while !fs::read_to_string(&comm).unwrap().starts_with(name) {
            std::thread::yield_now();
        }
        named
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A name that does as much harm as fifteen bytes can.
const HOSTILE: &str = "\u{1b}[31m`id`$(w)\n";
const HARMLESS: &str = "??31m?id???w?";

#[test]
fn bash_completes_processes_and_shows_sanitized_names() {
    let process = Named::new(HOSTILE);
    let pid = process.pid().to_string();
    // A single PID may be inserted into the line, so it comes without its name.
    let Some(of_one) = bash(&["-p", &pid]) else {
        return;
    };
    if of_one.len() == 1 {
        assert_eq!(of_one, [&*pid]);
    }
    let all = bash(&["--pid", "="]).unwrap();
    assert!(all.contains(&format!("{pid} ({HARMLESS})")), "{all:#?}");
    for line in all {
        let digits = line.chars().take_while(char::is_ascii_digit).count();
        // The process may have ended, and then has no name.
        let (pid, name) = line.split_at(digits);
        assert!(!pid.is_empty(), "{line:?}");
        assert!(name.is_empty() || name.starts_with(" ("), "{line:?}");
        assert!(line.chars().all(|c| (' '..='~').contains(&c)), "{line:?}");
    }
    let list = bash(&["capture", "-p", &format!("{pid},")]).unwrap();
    assert_eq!(list[0], "compopt -o nospace");
    assert!(
        list[1..]
            .iter()
            .all(|line| line.starts_with(&format!("{pid},")))
    );
    let again = format!("{pid},{pid} ");
    assert!(
        !list.iter().any(|line| line.starts_with(&again)),
        "{list:#?}"
    );
}

/// Returns the words that bash makes of each of these, run in an empty directory.
fn read_by_bash(words: &[String]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let script = format!("printf '%s\\n' {}", words.join(" "));
    let mut command = Command::new("bash");
    let output = command.args(["-c", &script]).current_dir(&dir).output();
    assert!(!dir.path().join(TRACE).exists(), "bash ran {words:?}");
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_names_and_neither_it_nor_the_line_runs_one() {
    let Some(all) = bash(&["--container", ""]) else {
        return;
    };
    // Bash splits words at a colon.
    assert_eq!(read_by_bash(&all), NAMES[..6]);
    assert_eq!(bash(&["--container", "w"]).unwrap(), ["web"]);
    assert_eq!(bash(&["--container", "=", "w"]).unwrap(), ["web"]);
    assert_eq!(bash(&["--container=w"]).unwrap(), ["--container=web"]);
    assert_eq!(bash(&["explain", "w"]).unwrap(), ["web"]);
    let with_files = ["compopt -o default", "web"];
    assert_eq!(bash(&["holders", "we"]).unwrap(), with_files);
    assert_eq!(
        bash(&["translate", "1", "--from", "we"]).unwrap(),
        with_files
    );
    let compared = bash(&["compare", "1", "we"]).unwrap();
    assert_eq!(compared, ["web"]);
    let tree = ["--sysroot", "x", "--container", "w"];
    assert_eq!(bash(&tree).unwrap(), [""; 0]);
}

#[test]
fn bash_offers_no_namespaces_before_anything_is_typed() {
    let Some(all) = bash(&[""]) else { return };
    assert!(all.contains(&"explain".to_owned()), "{all:?}");
    assert!(
        !all.iter()
            .any(|word| word == "web" || word.starts_with("__")),
        "{all:?}"
    );
    assert_eq!(bash(&["we"]).unwrap(), ["compopt -o default", "web"]);
}

/// Returns the names in the order of fish and zsh in these tests.
fn sorted_names() -> Vec<&'static str> {
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    names
}

#[test]
fn fish_completes_names_and_runs_none() {
    let Some(all) = fish_words("nsls --container ") else {
        return;
    };
    assert_eq!(all, sorted_names());
    assert_eq!(fish("nsls --container we").unwrap(), ["web\tcontainer"]);
    assert_eq!(fish_words("nsls compare 1 we").unwrap(), ["web"]);
    assert_eq!(fish_words("nsls holders we").unwrap(), ["web"]);
    assert_eq!(fish_words("nsls we").unwrap(), ["web"]);
    assert_eq!(fish_words("nsls explain we").unwrap(), ["web"]);
    let tree = fish_words("nsls --sysroot x --container we").unwrap();
    assert_eq!(tree, [""; 0]);
    assert!(!fish_words("nsls ").unwrap().contains(&"web".to_owned()));
}

#[test]
fn zsh_completes_names_and_runs_none() {
    let Some(mut all) = zsh("nsls --container ") else {
        return;
    };
    all.sort();
    assert_eq!(all, sorted_names());
    assert_eq!(zsh("nsls --container we").unwrap(), ["web"]);
    assert_eq!(zsh("nsls compare 1 we").unwrap(), ["web"]);
    assert_eq!(zsh("nsls holders we").unwrap(), ["web"]);
    assert_eq!(zsh("nsls we").unwrap(), ["web"]);
    assert_eq!(zsh("nsls explain we").unwrap(), ["web"]);
    let tree = zsh("nsls --sysroot x --container we").unwrap();
    assert_eq!(tree, [""; 0]);
    assert!(!zsh("nsls ").unwrap().contains(&"web".to_owned()));
}

#[test]
fn fish_completes_types_columns_options_and_commands() {
    let Some(all) = fish_words("nsls -t ") else {
        return;
    };
    let mut kinds = KINDS.to_vec();
    kinds.sort_unstable();
    assert_eq!(all, kinds);
    assert_eq!(fish_words("nsls -t mnt,uts,u").unwrap(), ["mnt,uts,user"]);
    assert_eq!(fish_words("nsls --type=mnt,n").unwrap(), ["--type=mnt,net"]);
    assert_eq!(fish("nsls -o NS,PP").unwrap(), ["NS,PPID\tparent of PID"]);
    assert_eq!(
        fish("nsls -o +on").unwrap()[0],
        "+ONS\tuser namespace that owns the namespace"
    );
    assert_eq!(fish_words("nsls --tas").unwrap(), ["--task"]);
    assert_eq!(fish_words("nsls capt").unwrap(), ["capture"]);
    assert_eq!(fish_words("nsls capture --js").unwrap(), [""; 0]);
    assert_eq!(fish_words("nsls capture --pi").unwrap(), ["--pid"]);
}

#[test]
fn fish_completes_processes_and_shows_sanitized_names() {
    let process = Named::new(HOSTILE);
    let pid = process.pid();
    let Some(all) = fish("nsls -p ") else { return };
    assert!(all.contains(&format!("{pid}\t{HARMLESS}")), "{all:#?}");
    for line in all {
        let (pid, name) = line.split_once('\t').unwrap();
        assert!(pid.parse::<u32>().is_ok(), "{line:?}");
        assert!(name.chars().all(|c| (' '..='~').contains(&c)), "{line:?}");
    }
}

#[test]
fn zsh_completes_types_columns_options_and_commands() {
    let Some(all) = zsh("nsls -t ") else { return };
    let mut kinds = KINDS.to_vec();
    kinds.sort_unstable();
    assert_eq!(all, kinds);
    assert_eq!(zsh("nsls -t mnt,uts,u").unwrap(), ["user"]);
    assert_eq!(zsh("nsls --type=mnt,n").unwrap(), ["net"]);
    assert_eq!(zsh("nsls -o NS,PP").unwrap(), ["PPID"]);
    assert_eq!(zsh("nsls -o +on").unwrap(), ["ONS"]);
    assert_eq!(zsh("nsls --tas").unwrap(), ["--task"]);
    assert_eq!(zsh("nsls capt").unwrap(), ["capture"]);
    assert_eq!(zsh("nsls capture --pi").unwrap(), ["--pid"]);
}

#[test]
fn zsh_completes_processes_and_shows_sanitized_names() {
    let process = Named::new(HOSTILE);
    let pid = process.pid();
    let Some(all) = zsh("nsls -p ") else { return };
    assert!(all.contains(&pid.to_string()), "{all:#?}");
    assert!(all.iter().all(|pid| pid.parse::<u32>().is_ok()), "{all:#?}");
}
