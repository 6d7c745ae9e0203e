//! Pages whose commands are run: what they show, without what differs from machine
//! to machine.

/// A command, and the output that the page shows for it.
pub struct Step<'a> {
    pub command: &'a str,
    pub shown: String,
}

/// Returns the steps of a block: each line that begins with the prompt is a command.
pub fn steps<'a>(block: &'a str, prompt: &str) -> Vec<Step<'a>> {
    let mut steps: Vec<Step<'a>> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix(prompt), steps.last_mut()) {
            (Some(command), _) => steps.push(Step {
                command,
                shown: String::new(),
            }),
            (None, Some(step)) => step.shown.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    steps
}

/// Removes what differs between machines: numbers of more than one digit that are
/// not `known`, those of namespaces in other words, too; the padding that depends on
/// their width, and the order of namespaces, which is by number.
pub fn normal(text: &str, known: &[&str]) -> Vec<String> {
    let word = |word: &str| {
        let is_number = word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_digit());
        match is_number && !known.contains(&word) {
            true => "N".to_owned(),
            false => without_number(word.trim_end_matches('=')),
        }
    };
    let line = |line: &str| {
        let words: Vec<_> = line.split_whitespace().map(word).collect();
        words.join(" ")
    };
    let mut lines: Vec<_> = text.lines().map(line).collect();
    lines.sort();
    lines
}

/// Replaces the number in `net:[4026532000]`.
fn without_number(word: &str) -> String {
    let number = word
        .split_once(":[")
        .and_then(|(_, rest)| rest.split_once(']'));
    match number {
        Some((number, _)) => word.replace(number, "N"),
        None => word.to_owned(),
    }
}
