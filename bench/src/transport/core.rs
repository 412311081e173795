//! The core: two event loops.

use super::{End, Sleeper, Transport, look_at};
use crate::load::Load;
use crate::scene::Scene;
use port_core::{Event, EventLoop, PortId};
use std::hint::spin_loop;

/// Ports of the core, opened by a background to one content script.
#[derive(Debug)]
pub struct Core;

/// One event loop and its ends of the ports.
#[derive(Debug)]
pub struct CoreEnd {
    /// The event loop.
    pub event_loop: EventLoop,
    /// Its ends.
    pub ports: Vec<PortId>,
}

impl Transport for Core {
    const NAME: &'static str = "port-core";

    type End = CoreEnd;

    fn between(ports: usize) -> (CoreEnd, CoreEnd) {
        let mut scene = Scene::of_two_loops(1);
        let (opening, receiving) = scene.connect_many(ports);
        let receiver = scene.receiver.expect("the scene has two loops");
        (
            CoreEnd { event_loop: scene.opener, ports: opening },
            CoreEnd { event_loop: receiver, ports: receiving },
        )
    }
}

impl CoreEnd {
    #[inline]
    fn heard(event: &Event) {
        match event {
            Event::Message { port, payload, .. } => look_at(*port, payload),
            other => unreachable!("ports stay open here, but {other:?}"),
        }
    }
}

impl End for CoreEnd {
    type Port = PortId;

    fn port(&self, number: usize) -> PortId {
        self.ports[number]
    }

    #[inline]
    fn post<L: Load>(&mut self, port: PortId, load: &L) {
        while self.event_loop.post_message(port, load.message()).is_err() {
            spin_loop();
        }
    }

    #[inline]
    fn take(&mut self) -> bool {
        // By reference, as events are to be matched: moving one costs more than making it.
        match &self.event_loop.next_event_unarmed() {
            Some(event) => {
                Self::heard(event);
                true
            }
            None => false,
        }
    }
}

impl Sleeper for CoreEnd {
    #[inline]
    fn wait(&mut self) {
        Self::heard(&self.event_loop.wait());
    }
}
