//! Published queues without a bell, one per direction for all ports: rings for one
//! producer and one consumer, and crossbeam's two for any number.

use super::{BOUND, End, Item, Transport, both_ways, item, look_at_item};
use crate::load::Load;
use crossbeam_queue::{ArrayQueue, SegQueue};
use ringbuf::traits::{Consumer as _, Producer as _, Split};
use std::fmt;
use std::hint::spin_loop;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// A transport of two queues of one kind.
macro_rules! ring {
    (
        $(#[$doc:meta])* $transport:ident, $end:ident, $name:literal, $producer:ty, $consumer:ty,
        new: $new:expr, push: $push:expr, pop: $pop:expr $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $transport;

        /// One end of both queues.
        pub struct $end {
            producer: $producer,
            consumer: $consumer,
        }

        impl Transport for $transport {
            const NAME: &'static str = $name;

            type End = $end;

            fn between(_ports: usize) -> ($end, $end) {
                both_ways(|| $new, |producer, consumer| $end { producer, consumer })
            }
        }

        impl End for $end {
            ports_by_number!();

            #[inline]
            fn post<L: Load>(&mut self, port: usize, load: &L) {
                let push: fn(&mut $producer, Item) -> Result<(), Item> = $push;
                let mut item = item(port, load);
                while let Err(back) = push(&mut self.producer, item) {
                    item = back;
                    spin_loop();
                }
            }

            #[inline]
            fn take(&mut self) -> bool {
                let pop: fn(&mut $consumer) -> Option<Item> = $pop;
                pop(&mut self.consumer).map(look_at_item).is_some()
            }
        }

        impl fmt::Debug for $end {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($end)).finish_non_exhaustive()
            }
        }
    };
}

ring! {
    /// `rtrb`.
    Rtrb, RtrbEnd, "rtrb 1024", rtrb::Producer<Item>, rtrb::Consumer<Item>,
    new: rtrb::RingBuffer::new(BOUND),
    push: |producer, item| producer.push(item).map_err(|rtrb::PushError::Full(back)| back),
    pop: |consumer| consumer.pop().ok(),
}

ring! {
    /// `ringbuf`.
    Ringbuf, RingbufEnd, "ringbuf 1024", ringbuf::HeapProd<Item>, ringbuf::HeapCons<Item>,
    new: ringbuf::HeapRb::new(BOUND).split(),
    push: |producer, item| producer.try_push(item),
    pop: |consumer| consumer.try_pop(),
}

ring! {
    /// `gil`'s ring for one producer and one consumer.
    Gil, GilEnd, "gil 1024", gil::spsc::Sender<Item>, gil::spsc::Receiver<Item>,
    new: gil::spsc::channel(NonZeroUsize::new(BOUND).expect("not 0")),
    push: |producer, item| producer.try_send(item),
    pop: |consumer| consumer.try_recv(),
}

ring! {
    /// `nexus-queue`'s ring for one producer and one consumer.
    Nexus, NexusEnd, "nexus-queue 1024",
    nexus_queue::spsc::Producer<Item>, nexus_queue::spsc::Consumer<Item>,
    new: nexus_queue::spsc::ring_buffer(BOUND),
    push: |producer, item| producer.push(item).map_err(nexus_queue::Full::into_inner),
    pop: |consumer| consumer.pop(),
}

/// The two handles of a queue that has but one kind.
fn shared<Q>(queue: Q) -> (Arc<Q>, Arc<Q>) {
    let queue = Arc::new(queue);
    (Arc::clone(&queue), queue)
}

ring! {
    /// crossbeam's `ArrayQueue`.
    CrossbeamArray, CrossbeamArrayEnd, "crossbeam ArrayQueue",
    Arc<ArrayQueue<Item>>, Arc<ArrayQueue<Item>>,
    new: shared(ArrayQueue::new(BOUND)),
    push: |queue, item| queue.push(item),
    pop: |queue| queue.pop(),
}

ring! {
    /// crossbeam's `SegQueue`, unbounded.
    CrossbeamSegments, CrossbeamSegmentsEnd, "crossbeam SegQueue",
    Arc<SegQueue<Item>>, Arc<SegQueue<Item>>,
    new: shared(SegQueue::new()),
    push: |queue, item| {
        queue.push(item);
        Ok(())
    },
    pop: |queue| queue.pop(),
}
