//! Copying a few bytes without a call of the C library.

use std::mem::MaybeUninit;

/// Copies `from` to the start of `to`, in two or more pieces of one size that may overlap:
/// a call of `memcpy` would cost more than the copy.
///
/// # Panics
///
/// When `to` is shorter.
#[inline(always)]
pub(crate) fn copy_short(from: &[u8], to: &mut [MaybeUninit<u8>]) {
    let to = &mut to[..from.len()];
    if from.len() >= 16 {
        in_pieces::<16>(from, to);
    } else if from.len() >= 4 {
        in_pieces::<4>(from, to);
    } else {
        for (to, from) in to.iter_mut().zip(from) {
            to.write(*from);
        }
    }
}

/// Copies pieces of `N` bytes. Both slices have the same length, at least `N`.
#[inline(always)]
fn in_pieces<const N: usize>(from: &[u8], to: &mut [MaybeUninit<u8>]) {
    let last = from.len() - N;
    let mut at = 0;
    while at < last {
        to[at..at + N].write_copy_of_slice(&from[at..at + N]);
        at += N;
    }
    to[last..].write_copy_of_slice(&from[last..][..N]);
}

#[cfg(test)]
#[path = "../../../tests/inside/copy.rs"]
mod tests;
