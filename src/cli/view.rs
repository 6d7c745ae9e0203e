//! Where commands read and how they write.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::cli::args::{RootArgs, ViewArgs};
use crate::cli::console::warn;
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
    /// Whether to say on standard error what hides nothing, too.
    pub(crate) verbose: bool,
    /// Whether an incomplete result counts as a failure.
    pub(crate) strict: bool,
    /// Whether to ask the kernel by BPF iterators.
    pub(crate) bpf: bool,
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
        Scanner::new(self.root.clone()).bpf(self.bpf)
    }

    /// Says on standard error what a result lacks. JSON has it in the document,
    /// and scripts take both streams for one.
    pub(crate) fn remark(&self, message: &str) {
        if !self.format.is_json() {
            warn(message);
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
        View {
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
                    join: false,
                })
            },
            headings: !args.noheadings,
            verbose: args.scan.verbose,
            strict: args.scan.strict,
        }
    }
}
