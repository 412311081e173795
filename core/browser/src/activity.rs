//! Whether anything is going on in the browser: what lets a run end by itself, and a
//! user act at a moment that is the same in every run.
//!
//! Everything under way holds a [`Busy`]: each thread while it is awake, each request
//! to the browser process until it is carried out. A record in a lane of the core
//! holds none and needs none: a receiver that sleeps is woken by the core before the
//! sender's call returns, that is while the sender is still awake, and one that looks
//! out for records is awake itself. So once the count is zero it stays zero until a
//! timer or the user starts something.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counts what is under way, and which threads have a timer to wake them.
pub(crate) struct Activity {
    /// What is under way, plus [`TIMER`] for each thread that sleeps until a timer is
    /// due. One number, so that a thread which wakes and sleeps again is never missed:
    /// it is in one of the two halves at every moment.
    counts: AtomicU64,
    /// Called by whoever ends the last thing under way.
    on_calm: Box<dyn Fn() + Send + Sync>,
}

const BUSY: u64 = 1;
const TIMER: u64 = 1 << 32;

impl Activity {
    /// Nothing is under way yet. `on_calm` is called whenever the last thing under way has ended.
    pub(crate) fn new(on_calm: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { counts: AtomicU64::new(0), on_calm: Box::new(on_calm) })
    }

    /// Something begins; it lasts until the result is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        // ORDERING: who begins something is busy already, or is the browser process
        // itself, or has a timer; none of them lets the count be zero meanwhile.
        self.counts.fetch_add(BUSY, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// A thread is about to sleep until a timer is due; it does until the result is
    /// dropped. To be called before it drops its [`Busy`], and dropped after it has
    /// a new one.
    pub(crate) fn begin_timer(self: &Arc<Self>) -> TimerSet {
        // ORDERING: released with the thread's `Busy`.
        self.counts.fetch_add(TIMER, Ordering::Relaxed);
        TimerSet(Arc::clone(self))
    }

    /// Whether nothing is under way, timers aside.
    pub(crate) fn is_calm(&self) -> bool {
        // ORDERING: pairs with the release in `Busy::drop`.
        is_calm(self.counts.load(Ordering::Acquire))
    }

    /// Whether nothing is under way and no timer is set.
    pub(crate) fn is_quiet(&self) -> bool {
        // ORDERING: see `is_calm`.
        self.counts.load(Ordering::Acquire) == 0
    }
}

fn is_calm(counts: u64) -> bool {
    counts.is_multiple_of(TIMER)
}

/// Something is under way.
pub(crate) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        // ORDERING: releases what was done meanwhile to who finds all calm.
        let before = self.0.counts.fetch_sub(BUSY, Ordering::AcqRel);
        if is_calm(before - BUSY) {
            (self.0.on_calm)();
        }
    }
}

impl fmt::Debug for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Busy")
    }
}

/// A thread sleeps until a timer is due.
pub(crate) struct TimerSet(Arc<Activity>);

impl Drop for TimerSet {
    fn drop(&mut self) {
        // ORDERING: the thread has a new `Busy`, which releases this too.
        self.0.counts.fetch_sub(TIMER, Ordering::Relaxed);
    }
}

/// How many bytes of requests of one process wait to be carried out.
pub(crate) struct Backlog {
    bytes: AtomicUsize,
    most: usize,
    /// Called when there is room again.
    on_room: Box<dyn Fn() + Send + Sync>,
}

impl Backlog {
    /// Nothing waits yet. `on_room` is called when less than `most` bytes wait again.
    pub(crate) fn new(most: usize, on_room: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { bytes: AtomicUsize::new(0), most, on_room: Box::new(on_room) })
    }

    /// Something waits, until the result is dropped.
    pub(crate) fn add(self: &Arc<Self>, bytes: usize) -> Waiting {
        // ORDERING: a mere count.
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Waiting { backlog: Arc::clone(self), bytes }
    }

    /// Whether more may come.
    pub(crate) fn has_room(&self) -> bool {
        // ORDERING: pairs with the release in `Waiting::drop`; who finds no room is told when there is some.
        self.bytes.load(Ordering::Acquire) < self.most
    }
}

/// Something waits to be carried out.
pub(crate) struct Waiting {
    backlog: Arc<Backlog>,
    bytes: usize,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // ORDERING: see `Backlog::has_room`.
        let before = self.backlog.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        if before >= self.backlog.most && before - self.bytes < self.backlog.most {
            (self.backlog.on_room)();
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting")
    }
}
