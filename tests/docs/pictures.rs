//! Pictures of terminals show what the command prints.

use std::fs;

use super::file;
use crate::common::{Nsls, names_in};
use crate::terminal::on_terminal_with;

/// Returns the lines of text in a picture, and how many characters one may have.
fn read(name: &str) -> (Vec<String>, u16) {
    let svg = fs::read_to_string(file("docs/pictures").join(name)).unwrap();
    let (_, width) = svg.split_once("width=\"").unwrap();
    let width: f64 = width.split('"').next().unwrap().parse().unwrap();
    let texts = svg.lines().filter(|line| line.starts_with("<text "));
    let text = |line: &str| {
        let tags = line.split('<').filter_map(|part| part.split_once('>'));
        let text: String = tags.map(|(_, text)| text).collect();
        [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&#x27;", "'"),
            ("&amp;", "&"),
        ]
        .iter()
        .fold(text, |text, (entity, letter)| text.replace(entity, letter))
    };
    (
        texts.map(text).collect(),
        ((width - 28.0) / 8.4).round() as u16,
    )
}

#[test]
fn every_picture_shows_what_its_command_prints() {
    let mut names = names_in(&file("docs/pictures"));
    names.retain(|name| name.ends_with(".svg"));
    assert!(!names.is_empty());
    for name in names {
        let (lines, columns) = read(&name);
        let words = lines[0].strip_prefix("$ nsls ").unwrap();
        let environment = [("TERM", "xterm"), ("LC_ALL", "C.UTF-8"), ("NO_COLOR", "1")];
        let shown = on_terminal_with(&environment, columns, Nsls::words(words));
        let shown: Vec<_> = shown.lines().collect();
        // Lines of standard error follow.
        let (table, rest) = lines[1..].split_at(shown.len().min(lines.len() - 1));
        assert_eq!(table, shown, "{name}: run docs/pictures/draw");
        assert!(rest.len() <= 2, "{name}: run docs/pictures/draw");
    }
}
