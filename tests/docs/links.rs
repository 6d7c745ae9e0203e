//! Checks every link in the documents.

use std::fs;
use std::path::{Path, PathBuf};

use super::file;

/// Returns the targets of the links in a page, `[text](target)`.
fn links(page: &str) -> Vec<&str> {
    prose(page)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .collect()
}

/// Returns the lines of a page outside fenced blocks.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Returns the anchors of a page, derived from its headings as forges do.
fn anchors(page: &str) -> Vec<String> {
    let headings = prose(page).filter(|line| line.starts_with('#'));
    headings
        .map(|heading| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(file("docs")).unwrap();
    let mut pages: Vec<_> = docs.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.extend(
        [
            "README.md",
            "CHANGELOG.md",
            "CONTRIBUTING.md",
            "RELEASE.md",
            "SECURITY.md",
            "benches/README.md",
            "fixtures/README.md",
        ]
        .map(file),
    );
    pages.sort();
    pages
}

/// Returns why a link of a page is broken.
fn trouble(page: &Path, link: &str) -> Option<String> {
    if link.contains("://") {
        return None;
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match path {
        "" => page.to_owned(),
        path => page.parent().unwrap().join(path),
    };
    if !target.exists() {
        return Some(format!("{}: no file {path}", page.display()));
    }
    if anchor.is_empty() {
        return None;
    }
    let known = anchors(&fs::read_to_string(target).unwrap());
    let is_known = known.iter().any(|known| known == anchor);
    (!is_known).then(|| format!("{}: no heading for {link}", page.display()))
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut troubles = Vec::new();
    let mut count = 0;
    for page in pages() {
        for link in links(&fs::read_to_string(&page).unwrap()) {
            count += 1;
            troubles.extend(trouble(&page, link));
        }
    }
    assert_eq!(troubles, Vec::<String>::new());
    assert!(count > 10, "only {count} links were found");
}

#[test]
fn links_and_anchors_are_found_outside_blocks() {
    let page = "# A `b` c\n[x](y.md#z) and\n```\n# no\n[n](o)\n```\n## Zombie-leader\n[`q`](#r)";
    assert_eq!(links(page), ["y.md#z", "#r"]);
    assert_eq!(anchors(page), ["a-b-c", "zombie-leader"]);
}

#[test]
fn the_architecture_map_lists_every_directory_of_src() {
    let page = fs::read_to_string(file("docs/architecture.md")).unwrap();
    for entry in fs::read_dir(file("src")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            let row = format!("\n| `{}/", entry.file_name().display());
            assert!(page.contains(&row), "docs/architecture.md has no row{row}");
        }
    }
}

#[test]
fn every_cause_has_a_section_of_its_own() {
    let known = anchors(&fs::read_to_string(file("docs/gaps.md")).unwrap());
    let json = fs::read_to_string(file("docs/json.md")).unwrap();
    for cause in nsls::Cause::ALL {
        let name = cause.name();
        assert!(
            known.iter().any(|known| known == name),
            "docs/gaps.md has no {name}"
        );
        let line = format!(
            "| [`{name}`](gaps.md#{name}) | {} |",
            if cause.hides() { "yes" } else { "no" }
        );
        assert!(json.contains(&line), "docs/json.md has no {line}");
    }
}
