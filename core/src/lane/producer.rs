//! The writing end of a lane.

use super::prefetch::{self, WRITE_AHEAD};
use super::segment::{LARGE, SMALL, Segment, Slot};
use super::{PRODUCER_LEFT, Shared, TAIL_BYTES, pieces};
use crate::sync::{Arc, Ordering, mutant};
use std::{fmt, ptr};

/// The writing end. `Send`, and used by one thread at a time.
pub(crate) struct Producer<T> {
    shared: Arc<Shared<T>>,
    segment: *mut Segment<T>,
    /// The next slot of `segment` to write.
    index: usize,
    turn: u32,
    /// Recycled segments taken from the consumer.
    spares: *mut Segment<T>,
    /// How long a new segment will be: twice the last while a burst lasts.
    next_length: usize,
    /// Whether a large segment was begun since the last `shrink`.
    used_large: bool,
    records: u64,
    bytes: u64,
    /// Records and bytes the consumer was done with when we last looked.
    consumed: (u64, u64),
}

// SAFETY: the segment and the spares are reached by the producer alone, wherever it is.
unsafe impl<T: Send> Send for Producer<T> {}

impl<T> Producer<T> {
    pub(super) fn new(shared: Arc<Shared<T>>, segment: *mut Segment<T>) -> Self {
        Self {
            shared,
            segment,
            index: 0,
            turn: 1,
            spares: ptr::null_mut(),
            next_length: SMALL,
            used_large: false,
            records: 0,
            bytes: 0,
            consumed: (0, 0),
        }
    }

    /// Appends a record with its tail, at most [`TAIL_BYTES`]; `bytes` is what it
    /// counts for in the budget. Gives the record back when the consumer is gone.
    /// Allocates a segment when the current one is full and none was recycled.
    #[inline]
    pub(crate) fn push(&mut self, record: T, tail: &[u8], bytes: u64) -> Result<(), T> {
        if self.is_abandoned() {
            return Err(record);
        }
        self.append(|| record, tail, bytes, |_| ());
        Ok(())
    }

    /// As [`push`](Self::push), but has the record made and then finished in its slot, so that
    /// it need not be moved there; `false` when the consumer is gone.
    #[inline(always)]
    pub(crate) fn push_in_place(
        &mut self,
        make: impl FnOnce() -> T,
        tail: &[u8],
        bytes: u64,
        finish: impl FnOnce(&mut T),
    ) -> bool {
        if self.is_abandoned() {
            return false;
        }
        self.append(make, tail, bytes, finish);
        true
    }

    /// Whether the consumer is gone. Drops what it left behind.
    #[inline(always)]
    fn is_abandoned(&mut self) -> bool {
        // ORDERING: pairs with the Release store in the consumer's drop, for the
        // cursor it left; `abandoned` reads it.
        let gone = self.shared.consumer_gone.load(Ordering::Acquire);
        if gone {
            self.abandoned();
        }
        gone
    }

    #[inline(always)]
    fn append(&mut self, make: impl FnOnce() -> T, tail: &[u8], bytes: u64, finish: impl FnOnce(&mut T)) {
        debug_assert!(tail.len() <= TAIL_BYTES);
        let needed = 1 + pieces(tail.len());
        // SAFETY: the producer's segment lives until the consumer has followed a link from it, which we have not set.
        let mut slots = unsafe { &*self.segment }.slots();
        if self.index + needed > slots.len() {
            self.link();
            // SAFETY: as above.
            slots = unsafe { &*self.segment }.slots();
        }
        let first = &slots[self.index];
        if mutant("complete-before-writing") {
            first.complete(self.turn);
        }
        match tail.split_first_chunk() {
            _ if tail.is_empty() => {}
            // SAFETY: slots from the cursor on are empty this turn.
            None => unsafe { slots[self.index + 1].write_tail(tail) },
            Some((piece, rest)) => {
                // SAFETY: as above.
                unsafe { slots[self.index + 1].write_piece(piece) };
                if !rest.is_empty() {
                    // SAFETY: as above.
                    unsafe { slots[self.index + 2].write_tail(rest) };
                }
            }
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most TAIL_BYTES")]
        // SAFETY: as above.
        unsafe {
            first.write_record(make, tail.len() as u32, finish);
        }
        first.complete(self.turn);
        self.index += needed;
        prefetch::to_write(slots, self.index + WRITE_AHEAD, needed);
        self.records += 1;
        self.bytes += bytes;
    }

    /// Goes on in another segment.
    #[cold]
    fn link(&mut self) {
        let next = self.fresh();
        // SAFETY: the segment is ours: it was recycled to us or just allocated.
        let turn = unsafe { &*next }.turn();
        // SAFETY: as in `push`.
        let full = unsafe { &*self.segment };
        let unused = full.slots().get(self.index);
        // With no slot left the consumer follows at once and the segment is no longer
        // ours; with one left it stops there until told to go on.
        full.follow_with(next);
        if let Some(slot) = unused {
            Slot::link(slot, self.turn);
        }
        self.segment = next;
        self.index = 0;
        self.turn = turn;
        // SAFETY: as above.
        self.used_large |= unsafe { &*next }.slots().len() > SMALL;
    }

    /// An empty segment: a recycled one, or a new one.
    fn fresh(&mut self) -> *mut Segment<T> {
        if self.spares.is_null() {
            // ORDERING: Acquire for the segments' contents, put with the Release swap in the consumer's `recycle`.
            self.spares = self.shared.progress.recycled.swap(ptr::null_mut(), Ordering::Acquire);
        }
        let spare = self.spares;
        if spare.is_null() {
            let length = self.next_length;
            self.next_length = (length * 2).min(LARGE);
            return Segment::allocate(length);
        }
        // SAFETY: the chain of spares is ours alone.
        let spare_segment = unsafe { &*spare };
        // SAFETY: as above.
        self.spares = unsafe { spare_segment.recycled() }.first;
        if !mutant("segment-used-again-as-it-was") {
            // SAFETY: as above; it leaves the chain here.
            unsafe { spare_segment.renew() };
        }
        spare
    }

    /// To be called when the lane fell idle in between: lets go of memory that a burst
    /// left behind, and begins small again, once there was no burst between two calls.
    pub(crate) fn shrink(&mut self) {
        if !std::mem::take(&mut self.used_large) && self.next_length > SMALL {
            self.next_length = SMALL;
            // SAFETY: the chain of spares is ours alone.
            unsafe { Segment::free_recycled(self.spares) };
            self.spares = ptr::null_mut();
        }
    }

    /// Drops what lies in a lane whose consumer is gone.
    #[cold]
    fn abandoned(&mut self) {
        self.shared.parting.with_mut(|parting| {
            // SAFETY: the consumer is gone, and left its cursor to us until we leave.
            if let Some(cursor) = unsafe { &mut *parting } {
                cursor.drop_records();
            }
        });
    }

    /// Whether fewer than this many records and bytes lie in the lane. Looks at the
    /// consumer's counts only when what is known of them does not tell.
    #[inline(always)]
    pub(crate) fn within(&mut self, records: u64, bytes: u64) -> bool {
        self.outstanding_below(records, bytes) || self.within_by_now(records, bytes)
    }

    #[cold]
    fn within_by_now(&mut self, records: u64, bytes: u64) -> bool {
        // Relaxed: plain counts; an old value only makes the answer too strict.
        self.consumed = (
            self.shared.progress.records.load(Ordering::Relaxed),
            self.shared.progress.bytes.load(Ordering::Relaxed),
        );
        self.outstanding_below(records, bytes)
    }

    #[inline(always)]
    fn outstanding_below(&self, records: u64, bytes: u64) -> bool {
        self.records.saturating_sub(self.consumed.0) < records
            && self.bytes.saturating_sub(self.consumed.1) < bytes
    }

    /// Records and bytes pushed and not yet known to be consumed.
    pub(crate) fn outstanding(&self) -> (u64, u64) {
        let records = self.shared.progress.records.load(Ordering::Relaxed);
        let bytes = self.shared.progress.bytes.load(Ordering::Relaxed);
        (self.records.saturating_sub(records), self.bytes.saturating_sub(bytes))
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        // SAFETY: the chain of spares is ours alone.
        unsafe { Segment::free_recycled(self.spares) };
        self.shared.leave(PRODUCER_LEFT);
    }
}

impl<T> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("records", &self.records).field("bytes", &self.bytes).finish()
    }
}
