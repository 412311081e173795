//! The writing end of a lane.

use super::prefetch::{self, WRITE_AHEAD};
use super::segment::{LARGE, LAST_TURN, Ring, SMALL, Segment};
use super::{PRODUCER_LEFT, Shared, TAIL_BYTES, pieces};
use crate::sync::{Arc, Ordering, mutant};
use std::{fmt, ptr};

const _: () = assert!(SMALL > pieces(TAIL_BYTES));

/// With fewer free slots than this left, the producer reads the consumer's count right after it published a
/// record, not before it writes the next: the transfer of the count's cache line then delays no record. Models
/// would have to explore each of these reads, so they have few.
const FEW: usize = if cfg!(port_core_model) { 1 } else { 3 };

/// The writing end. `Send`, and used by one thread at a time.
pub(crate) struct Producer<T> {
    shared: Arc<Shared<T>>,
    segment: *mut Segment<T>,
    /// The slots of `segment`.
    ring: Ring,
    /// The next of these to write.
    index: usize,
    turn: u32,
    /// `true` if a large segment was begun since the lane last went back to small ones.
    large: bool,
    /// `true` if the segment is to be left because it is larger than it need be.
    leaving: bool,
    /// How many slots from `index` on, around the ring, are known to be free.
    room: usize,
    /// How many slots were written in all segments, plus `room`.
    end: u64,
    /// How many slots had been written when this segment was begun.
    begun: u64,
    /// How many slots had been written when [`shrink`](Self::shrink) was last called.
    shrunk: u64,
    /// Recycled segments taken from the consumer.
    spares: *mut Segment<T>,
    /// How many slots a new segment will have: twice as many as the last while a burst lasts.
    next_length: usize,
    records: u64,
    bytes: u64,
    /// Before which of these counts a record [fits](Self::fits), as was last [allowed](Self::allow).
    until: (u64, u64),
}

// SAFETY: the segment and the spares are reached by the producer alone, wherever it is.
unsafe impl<T: Send> Send for Producer<T> {}

/// How many slots a busy lane gets: the producer moves to such a segment after [`ROUNDS`] rounds in a smaller one
/// in which the lane never fell idle. Between ends that answer each other at once, one trip in each round takes 100 ns
/// longer than the others, and with more slots that happens less often. Found by trial: 128 slots gain no more.
const LIVELY: usize = if cfg!(port_core_model) { SMALL } else { 32 };

const ROUNDS: u64 = 64;

impl<T> Producer<T> {
    pub(super) fn new(shared: Arc<Shared<T>>, segment: *mut Segment<T>) -> Self {
        // SAFETY: a new lane's segment is there.
        let ring = unsafe { &*segment }.ring();
        Self {
            shared,
            segment,
            ring,
            index: 0,
            turn: 1,
            large: false,
            leaving: false,
            room: SMALL,
            end: SMALL as u64,
            begun: 0,
            shrunk: 0,
            spares: ptr::null_mut(),
            next_length: length_after(SMALL),
            records: 0,
            bytes: 0,
            until: (0, 0),
        }
    }

    /// Appends a record with its tail, at most [`TAIL_BYTES`]; `bytes` is what it
    /// counts for in the budget. Gives the record back when the consumer is gone.
    /// Allocates a segment when the current one has no free slot and none was recycled.
    #[inline]
    pub(crate) fn push(&mut self, record: T, tail: &[u8], bytes: u64) -> Result<(), T> {
        if self.is_abandoned() {
            return Err(record);
        }
        self.append(|| record, tail, bytes, |_| ());
        Ok(())
    }

    /// Appends a record like [`push`](Self::push), but makes and finishes it in its slot, which saves a move.
    /// Returns `false` when the consumer is gone.
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

    /// Returns whether the consumer is gone. If so, drops what it left.
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
        if needed > self.room {
            self.make_room(needed);
        }
        let (ring, index) = (self.ring, self.index);
        // SAFETY: the producer's segment lives until the consumer has followed a link from it, which we have not set.
        let slot = |nth| unsafe { ring.slot(index + nth) };
        // SAFETY: as above, and the index lies within the ring.
        let first = unsafe { ring.at(index) };
        if mutant("complete-before-writing") {
            first.complete(self.turn);
        }
        match tail.split_first_chunk() {
            _ if tail.is_empty() => {}
            // SAFETY: there is room for all of it.
            None => unsafe { slot(1).write_tail(tail) },
            Some((piece, rest)) => {
                // SAFETY: as above.
                unsafe { slot(1).write_piece(piece) };
                if !rest.is_empty() {
                    // SAFETY: as above.
                    unsafe { slot(2).write_tail(rest) };
                }
            }
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most TAIL_BYTES")]
        // SAFETY: as above.
        unsafe {
            first.write_record(make, tail.len() as u32, finish);
        }
        first.complete(self.turn);
        self.records += 1;
        self.bytes += bytes;
        self.room -= needed;
        self.index += needed;
        if self.index >= ring.length() {
            self.index -= ring.length();
            self.turn += 1;
        }
        prefetch::to_write(ring, self.index + WRITE_AHEAD, needed);
        if self.room < FEW {
            self.look_for_room();
        }
    }

    /// Returns how many slots were written in all segments.
    fn written(&self) -> u64 {
        self.end - self.room as u64
    }

    /// Learns which slots of the segment the consumer has passed. Not inlined: inlined into each post, it slowed down
    /// the posts that do not call it.
    #[inline(never)]
    fn look_for_room(&mut self) {
        // In the last turn nothing more is granted, because the room may reach into the turn after it.
        if self.leaving || (self.turn >= LAST_TURN && !mutant("turns-without-end")) {
            return;
        }
        // ORDERING: takes the slots, and the consumer's last reads of them, from the Release store
        // in `Consumer::publish_consumed`.
        let passed = self.shared.progress.slots.load(Ordering::Acquire);
        let written = self.written();
        let passed = if mutant("slots-used-before-they-are-free") { written } else { passed };
        let length = self.ring.length();
        // Slots that it passed before it came to this segment are not room in it.
        self.end = passed.max(self.begun) + length as u64;
        #[allow(clippy::cast_possible_truncation, reason = "no more than the segment's slots")]
        let room = (self.end - written) as usize;
        self.room = room;
        if room == 0 {
            return;
        }
        // The consumer keeps up, but so much is under way that the producer would look here every few records.
        if room < length / 2 && length < LARGE {
            self.outgrow(length_after(length));
        } else if length < LIVELY && self.rounds() >= ROUNDS {
            self.outgrow(LIVELY);
        }
    }

    /// Returns how many rounds it made in the segment since the lane fell idle.
    fn rounds(&self) -> u64 {
        (self.written() - self.begun.max(self.shrunk)) / self.ring.length() as u64
    }

    /// Continues in a segment of at least this many slots.
    #[cold]
    fn outgrow(&mut self, length: usize) {
        self.next_length = self.next_length.max(length);
        let next = self.allocate();
        self.link_to(next);
    }

    /// Makes sure that at least `needed` slots are free.
    #[cold]
    fn make_room(&mut self, needed: usize) {
        self.look_for_room();
        if needed > self.room {
            self.link();
        }
    }

    /// Continues in another segment.
    fn link(&mut self) {
        let next = self.fresh();
        self.link_to(next);
    }

    fn link_to(&mut self, next: *mut Segment<T>) {
        // SAFETY: the segment is ours: it was recycled to us or just allocated.
        let fresh = unsafe { &*next };
        // Read before the link, which shares the segment with the consumer.
        let (turn, ring) = (fresh.turn(), fresh.ring());
        self.begun = self.written();
        // Relaxed: a plain count. Whoever must not read an older one has seen what we did afterwards.
        if !mutant("frontier-in-the-first-segment") {
            self.shared.progress.reach.store(self.begun + ring.length() as u64, Ordering::Relaxed);
        }
        // SAFETY: as in `append`. From now on the consumer may free it.
        unsafe { &*self.segment }.follow_with(next);
        self.segment = next;
        self.ring = ring;
        self.index = 0;
        self.turn = turn;
        self.room = ring.length();
        self.end = self.begun + ring.length() as u64;
        self.large |= ring.length() > SMALL;
        self.leaving = false;
    }

    /// Returns an empty segment: a recycled one if there is one, otherwise a new one.
    fn fresh(&mut self) -> *mut Segment<T> {
        if self.spares.is_null() {
            // ORDERING: Acquire for the segments' contents, put with the Release swap in the consumer's `recycle`.
            self.spares = self.shared.progress.recycled.swap(ptr::null_mut(), Ordering::Acquire);
        }
        let spare = self.spares;
        if spare.is_null() {
            return self.allocate();
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

    fn allocate(&mut self) -> *mut Segment<T> {
        let length = self.next_length;
        self.next_length = length_after(length);
        Segment::allocate(length)
    }

    /// Gives back the memory of a burst, and goes back to a small segment, once there was no burst between two
    /// calls. Must be called when the lane fell idle in between.
    pub(crate) fn shrink(&mut self) {
        let written = self.written();
        let since = written - std::mem::replace(&mut self.shrunk, written);
        if since > SMALL as u64 || !std::mem::take(&mut self.large) {
            return;
        }
        self.next_length = SMALL;
        // SAFETY: the chain of spares is ours alone.
        unsafe { Segment::free_recycled(self.spares) };
        self.spares = ptr::null_mut();
        self.leaving = true;
        self.end = written;
        self.room = 0;
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

    /// Returns whether so many more records, of so many bytes, leave the lane within what was last
    /// [allowed](Self::allow). Reads nothing that the consumer writes.
    #[inline(always)]
    pub(crate) fn fits(&self, records: u64, bytes: u64) -> bool {
        self.records + records <= self.until.0 && self.bytes + bytes < self.until.1
    }

    /// Has records [fit](Self::fits) until so many are not consumed, or so many bytes. Returns how many are not known
    /// to be consumed now.
    pub(crate) fn allow(&mut self, records: u64, bytes: u64) -> (u64, u64) {
        let (lying, lying_bytes) = self.outstanding();
        self.until = (self.records - lying + records, self.bytes - lying_bytes + bytes);
        (lying, lying_bytes)
    }

    /// Returns how many records and bytes are pushed and not yet known to be consumed.
    pub(crate) fn outstanding(&self) -> (u64, u64) {
        // Relaxed: plain counts; an old value only makes a budget too strict.
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

/// Returns how many slots a new segment has after one of this length.
const fn length_after(length: usize) -> usize {
    if length * 2 > LARGE { LARGE } else { length * 2 }
}
