//! What the gateway thread sleeps on beside its sockets.

use crate::activity::{Activity, Busy};
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

/// A bell for a thread that polls. Whoever rings it has the browser be busy, before the thread has noticed.
pub(super) struct PollBell {
    thread: Mutex<Thread>,
    written: UnixStream,
    polled: UnixStream,
    activity: Arc<Activity>,
}

struct Thread {
    is_rung: bool,
    /// A byte was written for it, which it has not read.
    is_written: bool,
    /// `None` while the thread sleeps.
    busy: Option<Busy>,
}

impl PollBell {
    /// The bell of a thread that is about to start.
    pub(super) fn new(activity: &Arc<Activity>) -> std::io::Result<Arc<Self>> {
        let (written, polled) = UnixStream::pair()?;
        polled.set_nonblocking(true)?;
        let thread = Mutex::new(Thread { is_rung: false, is_written: false, busy: Some(activity.begin()) });
        Ok(Arc::new(Self { thread, written, polled, activity: Arc::clone(activity) }))
    }

    /// Wakes the thread, or keeps it from falling asleep.
    pub(super) fn ring(&self) {
        let mut thread = self.thread();
        thread.is_rung = true;
        if thread.busy.is_none() {
            thread.busy = Some(self.activity.begin());
            if !std::mem::replace(&mut thread.is_written, true) {
                // One byte at a time: it never blocks.
                let _ = (&self.written).write(&[1]);
            }
        }
    }

    /// The thread is about to poll; says whether it may.
    pub(super) fn fall_asleep(&self) -> bool {
        let mut thread = self.thread();
        if thread.is_rung {
            return false;
        }
        let busy = thread.busy.take();
        drop(thread);
        drop(busy);
        true
    }

    /// The thread is awake, and looks at everything after this.
    pub(super) fn awake(&self) {
        let mut thread = self.thread();
        thread.busy.get_or_insert_with(|| self.activity.begin());
        thread.is_rung = false;
        if std::mem::take(&mut thread.is_written) {
            let _ = (&self.polled).read(&mut [0; 8]);
        }
    }

    /// What is polled.
    pub(super) fn polled(&self) -> BorrowedFd<'_> {
        self.polled.as_fd()
    }

    /// The thread has ended; nothing keeps the browser busy for it.
    pub(super) fn retire(&self) {
        let busy = self.thread().busy.take();
        drop(busy);
    }

    fn thread(&self) -> MutexGuard<'_, Thread> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of many that may have something for the thread: rings the bell, and tells that it did.
pub(super) struct Caller {
    has_called: AtomicBool,
    bell: Arc<PollBell>,
}

impl Caller {
    pub(super) fn new(bell: &Arc<PollBell>) -> Arc<Self> {
        Arc::new(Self { has_called: AtomicBool::new(false), bell: Arc::clone(bell) })
    }

    /// Says whether it called since this was last asked.
    pub(super) fn take(&self) -> bool {
        // ORDERING: pairs with the swap in `wake_by_ref`: what was done before the call is seen after this.
        self.has_called.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // ORDERING: pairs with the swap in `take`. Set before the bell is rung: the thread asks once it has heard that.
        self.has_called.swap(true, Ordering::AcqRel);
        self.bell.ring();
    }
}
