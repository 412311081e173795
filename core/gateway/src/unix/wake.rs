//! A descriptor that wakes a thread from `poll`.

use super::{read_some, send_some, set_nonblocking};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel};
use std::task::{Wake, Waker};

/// Wakes a thread that polls one end, from any thread.
#[derive(Debug)]
pub(super) struct WakeUp {
    shared: Arc<Shared>,
    /// The end that is polled.
    polled: OwnedFd,
}

#[derive(Debug)]
struct Shared {
    /// A byte was written, or is about to be, that the thread has not yet seen.
    rung: AtomicBool,
    written: OwnedFd,
}

impl WakeUp {
    pub(super) fn new() -> io::Result<Self> {
        let (polled, written) = super::pair()?;
        set_nonblocking(&polled)?;
        set_nonblocking(&written)?;
        Ok(Self { shared: Arc::new(Shared { rung: AtomicBool::new(false), written }), polled })
    }

    pub(super) fn waker(&self) -> Waker {
        Arc::clone(&self.shared).into()
    }

    pub(super) fn polled(&self) -> BorrowedFd<'_> {
        self.polled.as_fd()
    }

    /// Takes note that the thread is awake. It looks at everything after this.
    pub(super) fn clear(&self) -> io::Result<()> {
        // The byte first: were the flag cleared before, a byte written in between would be taken with it, and the
        // flag stay set for nothing, so that nobody writes another.
        read_some(&self.polled, &mut [0; 8])?;
        // ORDERING: pairs with the exchange in `wake_by_ref`. One that found the flag set comes before this, with
        // what it woke for.
        self.shared.rung.swap(false, AcqRel);
        Ok(())
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // ORDERING: pairs with the exchange in `clear`: what this thread did before is seen by the looks after it.
        if !self.rung.swap(true, AcqRel) {
            // It cannot be full, with one byte at a time; and a polling end that is gone wants no wake.
            let _ = send_some(&self.written, &[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::WakeUp;
    use rustix::event::{PollFd, PollFlags, poll};
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    /// A thread counts up and wakes; the other sleeps until it has seen each number, so a wake that is lost hangs.
    #[test]
    fn no_wake_is_lost_between_clearing_and_sleeping() {
        const WAKES: u64 = 20_000;
        let (wake_up, counter) = (WakeUp::new().unwrap(), AtomicU64::new(0));
        let (waker, answer) = (wake_up.waker(), AtomicU64::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 1..=WAKES {
                    counter.store(number, Relaxed);
                    waker.wake_by_ref();
                    while answer.load(Relaxed) < number {
                        std::thread::yield_now();
                    }
                }
            });
            loop {
                // Relaxed: ordered by the exchanges of the wake.
                let seen = counter.load(Relaxed);
                answer.store(seen, Relaxed);
                if seen == WAKES {
                    break;
                }
                poll(&mut [PollFd::from_borrowed_fd(wake_up.polled(), PollFlags::IN)], None).unwrap();
                wake_up.clear().unwrap();
            }
        });
    }

    #[test]
    fn many_wakes_write_one_byte() {
        let wake_up = WakeUp::new().unwrap();
        for _ in 0..1_000_000 {
            wake_up.waker().wake();
        }
        assert_eq!(super::read_some(&wake_up.polled, &mut [0; 8]).unwrap(), Some(1));
    }
}
