//! Whether anything is going on in the browser: what lets a run end by itself, and a
//! user act at a moment that is the same in every run.
//!
//! Everything under way holds a [`Busy`]: each thread while it is awake, each request
//! to the browser process until it is carried out. A record in a lane of the core
//! holds none and needs none: the core wakes its receiver before the sender's call
//! returns, that is while the sender is still awake. So once the count is zero it
//! stays zero until a timer or the user starts something.

use crate::browser::{Request, Requests};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts what is under way.
pub(crate) struct Activity {
    under_way: AtomicUsize,
    timers: AtomicUsize,
    requests: Requests,
}

impl Activity {
    /// Nothing is under way yet. The browser process will be told by
    /// [`Request::Calm`] whenever the last thing under way has ended.
    pub(crate) fn new(requests: Requests) -> Arc<Self> {
        Arc::new(Self { under_way: AtomicUsize::new(0), timers: AtomicUsize::new(0), requests })
    }

    /// Something begins; it lasts until the result is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        // ORDERING: who begins something is busy already or is the browser process,
        // so no zero can be missed; the requests' channel orders the rest.
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// A thread sleeps until a timer is due; it does until the result is dropped.
    pub(crate) fn begin_timer(self: &Arc<Self>) -> TimerSet {
        // ORDERING: made before the thread drops its `Busy`, which releases it.
        self.timers.fetch_add(1, Ordering::Relaxed);
        TimerSet(Arc::clone(self))
    }

    /// Whether nothing is under way, timers aside.
    pub(crate) fn is_calm(&self) -> bool {
        // ORDERING: pairs with the release in `Busy::drop`.
        self.under_way.load(Ordering::Acquire) == 0
    }

    /// Whether nothing is under way and no timer is set.
    pub(crate) fn is_quiet(&self) -> bool {
        // The order counts: a thread takes its `TimerSet` before it drops its `Busy`,
        // and a new `Busy` before it drops the `TimerSet`.
        self.is_calm() && self.timers.load(Ordering::Acquire) == 0 && self.is_calm()
    }
}

/// Something is under way.
pub(crate) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        // ORDERING: releases what was done meanwhile to who finds all calm.
        if self.0.under_way.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.requests.send(Request::Calm, None);
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
        // ORDERING: the thread took a `Busy` before; see `is_quiet`.
        self.0.timers.fetch_sub(1, Ordering::Release);
    }
}
