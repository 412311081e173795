//! What the fuzzers of the gateway do with any bytes. The tests run the same on the corpus and on dice.
#![allow(
    unreachable_pub,
    dead_code,
    reason = "a module of tests and of the fuzzers, each of which takes its part"
)]

mod host;
mod stub;

pub use host::{LONG, Ran, host, long_conversation};
pub use stub::stub;

/// Choices drawn from bytes; when there are no more, each is the first.
pub struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn byte(&mut self) -> u8 {
        let Some((byte, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *byte
    }

    /// A number below `bound`, which is at most 256.
    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// One of several, sooner one of the last, if there is any.
    fn recent<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let back = self.below(from.len().clamp(1, 16));
        from.iter().rev().nth(back).copied()
    }

    /// A number near those that are in use, or far from all.
    fn number(&mut self) -> u64 {
        match self.byte() {
            255 => u64::MAX,
            254 => u64::MAX - 1,
            253 => 1 << 40,
            near => u64::from(near % 64),
        }
    }
}
