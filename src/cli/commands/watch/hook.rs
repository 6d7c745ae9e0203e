//! `--exec`: a command for each event, without a shell.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::process::{Child, Command, Stdio};

use crate::cli::commands::watch::say::WallClock;
use crate::cli::stderr::warn;
use crate::error::reason;
use crate::text::for_table;
use crate::watch::Event;

/// How many commands run at once.
const AT_ONCE: usize = 8;
/// How many events wait for their command.
const WAITING: usize = 1024;

/// A command that runs for each event.
#[derive(Debug)]
pub(super) struct Hook {
    words: Vec<OsString>,
    running: Vec<Child>,
    waiting: VecDeque<Vec<(&'static str, String)>>,
    skipped: u64,
    has_failed: bool,
}

impl Hook {
    /// Returns none if there is no command.
    pub(super) fn new(words: Vec<OsString>) -> Option<Self> {
        (!words.is_empty()).then(|| Hook {
            words,
            running: Vec::new(),
            waiting: VecDeque::new(),
            skipped: 0,
            has_failed: false,
        })
    }

    /// Runs the command for an event, as soon as fewer run.
    pub(super) fn push(&mut self, event: &Event, clock: WallClock) {
        if self.waiting.len() >= WAITING {
            self.skipped += 1;
            return;
        }
        self.waiting.push_back(variables(event, clock));
        self.run();
    }

    /// Returns for how many events no command ran, since this was last asked.
    pub(super) fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    /// Returns whether commands run or wait.
    pub(super) fn is_busy(&self) -> bool {
        !self.running.is_empty() || !self.waiting.is_empty()
    }

    /// Waits for those that have ended, and starts others.
    pub(super) fn run(&mut self) {
        self.running
            .retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        while self.running.len() < AT_ONCE
            && let Some(variables) = self.waiting.pop_front()
        {
            match self.start(variables) {
                Ok(child) => self.running.push(child),
                Err(error) if !self.has_failed => {
                    self.has_failed = true;
                    let program = self.words.first().map(|word| word.as_encoded_bytes());
                    let program = for_table(program.unwrap_or_default());
                    warn(&format!("cannot run {program}: {}", reason(&error)));
                }
                Err(_) => {}
            }
        }
    }

    fn start(&self, variables: Vec<(&'static str, String)>) -> io::Result<Child> {
        let [program, arguments @ ..] = &self.words[..] else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        Command::new(program)
            .args(arguments)
            .envs(variables)
            .stdin(Stdio::null())
            // Standard output is for events.
            .stdout(io::stderr())
            .spawn()
    }
}

/// Returns what a command is told of an event. Text that others chose is escaped,
/// because scripts are careless with variables.
fn variables(event: &Event, clock: WallClock) -> Vec<(&'static str, String)> {
    let who = event.who.as_ref();
    let number = |number: Option<String>| number.unwrap_or_default();
    let command = who.and_then(|who| who.command.as_ref());
    vec![
        ("NSLS_EVENT", event.what.name().to_owned()),
        ("NSLS_TIME", clock.utc(event.time)),
        ("NSLS_TYPE", event.id.kind.name().to_owned()),
        ("NSLS_NS", event.id.ino.to_string()),
        ("NSLS_ID", number(event.unique_id.map(|id| id.to_string()))),
        ("NSLS_BY", event.means.name().to_owned()),
        ("NSLS_PID", number(who.map(|who| who.pid.to_string()))),
        ("NSLS_TID", number(who.map(|who| who.tid.to_string()))),
        ("NSLS_COMMAND", number(command.map(ToString::to_string))),
        (
            "NSLS_LIVED",
            number(
                event
                    .lived
                    .map(|lived| format!("{:.6}", lived as f64 / 1e9)),
            ),
        ),
        (
            "NSLS_CERTAIN",
            if event.is_certain { "yes" } else { "no" }.to_owned(),
        ),
    ]
}
