//! The subcommands: each asks one question of a scan and shows the answer.

pub(crate) mod capture;
pub(crate) mod compare;
pub(crate) mod complete;
pub(crate) mod containers;
pub(crate) mod diff;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod find;
pub(crate) mod generate;
pub(crate) mod graph;
pub(crate) mod holders;
pub(crate) mod leaks;
pub(crate) mod limits;
pub(crate) mod list;
pub(crate) mod metrics;
pub(crate) mod translate;
pub(crate) mod watch;

use serde::Serialize;

use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::view::View;
use crate::model::Snapshot;
use crate::output::{Format, Table, write_document};

impl Console<'_> {
    /// Writes a text that needs no scan.
    fn print(&mut self, text: &str) -> Result<Outcome, CliError> {
        let written = self.out.write_all(text.as_bytes());
        let flushed = written.and_then(|()| self.out.flush());
        flushed.map(|()| Outcome::Done).map_err(CliError::Output)
    }
}

impl View {
    /// Shows an answer as a document or as a table, and reports what it lacks.
    fn show(
        &self,
        snapshot: &Snapshot,
        console: &mut Console<'_>,
        document: &impl Serialize,
        table: &Table<'_>,
    ) -> Result<Outcome, CliError> {
        self.show_both(snapshot.is_complete(), snapshot, console, document, table)
    }

    /// Shows an answer to which more than this snapshot belongs, which may be
    /// incomplete for other reasons.
    fn show_both(
        &self,
        is_complete: bool,
        snapshot: &Snapshot,
        console: &mut Console<'_>,
        document: &impl Serialize,
        table: &Table<'_>,
    ) -> Result<Outcome, CliError> {
        let written = match self.format {
            Format::Table(look) => table.write(look, self.headings, console.out),
            Format::Raw => table.write_raw(self.headings, console.out),
            Format::Json(layout) => {
                write_document(is_complete, snapshot, document, layout, console.out)
            }
        };
        let outcome = console.finish(snapshot, self, false, written)?;
        Ok(match outcome {
            Outcome::Done if self.strict && !is_complete => Outcome::Incomplete,
            outcome => outcome,
        })
    }
}
