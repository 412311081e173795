//! Many ports: the same messages over 1, 100 or 10,000 open ports, some of them or all active.

use super::{Benchmark, Candidate};
use crate::benchmark::one_way::take;
use crate::load::{Load, Static32};
use crate::transport::{
    BlockLimit, Core, CrossbeamUnbounded, End, RingPerPort, Rtrb, TokioUnbounded, Transport, apart,
};
use crate::two_threads::two_threads;
use std::mem;

/// Open ports, and how many percent of them are active.
pub(crate) const CASES: [(usize, usize); 6] =
    [(1, 100), (100, 1), (100, 100), (10_000, 1), (10_000, 10), (10_000, 100)];

/// The name of the benchmark with so many ports.
#[must_use]
pub fn name(ports: usize, percent: usize) -> String {
    format!("many ports, {ports} open, {percent} % active")
}

pub(super) fn benchmarks() -> Vec<Benchmark> {
    CASES.map(|(ports, percent)| benchmark(ports, percent)).into()
}

/// The benchmark with so many open ports.
#[must_use]
pub fn benchmark(ports: usize, percent: usize) -> Benchmark {
    Benchmark {
        name: name(ports, percent),
        targets: &["T5"],
        operations: 32 * 1024,
        candidates: vec![
            active::<Core, _>(ports, percent, Static32),
            active::<BlockLimit<4>, _>(ports, percent, Static32),
            active::<RingPerPort, _>(ports, percent, Static32),
            active::<Rtrb, _>(ports, percent, Static32),
            active::<CrossbeamUnbounded, _>(ports, percent, Static32),
            active::<TokioUnbounded, _>(ports, percent, Static32),
        ],
    }
}

/// A candidate with so many open ports, of which `percent` are active in turn.
pub fn active<C: Transport, L: Load>(ports: usize, percent: usize, load: L) -> Candidate {
    Candidate::new(C::NAME, move |processors, count| {
        let (mut poster, mut listener) = apart::<C>(ports);
        let active: Vec<_> = scattered(ports, percent).into_iter().map(|port| poster.port(port)).collect();
        let mut turn = active.iter().cycle();
        // Each active port once before the time is taken. One thread opened them all, so what the other keeps
        // of them lies in the wrong processor's cache until it is first used.
        let round = active.len().next_multiple_of(64);
        let (mut first, mut second) = (round, round);
        two_threads(
            processors,
            count,
            |count| {
                for &port in turn.by_ref().take(count + mem::take(&mut first)) {
                    poster.post(port, &load);
                }
            },
            |count| take(&mut *listener, count + mem::take(&mut second)),
        )
    })
}

/// The active ports, in an order that no prefetcher guesses.
fn scattered(ports: usize, percent: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..ports).collect();
    all.sort_by_key(|&port| (port as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17));
    all.truncate((ports * percent / 100).max(1));
    all
}
