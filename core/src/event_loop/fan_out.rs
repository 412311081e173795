//! A message to several receivers on this event loop, handed out to one after the other.

use super::EventLoop;
use super::deliver::{Heard, Hears, Taken, may_hear};
use super::slot::EventSlot;
use crate::event::Event;
use crate::event_loop::port::{PeerIndex, PortState, ReceiverAt};
use crate::ids::{ContextId, Key, PortId};
use crate::message::MessageFlags;
use crate::payload::{Payload, Piece, Pieces, discard};

/// A message under way to its receivers. Kept for its memory once all have it.
#[derive(Default)]
pub(crate) struct FanOut {
    message: Option<(MessageFlags, Payload)>,
    receivers: Vec<ReceiverAt>,
    /// How many of the receivers had their turn.
    position: usize,
    /// Whether a receiver's port was closed since it began. Until then all are open.
    receiver_closed: bool,
}

impl FanOut {
    /// Returns whether a receiver still waits for its turn.
    #[inline]
    pub(super) fn is_under_way(&self) -> bool {
        self.position < self.receivers.len()
    }

    /// Returns the receivers that still wait for their turn, and the message's length.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Key, usize)> {
        let bytes = self.message.as_ref().map_or(0, |(_, payload)| payload.len());
        self.receivers[self.position..].iter().map(move |receiver| (receiver.port, bytes))
    }

    /// Begins with a long message.
    pub(crate) fn begin(&mut self, receivers: &[ReceiverAt], flags: MessageFlags, payload: Payload) {
        self.begin_with(receivers);
        self.message = Some((flags, payload));
    }

    /// Begins with a short message, which is copied from where it lies.
    #[inline(always)]
    pub(crate) fn begin_short<'a>(
        &mut self,
        receivers: &[ReceiverAt],
        flags: MessageFlags,
        pieces: Pieces<'a, impl Iterator<Item = &'a Piece>>,
    ) {
        self.begin_with(receivers);
        // SAFETY: written below.
        let payload = unsafe { pieces.unwritten() };
        let (_, payload) = self.message.insert((flags, payload));
        pieces.write(payload);
    }

    #[inline(always)]
    fn begin_with(&mut self, receivers: &[ReceiverAt]) {
        debug_assert!(!self.is_under_way());
        self.receivers.clear();
        self.receivers.extend_from_slice(receivers);
        self.position = 0;
        self.receiver_closed = false;
    }

    /// To be called when a receiver's port is closed from this side.
    #[inline]
    pub(super) fn note_closed_receiver(&mut self) {
        self.receiver_closed = true;
    }

    /// Drops what is under way.
    pub(super) fn discard(&mut self) {
        self.receivers.clear();
        self.position = 0;
        discard(self.message.take());
    }
}

impl EventLoop {
    /// Takes the next record of a peer, a message to several of its receivers here.
    #[inline(never)]
    pub(super) fn begin_fan_out(&mut self, index: PeerIndex) -> Taken {
        let Self { peers, fan_out, round, .. } = self;
        round.count_record();
        if let Some(peer) = peers[index as usize].as_mut() {
            peer.begin_fan_out(fan_out);
        }
        Taken::Record
    }

    /// Hands the message that is under way to several out to the next of them.
    #[inline(always)]
    pub(super) fn copy_to_next_receiver(&mut self, slot: &mut EventSlot) -> Taken {
        let Self { fan_out, ports, contexts, round, id, windowed, .. } = self;
        let Some(&ReceiverAt { port, context }) = fan_out.receivers.get(fan_out.position) else {
            return Taken::Record;
        };
        let state = if fan_out.receiver_closed {
            ports.get(port).map_or(PortState::Silent, |port| port.state)
        } else {
            PortState::Open
        };
        if may_hear(contexts.get(context), state, Heard::Message) != Hears::Now {
            return self.copy_unheard(port, context, state);
        }
        let Some((flags, payload)) = &mut fan_out.message else { return Taken::Record };
        fan_out.position += 1;
        round.count_event();
        let (context, id) = (ContextId::new(*id, context), PortId::new(*id, port));
        let bytes = payload.len() as u64;
        let full = if let Some(pieces) = payload.pieces() {
            slot.put_short(context, id, *flags, pieces)
        } else {
            let last = fan_out.position == fan_out.receivers.len();
            let payload = if last { payload.take() } else { payload.clone() };
            slot.put(Event::message(context, id, *flags, payload))
        };
        if *windowed {
            self.receiver_took(port, bytes);
        }
        Taken::Event(full)
    }

    /// The next receiver does not hear the message now.
    #[cold]
    fn copy_unheard(&mut self, port: Key, context: Key, state: PortState) -> Taken {
        self.fan_out.position += 1;
        // Race: it was closed, or its context killed, since the message was taken.
        if may_hear(self.contexts.get(context), state, Heard::Message) == Hears::Later
            && let Some((flags, payload)) = &self.fan_out.message
        {
            let (flags, payload) = (*flags, payload.clone());
            let event = Event::message(self.context_id(context), self.port_id(port), flags, payload);
            self.hold_message(context, port, event);
        }
        if !self.fan_out.is_under_way() {
            discard(self.fan_out.message.take());
        }
        Taken::Record
    }
}
