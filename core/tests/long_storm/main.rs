//! A long storm: tabs open, navigate and close, extensions are reloaded, threads die and are
//! declared gone, while thousands of ports come and go and millions of messages are posted.
//! In the end each message was heard once by each receiver, or it is known why not; and
//! the heap is back where it was, to the byte.
//!
//! `STORM_MESSAGES` in the environment asks for more of it. It has a main function of
//! its own, and nothing here comes from `std` that hands over data by itself (no scoped
//! threads, no `std` mutexes), so that ThreadSanitizer, which does not see into `std`, can
//! watch it: see docs/verification.md.

#![allow(unreachable_pub, reason = "modules of one test")]

#[path = "../common/mod.rs"]
mod common;

mod books;
mod heap;
mod thread;
mod weather;

use books::Books;
use port_core::{Limits, Policies};
use std::env;
use std::sync::Arc;
use std::time::Instant;
use thread::Thread;
use weather::Weather;

/// Posted in all.
const MESSAGES: u64 = 300_000;
const THREADS: usize = 4;

fn main() {
    // As a test runner lists tests.
    if env::args().any(|argument| argument == "--list") {
        if !env::args().any(|argument| argument == "--ignored") {
            println!("long_storm: test");
        }
        return;
    }
    let messages = env::var("STORM_MESSAGES");
    let messages = messages.map_or(MESSAGES, |messages| messages.parse().expect("a number of messages"));
    // Fills what is made once for the whole process, such as the table of parked threads.
    storm(0, messages.min(20_000), Policies::default());
    for (number, policies) in [Policies::CHROMIUM, Policies::FIREFOX].into_iter().enumerate() {
        let before = heap::held();
        storm(1 + number as u64, messages / 2, policies);
        assert_eq!(heap::held(), before, "bytes on the heap after a storm against before");
    }
    println!("test result: ok. 1 passed; 0 failed");
}

fn storm(seed: u64, messages: u64, policies: Policies) {
    let start = Instant::now();
    let weather = Arc::new(Weather::new(seed, THREADS, messages, Limits::default(), policies));
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            let weather = Arc::clone(&weather);
            std::thread::spawn(move || Thread::new(weather, number).run())
        })
        .collect();
    weather.begin();
    let mut books = Books::default();
    for thread in threads {
        books.add(thread.join().expect("a thread came to its end"));
    }
    let ledger = weather.ledger.clone();
    let sum = books.balance(&weather.declared_gone());
    assert!(sum.posted >= messages, "{sum:?}");
    println!("storm {seed}, {:?}: {sum}", start.elapsed());
    drop((books, sum, weather));
    ledger.assert_balanced();
}
