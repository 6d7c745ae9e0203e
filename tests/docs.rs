//! Checks that the generated files in docs/ match the code.
//!
//! `NSLS_UPDATE_DOCS=1 cargo test docs` regenerates them.

mod completions;
mod links;
mod man;
mod pictures;
mod schema;
mod spec;

use std::path::{Path, PathBuf};
use std::{env, fs};

use nsls::Member;
use nsls::output::{Palette, Role};

/// Returns the generated files in docs/ with their contents.
fn generated() -> Vec<(String, String)> {
    let mut files: Vec<_> = [
        ("docs/completions/nsls.bash", completions::bash()),
        ("docs/completions/_nsls", completions::zsh()),
        ("docs/completions/nsls.fish", completions::fish()),
        ("docs/nsls.schema.json", schema::text()),
    ]
    .map(|(path, text)| (path.to_owned(), text))
    .into();
    files.extend(man::pages().into_iter().map(|(name, text)| {
        let path = match name.as_str() {
            "nsls.8" => format!("docs/{name}"),
            _ => format!("{MAN}/{name}"),
        };
        (path, text)
    }));
    files
}

/// Where the man pages of the subcommands are.
const MAN: &str = "docs/man";

/// Returns the path of a file in the repository.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Replaces each `@NAME@` in a template. Every name must occur in it.
fn fill(template: &str, parts: &[(&str, String)]) -> String {
    let mut text = template.to_owned();
    for (name, part) in parts {
        let name = format!("@{name}@");
        assert!(template.contains(&name), "the template has no {name}");
        text = text.replace(&name, part.trim_end());
    }
    text
}

#[test]
fn generated_documents_are_up_to_date() {
    let update = env::var_os("NSLS_UPDATE_DOCS").is_some_and(|value| value == "1");
    let mut stale = Vec::new();
    for (path, text) in generated() {
        if update {
            let path = file(&path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        } else if fs::read_to_string(file(&path)).unwrap_or_default() != text {
            stale.push(path);
        }
    }
    assert!(
        stale.is_empty(),
        "{} are not what the code says; run: NSLS_UPDATE_DOCS=1 cargo test docs",
        stale.join(", ")
    );
}

#[test]
fn no_generated_document_contains_a_placeholder() {
    for (path, text) in generated() {
        let open = text.split('@').skip(1).find(|part| {
            part.len() > 2 && part.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        });
        assert_eq!(open, None, "{path}");
    }
}

#[test]
fn every_key_of_nsls_colors_is_documented_with_its_default() {
    let page = fs::read_to_string(file("docs/terminal.md")).unwrap();
    let (_, table) = page.split_once("| key | what | default |\n").unwrap();
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let rows: Vec<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.split(" | ").collect();
            let bare = |cell: &str| cell.trim_matches(['|', ' ', '`']).to_owned();
            (bare(cells[0]), bare(cells[2]))
        })
        .collect();
    let palette = Palette::default();
    let roles = Role::ALL.iter();
    let roles = roles.map(|role| (role.name().to_owned(), palette.look(*role).to_owned()));
    assert_eq!(rows, roles.collect::<Vec<_>>());
}

#[test]
fn every_man_page_is_that_of_a_subcommand() {
    let generated: Vec<_> = generated().into_iter().map(|(path, _)| path).collect();
    for entry in fs::read_dir(file(MAN)).unwrap() {
        let path = format!("{MAN}/{}", entry.unwrap().file_name().display());
        assert!(generated.contains(&path), "{path} is no longer generated");
    }
}
