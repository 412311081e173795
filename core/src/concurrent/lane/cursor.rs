//! Reading a lane: where the next record lies.

use super::prefetch::{self, READ_AHEAD};
use super::segment::{PIECE_BYTES, Ring, Segment, Slot};
use super::{TAIL_BYTES, pieces};
use crate::payload::discard;
use crate::sync::mutant;
use std::mem::MaybeUninit;
use std::ptr;

/// A reading position in a chain of segments. Only the consumer has one.
pub(super) struct Cursor<T> {
    segment: *mut Segment<T>,
    /// The slots of `segment`.
    ring: Ring,
    /// The next of these to read.
    index: usize,
    turn: u32,
    /// How many slots it passed, in all segments. Only grows.
    passed: u64,
    /// How many records it passed since it last found none.
    in_a_row: u32,
}

impl<T> Clone for Cursor<T> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

/// The bytes of a tail that lie in one slot.
type Cell = [MaybeUninit<u8>; PIECE_BYTES];

/// The bytes that follow a record.
pub(crate) struct Tail<'a> {
    first: Option<&'a Slot>,
    second: Option<&'a Slot>,
    length: usize,
}

impl<'a> Tail<'a> {
    /// Returns the whole cells that the bytes lie in; the first of two is full.
    /// To copy a whole cell is quicker than to copy the bytes alone, because its size is fixed.
    #[inline(always)]
    pub(crate) fn cells(self) -> (Option<&'a Cell>, Option<&'a Cell>) {
        // SAFETY: as in `pieces`.
        let cell = |slot: &'a Slot| unsafe { slot.piece() };
        (self.first.map(cell), self.second.map(cell))
    }

    /// Returns the bytes, in pieces.
    #[cfg_attr(not(any(test, port_core_model)), allow(dead_code, reason = "for the lane's tests and models"))]
    pub(crate) fn pieces(self) -> impl Iterator<Item = &'a [u8]> {
        self.first.into_iter().chain(self.second).enumerate().map(move |(position, slot)| {
            let length = (self.length - position * PIECE_BYTES).min(PIECE_BYTES);
            // SAFETY: `Cursor::take` made the tail of a complete record's slots and
            // length, and publishes that it passed them once the tail is no longer borrowed.
            unsafe { slot.read_tail(length) }
        })
    }
}

/// After this many records without a pause the consumer prefetches. Found by trial: with fewer it is often only a few
/// slots behind the producer, and its prefetch takes away cache lines that the producer is about to write.
const IN_A_ROW: u32 = 64;

impl<T> Cursor<T> {
    pub(super) fn new(segment: *mut Segment<T>) -> Self {
        // SAFETY: a new lane's segment is there.
        let ring = unsafe { &*segment }.ring();
        Self { segment, ring, index: 0, turn: 1, passed: 0, in_a_row: 0 }
    }

    /// Returns a placeholder for a cursor that was given away. It must not be used.
    pub(super) fn nowhere() -> Self {
        Self { segment: ptr::null_mut(), ring: Ring::NONE, index: 0, turn: 0, passed: 0, in_a_row: 0 }
    }

    /// Returns how many slots its segment has: how far the producer may be ahead in it.
    pub(super) fn round(&self) -> u64 {
        self.ring.length() as u64
    }

    /// Returns how many slots it passed so far.
    #[inline]
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    #[inline(always)]
    fn current(&self) -> &Segment<T> {
        // SAFETY: a segment lives until the consumer has left it behind, and we are the consumer.
        unsafe { &*self.segment }
    }

    /// Returns the slot at the cursor.
    #[inline(always)]
    fn slot(&self) -> &Slot {
        // SAFETY: the index lies within the ring, and its segment lives as in `current`.
        unsafe { self.ring.at(self.index) }
    }

    /// Returns whether a record is ready at the cursor.
    #[inline(always)]
    pub(super) fn is_complete(&self) -> bool {
        self.slot().is_complete(self.turn)
    }

    /// Returns whether the producer has moved on to another segment.
    #[inline(always)]
    pub(super) fn is_followed(&mut self) -> bool {
        let followed = !self.current().following().is_null();
        if !followed {
            self.in_a_row = 0;
        }
        followed
    }

    /// Returns whether a record is ready, and moves to the next segment if the producer
    /// did. Hands the emptied segment and its turn to `emptied`.
    #[inline(always)]
    pub(super) fn ready(&mut self, emptied: impl FnMut(*mut Segment<T>, u32)) -> bool {
        self.is_complete() || self.follow(emptied)
    }

    /// Does [`ready`](Self::ready) for a slot that was just seen empty.
    #[inline(always)]
    pub(super) fn follow(&mut self, mut emptied: impl FnMut(*mut Segment<T>, u32)) -> bool {
        loop {
            if !self.is_followed() {
                return false;
            }
            // The producer may have filled the slot and then gone on, both since we looked.
            if self.is_complete() && !mutant("followed-without-a-second-look") {
                return true;
            }
            let (before, turn) = (self.segment, self.turn);
            if mutant("recycled-before-following") {
                emptied(before, turn);
            }
            self.segment = self.current().following();
            self.index = 0;
            (self.ring, self.turn) = (self.current().ring(), self.current().turn());
            if self.in_a_row >= IN_A_ROW {
                // Its first slots were not prefetched while the segment before was read.
                (0..READ_AHEAD).step_by(2).for_each(|place| prefetch::to_read(self.ring, place, 2));
            }
            if !mutant("recycled-before-following") {
                emptied(before, turn);
            }
            if self.is_complete() {
                return true;
            }
        }
    }

    /// Looks at the record at the cursor.
    ///
    /// # Safety
    ///
    /// As for [`take`](Self::take).
    #[inline(always)]
    pub(super) unsafe fn peek<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        // SAFETY: the record is ready.
        let (record, _) = unsafe { self.slot().record() };
        look(record)
    }

    /// Moves the record at the cursor out.
    ///
    /// # Safety
    ///
    /// [`ready`](Self::ready) said so and nothing was taken since.
    #[inline(always)]
    pub(super) unsafe fn take<R>(&mut self, take: impl FnOnce(T, Tail<'_>) -> R) -> R {
        let take = |record: &T, tail: Tail<'_>| {
            // SAFETY: it is moved out once, for the cursor has passed it.
            take(unsafe { ptr::from_ref(record).read() }, tail)
        };
        // SAFETY: as the caller promises.
        unsafe { self.pass(take) }
    }

    /// Passes the record at the cursor: shows it to `look` where it lies, and does not drop it.
    ///
    /// # Safety
    ///
    /// As for [`take`](Self::take).
    #[inline(always)]
    pub(super) unsafe fn pass<R>(&mut self, look: impl FnOnce(&T, Tail<'_>) -> R) -> R {
        let (ring, start) = (self.ring, self.index);
        // SAFETY: as in `slot`; while it is used the cursor does not move to another segment.
        let slot = unsafe { ring.at(start) };
        // SAFETY: a record is ready, and while it is looked at nobody tells the producer that it was passed.
        let (record, tail_length) = unsafe { slot.record() };
        let length = tail_length as usize;
        debug_assert!(length <= TAIL_BYTES);
        let pieces = pieces(length);
        // Before `look`, which may panic: a record is passed at most once.
        self.advance(1 + pieces);
        if self.in_a_row >= IN_A_ROW {
            prefetch::to_read(ring, start + READ_AHEAD, 1 + pieces);
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        // SAFETY: as above.
        let piece = |nth| (nth <= pieces).then(|| unsafe { ring.slot(start + nth) });
        look(record, Tail { first: piece(1), second: piece(2), length })
    }

    /// Moves this many slots on.
    #[inline(always)]
    fn advance(&mut self, count: usize) {
        self.passed += count as u64;
        self.index += count;
        if self.index >= self.ring.length() {
            self.index -= self.ring.length();
            self.turn += 1;
        }
    }

    /// Shows `look` every record that is ready from here on. Meant for a copy of the consumer's cursor that is
    /// not behind it: nothing is taken, and no segment is handed back.
    pub(super) fn look_on(&mut self, mut look: impl FnMut(&T)) {
        while self.ready(|_, _| ()) {
            // SAFETY: a record is ready, and was not taken, for the consumer's cursor is not past it.
            unsafe { self.pass(|record, _| look(record)) };
        }
    }

    /// Returns how many records are ready from here on, if fewer than `limit`. Meant for a copy, like
    /// [`look_on`](Self::look_on).
    pub(super) fn count_up_to(&mut self, limit: u64) -> Option<u64> {
        for count in 0..limit {
            if !self.ready(|_, _| ()) {
                return Some(count);
            }
            // SAFETY: as in `look_on`.
            unsafe { self.pass(|_: &T, _| ()) };
        }
        None
    }

    /// Drops every record that is ready. A panic in a destructor is caught, so that each
    /// record is dropped once even if another panics.
    pub(super) fn drop_records(&mut self) {
        let mut emptied = Vec::new();
        while self.ready(|segment, _| emptied.push(segment)) {
            // SAFETY: a record is ready.
            let record = unsafe { self.take(|record, _| record) };
            discard(record);
        }
        for segment in emptied {
            // SAFETY: the consumer, which we are, has left it behind.
            unsafe { Segment::free(segment) };
        }
    }

    /// Frees the segment at the cursor and all that follow it.
    ///
    /// # Safety
    ///
    /// The producer has left.
    pub(super) unsafe fn free_segments(self) {
        let mut segment = self.segment;
        while !segment.is_null() {
            // SAFETY: nobody else uses the chain any more.
            let next = unsafe { &*segment }.following();
            // SAFETY: as above.
            unsafe { Segment::free(segment) };
            segment = next;
        }
    }
}
