//! The command `nsls`.

use std::io::{self, BufWriter};
use std::process::ExitCode;

use nsls::cli::{Cli, Console, Terminal};

fn main() -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut console = Console {
        out: &mut out,
        terminal: Terminal::of_stdout(),
    };
    let result = Cli::from_env().and_then(|cli| cli.run(&mut console));
    match result {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => error.report(),
    }
}
