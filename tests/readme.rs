//! The examples in the README and the guide show what the command prints.
//!
//! A `console` block that begins with `$ nsls … --sysroot` does not depend on
//! the machine, so it is run and compared in full. Other blocks are not tested.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{binary, skip};

/// Returns whether a block is run.
fn is_tested(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.starts_with("$ nsls ") && first.contains(" --sysroot ")
}

/// A fenced block and its position.
struct Block {
    place: String,
    text: String,
}

#[test]
fn the_readme_matches_the_output() {
    let blocks = tested_blocks(&root().join("README.md"));
    assert!(!blocks.is_empty(), "README.md has no block that is tested");
    check(&blocks);
}

#[test]
fn the_guide_matches_the_output() {
    let mut pages: Vec<PathBuf> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    assert!(!pages.is_empty(), "docs/ has no page");
    for page in pages {
        check(&tested_blocks(&page));
    }
}

#[test]
fn blocks_are_found_by_their_language_and_first_command() {
    let page = "```console\n$ nsls --sysroot a\nb\n\n$ echo\n```\n\
                ```console\n$ nsls\nc\n```\n```sh\n$ nsls --sysroot a\n```\n\
                - in a list:\n\n  ```console\n  $ nsls --sysroot d\n    e\n  ```\n";
    let found: Vec<_> = blocks("page.md", page)
        .into_iter()
        .map(|block| (block.place, block.text))
        .collect();
    let block = |place: &str, text: &str| (place.to_owned(), text.to_owned());
    assert_eq!(
        found,
        [
            block("page.md:1", "$ nsls --sysroot a\nb\n\n$ echo\n"),
            block("page.md:16", "$ nsls --sysroot d\n  e\n"),
        ]
    );
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tested_blocks(page: &Path) -> Vec<Block> {
    let name = page.strip_prefix(root()).unwrap().display().to_string();
    blocks(&name, &fs::read_to_string(page).unwrap())
}

/// Returns the blocks of a page that are run.
fn blocks(name: &str, page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let mut text = String::new();
        let mut closed = false;
        for (_, line) in lines.by_ref() {
            closed = line.trim() == "```";
            if closed {
                break;
            }
            text.push_str(line.get(indent..).unwrap_or_default());
            text.push('\n');
        }
        let place = format!("{name}:{}", number + 1);
        assert!(closed, "{place}: the block has no end");
        if language == "console" && is_tested(&text) {
            blocks.push(Block { place, text });
        }
    }
    blocks
}

/// Runs the blocks and compares their output.
fn check(blocks: &[Block]) {
    let needs_jq = |block: &&Block| block.text.contains("jq ");
    let mut path = Path::new(binary()).parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
    let shell = |script: &str| {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", script])
            .current_dir(root())
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            .env("PATH", &path);
        shell.output().unwrap()
    };
    let has_jq = shell("command -v jq").status.success();
    if !has_jq && blocks.iter().any(|block| needs_jq(&block)) {
        skip("jq is not installed");
    }
    for block in blocks.iter().filter(|block| has_jq || !needs_jq(block)) {
        let mut status = 0;
        let mut shown = String::new();
        for line in block.text.lines() {
            let Some(command) = line.strip_prefix("$ ") else {
                continue;
            };
            // Makes `echo $?` refer to the previous command.
            let output = shell(&format!("(exit {status})\n{command}"));
            status = output.status.code().unwrap();
            shown.push_str(line);
            shown.push('\n');
            shown.push_str(&String::from_utf8(output.stdout).unwrap());
            shown.push_str(&String::from_utf8(output.stderr).unwrap());
        }
        assert!(
            shown == block.text,
            "{} shows\n{}but it is\n{shown}",
            block.place,
            block.text
        );
    }
}
