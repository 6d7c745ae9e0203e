//! The command `nsls`: its arguments, their meaning, and one file a subcommand.

mod args;
pub(crate) mod commands;
mod console;
mod error;
mod options;

pub use args::Cli;
pub use commands::list::{is_utf8_locale, run};
pub use console::Console;
pub use error::CliError;
