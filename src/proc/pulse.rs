//! A sign that work on this thread goes on, for whoever waits for it.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

thread_local! {
    static OWN: RefCell<Option<Pulse>> = const { RefCell::new(None) };
}

/// A count that grows while the work of a thread goes on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse(Arc<AtomicUsize>);

impl Pulse {
    /// Makes this the pulse of the calling thread.
    pub(crate) fn feel(&self) {
        OWN.set(Some(self.clone()));
    }

    /// Returns the count.
    pub(crate) fn read(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Shows that a step of long work is done.
pub(crate) fn beat() {
    OWN.with_borrow(|own| {
        if let Some(Pulse(count)) = own {
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
}
