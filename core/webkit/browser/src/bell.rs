//! What the gateway's thread sleeps on beside its sockets.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

/// Wakes a thread that polls, from any thread. To ring while the thread is awake costs no system call: what it carries
/// from page to page itself, it does not wake itself for.
#[derive(Debug)]
pub(crate) struct Bell {
    state: Mutex<State>,
    written: UnixStream,
    polled: UnixStream,
}

#[derive(Debug, Default)]
struct State {
    is_rung: bool,
    is_asleep: bool,
    /// A byte is on its way that the thread has not taken.
    is_written: bool,
}

impl Bell {
    /// Makes the bell of a thread that is awake.
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        let (written, polled) = UnixStream::pair()?;
        polled.set_nonblocking(true)?;
        Ok(Arc::new(Self { state: Mutex::default(), written, polled }))
    }

    /// Wakes the thread, or keeps it from falling asleep.
    pub(crate) fn ring(&self) {
        let mut state = self.state();
        state.is_rung = true;
        if state.is_asleep && !std::mem::replace(&mut state.is_written, true) {
            // One byte at a time: it never blocks.
            let _ = (&self.written).write(&[1]);
        }
    }

    /// The thread is about to poll for as long as nothing comes. Returns whether it may.
    pub(crate) fn fall_asleep(&self) -> bool {
        let mut state = self.state();
        state.is_asleep = !std::mem::take(&mut state.is_rung);
        state.is_asleep
    }

    /// The thread has polled, and looks at everything after this.
    pub(crate) fn awake(&self) {
        let mut state = self.state();
        state.is_asleep = false;
        state.is_rung = false;
        if std::mem::take(&mut state.is_written) {
            let _ = (&self.polled).read(&mut [0; 8]);
        }
    }

    /// Returns what is polled.
    pub(crate) fn polled(&self) -> BorrowedFd<'_> {
        self.polled.as_fd()
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

#[cfg(test)]
mod tests {
    use super::Bell;
    use rustix::event::{PollFd, PollFlags, poll};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use std::thread;

    /// A thread counts up and rings; the other sleeps until it has seen each number, so a ring that is lost hangs.
    #[test]
    fn no_ring_is_lost_between_looking_and_sleeping() {
        const RINGS: u64 = 20_000;
        let (bell, counter) = (Bell::new().unwrap(), Arc::new(AtomicU64::new(0)));
        let seen = Arc::new(AtomicU64::new(0));
        let ringing = {
            let (bell, counter, seen) = (Arc::clone(&bell), Arc::clone(&counter), Arc::clone(&seen));
            thread::spawn(move || {
                for number in 1..=RINGS {
                    counter.store(number, Relaxed);
                    bell.ring();
                    while seen.load(Relaxed) < number {
                        thread::yield_now();
                    }
                }
            })
        };
        loop {
            // Relaxed: ordered by the bell's lock.
            let latest = counter.load(Relaxed);
            seen.store(latest, Relaxed);
            if latest == RINGS {
                break;
            }
            if bell.fall_asleep() {
                poll(&mut [PollFd::from_borrowed_fd(bell.polled(), PollFlags::IN)], None).unwrap();
            }
            bell.awake();
        }
        ringing.join().unwrap();
    }
}
