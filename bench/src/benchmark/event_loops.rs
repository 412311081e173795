//! Event loops: the same messages to one background from pages of which each has an
//! event loop, one of them active or all.

use super::{BLOCK, Benchmark, Candidate};
use crate::benchmark::one_way::take;
use crate::load::{Load, Static32};
use crate::many_loops::{ManyLoops, Page};
use crate::transport::{CoreEnd, Item, item, look_at_item};
use crate::two_threads::two_threads;
use crossbeam_utils::CachePadded;
use std::hint::spin_loop;

/// What the core is called where one loop posts and the others are silent.
pub const ONE: &str = "port-core, one active";
/// What it is called where all post, in bursts and in turn.
pub const ALL: &str = "port-core, all active";

/// The benchmark with so many event loops joined to the listener's.
#[must_use]
pub fn benchmark(loops: u32) -> Benchmark {
    Benchmark {
        name: format!("event loops, {loops}"),
        targets: &[],
        operations: 32 * 1024,
        candidates: vec![joined(ONE, loops, 1), joined(ALL, loops, loops), channel(loops)],
    }
}

/// So many loops joined to the listener's, `active` of which post in turn. One thread
/// owns them all, for it is the listener that has many lanes.
fn joined(name: &'static str, loops: u32, active: u32) -> Candidate {
    Candidate::new(name, move |processors, count| {
        let mut many_loops = ManyLoops::new(1, loops);
        many_loops.join();
        let (background, _) = many_loops.backgrounds.pop().expect("one background");
        let mut listener = CachePadded::new(CoreEnd { event_loop: background, ports: Vec::new() });
        let mut pages = many_loops.pages;
        let mut turns = (0..active as usize).cycle();
        two_threads(
            processors,
            count,
            |count| {
                for _ in 0..count / BLOCK {
                    let turn = turns.next().expect("some are active");
                    burst(&mut pages[turn]);
                }
            },
            |count| take(&mut *listener, count),
        )
    })
}

fn burst(page: &mut Page) {
    for _ in 0..BLOCK {
        page.event_loop.post_message(page.ports[0], Static32.message()).expect("the port is open");
    }
}

/// A channel into which everyone posts, as a browser without lanes would have it.
fn channel(loops: u32) -> Candidate {
    Candidate::new("one crossbeam for all", move |processors, count| {
        let (sender, receiver) = crossbeam_channel::unbounded::<Item>();
        let senders = vec![sender; loops as usize];
        let mut turns = senders.iter().cycle();
        two_threads(
            processors,
            count,
            |count| {
                for _ in 0..count / BLOCK {
                    let sender = turns.next().expect("there are some");
                    for _ in 0..BLOCK {
                        assert!(sender.send(item(0, &Static32)).is_ok(), "the receiver is there");
                    }
                }
            },
            |count| {
                for _ in 0..count {
                    loop {
                        if let Ok(item) = receiver.try_recv() {
                            look_at_item(item);
                            break;
                        }
                        spin_loop();
                    }
                }
            },
        )
    })
}
