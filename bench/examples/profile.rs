//! One thread in a core's hot loops, for a profiler:
//! `valgrind --tool=callgrind target/release/examples/profile messages 100000`, or without valgrind
//! for nanoseconds per operation.

use port_core::{ContextId, Event, EventLoop, PortId, TabTarget};
use port_core_bench::benchmark::one_way::{spin, wait};
use port_core_bench::benchmark::{Candidate, fan_out, many_ports, round_trip};
use port_core_bench::load::{Slice100, Static32};
use port_core_bench::scene::Scene;
use port_core_bench::topology::Processors;
use port_core_bench::transport::Core;
use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const BURST: usize = 64;

fn main() {
    let mut arguments = env::args().skip(1);
    let what = arguments.next().unwrap_or_else(|| "messages".into());
    let count = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(10_000_000);
    let start = Instant::now();
    match what.as_str() {
        "messages" => messages(count),
        "fan-outs" => fan_outs(count),
        "ports" => ports(count),
        "apart" => apart(spin::<Core, _>(Static32), count),
        "apart-ports" => apart(many_ports::active::<Core, _>(10_000, 100, Static32), count),
        "apart-few-ports" => apart(many_ports::active::<Core, _>(10_000, 10, Static32), count),
        "apart-fan-outs" => apart(fan_out::fanned_out(10, Slice100), count),
        "apart-waiting" => apart(wait::<Core, _>(Static32), count),
        "round-trips" => round_trips(count),
        "connects" => connects(count, Scene::of_two_loops(1)),
        "connects-within" => connects(count, Scene::of_one_loop(1)),
        "sleeps" => sleeps(count, false),
        "sleeps-beside" => sleeps(count, true),
        other => panic!(
            "messages, fan-outs, ports, apart, apart-ports, apart-few-ports, apart-fan-outs, apart-waiting, \
             round-trips, connects, connects-within, sleeps or sleeps-beside, not {other}"
        ),
    }
    println!("{:.1} ns each", start.elapsed().as_nanos() as f64 / count as f64);
}

fn messages(count: usize) {
    let mut scene = Scene::of_two_loops(1);
    let port = scene.connect_many(1).0[0];
    bursts(scene, count, 1, || port);
}

/// Messages to ten receivers each.
fn fan_outs(count: usize) {
    let mut scene = Scene::of_two_loops(10);
    let port = scene.connect_many(1).0[0];
    bursts(scene, count, 10, || port);
}

/// Messages of ten thousand ports in turn, in an order that no prefetcher guesses.
fn ports(count: usize) {
    let mut scene = Scene::of_two_loops(1);
    let mut ports = scene.connect_many(10_000).0;
    ports.sort_by_key(|port| {
        let mut hasher = DefaultHasher::new();
        port.hash(&mut hasher);
        hasher.finish()
    });
    let mut turn = ports.into_iter().cycle();
    bursts(scene, count, 1, || turn.next().expect("there are ports"));
}

/// Bursts of messages, each on the port that `port` names and for so many receivers, by the event.
fn bursts(mut scene: Scene, count: usize, receivers: usize, mut port: impl FnMut() -> PortId) {
    let mut receiver = scene.receiver.take().expect("the scene has two loops");
    let (mut posting, mut taking) = (Vec::new(), Vec::new());
    for _ in 0..count / BURST / receivers {
        let start = Instant::now();
        post(&mut scene.opener, &mut port);
        let posted = Instant::now();
        take(&mut receiver);
        posting.push(posted - start);
        taking.push(posted.elapsed());
    }
    let each = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
        let each = |time: Duration| time.as_nanos() as f64 / (BURST * receivers) as f64;
        format!("{:.1} ns (at best {:.1})", each(at(50)), each(at(0)))
    };
    println!("{} to post, {} to take", each(&mut posting), each(&mut taking));
}

/// Messages between two threads.
fn apart(mut candidate: Candidate, count: usize) {
    let processors = Processors::find().expect("two processors");
    println!("{:.1} ns", candidate.sample(&processors, count).nanoseconds());
}

/// Messages there and back between two threads that spin.
fn round_trips(count: usize) {
    let processors = Processors::find().expect("two processors");
    let sample = round_trip::spin::<Core, _>(Static32).sample(&processors, count);
    println!("median {:.1} ns", sample.nanoseconds());
}

#[inline(never)]
fn post(event_loop: &mut EventLoop, mut port: impl FnMut() -> PortId) {
    for _ in 0..BURST {
        event_loop.post_message(port(), black_box(&[7; 100])).expect("the port is open");
    }
}

#[inline(never)]
fn take(event_loop: &mut EventLoop) {
    while let Some(event) = &event_loop.next_event_unarmed() {
        if let Event::Message { payload, .. } = event {
            black_box(payload.first());
        }
    }
}

/// What it costs a loop that has nothing more to do to say so, with its peer idle, or
/// while a thread of the process runs on another processor.
fn sleeps(count: usize, beside: bool) {
    let mut scene = Scene::of_two_loops(1);
    let port = scene.connect_many(1).0[0];
    let mut receiver = scene.receiver.expect("the scene has two loops");
    let processors = Processors::find().expect("two processors");
    core_affinity::set_for_current(processors.first);
    let (done, beats) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut times: Vec<Duration> = Vec::with_capacity(count);
    thread::scope(|scope| {
        if beside {
            scope.spawn(|| {
                core_affinity::set_for_current(processors.second);
                while !done.load(Ordering::Relaxed) {
                    beats.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..count {
            scene.opener.post_message(port, black_box(&[7; 100])).expect("the port is open");
            black_box(&receiver.next_event_unarmed());
            assert!(receiver.next_event_unarmed().is_none());
            let (start, before) = (Instant::now(), beats.load(Ordering::Relaxed));
            assert!(receiver.next_event().is_none());
            let elapsed = start.elapsed();
            // Somebody else may have the other thread's processor just now.
            if beats.load(Ordering::Relaxed) > before || !beside {
                times.push(elapsed);
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    println!("to fall asleep: median {:?} ({:?} to {:?}) of {}", at(50), at(10), at(90), times.len());
}

/// Connects, accepts and disconnects, on two event loops or within one.
fn connects(count: usize, mut scene: Scene) {
    let mut receiver = scene.receiver.take();
    let target = scene.target.clone().name("bench");
    let mut ports = Vec::with_capacity(BURST);
    let mut best = [Duration::MAX; 5];
    for _ in 0..count / BURST {
        let mut times = [Instant::now(); 6];
        connect(&mut scene.opener, scene.background, &target, &mut ports);
        times[1] = Instant::now();
        receiver.iter_mut().for_each(take);
        times[2] = Instant::now();
        take(&mut scene.opener);
        times[3] = Instant::now();
        disconnect(&mut scene.opener, &mut ports);
        times[4] = Instant::now();
        take(receiver.as_mut().unwrap_or(&mut scene.opener));
        times[5] = Instant::now();
        for (best, pair) in best.iter_mut().zip(times.windows(2)) {
            *best = (*best).min(pair[1] - pair[0]);
        }
    }
    let [connect, accept, accepted, disconnect, end] = best.map(|time| time.as_nanos() as f64 / BURST as f64);
    println!(
        "at best {connect:.1} ns to connect, {accept:.1} to accept, {accepted:.1} to take that, \
         {disconnect:.1} to disconnect, {end:.1} to end: {:.1}",
        connect + accept + accepted + disconnect + end
    );
}

#[inline(never)]
fn connect(event_loop: &mut EventLoop, opener: ContextId, target: &TabTarget, ports: &mut Vec<PortId>) {
    ports.extend(
        (0..BURST).map(|_| event_loop.connect_tab(opener, target).expect("there is room for a port")),
    );
}

#[inline(never)]
fn disconnect(event_loop: &mut EventLoop, ports: &mut Vec<PortId>) {
    for port in ports.drain(..) {
        event_loop.disconnect(port);
    }
}
