//! What is counted. One thread plays both sides, in bursts; what belongs to another
//! operation is done between the counted parts.

use crate::{between_processes, through_c};
use bytes::Bytes;
use port_core::{
    ConnectError, ContextId, Event, EventLoop, ExtensionDescription, Listening, Message, PortId,
    RuntimeTarget, TabId, TabTarget,
};
use port_core_bench::browser::{Browser, content_script_of, describe_background, listen_for};
use port_core_bench::scene::Scene;
use std::hint::black_box;

/// An operation.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) run: fn(),
    /// The operation that it does in another way, and how many more instructions than that it may take.
    pub(crate) beside: Option<(&'static str, f64)>,
}

impl Work {
    const fn of(name: &'static str, run: fn()) -> Self {
        Self { name, run, beside: None }
    }

    const fn beside(self, name: &'static str, more: f64) -> Self {
        Self { beside: Some((name, more)), ..self }
    }
}

/// How often each is done while it is counted.
pub(crate) const OPERATIONS: u32 = 64 * 40;

pub(crate) const ALL: &[Work] = &[
    Work::of("post, 32 bytes from a slice", || messages(slice::<32>, Part::Post)),
    Work::of("post, 80 bytes from a slice", || messages(slice::<80>, Part::Post)),
    Work::of("post, 100 bytes from a slice", || messages(slice::<100>, Part::Post)),
    Work::of("post, 140 bytes from a slice", || messages(slice::<140>, Part::Post)),
    Work::of("event, 100 bytes", || messages(slice::<100>, Part::Event)),
    Work::of("post, 4 KiB by reference", || messages(reference, Part::Post)),
    Work::of("event, 4 KiB by reference", || messages(reference, Part::Event)),
    Work::of("post to 10 frames, per frame", || fan_out(Part::Post)),
    Work::of("event of a post to 10 frames", || fan_out(Part::Event)),
    Work::of("connect and accept", || connects(&mut Scene::of_two_loops(1), Part::Post)),
    Work::of("disconnect", || connects(&mut Scene::of_two_loops(1), Part::Event)),
    Work::of("connect and accept, one event loop", || connects(&mut Scene::of_one_loop(1), Part::Post)),
    Work::of("disconnect, one event loop", || connects(&mut Scene::of_one_loop(1), Part::Event)),
    Work::of("kill of a page with two ports", || kills(0)),
    Work::of("kill beside 10,000 idle ports", || kills(10_000)),
    Work::of("falling asleep, woken by a message", || messages(slice::<100>, Part::Sleep)),
    Work::of("post through C, 100 bytes", || through_c::messages(Part::Post))
        .beside("post, 100 bytes from a slice", 60.0),
    Work::of("event, 100 bytes, kept until the next", kept_events),
    Work::of("event through C, 100 bytes", || through_c::messages(Part::Event))
        .beside("event, 100 bytes, kept until the next", 60.0),
    Work::of("connect and accept, by a name of a script's", || connects_by_name(Part::Post)),
    Work::of("connect and accept through C", || through_c::connects(Part::Post))
        .beside("connect and accept, by a name of a script's", 240.0),
    Work::of("disconnect through C", || through_c::connects(Part::Event)).beside("disconnect", 140.0),
    Work::of("connect and accept, to a background", || connects_to_a_background(false)),
    Work::of("connect and accept, to one on demand", || connects_to_a_background(true)),
    Work::of("answer of one on demand, the last first", answers_backwards),
    Work::of("between processes: post, 100 bytes", || between_processes::messages(Part::Post, false)),
    Work::of("between processes: from frame to frame, 100 bytes", || {
        between_processes::messages(Part::Event, false);
    }),
    Work::of("between processes: event, 100 bytes", || between_processes::messages(Part::Sleep, false)),
    Work::of("between processes: message read where it lies, 100 bytes", || {
        between_processes::messages(Part::Sleep, true);
    }),
];

/// The part of a round that is counted: the first, the second, or the end of it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Part {
    Post,
    Event,
    Sleep,
}

pub(crate) const BURST: u32 = 64;
/// Enough for both sides to have their memory.
pub(crate) const WARM_UP: u32 = 20;

/// The function that callgrind counts in, by name.
pub(crate) const COUNTED: &str = "counted_by_callgrind";

#[inline(never)]
fn counted_by_callgrind(work: &mut dyn FnMut()) {
    work();
}

/// Does `work`, and has it counted or not.
pub(crate) fn count_if(counted: bool, mut work: impl FnMut()) {
    if counted { counted_by_callgrind(&mut work) } else { work() }
}

fn slice<const N: usize>(_: &Bytes) -> Message<'_> {
    black_box(&[7_u8; N]).into()
}

fn reference(bytes: &Bytes) -> Message<'_> {
    bytes.clone().into()
}

/// Takes all events without falling asleep, and looks at them.
fn take(event_loop: &mut EventLoop) {
    while let Some(event) = &event_loop.next_event_unarmed() {
        if let Event::Message { payload, .. } = event {
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

/// Events that stay where the loop writes them until it is asked for the next one, and whose every field is handed on,
/// as C's are.
fn kept_events() {
    let mut scene = Scene::of_two_loops(1);
    let port = scene.connect_many(1).0[0];
    let mut receiver = scene.receiver.take().expect("the scene has two loops");
    let mut event = None;
    for round in 0..WARM_UP + OPERATIONS / BURST {
        post(&mut scene.opener, port, BURST, || black_box(&[7_u8; 100]).into());
        count_if(round >= WARM_UP, || {
            while receiver.next_event_into(&mut event, false) {
                let Some(Event::Message {
                    context,
                    port,
                    payload,
                    format,
                    user_activation,
                    context_data,
                    port_data,
                    ..
                }) = &event
                else {
                    continue;
                };
                let ids = (context.to_bits(), port.to_bits());
                black_box(&(ids, &**payload, *format, *user_activation, *context_data, *port_data));
                black_box(payload.first());
            }
        });
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
    connects_to(scene, part, |opener, background| opener.connect_tab(background, &target));
}

/// With a target that is made for each connect, as where a script gives its name.
fn connects_by_name(part: Part) {
    let (mut scene, tab) = (Scene::of_two_loops(1), TabId::new(7));
    connects_to(&mut scene, part, |opener, background| {
        opener.connect_tab(background, &TabTarget::new(black_box(tab)).name(black_box("bench")))
    });
}

/// A content script, with its event loop, and the event loop of its extension's background, which runs.
fn beside_a_background(on_demand: bool, listening: Listening) -> (EventLoop, ContextId, EventLoop) {
    let browser = Browser::new();
    let mut description = ExtensionDescription::new("awake@example");
    if on_demand {
        description = description.background_on_demand();
    }
    let extension = browser.service.extension_loaded(description).expect("it is new");
    let (mut page, mut home) = (browser.event_loop(), browser.event_loop());
    let script = content_script_of(extension, &mut page, browser.tab());
    listen_for(&mut home, describe_background(extension), listening.ready(true));
    (page, script, home)
}

/// A content script connects to the background of its extension, which runs.
fn connects_to_a_background(on_demand: bool) {
    let (mut page, script, mut home) = beside_a_background(on_demand, Listening::PORTS);
    let target = RuntimeTarget::own().name("bench");
    let mut ports = Vec::with_capacity(BURST as usize);
    for round in 0..WARM_UP + OPERATIONS / BURST {
        count_if(round >= WARM_UP, || {
            for _ in 0..BURST {
                ports.push(page.connect_runtime(script, &target).expect("there is room for a port"));
            }
            take(&mut home);
            take(&mut page);
        });
        for port in ports.drain(..) {
            page.disconnect(port);
        }
        take(&mut home);
    }
}

/// Many connects to a background have no answer, and then all are answered, the last first: none is looked for among the
/// others.
fn answers_backwards() {
    let (mut page, script, mut home) = beside_a_background(true, Listening::PORTS.asks(true));
    let target = RuntimeTarget::own().name("bench");
    for counted in [false, true] {
        let connect = |_| page.connect_runtime(script, &target).expect("there is room for a port");
        let ports: Vec<_> = (0..OPERATIONS).map(connect).collect();
        let mut asked = Vec::new();
        while let Some(event) = home.next_event_unarmed() {
            if let Event::Connect { port, .. } = event {
                asked.push(port);
            }
        }
        assert_eq!(asked.len(), ports.len());
        for port in asked.into_iter().rev() {
            assert!(home.accept(port));
        }
        count_if(counted, || take(&mut page));
        for port in ports {
            page.disconnect(port);
        }
        take(&mut home);
    }
}

fn connects_to(
    scene: &mut Scene,
    part: Part,
    connect: impl Fn(&mut EventLoop, ContextId) -> Result<PortId, ConnectError>,
) {
    let (opener, receiver) = (&mut scene.opener, &mut scene.receiver);
    let mut ports = Vec::with_capacity(BURST as usize);
    for round in 0..WARM_UP + OPERATIONS / BURST {
        let counts = |this| round >= WARM_UP && part == this;
        count_if(counts(Part::Post), || {
            for _ in 0..BURST {
                let port = connect(opener, scene.background);
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
