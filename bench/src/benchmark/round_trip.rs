//! Round trip: a message there and one back, timed one by one.

use super::{Benchmark, Candidate};
use crate::benchmark::one_way::take;
use crate::load::{Load, Static32};
use crate::sample::Sample;
use crate::topology::Processors;
use crate::transport::{
    CacheLines, Core, CrossbeamUnbounded, End, Ipc, LaneAlone, Sleeper, StdUnbounded, TokioUnbounded,
    Transport, apart,
};
use crate::two_threads::{p99, two_threads};
use port_core::EventLoop;
use std::hint::black_box;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// A benchmark's name.
pub const SPINNING: &str = "round trip, spinning";
/// A benchmark's name.
pub const SLEEPING: &str = "round trip, sleeping";
/// What any sleeping costs on this system.
pub const PARK: &str = "park and unpark";

pub(super) fn benchmarks() -> Vec<Benchmark> {
    vec![
        Benchmark { name: SPINNING.into(), targets: &["T3"], operations: 8 * 1024, candidates: spinning() },
        Benchmark {
            name: SLEEPING.into(),
            targets: &["T3"],
            operations: 512,
            candidates: vec![
                sleep_in_core(),
                park(),
                wait::<CrossbeamUnbounded, _>(Static32),
                wait::<TokioUnbounded, _>(Static32),
                wait::<StdUnbounded, _>(Static32),
            ],
        },
    ]
}

fn spinning() -> Vec<Candidate> {
    let mut all =
        vec![spin::<Core, _>(Static32), spin::<LaneAlone, _>(Static32), spin::<CacheLines, _>(Static32)];
    all.extend(every_rival!(spin, Static32));
    all.push(spin::<Ipc, _>(Static32).slow(8));
    all
}

/// Has both threads do `there` and `back` so many times and times each `there`.
fn timed(
    processors: &Processors,
    count: usize,
    mut there: impl FnMut(),
    mut back: impl FnMut() + Send,
) -> Sample {
    let mut times = Vec::with_capacity(count);
    let mut sample = two_threads(
        processors,
        count,
        |count| {
            times.clear();
            let mut before = Instant::now();
            times.extend((0..count).map(|_| {
                there();
                let now = Instant::now();
                now - std::mem::replace(&mut before, now)
            }));
        },
        |count| (0..count).for_each(|_| back()),
    );
    sample.p99 = p99(&mut times);
    // The median trip, so that one interruption does not count for all.
    let median = times.get(times.len() / 2).copied().unwrap_or(Duration::ZERO);
    sample.elapsed = median.saturating_mul(u32::try_from(count).expect("few trips"));
    sample
}

/// Both threads spin.
pub fn spin<C: Transport, L: Load>(load: L) -> Candidate {
    Candidate::new(C::NAME, move |processors, count| {
        let (mut near, mut far) = apart::<C>(1);
        let (near_port, far_port) = (near.port(0), far.port(0));
        timed(
            processors,
            count,
            || {
                near.post(near_port, &load);
                take(&mut *near, 1);
            },
            || {
                take(&mut *far, 1);
                far.post(far_port, &load);
            },
        )
    })
}

fn wait<C: Transport<End: Sleeper>, L: Load>(load: L) -> Candidate {
    Candidate::new(C::NAME, move |processors, count| {
        let (mut near, mut far) = apart::<C>(1);
        let (near_port, far_port) = (near.port(0), far.port(0));
        asleep(timed(
            processors,
            count,
            || {
                near.post(near_port, &load);
                near.wait();
            },
            || {
                far.wait();
                far.post(far_port, &load);
            },
        ))
    })
}

/// Both sleep, each until the other wakes it.
fn asleep(sample: Sample) -> Sample {
    Sample { preempted: None, ..sample }
}

/// The core, going to sleep at once.
fn sleep_in_core() -> Candidate {
    Candidate::new(Core::NAME, |processors, count| {
        let (mut near, mut far) = apart::<Core>(1);
        let (near_port, far_port) = (near.port(0), far.port(0));
        near.event_loop.set_looks_before_sleep(0);
        far.event_loop.set_looks_before_sleep(0);
        let sleep = |event_loop: &mut EventLoop| drop(black_box(event_loop.wait()));
        asleep(timed(
            processors,
            count,
            || {
                near.post(near_port, &Static32);
                sleep(&mut near.event_loop);
            },
            || {
                sleep(&mut far.event_loop);
                far.post(far_port, &Static32);
            },
        ))
    })
}

/// A flag, `park` and `unpark`.
fn park() -> Candidate {
    Candidate::new(PARK, |processors, count| {
        let (there, back) = (AtomicBool::new(false), AtomicBool::new(false));
        let (near, far) = (thread::current(), OnceLock::new());
        asleep(timed(
            processors,
            count,
            || {
                there.store(true, Ordering::Release);
                if let Some(far) = far.get() {
                    Thread::unpark(far);
                }
                park_until(&back);
            },
            || {
                far.get_or_init(thread::current);
                park_until(&there);
                back.store(true, Ordering::Release);
                near.unpark();
            },
        ))
    })
}

fn park_until(flag: &AtomicBool) {
    while !flag.swap(false, Ordering::Acquire) {
        thread::park();
    }
}
