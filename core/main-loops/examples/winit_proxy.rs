//! A window's main loop, which other threads wake through a proxy, as winit's. winit itself is too much for an example, so
//! its `EventLoopProxy` is a trait here, and its event loop a queue.
//!
//! With winit: `Proxy` is `winit::event_loop::EventLoopProxy<UserEvent>`, and what `run` does with a `UserEvent`
//! goes into `ApplicationHandler::user_event`.
#![allow(unreachable_pub, dead_code, reason = "a test includes it")]

use port_core::{EventLoop, MessageService};
use port_core_main_loops::{Attach, Handle};
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;

/// What other threads may send to the main loop.
#[derive(Debug)]
pub enum UserEvent {
    /// The core has something new.
    TakeTheCoresEvents,
}

/// winit's `EventLoopProxy::send_event`, which fails once the main loop is over.
pub trait Proxy: Clone + Send + Sync + 'static {
    /// Queues an event, and wakes the main loop.
    fn send_event(&self, event: UserEvent) -> Result<(), UserEvent>;
}

/// Makes the event loop of a thread that has such a main loop.
pub fn event_loop(service: &MessageService, proxy: impl Proxy) -> EventLoop {
    service.event_loop_with(move || {
        // The main loop is over: nobody is to be woken.
        let _ = proxy.send_event(UserEvent::TakeTheCoresEvents);
    })
}

/// A queue in place of winit.
impl Proxy for mpsc::Sender<UserEvent> {
    fn send_event(&self, event: UserEvent) -> Result<(), UserEvent> {
        self.send(event).map_err(|refused| refused.0)
    }
}

/// Hands out events until `handle` breaks.
pub fn run(service: &MessageService, attach: Attach<'_>, handle: Handle<'_>, turns: &AtomicUsize) {
    let (proxy, user_events) = mpsc::channel();
    let mut event_loop = event_loop(service, proxy);
    attach(&mut event_loop);
    while let Ok(UserEvent::TakeTheCoresEvents) = user_events.recv() {
        turns.fetch_add(1, Relaxed);
        // One wake for all that came: until there is none.
        while let Some(event) = event_loop.next_event() {
            if handle(&mut event_loop, event).is_break() {
                return;
            }
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    port_core_main_loops::two_threads(run)
}
