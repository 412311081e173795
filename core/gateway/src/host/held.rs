//! Calls that the core would not take yet.
//!
//! The renderer was told `Ok` when it made the call, so the call is kept, and what comes after it to the same
//! receivers waits behind it. What goes elsewhere does not: one stopped receiver must not silence all others. The
//! windows bound how much waits.

use super::table::Receivers;
use crate::wire::number::{ContextNumber, PortNumber};
use foldhash::HashMap;
use port_core::{Message, RuntimeTarget, TabTarget};
use std::collections::VecDeque;

/// A call and the context that made it.
#[derive(Debug)]
pub(super) struct HeldCall {
    pub(super) context: ContextNumber,
    pub(super) port: PortNumber,
    /// What it counts for in the windows, if it counts.
    pub(super) bytes: usize,
    pub(super) call: Call,
}

#[derive(Debug)]
pub(super) enum Call {
    ConnectTab(TabTarget),
    ConnectRuntime(RuntimeTarget),
    Post(Message<'static>),
    Disconnect,
}

/// The calls that are held, in order for each kind of receivers.
#[derive(Debug, Default)]
pub(super) struct HeldCalls {
    queues: HashMap<Receivers, VecDeque<HeldCall>>,
}

impl HeldCalls {
    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        self.queues.values().map(VecDeque::len).sum()
    }

    /// Returns whether something to these receivers is held.
    pub(super) fn any_to(&self, receivers: Receivers) -> bool {
        !self.is_empty() && self.queues.contains_key(&receivers)
    }

    /// Returns whether a call of this context is held.
    pub(super) fn any_of(&self, context: ContextNumber) -> bool {
        self.contexts().any(|other| other == context)
    }

    /// Returns whose calls are held, some more than once.
    pub(super) fn contexts(&self) -> impl Iterator<Item = ContextNumber> {
        self.queues.values().flatten().map(|call| call.context)
    }

    pub(super) fn push(&mut self, receivers: Receivers, call: HeldCall) {
        self.queues.entry(receivers).or_default().push_back(call);
    }

    /// Tries calls in order, to each kind of receivers until `attempt` gives one back. Returns whether any was made.
    pub(super) fn retry(&mut self, mut attempt: impl FnMut(HeldCall) -> Option<HeldCall>) -> bool {
        let before = self.count();
        self.queues.retain(|_, queue| {
            while let Some(call) = queue.pop_front() {
                if let Some(call) = attempt(call) {
                    queue.push_front(call);
                    break;
                }
            }
            !queue.is_empty()
        });
        self.count() < before
    }
}
