//! How ports end, and who is told.

use super::EventLoop;
use super::deliver::{Heard, Hears, Taken, may_hear};
use super::slot::EventSlot;
use crate::event::Event;
use crate::event_loop::context::Context;
use crate::event_loop::one_or_many::OneOrMany;
use crate::event_loop::peer::Peer;
use crate::event_loop::port::{
    LegAt, Opener, PeerIndex, Port, PortState, Receiver, ReceiverAt, Side, TargetState,
};
use crate::event_loop::slab::Slab;
use crate::ids::{ContextId, Key, PortId};
use crate::payload::discard_all;
use crate::policy::{ReceiverDisconnects, ReceiverLost};
use crate::reason::DisconnectReason;
use crate::sync::mutant;
use crate::target::ConnectKind;
use crate::wire::channel::{Channel, Route};
use crate::wire::record::{Hearing, Refusal, Signal};
use std::mem;

impl EventLoop {
    /// Does [`EventLoop::disconnect`].
    pub(super) fn disconnect_port(&mut self, port: PortId) -> bool {
        let Some(key) = self.port_key(port) else { return false };
        let Self { ports, contexts, peers, port_data, .. } = self;
        let Some(port) = ports.get(key) else { return false };
        // The usual case, on a short path: one leg, nothing waits, the context lives.
        if port.state == PortState::Open
            && let Side::Opener(Opener { legs: OneOrMany::One(leg), .. }) = port.side
            && let Some(holder) = contexts.get_mut(port.context)
            && !holder.shared.is_killed()
        {
            close_leg(peers, leg, DisconnectReason::Disconnected, Hearing::Told);
            let name_bytes = take_off_list(holder, ports, key);
            port_data.clear(key);
            ports.discard(key, |_| ());
            if name_bytes > 0 {
                self.release_held(name_bytes as u64);
            }
            return true;
        }
        self.disconnect_in_any_state(key)
    }

    #[inline(never)]
    fn disconnect_in_any_state(&mut self, key: Key) -> bool {
        let Some(port) = self.ports.get(key) else { return false };
        if port.state.is_left() {
            return false;
        }
        // Race: a fact has ended the context, and its notice has not been taken. The fact is the reason then,
        // whatever the script still does.
        let killed = self.contexts.get(port.context).and_then(|context| context.shared.killed());
        let opening = port.state == PortState::Opening;
        if port.state == PortState::Unanswered && killed.is_none() {
            self.leave_unanswered(key);
            return true;
        }
        if killed.is_none() && self.refuse_undecided(key, Refusal::NotListening) {
            self.remove_port(key);
            return true;
        }
        if opening && killed.is_none() {
            self.leave_opening(key);
            return true;
        }
        self.close_port(key, killed.unwrap_or(DisconnectReason::Disconnected));
        self.remove_port(key);
        self.go_on_waiting();
        true
    }

    /// Closes a port towards the other side, and tells that why. The port itself stays until
    /// [`remove_port`](Self::remove_port).
    ///
    /// The caller has what waited for its answer [go on](Self::go_on_waiting).
    pub(super) fn close_port(&mut self, key: Key, reason: DisconnectReason) {
        if !self.unanswered.is_empty() && self.close_unanswered(key) {
            return;
        }
        if self.ports.get(key).is_some_and(|port| port.state.is_opening()) {
            // What was posted before still arrives.
            self.release(key);
        }
        if self.refuse_undecided(key, Refusal::NoReceiver) {
            return;
        }
        // A port that its side had disconnected while it was opening was removed by the release.
        let Some(port) = self.ports.get_mut(key) else { return };
        if !port.silence() {
            // It had ended before, so the other side is gone or was told.
            return;
        }
        match &mut port.side {
            Side::Opener(opener) => {
                let legs = mem::take(&mut opener.legs);
                for &leg in &*legs {
                    close_leg(&mut self.peers, leg, reason, Hearing::Told);
                }
            }
            Side::Receiver(receiver) => {
                let receiver = *receiver;
                self.leave_channel(key, receiver);
                let Receiver { peer, channel, ordinal, .. } = receiver;
                let route = Route::to_opener(ordinal);
                self.send_signal(peer, move || Signal::Close {
                    channel,
                    route,
                    reason,
                    hearing: Hearing::Told,
                });
            }
        }
    }

    /// Takes a receiver out of its channel on this side.
    pub(super) fn leave_channel(&mut self, key: Key, receiver: Receiver) {
        let Receiver { peer: index, channel, .. } = receiver;
        self.fan_out.note_change();
        let port = self.port_id(key);
        let Some(peer) = self.peer_mut(index) else { return };
        if peer.remove_receiver(channel, port) && !mutant("slowest-leaves-untold") {
            // The one that left may have been the slowest.
            self.report_taken(index, channel);
        }
    }

    pub(super) fn send_signal(&mut self, index: PeerIndex, signal: impl FnOnce() -> Signal) {
        if let Some(peer) = self.peer_mut(index) {
            peer.signal(signal);
        }
    }

    /// Notes that a target refused a connection.
    pub(super) fn refused(&mut self, index: PeerIndex, channel: Channel, ordinal: u32, refusal: Refusal) {
        let Some(peer) = self.peer_mut(index) else { return };
        peer.note_answer();
        // Race: the opener disconnected while the word was under way, or the target was killed, which was heard first.
        let Some(leg) = peer.opened.get(channel.0).filter(|leg| leg.awaits(ordinal)) else { return };
        let (port, target) = (leg.port, leg.targets.get(ordinal as usize).map(|target| target.context));
        let target = target.map(|target| ContextId::new(peer.shared.id(), target));
        if let Some(Side::Opener(opener)) = self.ports.get_mut(port).map(|port| &mut port.side) {
            opener.refusal = opener.refusal.max(refusal);
        }
        if !self.unanswered.is_empty() {
            if refusal == Refusal::NoReceiver {
                self.note_refused(port, target);
            }
            self.note_answered(index, channel, ordinal);
        }
        self.target_gone(index, channel, ordinal, refusal.reason(), TargetState::Gone);
    }

    /// Notes that a target of an opener's port is gone: it refused, disconnected, or was lost.
    /// `state` is [`Gone`](TargetState::Gone) if the target's own event loop said so.
    pub(super) fn target_gone(
        &mut self,
        index: PeerIndex,
        channel: Channel,
        ordinal: u32,
        reason: DisconnectReason,
        state: TargetState,
    ) {
        debug_assert!(state.is_gone());
        // Race: the opener disconnected while the word was under way.
        let Some(peer) = self.peer_mut(index) else { return };
        let Some(leg) = peer.opened.get_mut(channel.0) else { return };
        let Some(target) = leg.targets.get_mut(ordinal as usize) else { return };
        let before = target.state;
        // Race: it disconnected and was killed, and the first to be heard counts.
        if before.is_gone() {
            return;
        }
        target.state = state;
        let port = leg.port;
        if !leg.is_live() || mutant("leg-ends-with-its-first-target") {
            let at = LegAt { peer: index, channel };
            close_leg(&mut self.peers, at, reason, Hearing::Untold);
            if let Some(Side::Opener(opener)) = self.ports.get_mut(port).map(|port| &mut port.side) {
                opener.legs.retain(|leg| *leg != at);
            }
        }
        if before == TargetState::Open {
            if let Some(Side::Opener(opener)) = self.ports.get_mut(port).map(|port| &mut port.side) {
                opener.lost = Some(reason);
            }
            self.apply_policy(port, reason);
        }
        self.end_if_alone(port);
        self.end_opening(port);
        if !mutant("room-after-a-loss-untold") {
            self.tell_of_room(port);
        }
    }

    /// Ends an opener's leg, whose receivers are more than there is room for.
    #[cold]
    pub(super) fn end_leg(&mut self, index: PeerIndex, channel: Channel, reason: DisconnectReason) {
        let Some(leg) = self.peer(index).and_then(|peer| peer.opened.get(channel.0)) else { return };
        let (port, at) = (leg.port, LegAt { peer: index, channel });
        close_leg(&mut self.peers, at, reason, Hearing::Told);
        if let Some(Side::Opener(opener)) = self.ports.get_mut(port).map(|port| &mut port.side) {
            opener.legs.retain(|leg| *leg != at);
            opener.lost = Some(reason);
        }
        self.end_if_alone(port);
        self.end_opening(port);
    }

    /// Applies the policy for the other receivers when one that had taken the connection is gone.
    fn apply_policy(&mut self, port: Key, reason: DisconnectReason) {
        let policies = self.service.policies;
        let kind = match self.ports.get(port).map(|port| &port.side) {
            Some(Side::Opener(opener)) => opener.kind,
            _ => return,
        };
        // Another receiver may still answer, whatever the policy says of ports.
        if kind == ConnectKind::OneOff {
            return;
        }
        let hearing = if reason == DisconnectReason::Disconnected {
            match policies.receiver_disconnects {
                ReceiverDisconnects::EndsForAll => Hearing::Told,
                ReceiverDisconnects::EndsForOpener => Hearing::Untold,
                ReceiverDisconnects::LeavesOthers => return,
            }
        } else {
            match policies.receiver_lost {
                ReceiverLost::EndsForAll => Hearing::Told,
                ReceiverLost::LeavesOthers => return,
            }
        };
        if let Some(Side::Opener(opener)) = self.ports.get_mut(port).map(|port| &mut port.side) {
            let legs = mem::take(&mut opener.legs);
            for &leg in &*legs {
                close_leg(&mut self.peers, leg, DisconnectReason::SiblingEnded, hearing);
            }
        }
    }

    /// Ends an opener's port that reaches nobody any more.
    pub(super) fn end_if_alone(&mut self, key: Key) {
        // Race: the opener left before its own note that there is no target was taken.
        let Some(port) = self.ports.get(key) else { return };
        let Side::Opener(opener) = &port.side else { return };
        if !opener.legs.is_empty() {
            // What waited for this answer alone goes on, though others may take the connection.
            return self.go_on_waiting();
        }
        // The last receiver that took the connection counts more than those that refused it.
        let reason = opener.lost.unwrap_or(opener.refusal.reason());
        let state = port.state;
        if self.unanswered.is_empty() || !self.wait_again(key) {
            match state {
                PortState::Open | PortState::Unanswered | PortState::Undecided | PortState::Opening => {
                    self.end_port(key, reason);
                }
                // Both sides have left it, so nobody is told of its end.
                PortState::Leaving | PortState::Left => self.remove_port(key),
                PortState::Silent | PortState::Ended(_) => {}
            }
        }
        self.go_on_waiting();
    }

    /// Ends a port and queues the event for its context, after what is queued for it already.
    pub(super) fn end_port(&mut self, key: Key, reason: DisconnectReason) {
        let Some(port) = self.ports.get_mut(key) else { return };
        // Race: it ended before, for another reason.
        if !port.end(reason) {
            return;
        }
        let context = port.context;
        let not_listening = reason == DisconnectReason::NoReceiver
            && matches!(&port.side, Side::Opener(opener) if opener.refusal == Refusal::NotListening);
        if !self.queued_posts.is_empty() {
            drop(self.take_queued_posts(key));
        }
        let (context, port) = (self.context_id(context), self.port_id(key));
        let (context_data, port_data) = (0, 0);
        self.emit(Event::Disconnect { context, port, reason, not_listening, context_data, port_data });
    }

    /// Ends a channel that its opener closed, and with it the receivers' ports. A single receiver that may hear it now
    /// is handed its end at once, which keeps the order because nothing is queued.
    #[inline(always)]
    pub(super) fn close_channel(
        &mut self,
        index: PeerIndex,
        channel: Channel,
        reason: DisconnectReason,
        hearing: Hearing,
        slot: &mut EventSlot,
    ) -> Taken {
        debug_assert!(!self.fan_out.is_under_way() && self.events.is_empty(), "these come first");
        // Race: the last receiver left while the word was under way.
        let Some(receivers) = self.peer_mut(index).and_then(|peer| peer.remove_accepted(channel)) else {
            return Taken::Record;
        };
        if self.undecided > 0 {
            self.answer_for(&receivers);
        }
        match (receivers, hearing) {
            (OneOrMany::One(ReceiverAt { port, context }), Hearing::Told) => {
                let Self { ports, contexts, .. } = self;
                let holder = contexts.get_mut(context.key());
                if may_hear(holder.as_deref(), PortState::Open, Heard::End) != Hears::Now {
                    self.end_port(port.key(), reason);
                    return Taken::Record;
                }
                let context_data = holder.as_deref().map_or(0, |holder| holder.data);
                let port_data = self.port_data.get(port.key());
                let name_bytes = holder.map_or(0, |holder| take_off_list(holder, ports, port.key()));
                if name_bytes > 0 {
                    self.release_held(name_bytes as u64);
                }
                self.forget_port(port.key());
                let not_listening = false;
                let event =
                    Event::Disconnect { context, port, reason, not_listening, context_data, port_data };
                return Taken::Event(slot.put(event));
            }
            (receivers, Hearing::Told) => {
                receivers.iter().for_each(|receiver| self.end_port(receiver.port.key(), reason));
            }
            (receivers, Hearing::Untold) => {
                for receiver in &*receivers {
                    if let Some(port) = self.ports.get_mut(receiver.port.key()) {
                        port.silence();
                    }
                }
            }
        }
        Taken::Record
    }

    /// Ends the receivers' ports of a channel whose opener is gone.
    pub(super) fn end_channel(&mut self, index: PeerIndex, channel: Channel, reason: DisconnectReason) {
        let receivers =
            self.peer_mut(index).and_then(|peer| peer.remove_accepted(channel)).unwrap_or_default();
        if self.undecided > 0 {
            self.answer_for(&receivers);
        }
        for receiver in &*receivers {
            self.end_port(receiver.port.key(), reason);
        }
    }

    /// Frees a port that was closed or whose end was handed out.
    pub(super) fn remove_port(&mut self, key: Key) {
        let Self { ports, contexts, .. } = self;
        if let Some(holder) = ports.get(key).and_then(|port| contexts.get_mut(port.context)) {
            let name_bytes = take_off_list(holder, ports, key);
            if name_bytes > 0 {
                self.release_held(name_bytes as u64);
            }
        }
        self.forget_port(key);
    }

    /// Frees a port, with what the event loop's maps hold of it.
    #[inline(always)]
    fn forget_port(&mut self, key: Key) {
        if !self.receiver_windows.is_empty() {
            self.receiver_windows.remove(&key);
        }
        if let Some(ports) = &mut self.handed_out {
            ports.remove(&key);
        }
        if !self.queued_posts.is_empty() {
            drop(self.take_queued_posts(key));
        }
        self.port_data.clear(key);
        self.ports.discard(key, |_| ());
    }

    /// Ends a context: the other sides of its ports are told, the context itself is not. Returns whether
    /// there was such a context.
    pub(super) fn end_context(&mut self, key: Key, reason: DisconnectReason) -> bool {
        // Race: it was detached, or another fact ended it, before this notice was taken.
        let Some(context) = self.contexts.remove(key) else { return false };
        self.fan_out.note_change();
        for &port in &context.ports {
            self.close_port(port, reason);
            self.forget_port(port);
        }
        for peer in self.peers.iter_mut().flatten() {
            peer.contexts.end(key);
        }
        self.uses.remove(key);
        self.release_held(context.name_bytes.into());
        if let Some(suspended) = context.suspended {
            self.release_held(suspended.counts_for());
            discard_all(suspended.events);
        }
        self.go_on_waiting();
        true
    }
}

/// Ends an opener's leg and frees its channel.
#[inline(always)]
fn close_leg(peers: &mut [Option<Box<Peer>>], leg: LegAt, reason: DisconnectReason, hearing: Hearing) {
    let LegAt { peer: index, channel } = leg;
    let Some(Some(peer)) = peers.get_mut(index as usize) else { return };
    // The receivers' loop is told if a receiver is left there, and also if one was lost: that loop has not said that
    // it freed the channel, whose id may be used again only after this `Close`.
    let to_be_told = peer.remove_opened(channel, |leg| {
        leg.targets.iter().any(|target| match target.state {
            TargetState::Open => true,
            TargetState::Pending => !mutant("pending-leg-closed-in-silence"),
            // Told before the channel's id is used again.
            TargetState::Lost => !mutant("unanswered-leg-freed-in-silence"),
            TargetState::Gone => false,
        })
    });
    if to_be_told == Some(true) {
        let route = Route::TO_RECEIVERS;
        peer.signal(move || Signal::Close { channel, route, reason, hearing });
    }
}

/// Takes a port off its context's list. The last port of the list moves to its place. Returns what its name holds on
/// the heap.
#[inline(always)]
fn take_off_list(holder: &mut Context, ports: &mut Slab<Port>, key: Key) -> usize {
    let Some(port) = ports.get(key) else { return 0 };
    let position = port.index_in_context();
    let name_bytes = port.name.heap_bytes();
    holder.name_bytes -= name_bytes as u32;
    holder.external_ports -= u16::from(port.external);
    holder.ports.swap_remove(position as usize);
    if let Some(&moved) = holder.ports.get(position as usize)
        && let Some(moved) = ports.get_mut(moved)
    {
        moved.set_index_in_context(position);
    }
    name_bytes
}
