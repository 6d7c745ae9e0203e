//! The command `nsls`.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use nsls::cli::{self, Cli, Console};

fn main() -> ExitCode {
    let stdout = io::stdout();
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let width = rustix::termios::tcgetwinsize(&stdout).map_or(0, |size| size.ws_col.into());
    let console = Console {
        width: Some(width).filter(|width| *width > 0 && stdout.is_terminal()),
        unicode: locale.is_some_and(|locale| cli::is_utf8_locale(&locale)),
        styles: set("NO_COLOR").is_none() && set("TERM").is_some_and(|term| term != "dumb"),
        out: &mut BufWriter::new(stdout.lock()),
        messages: &mut |line| {
            // With nowhere to complain to there is nothing to be done.
            let _ = writeln!(io::stderr(), "nsls: {line}");
        },
    };
    ExitCode::from(cli::run(Cli::of_process(), console))
}
