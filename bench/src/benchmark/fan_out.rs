//! Fan-out: one post to every frame of a tab, per delivered event.

use super::{Benchmark, Candidate};
use crate::benchmark::one_way::take;
use crate::load::{Load, Slice100};
use crate::scene::Scene;
use crate::transport::{Core, CoreEnd, CrossbeamUnbounded, End, Rtrb, Transport, apart};
use crate::two_threads::two_threads;
use crossbeam_utils::CachePadded;

/// What ten posts to ten ports are called.
pub const SINGLE: &str = "port-core, single posts";

/// The name of the benchmark with so many frames.
#[must_use]
pub fn name(frames: usize) -> String {
    format!("fan-out to {frames} frames")
}

pub(super) fn benchmarks() -> Vec<Benchmark> {
    vec![benchmark(10)]
}

/// One post to so many frames, beside a post for each.
#[must_use]
pub fn benchmark(frames: usize) -> Benchmark {
    Benchmark {
        name: name(frames),
        targets: &["T6"],
        operations: 32 * 1024,
        candidates: vec![
            fanned_out(frames, Slice100),
            separately::<Core, _>(SINGLE, frames, Slice100),
            separately::<Rtrb, _>(Rtrb::NAME, frames, Slice100),
            separately::<CrossbeamUnbounded, _>(CrossbeamUnbounded::NAME, frames, Slice100),
        ],
    }
}

/// One port to all frames.
pub fn fanned_out<L: Load>(frames: usize, load: L) -> Candidate {
    Candidate::new(Core::NAME, move |processors, count| {
        let mut scene = Scene::of_two_loops(frames as u64);
        let (opening, receiving) = scene.connect_many(1);
        let mut poster = CachePadded::new(CoreEnd { event_loop: scene.opener, ports: opening });
        let receiver = scene.receiver.expect("the scene has two loops");
        let mut listener = CachePadded::new(CoreEnd { event_loop: receiver, ports: receiving });
        let port = poster.port(0);
        let (mut due, mut delivered) = (0, 0);
        two_threads(
            processors,
            count,
            |count| {
                due += count;
                while delivered < due {
                    poster.post(port, &load);
                    delivered += frames;
                }
            },
            |count| take(&mut *listener, count),
        )
    })
}

/// A port, or an item, per frame.
fn separately<C: Transport, L: Load>(name: &'static str, frames: usize, load: L) -> Candidate {
    Candidate::new(name, move |processors, count| {
        let (mut poster, mut listener) = apart::<C>(frames);
        let ports: Vec<_> = (0..frames).map(|frame| poster.port(frame)).collect();
        let mut ports = ports.iter().cycle();
        two_threads(
            processors,
            count,
            |count| ports.by_ref().take(count).for_each(|&port| poster.post(port, &load)),
            |count| take(&mut *listener, count),
        )
    })
}
