use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How far a scan has come, for whoever waits for it.
#[derive(Debug, Default)]
pub struct Progress {
    /// What is read, and how many there are.
    step: Mutex<Option<(&'static str, usize)>>,
    done: AtomicUsize,
}

/// One step of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is read: "processes".
    pub what: &'static str,
    /// How many of them were read.
    pub done: usize,
    /// How many there are.
    pub total: usize,
}

impl Progress {
    /// Returns the step that the scan is at; `None` before the first one.
    pub fn read(&self) -> Option<Step> {
        let step = *self.step.lock().unwrap_or_else(PoisonError::into_inner);
        let (what, total) = step?;
        let done = self.done.load(Ordering::Relaxed).min(total);
        Some(Step { what, done, total })
    }

    /// Begins a step, unless there is nothing to read.
    pub(crate) fn begin(&self, what: &'static str, total: usize) {
        if total == 0 {
            return;
        }
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        *step = Some((what, total));
        self.done.store(0, Ordering::Relaxed);
    }

    /// Counts so many things as read.
    pub(crate) fn advance(&self, more: usize) {
        self.done.fetch_add(more, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::any::Any;
    use std::sync::Arc;

    use super::*;
    use crate::model::Source;
    use crate::proc::Sysroot;
    use crate::scan::Scanner;

    /// The step at which a shown scan ended.
    static ENDED: Mutex<Option<Step>> = Mutex::new(None);

    struct Shown(Arc<Progress>);

    impl Drop for Shown {
        fn drop(&mut self) {
            *ENDED.lock().unwrap() = self.0.read();
        }
    }

    #[test]
    fn a_scan_is_shown_from_its_beginning_to_its_end() {
        fn show(progress: Arc<Progress>) -> Box<dyn Any> {
            assert_eq!(progress.read(), None);
            Box::new(Shown(progress))
        }
        let scanner = Scanner::new(Sysroot::at("fixtures/ubuntu-20.04"));
        let scanner = scanner.sources(Source::Processes).progress(show);
        scanner.scan().unwrap();
        let all = Step {
            what: "processes",
            done: 110,
            total: 110,
        };
        assert_eq!(*ENDED.lock().unwrap(), Some(all));
    }

    #[test]
    fn a_step_begins_at_nothing_and_is_never_more_than_complete() {
        let progress = Progress::default();
        assert_eq!(progress.read(), None);
        let step = |what, done, total| Some(Step { what, done, total });
        progress.begin("processes", 3);
        progress.advance(2);
        assert_eq!(progress.read(), step("processes", 2, 3));
        progress.begin("threads", 2);
        assert_eq!(progress.read(), step("threads", 0, 2));
        progress.begin("sockets", 0);
        assert_eq!(progress.read(), step("threads", 0, 2));
        // One of a step that was given up.
        progress.advance(5);
        assert_eq!(progress.read(), step("threads", 2, 2));
    }
}
