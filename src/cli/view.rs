//! Where commands read and how they write.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::cli::args::{ColorArgs, RootArgs, ViewArgs, When};
use crate::cli::progress;
use crate::cli::stderr::warn;
use crate::cli::terminal::{Terminal, variable, width_of_environment};
use crate::output::{Format, Look, Palette, Taken};
use crate::proc::Sysroot;
use crate::scan::Scanner;
use crate::text::for_table;

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

/// Returns how colours look, if they are asked for.
pub(crate) fn palette(args: &ColorArgs, terminal: Terminal) -> Option<&'static Palette> {
    let has_colors = terminal.has_colors();
    if !args
        .color
        .map_or(has_colors, |when| when.is_now(has_colors))
    {
        return None;
    }
    let mut palette = Palette::default();
    if let Some(list) = variable("NSLS_COLORS")
        && let Err(error) = palette.change(&list.to_string_lossy())
    {
        warn(&for_table(error.to_string().as_bytes()));
    }
    // It is used until the end.
    Some(Box::leak(Box::new(palette)))
}

/// Returns a look that fits the terminal.
fn look(args: &ViewArgs, terminal: Terminal) -> Look {
    let palette = palette(&args.color, terminal);
    let is_live = args.scan.root.sysroot.is_none();
    let width = match args.color.color {
        Some(When::Always) => terminal.width.or_else(width_of_environment),
        _ => terminal.width,
    };
    Look {
        width: width.filter(|_| !args.notruncate),
        unicode: terminal.unicode,
        palette,
        signs: terminal.width.is_some() || palette.is_some(),
        // The paths of a captured tree were valid elsewhere.
        links: is_live
            && args
                .hyperlink
                .is_some_and(|when| when.is_now(terminal.escapes)),
        vertical: args.vertical,
        join: false,
    }
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

    /// Returns how the table looks; `None` for other formats.
    pub(crate) const fn look(&self) -> Option<Look> {
        match self.format {
            Format::Table(look) => Some(look),
            Format::Raw | Format::Json(_) => None,
        }
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
        let is_table = args.json.is_none() && !args.raw;
        let has_terminals = terminal.width.is_some() && terminal.has_stderr;
        View {
            shows_progress: terminal.wipes && !args.scan.quiet,
            sums_up: is_table && has_terminals && !args.scan.quiet,
            bpf: args.scan.bpf || (is_here && wants_bpf()),
            format: if let Some(layout) = args.json {
                Format::Json(layout.unwrap_or_default().into())
            } else if args.raw {
                Format::Raw
            } else {
                Format::Table(look(&args, terminal))
            },
            root: root(args.scan.root),
            headings: !args.noheadings,
            verbose: args.scan.verbose,
            strict: args.scan.strict,
        }
    }
}
