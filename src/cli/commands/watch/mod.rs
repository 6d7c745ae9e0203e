//! `nsls watch`: namespaces as they come, are entered, and go.

mod engine;
mod hook;
mod outbox;
mod pace;
mod say;
mod select;
mod until;

use std::io::{self, Write};

use rustix::io::Errno;

use crate::cli::args::{RootArgs, ScanArgs, ViewArgs, WatchArgs};
use crate::cli::commands::watch::engine::{Engine, Woken};
use crate::cli::commands::watch::hook::Hook;
use crate::cli::commands::watch::outbox::Outbox;
use crate::cli::commands::watch::say::WallClock;
use crate::cli::commands::watch::select::Selection;
use crate::cli::commands::watch::until::Until;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::stderr::warn;
use crate::cli::terminal::Terminal;
use crate::cli::view::{View, palette};
use crate::error::reason;
use crate::kernel::{Perf, Signal, Signals};
use crate::model::{Gap, Kind, Member, Snapshot};
use crate::output::{Palette, Role, summarise};
use crate::scan::{Need, Scanner};
use crate::watch::{Event, Notice};

/// Runs `nsls watch`.
pub(crate) fn run(args: WatchArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let until = args.until.as_deref().map(Until::parse).transpose()?;
    let interval = args.interval.as_deref().map(until::interval).transpose()?;
    let view = View::new(view_args(), console.terminal);
    let selection = Selection::new(
        args.types.types,
        args.filter.as_deref(),
        args.container,
        until.as_ref(),
        view.root.clone(),
    )?;
    // Before any thread starts.
    let signals = Signals::block().map_err(|errno| cannot("read signals", errno))?;
    let pages = args
        .ring_pages
        .and_then(|pages| usize::try_from(pages).ok());
    let perf = match Perf::open(pages) {
        Ok(perf) => Some(perf),
        Err(errno) => {
            if args.json.is_none() {
                warn(&polls(errno, pages.is_some()));
            }
            None
        }
    };
    let needs = selection.needs().union(Need::UniqueId.into());
    let scanner = view.scanner().needs(needs);
    let has_perf = perf.is_some();
    let is_over = matches!(until, Some(Until::Count(0)));
    let engine = Engine::new(perf, scanner.clone(), &view.root, interval);
    let mut session = Session {
        engine,
        selection,
        scanner,
        until,
        hook: Hook::new(args.exec),
        outbox: Outbox::default(),
        is_json: args.json.is_some(),
        terminal: console.terminal,
        palette: palette(&args.color, console.terminal),
        has_footer: false,
        said: [0; 4],
        has_perf,
        has_begun: false,
        is_over,
        told_lost: 0,
    };
    session.run(&signals, console.out)
}

fn view_args() -> ViewArgs {
    ViewArgs::plain(ScanArgs {
        strict: false,
        quiet: true,
        verbose: false,
        bpf: false,
        root: RootArgs { sysroot: None },
    })
}

fn cannot(what: &str, errno: Errno) -> CliError {
    CliError::Usage(format!("cannot {what}: {}", reason(&errno.into())))
}

/// Says why records cannot be had.
fn polls(errno: Errno, has_chosen_pages: bool) -> String {
    let why = match errno {
        Errno::ACCESS | Errno::PERM if has_chosen_pages => {
            "perf events need CAP_PERFMON, and --ring-pages CAP_IPC_LOCK".to_owned()
        }
        Errno::ACCESS | Errno::PERM => "perf events need CAP_PERFMON".to_owned(),
        errno => format!("no perf events: {}", reason(&errno.into())),
    };
    format!("scanning at intervals ({why}); what comes and goes in between is not seen")
}

/// A watch that goes on.
struct Session {
    engine: Engine,
    selection: Selection,
    scanner: Scanner,
    until: Option<Until>,
    hook: Option<Hook>,
    outbox: Outbox,
    is_json: bool,
    terminal: Terminal,
    palette: Option<&'static Palette>,
    has_footer: bool,
    /// How many events of each kind were shown.
    said: [u64; 4],
    has_perf: bool,
    /// Whether the first scan has ended.
    has_begun: bool,
    /// Whether the end that was asked for has come.
    is_over: bool,
    /// How many lost records were told of.
    told_lost: u64,
}

impl Session {
    fn run(&mut self, signals: &Signals, out: &mut dyn Write) -> Result<Outcome, CliError> {
        let began = self.engine.live.now();
        self.engine.begin_scan()?;
        let mut end = u64::MAX;
        let mut is_stopped = false;
        while !is_stopped && !self.is_over {
            let woken = self
                .engine
                .wait(signals, end, !self.outbox.is_empty())
                .map_err(|errno| cannot("wait", errno))?;
            if woken.by_signal {
                while let Some(signal) = signals.next() {
                    is_stopped |= signal == Signal::End;
                    if signal == Signal::Resized {
                        self.terminal.width = Terminal::of_process().width;
                        self.show_footer();
                    }
                }
                if let Some(hook) = &mut self.hook {
                    hook.run();
                }
            }
            self.write(woken, out)?;
            self.engine.drain();
            self.take_scan()?;
            if self.has_begun {
                if let (u64::MAX, Some(Until::Time(time))) = (end, &self.until) {
                    let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
                    end = self.engine.live.now().saturating_add(time);
                }
                let notices = self.engine.settle();
                self.take(&notices);
            }
            if self.engine.is_scan_due() {
                self.engine.begin_scan()?;
            }
            self.is_over |= self.engine.live.now() >= end;
        }
        self.tell_last_losses();
        self.finish(signals, out)?;
        if is_stopped {
            let time = self.engine.live.now().saturating_sub(began);
            let time = std::time::Duration::from_nanos(time);
            warn(&say::summary(time, self.said, self.engine.lost()));
        }
        Ok(Outcome::Done)
    }

    /// Tells of records that were lost after the last scan began.
    fn tell_last_losses(&mut self) {
        let records = self.engine.lost().saturating_sub(self.told_lost);
        let now = self.engine.live.now();
        match (records, self.is_json) {
            (0, _) => {}
            (_, true) => self.outbox.push(&say::json_count("lost", records, now)),
            (_, false) => self.remark(&format!("{records} records lost, with no scan since")),
        }
    }

    /// Takes a scan that has ended.
    fn take_scan(&mut self) -> Result<(), CliError> {
        match self.engine.end_scan() {
            Ok(None) => {}
            Ok(Some((snapshot, notices))) => {
                self.selection.take(&snapshot);
                if !self.has_begun {
                    self.has_begun = true;
                    self.begin(&snapshot);
                }
                self.take(&notices);
            }
            // Without the first there is nothing to begin with.
            Err(error) if !self.has_begun => return Err(error.into()),
            Err(error) => self.remark(&format!("a scan failed: {error}")),
        }
        Ok(())
    }

    /// Says what there is to begin with.
    fn begin(&mut self, snapshot: &Snapshot) {
        if self.is_json {
            let now = self.engine.live.now();
            let line = say::json_begin(snapshot, now, self.has_perf);
            self.outbox.push(&line);
        } else if let Some(line) = summarise(&snapshot.gaps, Gap::is_told, None) {
            warn(&line);
        }
        self.show_footer();
    }

    fn take(&mut self, notices: &[Notice]) {
        let clock = WallClock::at(self.engine.live.now());
        self.selection.begin();
        let before = self.said;
        for notice in notices {
            match notice {
                Notice::Event(event) => self.take_event(event, clock),
                Notice::Lost { time, records } => {
                    self.told_lost = self.told_lost.saturating_add(*records);
                    self.say_count("lost", *records, *time);
                }
            }
            if self.is_over {
                break;
            }
        }
        let now = self.engine.live.now();
        match self.outbox.take_dropped() {
            0 => {}
            dropped => self.say_count("dropped", dropped, now),
        }
        if let Some(hook) = &mut self.hook {
            let skipped = hook.take_skipped();
            if skipped > 0 {
                self.say_count("skipped", skipped, now);
            }
        }
        if before != self.said {
            self.show_footer();
        }
    }

    fn take_event(&mut self, event: &Event, clock: WallClock) {
        let watcher = &self.engine.watcher;
        if self.selection.selects(event, watcher, &self.scanner) {
            let line = match self.is_json {
                true => say::json(event, clock),
                false => say::line(event, clock, self.palette).into_bytes(),
            };
            self.wipe_footer();
            self.outbox.push(&line);
            if let Some(count) = self.said.get_mut(event.what as usize) {
                *count += 1;
            }
            if let Some(hook) = &mut self.hook {
                hook.push(event, clock);
            }
            self.is_over = match &self.until {
                Some(Until::Count(count)) => self.said.iter().sum::<u64>() >= *count,
                Some(Until::Match(filter)) => {
                    self.selection.matches(filter, event, &self.engine.watcher)
                }
                _ => false,
            };
        }
        self.selection.forget(event);
    }

    fn say_count(&mut self, what: &'static str, count: u64, time: u64) {
        if self.is_json {
            self.outbox.push(&say::json_count(what, count, time));
            return;
        }
        let noun = |one: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {one}s"),
        };
        let text = match what {
            "lost" => format!("{} lost; rescanned", noun("record")),
            "dropped" => format!("{} not shown: nobody read them", noun("event")),
            _ => format!("no command run for {}: too many at once", noun("event")),
        };
        self.remark(&text);
    }

    fn remark(&mut self, text: &str) {
        if self.is_json {
            warn(text);
            return;
        }
        self.wipe_footer();
        self.outbox.push(say::remark(text).as_bytes());
    }

    /// Shows the last line of a terminal anew.
    fn show_footer(&mut self) {
        let (Some(width), Some(palette), false) = (self.terminal.width, self.palette, self.is_json)
        else {
            return;
        };
        let mut counts = self.engine.watcher.counts();
        let counts: Vec<(Kind, usize)> = Kind::ALL
            .iter()
            .filter_map(|kind| Some((*kind, counts.remove(kind)?)))
            .collect();
        let footer = say::footer(&counts, self.said, width);
        self.wipe_footer();
        let footer = palette.paint(Role::Context, &footer);
        self.outbox.push(footer.as_bytes());
        self.has_footer = true;
    }

    fn wipe_footer(&mut self) {
        if std::mem::take(&mut self.has_footer) {
            self.outbox.push(b"\r\x1b[K");
        }
    }

    fn write(&mut self, woken: Woken, out: &mut dyn Write) -> Result<(), CliError> {
        if woken.is_closed {
            return Err(CliError::Output(io::ErrorKind::BrokenPipe.into()));
        }
        if woken.can_write && !self.outbox.is_empty() {
            self.outbox.write(out).map_err(CliError::Output)?;
        }
        Ok(())
    }

    /// Writes what is left, and waits for commands that run, until a signal comes.
    fn finish(&mut self, signals: &Signals, out: &mut dyn Write) -> Result<(), CliError> {
        self.wipe_footer();
        loop {
            let is_busy = self.hook.as_ref().is_some_and(Hook::is_busy);
            if self.outbox.is_empty() && !is_busy {
                return Ok(());
            }
            let woken = engine::wait_for(signals, !self.outbox.is_empty())
                .map_err(|errno| cannot("wait", errno))?;
            self.write(woken, out)?;
            if woken.by_signal {
                while let Some(signal) = signals.next() {
                    if signal == Signal::End {
                        return Ok(());
                    }
                }
            }
            if let Some(hook) = &mut self.hook {
                hook.run();
            }
        }
    }
}
