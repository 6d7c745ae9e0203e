//! The command `nsls`.

use std::io::BufWriter;
use std::process::ExitCode;

use nsls::cli::{Cli, Console, Stdout, Terminal};

fn main() -> ExitCode {
    let mut out = BufWriter::new(Stdout::new());
    let mut console = Console {
        out: &mut out,
        terminal: Terminal::of_process(),
    };
    let result = Cli::from_env().and_then(|cli| cli.run(&mut console));
    match result {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => error.report(),
    }
}
