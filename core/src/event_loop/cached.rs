//! Contexts whose page is in the back/forward cache, and what they hear when it comes back.

use super::EventLoop;
use crate::event::Event;
use crate::event_loop::context::counts_for;
use crate::ids::Key;
use crate::payload::{discard, discard_all};
use crate::policy::BackForwardCache;
use crate::reason::DisconnectReason;
use crate::sync::mutant;
use crate::wire::credit::Credit;
use std::collections::VecDeque;
use std::mem;

impl EventLoop {
    /// Suspends a context whose page went into the back/forward cache.
    pub(super) fn suspend(&mut self, key: Key) {
        // Race: the context was detached or killed before the notice was taken.
        let Some(context) = self.contexts.get_mut(key) else { return };
        context.suspended.get_or_insert_default();
        self.fan_out.note_change();
        if self.service.policies.back_forward_cache == BackForwardCache::Ends {
            for port in context.ports.clone() {
                self.close_port(port, DisconnectReason::BackForwardCache);
            }
            self.go_on_waiting();
        }
    }

    /// Resumes a context whose page came back: what it held is queued.
    pub(super) fn resume(&mut self, key: Key) {
        // Race: the context was detached or killed before the notice was taken.
        let Some(context) = self.contexts.get_mut(key) else { return };
        if let Some(suspended) = context.suspended.take()
            && !mutant("held-for-a-page-and-lost")
        {
            self.release_held(suspended.counts_for());
            self.events.extend(suspended.events);
        }
        let ports = self.contexts.get(key).map(|context| context.ports.clone());
        for port in ports.into_iter().flatten() {
            self.tell_of_room(port);
        }
    }

    /// Keeps a message for a page in the cache, or drops it, as the policy says.
    pub(super) fn hold_message(&mut self, context: Key, key: Key, event: Event) {
        let bytes = if let Event::Message { payload, .. } = &event { payload.len() as u64 } else { 0 };
        let Self { contexts, holdings, service, .. } = self;
        let context_there = contexts.get_mut(context);
        let extension = context_there.as_ref().map(|context| context.shared.description().instance);
        let suspended = context_there.and_then(|context| context.suspended.as_mut());
        let within = match (service.policies.back_forward_cache, suspended) {
            (BackForwardCache::QueuesMessages { messages, bytes: limit }, Some(suspended)) => {
                let held = suspended.held.entry(key).or_default();
                held.add(Credit::one(bytes));
                if held.messages <= messages.into()
                    && held.bytes <= limit
                    && extension.is_some_and(|extension| {
                        holdings.admit(&service.pool, counts_for(&event), extension).is_ok()
                    })
                {
                    suspended.events.push_back(event);
                    return;
                }
                false
            }
            _ => true,
        };
        discard(event);
        if within {
            // The policy loses the message, so its sender gets the window back.
            self.receiver_took(key, Credit::one(bytes));
        } else {
            self.close_port(key, DisconnectReason::BackForwardCache);
            self.drop_held(context, key);
            self.go_on_waiting();
        }
    }

    /// Drops what waits for a port whose page will not hear of it any more.
    fn drop_held(&mut self, context: Key, port: Key) {
        let suspended = self.contexts.get_mut(context).and_then(|context| context.suspended.as_mut());
        let Some(suspended) = suspended else { return };
        let (dropped, kept): (VecDeque<_>, _) = mem::take(&mut suspended.events)
            .into_iter()
            .partition(|event| event.port().is_some_and(|held| held.key() == port));
        suspended.events = kept;
        self.release_held(dropped.iter().map(counts_for).sum());
        discard_all(dropped);
    }
}
