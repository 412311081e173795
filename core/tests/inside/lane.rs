//! Lanes on one thread, and between two without models.

use super::*;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

fn bytes(tail: Tail<'_>) -> Vec<u8> {
    tail.pieces().flatten().copied().collect()
}

/// The producer is told never, seldom or always which slots are free: it goes on in new segments, grows, or goes round.
#[test]
fn records_and_tails_come_out_in_order() {
    // Miri takes a thousand times as long, here and below.
    for told_every in if cfg!(miri) { vec![7] } else { vec![u64::MAX, 7, 1] } {
        let (mut producer, mut consumer) = lane::<u64>();
        let mut pushed = 0;
        let mut popped = 0;
        for round in 0..if cfg!(miri) { 60 } else { 500_u64 } {
            for _ in 0..round % 37 {
                let tail = vec![pushed as u8; (pushed * 7 % 121) as usize];
                producer.push(pushed, &tail, 0).unwrap();
                pushed += 1;
            }
            for _ in 0..round % 31 {
                let Some((record, tail)) = pop(&mut consumer, |record, tail| (record, bytes(tail))) else {
                    break;
                };
                assert_eq!(record, popped);
                assert_eq!(tail, vec![popped as u8; (popped * 7 % 121) as usize]);
                popped += 1;
                if popped % told_every == 0 {
                    consumer.publish_consumed();
                }
            }
            if round % 50 == 0 {
                producer.shrink();
                consumer.shrink();
            }
        }
        while pop(&mut consumer, |record, _| assert_eq!(record, popped)).is_some() {
            popped += 1;
        }
        assert_eq!(popped, pushed);
    }
}

/// A reader close behind, with several records under way all the time.
#[test]
fn a_steady_stream_comes_out_in_order_at_every_distance() {
    let (step, count) = if cfg!(miri) { (19, 120) } else { (1, 2_000) };
    for distance in (1..40_u64).step_by(step) {
        let (mut producer, mut consumer) = lane::<u64>();
        for number in 0..count {
            producer.push(number, &[number as u8; 70][..(number % 71) as usize], 0).unwrap();
            if let Some(expected) = number.checked_sub(distance) {
                let (record, tail) = pop(&mut consumer, |record, tail| (record, bytes(tail))).unwrap();
                assert_eq!((record, tail), (expected, vec![expected as u8; (expected % 71) as usize]));
                consumer.publish_consumed();
            }
        }
    }
}

#[test]
fn two_threads_pass_everything() {
    let (mut producer, mut consumer) = lane::<Box<u64>>();
    let count = 200_000;
    let pusher = thread::spawn(move || {
        for number in 0..count {
            producer.push(Box::new(number), &number.to_le_bytes()[..(number % 9) as usize], 8).unwrap();
        }
    });
    for expected in 0..count {
        let found = loop {
            if let Some(found) = pop(&mut consumer, |record, tail| (record, bytes(tail))) {
                break found;
            }
            thread::yield_now();
        };
        consumer.publish_consumed();
        assert_eq!(*found.0, expected);
        assert_eq!(found.1, expected.to_le_bytes()[..(expected % 9) as usize]);
    }
    pusher.join().unwrap();
    assert!(!consumer.ready());
}

/// Counts its drops; panics in some.
struct Dropped(Arc<AtomicUsize>, bool);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
        assert!(!self.1, "a destructor that panics");
    }
}

#[test]
fn everything_is_dropped_once_at_every_fill_level_and_order_of_teardown() {
    let step = if cfg!(miri) { 13 } else { 1 };
    for filled in (0..40).step_by(step) {
        for taken in (0..=filled).step_by(step) {
            for consumer_first in [false, true] {
                let drops = Arc::new(AtomicUsize::new(0));
                let (mut producer, mut consumer) = lane();
                for number in 0..filled {
                    let record = Dropped(drops.clone(), number % 5 == 4 && number >= taken);
                    assert!(producer.push(record, &[1; 70], 0).is_ok());
                }
                for _ in 0..taken {
                    assert!(pop(&mut consumer, |record, _| drop(record)).is_some());
                }
                if consumer_first {
                    drop(consumer);
                    assert_eq!(drops.load(SeqCst), filled);
                    assert!(producer.push(Dropped(drops.clone(), false), &[], 0).is_err());
                    assert_eq!(drops.load(SeqCst), filled + 1);
                    drop(producer);
                    assert_eq!(drops.load(SeqCst), filled + 1);
                } else {
                    drop(producer);
                    assert_eq!(drops.load(SeqCst), taken);
                    drop(consumer);
                    assert_eq!(drops.load(SeqCst), filled);
                }
            }
        }
    }
}

#[test]
fn a_frontier_stops_a_reader_that_the_producer_would_lead_on() {
    for number in [1, 20, 63, 64, 65, 200, 1_000] {
        a_frontier_stops_a_reader_of(number);
    }
}

fn a_frontier_stops_a_reader_of(records: usize) {
    let (mut producer, mut consumer) = lane::<usize>();
    for number in 0..records {
        producer.push(number, &[], 0).unwrap();
    }
    let frontier = consumer.frontier();
    let mut popped = 0;
    while consumer.before(frontier) > 0 && pop(&mut consumer, |_, _| ()).is_some() {
        popped += 1;
        // Every slot is free again at once, so the producer never leaves its segment.
        consumer.publish_consumed();
        producer.push(0, &[], 0).unwrap();
    }
    let beyond = popped - records;
    assert!(if records < 64 { beyond == 0 } else { beyond < LARGE_ENOUGH }, "{beyond} beyond {records}");
}

#[test]
fn looking_takes_nothing_and_shows_each_record_ahead_once() {
    let (mut producer, mut consumer) = lane::<usize>();
    let (mut pushed, mut popped, mut shown) = (0, 0, 0);
    for round in 0..200 {
        for _ in 0..round % 7 {
            producer.push(pushed, &[7; TAIL_BYTES][..(pushed * 13) % (TAIL_BYTES + 1)], 0).unwrap();
            pushed += 1;
        }
        consumer.look_ahead(|&record| {
            assert_eq!(record, shown.max(popped));
            shown = record + 1;
        });
        assert!(popped == pushed || shown == pushed);
        let mut all = popped;
        consumer.look_over(|&record| {
            assert_eq!(record, all);
            all += 1;
        });
        assert_eq!(all, pushed);
        for _ in 0..round % 5 {
            if let Some(record) = pop(&mut consumer, |record, _| record) {
                assert_eq!(record, popped);
                popped += 1;
            }
        }
        if round % 3 == 0 {
            consumer.publish_consumed();
        }
    }
}

const LARGE_ENOUGH: usize = 2 * segment::LARGE;

#[test]
fn a_budget_counts_what_is_not_consumed() {
    let (mut producer, mut consumer) = lane::<()>();
    for _ in 0..3 {
        producer.push((), &[], 10).unwrap();
    }
    assert!(!producer.fits(1, 0), "nothing was allowed yet");
    assert_eq!(producer.outstanding(), (3, 30));
    producer.allow(1, 2);
    assert!(producer.fits(1, 1));
    assert!(!producer.fits(2, 1) && !producer.fits(1, 2));
    consumer.entry().unwrap().take(10, |(), _| ());
    consumer.publish_consumed();
    assert!(!producer.fits(2, 1), "it has not looked");
    assert_eq!(producer.outstanding(), (2, 20));
    producer.allow(2, 12);
    assert!(producer.fits(2, 11));
    assert_eq!(producer.outstanding(), (2, 20));
}

/// Takes the next record, which counts for nothing.
fn pop<T, R>(consumer: &mut Consumer<T>, take: impl FnOnce(T, Tail<'_>) -> R) -> Option<R> {
    Some(consumer.entry()?.take(0, take))
}
