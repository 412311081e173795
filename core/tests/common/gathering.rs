//! Threads that act, and in the end wait for one another.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

/// Knows how far threads are. One that panics says so, and nobody waits for it.
pub struct Gathering {
    threads: usize,
    /// Threads that still act.
    active: AtomicUsize,
    /// How often any of the threads met the others.
    met: AtomicUsize,
    broken: AtomicBool,
}

impl Gathering {
    /// Of so many threads some act on their own account; the others follow them.
    pub fn new(threads: usize, active: usize) -> Self {
        let (met, broken) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { threads, active: AtomicUsize::new(active), met, broken }
    }

    /// The calling thread has done what it had to do.
    pub fn calm_down(&self) {
        self.active.fetch_sub(1, SeqCst);
    }

    pub fn is_anybody_active(&self) -> bool {
        self.active.load(SeqCst) > 0 && !self.is_broken()
    }

    pub fn is_broken(&self) -> bool {
        self.broken.load(SeqCst)
    }

    /// Nobody need wait for the calling thread.
    pub fn breaks(&self) {
        self.broken.store(true, SeqCst);
    }

    /// Waits until every thread has called this as often as the calling one, whose count of it is `before`. Gives
    /// `false` when one will not come.
    pub fn meet(&self, before: &mut usize) -> bool {
        *before += 1;
        self.met.fetch_add(1, SeqCst);
        while self.met.load(SeqCst) < *before * self.threads {
            if self.is_broken() {
                return false;
            }
            thread::yield_now();
        }
        true
    }
}
