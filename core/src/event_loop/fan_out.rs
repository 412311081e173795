//! A message to several receivers on this event loop, handed out to one after the other.

use super::EventLoop;
use super::deliver::{Heard, Hears, Taken, is_dead, may_hear};
use super::slot::{Addressee, EventSlot, Full, Written};
use crate::event::{Event, ReceivingPort};
use crate::event_loop::port::{PeerIndex, PortState, ReceiverAt};
use crate::ids::Key;
use crate::message::{MessageFlags, MessageFormat};
use crate::payload::{Payload, Piece, Pieces, discard};
use crate::wire::channel::Channel;

/// A message under way to its receivers. Kept when all have it, so that the next one reuses its memory, and what was
/// looked up of them.
#[derive(Default)]
pub(crate) struct FanOut {
    /// With its format and whether there was user activation, as its events have these.
    message: (MessageFormat, bool, Payload),
    receivers: Vec<ReceiverAt>,
    /// The first of the receivers, with the embedder's numbers of them, as long as these, the ports and the contexts stay
    /// as they were looked up: all of them as a rule; none after a change, for a long message, or where windows or uses
    /// are counted. What remains to be asked for each event is whether the context was killed.
    usual: Vec<Addressee>,
    /// Whose receivers these are, if all of them are usual and nothing changed. Looked up for each message anew, an event
    /// took a tenth more instructions.
    of: Option<(PeerIndex, Channel)>,
    /// How many of the receivers had their turn.
    position: usize,
}

impl FanOut {
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

    /// Sets the receivers of the message that begins: those of a channel. `look_up` returns one that is usual.
    #[inline(always)]
    pub(crate) fn address(
        &mut self,
        of: (PeerIndex, Channel),
        receivers: &[ReceiverAt],
        look_up: impl FnMut(&ReceiverAt) -> Option<Addressee>,
    ) {
        debug_assert!(!self.is_under_way());
        if self.of != Some(of) {
            self.receivers.clear();
            self.receivers.extend_from_slice(receivers);
            self.usual.clear();
            self.usual.extend(receivers.iter().map_while(look_up));
            self.of = Some(of).filter(|_| self.usual.len() == receivers.len());
        }
        self.position = 0;
    }

    /// Sets a long message.
    pub(crate) fn begin(&mut self, flags: MessageFlags, payload: Payload) {
        self.note_change();
        self.message = (flags.format(), flags.user_activation(), payload);
    }

    /// Sets a short message, which is copied from where it lies.
    #[inline(always)]
    pub(crate) fn begin_short<'a>(
        &mut self,
        flags: MessageFlags,
        pieces: Pieces<'a, impl Fn(usize) -> &'a Piece>,
    ) {
        // SAFETY: written below.
        let payload = unsafe { pieces.unwritten() };
        self.message = (flags.format(), flags.user_activation(), payload);
        pieces.write(&mut self.message.2);
    }

    /// Notes that what was looked up of receivers may be so no more. To be called where a receiver's port leaves its
    /// channel, a peer or a context goes, a page goes into the cache, and the embedder sets a number.
    #[inline]
    pub(super) fn note_change(&mut self) {
        self.usual.clear();
        self.of = None;
    }

    /// Drops the message that is under way.
    pub(super) fn discard(&mut self) {
        self.receivers.clear();
        self.position = 0;
        self.note_change();
        discard(self.message.2.take());
    }
}

impl EventLoop {
    /// Takes the next record of a peer, which is a message to several receivers here.
    #[inline(never)]
    pub(super) fn begin_fan_out(&mut self, index: PeerIndex) -> Taken {
        let Self { peers, fan_out, round, counts_events, contexts, port_data, .. } = self;
        round.count_record();
        if let Some(peer) = peers[index as usize].as_mut() {
            peer.begin_fan_out(fan_out, index, |&ReceiverAt { port, context }| {
                let holder = contexts.get(context.key())?;
                let usual = holder.suspended.is_none() && !*counts_events;
                let (context_data, port_data) = (holder.data, port_data.get(port.key()));
                usual.then_some(Addressee { context, port, context_data, port_data })
            });
            round.count_events(fan_out.receivers.len());
        }
        Taken::Record
    }

    /// Begins with the message to several receivers that is next in a peer's lane, and puts its first event. The usual
    /// way, past the loop of those that are not.
    #[inline(never)]
    pub(super) fn deliver_to_several(&mut self, slot: &mut EventSlot) -> Written {
        self.begin_fan_out(self.round.peer);
        match self.copy_usual(slot) {
            Some(full) => full.into(),
            None => self.deliver_from_all(slot),
        }
    }

    /// Hands the message that is under way to several out to the next of them that hears it now. Records that nobody
    /// heard are the caller's to count, so this goes on to no other.
    #[inline(never)]
    pub(super) fn copy_to_next_receiver(&mut self, slot: &mut EventSlot) -> Taken {
        if let Some(full) = self.copy_usual(slot) {
            return Taken::Event(full);
        }
        if self.groups_receivers { self.hand_to_all(slot) } else { self.copy_less_usual(slot) }
    }

    /// Copies a short message that is under way to its next receiver, if that is usual and not dead.
    #[inline(always)]
    pub(super) fn copy_usual(&mut self, slot: &mut EventSlot) -> Option<Full> {
        let Self { fan_out, contexts, .. } = self;
        let FanOut { message: (format, user_activation, payload), usual, position, .. } = fan_out;
        let to = usual.get(*position)?;
        // No comparison of generations: a context that goes is a change.
        let (_, holder) = contexts.at(to.context.key().index())?;
        if is_dead(holder) {
            return None;
        }
        let pieces = payload.pieces()?;
        *position += 1;
        Some(slot.put_short(*to, (*format, *user_activation), pieces))
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
                    self.hand_out(port.key(), None, bytes);
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
            self.hand_out(receiver.port.key(), None, bytes);
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
