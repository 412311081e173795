//! Reading a lane: where the next record lies.

use super::prefetch::{self, READ_AHEAD};
use super::segment::{PIECE_BYTES, Segment, Slot, State};
use super::{TAIL_BYTES, pieces};
use crate::payload::discard;
use crate::sync::mutant;
use std::mem::MaybeUninit;
use std::ptr;

/// The reading position in a chain of segments. Whoever holds it is the consumer.
pub(super) struct Cursor<T> {
    segment: *mut Segment<T>,
    /// The next slot of `segment` to read.
    index: usize,
    turn: u32,
}

/// The bytes behind a record.
pub(crate) struct Tail<'a> {
    slots: &'a [Slot],
    length: usize,
}

impl<'a> Tail<'a> {
    /// The whole cells that the bytes lie in: as far as they go, all but the last are full.
    /// Copying one takes a fixed size, which is quicker than the bytes alone.
    #[inline]
    pub(crate) fn cells(self) -> impl ExactSizeIterator<Item = &'a [MaybeUninit<u8>; PIECE_BYTES]> {
        // SAFETY: as in `pieces`.
        self.slots.iter().map(|slot| unsafe { slot.piece() })
    }

    /// The bytes, in pieces.
    pub(crate) fn pieces(self) -> impl Iterator<Item = &'a [u8]> {
        self.slots.iter().enumerate().map(move |(position, slot)| {
            let length = (self.length - position * PIECE_BYTES).min(PIECE_BYTES);
            // SAFETY: `Cursor::take` made the tail of a complete record's slots and
            // length, and keeps the segment while the tail is borrowed.
            unsafe { slot.read_tail(length) }
        })
    }
}

impl<T> Cursor<T> {
    pub(super) fn new(segment: *mut Segment<T>) -> Self {
        Self { segment, index: 0, turn: 1 }
    }

    pub(super) fn segment(&self) -> *mut Segment<T> {
        self.segment
    }

    #[inline]
    fn current(&self) -> &Segment<T> {
        // SAFETY: a segment lives until the consumer has left it behind, and we are the consumer.
        unsafe { &*self.segment }
    }

    /// Whether a record is ready at the cursor. Moves on to the next segment where
    /// the producer did, handing the emptied one to `emptied`; stops in `last`.
    #[inline(always)]
    pub(super) fn ready(
        &mut self,
        last: Option<*mut Segment<T>>,
        mut emptied: impl FnMut(*mut Segment<T>),
    ) -> bool {
        loop {
            match self.current().slots().get(self.index).map(|slot| slot.state(self.turn)) {
                Some(State::Complete) => return true,
                Some(State::Empty) => return false,
                Some(State::Linked) | None => {}
            }
            if last == Some(self.segment) {
                return false;
            }
            if mutant("recycled-before-following") {
                emptied(self.segment);
            }
            let next = self.current().following();
            if next.is_null() {
                return false;
            }
            let before = self.segment;
            self.segment = next;
            self.index = 0;
            self.turn = self.current().turn();
            if !mutant("recycled-before-following") {
                emptied(before);
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
        unsafe { self.current().slots()[self.index].record(|record, _| look(record)) }
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

    /// Passes the record at the cursor, which is looked at where it lies and not dropped.
    ///
    /// # Safety
    ///
    /// As for [`take`](Self::take).
    #[inline(always)]
    pub(super) unsafe fn pass<R>(&mut self, look: impl FnOnce(&T, Tail<'_>) -> R) -> R {
        let start = self.index;
        let segment = self.segment;
        // SAFETY: as in `current`; the reference outlives our use of the tail, during
        // which the cursor does not move to another segment.
        let slots = unsafe { &*segment }.slots();
        let look = |record: &T, tail_length: u32| {
            let length = tail_length as usize;
            debug_assert!(length <= TAIL_BYTES);
            let count = 1 + pieces(length);
            // Before anything can panic.
            self.index = start + count;
            prefetch::to_read(slots, start + READ_AHEAD, count);
            look(record, Tail { slots: &slots[start + 1..start + count], length })
        };
        // SAFETY: the record is ready.
        unsafe { slots[start].record(look) }
    }

    /// Drops every record that is ready. A panic in a destructor is caught: each
    /// record is dropped once, whatever the others do.
    pub(super) fn drop_records(&mut self) {
        let mut emptied = Vec::new();
        while self.ready(None, |segment| emptied.push(segment)) {
            // SAFETY: a record is ready.
            let record = unsafe { self.take(|record, _| record) };
            discard(record);
        }
        for segment in emptied {
            // SAFETY: the consumer, which we are, has left it behind.
            unsafe { Segment::free(segment) };
        }
    }

    /// Frees the segment at the cursor and all behind it.
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
