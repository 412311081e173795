//! A message to several receivers on this event loop, handed out to one after the other.

use super::EventLoop;
use super::deliver::{Heard, Hears, Taken, may_hear};
use super::slot::{Addressee, EventSlot, Full};
use crate::event::{Event, ReceivingPort};
use crate::event_loop::port::{PeerIndex, PortState, ReceiverAt};
use crate::ids::Key;
use crate::message::{MessageFlags, MessageFormat};
use crate::payload::{Payload, Piece, Pieces, discard};

/// A message under way to its receivers. Kept when all have it, so that the next one reuses its memory.
#[derive(Default)]
pub(crate) struct FanOut {
    /// With its format and whether there was user activation, as its events have these.
    message: (MessageFormat, bool, Payload),
    receivers: Vec<ReceiverAt>,
    /// How many of the receivers had their turn.
    position: usize,
    /// Before which position the usual way goes: all of them while every receiver's port is open, none once one
    /// was closed, nor for a long message or where windows or uses are counted.
    usual_end: usize,
}

impl FanOut {
    /// Returns whether the next receiver may be handed its copy the usual way.
    #[inline]
    pub(super) fn is_usual(&self) -> bool {
        self.position < self.usual_end
    }

    /// Returns whether a receiver still waits for its turn.
    #[inline]
    pub(super) fn is_under_way(&self) -> bool {
        self.position < self.receivers.len()
    }

    /// Returns the receivers that still wait for their turn, and the message's length.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Key, usize)> {
        let bytes = self.message.2.len();
        self.receivers[self.position..].iter().map(move |receiver| (receiver.port.key(), bytes))
    }

    /// Begins with a long message.
    pub(crate) fn begin(
        &mut self,
        receivers: &[ReceiverAt],
        counted: bool,
        flags: MessageFlags,
        payload: Payload,
    ) {
        self.begin_with(receivers, counted);
        self.usual_end = 0;
        self.message = (flags.format(), flags.user_activation(), payload);
    }

    /// Begins with a short message, which is copied from where it lies.
    #[inline(always)]
    pub(crate) fn begin_short<'a>(
        &mut self,
        receivers: &[ReceiverAt],
        counted: bool,
        flags: MessageFlags,
        pieces: Pieces<'a, impl Fn(usize) -> &'a Piece>,
    ) {
        self.begin_with(receivers, counted);
        // SAFETY: written below.
        let payload = unsafe { pieces.unwritten() };
        self.message = (flags.format(), flags.user_activation(), payload);
        pieces.write(&mut self.message.2);
    }

    #[inline(always)]
    fn begin_with(&mut self, receivers: &[ReceiverAt], counted: bool) {
        debug_assert!(!self.is_under_way());
        self.receivers.clear();
        self.receivers.extend_from_slice(receivers);
        self.position = 0;
        self.usual_end = if counted { 0 } else { receivers.len() };
    }

    /// Notes that a receiver's port was closed from this side.
    #[inline]
    pub(super) fn note_closed_receiver(&mut self) {
        self.usual_end = 0;
    }

    /// Drops the message that is under way.
    pub(super) fn discard(&mut self) {
        self.receivers.clear();
        self.position = 0;
        discard(self.message.2.take());
    }
}

impl EventLoop {
    /// Takes the next record of a peer, which is a message to several receivers here.
    #[inline(never)]
    pub(super) fn begin_fan_out(&mut self, index: PeerIndex) -> Taken {
        let Self { peers, fan_out, round, counts_events, .. } = self;
        round.count_record();
        if let Some(peer) = peers[index as usize].as_mut() {
            peer.begin_fan_out(fan_out, *counts_events);
            round.count_events(fan_out.receivers.len());
        }
        Taken::Record
    }

    /// Hands the message that is under way to several out to the next of them that hears it now. Records that nobody
    /// heard are the caller's to count, so this goes on to no other.
    #[inline(never)]
    pub(super) fn copy_to_next_receiver(&mut self, slot: &mut EventSlot) -> Taken {
        if self.fan_out.is_usual()
            && let Some(full) = self.copy_usual(slot)
        {
            return Taken::Event(full);
        }
        if self.groups_receivers { self.hand_to_all(slot) } else { self.copy_less_usual(slot) }
    }

    /// Copies a short message that is under way to its next receiver, if that hears it now.
    #[inline(always)]
    pub(super) fn copy_usual(&mut self, slot: &mut EventSlot) -> Option<Full> {
        let Self { fan_out, contexts, port_data, .. } = self;
        let FanOut { message: (format, user_activation, payload), receivers, position, .. } = fan_out;
        let &ReceiverAt { port, context } = receivers.get(*position)?;
        let holder = contexts.get(context.key())?;
        if may_hear(Some(holder), PortState::Open, Heard::Message) != Hears::Now {
            return None;
        }
        let pieces = payload.pieces()?;
        *position += 1;
        let port_data = port_data.get(port.key());
        let to = Addressee { context, port, context_data: holder.data, port_data };
        Some(slot.put_short(to, (*format, *user_activation), pieces))
    }

    /// Goes on to the next receiver of the message that is under way, and says whether that hears it now.
    #[inline(always)]
    fn next_receiver(&mut self) -> Option<(ReceivingPort, Hears)> {
        let &ReceiverAt { port, context } = self.fan_out.receivers.get(self.fan_out.position)?;
        self.fan_out.position += 1;
        // Race: the port was closed, or its context killed, since the message was taken.
        let state = self.ports.get(port.key()).map_or(PortState::Silent, |port| port.state);
        let holder = self.contexts.get(context.key());
        let context_data = holder.map_or(0, |holder| holder.data);
        let port_data = self.port_data.get(port.key());
        let hears = may_hear(holder, state, Heard::Message);
        Some((ReceivingPort { context, port, context_data, port_data }, hears))
    }

    /// Does [`copy_usual`](Self::copy_usual) when the message is long, a receiver may
    /// be gone, or windows or uses are counted. Skips receivers that may not hear the message now.
    fn copy_less_usual(&mut self, slot: &mut EventSlot) -> Taken {
        while let Some((receiver, hears)) = self.next_receiver() {
            let last = !self.fan_out.is_under_way();
            let (format, user_activation, payload) = &mut self.fan_out.message;
            let payload = if last { payload.take() } else { payload.clone() };
            let bytes = payload.len() as u64;
            let event = message_to(receiver, payload, (*format, *user_activation));
            let ReceivingPort { context, port, .. } = receiver;
            match hears {
                Hears::Now => {
                    let full = slot.put(event);
                    self.receiver_took(port.key(), bytes);
                    return Taken::Event(full);
                }
                Hears::Later => self.hold_message(context.key(), port.key(), event),
                Hears::Never => discard(event),
            }
        }
        Taken::Record
    }

    /// Hands the message that is under way out to all that hear it now, in one event.
    #[cold]
    fn hand_to_all(&mut self, slot: &mut EventSlot) -> Taken {
        let (format, user_activation, payload) = &mut self.fan_out.message;
        let (flags, payload) = ((*format, *user_activation), payload.take());
        let bytes = payload.len() as u64;
        let mut receivers = Vec::new();
        while let Some((receiver, hears)) = self.next_receiver() {
            match hears {
                Hears::Now => receivers.push(receiver),
                Hears::Later => {
                    let event = message_to(receiver, payload.clone(), flags);
                    self.hold_message(receiver.context.key(), receiver.port.key(), event);
                }
                Hears::Never => {}
            }
        }
        for receiver in &receivers {
            self.receiver_took(receiver.port.key(), bytes);
        }
        let (format, user_activation) = flags;
        Taken::Event(slot.put(match receivers[..] {
            [] => {
                discard(payload);
                return Taken::Record;
            }
            [receiver] => message_to(receiver, payload, flags),
            _ => Event::MessageToSeveral { receivers, payload, format, user_activation },
        }))
    }
}

/// Makes the event of a message for one receiver.
fn message_to(
    ReceivingPort { context, port, context_data, port_data }: ReceivingPort,
    payload: Payload,
    (format, user_activation): (MessageFormat, bool),
) -> Event {
    Event::Message { context, port, payload, format, user_activation, context_data, port_data }
}
