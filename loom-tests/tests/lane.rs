//! Lanes: push, drain, link, recycle, and going in either order.

extern crate port_core_model as port_core;

mod support;

use loom::sync::Arc;
use loom::thread;
use port_core_model::model::{Consumer, lane};
use support::model;

/// A record that loom's leak check watches.
fn record() -> Arc<()> {
    Arc::new(())
}

/// Takes all that is left: the numbers from `next` up to `end`, in order.
fn take_the_rest(consumer: &mut Consumer<u32>, next: u32, end: u32) {
    let mut next = next;
    while let Some((number, _)) = consumer.pop() {
        assert_eq!(number, next);
        next += 1;
    }
    assert_eq!(next, end);
}

#[test]
fn push_against_drain() {
    model(None, 290, || {
        let (mut producer, mut consumer) = lane();
        let pusher = thread::spawn(move || {
            for number in 0..2_u32 {
                producer.push((number, record()), &[number as u8; 3]).unwrap();
            }
            producer
        });
        let mut next = 0;
        while next < 2 {
            match consumer.pop() {
                Some(((number, _), tail)) => {
                    assert_eq!(number, next);
                    assert_eq!(tail, [number as u8; 3]);
                    next += 1;
                }
                None => thread::yield_now(),
            }
        }
        drop(pusher.join().unwrap());
        assert!(consumer.pop().is_none());
    });
}

#[test]
fn push_over_links_against_drain_and_recycling() {
    model(None, 18_000, || {
        let (mut producer, mut consumer) = lane();
        let pusher = thread::spawn(move || {
            for number in 0..7_u32 {
                producer.push(number, &[]).unwrap();
            }
        });
        let mut next = 0;
        for _ in 0..5 {
            if let Some((number, _)) = consumer.pop() {
                assert_eq!(number, next);
                next += 1;
            }
        }
        pusher.join().unwrap();
        take_the_rest(&mut consumer, next, 7);
    });
}

#[test]
fn a_recycled_segment_starts_over_against_drain() {
    model(Some(3), 3_600, || {
        let (mut producer, mut consumer) = lane();
        // Two segments in turn, close to their last turn.
        for number in 0..18_u32 {
            producer.push(number, &[]).unwrap();
            assert_eq!(consumer.pop().map(|(number, _)| number), Some(number));
        }
        let pusher = thread::spawn(move || {
            for number in 18..23 {
                producer.push(number, &[7; 60]).unwrap();
            }
        });
        let mut next = 18;
        for _ in 0..4 {
            if let Some((number, tail)) = consumer.pop() {
                assert_eq!((number, tail), (next, vec![7; 60]));
                next += 1;
            }
        }
        pusher.join().unwrap();
        while let Some((number, tail)) = consumer.pop() {
            assert_eq!((number, tail), (next, vec![7; 60]));
            next += 1;
        }
        assert_eq!(next, 23);
    });
}

#[test]
fn push_against_consumer_going() {
    model(None, 2_200, || {
        let (mut producer, mut consumer) = lane();
        producer.push(record(), &[]).unwrap();
        let pusher = thread::spawn(move || {
            let refused = (0..4).map(|_| producer.push(record(), &[])).filter(Result::is_err).count();
            (producer, refused)
        });
        consumer.pop().unwrap();
        drop(consumer);
        let (mut producer, _) = pusher.join().unwrap();
        // Once the consumer is gone a push is refused, and nothing is kept till the end.
        assert!(producer.push(record(), &[]).is_err());
    });
}

#[test]
fn nothing_is_kept_for_a_consumer_that_is_gone() {
    model(None, 14, || {
        let (mut producer, consumer) = lane();
        let watched = record();
        let pushed = Arc::clone(&watched);
        let dropper = thread::spawn(move || drop(consumer));
        let sent = producer.push(pushed, &[]).is_ok();
        dropper.join().unwrap();
        // The next use of the lane finds out, with the producer still alive.
        assert!(producer.push(record(), &[]).is_err());
        assert_eq!(Arc::strong_count(&watched), 1, "sent: {sent}");
    });
}

#[test]
fn producer_going_against_consumer_going() {
    model(None, 12, || {
        let (mut producer, consumer) = lane();
        for _ in 0..4 {
            producer.push(record(), &[]).unwrap();
        }
        let dropper = thread::spawn(move || drop(producer));
        drop(consumer);
        dropper.join().unwrap();
    });
}

#[test]
fn push_then_going_against_drain_then_going() {
    model(Some(3), 2_000, || {
        let (mut producer, mut consumer) = lane();
        let pusher = thread::spawn(move || {
            for _ in 0..4 {
                let _ = producer.push(record(), &[]);
            }
        });
        while let Some((record, _)) = consumer.pop() {
            drop(record);
        }
        drop(consumer);
        pusher.join().unwrap();
    });
}

#[test]
fn shrinking_both_ends_against_each_other() {
    model(None, 42, || {
        let (mut producer, mut consumer) = lane();
        // A burst, so that large segments were recycled and some taken as spares.
        for number in 0..12_u32 {
            producer.push(number, &[]).unwrap();
        }
        while consumer.pop().is_some() {}
        for _ in 0..4 {
            producer.push(0, &[]).unwrap();
            consumer.pop().unwrap();
        }
        let pusher = thread::spawn(move || {
            producer.push(7, &[]).unwrap();
            producer.shrink();
            producer.shrink();
            producer.push(8, &[]).unwrap();
            producer.push(9, &[]).unwrap();
            producer
        });
        let mut taken: Vec<u32> = consumer.pop().into_iter().map(|(number, _)| number).collect();
        consumer.shrink();
        consumer.shrink();
        let producer = pusher.join().unwrap();
        taken.extend(std::iter::from_fn(|| consumer.pop()).map(|(number, _)| number));
        assert_eq!(taken, [7, 8, 9]);
        drop(producer);
    });
}

#[test]
fn a_frontier_holds_against_a_producer_that_goes_on() {
    model(None, 5_800, || {
        let (mut producer, mut consumer) = lane();
        producer.push(0, &[]).unwrap();
        let pusher = thread::spawn(move || {
            for number in 1..8_u32 {
                producer.push(number, &[]).unwrap();
            }
        });
        let frontier = consumer.frontier();
        let mut next = 0;
        while let Some(number) = consumer.pop_within(frontier) {
            assert_eq!(number, next);
            next += 1;
        }
        assert!(next >= 1);
        pusher.join().unwrap();
        take_the_rest(&mut consumer, next, 8);
    });
}

/// What was taken for delivered is dropped with the consumer, not kept until the
/// producer goes or pushes again.
#[test]
fn what_lies_in_a_lane_goes_with_its_consumer() {
    model(None, 14, || {
        let (mut producer, consumer) = lane();
        let (early, late) = (record(), record());
        producer.push(Arc::clone(&early), &[]).unwrap();
        let pushed = Arc::clone(&late);
        let pusher = thread::spawn(move || {
            let _ = producer.push(pushed, &[]);
            producer
        });
        drop(consumer);
        assert_eq!(Arc::strong_count(&early), 1);
        drop(pusher.join().unwrap());
        assert_eq!(Arc::strong_count(&late), 1);
    });
}

/// The first push, the consumer's going and the producer's going, all at once.
#[test]
fn first_push_then_going_against_consumer_going() {
    model(None, 130, || {
        let (mut producer, consumer) = lane();
        let watched = record();
        let pushed = Arc::clone(&watched);
        let pusher = thread::spawn(move || {
            let _ = producer.push(pushed, &[1; 70]);
        });
        drop(consumer);
        pusher.join().unwrap();
        assert_eq!(Arc::strong_count(&watched), 1);
    });
}

/// State words left over from a segment's earlier turns mean nothing when turns start over.
#[test]
fn stale_states_are_gone_when_turns_start_over() {
    model(None, 1, || {
        let (mut producer, mut consumer) = lane();
        let mut number = 0;
        let mut pass = |tail: &[u8]| {
            number += 1;
            producer.push(number, tail).unwrap();
            assert_eq!(consumer.pop(), Some((number, tail.to_vec())));
            consumer.publish();
            assert_eq!(consumer.pop(), None);
        };
        // The turns that are granted of the first segment, of 3 slots, then of two of 4, and of the first of these
        // again: in one turn a record in every slot, in the next a tail covers those in the middle.
        for length in [3, 4, 4, 4] {
            for _ in 0..length {
                pass(&[]);
            }
            pass(&[7; 120]);
            for _ in 3..length {
                pass(&[]);
            }
        }
    });
}

/// The slots that the consumer left behind are written again, tails around the end of the
/// segment among them; where it has not, the producer goes on elsewhere.
#[test]
fn a_segment_is_used_round_and_round_against_drain() {
    model(None, 900, || {
        let (mut producer, mut consumer) = lane();
        let pusher = thread::spawn(move || {
            for number in 0..3_u32 {
                producer.push(number, &[number as u8; 2]).unwrap();
            }
        });
        let mut next = 0;
        for _ in 0..2 {
            if let Some((number, tail)) = consumer.pop() {
                assert_eq!((number, tail), (next, vec![next as u8; 2]));
                next += 1;
                consumer.publish();
            }
        }
        pusher.join().unwrap();
        while let Some((number, tail)) = consumer.pop() {
            assert_eq!((number, tail), (next, vec![next as u8; 2]));
            next += 1;
        }
        assert_eq!(next, 3);
    });
}

/// A segment is left in its last turn, though its slots are free.
#[test]
fn a_segment_is_left_after_its_last_turn_against_drain() {
    model(None, 820, || {
        let (mut producer, mut consumer) = lane();
        // Into the last turn.
        for number in 0..8_u32 {
            producer.push(number, &[]).unwrap();
            assert_eq!(consumer.pop().map(|(number, _)| number), Some(number));
            consumer.publish();
        }
        let pusher = thread::spawn(move || {
            for number in 8..12 {
                producer.push(number, &[]).unwrap();
            }
        });
        let mut next = 8;
        for _ in 0..3 {
            if let Some((number, _)) = consumer.pop() {
                assert_eq!(number, next);
                next += 1;
                consumer.publish();
            }
        }
        pusher.join().unwrap();
        take_the_rest(&mut consumer, next, 12);
    });
}

/// Slots that are free again are used when the producer's end goes on, and the
/// record in them is dropped once, whichever end goes first.
#[test]
fn going_round_against_consumer_going() {
    model(None, 5_300, || {
        let (mut producer, mut consumer) = lane();
        for _ in 0..2 {
            producer.push(record(), &[]).unwrap();
            consumer.pop().unwrap();
        }
        consumer.publish();
        let watched = record();
        let pushed = Arc::clone(&watched);
        let pusher = thread::spawn(move || {
            for _ in 0..3 {
                let _ = producer.push(Arc::clone(&pushed), &[]);
            }
        });
        drop(consumer);
        pusher.join().unwrap();
        assert_eq!(Arc::strong_count(&watched), 1);
    });
}

/// The cut of a kill: a reader that was given a frontier takes at most one round of the segment
/// that was the last one then, though the producer goes round in it as fast as its slots are free.
#[test]
fn a_frontier_ends_with_the_last_segment_linked_when_it_was_taken() {
    model(None, 3_600, || {
        let (mut producer, mut consumer) = lane();
        // As many as are not counted, so that the frontier is where they end at the latest.
        producer.push(0_u32, &[]).unwrap();
        producer.push(1, &[]).unwrap();
        let frontier = consumer.frontier();
        let pusher = thread::spawn(move || {
            for number in 2..6 {
                producer.push(number, &[]).unwrap();
            }
        });
        let within = std::iter::from_fn(|| {
            let taken = consumer.pop_within(frontier);
            consumer.publish();
            taken
        });
        let within = within.count();
        assert!((2..=3).contains(&within), "{within} records of a segment of 3");
        pusher.join().unwrap();
        assert_eq!(within + std::iter::from_fn(|| consumer.pop()).count(), 6);
    });
}

/// A look ahead of the records that are yet to be taken, against a producer that links segments: it shows
/// each once, and none that it showed is lost to the reader.
#[test]
fn looking_ahead_against_pushing_over_a_link() {
    model(None, 11_000, || {
        let (mut producer, mut consumer) = lane();
        producer.push(0_u32, &[]).unwrap();
        let pusher = thread::spawn(move || {
            for number in 1..5 {
                producer.push(number, &[]).unwrap();
            }
        });
        let (mut shown, mut popped) = (0, 0);
        for _ in 0..2 {
            consumer.look_ahead(|&record| {
                assert_eq!(record, shown.max(popped));
                shown = record + 1;
            });
            if let Some((record, _)) = consumer.pop() {
                assert_eq!(record, popped);
                popped += 1;
            }
        }
        consumer.publish();
        pusher.join().unwrap();
        take_the_rest(&mut consumer, popped, 5);
    });
}
