//! `nsls exec`: runs a command in each of some namespaces.

mod job;
mod lines;
mod name;
mod verdict;

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use crate::cli::args::{ExecArgs, ListArgs, ScanArgs, SelectArgs, ShowArgs, ViewArgs};
use crate::cli::commands::exec::job::Job;
use crate::cli::commands::exec::lines::{Event, Stream, read_lines};
use crate::cli::commands::exec::verdict::{CANNOT_ENTER, of_start, of_status};
use crate::cli::commands::list;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::options::Options;
use crate::cli::stderr::warn;
use crate::error::{Error, reason};
use crate::kernel::start;
use crate::model::{Kind, KindSet};
use crate::scan::{Need, Scanner};
use crate::text::for_table;

/// The number of lines that wait to be written.
const WAITING: usize = 64;

/// Runs `nsls exec`.
pub(crate) fn run(args: ExecArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let ExecArgs {
        namespace,
        command,
        mut select,
        jobs,
        all,
        scan,
    } = args;
    if namespace.is_none() && selects_everything(&select) {
        let message = "no namespaces chosen: give NAMESPACE, --type, --filter or --container";
        return Err(CliError::Usage(message.to_owned()));
    }
    if namespace.is_none() && select.types.types.is_empty() {
        // Entering the others takes more trust in those inside.
        select.types.types = usual_kinds().iter().collect();
    }
    let mut options = Options::new(listing(namespace, select, scan), console.terminal)?;
    options.columns = Vec::new();
    options.tree = None;
    if !options.view.root.is_live() {
        let message = "commands run on the live system only, not with --sysroot";
        return Err(CliError::Usage(message.to_owned()));
    }
    let needs = [
        Need::Members,
        Need::Mounts,
        Need::Affiliation,
        Need::UniqueId,
    ];
    let snapshot = list::scan(&options, options.needs().union(needs.into()))?;
    let scanner = options.view.scanner();
    let found = job::jobs(&options, &snapshot, &scanner, all)?;
    if found.is_empty() {
        let gaps = snapshot.hiding_gaps();
        return Err(Error::NothingSelected { gaps }.into());
    }
    let mut runner = Runner {
        scanner: &scanner,
        command: &command,
        console,
        escapes: [io::stdout().is_terminal(), io::stderr().is_terminal()],
        worst: 0,
    };
    let written = runner.run_all(found, jobs as usize);
    let worst = runner.worst;
    match console.finish(&snapshot, &options.view, false, written)? {
        Outcome::Incomplete if worst == 0 => Ok(Outcome::Incomplete),
        _ => Ok(Outcome::Ran(worst)),
    }
}

fn selects_everything(select: &SelectArgs) -> bool {
    select.pid.is_none()
        && select.types.types.is_empty()
        && !select.persistent
        && select.filter.as_deref().is_none_or(str::is_empty)
        && select.container.is_none()
        && select.host.is_none()
}

fn usual_kinds() -> KindSet {
    KindSet::from([Kind::Cgroup, Kind::Ipc, Kind::Net, Kind::Time, Kind::Uts])
}

/// Returns the arguments of the listing of what is selected.
fn listing(namespace: Option<PathBuf>, select: SelectArgs, scan: ScanArgs) -> ListArgs {
    ListArgs {
        namespace,
        select,
        infer: false,
        show: ShowArgs {
            list: true,
            ..ShowArgs::default()
        },
        view: ViewArgs::plain(scan),
    }
}

/// Runs commands, and writes what they write.
struct Runner<'a, 'c> {
    scanner: &'a Scanner,
    command: &'a [OsString],
    console: &'a mut Console<'c>,
    /// Whether standard output and standard error are terminals.
    escapes: [bool; 2],
    /// The most severe code so far.
    worst: u8,
}

impl Runner<'_, '_> {
    /// Runs all jobs, some at once. Ends early if nobody reads what they write.
    fn run_all(&mut self, jobs: Vec<Job>, at_once: usize) -> io::Result<()> {
        let (sender, receiver) = sync_channel(WAITING);
        let mut next = VecDeque::from(jobs);
        let mut names: Vec<String> = Vec::new();
        let mut running = 0;
        loop {
            while running < at_once
                && let Some(job) = next.pop_front()
            {
                if self.start(&job, names.len(), &sender) {
                    running += 1;
                }
                names.push(job.name);
            }
            if running == 0 {
                return Ok(());
            }
            match self.receive(&receiver)? {
                Event::Line(number, stream, line) => {
                    let name = names.get(number).map_or("", String::as_str);
                    self.write(name, stream, line)?;
                }
                Event::End(number, status) => {
                    running -= 1;
                    let name = names.get(number).map_or("", String::as_str);
                    self.judge(name, status);
                }
            }
        }
    }

    /// Waits for the next event. What was written before is shown meanwhile.
    fn receive(&mut self, receiver: &Receiver<Event>) -> io::Result<Event> {
        match receiver.try_recv() {
            Err(TryRecvError::Empty) => self.console.out.flush()?,
            event => return event.map_err(io::Error::other),
        }
        receiver.recv().map_err(io::Error::other)
    }

    /// Starts a job; returns whether it runs.
    fn start(&mut self, job: &Job, number: usize, sender: &SyncSender<Event>) -> bool {
        match self.try_start(job, number, sender) {
            Ok(()) => true,
            Err((code, message)) => {
                warn(&format!("{}: {message}", for_table(job.name.as_bytes())));
                self.worst = self.worst.max(code);
                false
            }
        }
    }

    fn try_start(
        &self,
        job: &Job,
        number: usize,
        sender: &SyncSender<Event>,
    ) -> Result<(), (u8, String)> {
        let cannot = |why: String| (CANNOT_ENTER, why);
        let words = job.fill_in(self.command).map_err(cannot)?;
        let (Some(program), arguments) = (words.first(), words.get(1..).unwrap_or_default()) else {
            return Err(cannot("no command".to_owned()));
        };
        let opened = job.open(self.scanner).map_err(cannot)?;
        let name = for_table(job.name.as_bytes());
        warn(&format!("{name}: {}", opened.describe()));
        let child = start(command(program, arguments), opened.namespaces)
            .map_err(|error| of_start(&error, &program.to_string_lossy()))?;
        watch(child, number, sender).map_err(|error| cannot(Error::Thread(error).to_string()))
    }

    fn write(&mut self, name: &str, stream: Stream, line: Vec<u8>) -> io::Result<()> {
        let [out, err] = self.escapes;
        let escapes = match stream {
            Stream::Out => out,
            Stream::Err => err,
        };
        let line = match escapes {
            true => for_table(&line).into_bytes(),
            false => line,
        };
        let name = for_table(name.as_bytes());
        let whole = [name.as_bytes(), b": ", &line, b"\n"].concat();
        match stream {
            Stream::Out => self.console.out.write_all(&whole),
            Stream::Err => {
                // With nowhere to complain to, a failure is ignored.
                let _ = io::stderr().write_all(&whole);
                Ok(())
            }
        }
    }

    fn judge(&mut self, name: &str, status: io::Result<ExitStatus>) {
        let (code, message) = match status {
            Ok(status) => of_status(status),
            Err(error) => (CANNOT_ENTER, Some(reason(&error))),
        };
        if let Some(message) = message {
            let program = self.command.first().map_or(OsStr::new(""), |word| word);
            let program = for_table(program.as_encoded_bytes());
            warn(&format!(
                "{}: {program} {message}",
                for_table(name.as_bytes())
            ));
        }
        self.worst = self.worst.max(code);
    }
}

fn command(program: &OsStr, arguments: &[OsString]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Reads what a child writes, and waits for its end, in threads of their own.
fn watch(mut child: Child, number: usize, sender: &SyncSender<Event>) -> io::Result<()> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (mine, others) = (sender.clone(), sender.clone());
    let beside = thread::Builder::new().spawn(move || {
        if let Some(err) = err {
            read_lines(err, |line| {
                others.send(Event::Line(number, Stream::Err, line)).is_ok()
            });
        }
    })?;
    thread::Builder::new().spawn(move || {
        if let Some(out) = out {
            read_lines(out, |line| {
                mine.send(Event::Line(number, Stream::Out, line)).is_ok()
            });
        }
        let _ = beside.join();
        let _ = mine.send(Event::End(number, child.wait()));
    })?;
    Ok(())
}
