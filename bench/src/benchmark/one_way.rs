//! One way: a message after the other on one port, as fast as they go.

use super::{Benchmark, Candidate};
use crate::load::{Allocated32, Allocated4096, Load, Slice100, Static32};
use crate::sample::Sample;
use crate::transport::{
    BlockLimit, Core, CrossbeamArray, CrossbeamBounded, CrossbeamSegments, CrossbeamUnbounded, End,
    FlumeUnbounded, Gil, Ipc, KanalUnbounded, LaneAlone, Nexus, Ringbuf, Rtrb, Sleeper, StdUnbounded,
    TokioUnbounded, Transport, apart,
};
use crate::two_threads::two_threads;
use std::hint::spin_loop;

/// Few enough that a sample often fits between two turns of other processes.
const MESSAGES: usize = 32 * 1024;

/// Words of a slot of the lane, which a record of up to 40 bytes fills, and of what 100 bytes and a port's number take.
const WORDS_OF_64: usize = 8;
const WORDS_OF_104: usize = 13;

/// A benchmark's name.
pub const LANE: &str = "lane alone";
/// A benchmark's name.
pub const STATIC: &str = "one way, 32 static bytes";
/// A benchmark's name.
pub const SLICES: &str = "one way, 100 bytes slice to slice";
/// A benchmark's name.
pub const ASLEEP: &str = "one way, 32 static bytes, may sleep";

pub(super) fn benchmarks() -> Vec<Benchmark> {
    vec![
        lane_alone(),
        Benchmark { targets: &["T2"], ..spinning(STATIC, everyone::<Static32, WORDS_OF_64>(Static32)) },
        Benchmark {
            targets: &["T12"],
            ..spinning(SLICES, {
                let mut everyone = everyone::<Slice100, WORDS_OF_104>(Slice100);
                everyone.push(spin::<Ipc, _>(Slice100).slow(64));
                everyone
            })
        },
        spinning("one way, 32 bytes allocated", some(Allocated32)),
        spinning("one way, 4 KiB allocated", some(Allocated4096)),
        sleeping(ASLEEP, Static32),
    ]
}

/// The lane beside queues that carry the same, and beside what the hardware allows.
fn lane_alone() -> Benchmark {
    Benchmark {
        name: LANE.into(),
        targets: &["T1"],
        operations: 2 * MESSAGES,
        candidates: vec![
            spin::<LaneAlone, _>(Static32),
            spin::<BlockLimit<WORDS_OF_64>, _>(Static32),
            spin::<Rtrb, _>(Static32),
            spin::<Ringbuf, _>(Static32),
            spin::<Gil, _>(Static32),
            spin::<Nexus, _>(Static32),
            spin::<CrossbeamArray, _>(Static32),
            spin::<CrossbeamSegments, _>(Static32),
        ],
    }
}

/// Where the listener never sleeps, every candidate spins.
fn spinning(name: &str, candidates: Vec<Candidate>) -> Benchmark {
    Benchmark { name: name.into(), targets: &[], operations: MESSAGES, candidates }
}

fn everyone<L: Load, const WORDS: usize>(load: L) -> Vec<Candidate> {
    let mut everyone = vec![spin::<Core, _>(load), spin::<BlockLimit<WORDS>, _>(load)];
    everyone.extend(every_rival!(spin, load));
    everyone
}

/// One of each family, where the allocation levels them anyway.
fn some(load: impl Load) -> Vec<Candidate> {
    vec![
        spin::<Core, _>(load),
        spin::<Rtrb, _>(load),
        spin::<CrossbeamUnbounded, _>(load),
        spin::<TokioUnbounded, _>(load),
    ]
}

/// Where the listener may sleep, every candidate waits.
fn sleeping(name: &str, load: impl Load) -> Benchmark {
    Benchmark {
        name: name.into(),
        targets: &["T2"],
        operations: MESSAGES,
        candidates: vec![
            wait::<Core, _>(load),
            wait::<CrossbeamBounded, _>(load),
            wait::<CrossbeamUnbounded, _>(load),
            wait::<KanalUnbounded, _>(load),
            wait::<TokioUnbounded, _>(load),
            wait::<StdUnbounded, _>(load),
            wait::<FlumeUnbounded, _>(load),
        ],
    }
}

/// A candidate whose listener spins.
pub fn spin<C: Transport, L: Load>(load: L) -> Candidate {
    Candidate::new(C::NAME, move |processors, count| {
        let (mut poster, mut listener) = apart::<C>(1);
        two_threads(
            processors,
            count,
            |count| post(&mut *poster, count, load),
            |count| take(&mut *listener, count),
        )
    })
}

/// A candidate whose listener may sleep.
pub fn wait<C: Transport<End: Sleeper>, L: Load>(load: L) -> Candidate {
    Candidate::new(C::NAME, move |processors, count| {
        let (mut poster, mut listener) = apart::<C>(1);
        let sample = two_threads(
            processors,
            count,
            |count| post(&mut *poster, count, load),
            |count| (0..count).for_each(|_| listener.wait()),
        );
        Sample { preempted: None, ..sample }
    })
}

fn post(poster: &mut impl End, count: usize, load: impl Load) {
    let port = poster.port(0);
    for _ in 0..count {
        poster.post(port, &load);
    }
}

/// Takes so many messages, spinning.
pub(super) fn take(listener: &mut impl End, count: usize) {
    for _ in 0..count {
        while !listener.take() {
            spin_loop();
        }
    }
}
