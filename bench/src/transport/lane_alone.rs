//! The core's lane with nothing around it.

use super::{End, Item, Transport, both_ways, item, look_at_item};
use crate::concurrent::lane::{Consumer, Producer, lane};
use crate::load::Load;

/// A lane per direction for all ports, without bell, ids, limits or events.
#[derive(Debug)]
pub struct LaneAlone;

/// One end of both lanes.
#[derive(Debug)]
pub struct LaneEnd {
    producer: Producer<Item>,
    consumer: Consumer<Item>,
    /// Records to take before the producer is told how many were, as in the core.
    left: u32,
}

const BATCH: u32 = 64;

impl Transport for LaneAlone {
    const NAME: &'static str = "lane alone";

    type End = LaneEnd;

    fn between(_ports: usize) -> (LaneEnd, LaneEnd) {
        both_ways(lane, |producer, consumer| LaneEnd { producer, consumer, left: 0 })
    }
}

impl End for LaneEnd {
    ports_by_number!();

    #[inline]
    fn post<L: Load>(&mut self, port: usize, load: &L) {
        assert!(self.producer.push(item(port, load), &[], 0).is_ok(), "the consumer is there");
    }

    #[inline]
    fn take(&mut self) -> bool {
        let taken = self.consumer.entry().map(|entry| entry.take(0, |item, _| look_at_item(item))).is_some();
        self.left = if taken { self.left.wrapping_sub(1) % BATCH } else { 0 };
        if self.left == 0 {
            self.consumer.publish_consumed();
        }
        taken
    }
}
