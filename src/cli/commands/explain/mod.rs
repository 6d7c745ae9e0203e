//! `nsls explain`: what the documents say about a word.

mod page;
mod topic;

use std::io;

use crate::cli::args::ExplainArgs;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::terminal::Terminal;
use crate::output::{Heading, Look, Table};
use crate::query::{Value, nearest};

use topic::{Category, Topic};

/// The width of the text, unless the terminal is narrower.
const WIDTH: usize = 80;

/// The place of that column in the table of types.
const UNSHARE: usize = 4;

/// Runs `nsls explain`.
pub(crate) fn run(args: ExplainArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let (category, word) = match &args.words[..] {
        [] => return console.print(&overview(console.terminal).map_err(CliError::Output)?),
        [word] => (None, word),
        [category, word, ..] => (Some(parse_category(category)?), word),
    };
    let all = topic::all();
    let candidates = || {
        let wanted = |topic: &&Topic| category.is_none_or(|one| one == topic.category);
        all.iter().filter(wanted)
    };
    let found: Vec<&Topic> = candidates().filter(|topic| topic.is(word)).collect();
    if found.is_empty() {
        let names = candidates().map(|topic| topic.name.as_str());
        let next = match nearest(word, names) {
            Some(name) => format!(", nearest is {name}"),
            None => " (nsls explain lists what it can)".to_owned(),
        };
        let what = category.map_or("word", Category::name);
        return Err(CliError::Usage(format!("unknown {what} '{word}'{next}")));
    }
    let width = console.terminal.width.unwrap_or(WIDTH).min(WIDTH);
    let texts: Vec<String> = found.iter().map(|topic| topic.text(width)).collect();
    console.print(&texts.join("\n"))
}

fn parse_category(word: &str) -> Result<Category, CliError> {
    let found = Category::ALL.iter().find(|one| one.name() == word);
    found.copied().ok_or_else(|| {
        let names = Category::ALL.map(Category::name).join(", ");
        CliError::Usage(format!(
            "unknown kind of word '{word}': choose one of {names}"
        ))
    })
}

/// Returns everything that can be explained, and what it is.
pub(crate) fn names() -> impl Iterator<Item = (String, String)> {
    let all = topic::all().into_iter();
    all.map(|topic| (topic.name, topic.category.name().to_owned()))
}

/// Returns the table of types, and what else can be explained.
fn overview(terminal: Terminal) -> io::Result<String> {
    let rows = topic::types().into_iter().skip(1).map(|row| {
        let cells = row.into_iter().enumerate();
        // How unshare(1) calls it takes too much of a line.
        let cells = cells.filter(|(place, _)| *place != UNSHARE);
        cells.map(|(_, cell)| Value::from(cell)).collect()
    });
    let headings = ["TYPE", "ISOLATES", "SINCE", "FLAG", "MANUAL PAGE"].map(Heading::text);
    let look = Look {
        width: None,
        unicode: terminal.unicode,
        palette: None,
        signs: false,
        links: false,
        vertical: false,
        join: false,
    };
    let mut table = Vec::new();
    Table::new(headings, rows).write(look, true, &mut table)?;
    let mut text = String::from_utf8_lossy(&table).into_owned();
    text += "\nnsls explain WORD explains one of these, or one of the following.\n";
    let all = topic::all();
    for category in Category::ALL.into_iter().skip(1) {
        let members = all.iter().filter(|topic| topic.category == category);
        let names: Vec<_> = members.map(|topic| topic.name.as_str()).collect();
        let paragraph = format!("{}: {}", category.name(), names.join(" "));
        text += &format!("\n{}\n", page::lines(&paragraph, WIDTH).join("\n"));
    }
    Ok(text)
}
