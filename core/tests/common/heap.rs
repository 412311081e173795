//! An allocator that counts what each thread holds. Included by path: it is the whole test program's allocator.
#![allow(dead_code, unreachable_pub, reason = "every test file takes its part")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Counting;

fn count(bytes: usize, sign: isize) {
    // A thread that is ending counts nothing.
    let _ = HELD.try_with(|held| held.set(held.get() + sign * bytes.cast_signed()));
}

// SAFETY: everything is the system's allocator's doing; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Bytes that this thread allocated less those that it freed.
pub fn held() -> isize {
    HELD.get()
}

/// The most bytes that are held at any of so many steps, beyond what was held before them.
pub fn most_held(steps: u32, mut step: impl FnMut(u32)) -> isize {
    let before = held();
    let mut most = 0;
    for number in 0..steps {
        step(number);
        most = most.max(held() - before);
    }
    most
}

pub const KIB: isize = 1 << 10;
pub const MIB: isize = 1 << 20;
