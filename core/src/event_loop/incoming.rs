//! What an event loop makes of the records it takes.

use super::EventLoop;
use crate::acquaintance::Introduction;
use crate::context::ContextShared;
use crate::event::Event;
use crate::few::Few;
use crate::ids::Key;
use crate::name::PortName;
use crate::payload::{Payload, discard, discard_all};
use crate::policy::{BackForwardCache, ConnectListeners};
use crate::port::{Accepted, PeerIndex, Receiver, Side, Target, TargetState};
use crate::reason::DisconnectReason;
use crate::record::{Channel, Connect, Credit, Hearing, Incoming, Record, Route, Signal, Traits};
use crate::sender::Sender;
use crate::sync::{Arc, HashSet, mutant};
use crate::target::{ConnectKind, ConnectTraits};
use std::collections::VecDeque;
use std::mem;

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
                return self.connected(index, channel, traits, opener, target, name);
            }
            Incoming::Connect(Connect { channel, traits, opener, name, targets }) => {
                self.connected_to_many(index, channel, traits, opener, &name, &targets);
            }
            Incoming::Signal(signal) => return self.signalled(index, signal),
            Incoming::Gone { contexts, reason } => self.contexts_gone(index, &contexts, reason),
            Incoming::PeerGone => self.peer_gone(index),
            Incoming::NoTarget { port } => self.end_if_alone(port),
        }
        None
    }

    /// As [`receive`](Self::receive), for what [`take_small`](crate::peer::Peer::take_small) gives.
    pub(super) fn receive_small(&mut self, index: PeerIndex, record: Record) -> Option<Event> {
        self.round.left -= 1;
        self.round.found = true;
        match record {
            Record::Signal(signal) => self.signalled(index, signal),
            Record::Connect { channel, traits, opener, target, name } => {
                self.connected(index, channel, traits, Introduction::Known(opener), target, name)
            }
            Record::FirstConnect { channel, traits, opener, target, name } => {
                self.connected(index, channel, traits, Introduction::First(opener), target, name)
            }
            Record::Short { .. } | Record::Long { .. } | Record::ConnectMany(_) => {
                unreachable!("it is small")
            }
        }
    }

    #[inline]
    fn message(
        &mut self,
        index: PeerIndex,
        channel: Channel,
        route: Route,
        traits: Traits,
        payload: Payload,
    ) -> Option<Event> {
        let peer = self.peers[index as usize].as_ref();
        let port = match route.receiver() {
            None => match peer.and_then(|peer| peer.accepted(channel)).map(|accepted| &accepted.receivers) {
                None => None,
                Some(receivers) => match **receivers {
                    [port] => Some(port),
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
    pub(super) fn message_for(&mut self, key: Key, traits: Traits, payload: Payload) -> Option<Event> {
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

    /// A connection to one context: gives the event.
    #[inline]
    fn connected(
        &mut self,
        index: PeerIndex,
        channel: Channel,
        traits: ConnectTraits,
        opener: Introduction,
        target: Key,
        name: PortName,
    ) -> Option<Event> {
        if self.ports_for(target, traits.kind) > 1 {
            self.connected_to_many(index, channel, traits, opener, &name, &[target]);
            return None;
        }
        // An opener that freed the channel said so first, so the slot is empty here.
        debug_assert!(self.peer(index).is_some_and(|peer| peer.is_vacant(channel)));
        let ordinal = 0;
        let receiver = Receiver { peer: index, channel, ordinal };
        let opener = self.peer_mut(index)?.acquaintances.meet(opener);
        match self.accept(target, receiver, traits.kind, opener.as_deref(), &name) {
            Ok(port) => {
                let opener = opener?;
                let peer = self.peer_mut(index)?;
                let (generation, receivers) = (channel.0.generation(), Few::One(port));
                peer.set_accepted(channel, Accepted { generation, opener: opener.id().key, receivers });
                peer.signal(Signal::Accept { channel, ordinal });
                self.sent_to(index);
                Some(Event::Connect {
                    context: self.context_id(target),
                    port: self.port_id(port),
                    kind: traits.kind,
                    name,
                    sender: Sender::new(opener, traits.lifecycle, self.service.policies.sender),
                })
            }
            Err(reason) => {
                self.refuse(index, channel, ordinal, reason);
                None
            }
        }
    }

    #[cold]
    fn refuse(&mut self, index: PeerIndex, channel: Channel, ordinal: u32, reason: DisconnectReason) {
        let (route, hearing) = (Route::to_opener(ordinal), Hearing::Told);
        self.send_signal(index, Signal::Close { channel, route, reason, hearing });
    }

    fn connected_to_many(
        &mut self,
        index: PeerIndex,
        channel: Channel,
        traits: ConnectTraits,
        opener: Introduction,
        name: &PortName,
        targets: &[Key],
    ) {
        debug_assert!(self.peer(index).is_some_and(|peer| peer.is_vacant(channel)));
        let opener = self.peer_mut(index).and_then(|peer| peer.acquaintances.meet(opener));
        let mut receivers = Few::Nothing;
        let shows = self.service.policies.sender;
        let mut next_ordinal = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        for (&target, beside) in targets.iter().zip(0..) {
            for nth in 0..self.ports_for(target, traits.kind) {
                let ordinal = if nth == 0 { beside } else { next_ordinal };
                let receiver = Receiver { peer: index, channel, ordinal };
                match self.accept(target, receiver, traits.kind, opener.as_deref(), name) {
                    Ok(port) => {
                        let Some(opener) = opener.clone() else { return };
                        receivers.push(port);
                        if nth == 0 {
                            self.send_signal(index, Signal::Accept { channel, ordinal });
                        } else {
                            next_ordinal += 1;
                            self.send_signal(index, Signal::Join { channel, beside });
                        }
                        self.emit(Event::Connect {
                            context: self.context_id(target),
                            port: self.port_id(port),
                            kind: traits.kind,
                            name: name.clone(),
                            sender: Sender::new(opener, traits.lifecycle, shows),
                        });
                    }
                    Err(reason) if nth == 0 => {
                        self.refuse(index, channel, ordinal, reason);
                        break;
                    }
                    // The context has all the ports that it may have.
                    Err(_) => break,
                }
            }
        }
        if let Some(opener) = opener.filter(|_| !receivers.is_empty())
            && let Some(peer) = self.peer_mut(index)
        {
            let (generation, opener) = (channel.0.generation(), opener.id().key);
            peer.set_accepted(channel, Accepted { generation, opener, receivers });
        }
    }

    /// How many ports a connection makes in one of our contexts.
    #[inline]
    fn ports_for(&self, target: Key, kind: ConnectKind) -> u16 {
        match self.service.policies.connect_listeners {
            ConnectListeners::PortForEach if kind == ConnectKind::Port => {
                self.contexts.get(target).map_or(1, |context| context.listening.listeners.max(1))
            }
            _ => 1,
        }
    }

    /// Whether one of our contexts takes a connection, or why not. Rights are looked at again here, for the index may have known less or earlier. An opener that was
    /// killed is refused, for its notice may have been here already, in which case it is
    /// not known any more; one that was detached has its `Close` behind what it sent.
    #[inline]
    fn admit(
        &self,
        target: Key,
        kind: ConnectKind,
        opener: Option<&ContextShared>,
    ) -> Result<(), DisconnectReason> {
        let refused = DisconnectReason::NoReceiver;
        let opener = opener.ok_or(refused)?;
        let context = self.contexts.get(target).ok_or(refused)?;
        let instance = context.shared.description().instance;
        let external = instance != opener.description().instance && !mutant("instance-looked-at-nowhere");
        let admitted = (context.listening.covers(kind, external) || mutant("connection-to-deaf-ears"))
            && (context.suspended.is_none() || mutant("cached-page-connected"))
            && context.shared.killed().is_none()
            && (!external || self.service.index.admits(instance, opener.extension()))
            && context.shared.id() != opener.id()
            && (opener.killed().is_none() || mutant("killed-opener-accepted"));
        if !admitted {
            return Err(refused);
        }
        if context.ports.len() >= self.service.limits.ports_per_context as usize {
            return Err(DisconnectReason::LimitReached);
        }
        Ok(())
    }

    /// Accepts a connection to one of our contexts, or says why not.
    #[inline]
    fn accept(
        &mut self,
        target: Key,
        receiver: Receiver,
        kind: ConnectKind,
        opener: Option<&ContextShared>,
        name: &PortName,
    ) -> Result<Key, DisconnectReason> {
        self.admit(target, kind, opener)?;
        let port = self.open_port(target, name, || Side::Receiver(receiver));
        port.ok_or(DisconnectReason::LimitReached)
    }

    /// Takes a record without a payload. Gives the event of an end.
    #[inline]
    pub(super) fn signalled(&mut self, index: PeerIndex, signal: Signal) -> Option<Event> {
        match signal {
            Signal::Accept { channel, ordinal } => self.accepted(index, channel, ordinal),
            Signal::Join { channel, beside } => self.joined(index, channel, beside),
            Signal::Close { channel, route, reason, hearing } => match route.receiver() {
                None => return self.close_channel(index, channel, reason, hearing),
                Some(ordinal) => self.target_gone(index, channel, ordinal, reason, true),
            },
            Signal::Credit { channel, towards, ordinal, credit } => {
                self.credited(index, channel, towards, ordinal, credit);
            }
            Signal::Farewell { context } => {
                if let Some(peer) = self.peer_mut(index) {
                    peer.acquaintances.forget(context);
                }
            }
        }
        None
    }

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
    fn contexts_gone(&mut self, index: PeerIndex, gone: &[Arc<ContextShared>], reason: DisconnectReason) {
        let gone: HashSet<Key> = gone.iter().map(|context| context.id().key).collect();
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
            .filter(|(_, accepted)| is_gone(accepted.opener))
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
