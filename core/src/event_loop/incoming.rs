//! What an event loop makes of the records it takes.

use super::EventLoop;
use crate::event::Event;
use crate::event_loop::peer::Kind;
use crate::event_loop::port::{Accepted, PeerIndex, Target, TargetState};
use crate::ids::Key;
use crate::index::ContextShared;
use crate::message::MessageFlags;
use crate::payload::{Payload, discard, discard_all};
use crate::policy::BackForwardCache;
use crate::reason::DisconnectReason;
use crate::sync::{Arc, HashSet, mutant};
use crate::target::ConnectInfo;
use crate::wire::channel::{Channel, Route};
use crate::wire::credit::Credit;
use crate::wire::incoming::Incoming;
use crate::wire::record::{Connect, Hearing, Record, Signal};
use std::collections::VecDeque;
use std::mem;

/// What came of looking for a record. The event is made of it at once, where it is handed out, for one is large.
pub(super) enum Received {
    /// There was none.
    Nothing,
    /// There was one, and it makes no event, or it went to the queue of events.
    Record,
    /// A connection was taken.
    Connection { port: Key, opener: Arc<ContextShared>, traits: ConnectInfo },
    /// A port of ours ends.
    End { port: Key, reason: DisconnectReason },
}

impl EventLoop {
    /// Takes a record in. Gives the event to hand out where there is one; several go
    /// through the queue of events.
    #[inline]
    pub(super) fn receive(&mut self, index: PeerIndex, incoming: Incoming) -> Option<Event> {
        match incoming {
            Incoming::Message { channel, route, traits, payload } => {
                let event = self.message(index, channel, route, traits, payload)?;
                return self.hand_out(event);
            }
            Incoming::ConnectOne { channel, traits, opener, target, name } => {
                let received = self.connected(index, channel, traits, opener, target, name);
                return self.event_of(received);
            }
            Incoming::Connect(Connect { channel, traits, opener, name, targets }) => {
                self.connected_to_many(index, channel, traits, opener, &name, &targets);
            }
            Incoming::Signal(signal) => {
                let received = self.signalled(index, signal);
                return self.event_of(received);
            }
            Incoming::Gone { contexts, reason } => self.contexts_gone(index, &contexts, reason),
            Incoming::PeerGone => self.peer_gone(index),
            Incoming::NoTarget { port } => self.end_if_alone(port),
        }
        None
    }

    /// Takes the next record of a peer where it lies, if it is one that makes or ends a connection in
    /// the usual way. Whatever else comes is for [`receive`](Self::receive).
    pub(super) fn receive_in_place(&mut self, index: PeerIndex) -> Received {
        let Some(peer) = self.peers[index as usize].as_mut() else { return Received::Nothing };
        let Some(entry) = peer.entry() else { return Received::Nothing };
        let received = match entry.peek(Record::kind) {
            Kind::Connect => self.connected_in_place(index),
            Kind::Accept => {
                let accept = entry.pass(0, |record, _| match *record {
                    Record::Signal(Signal::Accept { channel, ordinal }) => Some((channel, ordinal)),
                    _ => None,
                });
                let Some((channel, ordinal)) = accept else { unreachable!("its kind says so") };
                self.accepted(index, channel, ordinal);
                Received::Record
            }
            Kind::Close => {
                let close = entry.pass(0, |record, _| match *record {
                    Record::Signal(Signal::Close { channel, route, reason, hearing }) => {
                        Some((channel, route, reason, hearing))
                    }
                    _ => None,
                });
                let Some((channel, route, reason, hearing)) = close else { unreachable!("its kind says so") };
                self.closed(index, channel, route, reason, hearing)
            }
            Kind::Other => return Received::Nothing,
        };
        if !matches!(received, Received::Nothing) {
            self.round.left -= 1;
            self.round.found = true;
        }
        received
    }

    /// The event of what was received.
    #[inline(always)]
    pub(super) fn event_of(&mut self, received: Received) -> Option<Event> {
        match received {
            Received::Nothing | Received::Record => None,
            Received::Connection { port, opener, traits } => self.connect_event(port, opener, traits),
            Received::End { port, reason } => self.end_event(port, reason),
        }
    }

    #[inline]
    fn message(
        &mut self,
        index: PeerIndex,
        channel: Channel,
        route: Route,
        traits: MessageFlags,
        payload: Payload,
    ) -> Option<Event> {
        let peer = self.peers[index as usize].as_ref();
        let port = match route.receiver() {
            None => match peer.and_then(|peer| peer.accepted(channel)).map(Accepted::receivers) {
                None => None,
                Some(receivers) => match *receivers {
                    [receiver] => Some(receiver.port),
                    _ => {
                        self.fan_out.begin(receivers, traits, payload);
                        return None;
                    }
                },
            },
            Some(ordinal) => {
                let leg = peer.and_then(|peer| peer.opened.get(channel.0));
                let open = leg.filter(|leg| {
                    leg.targets.get(ordinal as usize).is_some_and(|target| target.state == TargetState::Open)
                });
                let port = open.map(|leg| leg.port);
                if port.is_some() {
                    self.opener_took(index, channel, ordinal, payload.len() as u64);
                }
                port
            }
        };
        match port {
            Some(port) => self.message_for(port, traits, payload),
            None => {
                discard(payload);
                None
            }
        }
    }

    /// The event of a message for a port, unless its page is suspended.
    #[inline]
    pub(super) fn message_for(&mut self, key: Key, traits: MessageFlags, payload: Payload) -> Option<Event> {
        let open = self.ports.get(key).filter(|port| port.state.hears());
        let holder = open.and_then(|port| Some((port.context, self.contexts.get(port.context)?)));
        let Some((context, holder)) = holder else {
            discard(payload);
            return None;
        };
        let suspended = holder.suspended.is_some();
        let event = Event::Message {
            context: self.context_id(context),
            port: self.port_id(key),
            payload,
            format: traits.format(),
            user_activation: traits.user_activation(),
        };
        if suspended {
            self.hold_message(context, key, event);
            return None;
        }
        Some(event)
    }

    /// A message for a page in the back/forward cache.
    fn hold_message(&mut self, context: Key, key: Key, event: Event) {
        let bytes = if let Event::Message { payload, .. } = &event { payload.len() as u64 } else { 0 };
        let suspended = self.contexts.get_mut(context).and_then(|context| context.suspended.as_mut());
        let within = match (self.service.policies.back_forward_cache, suspended) {
            (BackForwardCache::QueuesMessages { messages, bytes: limit }, Some(suspended)) => {
                let held = suspended.held.entry(key).or_default();
                held.add(Credit::one(bytes));
                if held.messages <= messages && held.bytes <= limit {
                    suspended.events.push_back(event);
                    return;
                }
                false
            }
            _ => true,
        };
        discard(event);
        if within {
            self.receiver_took(key, bytes);
        } else {
            self.close_port(key, DisconnectReason::BackForwardCache);
            self.drop_held(context, key);
        }
    }

    /// Drops what waits for a port whose page will not hear of it any more.
    fn drop_held(&mut self, context: Key, port: Key) {
        let suspended = self.contexts.get_mut(context).and_then(|context| context.suspended.as_mut());
        let Some(suspended) = suspended else { return };
        let (dropped, kept): (VecDeque<_>, _) = mem::take(&mut suspended.events)
            .into_iter()
            .partition(|event| event.port().is_some_and(|held| held.key == port));
        suspended.events = kept;
        discard_all(dropped);
    }

    /// Takes a record without a payload.
    pub(super) fn signalled(&mut self, index: PeerIndex, signal: Signal) -> Received {
        match signal {
            Signal::Accept { channel, ordinal } => self.accepted(index, channel, ordinal),
            Signal::Join { channel, beside } => self.joined(index, channel, beside),
            Signal::Close { channel, route, reason, hearing } => {
                return self.closed(index, channel, route, reason, hearing);
            }
            Signal::Credit { channel, towards, ordinal, credit } => {
                self.credited(index, channel, towards, ordinal, credit);
            }
            Signal::Farewell { context } => {
                if let Some(peer) = self.peer_mut(index) {
                    peer.acquaintances.forget(context);
                }
            }
        }
        Received::Record
    }

    /// The other side ends its part of a channel.
    #[inline(always)]
    fn closed(
        &mut self,
        index: PeerIndex,
        channel: Channel,
        route: Route,
        reason: DisconnectReason,
        hearing: Hearing,
    ) -> Received {
        match route.receiver() {
            None => self.close_channel(index, channel, reason, hearing),
            Some(ordinal) => {
                self.target_gone(index, channel, ordinal, reason, true);
                Received::Record
            }
        }
    }

    #[inline(always)]
    fn accepted(&mut self, index: PeerIndex, channel: Channel, ordinal: u32) {
        let Some(leg) = self.peer_mut(index).and_then(|peer| peer.opened.get_mut(channel.0)) else {
            return;
        };
        let Some(target) = leg.targets.get_mut(ordinal as usize) else { return };
        if target.state != TargetState::Pending {
            return;
        }
        target.state = TargetState::Open;
        let port = leg.port;
        self.end_opening(port);
    }

    /// Another port of a context that accepted. Should the context be known to be gone,
    /// the port has its place among the ordinals all the same.
    fn joined(&mut self, index: PeerIndex, channel: Channel, beside: u32) {
        let Some(leg) = self.peer_mut(index).and_then(|peer| peer.opened.get_mut(channel.0)) else {
            return;
        };
        let Some(&Target { context, state }) = leg.targets.get(beside as usize) else { return };
        leg.targets.push(Target { context, state });
    }

    /// Contexts of a peer were killed, and what they sent before was taken.
    fn contexts_gone(&mut self, index: PeerIndex, gone: &[Key], reason: DisconnectReason) {
        let gone: HashSet<Key> = gone.iter().copied().collect();
        self.end_with(index, |context| gone.contains(&context), reason);
        if let Some(peer) = self.peer_mut(index) {
            gone.into_iter().for_each(|context| peer.acquaintances.forget(context));
        }
    }

    /// A peer is gone, and what it sent before was taken.
    fn peer_gone(&mut self, index: PeerIndex) {
        self.end_with(index, |_| true, DisconnectReason::EventLoopGone);
        if let Some(id) = self.peer(index).map(|peer| peer.shared.id()) {
            self.peer_of.remove(&id);
        }
        self.stop_polling(index);
        // Drops what nobody will take.
        if !mutant("gone-peer-kept") {
            self.peers[index as usize] = None;
        }
    }

    /// Ends what a peer's contexts have to do with ours.
    fn end_with(&mut self, index: PeerIndex, is_gone: impl Fn(Key) -> bool, reason: DisconnectReason) {
        let Some(peer) = self.peer(index) else { return };
        let targets: Vec<(Channel, u32)> = peer
            .opened
            .iter()
            .flat_map(|(key, leg)| leg.targets.iter().zip(0..).map(move |(target, at)| (key, target, at)))
            .filter(|(_, target, _)| !target.state.is_gone() && is_gone(target.context))
            .map(|(key, _, ordinal)| (Channel(key), ordinal))
            .collect();
        let channels: Vec<Channel> = peer
            .all_accepted()
            .filter(|(_, accepted)| is_gone(accepted.opener()))
            .map(|(channel, _)| channel)
            .collect();
        for (channel, ordinal) in targets {
            self.target_gone(index, channel, ordinal, reason, false);
        }
        for channel in channels {
            self.end_channel(index, channel, reason);
        }
    }

    /// Queues an event, or holds it until its context's page comes back from the cache.
    pub(super) fn emit(&mut self, event: Event) {
        let suspended =
            self.contexts.get_mut(event.context().key).and_then(|context| context.suspended.as_mut());
        match suspended {
            Some(suspended) => suspended.events.push_back(event),
            None => {
                self.events.push_back(event);
                self.made_work();
            }
        }
    }
}
