//! Copying a few bytes without a call of the C library.

use std::mem::MaybeUninit;

/// Copies at most 64 bytes of `from` to the start of `to`, in pieces that may overlap and follow each other straight:
/// a call of `memcpy` would cost more than the copy, and a loop a branch that is hard to predict.
///
/// # Panics
///
/// When `from` is longer, or `to` is shorter.
#[inline(always)]
pub(crate) fn copy_short(from: &[u8], to: &mut [MaybeUninit<u8>]) {
    let to = &mut to[..from.len()];
    if from.len() > 32 {
        assert!(from.len() <= 64);
        ends::<32>(from, to);
    } else if from.len() >= 16 {
        ends::<16>(from, to);
    } else if from.len() >= 8 {
        ends::<8>(from, to);
    } else if from.len() >= 4 {
        ends::<4>(from, to);
    } else {
        for (to, from) in to.iter_mut().zip(from) {
            to.write(*from);
        }
    }
}

/// Copies the first `N` bytes and the last, which are all. Both slices have the same length.
#[inline(always)]
fn ends<const N: usize>(from: &[u8], to: &mut [MaybeUninit<u8>]) {
    let last = from.len() - N;
    to[..N].write_copy_of_slice(&from[..N]);
    to[last..].write_copy_of_slice(&from[last..][..N]);
}

#[cfg(test)]
#[path = "../../../tests/inside/copy.rs"]
mod tests;
