//! Handing a message out to several receivers, one after the other.

use super::EventLoop;
use crate::event::{Event, Place, Written};
use crate::event_loop::port::{PeerIndex, PortState, ReceiverAt};
use crate::ids::{ContextId, PortId};
use crate::payload::discard;

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
