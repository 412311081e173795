//! What an event loop keeps of its contexts.

use super::EventLoop;
use crate::description::{ContextDescription, ContextKind, DocumentLifecycle};
use crate::error::{AttachError, ContextError};
use crate::event::Event;
use crate::event_loop::holdings::of_messages;
use crate::event_loop::slab::occupant;
use crate::ids::{ContextId, ExtensionNumber, Key, PortId};
use crate::index::ContextShared;
use crate::limits::Limits;
use crate::reason::DisconnectReason;
use crate::sync::{Arc, HashMap, mutant};
use crate::target::{Listening, ListeningBits};
use crate::wire::credit::Credit;
use std::collections::VecDeque;

/// What the owning event loop keeps of a context. One cache line: an event looks at it.
#[repr(align(64))]
pub(crate) struct Context {
    pub(crate) shared: Arc<ContextShared>,
    pub(crate) stamp: u32,
    pub(crate) listening: ListeningBits,
    /// The embedder's.
    pub(crate) data: u64,
    /// Its ports, in no order.
    pub(crate) ports: Vec<Key>,
    /// What the names of these hold on the heap, in bytes.
    pub(crate) name_bytes: u32,
    /// How many of them another extension opened, or a page of the web.
    pub(crate) external_ports: u16,
    /// Set while its page is in the back/forward cache.
    pub(crate) suspended: Option<Box<Suspended>>,
}

occupant!(Context);

/// Models have larger pointers.
#[cfg(all(target_pointer_width = "64", not(port_core_model)))]
const _: () = assert!(size_of::<Option<Context>>() == 64);

impl Context {
    /// Returns whether it may hold one port more, whose name holds so many bytes on the heap, and which is
    /// of the outside (another extension, or a page of the web, opened it) or not.
    #[inline(always)]
    pub(crate) fn has_room(&self, limits: &Limits, name_bytes: usize, external: bool) -> bool {
        let has_room = if external {
            self.external_ports < limits.external_ports_per_context
        } else {
            self.ports.len() - usize::from(self.external_ports) < limits.ports_per_context as usize
        };
        has_room && name_bytes as u64 + u64::from(self.name_bytes) <= limits.names_per_context.into()
    }

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
    /// How many messages and bytes are among them, by port.
    pub(crate) held: HashMap<Key, Credit>,
}

impl Suspended {
    /// Returns what its messages count for.
    pub(crate) fn counts_for(&self) -> u64 {
        self.events.iter().map(counts_for).sum()
    }
}

/// Returns what an event that waits for its page counts for: only messages may be many.
pub(crate) fn counts_for(event: &Event) -> u64 {
    match event {
        Event::Message { payload, .. } => of_messages(1, payload.len() as u64),
        _ => 0,
    }
}

impl EventLoop {
    /// Does [`EventLoop::attach`].
    pub(super) fn attach_context(
        &mut self,
        description: ContextDescription,
    ) -> Result<ContextId, AttachError> {
        if description.bytes() > self.service.limits.description_bytes as usize {
            return Err(AttachError::DescriptionTooLong);
        }
        let look_up = |instance| self.service.index.extension(instance).ok_or(AttachError::UnknownExtension);
        let (extension, number, on_demand) = match description.instance {
            Some(instance) => {
                let (id, number, on_demand) = look_up(instance)?;
                (Some(id), number, on_demand)
            }
            None => (None, ExtensionNumber::WEB_PAGES, false),
        };
        let counted = on_demand && description.kind == ContextKind::Background;
        let key = self.contexts.vacant_key().ok_or(AttachError::TooManyContexts)?;
        let id = ContextId::new(self.id, key);
        let shared = Arc::new(ContextShared::new(id, description, extension, number));
        // Race: a connection or a notice finds the context before the attach is refused further on. It is entered here
        // first, so its key is used up and never names another context.
        let context = Context {
            shared: Arc::clone(&shared),
            stamp: 0,
            listening: ListeningBits::default(),
            data: 0,
            ports: Vec::new(),
            name_bytes: 0,
            external_ports: 0,
            suspended: None,
        };
        if self.contexts.insert(context).is_none() {
            return Err(AttachError::TooManyContexts);
        }
        if let Err(error) = self.publish(&shared) {
            self.contexts.remove(key);
            return Err(error);
        }
        if counted {
            self.uses.insert(key);
            self.counts_events = true;
        }
        Ok(id)
    }

    /// Makes a context known to other threads.
    fn publish(&self, context: &Arc<ContextShared>) -> Result<(), AttachError> {
        if !self.shared.enter(context) {
            return Err(AttachError::EventLoopGone);
        }
        self.service.index.enter(context).inspect_err(|_| {
            self.service.leave(context, DisconnectReason::ContextDetached);
            self.shared.leave(&[context.id().key()]);
        })
    }

    /// Does [`EventLoop::detach`].
    pub(super) fn detach_context(&mut self, context: ContextId) -> Result<(), ContextError> {
        let key = self.context_key(context)?;
        let shared = Arc::clone(&self.contexts.get(key).ok_or(ContextError::UnknownContext)?.shared);
        // Marked before it leaves the index, to spare openers a connect that would be refused.
        shared.set_detached();
        self.service.leave(&shared, DisconnectReason::ContextDetached);
        if mutant("detached-before-its-last-word") {
            self.shared.leave(&[key]);
        }
        self.end_context(key, shared.killed().unwrap_or(DisconnectReason::ContextDetached));
        // Last: a peer that finds it gone from here finds all that it had to say in the lane.
        self.shared.leave(&[key]);
        Ok(())
    }

    /// Does [`EventLoop::set_listening`].
    pub(super) fn set_listeners(
        &mut self,
        context: ContextId,
        listening: Listening,
    ) -> Result<(), ContextError> {
        let key = self.context_key(context)?;
        let context = self.contexts.get_mut(key).ok_or(ContextError::UnknownContext)?;
        if context.shared.killed().is_some() {
            return Err(ContextError::Gone);
        }
        context.listening = listening.into();
        if listening.ready && context.shared.is_background() {
            let shared = Arc::clone(&context.shared);
            self.service.background_ready(&shared);
        }
        Ok(())
    }

    /// Returns the ports of a context that its script may use, for [`EventLoop::ports`].
    pub(super) fn ports_of(&self, context: ContextId) -> impl Iterator<Item = PortId> {
        let holder = self.context_key(context).ok().and_then(|key| self.contexts.get(key));
        let ports = holder.map_or(&[][..], |context| &context.ports[..]);
        ports.iter().map(|&key| self.port_id(key)).filter(|&port| self.is_open(port))
    }

    /// Returns the context that holds a port which its script may use, for [`EventLoop::context_of`].
    pub(super) fn holder_of(&self, port: PortId) -> Option<ContextId> {
        let port = self.port_key(port).and_then(|key| self.ports.get(key));
        port.filter(|port| !port.state.is_left()).map(|port| self.context_id(port.context))
    }
}
