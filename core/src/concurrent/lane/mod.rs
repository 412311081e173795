//! Lanes: unbounded lock-free SPSC rings, one per direction between two event loops.
//!
//! A lane is a chain of segments, each of them a ring. A slot itself says whether it
//! is full (FastForward, Giacomoni 2008), by the segment's turn in its state word, so that
//! the consumer reads no cursor and a record costs the transfer of one cache line. A record may have a
//! *tail* of bytes, copied into the slots after it and published with it.
//!
//! The producer goes round in one segment as long as the consumer keeps up. It knows
//! which slots are free from a count that the consumer publishes now and then;
//! when it runs out of free slots it reads the count again, and if there are none it links
//! another segment and continues there. The consumer follows once it finds nothing more
//! where it is, and hands the emptied segment back.
//!
//! | the producer is | and knows of | then it |
//! |---|---|---|
//! | in a segment | enough free slots | writes there |
//! | in a segment | too few | looks at the count, and writes there or links another one |
//! | in a small one, with the consumer close behind, for many rounds or with much under way | enough again | links a larger one |
//! | beyond the segment's last turn, or leaves it because it is too large | | links another one |
//!
//! | the slot at the consumer's cursor | `next` | slot, once more | then it |
//! |---|---|---|---|
//! | complete | | | takes the record |
//! | not | null | | has nothing |
//! | not | a segment | complete | takes the record |
//! | not | a segment | not | follows |
//!
//! Either end may go first. A consumer that goes drops what it finds and
//! leaves its cursor for the other end; the end that goes last drops the rest and frees the
//! segments. A producer that finds the consumer gone drops the rest at once.

mod consumer;
mod copy;
mod cursor;
mod prefetch;
mod producer;
mod segment;
#[cfg(test)]
#[path = "../../../tests/inside/lane.rs"]
mod tests;

pub(crate) use consumer::{Consumer, Entry, Frontier};
pub(crate) use copy::copy_short;
pub(crate) use cursor::Tail;
pub(crate) use producer::Producer;
pub(crate) use segment::{PIECE_BYTES, RECORD_BYTES};

use crate::sync::{Arc, AtomicBool, AtomicPtr, AtomicU8, AtomicU64, Ordering, UnsafeCell};
use cursor::Cursor;
use segment::{SMALL, Segment};
use std::ptr;

/// The most bytes the tail of one record may have.
pub(crate) const TAIL_BYTES: usize = 2 * PIECE_BYTES;

/// Returns how many slots a tail of this length takes.
#[inline(always)]
const fn pieces(tail_length: usize) -> usize {
    (tail_length > 0) as usize + (tail_length > PIECE_BYTES) as usize
}

const PRODUCER_LEFT: u8 = 1;
const CONSUMER_LEFT: u8 = 2;

/// What the two ends share, apart from the segments. There may be many thousand idle
/// lanes, so only what is written while a lane is busy has a cache line of its own.
struct Shared<T> {
    /// Written by the consumer, except `reach`, and read by the producer now and then.
    progress: Progress<T>,
    /// Set by the consumer when it goes, read by the producer.
    consumer_gone: AtomicBool,
    /// Which ends have left; the end that completes it frees the lane.
    left: AtomicU8,
    /// Where the consumer stopped. Its own until it sets `consumer_gone`, then the
    /// producer's until it leaves, then the last one's.
    parting: UnsafeCell<Option<Cursor<T>>>,
}

/// What the consumer is done with, on a cache line of its own.
#[repr(align(64))]
struct Progress<T> {
    /// A chain of emptied segments, put by the consumer, taken whole by the producer.
    recycled: AtomicPtr<Segment<T>>,
    /// How many slots the consumer has passed. Only grows.
    slots: AtomicU64,
    /// How many slots the producer can reach in all, to the end of the last segment that it linked.
    /// Stored by the producer when it links one. Only grows.
    reach: AtomicU64,
    /// How many records the consumer is done with, for the producer's budget. Only grows.
    records: AtomicU64,
    /// Their bytes.
    bytes: AtomicU64,
}

// SAFETY: records move from the producer's thread to the consumer's, or are dropped
// on either; everything else is synchronised as the fields say.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above; `Shared` gives no reference to a record.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// Notes that an end leaves, and frees the lane if it is the second. Each end calls it once, as its last access.
    fn leave(&self, end: u8) {
        // ORDERING: Release hands what this end did to the one that frees; Acquire
        // takes what the other did. Pairs with itself.
        let before = self.left.fetch_or(end, Ordering::AcqRel);
        if before | end == PRODUCER_LEFT | CONSUMER_LEFT {
            self.free();
        }
    }

    fn free(&self) {
        self.parting.with_mut(|parting| {
            // SAFETY: both ends have left, so the cell is ours alone.
            if let Some(mut cursor) = unsafe { &mut *parting }.take() {
                cursor.drop_records();
                // SAFETY: no end is left to use a segment.
                unsafe { cursor.free_segments() };
            }
        });
        // Relaxed: `leave` took what both ends did.
        let recycled = self.progress.recycled.swap(ptr::null_mut(), Ordering::Relaxed);
        // SAFETY: the swap made the chain ours alone.
        unsafe { Segment::free_recycled(recycled) };
    }
}

/// Makes a lane. Allocates the shared part and a first segment of 8 slots.
pub(crate) fn lane<T: Send>() -> (Producer<T>, Consumer<T>) {
    let segment = Segment::allocate(SMALL);
    let shared = Arc::new(Shared {
        progress: Progress {
            recycled: AtomicPtr::new(ptr::null_mut()),
            slots: AtomicU64::new(0),
            reach: AtomicU64::new(SMALL as u64),
            records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        },
        consumer_gone: AtomicBool::new(false),
        left: AtomicU8::new(0),
        parting: UnsafeCell::new(None),
    });
    (Producer::new(Arc::clone(&shared), segment), Consumer::new(shared, segment))
}
