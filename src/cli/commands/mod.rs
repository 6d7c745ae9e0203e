//! The subcommands that show something: each is a question of its own to one
//! scan, and a few columns of its own.

pub(crate) mod capture;
pub(crate) mod compare;
pub(crate) mod containers;
pub(crate) mod holders;
pub(crate) mod limits;
pub(crate) mod list;
pub(crate) mod translate;

use std::io;

use serde::Serialize;

use crate::cli::args::ViewArgs;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::options;
use crate::model::Snapshot;
use crate::output::{Format, Look, Table, write_document};
use crate::proc::Sysroot;

/// What all of them have in common: where to read, and how to write.
struct View {
    root: Sysroot,
    format: Format,
    headings: bool,
    strict: bool,
}

impl View {
    fn new(args: ViewArgs, console: &Console<'_>) -> Self {
        let format = match (args.json, args.raw) {
            (true, _) => Format::Json,
            (false, true) => Format::Raw,
            (false, false) => Format::Table(Look {
                width: console.width.filter(|_| !args.notruncate),
                styles: console.styles && console.width.is_some(),
                ..Look::default()
            }),
        };
        View {
            root: options::root(args.root),
            format,
            headings: !args.noheadings,
            strict: args.strict,
        }
    }

    /// Writes the answer, as a document or as rows, and says what is missing.
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
        self.finish(snapshot, console, written)
    }

    /// Says what is missing, after the answer was written.
    fn finish(
        &self,
        snapshot: &Snapshot,
        console: &mut Console<'_>,
        written: io::Result<()>,
    ) -> Result<Outcome, CliError> {
        let written = written.and_then(|()| console.out.flush());
        console.finish(snapshot, &self.root, self.strict, false, written)
    }
}
