//! The other way to build it: a ring per port and direction, and a list of the ready ones.
//!
//! From the core's own lane and bell, so that the difference is the shape and nothing
//! else. What it lacks against the core, being only a rival: order across ports, ids
//! with generations, limits, events.

use super::{End, Transport, look_at_any};
use crate::concurrent::bell::{Armer, Bell, Line, Ringer, Source};
use crate::concurrent::lane::{Consumer, Producer, lane};
use crate::concurrent::wakeup::Wakeup;
use crate::ids::{EventLoopId, ExtensionNumber, PeerId};
use crate::load::Load;
use crate::sync::{Arc, PairedFence};
use bytes::Bytes;
use std::task::Waker;

/// Messages taken from one port before the next has its turn, as in the core.
const BATCH: u32 = 64;

/// A ring per port and direction.
#[derive(Debug)]
pub struct RingPerPort;

/// One thread's ends of all rings.
#[derive(Debug)]
pub struct RingEnd {
    bell: Arc<Bell>,
    other_bell: Arc<Bell>,
    outbound: Vec<(Producer<Bytes>, Ringer)>,
    inbound: Vec<Inbound>,
    /// The ports that are polled, each once.
    polled: Vec<u32>,
    position: usize,
    left: u32,
    found: bool,
}

#[derive(Debug)]
struct Inbound {
    consumer: Consumer<Bytes>,
    armer: Armer,
    /// Whether its turn in this round found nothing.
    idle: bool,
    polled: bool,
}

impl Transport for RingPerPort {
    const NAME: &'static str = "ring per port";

    type End = RingEnd;

    fn between(ports: usize) -> (RingEnd, RingEnd) {
        let bell = || Arc::new(Bell::new(Wakeup::new(Waker::noop().clone()), PairedFence::new(true)));
        let (first_bell, second_bell) = (bell(), bell());
        let end = |bell: &Arc<Bell>, other_bell: &Arc<Bell>| RingEnd {
            bell: Arc::clone(bell),
            other_bell: Arc::clone(other_bell),
            outbound: Vec::with_capacity(ports),
            inbound: Vec::with_capacity(ports),
            polled: Vec::with_capacity(ports),
            position: 0,
            left: 0,
            found: false,
        };
        let (mut first, mut second) = (end(&first_bell, &second_bell), end(&second_bell, &first_bell));
        for port in 0..u32::try_from(ports).expect("few ports") {
            join(port, &mut first, &mut second);
            join(port, &mut second, &mut first);
        }
        (first, second)
    }
}

/// Where the number lies in an event loop's id, by which the bell names the port.
const EVENT_LOOP_SHIFT: u32 = 40;

/// One direction of a port.
fn join(port: u32, from: &mut RingEnd, to: &mut RingEnd) {
    let (producer, consumer) = lane();
    let id = EventLoopId::from_bits(u64::from(port) << EVENT_LOOP_SHIFT);
    let line = Line::new(Source::Lane(PeerId::new(id, ExtensionNumber::FIRST)));
    from.outbound.push((producer, Ringer::new(Arc::clone(&line))));
    to.inbound.push(Inbound { consumer, armer: Armer::new(line), idle: false, polled: false });
}

impl RingEnd {
    /// Takes from the port whose turn it is, from the ports in turn, from those that rang.
    #[inline]
    fn next(&mut self) -> Option<(u32, Bytes)> {
        loop {
            while let Some(&port) = self.polled.get(self.position) {
                let inbound = &mut self.inbound[port as usize];
                if self.left > 0 {
                    self.left -= 1;
                    if let Some(bytes) = inbound.consumer.entry().map(|entry| entry.take(0, |bytes, _| bytes))
                    {
                        self.found = true;
                        return Some((port, bytes));
                    }
                    inbound.idle = true;
                }
                inbound.consumer.publish_consumed();
                self.position += 1;
                self.left = BATCH;
            }
            if !self.next_round() {
                return None;
            }
        }
    }

    /// Arms the ports that were idle, takes those that rang; `false` when there is nothing.
    fn next_round(&mut self) -> bool {
        let inbound = &mut self.inbound;
        let mut armed = false;
        for &port in &self.polled {
            let inbound = &mut inbound[port as usize];
            if inbound.idle {
                armed = true;
                inbound.armer.arm();
            }
        }
        if armed {
            self.bell.look_again();
            self.polled.retain(|&port| {
                let inbound = &mut inbound[port as usize];
                inbound.polled = !std::mem::take(&mut inbound.idle) || inbound.consumer.ready();
                inbound.polled
            });
        }
        for source in self.bell.take() {
            if let Source::Lane(port) = source
                && let Ok(port) = u32::try_from(port.event_loop().to_bits() >> EVENT_LOOP_SHIFT)
                && !std::mem::replace(&mut inbound[port as usize].polled, true)
            {
                self.polled.push(port);
            }
        }
        self.position = 0;
        self.left = BATCH;
        let found = std::mem::take(&mut self.found);
        found || !self.polled.is_empty()
    }
}

impl End for RingEnd {
    ports_by_number!();

    #[inline]
    fn post<L: Load>(&mut self, port: usize, load: &L) {
        let (producer, ringer) = &mut self.outbound[port];
        assert!(producer.push(load.bytes(), &[], 0).is_ok(), "the consumer is there");
        ringer.published(&self.other_bell);
    }

    #[inline]
    fn take(&mut self) -> bool {
        look_at_any(self.next())
    }
}
