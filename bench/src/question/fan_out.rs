//! Fan-out: one post to every frame of a tab, per delivered event.

use super::{Contender, Question};
use crate::carrier::{Carrier, Core, CoreEnd, CrossbeamUnbounded, End, Rtrb, apart};
use crate::duo::duo;
use crate::load::{Load, Slice100};
use crate::question::one_way::take;
use crate::scene::Scene;
use crossbeam_utils::CachePadded;

/// What ten posts to ten ports are called.
pub const SINGLE: &str = "port-core, single posts";

/// The name of the question with so many frames.
#[must_use]
pub fn name(frames: usize) -> String {
    format!("fan-out to {frames} frames")
}

pub(super) fn questions() -> Vec<Question> {
    vec![question(10)]
}

/// One post to so many frames, beside a post for each.
#[must_use]
pub fn question(frames: usize) -> Question {
    Question {
        name: name(frames),
        targets: &["T6"],
        operations: 32 * 1024,
        contenders: vec![
            fanned_out(frames, Slice100),
            separately::<Core, _>(SINGLE, frames, Slice100),
            separately::<Rtrb, _>(Rtrb::NAME, frames, Slice100),
            separately::<CrossbeamUnbounded, _>(CrossbeamUnbounded::NAME, frames, Slice100),
        ],
    }
}

/// One port to all frames.
pub fn fanned_out<L: Load>(frames: usize, load: L) -> Contender {
    Contender::new(Core::NAME, move |processors, count| {
        let mut scene = Scene::of_two_loops(frames as u64);
        let (opening, receiving) = scene.connect_many(1);
        let mut poster = CachePadded::new(CoreEnd { event_loop: scene.opener, ports: opening });
        let receiver = scene.receiver.expect("the scene has two loops");
        let mut listener = CachePadded::new(CoreEnd { event_loop: receiver, ports: receiving });
        let port = poster.port(0);
        let (mut due, mut delivered) = (0, 0);
        duo(
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
fn separately<C: Carrier, L: Load>(name: &'static str, frames: usize, load: L) -> Contender {
    Contender::new(name, move |processors, count| {
        let (mut poster, mut listener) = apart::<C>(frames);
        let ports: Vec<_> = (0..frames).map(|frame| poster.port(frame)).collect();
        let mut ports = ports.iter().cycle();
        duo(
            processors,
            count,
            |count| ports.by_ref().take(count).for_each(|&port| poster.post(port, &load)),
            |count| take(&mut *listener, count),
        )
    })
}
