//! Threads that do what their dice say while the browser reports facts: each writes down
//! what it did and heard, and afterwards the guarantees are checked on all of it.
//!
//! `SEEDS=500` runs more, `SEED=7` one again; how the threads meet is up to the machine.

mod common;
mod histories;

use common::*;
use histories::{Entry, THREADS, Thread, World, about, check, lock, report_facts};
use port_core::{Limits, Policies, ReceiverDisconnects};
use std::thread;

const SEEDS: u64 = 24;

fn record(seed: u64, limits: Limits, policies: Policies) {
    let world = World::new(limits, policies);
    let scripts: Vec<u64> = (0..=THREADS as u64).map(|thread| seed * 16 + thread).collect();
    let histories: Vec<_> = thread::scope(|scope| {
        let spawn = |script: &u64| {
            let (world, script) = (&world, *script);
            scope.spawn(move || Thread::new(world, script).run())
        };
        let threads: Vec<_> = scripts[..THREADS].iter().map(spawn).collect();
        report_facts(&world, scripts[THREADS]);
        threads.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let context = format!("SEED={seed} fails; the threads' scripts: {scripts:?}");
    let histories: Result<Vec<_>, _> = histories.into_iter().collect();
    let Ok(histories) = histories else { panic!("{context}: a thread panicked") };
    let heard = |entry: &&Entry| matches!(entry, Entry::HeardMessage { .. });
    assert!(histories.iter().flatten().filter(heard).count() > 50, "{context}: hardly anything was heard");
    let extensions = lock(&world.loads).iter().map(|load| load.0).collect();
    if let Err(error) = check(&histories, extensions, &policies) {
        about(&histories, &error).iter().for_each(|line| eprintln!("  {line}"));
        panic!("{context}: {error}");
    }
    let World { ledger, .. } = world;
    ledger.assert_balanced();
}

fn number(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("a number"))
}

fn record_all(limits: &Limits, policies: Policies) {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        record(seed, *limits, policies);
    }
}

#[test]
fn the_guarantees_hold_of_what_threads_heard() {
    record_all(&Limits::default(), Policies::default());
}

#[test]
fn the_guarantees_hold_in_chromium_with_tight_limits() {
    let limits = limits(|limits| {
        limits.window_messages = Some(4);
        limits.lane_records = 60;
        limits.ports_per_context = 12;
    });
    record_all(&limits, Policies::CHROMIUM);
}

#[test]
fn the_guarantees_hold_in_firefox_and_where_receivers_leave() {
    record_all(&Limits::default(), Policies::FIREFOX);
    let leaves = policies(|policies| policies.receiver_disconnects = ReceiverDisconnects::LeavesOthers);
    record_all(&Limits::default(), leaves);
}
