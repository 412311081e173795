//! Which lines have something for an event loop, and waking the loop exactly when it
//! would otherwise sleep while there is work.
//!
//! A *line* is one source of work: an inbound lane, or the control queue. The
//! consumer polls lines that are busy and *arms* the others: it stores a new epoch
//! in the line, passes a fence, and looks once more. A producer publishes something, passes a fence, and looks
//! at the epoch; so at least one of the two sees what the other did. If the producer has not rung for
//! that epoch yet, it puts the line into the bell's list.
//! Only the consumer stores the epoch, and the producer compares it with a private copy,
//! so that neither loads what it writes.
//!
//! | head of the list | the consumer is | who changes it |
//! |---|---|---|
//! | null | awake, or about to look | ringer: pushes its line |
//! | a line | awake, or woken | consumer: takes all. Ringer: pushes its line |
//! | `ARMED` | asleep or about to be | ringer: pushes its line and wakes. Consumer: back to null |
//! | `CLOSED` | gone | nobody |

use crate::concurrent::wakeup::Wakeup;
use crate::ids::PeerId;
use crate::sync::{Arc, AtomicBool, AtomicPtr, AtomicU32, Ordering, PairedFence, UnsafeCell, mutant};
use crossbeam_utils::CachePadded;
use std::{fmt, ptr};

const ARMED: *mut Line = ptr::without_provenance_mut(1);
const CLOSED: *mut Line = ptr::without_provenance_mut(2);

/// The doorbell of one event loop.
pub(crate) struct Bell {
    /// The lines that rang, as a stack, or a state.
    head: CachePadded<AtomicPtr<Line>>,
    /// Between publishing on a line and looking at its epoch, and between arming lines and looking at them.
    fence: PairedFence,
    wakeup: Wakeup,
}

/// One source of work for an event loop. All of it changes only when the consumer stops
/// polling the line or the producer rings, so both sides may share one cache line; nothing else lies on it.
#[repr(align(64))]
pub(crate) struct Line {
    source: Source,
    /// Raised by the consumer whenever it stops polling the line.
    epoch: AtomicU32,
    /// Set while the line is in the bell's list, or being put there.
    queued: AtomicBool,
    /// The next line of the list. The thread that set `queued` owns it until the consumer takes the list.
    next: UnsafeCell<*mut Line>,
}

/// What a line leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Control,
    Lane(PeerId),
}

// SAFETY: `next` is owned in turns as its comment says; the rest is atomic or constant.
unsafe impl Send for Line {}
// SAFETY: as above.
unsafe impl Sync for Line {}

impl Line {
    /// Makes a line that rings at its first use.
    pub(crate) fn new(source: Source) -> Arc<Self> {
        Arc::new(Self {
            source,
            epoch: AtomicU32::new(1),
            queued: AtomicBool::new(false),
            next: UnsafeCell::new(ptr::null_mut()),
        })
    }
}

/// The producer's side of a line.
#[derive(Debug)]
pub(crate) struct Ringer {
    line: Arc<Line>,
    /// The last epoch rung for.
    rung: u32,
}

impl Ringer {
    pub(crate) fn new(line: Arc<Line>) -> Self {
        Self { line, rung: 0 }
    }

    /// Rings if the consumer no longer polls the line, and returns whether it rang. Must be called after
    /// something was published on the line. Wakes at most once per arming.
    #[inline(always)]
    pub(crate) fn published(&mut self, bell: &Bell) -> bool {
        // ORDERING: pairs with the fence in `Bell::look_again`. Either our load sees the epoch stored before
        // that one, or the consumer's look after it sees what we published before this one.
        bell.fence.frequent();
        // Relaxed: ordered by the fence.
        let epoch = self.line.epoch.load(Ordering::Relaxed);
        if epoch == self.rung {
            return false;
        }
        self.ring_for(epoch, bell);
        true
    }

    #[cold]
    fn ring_for(&mut self, epoch: u32, bell: &Bell) {
        self.rung = epoch;
        bell.ring(&self.line);
    }
}

/// The consumer's side of a line.
#[derive(Debug)]
pub(crate) struct Armer {
    line: Arc<Line>,
    epoch: u32,
}

impl Armer {
    pub(crate) fn new(line: Arc<Line>) -> Self {
        Self { line, epoch: 1 }
    }

    /// Makes the producer ring for what it publishes from now on. Once all lines
    /// are armed, call [`look_again`](Bell::look_again), then look at the lines.
    pub(crate) fn arm(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        // Relaxed: ordered by the fence in `look_again`.
        self.line.epoch.store(self.epoch, Ordering::Relaxed);
    }
}

impl Bell {
    pub(crate) fn new(wakeup: Wakeup, fence: PairedFence) -> Self {
        Self { head: CachePadded::new(AtomicPtr::new(ptr::null_mut())), fence, wakeup }
    }

    pub(crate) fn wakeup(&self) -> &Wakeup {
        &self.wakeup
    }

    /// Puts a line into the list and wakes the consumer if it sleeps. May be called
    /// by any number of threads; does nothing once the bell is closed.
    pub(crate) fn ring(&self, line: &Arc<Line>) {
        // ORDERING: Release hands what was published to the Acquire in `take`, also when
        // the line is queued already; Acquire takes `next` from whoever had it before.
        if line.queued.swap(true, Ordering::AcqRel) && !mutant("line-queued-twice") {
            return;
        }
        let node = Arc::into_raw(Arc::clone(line)).cast_mut();
        // Guessing instead of loading keeps the exchange visible to models.
        let mut seen = ptr::null_mut();
        loop {
            let behind = if seen == ARMED { ptr::null_mut() } else { seen };
            line.next.with_mut(|next| {
                // SAFETY: the swap of `queued` made it ours.
                unsafe { *next = behind };
            });
            // ORDERING: Release publishes `next` and the work to the Acquire swap in `take`.
            match self.head.compare_exchange(seen, node, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break,
                Err(CLOSED) => {
                    if mutant("line-kept-for-a-closed-bell") {
                        return;
                    }
                    // SAFETY: made above and handed to nobody.
                    drop(unsafe { Arc::from_raw(node) });
                    return;
                }
                Err(now) => seen = now,
            }
        }
        if seen == ARMED || mutant("wake-without-arming") {
            self.wakeup.wake();
        }
    }

    /// Takes the lines that rang and disarms the bell. Consumer only.
    #[inline]
    pub(crate) fn take(&self) -> Rung {
        if self.seems_silent() {
            return Rung(ptr::null_mut());
        }
        // ORDERING: Acquire takes what ringers published; pairs with the exchange in `ring`.
        Rung(self.head.swap(ptr::null_mut(), Ordering::Acquire))
    }

    /// Returns whether there is nothing to take and nothing to disarm, as far as a load can tell. It spares a loop
    /// that spins an exchange, which takes about as long as a message. The load may miss a ring that comes at the
    /// same time; that is harmless, because [`arm`](Self::arm), an exchange, misses none. Models always exchange:
    /// a load before the exchange would hide interleavings from them.
    #[inline]
    fn seems_silent(&self) -> bool {
        // Relaxed: nothing is taken.
        !cfg!(port_core_model) && self.head.load(Ordering::Relaxed).is_null()
    }

    /// Passes the fence between arming lines and looking at them once more. Consumer only.
    pub(crate) fn look_again(&self) {
        // ORDERING: pairs with the fence in `Ringer::published`.
        self.fence.rare();
    }

    /// Announces that the consumer will sleep. Returns `false` if something rang since
    /// the last [`take`](Self::take). Consumer only.
    pub(crate) fn arm(&self) -> bool {
        // Relaxed: nothing is handed over; the ringer that replaces `ARMED` wakes us.
        self.head.compare_exchange(ptr::null_mut(), ARMED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Returns whether something rang since the bell was armed, and woke. Consumer only.
    pub(crate) fn has_rung(&self) -> bool {
        // Relaxed: nothing is taken. An exchange and no load, which would hide interleavings from models.
        let seen = self.head.compare_exchange(ARMED, ARMED, Ordering::Relaxed, Ordering::Relaxed);
        seen.is_err_and(|head| !head.is_null())
    }

    /// Closes the bell: rings have no effect from now on. Consumer only.
    pub(crate) fn close(&self) {
        let closed = if mutant("bell-left-open") { ptr::null_mut() } else { CLOSED };
        // ORDERING: as in `take`.
        drop(Rung(self.head.swap(closed, Ordering::Acquire)));
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").finish_non_exhaustive()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("source", &self.source).finish_non_exhaustive()
    }
}

/// Lines taken from a bell, the latest first.
pub(crate) struct Rung(*mut Line);

impl Iterator for Rung {
    type Item = Source;

    /// Returns the next line's source. From now on that line may ring again.
    fn next(&mut self) -> Option<Source> {
        if self.0.is_null() || self.0 == ARMED || self.0 == CLOSED {
            return None;
        }
        // SAFETY: `ring` made it with `into_raw`, and the list was taken once.
        let line = unsafe { Arc::from_raw(self.0) };
        if mutant("line-let-go-before-the-next-is-read") {
            line.queued.swap(false, Ordering::Relaxed);
        }
        self.0 = line.next.with(|next| {
            // SAFETY: the line is queued and the list taken, so it is ours.
            unsafe { *next }
        });
        let source = line.source;
        // ORDERING: Release gives `next` to the next ringer; Acquire takes what a ringer
        // published that found the line queued. Pairs with the swap in `ring`.
        line.queued.swap(false, Ordering::AcqRel);
        Some(source)
    }
}

impl Drop for Rung {
    fn drop(&mut self) {
        while self.next().is_some() {}
    }
}
