//! Asking for cache lines before they are needed.
//!
//! A slot's line lies with the other end, which used it last. Waiting for it is most
//! of what a record costs, above all for the producer: the fence behind every
//! post waits until the line has come. These are hints and change nothing else.

use super::segment::Ring;

/// How many slots ahead the producer asks for, found by trial: farther ahead the line
/// is often taken away again before it is written.
pub(super) const WRITE_AHEAD: usize = 4;

/// How many slots ahead the consumer asks for, found by trial.
pub(super) const READ_AHEAD: usize = 16;

/// Asks for the lines of so many slots from the place `at` on to be read. Three at the most,
/// one after the other, for a loop costs more than what it does.
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

/// As [`to_read`], to be written.
#[inline(always)]
pub(super) fn to_write(ring: Ring, at: usize, count: usize) {
    for ahead in 0..3 {
        if ahead == count {
            return;
        }
        let place = ring.address(at + ahead);
        // The intrinsic becomes a prefetch for reading where the target is not known to
        // have this instruction; but all 64-bit processors take it, the oldest as a no-op.
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
