//! What a script thread sleeps on: one bell for the core's events and the browser
//! process's tasks.

use crate::activity::{Activity, Busy, TimerSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Wake;
use std::time::Instant;

/// A thread's bell. As a [`Waker`](std::task::Waker) it is what the thread's
/// [`EventLoop`](port_core::EventLoop) rings; who sends the thread a task rings it too.
pub(crate) struct Bell {
    state: Mutex<State>,
    rung: Condvar,
    activity: Arc<Activity>,
}

struct State {
    rung: bool,
    thread: Thread,
}

/// What the thread does.
enum Thread {
    /// It works, or is about to.
    Awake { _busy: Busy },
    /// It waits for the bell, or for a timer too.
    Asleep { _timer: Option<TimerSet> },
    /// It has ended.
    Gone,
}

impl Bell {
    /// The bell of a thread that is about to start.
    pub(crate) fn new(activity: &Arc<Activity>) -> Arc<Self> {
        let thread = Thread::Awake { _busy: activity.begin() };
        let state = Mutex::new(State { rung: false, thread });
        Arc::new(Self { state, rung: Condvar::new(), activity: Arc::clone(activity) })
    }

    /// Wakes the thread, or keeps it from falling asleep.
    pub(crate) fn ring(&self) {
        let mut state = self.state();
        state.rung = true;
        // From here on there is something to do, even though the thread has not
        // noticed yet.
        self.mark_awake(&mut state);
        self.rung.notify_one();
    }

    /// Sleeps until the bell is rung, or was since the latest sleep, or until a timer is due.
    pub(crate) fn sleep(&self, timer: Option<Instant>) {
        let mut state = self.state();
        if !state.rung {
            state.thread = Thread::Asleep { _timer: timer.map(|_| self.activity.begin_timer()) };
        }
        while !state.rung {
            state = match timer.map(|due| due.saturating_duration_since(Instant::now())) {
                None => self.rung.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(rest) if rest.is_zero() => break,
                Some(rest) => self.rung.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        self.mark_awake(&mut state);
        state.rung = false;
    }

    /// The thread has ended; nothing it is sent keeps the browser busy any more.
    pub(crate) fn retire(&self) {
        self.state().thread = Thread::Gone;
    }

    fn mark_awake(&self, state: &mut State) {
        if matches!(state.thread, Thread::Asleep { .. }) {
            state.thread = Thread::Awake { _busy: self.activity.begin() };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}
