//! How ports open, send and end.

use super::record::{Record, Refusal, Told};
use super::state::{Leg, State, TargetState};
use super::window::Amount;
use super::world::{Posted, World};
use super::{Channel, Context, End, Heard, Loop, Message};
use port_core::DisconnectReason::{
    BackForwardCache as WentIntoCache, Disconnected, LimitReached, NoReceiver, SiblingEnded,
};
use port_core::{BackForwardCache, ConnectKind, DisconnectReason, ReceiverDisconnects, ReceiverLost};

impl World {
    /// Keeps a post of an opening port, within the same bounds.
    pub(super) fn hold(&mut self, end: End, message: Message) -> Posted {
        let held = &self.channels[end.0].held;
        let bytes = held.iter().map(|(_, message)| message.length).sum();
        let waits_for = self.channels[end.0].waits.as_ref().map(|waits| waits.load);
        let held = Amount { count: held.len() as u64, bytes };
        if !self.admits(held) {
            self.ports.entry(end).and_modify(|port| port.wants_room = true);
            return Posted::WindowFull;
        }
        let waiting = waits_for.map(|load| self.waiting_amount(self.home(end.1), load));
        if self.fills(held) || waiting.is_some_and(|waiting| self.fills(waiting)) {
            self.ports.entry(end).and_modify(|port| port.wants_room = true);
            return Posted::Busy;
        }
        let turn = self.take_turn();
        self.channels[end.0].held.push((turn, message));
        Posted::Sent
    }

    pub(super) fn send_message(&mut self, end: End, message: Message) {
        let home = self.home(end.1);
        let windows = self.has_windows();
        let channel = &mut self.channels[end.0];
        let others: Vec<Loop>;
        let record;
        if end.1 == channel.opener {
            if windows {
                channel.legs.values_mut().for_each(|leg| leg.outstanding.add(Amount::one(message.length)));
            }
            others = channel.legs.keys().copied().collect();
            record = Record::ToReceivers(end.0, message);
        } else {
            if windows {
                self.ports.entry(end).and_modify(|port| port.outstanding.add(Amount::one(message.length)));
            }
            others = vec![self.home(self.channels[end.0].opener)];
            record = Record::ToOpener(end, message);
        }
        for to in others {
            self.send(self.lane_of(end.0, home, to), record.clone());
        }
    }

    /// The receivers of an opening port have answered, or it ends: what waits is sent.
    pub(super) fn release(&mut self, end: End) {
        let Some(port) = self.ports.get_mut(&end) else { return };
        let leaves = port.state == State::Leaving;
        port.state = State::Open;
        self.channels[end.0].waits = None;
        for (_, message) in std::mem::take(&mut self.channels[end.0].held) {
            self.send_message(end, message);
        }
        if leaves {
            self.close(end, Disconnected);
            self.ports.remove(&end);
        } else {
            self.tell_of_room(end);
        }
    }

    /// Closes an end towards the other side. The port stays, silent.
    pub(super) fn close(&mut self, end: End, reason: DisconnectReason) {
        let (channel, context, _) = end;
        if self.opener_of(channel) == end && self.close_unanswered(channel) {
            return;
        }
        if matches!(self.state(end), Some(State::Opening | State::Leaving)) {
            self.release(end);
        }
        if self.refuse(end, Refusal::NoReceiver) {
            return;
        }
        let Some(port) = self.ports.get_mut(&end) else { return };
        if std::mem::replace(&mut port.state, State::Silent) != State::Open {
            return;
        }
        if context == self.channels[channel].opener {
            self.close_legs(channel, reason, Told::Yes);
        } else {
            let (home, opener) = (self.home(context), self.opener_of(channel).1);
            if let Some(receivers) = self.channels[channel].receivers.get_mut(&home) {
                receivers.retain(|receiver| *receiver != end);
                // The one that left may have been the slowest.
                self.report_taken(channel, home);
            }
            self.send(self.lane_of(channel, home, self.home(opener)), Record::Left(end, reason));
        }
    }

    pub(super) fn close_legs(&mut self, channel: Channel, reason: DisconnectReason, told: Told) {
        let home = self.home(self.opener_of(channel).1);
        for (to, leg) in std::mem::take(&mut self.channels[channel].legs) {
            if leg.unanswered || leg.lives() {
                self.send(self.lane_of(channel, home, to), Record::Close(channel, reason, told));
            }
        }
    }

    /// Ends contexts of one loop.
    pub(super) fn end_contexts(&mut self, home: Loop, contexts: &[Context], reason: DisconnectReason) {
        for &context in contexts {
            self.contexts[context].ended = true;
            self.contexts[context].suspended = None;
        }
        let ends = self.ports.keys().filter(|end| contexts.contains(&end.1)).copied().collect();
        self.in_no_order(ends, home, |world, end| {
            world.close(end, reason);
            world.ports.remove(&end);
        });
        self.go_on_waiting();
    }

    /// A page goes into the back/forward cache.
    pub(super) fn goes_into_cache(&mut self, context: Context) {
        if self.contexts[context].ended {
            return;
        }
        self.contexts[context].suspended.get_or_insert_default();
        if self.policies().back_forward_cache == BackForwardCache::Ends {
            let ends = self.ports.keys().filter(|end| end.1 == context).copied().collect();
            self.in_no_order(ends, self.home(context), |world, end| world.close(end, WentIntoCache));
            self.go_on_waiting();
        }
    }

    /// A target is gone. `answered` says that its loop said so.
    pub(super) fn target_gone(&mut self, end: End, reason: DisconnectReason, answered: bool) {
        let (channel, context, _) = end;
        let (there, home) = (self.home(context), self.home(self.opener_of(channel).1));
        let state = &mut self.channels[channel];
        let Some(leg) = state.legs.get_mut(&there) else { return };
        let Some(target) = leg.target(end) else { return };
        let before = std::mem::replace(&mut target.state, TargetState::Gone);
        if before == TargetState::Gone {
            return;
        }
        leg.unanswered |= !answered;
        let (unanswered, lives) = (leg.unanswered, leg.lives());
        if !lives {
            state.legs.remove(&there);
            if unanswered {
                self.send(self.lane_of(channel, home, there), Record::Close(channel, reason, Told::No));
            }
        }
        if before == TargetState::Open {
            self.channels[channel].lost = Some(reason);
            if let Some(told) = self.ends_for_others(channel, reason) {
                self.close_legs(channel, SiblingEnded, told);
            }
        }
        if let Some(unanswered) = &self.channels[channel].unanswered
            && unanswered.background == context
        {
            self.settled.insert((home, unanswered.load));
        }
        self.end_if_alone(channel);
        self.end_opening(channel);
        self.tell_of_room(self.opener_of(channel));
    }

    /// Whether the port ends with one receiver, and whether the others are told.
    pub(super) fn ends_for_others(&self, channel: Channel, reason: DisconnectReason) -> Option<Told> {
        let policies = self.policies();
        match (self.channels[channel].kind, reason) {
            (ConnectKind::OneOff, _) => None,
            (_, Disconnected) => match policies.receiver_disconnects {
                ReceiverDisconnects::EndsForAll => Some(Told::Yes),
                ReceiverDisconnects::EndsForOpener => Some(Told::No),
                _ => None,
            },
            _ => (policies.receiver_lost == ReceiverLost::EndsForAll).then_some(Told::Yes),
        }
    }

    pub(super) fn end_if_alone(&mut self, channel: Channel) {
        let (end, state) = (self.opener_of(channel), &self.channels[channel]);
        if !state.legs.is_empty() {
            return self.go_on_waiting();
        }
        let reason = state.lost.unwrap_or(match state.refusal {
            Refusal::NoReceiver | Refusal::NotListening => NoReceiver,
            Refusal::LimitReached => LimitReached,
        });
        if !self.wait_again(channel) {
            match self.state(end) {
                // Nobody is left to be told.
                Some(State::Leaving | State::Left) => drop(self.ports.remove(&end)),
                _ => self.end_port(end, reason),
            }
        }
        self.go_on_waiting();
    }

    /// The opener's port is open once nobody has yet to answer.
    pub(super) fn end_opening(&mut self, channel: Channel) {
        let (end, legs) = (self.opener_of(channel), &self.channels[channel].legs);
        let pending = |leg: &Leg| leg.targets.iter().any(|target| target.state == TargetState::Pending);
        if matches!(self.state(end), Some(State::Opening | State::Leaving))
            && !legs.is_empty()
            && !legs.values().any(pending)
        {
            self.release(end);
        }
    }

    pub(super) fn end_port(&mut self, end: End, reason: DisconnectReason) {
        let Some(port) = self.ports.get_mut(&end) else { return };
        if !port.state.hears() {
            return;
        }
        port.state = State::Ended(reason);
        let channel = &mut self.channels[end.0];
        let mut not_listening = false;
        if end.1 == channel.opener {
            channel.held.clear();
            channel.waits = None;
            not_listening = reason == NoReceiver && channel.refusal == Refusal::NotListening;
        }
        self.emit(end.1, Heard::Disconnect(end, reason, not_listening));
    }

    pub(super) fn end_receivers(&mut self, channel: Channel, at: Loop, reason: DisconnectReason, told: Told) {
        for end in self.channels[channel].receivers.remove(&at).unwrap_or_default() {
            self.answer(end, Some(Refusal::NoReceiver));
            match told {
                Told::Yes => self.end_port(end, reason),
                Told::No => drop(self.ports.entry(end).and_modify(|port| port.state = State::Silent)),
            }
        }
    }
}
