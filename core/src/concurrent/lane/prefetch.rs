//! Prefetching cache lines before they are needed.
//!
//! A slot's cache line is at the other end's processor, which used it last. Its transfer is most
//! of what a record costs, above all for the producer: the fence after every
//! post waits for it. These are hints and change nothing else.

use super::segment::Ring;

/// How many slots ahead the producer prefetches. Found by trial: if it is farther ahead, the line
/// is often taken away again before it is written.
pub(super) const WRITE_AHEAD: usize = 4;

/// How many slots ahead the consumer prefetches. Found by trial.
pub(super) const READ_AHEAD: usize = 16;

/// Prefetches the lines of `count` slots from the place `at` on, at most three, to be read. The loop
/// has a fixed bound so that the compiler unrolls it.
#[inline(always)]
pub(super) fn to_read(ring: Ring, at: usize, count: usize) {
    for ahead in 0..3 {
        if ahead == count {
            return;
        }
        let place = ring.address(at + ahead);
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: a hint may name any address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
        }
        #[cfg(all(target_arch = "aarch64", not(miri)))]
        // SAFETY: a hint may name any address.
        unsafe {
            std::arch::asm!("prfm pldl1keep, [{}]", in(reg) place, options(nostack, preserves_flags, readonly));
        }
        let _ = place;
    }
}

/// Prefetches like [`to_read`], but for writing.
#[inline(always)]
pub(super) fn to_write(ring: Ring, at: usize, count: usize) {
    for ahead in 0..3 {
        if ahead == count {
            return;
        }
        let place = ring.address(at + ahead);
        // Assembly, because the intrinsic becomes a prefetch for reading if the target is not known to
        // have this instruction. All 64-bit processors accept it, the oldest as a no-op.
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        // SAFETY: a hint may name any address.
        unsafe {
            std::arch::asm!("prefetchw [{}]", in(reg) place, options(nostack, preserves_flags, readonly));
        }
        #[cfg(all(target_arch = "aarch64", not(miri)))]
        // SAFETY: a hint may name any address.
        unsafe {
            std::arch::asm!("prfm pstl1keep, [{}]", in(reg) place, options(nostack, preserves_flags, readonly));
        }
        let _ = place;
    }
}
