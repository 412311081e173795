//! What is counted instead of timed: allocations, memory and wake-ups. Needs the allocator of
//! [`allocation`](crate::allocation), and is exact.

use crate::allocation::Tally;
use crate::browser::counting_waker;
use crate::load::Slice100;
use crate::scene::Scene;
use crate::transport::{End, Transport};
use bytes::Bytes;
use port_core::{Event, EventLoop, Limits, Message, PortId};

/// One count.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// Of what.
    pub name: &'static str,
    /// How much.
    pub figure: f64,
    /// In what.
    pub unit: &'static str,
}

/// A count's name.
pub const POST_SHORT: &str = "post, 100 bytes from a slice";
/// A count's name.
pub const EVENT_SHORT: &str = "event, 100 bytes";
/// A count's name.
pub const POST_LONG: &str = "post, 4 KiB of Bytes";
/// A count's name.
pub const EVENT_LONG: &str = "event, 4 KiB of Bytes";
/// A count's name.
pub const CONNECT: &str = "connect, accept and disconnect, short name";
/// A count's name.
pub const CONNECT_NAMED: &str = "connect, accept and disconnect, long name";
/// A count's name.
pub const IDLE_PAIR: &str = "idle port pair of 10,000, both sides";
/// A count's name.
pub const AFTER_BURST: &str = "kept after a burst of 1,000,000 messages";
/// A count's name.
pub const WAKES: &str = "wake-ups per sleep, 100 messages each";

/// Counts everything, on the calling thread.
#[must_use]
pub fn counts() -> Vec<Count> {
    let allocations = "allocations";
    let short = in_steady_state(|| (&[7_u8; 100]).into());
    let shared = Bytes::from(vec![7; 4096]);
    let long = in_steady_state(|| shared.clone().into());
    let figure = |name, figure, unit| Count { name, figure, unit };
    vec![
        figure(POST_SHORT, short.0, allocations),
        figure(EVENT_SHORT, short.1, allocations),
        figure(POST_LONG, long.0, allocations),
        figure(EVENT_LONG, long.1, allocations),
        figure(CONNECT, per_connect("short name"), allocations),
        figure(CONNECT_NAMED, per_connect("a name of more than twenty-three bytes"), allocations),
        figure(IDLE_PAIR, per_idle_pair(10_000), "bytes"),
        figure(AFTER_BURST, burst(1_000_000).kept, "bytes"),
        figure(WAKES, per_sleep(), "wake-ups"),
    ]
}

/// Messages under way at a time: enough for the lane to go through its segments.
const BURST: usize = 100;

/// Allocations per post and per event once both sides have their memory.
#[must_use]
pub fn in_steady_state<'m>(message: impl Fn() -> Message<'m>) -> (f64, f64) {
    let mut scene = Scene::of_two_loops(1);
    let port = scene.connect_many(1).0[0];
    let mut receiver = scene.receiver.expect("the scene has two loops");
    let mut round = || {
        let (post, ()) = Tally::of(|| post_burst(&mut scene.opener, port, &message));
        let (take, taken) = Tally::of(|| take_all(&mut receiver));
        assert_eq!(taken, BURST);
        (post.allocations, take.allocations)
    };
    for _ in 0..10 {
        round();
    }
    let (mut posts, mut events) = (0, 0);
    let rounds = 100;
    for _ in 0..rounds {
        let (post, event) = round();
        posts += post;
        events += event;
    }
    let messages = (rounds * BURST) as f64;
    (posts as f64 / messages, events as f64 / messages)
}

fn post_burst<'m>(event_loop: &mut EventLoop, port: PortId, message: impl Fn() -> Message<'m>) {
    for _ in 0..BURST {
        event_loop.post_message(port, message()).expect("the port is open");
    }
}

/// Messages taken without falling asleep.
fn take_all(event_loop: &mut EventLoop) -> usize {
    let mut taken = 0;
    while let Some(event) = event_loop.next_event_unarmed() {
        taken += usize::from(matches!(event, Event::Message { .. }));
    }
    taken
}

/// Allocations on both sides per connection that is opened and closed, once there
/// have been some.
#[must_use]
pub fn per_connect(name: &str) -> f64 {
    let mut scene = Scene::of_two_loops(1);
    let mut round = |count| {
        for _ in 0..count {
            scene.target = scene.target.clone().name(name);
            let port = scene.connect();
            take_all(scene.receiving());
            take_all(&mut scene.opener);
            scene.opener.disconnect(port);
            take_all(scene.receiving());
        }
    };
    round(1_000);
    let count = 1_000;
    let (tally, ()) = Tally::of(|| round(count));
    tally.allocations as f64 / f64::from(count)
}

/// Allocations on both sides in so many messages, each of which is heard before the next is posted, without
/// either side falling asleep; and the bytes that are kept of them once the listener has slept now and then.
#[must_use]
pub fn conversation(messages: usize) -> (f64, f64) {
    let mut scene = Scene::of_two_loops(1);
    let port = scene.connect_many(1).0[0];
    let mut receiver = scene.receiver.expect("the scene has two loops");
    let mut post = || scene.opener.post_message(port, &[7; 30]).expect("the port is open");
    let (talk, ()) = Tally::of(|| {
        for _ in 0..messages {
            post();
            assert_eq!(take_all(&mut receiver), 1);
        }
    });
    let (sleep, ()) = Tally::of(|| {
        for _ in 0..10 {
            while receiver.next_event().is_some() {}
            post();
        }
        while receiver.next_event().is_some() {}
    });
    (talk.allocations as f64, (talk.bytes + sleep.bytes) as f64)
}

/// Bytes of heap per open port pair with nothing under way, both sides together.
#[must_use]
pub fn per_idle_pair(pairs: usize) -> f64 {
    let mut scene = Scene::of_two_loops(1);
    let (tally, ()) = Tally::of(|| {
        // The ids are the embedder's.
        drop(scene.connect_many(pairs));
    });
    tally.bytes as f64 / pairs as f64
}

/// The heap that a burst takes.
#[derive(Clone, Copy, Debug)]
pub struct Burst {
    /// Bytes while it lies between the threads.
    pub queued: f64,
    /// Bytes once it has been taken and all is quiet.
    pub kept: f64,
}

/// A burst of messages of 100 bytes to a loop that sleeps meanwhile.
#[must_use]
pub fn burst(messages: usize) -> Burst {
    // More than a service holds by default: the rivals have no bound.
    let mut scene = Scene::of_two_loops_with(1, Limits::default().service_bytes(1 << 30));
    let port = scene.connect_many(1).0[0];
    let mut receiver = scene.receiver.expect("the scene has two loops");
    let (queued, ()) = Tally::of(|| {
        for _ in 0..messages {
            scene.opener.post_message(port, &[7; 100]).expect("within the budget");
        }
    });
    let (taken, ()) = Tally::of(|| {
        while receiver.next_event().is_some() {}
        while scene.opener.next_event().is_some() {}
    });
    Burst { queued: queued.bytes as f64, kept: (queued.bytes + taken.bytes) as f64 }
}

/// The same through a channel without a bound.
#[must_use]
pub fn burst_through<C: Transport>(messages: usize) -> Burst {
    let (mut poster, mut listener) = C::between(1);
    let port = poster.port(0);
    let (queued, ()) = Tally::of(|| (0..messages).for_each(|_| poster.post(port, &Slice100)));
    let (taken, ()) = Tally::of(|| while listener.take() {});
    Burst { queued: queued.bytes as f64, kept: (queued.bytes + taken.bytes) as f64 }
}

/// Wake-ups of a loop for each time that it fell asleep and a burst was posted to it.
#[must_use]
pub fn per_sleep() -> f64 {
    let (waker, wakes) = counting_waker();
    let mut scene = Scene::with_a_sleeper(1, &waker);
    let port = scene.connect_many(1).0[0];
    let mut receiver = scene.receiver.expect("the scene has two loops");
    let sleeps = 100;
    while receiver.next_event().is_some() {}
    wakes.take();
    for _ in 0..sleeps {
        post_burst(&mut scene.opener, port, || (&[7_u8; 100]).into());
        while receiver.next_event().is_some() {}
    }
    wakes.take() as f64 / f64::from(sleeps)
}
