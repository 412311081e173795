//! The memory of a lane: a chain of segments, each an array of slots.

use super::copy::copy_short;
use super::{TAIL_BYTES, pieces};
use crate::sync::{AtomicPtr, AtomicU32, Ordering, UnsafeCell, mutant};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// How many bytes of a tail lie in one slot: all of it but the state word.
pub(crate) const PIECE_BYTES: usize = 60;

/// How many bytes of a slot follow its state word. Models have larger pointers.
const CELL_BYTES: usize = if cfg!(port_core_model) { 96 } else { PIECE_BYTES };

/// Where in its cell a record begins; its extent lies before it.
const RECORD_AT: usize = if cfg!(port_core_model) { 8 } else { size_of::<Extent>() };

/// The largest record a slot holds.
pub(crate) const RECORD_BYTES: usize = CELL_BYTES - RECORD_AT;

/// What a record's address is a multiple of.
const RECORD_ALIGNMENT: usize = 8;

#[cfg(not(port_core_model))]
const _: () = assert!((std::mem::offset_of!(Slot, cell) + RECORD_AT).is_multiple_of(RECORD_ALIGNMENT));

/// How many slots the segment of a new or idle lane has. One record with its tail must fit.
pub(super) const SMALL: usize = if cfg!(port_core_model) { 3 } else { 8 };

/// How many slots the largest segment has.
pub(super) const LARGE: usize = if cfg!(port_core_model) { 4 } else { 128 };

/// The last turn of a segment. After it the producer leaves the segment, and the state words start over before the
/// segment is used again. Small in models and tests, so that they see it happen.
pub(super) const LAST_TURN: u32 = if cfg!(any(test, port_core_model)) { 3 } else { u32::MAX / 2 };

/// One cache line: a state word and room for a record, or for a piece of the
/// tail of the record before it.
///
/// | state word | meaning | who writes it |
/// |---|---|---|
/// | the current turn | the record of this turn is complete | producer, after the cell and the tail |
/// | anything else | nothing of this turn yet | nobody |
///
/// A slot that holds a piece of a tail keeps the state of an earlier turn; nobody reads it.
#[repr(C, align(64))]
pub(super) struct Slot {
    state: AtomicU32,
    /// Owned by the producer while empty, by the consumer while complete.
    cell: UnsafeCell<Cell>,
}

/// What a record takes.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    /// How many slots, its own among them.
    pub(super) slots: u16,
    /// How many bytes its tail has.
    pub(super) tail: u16,
}

impl Extent {
    /// Returns the extent of a record with a tail of so many bytes.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "at most TAIL_BYTES")]
    pub(super) const fn with_tail(bytes: usize) -> Self {
        debug_assert!(bytes <= TAIL_BYTES);
        Self { slots: 1 + pieces(bytes) as u16, tail: bytes as u16 }
    }
}

#[cfg_attr(port_core_model, repr(align(8)))]
struct Cell([MaybeUninit<u8>; CELL_BYTES]);

impl Slot {
    fn new() -> Self {
        Self { state: AtomicU32::new(0), cell: UnsafeCell::new(Cell([MaybeUninit::uninit(); CELL_BYTES])) }
    }

    /// Returns whether the record of this turn is complete.
    #[inline(always)]
    pub(super) fn is_complete(&self, turn: u32) -> bool {
        // ORDERING: pairs with the Release store in `complete`: the record and its tail are
        // visible when the state is.
        self.state.load(Ordering::Acquire) == turn
    }

    #[inline(always)]
    pub(super) fn complete(&self, turn: u32) {
        debug_assert!((1..=LAST_TURN).contains(&turn), "state words would start over in use");
        // ORDERING: publishes the cell and its tail to the Acquire load in `is_complete`.
        self.state.store(turn, Ordering::Release);
    }

    /// Makes a record in the slot, notes its extent, and calls `finish` on the record where it lies.
    ///
    /// # Safety
    ///
    /// The caller is the producer and the slot is empty.
    #[inline(always)]
    pub(super) unsafe fn write_record<T>(
        &self,
        make: impl FnOnce() -> T,
        extent: Extent,
        finish: impl FnOnce(&mut T),
    ) {
        const { assert!(size_of::<T>() <= RECORD_BYTES) };
        const { assert!(align_of::<T>() <= RECORD_ALIGNMENT) };
        // The pointer outlives the closure; that is sound because the cell is ours until the slot is complete.
        let start = self.cell.with_mut(<*mut Cell>::cast::<u8>);
        // SAFETY: the cell is ours alone while empty and longer than this.
        let place = unsafe { start.add(RECORD_AT) }.cast::<T>();
        // SAFETY: as above, and the write needs no alignment.
        unsafe { start.cast::<Extent>().write_unaligned(extent) };
        // SAFETY: as above; the cell holds both values, and the place is aligned, as asserted.
        unsafe { place.write(make()) };
        // SAFETY: written just now.
        finish(unsafe { &mut *place });
    }

    /// Returns the record where it lies, and its extent.
    ///
    /// # Safety
    ///
    /// The caller is the consumer, the slot is complete, holds a `T` that was not moved out, and
    /// is not handed back while the record is looked at.
    #[inline(always)]
    pub(super) unsafe fn record<T>(&self) -> (&T, Extent) {
        self.cell.with(|cell| {
            let start = cell.cast::<u8>();
            // SAFETY: the cell is longer than this.
            let place = unsafe { start.add(RECORD_AT) }.cast::<T>();
            // SAFETY: `write_record` wrote both values before the slot was complete.
            let extent = unsafe { start.cast::<Extent>().read_unaligned() };
            // SAFETY: as above, and the place is aligned, as asserted there.
            (unsafe { &*place }, extent)
        })
    }

    /// Writes a piece of a tail, at most [`PIECE_BYTES`] long.
    ///
    /// # Safety
    ///
    /// The caller is the producer and the slot is empty.
    #[inline]
    pub(super) unsafe fn write_tail(&self, piece: &[u8]) {
        self.cell.with_mut(|cell| {
            // SAFETY: the cell is ours alone while empty; indexing checks the length.
            let cell = unsafe { &mut *cell };
            copy_short(piece, &mut cell.0);
        });
    }

    /// Writes a piece of a tail that fills the slot.
    ///
    /// # Safety
    ///
    /// As for [`write_tail`](Self::write_tail).
    #[inline(always)]
    pub(super) unsafe fn write_piece(&self, piece: &[u8; PIECE_BYTES]) {
        self.cell.with_mut(|cell| {
            // SAFETY: the cell is ours alone while empty.
            let cell = unsafe { &mut *cell };
            cell.0[..PIECE_BYTES].write_copy_of_slice(piece);
        });
    }

    /// Returns the cell of a piece of a tail, initialised as far as the piece goes.
    ///
    /// # Safety
    ///
    /// As for [`read_tail`](Self::read_tail).
    #[inline]
    pub(super) unsafe fn piece(&self) -> &[MaybeUninit<u8>; PIECE_BYTES] {
        // SAFETY: nobody writes the cell until the segment is recycled, and it is no shorter.
        self.cell.with(|cell| unsafe { &*cell.cast() })
    }

    /// Returns a piece of a tail.
    ///
    /// # Safety
    ///
    /// The caller is the consumer; a complete record before this slot has a
    /// tail of which `length` bytes lie here, and the producer does not get the
    /// segment back while the slice lives.
    #[inline]
    pub(super) unsafe fn read_tail(&self, length: usize) -> &[u8] {
        self.cell.with(|cell| {
            // SAFETY: `write_tail` initialised these bytes before the record was
            // complete, and nobody writes them until the segment is recycled.
            let cell = unsafe { &*cell };
            // SAFETY: as above.
            unsafe { cell.0[..length].assume_init_ref() }
        })
    }
}

/// An array of slots and the link to the next segment. On a cache line of its own, because the consumer reads
/// the link whenever it finds nothing.
#[repr(align(64))]
pub(super) struct Segment<T> {
    /// The segment that follows, null while this is the last. Stored by the
    /// producer alone and loaded by the consumer alone.
    next: AtomicPtr<Segment<T>>,
    /// The turn that the segment begins with. Written by the producer before it links the segment,
    /// and by the consumer, which notes in which turn it left.
    turn: UnsafeCell<u32>,
    /// The rest of a chain of recycled segments. Written by the consumer before it
    /// hands the chain back, read by the producer after it took it.
    recycled: UnsafeCell<Recycled<T>>,
    slots: Box<[Slot]>,
    _records: PhantomData<T>,
    /// Lets a model fail when a segment is never freed.
    #[cfg(port_core_model)]
    _track: loom::alloc::Track<()>,
}

/// The slots of a segment as a ring: the first follows the last.
#[derive(Clone, Copy)]
pub(super) struct Ring {
    pub(super) first: *const Slot,
    /// Behind the last.
    pub(super) end: *const Slot,
}

impl Ring {
    pub(super) const NONE: Self = Self { first: ptr::null(), end: ptr::null() };

    pub(super) fn length(self) -> usize {
        self.place_of(self.end)
    }

    /// Returns how many slots lie before this one.
    pub(super) fn place_of(self, slot: *const Slot) -> usize {
        (slot.addr() - self.first.addr()) / size_of::<Slot>()
    }

    /// Returns where the slot lies that comes so many after this one, at most one round further. One farther away gives
    /// some address, which is good enough for [`prefetch`](super::prefetch).
    #[inline(always)]
    pub(super) fn after(self, slot: *const Slot, count: usize) -> *const Slot {
        let next = slot.wrapping_add(count);
        if next < self.end { next } else { self.first.wrapping_byte_add(next.addr() - self.end.addr()) }
    }
}

/// A chain of recycled segments.
pub(super) struct Recycled<T> {
    pub(super) first: *mut Segment<T>,
    pub(super) count: usize,
}

impl<T> Recycled<T> {
    pub(super) const NONE: Self = Self { first: ptr::null_mut(), count: 0 };
}

impl<T> Clone for Recycled<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Recycled<T> {}

impl<T> Segment<T> {
    pub(super) fn allocate(length: usize) -> *mut Self {
        Box::into_raw(Box::new(Self {
            next: AtomicPtr::new(ptr::null_mut()),
            turn: UnsafeCell::new(1),
            recycled: UnsafeCell::new(Recycled::NONE),
            slots: (0..length).map(|_| Slot::new()).collect(),
            _records: PhantomData,
            #[cfg(port_core_model)]
            _track: loom::alloc::Track::new(()),
        }))
    }

    /// Frees a segment. Records in it are not dropped.
    ///
    /// # Safety
    ///
    /// It came from [`allocate`](Self::allocate) and nobody uses it any more.
    pub(super) unsafe fn free(segment: *mut Self) {
        // SAFETY: as the caller promises.
        let segment = unsafe { Box::from_raw(segment) };
        // Accesses every cell, so that a model fails if another thread still uses a slot. Loom
        // does not notice when an atomic is freed during another thread's store.
        segment.slots.iter().for_each(|slot| slot.cell.with_mut(|_| ()));
    }

    /// Frees a chain of recycled segments.
    ///
    /// # Safety
    ///
    /// The chain is the caller's alone.
    pub(super) unsafe fn free_recycled(mut segment: *mut Self) {
        while !segment.is_null() {
            // SAFETY: the chain is the caller's alone.
            let head = unsafe { &*segment };
            // SAFETY: as above.
            let behind = unsafe { head.recycled() };
            // SAFETY: as the caller promises; what is behind was read before.
            unsafe { Self::free(segment) };
            segment = behind.first;
        }
    }

    pub(super) fn length(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn ring(&self) -> Ring {
        let slots = self.slots.as_ptr_range();
        Ring { first: slots.start, end: slots.end }
    }

    #[inline]
    pub(super) fn following(&self) -> *mut Self {
        // ORDERING: pairs with the Release store in `follow_with`: the next segment's
        // turn and slots are visible when its address is.
        self.next.load(Ordering::Acquire)
    }

    pub(super) fn follow_with(&self, next: *mut Self) {
        // ORDERING: publishes the next segment to the Acquire load in `following`.
        self.next.store(next, Ordering::Release);
    }

    #[inline]
    pub(super) fn turn(&self) -> u32 {
        // SAFETY: written only while the segment is the producer's own, which is
        // before the link through which the reader came here.
        self.turn.with(|turn| unsafe { *turn })
    }

    /// Notes in which turn the consumer left the segment.
    ///
    /// # Safety
    ///
    /// The caller is the consumer and has left the segment behind.
    pub(super) unsafe fn leave(&self, turn: u32) {
        // SAFETY: the producer has linked the next one and does not come back before it is recycled.
        self.turn.with_mut(|left| unsafe { *left = turn });
    }

    /// Prepares a recycled segment for another turn.
    ///
    /// # Safety
    ///
    /// The caller is the producer, and the segment is its own: recycled by the consumer, taken once.
    pub(super) unsafe fn renew(&self) {
        // Relaxed: the link to this segment publishes it.
        self.next.store(ptr::null_mut(), Ordering::Relaxed);
        let turn = self.turn.with_mut(|turn| {
            // SAFETY: the segment is the producer's own.
            let turn = unsafe { &mut *turn };
            *turn = if *turn >= LAST_TURN { 1 } else { *turn + 1 };
            *turn
        });
        if turn == 1 && !mutant("states-kept-when-turns-start-over") {
            for slot in &self.slots {
                // Relaxed: the link to this segment publishes it.
                slot.state.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Returns the recycled segments that follow this one.
    ///
    /// # Safety
    ///
    /// The caller has the chain that this segment heads to itself.
    pub(super) unsafe fn recycled(&self) -> Recycled<T> {
        // SAFETY: as the caller promises.
        self.recycled.with(|recycled| unsafe { *recycled })
    }

    /// Appends a chain of recycled segments to this one.
    ///
    /// # Safety
    ///
    /// As for [`recycled`](Self::recycled).
    pub(super) unsafe fn set_recycled(&self, behind: Recycled<T>) {
        // SAFETY: as the caller promises.
        self.recycled.with_mut(|recycled| unsafe { *recycled = behind });
    }
}
