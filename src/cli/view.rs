//! Where commands read and how they write.

use crate::cli::args::{RootArgs, ViewArgs};
use crate::cli::terminal::Terminal;
use crate::output::{Format, Look};
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

    /// Makes a view that fits the terminal.
    pub(crate) fn new(args: ViewArgs, terminal: Terminal) -> Self {
        let is_here = args.scan.root.sysroot.is_none();
        View {
            bpf: args.scan.bpf || (is_here && wants_bpf()),
            root: root(args.scan.root),
            format: if args.json {
                Format::Json
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
            strict: args.scan.strict,
        }
    }
}
