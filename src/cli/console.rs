//! Where the command writes, and how it ends.

use std::io::{self, Write};

use crate::cli::error::CliError;
use crate::model::{Cause, Snapshot, Source};
use crate::output::summarise;
use crate::proc::Sysroot;

/// Where the command writes.
#[expect(missing_debug_implementations, reason = "it holds writers")]
pub struct Console<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// How many characters the terminal behind `out` is wide, if it is one.
    pub width: Option<usize>,
    /// Whether the locale lets a tree be drawn with more than ASCII.
    pub unicode: bool,
    /// Whether the terminal, if it is one, may be sent styles.
    pub styles: bool,
    /// Takes a message about what went wrong, without its last newline. It is
    /// one line, but for a filter that cannot be parsed.
    pub messages: &'a mut dyn FnMut(&str),
}

/// How a run ended that was no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done.
    Complete,
    /// Done, but not everything could be seen, and somebody minds.
    Incomplete,
    /// Done, and the answer is no.
    Different,
}

impl Console<'_> {
    /// Says what is missing, after the result was written; and that --infer
    /// exists, where it can help.
    pub(crate) fn finish(
        &mut self,
        snapshot: &Snapshot,
        root: &Sysroot,
        strict: bool,
        can_infer: bool,
        written: io::Result<()>,
    ) -> Result<Outcome, CliError> {
        // The warning first: it holds even if the reader has gone.
        let denies = snapshot
            .gaps
            .iter()
            .any(|gap| gap.source == Source::Processes && gap.cause == Cause::Denied);
        let foreign = root.is_live() && !rustix::process::geteuid().is_root();
        let advice = foreign.then_some(if can_infer && denies {
            "run as root for the rest, or let --infer guess some of it"
        } else {
            "run as root for the rest"
        });
        if let Some(line) = summarise(&snapshot.gaps, advice) {
            (self.messages)(&line);
        }
        written.map_err(CliError::Output)?;
        Ok(if strict && !snapshot.is_complete() {
            Outcome::Incomplete
        } else {
            Outcome::Complete
        })
    }
}
