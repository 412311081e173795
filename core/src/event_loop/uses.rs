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

/// The uses of one context.
#[derive(Default)]
pub(crate) struct Uses {
    count: u64,
    /// The last use of each port, and what the port is for. Among them may be ports that have ended.
    ports: HashMap<Key, (u64, ConnectKind)>,
}

impl Uses {
    fn note(&mut self, port: Option<(Key, ConnectKind)>) {
        self.count += 1;
        if let Some((port, kind)) = port {
            self.ports.entry(port).or_insert((0, kind)).0 = self.count;
        }
    }
}

impl EventLoop {
    /// Puts the next event into the slot, and counts it for its context.
    #[cold]
    #[inline(never)]
    pub(super) fn deliver_and_count(&mut self, slot: &mut EventSlot) -> Written {
        let written = self.deliver_from_all(slot);
        let Some(event) = slot.event(&written) else { return written };
        let kind = if let Event::Connect { kind, .. } = event { *kind } else { ConnectKind::Port };
        let port = match event {
            Event::Disconnect { .. } | Event::ContextGone { .. } => None,
            _ => event.port().map(|port| (port.key(), kind)),
        };
        if let Some(uses) = self.uses.get_mut(&event.context().key()) {
            uses.note(port);
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
            // Those of ports that have ended go before they are more than the others.
            let held = self.contexts.get(port.context).map_or(0, |holder| holder.ports.len());
            if uses.ports.len() > 16 + 2 * held {
                uses.ports.retain(|&key, _| self.ports.get(key).is_some());
            }
        }
    }

    /// Does [`EventLoop::why_awake`].
    pub(super) fn activity_of(&self, context: ContextId) -> Result<Activity, ContextError> {
        let key = self.context_key(context)?;
        let uses = self.uses.get(&key);
        let mut ports: Vec<_> =
            self.ports_of(context).filter_map(|port| self.active_port(port, uses)).collect();
        ports.sort_by(|one, other| other.last_use.cmp(&one.last_use));
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
