//! A message to several receivers on this event loop, handed out to one after the other.

use super::EventLoop;
use crate::event::Event;
use crate::ids::{ContextId, Key, PortId};
use crate::payload::{Payload, discard};
use crate::port::PortState;
use crate::record::Traits;

/// A message under way to its receivers. Kept for its memory once all have it.
#[derive(Default)]
pub(super) struct FanOut {
    message: Option<(Traits, Payload)>,
    receivers: Vec<Key>,
    /// How many of the receivers had their turn.
    position: usize,
}

impl FanOut {
    /// Whether a receiver still waits for its turn.
    #[inline]
    pub(super) fn is_under_way(&self) -> bool {
        self.position < self.receivers.len()
    }

    /// The receivers that still wait for their turn, and the message's length.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Key, usize)> {
        let bytes = self.message.as_ref().map_or(0, |(_, payload)| payload.len());
        self.receivers[self.position..].iter().map(move |&key| (key, bytes))
    }

    /// Begins with a message. The one before has reached everyone.
    pub(super) fn begin(&mut self, receivers: &[Key], traits: Traits, payload: Payload) {
        debug_assert!(!self.is_under_way());
        self.receivers.clear();
        self.receivers.extend_from_slice(receivers);
        self.position = 0;
        self.message = Some((traits, payload));
    }

    /// The next receiver, with a message of its own; the last one's is the first.
    #[inline]
    fn next(&mut self) -> Option<(Key, Traits, Payload)> {
        let key = *self.receivers.get(self.position)?;
        self.position += 1;
        let last = self.position == self.receivers.len();
        let message = if last { self.message.take() } else { self.message.clone() };
        message.map(|(traits, payload)| (key, traits, payload))
    }

    /// Drops what is under way.
    pub(super) fn discard(&mut self) {
        self.receivers.clear();
        self.position = 0;
        discard(self.message.take());
    }
}

impl EventLoop {
    /// The event for the next receiver of the message that is under way to several.
    #[inline]
    pub(super) fn next_of_fan_out(&mut self) -> Option<Event> {
        while self.fan_out.is_under_way() {
            if let Some((context, port)) = self.next_receiver() {
                return self.copy_for(context, port);
            }
            let (key, traits, payload) = self.fan_out.next()?;
            if let Some(event) = self.message_for(key, traits, payload) {
                discard(event);
            }
        }
        None
    }

    /// The event of the next receiver, whose port this is.
    #[inline(always)]
    pub(super) fn copy_for(&mut self, context: ContextId, port: PortId) -> Option<Event> {
        if self.has_windows() {
            let bytes = self.fan_out.waiting().next().map_or(0, |(_, bytes)| bytes);
            self.receiver_took(port.key, bytes as u64);
        }
        self.fan_out.position += 1;
        let last = !self.fan_out.is_under_way();
        let (traits, payload) = self.fan_out.message.as_mut()?;
        if let Some(pieces) = payload.pieces() {
            return Event::short_message(context, port, *traits, pieces);
        }
        let payload = if last { payload.take() } else { payload.clone() };
        Some(Event::message(context, port, *traits, payload))
    }

    /// The next receiver, where its event is good as it is.
    #[inline(always)]
    pub(super) fn next_receiver(&self) -> Option<(ContextId, PortId)> {
        let key = *self.fan_out.receivers.get(self.fan_out.position)?;
        let port = self.ports.get(key)?;
        let context = self.contexts.get(port.context)?;
        let good =
            port.state == PortState::Open && context.suspended.is_none() && context.shared.killed().is_none();
        good.then(|| (self.context_id(port.context), self.port_id(key)))
    }
}
