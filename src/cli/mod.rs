//! The command `nsls`.
//!
//! `args` defines what users may type, `options` turns it into what they mean,
//! and `commands` answers it, with one file for each subcommand.

mod args;
mod columns;
mod commands;
mod console;
mod error;
mod help;
mod options;
mod parse;
mod progress;
mod refusal;
mod replace;
mod resolve;
mod saved;
mod search;
mod shell;
mod stderr;
mod stdout;
mod summary;
mod terminal;
mod view;

pub use args::Cli;
#[cfg(feature = "fuzzing")]
pub(crate) use commands::diff::parse_saved;
pub use console::{Console, Outcome};
pub use error::CliError;
pub use stdout::Stdout;
pub use terminal::Terminal;

use crate::cli::args::Command;
use crate::cli::commands::{
    capture, compare, complete, containers, diff, exec, explain, find, generate, graph, holders,
    leaks, limits, list, metrics, translate, watch,
};
use crate::cli::parse::misspelt_subcommand;

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// Fails if there is nothing to show, or if it cannot be written.
    pub fn run(self, console: &mut Console<'_>) -> Result<Outcome, CliError> {
        let writes_a_file = match &self.command {
            Some(Command::Capture(_)) => true,
            Some(Command::Metrics(args)) => args.output.is_some(),
            Some(Command::Graph(args)) => args.output.is_some(),
            _ => false,
        };
        if !writes_a_file {
            // A result that nobody can get is not worth a scan.
            console.out.flush().map_err(CliError::Output)?;
        }
        if let Some(what) = self.generate {
            return generate::run(what, console);
        }
        match self.command {
            None => {
                let name = self.list.namespace.clone();
                let detached = self.list.detached_value();
                list::run(self.list, console).map_err(|error| match name {
                    Some(name) if error.is_about_an_unknown_name() => detached
                        .or_else(|| misspelt_subcommand(name.as_os_str()))
                        .unwrap_or(error),
                    _ => error,
                })
            }
            Some(Command::Find(args)) => find::run(args, console),
            Some(Command::Holders(args)) => holders::run(args, console),
            Some(Command::Compare(args)) => compare::run(args, console),
            Some(Command::Diff(args)) => diff::run(args, console),
            Some(Command::Containers(args)) => containers::run(args, console),
            Some(Command::Translate(args)) => translate::run(args, console),
            Some(Command::Limits(args)) => limits::run(args, console),
            Some(Command::Metrics(args)) => metrics::run(args, console),
            Some(Command::Leaks(args)) => leaks::run(args, console),
            Some(Command::Exec(args)) => exec::run(args, console),
            Some(Command::Watch(args)) => watch::run(args, console),
            Some(Command::Graph(args)) => graph::run(args, console),
            Some(Command::Capture(args)) => capture::run(args, console.terminal),
            Some(Command::Explain(args)) => explain::run(args, console),
            Some(Command::Complete(args)) => complete::run(args, console),
        }
    }
}
