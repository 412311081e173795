//! The reading end of a lane.

use super::cursor::{Cursor, Tail};
use super::segment::{Recycled, SMALL, Segment, Slot};
use super::{CONSUMER_LEFT, Shared};
use crate::sync::{Arc, Ordering, mutant};
use std::{fmt, hint, ptr};

/// Up to how many records a frontier is exact. Few in models, so that they see both kinds.
const NEAR: u64 = if cfg!(port_core_model) { 2 } else { 64 };

/// How many recycled segments may wait for the producer.
const RECYCLED: usize = 3;

/// After how many records without a pause the consumer [keeps behind](Consumer::keep_behind). Never in models, which would
/// explore each look for nothing: no record is read on the strength of one.
const RUN: u64 = if cfg!(port_core_model) { u64::MAX >> 8 } else { 64 };

/// The most records it takes before it asks again, where asking was of no use.
const LONG_RUN: u64 = RUN << 6;

/// How often it looks before it goes on.
const PATIENCE: u32 = 16;

/// The reading end. `Send`, and used by one thread at a time. Its counts lie apart, as the
/// [producer's](super::Producer) do.
#[repr(C)]
pub(crate) struct Consumer<T> {
    records: u64,
    shared: Arc<Shared<T>>,
    cursor: Cursor<T>,
    bytes: u64,
    /// Where [`look_ahead`](Consumer::look_ahead) stopped, if the cursor has not come past it.
    ahead: Cursor<T>,
    /// The counts of slots and records that were last published.
    published: (u64, u64),
    large: Large,
    /// How many records it will have taken when it next sees to it that it is behind, if it does not pause.
    look: u64,
    /// How many records it takes before that.
    run: u64,
}

// SAFETY: the cursor's segments are reached by the consumer alone, wherever it is.
unsafe impl<T: Send> Send for Consumer<T> {}

/// A record that is ready and still in its slot.
pub(crate) struct Entry<'a, T> {
    consumer: &'a mut Consumer<T>,
    /// Its slot, at which the consumer's cursor stands.
    at: *const Slot,
}

impl<'a, T> Entry<'a, T> {
    /// Looks at the record.
    #[inline(always)]
    pub(crate) fn peek<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        // SAFETY: the record is ready, and was not taken while the entry exists.
        unsafe { self.consumer.cursor.peek(self.at, look) }
    }

    /// Passes the record: returns it where it lies, with its tail, and counts it as
    /// consumed, with `bytes`. Does not drop it, so use it only where there is nothing to drop.
    #[inline(always)]
    pub(crate) fn pass(self, bytes: u64) -> (&'a T, Tail<'a>) {
        let consumer = self.consumer;
        consumer.consumed(bytes);
        // SAFETY: the record is ready, and the consumer is borrowed for as long as it is looked at.
        unsafe { consumer.cursor.pass(self.at) }
    }

    /// Moves the record out and gives it to `take` with its tail; counts it as
    /// consumed, with `bytes`.
    #[inline(always)]
    pub(crate) fn take<R>(self, bytes: u64, take: impl FnOnce(T, Tail<'_>) -> R) -> R {
        self.consumer.consumed(bytes);
        // SAFETY: the record is ready.
        unsafe { self.consumer.cursor.take(self.at, take) }
    }
}

/// Tells whether large segments were recycled, and when.
enum Large {
    None,
    /// Since the lane last fell idle.
    Used,
    /// Before that.
    Unused,
}

/// The end of what a lane held at some moment, in records: a reader that stops there does not
/// chase the producer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Frontier(u64);

impl<T> Consumer<T> {
    pub(super) fn new(shared: Arc<Shared<T>>, segment: *mut Segment<T>) -> Self {
        Self {
            shared,
            cursor: Cursor::new(segment),
            ahead: Cursor::new(segment),
            records: 0,
            bytes: 0,
            published: (0, 0),
            large: Large::None,
            look: RUN,
            run: RUN,
        }
    }

    /// Returns whether a record is ready.
    #[inline(always)]
    pub(crate) fn ready(&mut self) -> bool {
        self.cursor.is_complete() || (self.cursor.is_followed() && self.follow())
    }

    /// Looks for the next record in the segments that follow. Out of line: few records come this way.
    #[inline(never)]
    fn follow(&mut self) -> bool {
        let shared = &self.shared;
        let large = &mut self.large;
        self.cursor.follow(|segment, turn| {
            // SAFETY: the cursor has just left the segment behind.
            if unsafe { recycle(shared, segment, turn) } {
                *large = Large::Used;
            }
        })
    }

    /// Returns the next record where it lies; `None` when there is none now.
    #[inline(always)]
    pub(crate) fn entry(&mut self) -> Option<Entry<'_, T>> {
        let at = match self.cursor.complete() {
            Some(at) => at,
            None if self.cursor.is_followed() && self.follow() => self.cursor.at(),
            None => {
                self.look = self.records + self.run;
                return None;
            }
        };
        if self.records == self.look {
            self.keep_behind();
        }
        Some(Entry { consumer: self, at })
    }

    /// Gives the producer a moment to get ahead, after a run of records without a pause, and asks for the lines of what is
    /// there. A consumer that is as fast as the producer takes each line while it is being written, and the line goes back and
    /// forth; if it is some slots behind, each line comes once, and several at a time. Never after the lane was found
    /// empty, so that a message that comes alone is seen at once.
    #[cold]
    #[inline(never)]
    fn keep_behind(&mut self) {
        for _ in 0..PATIENCE {
            // SAFETY: a record is ready.
            if let Some(records) = unsafe { self.cursor.is_behind() } {
                self.run = RUN;
                self.look = self.records + records;
                return;
            }
            hint::spin_loop();
        }
        self.run = (self.run * 2).min(LONG_RUN);
        self.look = self.records + self.run;
    }

    /// Returns the end of what the lane holds now: exactly if that is near, otherwise an upper bound. If the
    /// lane is found empty before the frontier, everything that it held has been taken.
    ///
    /// The bound is close. In the consumer's own segment the producer is at most one round ahead, and in a later
    /// segment it is in its first round, so what is there ends where its last segment ends at the latest.
    /// Nor does it take long to find: at most [`NEAR`] records are counted, however many there are.
    pub(crate) fn frontier(&self) -> Frontier {
        if let Some(near) = self.cursor.clone().count_up_to(NEAR) {
            return Frontier(self.records + near);
        }
        // Relaxed: see where it is stored.
        let linked = self.shared.progress.reach.load(Ordering::Relaxed);
        // A record takes one slot at least.
        Frontier(self.records + self.cursor.round().max(linked.saturating_sub(self.cursor.passed())))
    }

    /// Returns how many records may be taken before a frontier.
    pub(crate) fn before(&self, frontier: Frontier) -> u64 {
        if mutant("frontier-ignored") { u64::MAX } else { frontier.0.saturating_sub(self.records) }
    }

    /// Shows `look` every record that is ready. Takes none.
    pub(crate) fn look_over(&self, look: impl FnMut(&T)) {
        self.cursor.clone().look_on(look);
    }

    /// Shows `look` every record that is ready and was not shown before. Takes none.
    pub(crate) fn look_ahead(&mut self, look: impl FnMut(&T)) {
        // The consumer's cursor has caught up, so the segment that `ahead` is in may be recycled already.
        if self.ahead.passed() <= self.cursor.passed() {
            self.ahead = self.cursor.clone();
        }
        self.ahead.look_on(look);
    }

    /// Counts a record of this many bytes as done with.
    #[inline]
    fn consumed(&mut self, bytes: u64) {
        self.records += 1;
        self.bytes += bytes;
    }

    /// Returns how many records and bytes are done with.
    #[inline(always)]
    pub(crate) fn taken(&self) -> (u64, u64) {
        (self.records, self.bytes)
    }

    /// Tells the producer what was consumed, for its budget, and which slots are free again.
    /// Until then the producer continues in other segments when it runs out of slots.
    #[inline]
    pub(crate) fn publish_consumed(&mut self) {
        let passed = self.cursor.passed();
        if self.published == (passed, self.records) {
            return;
        }
        self.published = (passed, self.records);
        let progress = &self.shared.progress;
        // Relaxed: plain counts, nothing is read on the strength of them.
        progress.records.store(self.records, Ordering::Relaxed);
        progress.bytes.store(self.bytes, Ordering::Relaxed);
        // ORDERING: hands the slots, and our last reads of them, to the Acquire load in
        // `Producer::look_for_room`.
        progress.slots.store(passed, Ordering::Release);
    }

    /// Gives back the memory of a burst once it has not been used between two calls. Must be called
    /// when the lane falls idle.
    pub(crate) fn shrink(&mut self) {
        self.large = match self.large {
            Large::Used => Large::Unused,
            Large::None => Large::None,
            Large::Unused => {
                // Relaxed: the chain, if it is still there, was put by ourselves.
                let chain = self.shared.progress.recycled.swap(ptr::null_mut(), Ordering::Relaxed);
                // SAFETY: the swap made the chain ours alone.
                unsafe { Segment::free_recycled(chain) };
                Large::None
            }
        };
    }
}

/// Hands an emptied segment, left in this turn, back to the producer, or frees it if enough wait there
/// or the producer has moved on to larger ones. Returns whether it was handed back and is large.
///
/// # Safety
///
/// The caller is the consumer, and its cursor has left the segment behind.
#[cold]
unsafe fn recycle<T>(shared: &Shared<T>, segment: *mut Segment<T>, turn: u32) -> bool {
    // Relaxed: the chain, if it is still there, was put by ourselves.
    let first = shared.progress.recycled.swap(ptr::null_mut(), Ordering::Relaxed);
    let behind = if first.is_null() {
        Recycled::NONE
    } else {
        // SAFETY: the swap made the chain ours alone.
        let head = unsafe { &*first };
        // SAFETY: as above.
        let count = unsafe { head.recycled() }.count + 1;
        Recycled { first, count }
    };
    // SAFETY: the consumer has left the segment behind, so it is ours alone.
    let emptied = unsafe { &*segment };
    // SAFETY: the segment that follows is the consumer's current one.
    let outgrown =
        unsafe { emptied.following().as_ref() }.is_some_and(|current| emptied.length() < current.length());
    let (chain, large) = if behind.count < RECYCLED && !outgrown {
        // SAFETY: as above.
        unsafe { emptied.leave(turn) };
        // SAFETY: as above.
        unsafe { emptied.set_recycled(behind) };
        (segment, emptied.length() > SMALL)
    } else {
        // SAFETY: as above, and nobody will look for it.
        unsafe { Segment::free(segment) };
        (first, false)
    };
    // ORDERING: Release hands the chain, and our last reads of it, to the Acquire swaps that take it.
    let put_meanwhile = shared.progress.recycled.swap(chain, Ordering::Release);
    debug_assert!(put_meanwhile.is_null(), "only the consumer puts segments there");
    large
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        let mut cursor = std::mem::replace(&mut self.cursor, Cursor::nowhere());
        if !mutant("consumer-goes-without-draining") {
            cursor.drop_records();
        }
        if mutant("gone-before-the-cursor-is-left") {
            self.shared.consumer_gone.store(true, Ordering::Relaxed);
        }
        self.shared.parting.with_mut(|parting| {
            // SAFETY: ours until `consumer_gone` is set.
            unsafe { *parting = (!mutant("parting-cursor-forgotten")).then_some(cursor) };
        });
        // ORDERING: hands the parting cursor to the Acquire load in `Producer::push`.
        self.shared.consumer_gone.store(true, Ordering::Release);
        self.shared.leave(CONSUMER_LEFT);
    }
}

impl<T> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("records", &self.records).field("bytes", &self.bytes).finish()
    }
}
