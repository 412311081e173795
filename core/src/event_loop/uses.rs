//! Counting what a background that is started on demand has to do with others.

use super::EventLoop;
use super::slot::{EventSlot, Written};
use crate::activity::{ActivePort, Activity};
use crate::error::ContextError;
use crate::event::Event;
use crate::event_loop::port::Side;
use crate::ids::{ContextId, Key, PortId};
use crate::sync::HashMap;
use crate::target::ConnectKind;
use std::cmp::Reverse;

/// The uses of one context.
#[derive(Default)]
pub(crate) struct Uses {
    count: u64,
    /// The last use of each port that has not ended, and what the port is for.
    ports: HashMap<Key, (u64, ConnectKind)>,
}

impl Uses {
    fn note(&mut self, port: Option<(Key, ConnectKind)>) {
        self.count += 1;
        if let Some((port, kind)) = port {
            self.ports.entry(port).or_insert((0, kind)).0 = self.count;
        }
    }

    fn note_end(&mut self, port: Key) {
        self.count += 1;
        self.ports.remove(&port);
    }
}

#[cfg(test)]
impl Uses {
    /// Returns of how many ports something is kept.
    fn ports(&self) -> usize {
        self.ports.len()
    }
}

impl EventLoop {
    /// Puts the next event into the slot, and counts it for its context.
    #[cold]
    #[inline(never)]
    pub(super) fn deliver_and_count(&mut self, slot: &mut EventSlot) -> Written {
        let written = self.deliver_from_all(slot);
        let Some(event) = slot.event(&written) else { return written };
        if let Event::MessageToSeveral { receivers, .. } = event {
            for receiver in receivers {
                if let Some(uses) = self.uses.get_mut(&receiver.context.key()) {
                    uses.note(Some((receiver.port.key(), ConnectKind::Port)));
                }
            }
            return written;
        }
        if let Some(uses) = self.uses.get_mut(&event.context().key()) {
            let kind = if let Event::Connect { kind, .. } = event { *kind } else { ConnectKind::Port };
            match event {
                Event::Disconnect { port, .. } => uses.note_end(port.key()),
                _ => uses.note(event.port().map(|port| (port.key(), kind))),
            }
        }
        written
    }

    /// Counts a connect or a post of this port for its context.
    #[cold]
    pub(super) fn count_use(&mut self, port: PortId) {
        let Some(port) = self.port_key(port).and_then(|key| Some((key, self.ports.get(key)?))) else {
            return;
        };
        let (key, port) = port;
        let kind = if let Side::Opener(opener) = &port.side { opener.kind } else { ConnectKind::Port };
        if let Some(uses) = self.uses.get_mut(&port.context) {
            uses.note(Some((key, kind)));
        }
    }

    /// Disconnects a port, and counts that for its context.
    #[cold]
    pub(super) fn disconnect_and_count(&mut self, port: PortId) -> bool {
        let holder = self.port_key(port).and_then(|key| self.ports.get(key)).map(|port| port.context);
        let was_open = self.disconnect_port(port);
        if was_open && let Some(uses) = holder.and_then(|holder| self.uses.get_mut(&holder)) {
            uses.note_end(port.key());
        }
        was_open
    }

    /// Does [`EventLoop::why_awake`].
    pub(super) fn activity_of(&self, context: ContextId) -> Result<Activity, ContextError> {
        let key = self.context_key(context)?;
        let uses = self.uses.get(&key);
        let mut ports: Vec<_> =
            self.ports_of(context).filter_map(|port| self.active_port(port, uses)).collect();
        ports.sort_by_key(|port| Reverse(port.last_use));
        Ok(Activity { uses: uses.map_or(0, |uses| uses.count), ports })
    }

    fn active_port(&self, port: PortId, uses: Option<&Uses>) -> Option<ActivePort> {
        let last = uses.and_then(|uses| uses.ports.get(&port.key())).copied();
        match &self.ports.get(port.key())?.side {
            Side::Opener(opener) => {
                let last_use = last.map_or(0, |(last, _)| last);
                Some(ActivePort { port, kind: opener.kind, opened: true, last_use })
            }
            Side::Receiver(_) => {
                // Not one of which its script has not heard yet.
                let (last_use, kind) = if uses.is_some() { last? } else { (0, ConnectKind::Port) };
                Some(ActivePort { port, kind, opened: false, last_use })
            }
        }
    }
}

#[cfg(test)]
#[path = "../../tests/inside/uses.rs"]
mod tests;
