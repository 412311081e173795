//! What is drawn.

use crate::Bench;
use crate::chart::{Axis, Chart, Line, PLAIN, bytes};
use ::bytes::Bytes;
use port_core_bench::benchmark::one_way::spin;
use port_core_bench::benchmark::{Benchmark, event_loops, fan_out, many_ports, usual};
use port_core_bench::load::{Shared, Sliced};
use port_core_bench::many_loops::{heap_of_a_lane, heap_per_idle_lane};
use port_core_bench::memory::{self, Burst};
use port_core_bench::sample::Spread;
use port_core_bench::transport::{Core, CrossbeamUnbounded, FlumeUnbounded, Rtrb, TokioUnbounded};

const NANOSECONDS: Axis = Axis { name: "ns a message", write: PLAIN };

fn count(name: &'static str) -> Axis {
    Axis { name, write: PLAIN }
}

/// Runs a benchmark at each size; a line for each candidate.
fn timed(bench: &Bench, sizes: &[usize], benchmark: impl Fn(usize) -> Benchmark) -> Vec<Line> {
    let mut lines = Vec::<Line>::new();
    for &size in sizes {
        let mut benchmark = benchmark(size);
        let (results, _) = benchmark.run(&bench.processors, bench.pace);
        println!("  {}", benchmark.name);
        let Some(label) = usual(&results) else { continue };
        for (name, summary) in &results[&label] {
            put(&mut lines, name, size, summary.time);
        }
    }
    lines
}

fn put(lines: &mut Vec<Line>, name: &str, size: usize, spread: Spread) {
    let place = lines.iter().position(|line| line.name == name).unwrap_or_else(|| {
        lines.push(Line { name: name.to_owned(), points: Vec::new() });
        lines.len() - 1
    });
    lines[place].points.push((size as f64, spread));
}

pub(crate) fn ports(bench: &Bench) -> Chart {
    Chart {
        title: "Open ports between two threads, all active",
        x: count("open ports"),
        y: NANOSECONDS,
        lines: timed(bench, &[1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000], |ports| {
            let mut benchmark = many_ports::benchmark(ports, 100);
            benchmark.candidates.retain(|candidate| !candidate.name.starts_with("limit"));
            benchmark
        }),
    }
}

pub(crate) fn event_loops(bench: &Bench) -> Chart {
    Chart {
        title: "Event loops with lanes to one background",
        x: count("event loops"),
        y: NANOSECONDS,
        lines: timed(bench, &[1, 3, 10, 30, 100, 300, 1_000], |loops| {
            event_loops::benchmark(u32::try_from(loops).expect("few loops"))
        }),
    }
}

pub(crate) fn idle_lanes(_: &Bench) -> Chart {
    let mut lines = Vec::new();
    for backgrounds in [1, 20] {
        let name = if backgrounds == 1 { "with both loops' tables" } else { "the same, 20 backgrounds" };
        for loops in [1_u16, 3, 10, 30, 100, 300, 1_000] {
            let heap = heap_per_idle_lane(backgrounds, loops.into());
            put(&mut lines, name, loops.into(), Spread::exactly(heap));
        }
    }
    for loops in [1, 1_000] {
        put(&mut lines, "the lane itself", loops, Spread::exactly(heap_of_a_lane() as f64));
    }
    Chart {
        title: "Heap for a lane that is idle",
        x: count("event loops"),
        y: Axis { name: "a lane", write: bytes },
        lines,
    }
}

pub(crate) fn fan_out(bench: &Bench) -> Chart {
    Chart {
        title: "One post of 100 bytes to many frames of one thread",
        x: count("frames"),
        y: Axis { name: "ns a delivered event", write: PLAIN },
        lines: timed(bench, &[1, 3, 10, 30, 100, 300, 1_000], fan_out::benchmark),
    }
}

pub(crate) fn message_size(bench: &Bench) -> Chart {
    const SLICED_UP_TO: usize = 1 << 20;
    let sizes = [4, 6, 7, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26].map(|shift| 1 << shift);
    Chart {
        title: "Messages from 16 bytes to 64 MiB",
        x: Axis { name: "size of the message", write: bytes },
        y: NANOSECONDS,
        lines: timed(bench, &sizes, |size| {
            let bytes: &'static Bytes = Box::leak(Box::new(Bytes::from(vec![7; size])));
            let mut candidates = vec![
                spin::<Core, _>(Shared(bytes)).named("port-core, by reference"),
                spin::<CrossbeamUnbounded, _>(Shared(bytes)).named("crossbeam, by reference"),
            ];
            if size <= SLICED_UP_TO {
                candidates.extend([
                    spin::<Core, _>(Sliced(bytes)).named("port-core, from a slice"),
                    spin::<Rtrb, _>(Sliced(bytes)).named("rtrb, from a slice"),
                    spin::<CrossbeamUnbounded, _>(Sliced(bytes)).named("crossbeam, from a slice"),
                ]);
            }
            // What is copied and queued stays within a few dozen megabytes.
            let operations = ((32 << 20) / size.min(SLICED_UP_TO)).min(32 * 1024);
            Benchmark { name: format!("messages of {size} bytes"), targets: &[], operations, candidates }
        }),
    }
}

pub(crate) fn burst(_: &Bench) -> Chart {
    let mut lines = Vec::new();
    for messages in [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000] {
        let mut enter = |name: &str, heap: f64| {
            // A logarithm has no place for nothing.
            put(&mut lines, name, messages, Spread::exactly(heap.max(100.0)));
        };
        let Burst { queued, kept } = memory::burst(messages);
        enter("port-core, afterwards", kept);
        enter("port-core, queued", queued);
        let Burst { queued, kept } = memory::burst_through::<FlumeUnbounded>(messages);
        enter("flume, afterwards", kept);
        enter("flume, queued", queued);
        enter("crossbeam, afterwards", memory::burst_through::<CrossbeamUnbounded>(messages).kept);
        enter("tokio, afterwards", memory::burst_through::<TokioUnbounded>(messages).kept);
    }
    Chart {
        title: "A burst of messages of 100 bytes to a sleeping loop",
        x: count("messages"),
        y: Axis { name: "heap", write: bytes },
        lines,
    }
}
