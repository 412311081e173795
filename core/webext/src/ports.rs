//! The ports of a thread, by the numbers that scripts know them by.

use port_core::{ContextId, PortId};
use std::collections::HashMap;

/// Ports are looked up once a message, by ids that no script can choose.
type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// The open ports of a thread, and what the embedder keeps of each.
///
/// Scripts know ports by numbers, which are never used again. A number counts in the context alone
/// that was given it: a script that makes numbers up reaches no port of another extension.
#[derive(Debug)]
pub struct Ports<D> {
    latest: u32,
    ids: Map<u32, (PortId, ContextId)>,
    open: Map<PortId, OpenPort<D>>,
}

/// An open port.
#[derive(Debug)]
pub struct OpenPort<D> {
    /// The number that its context knows it by.
    pub number: u32,
    /// The context that holds it.
    pub context: ContextId,
    /// What the embedder keeps of it.
    pub details: D,
}

impl<D> Default for Ports<D> {
    fn default() -> Self {
        Self { latest: 0, ids: Map::default(), open: Map::default() }
    }
}

impl<D> Ports<D> {
    /// Enters a port that a context holds, and returns its number.
    pub fn add(&mut self, id: PortId, context: ContextId, details: D) -> u32 {
        self.latest += 1;
        let number = self.latest;
        self.ids.insert(number, (id, context));
        self.open.insert(id, OpenPort { number, context, details });
        number
    }

    /// Returns the port that a context knows by a number; `None` also when it is another context's.
    pub fn id(&self, context: ContextId, number: u32) -> Option<PortId> {
        self.ids.get(&number).filter(|(_, holder)| *holder == context).map(|(id, _)| *id)
    }

    /// Returns the number of a port.
    pub fn number(&self, id: PortId) -> Option<u32> {
        self.open.get(&id).map(|port| port.number)
    }

    /// Returns a port.
    pub fn get_mut(&mut self, id: PortId) -> Option<&mut OpenPort<D>> {
        self.open.get_mut(&id)
    }

    /// Forgets a port.
    pub fn remove(&mut self, id: PortId) -> Option<OpenPort<D>> {
        let port = self.open.remove(&id)?;
        self.ids.remove(&port.number);
        Some(port)
    }

    /// Forgets the ports of a context.
    pub fn remove_context(&mut self, context: ContextId) {
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
