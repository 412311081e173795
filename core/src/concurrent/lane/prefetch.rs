//! Prefetching cache lines before they are written.
//!
//! A slot's cache line is at the other end's processor, which used it last. Its transfer is most
//! of what a record costs, above all for the producer: the fence after every
//! post waits for it. These are hints and change nothing else.
//!
//! The consumer asks for lines of slots that it knows to be written, and for no others: it would take lines that the producer
//! is about to write.

use super::segment::{Ring, Slot};

/// How many slots ahead the producer prefetches. Found by trial: if it is farther ahead, the line
/// is often taken away again before it is written.
pub(super) const WRITE_AHEAD: usize = 4;

/// Prefetches the lines of `count` slots, one to three, from `at` on.
#[inline(always)]
pub(super) fn to_write(ring: Ring, at: *const Slot, count: usize) {
    line(at);
    if count > 1 {
        line(ring.after(at, 1));
    }
    if count > 2 {
        line(ring.after(at, 2));
    }
}

/// Prefetches a slot's line by an instruction of the processor, where there is one.
macro_rules! prefetch {
    ($place:expr, $x86_64:literal, $aarch64:literal) => {{
        let place: *const Slot = $place;
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        // SAFETY: a hint may name any address.
        unsafe {
            std::arch::asm!(concat!($x86_64, " [{}]"), in(reg) place, options(nostack, preserves_flags, readonly));
        }
        #[cfg(all(target_arch = "aarch64", not(miri)))]
        // SAFETY: a hint may name any address.
        unsafe {
            std::arch::asm!(concat!($aarch64, ", [{}]"), in(reg) place, options(nostack, preserves_flags, readonly));
        }
        let _ = place;
    }};
}

#[inline(always)]
fn line(place: *const Slot) {
    // Assembly, because the intrinsic becomes a prefetch for reading if the target is not known to
    // have this instruction. All 64-bit processors accept it, the oldest as a no-op.
    prefetch!(place, "prefetchw", "prfm pstl1keep");
}

/// Prefetches the line of a slot that is written.
#[inline(always)]
pub(super) fn to_read(place: *const Slot) {
    prefetch!(place, "prefetcht0", "prfm pldl1keep");
}
