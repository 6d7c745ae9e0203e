use std::io::{self, Write};
use std::process::ExitCode;

use crate::cli::error::CliError;
use crate::cli::terminal::Terminal;
use crate::cli::view::View;
use crate::model::{Cause, Gap, Snapshot, Source};
use crate::output::summarise;

/// Where a command writes.
#[expect(missing_debug_implementations, reason = "it holds a writer")]
pub struct Console<'a> {
    /// Standard output, for results.
    pub out: &'a mut dyn Write,
    /// What can be shown there.
    pub terminal: Terminal,
}

/// How a run ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The result was written.
    Done,
    /// It was written, and says that something differs.
    Different,
    /// It was written, but not everything that was asked for exists.
    Missing,
    /// It was written but is incomplete, which `--strict` forbids.
    Incomplete,
    /// Commands were run; the exit code says how they ended.
    Ran(u8),
}

impl Outcome {
    /// Returns another outcome in place of [`Outcome::Done`], if it applies: what is
    /// incomplete stays so.
    pub(crate) fn or(self, other: Outcome, applies: bool) -> Outcome {
        match self {
            Outcome::Done if applies => other,
            outcome => outcome,
        }
    }

    /// Returns the exit code.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Outcome::Done => 0,
            Outcome::Different | Outcome::Missing => 1,
            Outcome::Incomplete => 3,
            Outcome::Ran(code) => code,
        })
    }
}

impl Console<'_> {
    /// Flushes a result and reports what it lacks.
    ///
    /// `can_infer` is whether `--infer` could add something.
    pub(crate) fn finish(
        &mut self,
        snapshot: &Snapshot,
        view: &View,
        can_infer: bool,
        written: io::Result<()>,
    ) -> Result<Outcome, CliError> {
        let flushed = written.and_then(|()| self.out.flush());
        // Even a reader that has gone may see the warning.
        let outcome = Console::conclude(snapshot, view, can_infer);
        flushed.map_err(CliError::Output)?;
        Ok(outcome)
    }

    /// Reports what a result lacks that was written elsewhere.
    pub(crate) fn conclude(snapshot: &Snapshot, view: &View, can_infer: bool) -> Outcome {
        let chosen = if view.verbose {
            |_: &Gap| true
        } else {
            Gap::is_told
        };
        let advice = advice(snapshot, view, can_infer);
        if let Some(line) = summarise(&snapshot.gaps, chosen, advice) {
            view.remark(&line);
        }
        if view.strict && !snapshot.is_complete() {
            Outcome::Incomplete
        } else {
            Outcome::Done
        }
    }
}

/// Returns what users can do about a lack of permission.
fn advice(snapshot: &Snapshot, view: &View, can_infer: bool) -> Option<&'static str> {
    if !view.root.is_live() || rustix::process::geteuid().is_root() {
        return None;
    }
    let denies_links = snapshot
        .gaps
        .iter()
        .any(|gap| gap.source == Source::Processes && gap.cause == Cause::Denied);
    Some(if can_infer && denies_links {
        "run as root for the rest, or let --infer guess some of it"
    } else {
        "run as root for the rest"
    })
}
