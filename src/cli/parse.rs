//! Parses the command line, and corrects where clap differs from lsns.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use crate::cli::args::Cli;
use crate::cli::error::CliError;
use crate::query::nearest;
use crate::text::for_table;

impl Cli {
    /// Parses the arguments of this process.
    ///
    /// # Errors
    ///
    /// Fails if they are invalid, and also if they ask for help.
    pub fn from_env() -> Result<Self, CliError> {
        // Others may follow a flag, and an option whose value needs `=`.
        let flags: String = Cli::command()
            .get_arguments()
            .filter(|argument| {
                !argument.get_action().takes_values() || argument.is_require_equals_set()
            })
            .filter_map(clap::Arg::get_short)
            .collect();
        let mut words: Vec<OsString> = std::env::args_os().collect();
        for word in words.iter_mut().take_while(|word| *word != "--") {
            if let Some(explicit) = explicit_tree(word, &flags) {
                *word = explicit.into();
            }
        }
        let first = words.get(1).cloned().unwrap_or_default();
        match Cli::try_parse_from(words) {
            Ok(cli) => Ok(cli.without_late_subcommand()?),
            Err(error) if error.use_stderr() => Err(misspelt_subcommand(&first)
                .unwrap_or_else(|| escaped(without_unknown_subcommand(error)).into())),
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses a NAMESPACE that is the name of a subcommand: after options, clap
    /// takes one for the other. A file of that name can be given as `./NAME`.
    fn without_late_subcommand(self) -> Result<Self, clap::Error> {
        let mut command = Cli::command();
        let named = self.list.namespace.as_deref().and_then(Path::to_str);
        match named.filter(|name| command.find_subcommand(name).is_some()) {
            Some(name) => {
                let message = format!("the subcommand '{name}' must come before all options");
                Err(command.error(ErrorKind::ArgumentConflict, message))
            }
            None => Ok(self),
        }
    }
}

/// Returns an error that names the subcommand which was meant, if a word is
/// similar to one and no file: clap takes it for a NAMESPACE.
pub(super) fn misspelt_subcommand(word: &OsStr) -> Option<CliError> {
    let name = word.to_str()?;
    let nearest = nearest_subcommand(name)?;
    if std::fs::symlink_metadata(word).is_ok() {
        return None;
    }
    let message = format!("unknown subcommand '{name}', nearest is {nearest}");
    Some(CliError::Usage(message))
}

/// Returns the most similar subcommand. No path and no number is similar to one.
fn nearest_subcommand(word: &str) -> Option<String> {
    if !word.chars().all(char::is_alphabetic) {
        return None;
    }
    let command = Cli::command();
    let names = command.get_subcommands().map(clap::Command::get_name);
    let nearest = nearest(word, names)?;
    (nearest != word).then(|| nearest.to_owned())
}

/// Corrects an error about a second NAMESPACE: clap takes any word there for a
/// subcommand.
fn without_unknown_subcommand(error: clap::Error) -> clap::Error {
    let mut command = Cli::command();
    match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) if command.find_subcommand(word).is_none() => {
            let word = for_table(word.as_bytes());
            let message = format!("unexpected argument '{word}' found after NAMESPACE");
            command.error(ErrorKind::UnknownArgument, message)
        }
        _ => error,
    }
}

/// Escapes the words of the user in an error, as others may have chosen them:
/// the name of a file, say. clap shows them as they are.
fn escaped(mut error: clap::Error) -> clap::Error {
    let context: Vec<_> = error
        .context()
        .map(|(kind, value)| (kind, value.clone()))
        .collect();
    // Suggestions repeat single words.
    let words: Vec<_> = context
        .iter()
        .filter_map(|(_, value)| match value {
            ContextValue::String(word) => Some((word.clone(), for_table(word.as_bytes()))),
            _ => None,
        })
        .filter(|(word, shown)| word != shown)
        .collect();
    for (kind, value) in context {
        let shown = match value {
            ContextValue::String(word) => ContextValue::String(for_table(word.as_bytes())),
            ContextValue::Strings(words) => {
                let words = words.iter().map(|word| for_table(word.as_bytes()));
                ContextValue::Strings(words.collect())
            }
            ContextValue::StyledStrs(texts) => {
                let text = |text: StyledStr| {
                    let text = text.ansi().to_string();
                    let replace = |text: String, (word, shown): &(String, String)| {
                        text.replace(word.as_str(), shown)
                    };
                    StyledStr::from(words.iter().fold(text, replace))
                };
                ContextValue::StyledStrs(texts.into_iter().map(text).collect())
            }
            // The rest is about options, not what was typed.
            other => other,
        };
        error.insert(kind, shown);
    }
    error
}

/// Expands `-Towner` to `-T=owner`, also after other flags: `-nTowner`. clap has
/// optional values only with an equals sign. Returns `None` for other words.
fn explicit_tree(word: &OsStr, flags: &str) -> Option<String> {
    let letters = word.to_str()?.strip_prefix('-')?;
    let (before, relation) = letters.split_once('T')?;
    let are_flags = before.chars().all(|flag| flags.contains(flag));
    let is_attached = relation.starts_with(|first: char| first.is_ascii_lowercase());
    (are_flags && is_attached).then(|| format!("-{before}T={relation}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_word_of_letters_is_near_a_subcommand() {
        let nearest = |word| nearest_subcommand(word);
        assert_eq!(nearest("contaners").as_deref(), Some("containers"));
        assert_eq!(nearest("LIMTS").as_deref(), Some("limits"));
        assert_eq!(nearest("cmopare").as_deref(), Some("compare"));
        let long = "limits".repeat(100_000);
        for word in [
            "",
            "limits",
            "web",
            "./limit",
            "limit/",
            "4026531836",
            "limit1",
            &long,
        ] {
            assert_eq!(nearest(word), None);
        }
    }

    #[test]
    fn a_relation_may_be_attached_to_its_letter() {
        let explicit = |word: &str| explicit_tree(OsStr::new(word), "nJ");
        assert_eq!(explicit("-Towner").as_deref(), Some("-T=owner"));
        assert_eq!(explicit("-nJTparent").as_deref(), Some("-nJT=parent"));
        for word in [
            "-T", "-T=owner", "-nT", "--Tx", "-oTx", "-TJ", "Towner", "-", "--",
        ] {
            assert_eq!(explicit(word), None, "{word}");
        }
    }
}
