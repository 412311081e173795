//! A thread of calloop's, as in Wayland compositors and clients: a ping is the waker, and its callback takes the events.
#![allow(unreachable_pub, dead_code, reason = "a test includes it")]

use port_core::MessageService;
use port_core_main_loops::{Attach, Handle};
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Hands out events until `handle` breaks.
pub fn run(service: &MessageService, attach: Attach<'_>, handle: Handle<'_>, turns: &AtomicUsize) {
    let mut main_loop = calloop::EventLoop::try_new().expect("the system gives a poll");
    let (ping, pings) = calloop::ping::make_ping().expect("the system gives a ping");
    let mut event_loop = service.event_loop_with(move || ping.ping());
    attach(&mut event_loop);
    let signal = main_loop.get_signal();
    let take = move |(), (): &mut (), (): &mut ()| {
        // One wake for all that came: until there is none.
        while let Some(event) = event_loop.next_event() {
            if handle(&mut event_loop, event).is_break() {
                return signal.stop();
            }
        }
    };
    main_loop.handle().insert_source(pings, take).expect("there is room for a source");
    let count = |(): &mut ()| {
        turns.fetch_add(1, Relaxed);
    };
    main_loop.run(None, &mut (), count).expect("the poll is whole");
}

fn main() -> Result<(), Box<dyn Error>> {
    port_core_main_loops::two_threads(run)
}
