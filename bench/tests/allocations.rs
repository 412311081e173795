//! Allocations and memory, exactly: what is counted here does not depend on the machine.

use bytes::Bytes;
use port_core::{Event, INLINE_BYTES};
use port_core_bench::allocation::{Counting, Tally};
use port_core_bench::memory::{burst, conversation, in_steady_state, per_connect, per_idle_pair};
use port_core_bench::scene::Scene;
use std::iter;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_short_message_allocates_nothing_on_either_side() {
    assert_eq!(in_steady_state(|| (&[7; 100]).into()), (0.0, 0.0));
    assert_eq!(in_steady_state(|| (&[7; INLINE_BYTES]).into()), (0.0, 0.0));
}

#[test]
fn a_long_message_by_reference_allocates_nothing_on_either_side() {
    let shared = Bytes::from(vec![7; 4096]);
    assert_eq!(in_steady_state(|| shared.clone().into()), (0.0, 0.0));
}

#[test]
fn messages_above_the_inline_size_are_passed_by_reference_up_to_the_largest() {
    let mut scene = Scene::of_two_loops(3);
    let port = scene.connect_many(1).0[0];
    let mut receiver = scene.receiver.expect("the scene has two loops");
    let mut sizes: Vec<usize> = (4..=26).map(|power| 1 << power).collect();
    sizes.extend([INLINE_BYTES, INLINE_BYTES + 1]);
    // The first rounds are for both sides to get the memory that they keep.
    for (round, size) in iter::repeat_n(16, 50).chain(sizes).enumerate() {
        let posted = Bytes::from(vec![7; size]);
        let message = posted.clone();
        let mut taken = 0;
        let (tally, ()) = Tally::of(|| {
            scene.opener.post_message(port, message).expect("the port is open");
            while let Some(event) = &receiver.next_event_unarmed() {
                let Event::Message { payload, .. } = event else { panic!("{event:?}") };
                assert_eq!(payload.len(), size);
                assert_eq!(payload.as_ptr() == posted.as_ptr(), size > INLINE_BYTES, "{size}");
                taken += 1;
            }
        });
        assert_eq!(taken, 3);
        assert!(round < 50 || (tally.allocations, tally.bytes) == (0, 0), "{size}: {tally:?}");
    }
}

#[test]
fn a_long_message_from_a_slice_is_copied_once() {
    assert_eq!(in_steady_state(|| (&[7; 4096]).into()), (1.0, 0.0));
}

#[test]
fn connecting_allocates_for_a_long_name_alone() {
    assert_eq!(per_connect("short name"), 0.0);
    assert_eq!(per_connect("a name of more than twenty-three bytes"), 1.0);
}

/// A larger ring after some rounds, and none after that; once it is quiet again a small one does.
#[test]
fn a_long_conversation_allocates_a_larger_ring_and_lets_go_of_it() {
    let (short, _) = conversation(100);
    let (long, kept) = conversation(2_000);
    let (longer, kept_longer) = conversation(200_000);
    assert!(long > short);
    assert_eq!((longer, kept_longer), (long, kept));
    assert!(kept < 1_024.0, "{kept} bytes");
}

#[test]
fn a_burst_leaves_little_behind() {
    assert!(burst(1_000_000).kept <= 65_536.0);
}

#[test]
fn an_idle_port_pair_takes_a_quarter_of_a_kilobyte_at_most() {
    let bytes = per_idle_pair(10_000);
    assert!(bytes <= 256.0, "{bytes} bytes");
}
