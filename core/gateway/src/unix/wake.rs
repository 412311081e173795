//! A descriptor that wakes a thread from `poll`, used only while the thread sleeps.

use super::{read_some, send_some, set_nonblocking};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::AcqRel, Ordering::Relaxed};
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
    /// Whether the thread sleeps, and how it was called since it last looked.
    state: AtomicU8,
    written: OwnedFd,
}

/// Nothing of the following.
const AWAKE: u8 = 0;
/// The thread sleeps, or is about to.
const ASLEEP: u8 = 1;
/// It is not to sleep, for it was called by a waker.
const CALLED: u8 = 2;
/// It is not to sleep, for a [`Caller`] called it.
const CALLED_BY_ONE: u8 = 4;

/// One of many that may have something for the thread: tells which of them do.
#[derive(Debug)]
pub(super) struct Caller {
    called: AtomicBool,
    shared: Arc<Shared>,
}

impl WakeUp {
    pub(super) fn new() -> io::Result<Self> {
        let (polled, written) = super::pair()?;
        set_nonblocking(&polled)?;
        set_nonblocking(&written)?;
        Ok(Self { shared: Arc::new(Shared { state: AtomicU8::new(AWAKE), written }), polled })
    }

    pub(super) fn waker(&self) -> Waker {
        Arc::clone(&self.shared).into()
    }

    /// Makes one that calls the thread, and can be asked whether it did.
    pub(super) fn caller(&self) -> Arc<Caller> {
        Arc::new(Caller { called: AtomicBool::new(false), shared: Arc::clone(&self.shared) })
    }

    pub(super) fn polled(&self) -> BorrowedFd<'_> {
        self.polled.as_fd()
    }

    /// Says that the thread is about to sleep. Returns whether it may: not if it was called since it slept last, or
    /// last asked.
    pub(super) fn fall_asleep(&self) -> bool {
        // ORDERING: pairs with the `fetch_or` in `call`. One that comes after this finds the thread asleep; one that
        // came before is found by `awake`, with what it called for.
        let sleeps = self.shared.state.compare_exchange(AWAKE, ASLEEP, AcqRel, Relaxed).is_ok();
        if !sleeps {
            self.awake();
        }
        sleeps
    }

    /// Takes note that the thread is awake. It looks at everything after this.
    pub(super) fn awake(&self) {
        // ORDERING: pairs with the `fetch_or` in `call`: what was done before a call that this swallows is seen by the
        // looks after this. The byte of such a call may come later, and costs a poll.
        self.shared.state.swap(AWAKE, AcqRel);
    }

    /// Takes note that all callers are asked after this.
    pub(super) fn ask_callers(&self) {
        // ORDERING: as in `awake`.
        self.shared.state.fetch_and(!CALLED_BY_ONE, AcqRel);
    }

    /// Takes the bytes that the polled end was found to have.
    pub(super) fn clear(&self) -> io::Result<()> {
        read_some(&self.polled, &mut [0; 8]).map(drop)
    }
}

impl Shared {
    fn call(&self, how: u8) {
        // ORDERING: pairs with the exchanges in `fall_asleep` and `awake`.
        if self.state.fetch_or(how, AcqRel) == ASLEEP {
            // It cannot be full, with a byte for each sleep that was broken; and a polling end that is gone wants no
            // wake.
            let _ = send_some(&self.written, &[1]);
        }
    }
}

impl Caller {
    /// Returns whether it called since this was last asked.
    pub(super) fn take(&self) -> bool {
        // ORDERING: pairs with the exchange in `wake_by_ref`: what was done before the call is seen after this.
        self.called.swap(false, AcqRel)
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.call(CALLED);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.call(CALLED);
    }
}

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // ORDERING: pairs with the exchange in `take`, which comes after that of whoever finds it set here. The one who
        // set it calls the thread.
        if !self.called.swap(true, AcqRel) {
            self.shared.call(CALLED_BY_ONE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::WakeUp;
    use rustix::event::{PollFd, PollFlags, poll};
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use std::task::Waker;

    fn sleep(wake_up: &WakeUp) {
        if wake_up.fall_asleep() {
            let mut polled = [PollFd::from_borrowed_fd(wake_up.polled(), PollFlags::IN)];
            poll(&mut polled, None).unwrap();
            wake_up.clear().unwrap();
            wake_up.awake();
        }
    }

    /// A thread counts up and wakes; the other sleeps until it has seen each number, so a wake that is lost hangs.
    fn count(wake_up: &WakeUp, waker: &Waker, look: impl Fn() -> bool) {
        const WAKES: u64 = 20_000;
        let (counter, answer) = (AtomicU64::new(0), AtomicU64::new(0));
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
                if look() {
                    // Relaxed: ordered by the exchanges of the wake.
                    let seen = counter.load(Relaxed);
                    answer.store(seen, Relaxed);
                    if seen == WAKES {
                        break;
                    }
                }
                sleep(wake_up);
            }
        });
    }

    #[test]
    fn no_wake_is_lost_between_looking_and_sleeping() {
        let wake_up = WakeUp::new().unwrap();
        count(&wake_up, &wake_up.waker(), || true);
    }

    #[test]
    fn no_call_of_one_is_lost_between_asking_and_sleeping() {
        let wake_up = WakeUp::new().unwrap();
        let caller = wake_up.caller();
        count(&wake_up, &caller.clone().into(), || {
            wake_up.ask_callers();
            caller.take()
        });
    }

    #[test]
    fn who_is_awake_gets_no_byte() {
        let wake_up = WakeUp::new().unwrap();
        let waker = wake_up.waker();
        (0..1_000).for_each(|_| waker.wake_by_ref());
        assert_eq!(super::read_some(&wake_up.polled, &mut [0; 8]).unwrap(), None);
        assert!(!wake_up.fall_asleep(), "it was called");
        assert!(wake_up.fall_asleep());
        (0..1_000).for_each(|_| waker.wake_by_ref());
        assert_eq!(super::read_some(&wake_up.polled, &mut [0; 8]).unwrap(), Some(1));
    }

    #[test]
    fn a_waker_that_was_called_is_heard_though_callers_were_asked() {
        let wake_up = WakeUp::new().unwrap();
        let caller = wake_up.caller();
        wake_up.waker().wake();
        Waker::from(caller.clone()).wake();
        wake_up.ask_callers();
        assert!(caller.take() && !caller.take());
        assert!(!wake_up.fall_asleep());
    }
}
