//! Where commands read and how they write.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::cli::args::{RootArgs, ViewArgs};
use crate::cli::progress;
use crate::cli::terminal::Terminal;
use crate::output::{Format, Look, Taken};
use crate::proc::Sysroot;
use crate::scan::Scanner;

/// Where a command reads and how it writes.
pub(crate) struct View {
    /// The root of what is read.
    pub(crate) root: Sysroot,
    /// The format of the result.
    pub(crate) format: Format,
    /// Whether a table begins with the names of its columns.
    pub(crate) headings: bool,
    /// Whether an incomplete result counts as a failure.
    pub(crate) strict: bool,
    /// Whether to ask the kernel by BPF iterators.
    pub(crate) bpf: bool,
    /// Whether standard error shows how far a scan is.
    pub(crate) shows_progress: bool,
    /// Whether a last line on standard error says what was seen.
    pub(crate) sums_up: bool,
}

/// Returns the root to read.
pub(crate) fn root(args: RootArgs) -> Sysroot {
    args.sysroot.map_or_else(Sysroot::live, Sysroot::at)
}

/// Returns whether the environment asks for BPF iterators.
fn wants_bpf() -> bool {
    std::env::var_os("NSLS_BPF").is_some_and(|value| !value.is_empty() && value != "0")
}

impl View {
    /// Returns a scanner of what is to be read.
    pub(crate) fn scanner(&self) -> Scanner {
        let scanner = Scanner::new(self.root.clone()).bpf(self.bpf);
        match self.shows_progress {
            true => scanner.progress(progress::show),
            false => scanner,
        }
    }

    /// Returns when, as it is now, and on which boot a scan is made.
    pub(crate) fn taken(&self) -> Taken {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        let time = since.filter(|_| self.root.is_live());
        Taken {
            boot_id: self.root.boot_id(),
            time: time.map(|time| time.as_millis() as f64 / 1000.0),
        }
    }

    /// Makes a view that fits the terminal.
    pub(crate) fn new(args: ViewArgs, terminal: Terminal) -> Self {
        let is_here = args.scan.root.sysroot.is_none();
        let is_table = args.json.is_none() && !args.raw;
        let has_terminals = terminal.width.is_some() && terminal.has_stderr;
        View {
            shows_progress: terminal.wipes && !args.scan.quiet,
            sums_up: is_table && has_terminals && !args.scan.quiet,
            bpf: args.scan.bpf || (is_here && wants_bpf()),
            root: root(args.scan.root),
            format: if let Some(layout) = args.json {
                Format::Json(layout.unwrap_or_default().into())
            } else if args.raw {
                Format::Raw
            } else {
                Format::Table(Look {
                    width: terminal.width.filter(|_| !args.notruncate),
                    unicode: terminal.unicode,
                    styles: terminal.styles,
                    vertical: args.vertical,
                    join: false,
                })
            },
            headings: !args.noheadings,
            strict: args.scan.strict,
        }
    }
}
