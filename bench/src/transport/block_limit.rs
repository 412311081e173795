//! What the hardware allows: blocks of 64 records handed over whole.

use super::{End, Transport};
use crate::load::Load;
use crossbeam_utils::CachePadded;
use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Records of a block.
const RECORDS: usize = 64;
/// Blocks of a ring.
const BLOCKS: usize = 16;

/// Nobody can do this for ports, for a message would wait until its block is full. It
/// says what a record of so many words costs where synchronising costs nothing.
#[derive(Debug)]
pub struct BlockLimit<const WORDS: usize>;

/// One end of both rings of blocks.
#[derive(Debug)]
pub struct BlockEnd<const WORDS: usize> {
    outbound: Cursor<WORDS>,
    inbound: Cursor<WORDS>,
}

/// A position in a ring of blocks.
#[derive(Debug)]
struct Cursor<const WORDS: usize> {
    ring: Arc<Ring<WORDS>>,
    block: u64,
    record: usize,
    /// Whether the block is ours by now.
    ours: bool,
}

type Ring<const WORDS: usize> = [Block<WORDS>; BLOCKS];

#[derive(Debug)]
struct Block<const WORDS: usize> {
    /// Twice the number of times it was handed over; odd while the consumer has it.
    turn: CachePadded<AtomicU64>,
    words: CachePadded<[[AtomicU64; WORDS]; RECORDS]>,
}

impl<const WORDS: usize> Transport for BlockLimit<WORDS> {
    const NAME: &'static str = "limit: blocks of 64";

    type End = BlockEnd<WORDS>;

    fn between(_ports: usize) -> (BlockEnd<WORDS>, BlockEnd<WORDS>) {
        let ring = || -> Arc<Ring<WORDS>> {
            Arc::new(std::array::from_fn(|_| Block {
                turn: CachePadded::new(AtomicU64::new(0)),
                words: CachePadded::new(std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0)))),
            }))
        };
        let cursor =
            |ring: &Arc<Ring<WORDS>>| Cursor { ring: Arc::clone(ring), block: 0, record: 0, ours: false };
        let (there, back) = (ring(), ring());
        (
            BlockEnd { outbound: cursor(&there), inbound: cursor(&back) },
            BlockEnd { outbound: cursor(&back), inbound: cursor(&there) },
        )
    }
}

impl<const WORDS: usize> Cursor<WORDS> {
    /// The next record's words, once the block is ours; `side` is 0 for the producer.
    #[inline]
    fn words(&mut self, side: u64) -> Option<&[AtomicU64; WORDS]> {
        let blocks = BLOCKS as u64;
        #[allow(clippy::cast_possible_truncation, reason = "below BLOCKS")]
        let block = &self.ring[(self.block % blocks) as usize];
        if !self.ours {
            if block.turn.load(Ordering::Acquire) != self.block / blocks * 2 + side {
                return None;
            }
            self.ours = true;
        }
        Some(&block.words[self.record])
    }

    /// Goes on to the next record, handing over the block that is done with.
    #[inline]
    fn advance(&mut self, side: u64) {
        self.record += 1;
        if self.record == RECORDS {
            let blocks = BLOCKS as u64;
            #[allow(clippy::cast_possible_truncation, reason = "below BLOCKS")]
            let block = &self.ring[(self.block % blocks) as usize];
            block.turn.store(self.block / blocks * 2 + side + 1, Ordering::Release);
            self.block += 1;
            self.record = 0;
            self.ours = false;
        }
    }
}

impl<const WORDS: usize> End for BlockEnd<WORDS> {
    ports_by_number!();

    #[inline]
    fn post<L: Load>(&mut self, port: usize, _load: &L) {
        loop {
            if let Some(words) = self.outbound.words(0) {
                for word in words {
                    word.store(port as u64, Ordering::Relaxed);
                }
                break;
            }
            spin_loop();
        }
        self.outbound.advance(0);
    }

    #[inline]
    fn take(&mut self) -> bool {
        let Some(words) = self.inbound.words(1) else { return false };
        for word in words {
            black_box(word.load(Ordering::Relaxed));
        }
        self.inbound.advance(1);
        true
    }
}
