//! The ports of a thread.

use port_core::{ContextId, PortId, PortName};
use std::collections::HashMap;

/// Ports are looked up once a message, by ids that no script can choose.
type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// The ports of a thread. Scripts know them by numbers, which are never used again.
#[derive(Default)]
pub(super) struct Ports {
    latest: u32,
    ids: Map<u32, PortId>,
    open: Map<PortId, OpenPort>,
}

/// An open port.
pub(super) struct OpenPort {
    pub(super) number: u32,
    pub(super) context: ContextId,
    pub(super) name: PortName,
    /// How many of its messages were shown in the log.
    pub(super) shown: u64,
}

impl Ports {
    /// Enters a port; gives its number.
    pub(super) fn add(&mut self, id: PortId, context: ContextId, name: PortName) -> u32 {
        self.latest += 1;
        let number = self.latest;
        self.ids.insert(number, id);
        self.open.insert(id, OpenPort { number, context, name, shown: 0 });
        number
    }

    /// The id of the port with a number.
    pub(super) fn id(&self, number: u32) -> Option<PortId> {
        self.ids.get(&number).copied()
    }

    /// The number of a port.
    pub(super) fn number(&self, id: PortId) -> Option<u32> {
        self.open.get(&id).map(|port| port.number)
    }

    /// A port.
    pub(super) fn get_mut(&mut self, id: PortId) -> Option<&mut OpenPort> {
        self.open.get_mut(&id)
    }

    /// Forgets a port.
    pub(super) fn remove(&mut self, id: PortId) -> Option<OpenPort> {
        let port = self.open.remove(&id)?;
        self.ids.remove(&port.number);
        Some(port)
    }

    /// Forgets the ports of a context.
    pub(super) fn remove_context(&mut self, context: ContextId) {
        let Self { ids, open, .. } = self;
        open.retain(|_, port| {
            let stays = port.context != context;
            if !stays {
                ids.remove(&port.number);
            }
            stays
        });
    }
}
