//! Telling a sleeping thread, task or embedder that there is something to do.

use crate::contain::contain;
use crate::sync::{Condvar, Mutex, mutant};
use std::fmt;
use std::task::{Wake, Waker};
use std::time::Instant;

/// Wakes everything that may sleep on one event loop: what the embedder's waker wakes, a
/// thread in `wait`, and a task in `poll_event`.
pub(crate) struct Wakeup {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

struct Waiting {
    /// Set by a wake, cleared by the thread that waited for it.
    woken: bool,
    /// The task that polled last.
    task: Option<Contained>,
    /// The embedder's. Counted, for to clone a waker is to run the embedder's code, which must not run under the
    /// lock. `std`'s count in models, too: nothing is read on the strength of it.
    waker: std::sync::Arc<Contained>,
}

/// A waker whose destructor may panic: nobody who lets go of it is to blame.
pub(crate) struct Contained(Option<Waker>);

impl Contained {
    pub(crate) fn new(waker: Waker) -> Self {
        Self(Some(waker))
    }

    /// Calls it; a panic in it is caught.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &self.0 {
            contain(|| waker.wake_by_ref());
        }
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        let waker = self.0.take();
        contain(|| drop(waker));
    }
}

impl Wakeup {
    pub(crate) fn new(waker: Waker) -> Self {
        let waiting = Waiting { woken: false, task: None, waker: std::sync::Arc::new(Contained::new(waker)) };
        Self { waiting: Mutex::new(waiting), changed: Condvar::default() }
    }

    /// Replaces the embedder's waker. A thread that has taken the old one already may still call it once.
    pub(crate) fn set_waker(&self, waker: Waker) {
        let waker = std::sync::Arc::new(Contained::new(waker));
        let before = std::mem::replace(&mut self.waiting.lock().waker, waker);
        drop(before);
    }

    /// Wakes everything that sleeps on the loop. Wakers are the embedder's code: they run under no lock, and a panic
    /// in one is caught, so that it does not hit the thread that happened to post.
    pub(crate) fn wake(&self) {
        let (task, waker) = {
            let mut waiting = self.waiting.lock();
            waiting.woken = !mutant("woken-without-a-flag");
            (waiting.task.take(), std::sync::Arc::clone(&waiting.waker))
        };
        self.changed.notify_one();
        if mutant("waker-left-to-panic")
            && let Some(waker) = &waker.0
        {
            waker.wake_by_ref();
        }
        waker.wake();
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Registers a task to be woken by the next wake. Only the last one is kept.
    pub(crate) fn register(&self, task: &Waker) {
        let task = Some(Contained::new(task.clone()));
        let before = std::mem::replace(&mut self.waiting.lock().task, task);
        drop(before);
    }

    /// Drops the task that polled last: nothing will wake it for this loop any more.
    pub(crate) fn forget_task(&self) {
        let task = self.waiting.lock().task.take_if(|_| !mutant("task-kept-by-a-closed-loop"));
        drop(task);
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

    /// Sleeps like [`sleep`](Self::sleep), but not longer than until `deadline`. Returns whether a wake came.
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

/// Makes a waker that calls a closure.
pub(crate) fn waker_of(wake: impl Fn() + Send + Sync + 'static) -> Waker {
    struct Call<F>(F);

    impl<F: Fn() + Send + Sync> Wake for Call<F> {
        fn wake(self: std::sync::Arc<Self>) {
            (self.0)();
        }

        fn wake_by_ref(self: &std::sync::Arc<Self>) {
            (self.0)();
        }
    }

    Waker::from(std::sync::Arc::new(Call(wake)))
}

impl fmt::Debug for Wakeup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakeup").finish_non_exhaustive()
    }
}
