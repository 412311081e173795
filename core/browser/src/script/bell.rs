//! What a script thread sleeps on: one bell for the core's events and the browser
//! process's tasks.

use crate::activity::{Activity, Busy, TimerSet};
use std::hint;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Wake;
use std::thread;
use std::time::{Duration, Instant};

/// How long a thread looks out for work before it sleeps. To fall asleep and be woken takes
/// about as long, so it loses at most what it might have won.
const LOOK_OUT: Duration = Duration::from_micros(50);

/// A sleep as short as this shows that somebody answers at once, and that looking out pays.
const SHORT: Duration = Duration::from_micros(200);

/// How often a thread looks before it asks what time it is and lets others have the processor.
const LOOKS: u32 = 16;

/// The thread works, or is about to.
const AWAKE: u8 = 0;
/// It is to work once more before it sleeps.
const RUNG: u8 = 1;
/// It sleeps; whoever rings has to wake it.
const ASLEEP: u8 = 2;

/// A thread's bell. As a [`Waker`](std::task::Waker) it is what the thread's
/// [`EventLoop`](port_core::EventLoop) rings; who sends the thread a task rings it too.
pub(crate) struct Bell {
    state: AtomicU8,
    thread: Mutex<Thread>,
    rung: Condvar,
    activity: Arc<Activity>,
    /// Whether to look out for work before sleeping; the thread's own.
    looks_out: AtomicBool,
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
        Arc::new(Self {
            state: AtomicU8::new(AWAKE),
            thread: Mutex::new(thread),
            rung: Condvar::new(),
            activity: Arc::clone(activity),
            looks_out: AtomicBool::new(false),
        })
    }

    /// Wakes the thread, or keeps it from falling asleep.
    pub(crate) fn ring(&self) {
        // ORDERING: releases what there is to do; pairs with the acquire in `hear`.
        if self.state.swap(RUNG, Ordering::AcqRel) == ASLEEP {
            let mut thread = self.thread();
            // ORDERING: under the lock. The thread may have woken by itself meanwhile, heard
            // this ring, and be asleep again.
            if self.state.load(Ordering::Relaxed) == RUNG {
                // From here on there is something to do, even though the thread has not
                // noticed yet.
                self.mark_awake(&mut thread);
                self.rung.notify_one();
            }
        }
    }

    /// Looks for work for a moment, if it came soon the last time; says whether it came: `look`
    /// found some, the bell was rung, or a timer is due. What `look` finds needs no bell:
    /// an event loop that was not told that its thread will sleep rings none.
    pub(crate) fn look_out(&self, timer: Option<Instant>, mut look: impl FnMut() -> bool) -> bool {
        // ORDERING: the thread's own.
        if !self.looks_out.load(Ordering::Relaxed) {
            return false;
        }
        let mut until = None;
        loop {
            for _ in 0..LOOKS {
                if look() {
                    return true;
                }
                // ORDERING: `hear` acquires.
                if self.state.load(Ordering::Relaxed) == RUNG {
                    self.hear();
                    return true;
                }
                hint::spin_loop();
            }
            let now = Instant::now();
            if timer.is_some_and(|due| due <= now) {
                return true;
            }
            if now >= *until.get_or_insert(now + LOOK_OUT) {
                return false;
            }
            // Who is to give us work may wait for this very processor.
            thread::yield_now();
        }
    }

    /// Sleeps until the bell is rung, or was since the latest sleep, or until a timer is due, or it is time to `look` at
    /// something that keeps no run from ending.
    pub(crate) fn sleep(&self, timer: Option<Instant>, look: Option<Instant>) {
        let before = Instant::now();
        let until = timer.into_iter().chain(look).min();
        let mut thread = self.thread();
        // ORDERING: pairs with the swap in `ring`: either the ring is seen here, or it finds
        // the thread asleep. Nothing is read on the strength of a failure but in `hear`.
        let asleep = self.state.compare_exchange(AWAKE, ASLEEP, Ordering::AcqRel, Ordering::Relaxed);
        if asleep.is_ok() {
            *thread = Thread::Asleep { _timer: timer.map(|_| self.activity.begin_timer()) };
            // ORDERING: `hear` acquires.
            while self.state.load(Ordering::Relaxed) != RUNG {
                thread = match until.map(|due| due.saturating_duration_since(Instant::now())) {
                    None => self.rung.wait(thread).unwrap_or_else(PoisonError::into_inner),
                    Some(rest) if rest.is_zero() => break,
                    Some(rest) => {
                        self.rung.wait_timeout(thread, rest).unwrap_or_else(PoisonError::into_inner).0
                    }
                };
            }
            self.mark_awake(&mut thread);
        }
        self.hear();
        drop(thread);
        // ORDERING: the thread's own.
        self.looks_out.store(before.elapsed() < SHORT, Ordering::Relaxed);
    }

    /// The thread has ended; nothing it is sent keeps the browser busy any more.
    pub(crate) fn retire(&self) {
        *self.thread() = Thread::Gone;
    }

    /// Takes note of a ring: from here on the thread looks for work, and a later ring is another.
    fn hear(&self) {
        // ORDERING: acquires what was to be done, from `ring`.
        self.state.swap(AWAKE, Ordering::AcqRel);
    }

    fn mark_awake(&self, thread: &mut Thread) {
        if matches!(thread, Thread::Asleep { .. }) {
            *thread = Thread::Awake { _busy: self.activity.begin() };
        }
    }

    fn thread(&self) -> MutexGuard<'_, Thread> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
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
