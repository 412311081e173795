//! What grows with the number of event loops and the size of messages, exactly.

use bytes::Bytes;
use port_core::Event;
use port_core_bench::allocation::{Counting, Tally};
use port_core_bench::many_loops::{heap_of_a_lane, heap_per_idle_lane};
use port_core_bench::scene::Scene;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn an_idle_lane_takes_a_kilobyte_at_most() {
    let bytes = heap_of_a_lane();
    assert!(bytes <= 1024, "{bytes} bytes");
}

/// A browser with many tabs and some extensions: nearly all of its lanes are idle.
/// With each come what the two loops know of each other, room for a few ports, and 176 bytes of whose connections it is for, what
/// it has drawn on the service's pool, and within which limits.
#[test]
fn two_loops_that_once_talked_take_little_over_two_kilobytes_a_lane() {
    for pages in [10, 300] {
        let bytes = heap_per_idle_lane(20, pages);
        assert!(bytes <= 2240.0, "{bytes} bytes a lane with {pages} pages");
    }
}

/// Whatever its size, a message by reference is where the poster had it.
#[test]
fn large_messages_are_never_copied() {
    let mut scene = Scene::of_two_loops(1);
    let port = scene.connect_many(1).0[0];
    let mut receiver = scene.receiver.take().expect("the scene has two loops");
    // Memory that both sides take once.
    for _ in 0..20 {
        scene.opener.post_message(port, Bytes::from_static(&[7; 256])).expect("within the limits");
        assert!(receiver.next_event().is_some() && receiver.next_event().is_none());
    }
    for shift in 8..=26 {
        let posted = Bytes::from(vec![7; 1 << shift]);
        let address = posted.as_ptr();
        let (tally, ()) = Tally::of(|| {
            scene.opener.post_message(port, posted.clone()).expect("within the limits");
            let Some(Event::Message { payload, .. }) = receiver.next_event() else {
                panic!("expected the message");
            };
            assert_eq!((payload.as_ptr(), payload.len()), (address, 1 << shift));
        });
        assert!(tally.allocations <= 1, "at most for the count of a shared payload: {tally:?}");
        assert!(receiver.next_event().is_none());
    }
}
