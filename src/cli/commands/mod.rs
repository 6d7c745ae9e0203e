//! The subcommands: each asks one question of a scan and shows the answer.

pub(crate) mod capture;
pub(crate) mod compare;
pub(crate) mod containers;
pub(crate) mod exec;
pub(crate) mod find;
pub(crate) mod holders;
pub(crate) mod limits;
pub(crate) mod list;
pub(crate) mod translate;
pub(crate) mod watch;

use serde::Serialize;

use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::options::View;
use crate::model::{Cause, Gap, Snapshot, Source};
use crate::output::{Format, Table, write_document};

impl View {
    /// Shows an answer as a document or as a table, and reports what it lacks.
    fn show(
        &self,
        snapshot: &Snapshot,
        console: &mut Console<'_>,
        document: &impl Serialize,
        table: &Table<'_>,
    ) -> Result<Outcome, CliError> {
        let written = match self.format {
            Format::Table(look) => table.write(look, self.headings, console.out),
            Format::Raw => table.write_raw(self.headings, console.out),
            Format::Json => write_document(snapshot, document, console.out),
        };
        console.finish(snapshot, self, false, written)
    }
}

/// Returns whether a gap says that it is unknown what belongs to the host, which
/// matters only to those who asked.
pub(super) fn is_about_host(gap: &Gap) -> bool {
    gap.source == Source::Contents && gap.cause == Cause::Outside
}
