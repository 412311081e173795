//! An allocator that counts, per thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::Sub;

thread_local! {
    static TALLY: Cell<Tally> = const { Cell::new(Tally { allocations: 0, bytes: 0 }) };
}

/// What one thread allocated so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that gave memory, reallocations included.
    pub allocations: u64,
    /// Bytes asked for less bytes given back.
    pub bytes: i64,
}

impl Tally {
    /// The calling thread's, so far.
    #[must_use]
    pub fn now() -> Self {
        TALLY.get()
    }

    /// What the calling thread allocates in `work`.
    pub fn of<R>(work: impl FnOnce() -> R) -> (Self, R) {
        let before = Self::now();
        let result = work();
        (Self::now() - before, result)
    }

    fn add(allocations: u64, bytes: i64) {
        // A thread that is ending may have no tally any more.
        let _ = TALLY.try_with(|tally| {
            let Self { allocations: before, bytes: held } = tally.get();
            tally.set(Self { allocations: before + allocations, bytes: held + bytes });
        });
    }
}

impl Sub for Tally {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { allocations: self.allocations - before.allocations, bytes: self.bytes - before.bytes }
    }
}

/// The system's allocator, counting. To be a binary's `#[global_allocator]`.
#[derive(Debug)]
pub struct Counting;

fn signed(size: usize) -> i64 {
    i64::try_from(size).expect("no allocation is that large")
}

// SAFETY: everything is the system's allocator's doing; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Tally::add(1, signed(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Tally::add(1, signed(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Tally::add(0, -signed(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        Tally::add(1, signed(new_size) - signed(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
