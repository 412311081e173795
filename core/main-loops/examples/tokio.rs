//! A task on tokio: the events are a stream, which yields now and then so that other tasks have their turn.
#![allow(unreachable_pub, dead_code, reason = "a test includes it")]

use port_core::MessageService;
use port_core_main_loops::{Attach, Handle};
use std::error::Error;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Waker;
use tokio_stream::StreamExt;

/// Hands out events until `handle` breaks.
pub fn run(service: &MessageService, attach: Attach<'_>, handle: Handle<'_>, turns: &AtomicUsize) {
    // The task is woken, not the thread.
    let mut event_loop = service.event_loop(Waker::noop().clone());
    attach(&mut event_loop);
    let task = async {
        // A stream for each event, so that the handler may use the loop in between.
        while let Some(event) = event_loop.events().next().await {
            if handle(&mut event_loop, event).is_break() {
                return;
            }
        }
    };
    // To count how often the task is polled; yours needs no such thing.
    let mut task = pin!(task);
    let counted = poll_fn(|context| {
        turns.fetch_add(1, Relaxed);
        task.as_mut().poll(context)
    });
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(counted);
}

fn main() -> Result<(), Box<dyn Error>> {
    port_core_main_loops::two_threads(run)
}
