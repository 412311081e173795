//! A thread that polls with mio: the waker is mio's own, and the core's events are one more token.
#![allow(unreachable_pub, dead_code, reason = "a test includes it")]

use mio::{Events, Poll, Token, Waker};
use port_core::MessageService;
use port_core_main_loops::{Attach, Handle};
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const CORE: Token = Token(0);

/// Hands out events until `handle` breaks.
pub fn run(service: &MessageService, attach: Attach<'_>, handle: Handle<'_>, turns: &AtomicUsize) {
    let mut poll = Poll::new().expect("the system gives a poll");
    let waker = Waker::new(poll.registry(), CORE).expect("the system gives a waker");
    let mut event_loop = service.event_loop_with(move || {
        // It fails when the poll is gone, and then there is nobody to wake.
        let _ = waker.wake();
    });
    attach(&mut event_loop);
    let mut ready = Events::with_capacity(16);
    loop {
        match poll.poll(&mut ready, None) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            polled => polled.expect("the poll is whole"),
        }
        turns.fetch_add(1, Relaxed);
        if ready.iter().any(|ready| ready.token() == CORE) {
            // One wake for all that came: until there is none.
            while let Some(event) = event_loop.next_event() {
                if handle(&mut event_loop, event).is_break() {
                    return;
                }
            }
        }
        // … the other tokens.
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    port_core_main_loops::two_threads(run)
}
