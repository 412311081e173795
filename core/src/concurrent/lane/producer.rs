//! The writing end of a lane.

use super::prefetch::{self, WRITE_AHEAD};
use super::segment::{Extent, LARGE, LAST_TURN, Ring, SMALL, Segment, Slot};
use super::{PRODUCER_LEFT, Shared, TAIL_BYTES, pieces};
use crate::sync::{Arc, Ordering, mutant};
use std::{fmt, ptr};

const _: () = assert!(SMALL > pieces(TAIL_BYTES));

/// With fewer free slots than this left, the producer reads the consumer's count right after it published a
/// record, not before it writes the next: the transfer of the count's cache line then delays no record. Models
/// would have to explore each of these reads, so they have few.
const FEW: usize = if cfg!(port_core_model) { 1 } else { 3 };

/// The writing end. `Send`, and used by one thread at a time.
///
/// In this order, so that the two counts do not lie side by side: the compiler would subtract from both at once, in a
/// vector that takes it five instructions more to put together.
#[repr(C)]
pub(crate) struct Producer<T> {
    /// How many more records [fit](Self::fits), as was last [allowed](Self::allow); fewer than none when more were
    /// appended. Counting down makes check and count one.
    records_left: i64,
    shared: Arc<Shared<T>>,
    segment: *mut Segment<T>,
    /// The slots of `segment`.
    ring: Ring,
    /// The next of these to write.
    at: *const Slot,
    /// Where those end that are known to be free from there on, or the ring does.
    stop: *const Slot,
    turn: u32,
    /// How many more bytes fit, likewise.
    bytes_left: i64,
    /// `true` if a large segment was begun since the lane last went back to small ones.
    large: bool,
    /// `true` if the segment is to be left because it is larger than it need be.
    leaving: bool,
    /// How many slots had been written in all segments when `at` last was the first of the ring.
    before: u64,
    /// How many will have been when those known to be free are.
    end: u64,
    /// How many slots had been written when this segment was begun.
    begun: u64,
    /// How many slots had been written when [`shrink`](Self::shrink) was last called.
    shrunk: u64,
    /// Recycled segments taken from the consumer.
    spares: *mut Segment<T>,
    /// How many slots a new segment will have: twice as many as the last while a burst lasts.
    next_length: usize,
    /// How many will have been appended when none is left.
    until: [u64; 2],
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
            at: ring.first,
            stop: ring.end,
            turn: 1,
            large: false,
            leaving: false,
            before: 0,
            end: SMALL as u64,
            begun: 0,
            shrunk: 0,
            spares: ptr::null_mut(),
            next_length: length_after(SMALL),
            records_left: 0,
            bytes_left: 0,
            until: [0; 2],
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
        let extent = Extent::with_tail(tail.len());
        let needed = extent.slots.into();
        let (ring, at) = (self.ring, self.at);
        let next = at.wrapping_add(needed);
        self.records_left -= 1;
        self.bytes_left -= bytes.cast_signed();
        if next > self.stop {
            return self.append_around(extent, make, tail, finish);
        }
        // SAFETY: these slots are free, for they lie before the stop. The producer's segment lives until the consumer
        // has followed a link from it, which we have not set.
        unsafe { write([at, at.wrapping_add(1), at.wrapping_add(2)], self.turn, extent, make, tail, finish) };
        self.at = next;
        prefetch::to_write(ring, ring.after(next, WRITE_AHEAD), needed);
        if next.wrapping_add(FEW) > self.stop {
            self.come_near_the_stop();
        }
    }

    /// Appends a record for which there is no room before the stop: there may be on the ring's other side, or none.
    #[cold]
    #[inline(never)]
    fn append_around(
        &mut self,
        extent: Extent,
        make: impl FnOnce() -> T,
        tail: &[u8],
        finish: impl FnOnce(&mut T),
    ) {
        let needed = extent.slots.into();
        self.make_room(needed);
        let (ring, at) = (self.ring, self.at);
        // SAFETY: as in `append`: there is room for all of it, around the ring.
        unsafe { write([at, ring.after(at, 1), ring.after(at, 2)], self.turn, extent, make, tail, finish) };
        self.at = ring.after(at, needed);
        if self.at <= at {
            self.begin_round();
        }
        self.come_near_the_stop();
    }

    /// Notes that the next slot is the first of the ring again, or one soon after it.
    fn begin_round(&mut self) {
        self.before += self.ring.length() as u64;
        self.turn += 1;
    }

    /// Goes on from the ring's last slot to its first.
    fn go_round(&mut self) {
        if self.at == self.ring.end {
            self.at = self.ring.first;
            self.begin_round();
        }
    }

    /// Finds the next stop, and looks for room if little is left.
    #[cold]
    #[inline(never)]
    fn come_near_the_stop(&mut self) {
        self.go_round();
        let room = self.room();
        self.stop_after(room);
        if room < FEW {
            self.look_for_room();
        }
    }

    /// Stops after so many slots, or at the end of the ring.
    fn stop_after(&mut self, room: usize) {
        self.stop = self.ring.end.min(self.at.wrapping_add(room));
    }

    /// Returns how many slots were written in all segments.
    fn written(&self) -> u64 {
        self.before + self.ring.place_of(self.at) as u64
    }

    /// Returns how many slots from `at` on, around the ring, are known to be free.
    #[allow(clippy::cast_possible_truncation, reason = "no more than the segment's slots")]
    fn room(&self) -> usize {
        (self.end - self.written()) as usize
    }

    /// Learns which slots of the segment the consumer has passed.
    fn look_for_room(&mut self) {
        // In the last turn nothing more is granted, because the room may reach into the turn after it.
        if self.leaving || (self.turn >= LAST_TURN && !mutant("turns-without-end")) {
            return;
        }
        // ORDERING: takes the slots, and the consumer's last reads of them, from the Release store
        // in `Consumer::publish_consumed`.
        let passed = self.shared.progress.slots.load(Ordering::Acquire);
        let passed = if mutant("slots-used-before-they-are-free") { self.written() } else { passed };
        let length = self.ring.length();
        // Slots that it passed before it came to this segment are not room in it.
        self.end = passed.max(self.begun) + length as u64;
        let room = self.room();
        self.stop_after(room);
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

    /// Makes sure that at least `needed` slots are free, around the ring.
    fn make_room(&mut self, needed: usize) {
        self.go_round();
        if needed > self.room() {
            self.look_for_room();
        }
        if needed > self.room() {
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
        self.at = ring.first;
        self.stop = ring.end;
        self.turn = turn;
        self.before = self.begun;
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
        self.stop_after(0);
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
        self.records_left >= records.cast_signed() && self.bytes_left > bytes.cast_signed()
    }

    /// Has so many more records [fit](Self::fits), of fewer bytes than so many.
    pub(crate) fn allow(&mut self, records: u64, bytes: u64) {
        let (sent, sent_bytes) = self.sent();
        let left = |allowed: u64| i64::try_from(allowed).unwrap_or(i64::MAX);
        self.records_left = left(records);
        self.bytes_left = left(bytes);
        self.until =
            [sent.wrapping_add_signed(self.records_left), sent_bytes.wrapping_add_signed(self.bytes_left)];
    }

    /// Returns how many records and bytes are pushed.
    pub(crate) fn sent(&self) -> (u64, u64) {
        let [records, bytes] = self.until;
        (
            records.wrapping_sub(self.records_left.cast_unsigned()),
            bytes.wrapping_sub(self.bytes_left.cast_unsigned()),
        )
    }

    /// Returns how many records and bytes are pushed and not yet known to be consumed.
    pub(crate) fn outstanding(&self) -> (u64, u64) {
        let (records, bytes) = self.sent();
        // Relaxed: plain counts; an old value only makes a budget too strict.
        let consumed = self.shared.progress.records.load(Ordering::Relaxed);
        let consumed_bytes = self.shared.progress.bytes.load(Ordering::Relaxed);
        (records.saturating_sub(consumed), bytes.saturating_sub(consumed_bytes))
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
        let (records, bytes) = self.sent();
        f.debug_struct("Producer").field("records", &records).field("bytes", &bytes).finish()
    }
}

/// Writes a record into the first of these slots and its tail into the others, and completes it.
///
/// # Safety
///
/// The caller is the producer, the slots that the record needs are empty, and their segment lives.
#[inline(always)]
unsafe fn write<T>(
    slots: [*const Slot; 3],
    turn: u32,
    extent: Extent,
    make: impl FnOnce() -> T,
    tail: &[u8],
    finish: impl FnOnce(&mut T),
) {
    // SAFETY: as the caller promises.
    let slot = |nth: usize| unsafe { &*slots[nth] };
    let first = slot(0);
    if mutant("complete-before-writing") {
        first.complete(turn);
    }
    match tail.split_first_chunk() {
        _ if tail.is_empty() => {}
        // SAFETY: as above.
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
    // SAFETY: as above.
    unsafe {
        first.write_record(make, extent, finish);
    }
    first.complete(turn);
}

/// Returns how many slots a new segment has after one of this length.
const fn length_after(length: usize) -> usize {
    if length * 2 > LARGE { LARGE } else { length * 2 }
}
