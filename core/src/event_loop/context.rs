//! What an event loop keeps of its contexts.

use crate::description::DocumentLifecycle;
use crate::event::Event;
use crate::event_loop::slab::occupant;
use crate::ids::Key;
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
