//! What of a release can be checked without building one; `.ci/dist` builds one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Returns the path of a file in the repository.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Returns the lines of a workflow that use an action not pinned by the hash of a
/// commit, with the version beside it.
fn unpinned(workflow: &str) -> Vec<&str> {
    let is_pinned = |action: &str| {
        let Some((hash, version)) = action
            .split_once('@')
            .and_then(|(_, rest)| rest.split_once(" # v"))
        else {
            return false;
        };
        let is_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        hash.len() == 40 && hash.bytes().all(is_hex) && version.split('.').count() == 3
    };
    let used = workflow.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("- ")
            .unwrap_or(line)
            .strip_prefix("uses: ")
    });
    used.filter(|action| !is_pinned(action)).collect()
}

#[test]
fn every_action_is_pinned_by_the_hash_of_a_commit() {
    for entry in fs::read_dir(file(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let workflow = fs::read_to_string(&path).unwrap();
        assert!(workflow.contains("uses: "), "{}", path.display());
        assert_eq!(unpinned(&workflow), [""; 0], "{}", path.display());
    }
}

#[test]
fn a_tag_or_half_a_hash_is_no_pin() {
    let hash = "08c6903cd8c0fde910a37f88322edcfb5dd907a8";
    let workflow = format!(
        "steps:\n  - uses: a/b@{hash} # v5.0.0\n  - name: c\n    uses: d/e@v1\n  \
         - uses: f/g@{hash}\n  - uses: h/i@08c6903 # v5.0.0\n  - uses: j/k@{} # v5.0.0\n  \
         - uses: l/m@{hash} # v5\n",
        hash.to_uppercase()
    );
    let expected = [
        "d/e@v1".to_owned(),
        format!("f/g@{hash}"),
        "h/i@08c6903 # v5.0.0".to_owned(),
        format!("j/k@{} # v5.0.0", hash.to_uppercase()),
        format!("l/m@{hash} # v5"),
    ];
    assert_eq!(unpinned(&workflow), expected);
}

#[test]
fn the_changelogs_begin_with_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let changelog = fs::read_to_string(file("CHANGELOG.md")).unwrap();
    let mut headings = changelog.lines().filter(|line| line.starts_with("## ["));
    let first = headings.next().unwrap();
    assert!(first.starts_with(&format!("## [{version}] - ")), "{first}");
    let debian = fs::read_to_string(file("contrib/debian/changelog")).unwrap();
    let first = debian.lines().next().unwrap();
    assert!(
        first.starts_with(&format!("nsls ({version}-1) ")),
        "{first}"
    );
}

/// Returns how many files a pattern of an asset stands for; `*` may be in the name.
fn matches(pattern: &str) -> usize {
    let (directory, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
    let Some((start, end)) = name.split_once('*') else {
        return usize::from(file(pattern).is_file());
    };
    let entries = fs::read_dir(file(directory)).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.starts_with(start) && name.ends_with(end))
        .count()
}

#[test]
fn everything_that_the_packages_take_exists() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(file(""));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let nsls = packages.iter().find(|one| one["name"] == "nsls").unwrap();
    let deb = nsls["metadata"]["deb"]["assets"].as_array().unwrap();
    let rpm = nsls["metadata"]["generate-rpm"]["assets"]
        .as_array()
        .unwrap();
    let sources = deb.iter().map(|asset| &asset[0]);
    let sources = sources.chain(rpm.iter().map(|asset| &asset["source"]));
    let sources: Vec<_> = sources.map(|source| source.as_str().unwrap()).collect();
    assert!(sources.len() > 20, "{sources:?}");
    for source in sources {
        // What contrib/dist builds first.
        let is_built = source.starts_with("target/");
        assert!(is_built || matches(source) > 0, "there is no {source}");
    }
}
