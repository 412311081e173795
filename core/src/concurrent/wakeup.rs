//! Telling a sleeping thread, task or embedder that there is something to do.

use crate::sync::{Condvar, Mutex, mutant};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;
use std::time::Instant;

/// Everything that may sleep on one event loop: the waker given at creation, a
/// thread in `wait`, a task in `poll_event`. Waking wakes them all.
pub(crate) struct Wakeup {
    waker: Waker,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

struct Waiting {
    /// Set by a wake, cleared by the thread that waited for it.
    woken: bool,
    /// The task that polled last.
    task: Option<Waker>,
}

impl Wakeup {
    pub(crate) fn new(waker: Waker) -> Self {
        Self { waker, waiting: Mutex::new(Waiting { woken: false, task: None }), changed: Condvar::default() }
    }

    /// Wakes. Wakers are the embedder's code: they run under no lock, and one that
    /// panics is caught, for the poster is not to blame.
    pub(crate) fn wake(&self) {
        let task = {
            let mut waiting = self.waiting.lock();
            waiting.woken = !mutant("woken-without-a-flag");
            waiting.task.take()
        };
        self.changed.notify_one();
        if mutant("waker-left-to-panic") {
            self.waker.wake_by_ref();
        }
        let _ = catch_unwind(AssertUnwindSafe(|| self.waker.wake_by_ref()));
        if let Some(task) = task {
            let _ = catch_unwind(AssertUnwindSafe(|| task.wake()));
        }
    }

    /// The next wake wakes this task too. Only the last one polled is kept.
    pub(crate) fn register(&self, task: &Waker) {
        let task = Some(task.clone());
        let before = std::mem::replace(&mut self.waiting.lock().task, task);
        drop(before);
    }

    /// Lets go of the task that polled last: nothing will wake it for this loop.
    pub(crate) fn forget_task(&self) {
        let task = self.waiting.lock().task.take();
        if mutant("task-kept-by-a-closed-loop") {
            self.waiting.lock().task = task;
        }
    }

    /// Sleeps until a wake, or returns at once if one came since the last sleep.
    pub(crate) fn sleep(&self) {
        let mut waiting = self.waiting.lock();
        waiting.woken &= !mutant("flag-cleared-before-sleeping");
        while !waiting.woken {
            waiting = self.changed.wait(waiting);
        }
        waiting.woken = false;
    }

    /// As [`sleep`](Self::sleep), until `deadline` at most. Whether a wake came.
    pub(crate) fn sleep_until(&self, deadline: Instant) -> bool {
        let mut waiting = self.waiting.lock();
        while !waiting.woken {
            let (guard, late) = self.changed.wait_until(waiting, deadline);
            waiting = guard;
            if late {
                break;
            }
        }
        std::mem::take(&mut waiting.woken)
    }
}

impl fmt::Debug for Wakeup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakeup").finish_non_exhaustive()
    }
}
