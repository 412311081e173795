//! What an event loop does with the records that it takes, except connections and ends.

use super::EventLoop;
use super::deliver::{Heard, Hears, Taken, may_hear};
use super::handed_out::ReceiverOf;
use super::slot::EventSlot;
use crate::event::Event;
use crate::event_loop::peer::message_of;
use crate::event_loop::port::{PeerIndex, PortState, Target, TargetState};
use crate::ids::{ContextId, PortId};
use crate::payload::discard;
use crate::reason::DisconnectReason;
use crate::wire::channel::Channel;
use crate::wire::record::{Record, Signal};

impl EventLoop {
    /// Takes the signal that is next in a peer's lane.
    #[inline(never)]
    pub(super) fn take_signal(&mut self, index: PeerIndex, slot: &mut EventSlot) -> Taken {
        let Some(signal) = self.peer_mut(index).and_then(|peer| peer.take_signal()) else {
            debug_assert!(false, "a look said that it is a signal");
            return Taken::Nothing;
        };
        self.round.count_record();
        match signal {
            Signal::Accept { channel, ordinal } => self.accepted(index, channel, ordinal),
            Signal::Close { channel, route, reason, hearing } => match route.receiver() {
                None => return self.close_channel(index, channel, reason, hearing, slot),
                // `Gone`, not `Lost`: its event loop knows, so the channel's id needs no `Close` to be free there.
                Some(ordinal) => self.target_gone(index, channel, ordinal, reason, TargetState::Gone),
            },
            Signal::Refuse { channel, ordinal, refusal } => self.refused(index, channel, ordinal, refusal),
            Signal::Join { channel, beside } => self.joined(index, channel, beside),
            Signal::Credit { channel, towards, ordinal, credit } => {
                self.credited(index, channel, towards, ordinal, credit);
            }
            Signal::AskRoom => {
                if let Some(peer) = self.peer_mut(index) {
                    peer.answer_of_room();
                }
            }
            Signal::RoomThere => self.room_there(index),
            Signal::Farewell { context } => {
                if let Some(peer) = self.peer_mut(index) {
                    peer.contexts.forget(context);
                }
            }
        }
        Taken::Record
    }

    /// Takes a record of a rare kind.
    #[cold]
    pub(super) fn take_other(&mut self, index: PeerIndex) -> Taken {
        let Some(record) = self.peer_mut(index).and_then(|peer| peer.take(|record, _| record)) else {
            debug_assert!(false, "a look said that there is a record");
            return Taken::Nothing;
        };
        self.round.count_record();
        match record {
            Record::Announce(context) => {
                if let Some(peer) = self.peer_mut(index) {
                    peer.contexts.insert(context);
                }
            }
            Record::ConnectMany(connect) => self.connected_to_many(index, &connect),
            Record::NoTarget { port } => {
                if !self.unanswered.is_empty() {
                    // Race: the background's event loop went after the index was read, perhaps behind a stop.
                    self.note_refused(port, None);
                }
                self.end_if_alone(port);
            }
            usual => {
                debug_assert!(false, "messages, connections and signals are taken where they lie");
                discard(usual);
            }
        }
        Taken::Record
    }

    /// Takes the message that lies next in a peer's lane where there are windows, or the port's context is
    /// gone or suspended.
    #[inline(never)]
    pub(super) fn take_message(
        &mut self,
        index: PeerIndex,
        port: PortId,
        context: ContextId,
        slot: &mut EventSlot,
    ) -> Taken {
        self.round.count_record();
        let Some((channel, route, flags, payload)) =
            self.peer_mut(index).and_then(|peer| peer.take(message_of))
        else {
            debug_assert!(false, "a look said that it is a message");
            return Taken::Nothing;
        };
        let bytes = payload.len() as u64;
        let sender = route.receiver().map(|ordinal| ReceiverOf { peer: index, channel, ordinal });
        let holder = self.contexts.get(context.key());
        let mut event = Event::message(context, port, flags, payload);
        match may_hear(holder, PortState::Open, Heard::Message) {
            Hears::Now => {
                event.set_data(holder.map_or(0, |holder| holder.data), self.port_data.get(port.key()));
                self.hand_out(port.key(), sender, bytes);
                return Taken::Event(slot.put(event));
            }
            Hears::Later => {
                // What an opener's page keeps has its own bound, so its sender gets the window back.
                self.credit_receiver(port.key(), sender, bytes);
                self.hold_message(context.key(), port.key(), event);
            }
            // Race: the context was killed, and the notice of it has not been taken.
            Hears::Never => {
                self.credit_receiver(port.key(), sender, bytes);
                discard(event);
            }
        }
        Taken::Record
    }

    /// Notes that a receiver took the connection.
    fn accepted(&mut self, index: PeerIndex, channel: Channel, ordinal: u32) {
        let Some(peer) = self.peer_mut(index) else {
            debug_assert!(false, "it sent the answer");
            return;
        };
        peer.note_answer();
        // Race: the opener disconnected while the answer was under way.
        let Some(leg) = peer.opened.get_mut(channel.0) else { return };
        let Some(target) = leg.targets.get_mut(ordinal as usize) else {
            debug_assert!(false, "a receiver answers by the ordinal that it was given");
            return;
        };
        // Race: the receiver was killed, which was heard first.
        if target.state != TargetState::Pending {
            return;
        }
        target.state = TargetState::Open;
        let port = leg.port;
        if !self.unanswered.is_empty() {
            self.taken_by_somebody(port);
        }
        self.end_opening(port);
    }

    /// Notes another port of a context that accepted. It is added even if the context is known to be gone: the
    /// receivers' loop counted its ordinal, and later ones follow it.
    fn joined(&mut self, index: PeerIndex, channel: Channel, beside: u32) {
        // Race: the opener disconnected while the answer was under way.
        let Some(port) = self.peer(index).and_then(|peer| peer.opened.get(channel.0)).map(|leg| leg.port)
        else {
            return;
        };
        let Some(extension) = self.draws_for(port) else { return };
        if self.admit_targets(index, false, 2, extension).is_err() {
            return self.end_leg(index, channel, DisconnectReason::LimitReached);
        }
        let Some(peer) = self.peer_mut(index) else { return };
        let Some(leg) = peer.opened.get_mut(channel.0) else { return };
        let Some(&Target { context, state }) = leg.targets.get(beside as usize) else {
            debug_assert!(false, "a listener joins a target that accepted");
            return;
        };
        // The first that joins makes it a list of two.
        peer.listed.now += 1 + u32::from(leg.targets.len() == 1);
        leg.targets.push(Target { context, state });
    }

    /// Queues an event, or holds it while its context's page is in the cache.
    pub(super) fn emit(&mut self, event: Event) {
        self.round.count_events(1);
        let suspended =
            self.contexts.get_mut(event.context().key()).and_then(|context| context.suspended.as_mut());
        match suspended {
            Some(suspended) => suspended.events.push_back(event),
            None => {
                self.events.push_back(event);
                self.made_work();
            }
        }
    }
}
