//! Published SPSC rings, one per direction for all ports. Both are bounded and have no bell.

use super::{BOUND, Carrier, End, Item, item, look_at_item};
use crate::load::Load;
use ringbuf::traits::{Consumer as _, Producer as _, Split};
use std::fmt;
use std::hint::spin_loop;

/// `rtrb`.
#[derive(Debug)]
pub struct Rtrb;

/// One end of both rings.
#[derive(Debug)]
pub struct RtrbEnd {
    producer: rtrb::Producer<Item>,
    consumer: rtrb::Consumer<Item>,
}

impl Carrier for Rtrb {
    const NAME: &'static str = "rtrb 1024";

    type End = RtrbEnd;

    fn between(_ports: usize) -> (RtrbEnd, RtrbEnd) {
        let (to_second, from_first) = rtrb::RingBuffer::new(BOUND);
        let (to_first, from_second) = rtrb::RingBuffer::new(BOUND);
        (
            RtrbEnd { producer: to_second, consumer: from_second },
            RtrbEnd { producer: to_first, consumer: from_first },
        )
    }
}

impl End for RtrbEnd {
    #[inline]
    fn post<L: Load>(&mut self, port: usize, load: &L) {
        let mut item = item(port, load);
        while let Err(rtrb::PushError::Full(back)) = self.producer.push(item) {
            item = back;
            spin_loop();
        }
    }

    #[inline]
    fn take(&mut self) -> bool {
        self.consumer.pop().map(look_at_item).is_ok()
    }
}

/// `ringbuf`, among the fastest published rings in trials with one thread on each side.
#[derive(Debug)]
pub struct Ringbuf;

/// One end of both rings.
pub struct RingbufEnd {
    producer: ringbuf::HeapProd<Item>,
    consumer: ringbuf::HeapCons<Item>,
}

impl Carrier for Ringbuf {
    const NAME: &'static str = "ringbuf 1024";

    type End = RingbufEnd;

    fn between(_ports: usize) -> (RingbufEnd, RingbufEnd) {
        let (to_second, from_first) = ringbuf::HeapRb::new(BOUND).split();
        let (to_first, from_second) = ringbuf::HeapRb::new(BOUND).split();
        (
            RingbufEnd { producer: to_second, consumer: from_second },
            RingbufEnd { producer: to_first, consumer: from_first },
        )
    }
}

impl End for RingbufEnd {
    #[inline]
    fn post<L: Load>(&mut self, port: usize, load: &L) {
        let mut item = item(port, load);
        while let Err(back) = self.producer.try_push(item) {
            item = back;
            spin_loop();
        }
    }

    #[inline]
    fn take(&mut self) -> bool {
        self.consumer.try_pop().map(look_at_item).is_some()
    }
}

impl fmt::Debug for RingbufEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingbufEnd").finish_non_exhaustive()
    }
}
