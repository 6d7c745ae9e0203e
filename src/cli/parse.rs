//! Parses the command line, and corrects where clap differs from lsns.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::builder::StyledStr;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};

use crate::cli::args::{Cli, Json, ListArgs, Tree};
use crate::cli::error::CliError;
use crate::cli::help;
use crate::cli::refusal::{late_subcommand, nearest_subcommand, refusal, unknown_subcommand};

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
        match Cli::try_parse_from(&words) {
            Ok(cli) => cli.without_late_subcommand(),
            Err(error) if error.use_stderr() => {
                let first = words.get(1).and_then(|word| misspelt_subcommand(word));
                Err(first.unwrap_or_else(|| CliError::Usage(refusal(&error, &words))))
            }
            Err(error) if error.kind() == ErrorKind::DisplayHelp && !help::is_long(&words) => {
                Err(displayed(help::short(&mut Cli::command(), &words)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses a NAMESPACE that is the name of a subcommand: after options, clap
    /// takes one for the other. A file of that name can be given as `./NAME`.
    fn without_late_subcommand(self) -> Result<Self, CliError> {
        let command = Cli::command();
        let named = self.list.namespace.as_deref().and_then(Path::to_str);
        match named.filter(|name| command.find_subcommand(name).is_some()) {
            Some(name) => Err(CliError::Usage(late_subcommand(name))),
            None => Ok(self),
        }
    }
}

impl ListArgs {
    /// Returns an error for a NAMESPACE that would be the value of an option before
    /// it, whose value needs `=`.
    pub(super) fn detached_value(&self) -> Option<CliError> {
        let word = self.namespace.as_deref()?.to_str()?;
        let option = if self.show.tree.is_some() && Tree::from_str(word, false).is_ok() {
            "tree"
        } else if self.view.json.is_some() && Json::from_str(word, false).is_ok() {
            "json"
        } else {
            return None;
        };
        let message = format!("no namespace '{word}'; a value is attached: --{option}={word}");
        Some(CliError::Usage(message))
    }
}

/// Makes the answer to `-h`.
fn displayed(help: StyledStr) -> CliError {
    let command = Cli::command().override_help(help);
    match command.try_get_matches_from(["nsls", "-h"]) {
        Err(help) => help.into(),
        Ok(_) => CliError::Usage("no help".to_owned()),
    }
}

/// Returns an error that names the subcommand which was meant, if a word is
/// similar to one and no file: clap takes it for a NAMESPACE.
pub(super) fn misspelt_subcommand(word: &OsStr) -> Option<CliError> {
    let name = word.to_str()?;
    let command = Cli::command();
    similar_subcommand(&command, name)?;
    if std::fs::symlink_metadata(word).is_ok() {
        return None;
    }
    Some(CliError::Usage(unknown_subcommand(&command, name)))
}

/// Returns the most similar subcommand. No path and no number is similar to one.
fn similar_subcommand<'a>(command: &'a clap::Command, word: &str) -> Option<&'a str> {
    if !word.chars().all(char::is_alphabetic) {
        return None;
    }
    nearest_subcommand(command, word).filter(|nearest| *nearest != word)
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
        let command = Cli::command();
        let nearest = |word| similar_subcommand(&command, word);
        assert_eq!(nearest("contaners"), Some("containers"));
        assert_eq!(nearest("LIMTS"), Some("limits"));
        assert_eq!(nearest("cmopare"), Some("compare"));
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
