//! What is counted. One thread plays both sides, in bursts; what belongs to another
//! operation is done between the counted parts.

use bytes::Bytes;
use port_core::{Event, EventLoop, Message, PortId, RuntimeTarget, TabTarget};
use port_core_bench::browser::Browser;
use port_core_bench::scene::Scene;
use std::hint::black_box;

/// An operation.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) run: fn(),
}

/// How often each is done while it is counted.
pub(crate) const OPERATIONS: u32 = 64 * 40;

pub(crate) const ALL: &[Work] = &[
    Work { name: "post, 100 bytes from a slice", run: || messages(slice, Part::Post) },
    Work { name: "event, 100 bytes", run: || messages(slice, Part::Event) },
    Work { name: "post, 4 KiB by reference", run: || messages(reference, Part::Post) },
    Work { name: "event, 4 KiB by reference", run: || messages(reference, Part::Event) },
    Work { name: "post to 10 frames, per frame", run: || fan_out(Part::Post) },
    Work { name: "event of a post to 10 frames", run: || fan_out(Part::Event) },
    Work { name: "connect and accept", run: || connects(&mut Scene::of_two_loops(1), Part::Post) },
    Work { name: "disconnect", run: || connects(&mut Scene::of_two_loops(1), Part::Event) },
    Work {
        name: "connect and accept, one event loop",
        run: || connects(&mut Scene::of_one_loop(1), Part::Post),
    },
    Work { name: "disconnect, one event loop", run: || connects(&mut Scene::of_one_loop(1), Part::Event) },
    Work { name: "kill of a page with two ports", run: || kills(0) },
    Work { name: "kill beside 10,000 idle ports", run: || kills(10_000) },
    Work { name: "falling asleep, woken by a message", run: || messages(slice, Part::Sleep) },
];

/// The part of a round that is counted: the first, the second, or the end of it.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Post,
    Event,
    Sleep,
}

const BURST: u32 = 64;
/// Enough for both sides to have their memory.
const WARM_UP: u32 = 20;

/// The function that callgrind counts in, by name.
pub(crate) const COUNTED: &str = "counted_by_callgrind";

#[inline(never)]
fn counted_by_callgrind(work: &mut dyn FnMut()) {
    work();
}

/// Does `work`, and has it counted or not.
fn count_if(counted: bool, mut work: impl FnMut()) {
    if counted { counted_by_callgrind(&mut work) } else { work() }
}

fn slice(_: &Bytes) -> Message<'_> {
    black_box(&[7_u8; 100]).into()
}

fn reference(bytes: &Bytes) -> Message<'_> {
    bytes.clone().into()
}

/// Takes all events without falling asleep, and looks at them.
fn take(event_loop: &mut EventLoop) {
    while let Some(event) = event_loop.next_event_unarmed() {
        if let Event::Message { payload, .. } = &event {
            black_box(payload.first());
        }
    }
}

fn post(event_loop: &mut EventLoop, port: PortId, count: u32, message: impl Fn() -> Message<'static>) {
    for _ in 0..count {
        event_loop.post_message(port, message()).expect("the port is open");
    }
}

fn messages(message: fn(&'static Bytes) -> Message<'static>, part: Part) {
    let bytes: &'static Bytes = Box::leak(Box::new(Bytes::from(vec![7; 4096])));
    let mut scene = Scene::of_two_loops(1);
    let port = scene.connect_many(1).0[0];
    let mut receiver = scene.receiver.take().expect("the scene has two loops");
    let burst = if part == Part::Sleep { 1 } else { BURST };
    let rounds = OPERATIONS / burst;
    for round in 0..WARM_UP + rounds {
        let counts = |this| round >= WARM_UP && part == this;
        count_if(counts(Part::Post), || post(&mut scene.opener, port, burst, || message(bytes)));
        count_if(counts(Part::Event), || take(&mut receiver));
        if part == Part::Sleep {
            // What a loop does at the end of its turn, and what the post after it does more.
            count_if(counts(Part::Sleep), || {
                take(&mut receiver);
                assert!(receiver.next_event().is_none());
                post(&mut scene.opener, port, burst, || message(bytes));
            });
            take(&mut receiver);
        }
        // Credits.
        take(&mut scene.opener);
    }
}

fn fan_out(part: Part) {
    const FRAMES: u32 = 10;
    const POSTS: u32 = 8;
    let mut scene = Scene::of_two_loops(FRAMES.into());
    let port = scene.connect_many(1).0[0];
    let mut receiver = scene.receiver.take().expect("the scene has two loops");
    // By the delivered event, so that there are as many of them as elsewhere.
    for round in 0..WARM_UP + OPERATIONS / (POSTS * FRAMES) {
        let counts = |this| round >= WARM_UP && part == this;
        count_if(counts(Part::Post), || {
            post(&mut scene.opener, port, POSTS, || black_box(&[7_u8; 100]).into());
        });
        count_if(counts(Part::Event), || take(&mut receiver));
        take(&mut scene.opener);
    }
}

/// A background hears that a page is gone, to which it had connected and which had connected to it, while it has so
/// many other ports, half of them its own.
fn kills(idle: u32) {
    let browser = Browser::new();
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    let background = browser.background(&mut here);
    let (lasting, own) = (browser.tab(), RuntimeTarget::own());
    let page = browser.content_script(&mut there, lasting);
    for _ in 0..idle / 2 {
        here.connect_tab(background, &TabTarget::new(lasting.tab)).expect("there is room for a port");
        there.connect_runtime(page, &own).expect("there is room for a port");
        take(&mut there);
        take(&mut here);
    }
    for round in 0..WARM_UP + OPERATIONS {
        let place = browser.tab();
        let page = browser.content_script(&mut there, place);
        here.connect_tab(background, &TabTarget::new(place.tab)).expect("there is room for a port");
        there.connect_runtime(page, &own).expect("there is room for a port");
        take(&mut there);
        take(&mut here);
        browser.service.tab_closed(place.tab).expect("the tab is open");
        count_if(round >= WARM_UP, || take(&mut here));
        take(&mut there);
    }
}

fn connects(scene: &mut Scene, part: Part) {
    let target = scene.target.clone().name("bench");
    let (opener, receiver) = (&mut scene.opener, &mut scene.receiver);
    let mut ports = Vec::with_capacity(BURST as usize);
    for round in 0..WARM_UP + OPERATIONS / BURST {
        let counts = |this| round >= WARM_UP && part == this;
        count_if(counts(Part::Post), || {
            for _ in 0..BURST {
                let port = opener.connect_tab(scene.background, &target);
                ports.push(port.expect("there is room for a port"));
            }
            receiver.iter_mut().for_each(take);
            take(opener);
        });
        count_if(counts(Part::Event), || {
            for port in ports.drain(..) {
                opener.disconnect(port);
            }
            take(receiver.as_mut().unwrap_or(opener));
        });
    }
}
