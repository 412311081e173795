//! Two pinned threads and a common start.

use crate::sample::Sample;
use crate::topology::{Processors, Shuttle};
use crossbeam_utils::CachePadded;
use std::fs;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Has two threads work at the same time and takes the time from the common start
/// until both are done. Each is called twice with a number of operations: first to
/// warm up, then for the time.
pub fn two_threads(
    processors: &Processors,
    count: usize,
    mut first: impl FnMut(usize),
    mut second: impl FnMut(usize) + Send,
) -> Sample {
    let warm_up = warm_up(count);
    let (shuttle, gate) = (Shuttle::default(), Gate::default());
    let (shuttle, gate) = (&shuttle, &gate);
    thread::scope(|scope| {
        let other = scope.spawn(move || {
            core_affinity::set_for_current(processors.second);
            gate.meet(1);
            second(warm_up);
            gate.meet(2);
            shuttle.answer(0);
            let waited = wait_so_far();
            gate.meet(3);
            second(count);
            let end = Instant::now();
            let waited = wait_since(waited);
            gate.meet(4);
            shuttle.answer(1);
            (end, waited)
        });
        core_affinity::set_for_current(processors.first);
        gate.meet(1);
        first(warm_up);
        gate.meet(2);
        let before = shuttle.time();
        let waited = wait_so_far();
        gate.meet(3);
        let start = Instant::now();
        first(count);
        let end = Instant::now();
        let waited = wait_since(waited);
        gate.meet(4);
        let after = shuttle.time();
        let (other_end, other_waited) = other.join().expect("the second thread does not panic");
        Sample {
            elapsed: end.max(other_end) - start,
            operations: count,
            line: Some((before, after)),
            p99: None,
            preempted: waited.zip(other_waited).map(|(first, second)| first + second),
        }
    })
}

/// Some operations to begin with: a multiple of 64, so that nothing that goes in
/// blocks or bursts is left half-way.
fn warm_up(count: usize) -> usize {
    (count / 8).clamp(64, 20_032) / 64 * 64
}

/// Has one thread do everything, and takes its time as [`two_threads`] does.
pub fn one_thread(processors: &Processors, count: usize, mut work: impl FnMut(usize)) -> Sample {
    core_affinity::set_for_current(processors.first);
    work(warm_up(count));
    let waited = wait_so_far();
    let start = Instant::now();
    work(count);
    let elapsed = start.elapsed();
    Sample { elapsed, operations: count, line: None, p99: None, preempted: wait_since(waited) }
}

/// How long the calling thread was ready to run and did not, so far. Linux alone tells.
fn wait_so_far() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().nth(1)?.parse().ok()?))
}

fn wait_since(before: Option<Duration>) -> Option<Duration> {
    Some(wait_so_far()?.saturating_sub(before?))
}

/// The 99th percentile of single times.
pub fn p99(times: &mut [Duration]) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) * 99 / 100).copied()
}

/// Where the two threads wait for each other, spinning.
#[derive(Debug, Default)]
struct Gate(CachePadded<AtomicU32>);

impl Gate {
    /// The `time`-th meeting, counted from 1.
    fn meet(&self, time: u32) {
        self.0.fetch_add(1, Ordering::AcqRel);
        while self.0.load(Ordering::Acquire) < 2 * time {
            spin_loop();
        }
    }
}
