//! Reading a lane: where the next record lies.

use super::prefetch;
use super::segment::{Extent, PIECE_BYTES, Ring, Segment, Slot};
use super::{TAIL_BYTES, pieces};
use crate::payload::discard;
use crate::sync::mutant;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// How many slots a consumer keeps behind the producer.
const BEHIND: usize = 16;

/// A reading position in a chain of segments. Only the consumer has one.
pub(super) struct Cursor<T> {
    segment: *mut Segment<T>,
    /// The slots of `segment`.
    ring: Ring,
    /// The next of these to read.
    at: *const Slot,
    turn: u32,
    /// How many slots it had passed, in all segments, when it last was at the first of these.
    before: u64,
}

impl<T> Clone for Cursor<T> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

/// The bytes of a tail that lie in one slot.
type Cell = [MaybeUninit<u8>; PIECE_BYTES];

/// The bytes that follow a record.
#[derive(Clone, Copy)]
pub(crate) struct Tail<'a> {
    ring: Ring,
    /// The slot of the record.
    record: *const Slot,
    extent: Extent,
    slots: PhantomData<&'a Slot>,
}

impl<'a> Tail<'a> {
    /// Returns the whole cell in which the `nth` piece of the bytes lies, counted from 1; the first of two is full.
    /// To copy a whole cell is quicker than to copy the bytes alone, because its size is fixed.
    ///
    /// # Safety
    ///
    /// The tail has so many pieces.
    #[inline(always)]
    pub(crate) unsafe fn cell(self, nth: usize) -> &'a Cell {
        // SAFETY: as the caller promises.
        let slot = unsafe { self.slot(nth) };
        // SAFETY: as in `pieces`.
        unsafe { slot.piece() }
    }

    /// Returns the `nth` slot after the record.
    ///
    /// # Safety
    ///
    /// The tail reaches there.
    #[inline(always)]
    unsafe fn slot(self, nth: usize) -> &'a Slot {
        debug_assert!(nth < self.extent.slots.into());
        // SAFETY: `Cursor::pass` made the tail of a complete record's slots, in a segment that lives as long as the tail
        // is borrowed.
        unsafe { &*self.ring.after(self.record, nth) }
    }

    /// Returns the bytes, in pieces.
    #[cfg_attr(not(any(test, port_core_model)), allow(dead_code, reason = "for the lane's tests and models"))]
    pub(crate) fn pieces(self) -> impl Iterator<Item = &'a [u8]> {
        (1..usize::from(self.extent.slots)).map(move |nth| {
            let length = (usize::from(self.extent.tail) - (nth - 1) * PIECE_BYTES).min(PIECE_BYTES);
            // SAFETY: the record takes more slots than this.
            let slot = unsafe { self.slot(nth) };
            // SAFETY: `Cursor::pass` made the tail of a complete record's slots and
            // length, and publishes that it passed them once the tail is no longer borrowed.
            unsafe { slot.read_tail(length) }
        })
    }
}

impl<T> Cursor<T> {
    pub(super) fn new(segment: *mut Segment<T>) -> Self {
        // SAFETY: a new lane's segment is there.
        let ring = unsafe { &*segment }.ring();
        Self { segment, ring, at: ring.first, turn: 1, before: 0 }
    }

    /// Returns a placeholder for a cursor that was given away. It must not be used.
    pub(super) fn nowhere() -> Self {
        Self { segment: ptr::null_mut(), ring: Ring::NONE, at: ptr::null(), turn: 0, before: 0 }
    }

    /// Returns how many slots its segment has: how far the producer may be ahead in it.
    pub(super) fn round(&self) -> u64 {
        self.ring.length() as u64
    }

    /// Returns how many slots it passed so far.
    pub(super) fn passed(&self) -> u64 {
        self.before + self.ring.place_of(self.at) as u64
    }

    #[inline(always)]
    fn current(&self) -> &Segment<T> {
        // SAFETY: a segment lives until the consumer has left it behind, and we are the consumer.
        unsafe { &*self.segment }
    }

    /// Returns whether a record is ready at the cursor.
    #[inline(always)]
    pub(super) fn is_complete(&self) -> bool {
        self.complete().is_some()
    }

    /// Returns the slot at the cursor if a record is ready in it. A load after that look would have to read the cursor
    /// anew, so what is done with the record is given the slot.
    #[inline(always)]
    pub(super) fn complete(&self) -> Option<*const Slot> {
        let at = self.at;
        // SAFETY: it lies within the ring, whose segment lives as in `current`.
        unsafe { &*at }.is_complete(self.turn).then_some(at)
    }

    /// Returns the slot at the cursor.
    pub(super) fn at(&self) -> *const Slot {
        self.at
    }

    /// Returns whether the producer has moved on to another segment.
    #[inline(always)]
    pub(super) fn is_followed(&self) -> bool {
        !self.current().following().is_null()
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
            self.before = self.passed();
            self.segment = self.current().following();
            (self.ring, self.turn) = (self.current().ring(), self.current().turn());
            self.at = self.ring.first;
            if !mutant("recycled-before-following") {
                emptied(before, turn);
            }
            if self.is_complete() {
                return true;
            }
        }
    }

    /// Returns whether the producer is [`BEHIND`] slots ahead, or has gone on to another segment, or the ring is too small
    /// for it to be; and if so, how many records like the one at the cursor may be taken before this is asked again.
    /// Asks for the lines of the slots that are known to be written.
    ///
    /// # Safety
    ///
    /// A record is ready at the cursor.
    pub(super) unsafe fn is_behind(&self) -> Option<u64> {
        if self.ring.length() < 2 * BEHIND {
            return Some(self.round());
        }
        // SAFETY: it lies within the ring, whose segment lives as in `current`.
        let slot = unsafe { &*self.at };
        // SAFETY: as the caller promises.
        let (_, Extent { slots, .. }) = unsafe { slot.record::<T>() };
        // One of so many is a record's, and not a piece of a tail.
        let reached = (BEHIND..=BEHIND + pieces(TAIL_BYTES)).any(|count| {
            let ahead = self.ring.after(self.at, count);
            // SAFETY: it lies within the ring.
            unsafe { &*ahead }.is_complete(self.turn + u32::from(ahead < self.at))
        });
        if reached {
            (1..BEHIND).for_each(|count| prefetch::to_read(self.ring.after(self.at, count)));
        }
        (reached || self.is_followed()).then(|| (BEHIND as u64).div_ceil(slots.into()))
    }

    /// Looks at the record at the cursor, in this slot.
    ///
    /// # Safety
    ///
    /// As for [`take`](Self::take).
    #[inline(always)]
    pub(super) unsafe fn peek<R>(&self, at: *const Slot, look: impl FnOnce(&T) -> R) -> R {
        // SAFETY: its segment lives as in `current`.
        let slot = unsafe { &*at };
        // SAFETY: the record is ready.
        let (record, _) = unsafe { slot.record() };
        look(record)
    }

    /// Moves the record at the cursor out of its slot.
    ///
    /// # Safety
    ///
    /// [`complete`](Self::complete) said that it is ready in this slot, and nothing was taken since.
    #[inline(always)]
    pub(super) unsafe fn take<R>(&mut self, at: *const Slot, take: impl FnOnce(T, Tail<'_>) -> R) -> R {
        // SAFETY: as the caller promises, and nobody tells the producer that it was passed before `take` returns.
        let (record, tail) = unsafe { self.pass(at) };
        // SAFETY: it is moved out once, for the cursor has passed it.
        take(unsafe { ptr::from_ref(record).read() }, tail)
    }

    /// Passes the record at the cursor and returns it where it lies, in this slot, with its tail. Does not drop it.
    ///
    /// # Safety
    ///
    /// As for [`take`](Self::take). The producer is not told that the record was passed while it is looked at, nor does
    /// the cursor move to another segment.
    #[inline(always)]
    pub(super) unsafe fn pass<'a>(&mut self, at: *const Slot) -> (&'a T, Tail<'a>)
    where
        T: 'a,
    {
        debug_assert_eq!(at, self.at);
        let ring = self.ring;
        // SAFETY: as in `complete`, and as the caller promises.
        let slot = unsafe { &*at };
        // SAFETY: a record is ready.
        let (record, extent) = unsafe { slot.record() };
        // Before anybody looks, which may panic: a record is passed at most once.
        self.advance(at, extent.slots.into());
        (record, Tail { ring, record: at, extent, slots: PhantomData })
    }

    /// Moves this many slots on from this one.
    #[inline(always)]
    fn advance(&mut self, at: *const Slot, count: usize) {
        let next = at.wrapping_add(count);
        if next < self.ring.end {
            self.at = next;
        } else {
            self.go_round(count);
        }
    }

    /// Moves this many slots on, past the last one of the ring.
    #[cold]
    #[inline(never)]
    fn go_round(&mut self, count: usize) {
        self.at = self.ring.after(self.at, count);
        self.before += self.round();
        self.turn += 1;
    }

    /// Shows `look` every record that is ready from here on. Meant for a copy of the consumer's cursor that is
    /// not behind it: nothing is taken, and no segment is handed back.
    pub(super) fn look_on(&mut self, mut look: impl FnMut(&T)) {
        while self.ready(|_, _| ()) {
            // SAFETY: a record is ready, and was not taken, for the consumer's cursor is not past it.
            look(unsafe { self.pass(self.at) }.0);
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
            let _ = unsafe { self.pass(self.at) };
        }
        None
    }

    /// Drops every record that is ready. A panic in a destructor is caught, so that each
    /// record is dropped once even if another panics.
    pub(super) fn drop_records(&mut self) {
        let mut emptied = Vec::new();
        while self.ready(|segment, _| emptied.push(segment)) {
            // SAFETY: a record is ready.
            let record = unsafe { self.take(self.at, |record, _| record) };
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
