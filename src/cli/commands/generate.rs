//! `nsls --generate`: files of docs/ that belong to the command, so that
//! installing it with cargo brings them, too.

use crate::cli::args::Generate;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;

/// The man page, and behind it those of the subcommands.
const MAN: &str = concat!(
    include_str!("../../../docs/nsls.8"),
    include_str!("../../../docs/man/nsls-capture.8"),
    include_str!("../../../docs/man/nsls-compare.8"),
    include_str!("../../../docs/man/nsls-containers.8"),
    include_str!("../../../docs/man/nsls-diff.8"),
    include_str!("../../../docs/man/nsls-exec.8"),
    include_str!("../../../docs/man/nsls-explain.8"),
    include_str!("../../../docs/man/nsls-find.8"),
    include_str!("../../../docs/man/nsls-graph.8"),
    include_str!("../../../docs/man/nsls-holders.8"),
    include_str!("../../../docs/man/nsls-leaks.8"),
    include_str!("../../../docs/man/nsls-limits.8"),
    include_str!("../../../docs/man/nsls-metrics.8"),
    include_str!("../../../docs/man/nsls-translate.8"),
    include_str!("../../../docs/man/nsls-watch.8"),
);

/// Writes a man page or a completion script.
pub(crate) fn run(what: Generate, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let text = match what {
        Generate::Man => MAN,
        Generate::CompleteBash => include_str!("../../../docs/completions/nsls.bash"),
        Generate::CompleteZsh => include_str!("../../../docs/completions/_nsls"),
        Generate::CompleteFish => include_str!("../../../docs/completions/nsls.fish"),
    };
    console.print(text)
}
