//! What other threads tell an event loop besides records.

use super::{EventLoop, OWN};
use crate::event::Event;
use crate::event_loop::context::Suspended;
use crate::event_loop::port::PeerIndex;
use crate::ids::{EventLoopId, Key};
use crate::policy::BackForwardCache;
use crate::reason::DisconnectReason;
use crate::shared::event_loop::Notice;
use crate::sync::mutant;
use crate::wire::incoming::Incoming;

impl EventLoop {
    /// Takes the control queue, in order.
    pub(super) fn take_notices(&mut self) {
        for notice in self.shared.take_notices() {
            match notice {
                Notice::Peer(lanes) => {
                    let index = self.add_peer(*lanes);
                    self.poll_peer(index);
                }
                Notice::ContextsGone { event_loop, contexts, reason } => {
                    if event_loop == self.id() {
                        self.own_contexts_gone(&contexts, reason);
                    }
                    self.cut_off(event_loop, Incoming::Gone { contexts, reason });
                }
                Notice::EventLoopGone(event_loop) if event_loop == self.id() => {
                    for key in self.contexts.keys() {
                        self.own_context_gone(key, DisconnectReason::EventLoopGone);
                    }
                }
                Notice::EventLoopGone(event_loop) => self.cut_off(event_loop, Incoming::PeerGone),
                Notice::Suspend(contexts) => {
                    for context in contexts {
                        self.suspend(context);
                    }
                }
                Notice::Resume(contexts) => {
                    for context in contexts {
                        self.resume(context);
                    }
                }
            }
        }
    }

    fn cut_off(&mut self, event_loop: EventLoopId, then: Incoming) {
        if let Some(&index) = self.peer_of.get(&event_loop) {
            self.cut(index, then);
        }
    }

    /// Takes what a peer has sent by now, and queues what happened to it behind that.
    pub(super) fn cut(&mut self, index: PeerIndex, then: Incoming) {
        let Some(peer) = self.peer_mut(index) else { return };
        let credits = if mutant("notice-ahead-of-the-lane") { Vec::new() } else { peer.absorb() };
        peer.queue(then);
        self.poll_peer(index);
        for credit in credits {
            self.signalled(index, credit);
        }
    }

    fn own_contexts_gone(&mut self, contexts: &[Key], reason: DisconnectReason) {
        for &context in contexts {
            self.own_context_gone(context, reason);
        }
    }

    fn own_context_gone(&mut self, key: Key, reason: DisconnectReason) {
        if self.end_context(key, reason) || mutant("context-ends-twice") {
            let context = self.context_id(key);
            self.events.push_back(Event::ContextGone { context, reason });
        }
    }

    /// A context's page went into the back/forward cache.
    fn suspend(&mut self, key: Key) {
        let Some(context) = self.contexts.get_mut(key) else { return };
        context.suspended.get_or_insert_with(Suspended::default);
        if self.service.policies.back_forward_cache == BackForwardCache::Ends {
            for port in context.ports.clone() {
                self.close_port(port, DisconnectReason::BackForwardCache);
            }
        }
    }

    /// A context's page came back.
    fn resume(&mut self, key: Key) {
        let Some(context) = self.contexts.get_mut(key) else { return };
        if let Some(suspended) = context.suspended.take()
            && !mutant("held-for-a-page-and-lost")
        {
            self.events.extend(suspended.events);
        }
    }
}

const _: () = assert!(OWN == 0);
