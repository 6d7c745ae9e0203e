//! `nsls --generate`: files of docs/ that belong to the command, so that
//! installing it with cargo brings them, too.

use crate::cli::args::Generate;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;

/// Writes a man page or a completion script.
pub(crate) fn run(what: Generate, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let text = match what {
        Generate::Man => include_str!("../../../docs/nsls.8"),
        Generate::CompleteBash => include_str!("../../../docs/completions/nsls.bash"),
        Generate::CompleteZsh => include_str!("../../../docs/completions/_nsls"),
        Generate::CompleteFish => include_str!("../../../docs/completions/nsls.fish"),
    };
    console.print(text)
}
