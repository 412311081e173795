//! A thread that does nothing else: it waits for events.
#![allow(unreachable_pub, dead_code, reason = "a test includes it")]

use port_core::MessageService;
use port_core_main_loops::{Attach, Handle};
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Waker;

/// Hands out events until `handle` breaks.
pub fn run(service: &MessageService, attach: Attach<'_>, handle: Handle<'_>, turns: &AtomicUsize) {
    // Nobody has to wake it: it sleeps within `wait`.
    let mut event_loop = service.event_loop(Waker::noop().clone());
    attach(&mut event_loop);
    loop {
        let event = event_loop.wait();
        turns.fetch_add(1, Relaxed);
        if handle(&mut event_loop, event).is_break() {
            return;
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    port_core_main_loops::two_threads(run)
}
