//! The command `nsls`.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use nsls::{Cli, Console};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let stdout = io::stdout();
    let width = rustix::termios::tcgetwinsize(&stdout).map_or(0, |size| size.ws_col.into());
    let console = Console {
        width: Some(width).filter(|width| *width > 0 && stdout.is_terminal()),
        out: &mut BufWriter::new(stdout.lock()),
        messages: &mut |line| {
            // With nowhere to complain to there is nothing to be done.
            let _ = writeln!(io::stderr(), "nsls: {line}");
        },
    };
    ExitCode::from(nsls::run(cli, console))
}
