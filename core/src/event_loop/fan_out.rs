//! A message to several receivers on this event loop, handed out to one after the other.

use super::EventLoop;
use crate::event::{Event, Place, Written};
use crate::event_loop::port::{PeerIndex, PortState, ReceiverAt};
use crate::ids::{ContextId, Key, PortId};
use crate::message::MessageFormat;
use crate::payload::{Cell, Payload, Pieces, discard};
use crate::wire::record::Traits;

/// A message under way to its receivers. Kept for its memory once all have it.
#[derive(Default)]
pub(crate) struct FanOut {
    /// With its format and whether there was user activation, as its events have these.
    message: Option<(MessageFormat, bool, Payload)>,
    receivers: Vec<ReceiverAt>,
    /// How many of the receivers had their turn.
    position: usize,
    /// Whether a receiver's port was closed since it began. Until then all are open.
    receiver_left: bool,
}

impl FanOut {
    /// Whether a receiver still waits for its turn.
    #[inline]
    pub(super) fn is_under_way(&self) -> bool {
        self.position < self.receivers.len()
    }

    /// The receivers that still wait for their turn, and the message's length.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Key, usize)> {
        let bytes = self.message.as_ref().map_or(0, |(.., payload)| payload.len());
        self.receivers[self.position..].iter().map(move |receiver| (receiver.port, bytes))
    }

    /// Begins with a message. The one before has reached everyone.
    pub(super) fn begin(&mut self, receivers: &[ReceiverAt], traits: Traits, payload: Payload) {
        self.begin_with(receivers);
        self.message = Some((traits.format(), traits.user_activation(), payload));
    }

    /// As [`begin`](Self::begin), with a short message that is copied from where it lies.
    #[inline(always)]
    pub(crate) fn begin_short<'a>(
        &mut self,
        receivers: &[ReceiverAt],
        traits: Traits,
        pieces: Pieces<'a, impl Iterator<Item = &'a Cell>>,
    ) {
        self.begin_with(receivers);
        // SAFETY: written below.
        let payload = unsafe { pieces.unwritten() };
        let (.., payload) = self.message.insert((traits.format(), traits.user_activation(), payload));
        pieces.write(payload);
    }

    #[inline(always)]
    fn begin_with(&mut self, receivers: &[ReceiverAt]) {
        debug_assert!(!self.is_under_way());
        self.receivers.clear();
        self.receivers.extend_from_slice(receivers);
        self.position = 0;
        self.receiver_left = false;
    }

    /// To be called when a receiver's port is closed from this side.
    #[inline]
    pub(super) fn receiver_left(&mut self) {
        self.receiver_left = true;
    }

    /// The next receiver, with a message of its own; the last one's is the first.
    #[inline]
    fn next(&mut self) -> Option<(Key, Traits, Payload)> {
        let key = self.receivers.get(self.position)?.port;
        self.position += 1;
        let last = self.position == self.receivers.len();
        let message = if last { self.message.take() } else { self.message.clone() };
        message.map(|(format, activation, payload)| (key, Traits::new(format, activation), payload))
    }

    /// Drops what is under way.
    pub(super) fn discard(&mut self) {
        self.receivers.clear();
        self.position = 0;
        discard(self.message.take());
    }
}

impl EventLoop {
    /// Begins with the next message of a peer's lane where that is short and goes to several
    /// receivers; whether it is.
    #[inline(never)]
    pub(super) fn begin_fan_out(&mut self, index: PeerIndex) -> bool {
        let Self { peers, fan_out, round, .. } = self;
        let begun = peers[index as usize].as_mut().is_some_and(|peer| peer.begin_fan_out(fan_out));
        if begun {
            round.left -= 1;
            round.found = true;
        }
        begun
    }

    /// The event for the next receiver of the message that is under way to several.
    #[inline]
    pub(super) fn next_of_fan_out(&mut self) -> Option<Event> {
        while self.fan_out.is_under_way() {
            if self.next_receiver().is_some() {
                return Place::of_event_or_none(|place| self.next_copy(place));
            }
            let (key, traits, payload) = self.fan_out.next()?;
            if let Some(event) = self.message_for(key, traits, payload) {
                discard(event);
            }
        }
        None
    }

    /// As [`next_of_turns`](Self::next_of_turns), where a message is under way to several.
    #[inline(never)]
    pub(super) fn next_copy(&mut self, place: &mut Place) -> Written {
        if !self.has_windows()
            && let Some((context, port)) = self.next_receiver()
            && let Some((format, user_activation, payload)) = &self.fan_out.message
            && let Some(pieces) = payload.pieces()
        {
            self.fan_out.position += 1;
            return place.put_short(context, port, (*format, *user_activation), pieces).into();
        }
        self.next_otherwise(place)
    }

    /// The same, where something is less usual: windows, long messages, receivers that are gone.
    #[inline(never)]
    fn next_otherwise(&mut self, place: &mut Place) -> Written {
        let Some((context, port)) = self.next_receiver() else {
            return match self.next_of_turns() {
                Some(event) => place.put(event).into(),
                None => place.put_nothing(),
            };
        };
        if self.has_windows() {
            let bytes = self.fan_out.waiting().next().map_or(0, |(_, bytes)| bytes);
            self.receiver_took(port.key, bytes as u64);
        }
        self.fan_out.position += 1;
        let last = !self.fan_out.is_under_way();
        let Some((format, user_activation, payload)) = &mut self.fan_out.message else {
            return place.put_nothing();
        };
        let (format, user_activation) = (*format, *user_activation);
        if let Some(pieces) = payload.pieces() {
            return place.put_short(context, port, (format, user_activation), pieces).into();
        }
        let payload = if last { payload.take() } else { payload.clone() };
        place.put(Event::Message { context, port, payload, format, user_activation }).into()
    }

    /// The next receiver, where its event is good as it is.
    #[inline(always)]
    fn next_receiver(&self) -> Option<(ContextId, PortId)> {
        let ReceiverAt { port, context } = *self.fan_out.receivers.get(self.fan_out.position)?;
        let open = !self.fan_out.receiver_left
            || self.ports.get(port).is_some_and(|port| port.state == PortState::Open);
        let holder = self.contexts.get(context)?;
        let good = open && holder.suspended.is_none() && !holder.shared.is_killed();
        good.then(|| (self.context_id(context), self.port_id(port)))
    }
}
