//! Counting what a background that is started on demand has to do with others.

use super::EventLoop;
use super::slot::{EventSlot, Written};
use crate::activity::{ActivePort, Activity};
use crate::error::ContextError;
use crate::event::Event;
use crate::event_loop::port::Side;
use crate::event_loop::slab::grow_gently;
use crate::ids::{ContextId, Key, PortId};
use crate::target::ConnectKind;
use std::cmp::Reverse;

/// What an event loop counts of its contexts that are backgrounds started on demand. By index, beside the contexts and the
/// ports, for every event of theirs is counted.
#[derive(Default)]
pub(crate) struct Uses {
    contexts: Vec<OfContext>,
    ports: Vec<OfPort>,
    /// Of how many contexts uses are counted.
    counted: u32,
}

/// The uses of one context.
#[derive(Clone, Copy, Default)]
struct OfContext {
    count: u64,
    /// Of its key.
    stamp: u32,
    is_counted: bool,
}

impl OfContext {
    /// Returns whether these are the uses of a context, and are counted.
    #[inline(always)]
    fn is(&self, context: Key) -> bool {
        self.is_counted && self.stamp == context.stamp()
    }
}

/// The last use of one port.
#[derive(Clone, Copy, Default)]
struct OfPort {
    /// Zero if there is none, or the port has ended.
    last: u64,
    /// Of its key.
    stamp: u32,
    kind: ConnectKind,
}

impl Uses {
    /// Returns whether nothing is counted.
    #[inline(always)]
    pub(super) const fn is_empty(&self) -> bool {
        self.counted == 0
    }

    /// Begins to count the uses of a context.
    pub(super) fn insert(&mut self, context: Key) {
        let index = context.index() as usize;
        if self.contexts.len() <= index {
            self.contexts.resize(index + 1, OfContext::default());
        }
        debug_assert!(!self.contexts[index].is_counted, "it was attached just now");
        self.contexts[index] = OfContext { count: 0, stamp: context.stamp(), is_counted: true };
        self.counted += 1;
    }

    /// Ends counting the uses of a context, if they are counted.
    pub(super) fn remove(&mut self, context: Key) {
        if let Some(of) = self.of(context) {
            of.is_counted = false;
            self.counted -= 1;
        }
    }

    #[inline(always)]
    fn of(&mut self, context: Key) -> Option<&mut OfContext> {
        self.contexts.get_mut(context.index() as usize).filter(|of| of.is(context))
    }

    /// Returns how many uses a context had, if they are counted.
    fn count(&self, context: Key) -> Option<u64> {
        self.contexts.get(context.index() as usize).filter(|of| of.is(context)).map(|of| of.count)
    }

    /// Returns the last use of a port, and what the port is for.
    fn last(&self, port: Key) -> Option<(u64, ConnectKind)> {
        let of = self.ports.get(port.index() as usize)?;
        (of.last > 0 && of.stamp == port.stamp()).then_some((of.last, of.kind))
    }

    /// Counts a use of a context that is none of a port.
    fn note(&mut self, context: Key) {
        if let Some(of) = self.of(context) {
            of.count += 1;
        }
    }

    /// Counts a use of a context's port, which is of this kind if it is the first.
    #[inline(always)]
    fn note_port(&mut self, context: Key, port: Key, kind: ConnectKind) {
        let Some(of) = self.of(context) else { return };
        of.count += 1;
        let (count, index) = (of.count, port.index() as usize);
        let of = match self.ports.get_mut(index) {
            Some(of) => of,
            None => self.grow(index),
        };
        if of.last == 0 || of.stamp != port.stamp() {
            *of = OfPort { last: 0, stamp: port.stamp(), kind };
        }
        of.last = count;
    }

    #[cold]
    fn grow(&mut self, index: usize) -> &mut OfPort {
        let more = index + 1 - self.ports.len();
        grow_gently(&mut self.ports, more);
        self.ports.resize(index + 1, OfPort::default());
        &mut self.ports[index]
    }

    /// Counts the end of a context's port.
    fn note_end(&mut self, context: Key, port: Key) {
        let Some(of) = self.of(context) else { return };
        of.count += 1;
        if let Some(of) = self.ports.get_mut(port.index() as usize).filter(|of| of.stamp == port.stamp()) {
            of.last = 0;
        }
    }
}

#[cfg(test)]
impl Uses {
    /// Returns of how many ports something is kept.
    fn ports(&self) -> usize {
        self.ports.iter().filter(|of| of.last > 0).count()
    }
}

impl EventLoop {
    /// Puts the next event into the slot, and counts it for its context.
    #[cold]
    #[inline(never)]
    pub(super) fn deliver_and_count(&mut self, slot: &mut EventSlot) -> Written {
        let usual = !self.windowed && !self.groups_receivers && self.takes_a_record();
        let written = if usual { slot.put_usual(self) } else { self.deliver_from_all(slot) };
        match slot.event(&written) {
            Some(Event::Connect { context, port, kind, .. }) => {
                self.uses.note_port(context.key(), port.key(), *kind);
            }
            Some(Event::Message { context, port, .. }) => {
                self.uses.note_port(context.key(), port.key(), ConnectKind::Port);
            }
            Some(event) => self.count_event(event),
            None => {}
        }
        written
    }

    /// Counts an event of a rare kind for its context.
    #[cold]
    #[inline(never)]
    fn count_event(&mut self, event: &Event) {
        if let Event::MessageToSeveral { receivers, .. } = event {
            for receiver in receivers {
                self.uses.note_port(receiver.context.key(), receiver.port.key(), ConnectKind::Port);
            }
            return;
        }
        let context = event.context().key();
        match (event, event.port()) {
            (Event::Disconnect { .. }, Some(port)) => self.uses.note_end(context, port.key()),
            (_, Some(port)) => self.uses.note_port(context, port.key(), ConnectKind::Port),
            (_, None) => self.uses.note(context),
        }
    }

    /// Counts a connect or a post of this port for its context.
    #[cold]
    pub(super) fn count_use(&mut self, port: PortId) {
        let Some(port) = self.port_key(port).and_then(|key| Some((key, self.ports.get(key)?))) else {
            return;
        };
        let (key, port) = port;
        let kind = if let Side::Opener(opener) = &port.side { opener.kind } else { ConnectKind::Port };
        self.uses.note_port(port.context, key, kind);
    }

    /// Disconnects a port, and counts that for its context.
    #[cold]
    pub(super) fn disconnect_and_count(&mut self, port: PortId) -> bool {
        let holder = self.port_key(port).and_then(|key| self.ports.get(key)).map(|port| port.context);
        let was_open = self.disconnect_port(port);
        if was_open && let Some(holder) = holder {
            self.uses.note_end(holder, port.key());
        }
        was_open
    }

    /// Does [`EventLoop::why_awake`].
    pub(super) fn activity_of(&self, context: ContextId) -> Result<Activity, ContextError> {
        let key = self.context_key(context)?;
        let uses = self.uses.count(key);
        let mut ports: Vec<_> =
            self.ports_of(context).filter_map(|port| self.active_port(port, uses.is_some())).collect();
        ports.sort_by_key(|port| Reverse(port.last_use));
        Ok(Activity { uses: uses.unwrap_or(0), ports })
    }

    fn active_port(&self, port: PortId, counted: bool) -> Option<ActivePort> {
        let last = if counted { self.uses.last(port.key()) } else { None };
        match &self.ports.get(port.key())?.side {
            Side::Opener(opener) => {
                let last_use = last.map_or(0, |(last, _)| last);
                Some(ActivePort { port, kind: opener.kind, opened: true, last_use })
            }
            Side::Receiver(_) => {
                // Not one of which its script has not heard yet.
                let (last_use, kind) = if counted { last? } else { (0, ConnectKind::Port) };
                Some(ActivePort { port, kind, opened: false, last_use })
            }
        }
    }
}

#[cfg(test)]
#[path = "../../tests/inside/uses.rs"]
mod tests;
