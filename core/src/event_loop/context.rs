//! What an event loop keeps of its contexts.

use super::EventLoop;
use crate::description::DocumentLifecycle;
use crate::event::Event;
use crate::event_loop::port::PortState;
use crate::event_loop::slab::occupant;
use crate::ids::{ContextId, Key, PortId};
use crate::index::ContextShared;
use crate::sync::{Arc, HashMap};
use crate::target::Listening;
use crate::wire::credit::Credit;
use std::collections::VecDeque;

/// What the owning event loop keeps of a context.
pub(crate) struct Context {
    pub(crate) shared: Arc<ContextShared>,
    pub(crate) generation: u32,
    pub(crate) listening: Listening,
    /// Its ports, in no order.
    pub(crate) ports: Vec<Key>,
    /// While its page is in the back/forward cache.
    pub(crate) suspended: Option<Suspended>,
}

occupant!(Context);

impl Context {
    #[inline]
    pub(crate) fn lifecycle(&self) -> DocumentLifecycle {
        match self.suspended {
            None => DocumentLifecycle::Active,
            Some(_) => DocumentLifecycle::Cached,
        }
    }
}

/// What waits for a page's return from the back/forward cache.
#[derive(Default)]
pub(crate) struct Suspended {
    pub(crate) events: VecDeque<Event>,
    /// Messages among them, by port.
    pub(crate) held: HashMap<Key, Credit>,
}

impl EventLoop {
    /// The ports of a context that its script may use, for [`EventLoop::ports`].
    pub(super) fn ports_of(&self, context: ContextId) -> impl Iterator<Item = PortId> {
        let holder = self.context_key(context).ok().and_then(|key| self.contexts.get(key));
        let ports = holder.map_or(&[][..], |context| &context.ports[..]);
        ports.iter().map(|&key| self.port_id(key)).filter(|&port| self.is_open(port))
    }

    /// The context that holds a port which its script may use, for [`EventLoop::context_of`].
    pub(super) fn holder_of(&self, port: PortId) -> Option<ContextId> {
        let port = self.port_key(port).and_then(|key| self.ports.get(key));
        port.filter(|port| port.state != PortState::Leaving).map(|port| self.context_id(port.context))
    }
}
