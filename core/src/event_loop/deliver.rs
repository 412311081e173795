//! The one way from record to event.
//!
//! [`put_next`](EventSlot::put_next) looks at four things, in this order: a message that is on its way to
//! several receivers; events that were made and not yet handed out; the next record of the
//! peer that has its turn; and whose turn is next. For all of them [`may_hear`] decides whether a port
//! may hear the event now.

use super::EventLoop;
use super::slot::{Addressee, EventSlot, Full, Written};
use crate::concurrent::lane::Entry;
use crate::event::Event;
use crate::event_loop::context::Context;
use crate::event_loop::peer::Peer;
use crate::event_loop::port::{Accepted, PeerIndex, PortState, ReceiverAt};
use crate::ids::{ContextId, PortId};
use crate::payload::{Payload, discard};
use crate::sync::mutant;
use crate::wire::record::{Address, Record};

/// How many records that make no event are taken before the embedder has its turn: those to a context that was
/// killed may be millions. They take a few milliseconds.
const UNHEARD: u32 = 1 << 16;

/// Tells what came of a record.
pub(super) enum Taken {
    /// An event, which lies in the slot.
    Event(Full),
    /// No event, or events that were put into the queue.
    Record,
    /// There was no record.
    Nothing,
}

/// Tells why no usual message was taken.
enum Missed {
    /// There was no record.
    Nothing,
    /// There is one that is no message.
    NoMessage,
    /// There is a message to several ports.
    ToSeveral,
    /// There is a message to one port that may not hear it now, or that is gone.
    Unusual,
}

/// What a port is about to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// That it was connected.
    Connect,
    /// A message that was just taken.
    Message,
    /// A message that waited for its page to come back from the back/forward cache.
    HeldMessage,
    /// That it ends; it is still open.
    End,
    /// That it ended, which its state shows already.
    NotedEnd,
    /// That it has room again.
    Room,
}

/// Tells whether a port hears something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hears {
    Now,
    /// Not while its page is in the back/forward cache, and afterwards only if the policy says so.
    Later,
    Never,
}

/// Returns whether a port in this state, whose context is `holder`, may hear something now. This is
/// the invariant of the crate: a context that is gone or was killed hears nothing, nothing
/// follows a port's end, and a page in the cache hears nothing that comes while it is there.
#[inline(always)]
pub(super) fn may_hear(holder: Option<&Context>, state: PortState, what: Heard) -> Hears {
    let Some(holder) = holder else { return Hears::Never };
    let fits = match what {
        Heard::Connect => true,
        Heard::Message => state.hears(),
        // A silent or ended port still hears this: the message was taken before the port ended.
        Heard::HeldMessage => !state.is_left(),
        Heard::NotedEnd => matches!(state, PortState::Ended(_)),
        Heard::End | Heard::Room => matches!(state, PortState::Open | PortState::Unanswered),
    };
    if !fits || is_dead(holder) {
        Hears::Never
    } else if holder.suspended.is_some() {
        Hears::Later
    } else {
        Hears::Now
    }
}

/// Returns whether a context was killed, and so hears nothing more.
#[inline(always)]
pub(super) fn is_dead(holder: &Context) -> bool {
    holder.shared.is_killed() && !mutant("dead-context-handed-events")
}

impl EventSlot {
    /// Puts the next event of a loop, or nothing if there is none now. The slot comes first, as in the call of whoever
    /// wants the event, which so need not change registers.
    #[inline(never)]
    pub(super) fn put_next(&mut self, of: &mut EventLoop) -> Written {
        // Past the loop below, whose registers a copy has no use for: 30 instructions for each receiver.
        if let Some(full) = of.copy_usual(self) {
            return full.into();
        }
        if !of.counts_events && of.takes_a_record() {
            self.put_usual(of)
        } else if of.uses.is_empty() {
            of.deliver_from_all(self)
        } else {
            of.deliver_and_count(self)
        }
    }

    /// Puts the next event where a record comes next. The usual message has a function of its own: with all
    /// that may come otherwise out of its way it needs few registers, and 40 instructions less.
    #[inline(never)]
    pub(super) fn put_usual(&mut self, of: &mut EventLoop) -> Written {
        match of.take_usual(self) {
            Ok(full) => full.into(),
            Err(Missed::ToSeveral) => of.deliver_to_several(self),
            Err(Missed::NoMessage) => of.deliver_no_message(self),
            Err(missed) => of.deliver_unusual(missed, self),
        }
    }
}

impl EventLoop {
    /// Returns whether the next event is made of a record of the peer whose turn it is.
    #[inline(always)]
    pub(super) fn takes_a_record(&self) -> bool {
        !self.fan_out.is_under_way() && self.events.is_empty() && self.round.left > 0
    }

    /// Puts the next event into the slot; if there is none, arms the waker and puts nothing.
    #[inline(never)]
    pub(super) fn deliver_or_arm(&mut self, slot: &mut EventSlot) -> Written {
        loop {
            let written = slot.put_next(self);
            if written.is_event() {
                return written;
            }
            if std::mem::take(&mut self.round.interrupted) {
                // There is more, so the embedder is to come back.
                self.shared.bell().wakeup().wake();
                return written;
            }
            if self.fall_asleep() {
                return written;
            }
        }
    }

    /// Goes on where no usual message was found.
    #[inline(never)]
    fn deliver_unusual(&mut self, missed: Missed, slot: &mut EventSlot) -> Written {
        match self.take_missed(missed, slot) {
            Taken::Event(full) => return full.into(),
            Taken::Record => {}
            Taken::Nothing => self.round.left = 0,
        }
        self.deliver_from_all(slot)
    }

    /// Puts the next event into the slot, or nothing if there is none now.
    #[inline(never)]
    pub(super) fn deliver_from_all(&mut self, slot: &mut EventSlot) -> Written {
        let mut unheard = 0;
        loop {
            let taken = if self.fan_out.is_under_way() {
                self.copy_to_next_receiver(slot)
            } else if !self.events.is_empty() {
                self.hand_out_made(slot)
            } else if self.round.left > 0 {
                self.take_next(slot)
            } else if self.advance_turn() {
                Taken::Record
            } else {
                return slot.put_nothing();
            };
            match taken {
                Taken::Event(full) => return full.into(),
                Taken::Record => {
                    unheard += 1;
                    if unheard == UNHEARD {
                        self.round.interrupted = true;
                        return slot.put_nothing();
                    }
                }
                Taken::Nothing => self.round.left = 0,
            }
        }
    }

    /// Goes on where a record comes next that is no message.
    #[inline(never)]
    fn deliver_no_message(&mut self, slot: &mut EventSlot) -> Written {
        match self.take_no_message(self.round.peer, slot) {
            Taken::Event(full) => full.into(),
            Taken::Record | Taken::Nothing => self.deliver_from_all(slot),
        }
    }

    /// Takes the next record of the peer that has its turn, if that is a message to one port, which hears it now.
    /// Otherwise does nothing. Not for loops with windows.
    #[inline(always)]
    fn take_usual(&mut self, slot: &mut EventSlot) -> Result<Full, Missed> {
        let Self { peers, ports, contexts, round, id, port_data, .. } = self;
        // Race: the peer was dropped or declared gone, and that was applied in its own turn.
        let Some(peer) = peers[round.peer as usize].as_mut() else { return Err(Missed::Nothing) };
        let Some(next) = peer.next() else { return Err(Missed::Nothing) };
        let address = next.entry.peek(Record::address);
        let Some(Address { channel, route, bytes, short }) = address else { return Err(Missed::NoMessage) };
        // Its port is open: a leg's is looked at, and a receiver's is, as long as its channel has it.
        let at = match route.receiver() {
            None => match next.accepted.get(channel) {
                Some(accepted) if accepted.only().is_none() => return Err(Missed::ToSeveral),
                accepted => accepted.and_then(Accepted::only),
            },
            Some(ordinal) => next.opener(*id, ports, channel, ordinal),
        };
        let Some(ReceiverAt { port, context }) = at else { return Err(Missed::Unusual) };
        let Some(holder) = contexts.get(context.key()) else { return Err(Missed::Unusual) };
        if may_hear(Some(holder), PortState::Open, Heard::Message) != Hears::Now {
            return Err(Missed::Unusual);
        }
        round.count_record();
        let port_data = port_data.get(port.key());
        let context_data = holder.data;
        if !short {
            return Ok(put_long(slot, context, port, context_data, port_data, next.entry));
        }
        let to = Addressee { context, port, context_data, port_data };
        // There is nothing in the record that would have to be dropped.
        let (record, tail) = next.entry.pass(bytes);
        // SAFETY: it is this record's tail.
        let (flags, pieces) = unsafe { record.pieces(tail) };
        Ok(slot.put_short(to, flags.parts(), pieces))
    }

    /// Takes the next record of the peer that has its turn.
    #[inline(always)]
    fn take_next(&mut self, slot: &mut EventSlot) -> Taken {
        if self.windowed {
            return self.take_less_usual(slot);
        }
        match self.take_usual(slot) {
            Ok(full) => Taken::Event(full),
            Err(missed) => self.take_missed(missed, slot),
        }
    }

    /// Goes on where no usual message was found, without another look for a record where there was none.
    #[inline(always)]
    fn take_missed(&mut self, missed: Missed, slot: &mut EventSlot) -> Taken {
        match missed {
            Missed::Nothing => self.apply_next_cut(self.round.peer),
            Missed::NoMessage => self.take_no_message(self.round.peer, slot),
            Missed::ToSeveral => self.begin_fan_out(self.round.peer),
            Missed::Unusual => self.take_less_usual(slot),
        }
    }

    /// Does [`take_next`](Self::take_next) for all that is not usual.
    #[inline(never)]
    fn take_less_usual(&mut self, slot: &mut EventSlot) -> Taken {
        let Self { peers, ports, round, id, .. } = self;
        let index = round.peer;
        // Race: the peer was dropped or declared gone, and that was applied in its own turn.
        let Some(peer) = peers[index as usize].as_mut() else { return Taken::Nothing };
        let Some(next) = peer.next() else { return self.apply_next_cut(index) };
        let Some(Address { channel, route, .. }) = next.entry.peek(Record::address) else {
            return self.take_no_message(index, slot);
        };
        let ReceiverAt { port, context } = match route.receiver() {
            None => {
                let Some(accepted) = next.accepted.get(channel) else { return self.drop_next(index) };
                let Some(only) = accepted.only() else { return self.begin_fan_out(index) };
                only
            }
            Some(ordinal) => match next.opener(*id, ports, channel, ordinal) {
                Some(opener) => opener,
                None => return self.drop_next(index),
            },
        };
        self.take_message(index, port, context, slot)
    }

    /// Takes the next record of a peer, which is no message. Out of line: a table of jumps for all kinds
    /// of records slows down the messages.
    #[inline(never)]
    fn take_no_message(&mut self, index: PeerIndex, slot: &mut EventSlot) -> Taken {
        let Some(next) = self.peer_mut(index).and_then(Peer::next) else {
            debug_assert!(false, "a record was there a moment ago");
            return Taken::Nothing;
        };
        let (connect, signal) = next
            .entry
            .peek(|record| (matches!(record, Record::Connect { .. }), matches!(record, Record::Signal(_))));
        if signal {
            self.take_signal(index, slot)
        } else if connect {
            self.take_connect(index, slot)
        } else {
            self.take_other(index)
        }
    }

    /// Drops the next record of a peer. Race: its channel, receiver or context ended while the record was under way, so
    /// nobody here may hear it.
    #[cold]
    pub(super) fn drop_next(&mut self, index: PeerIndex) -> Taken {
        self.round.count_record();
        if let Some(peer) = self.peer_mut(index) {
            peer.take(|record, _| discard(record));
        }
        Taken::Record
    }

    /// Hands out the first of the events that were made, if its port may still hear it.
    #[inline(never)]
    fn hand_out_made(&mut self, slot: &mut EventSlot) -> Taken {
        let Some(event) = self.events.front() else {
            debug_assert!(false, "the queue was not empty a moment ago");
            return Taken::Record;
        };
        // `Later` counts as now: if the page is in the cache, it went there after the event was made.
        if self.hears(event) == Hears::Never {
            discard(self.events.pop_front());
            return Taken::Record;
        }
        let context_data = self.contexts.get(event.context().key()).map_or(0, |context| context.data);
        let port_data = event.port().map_or(0, |port| self.port_data.get(port.key()));
        match *event {
            Event::Message { port, ref payload, .. } => {
                let bytes = payload.len() as u64;
                self.hand_out(port.key(), None, bytes);
            }
            Event::Disconnect { port, .. } => self.remove_port(port.key()),
            _ => {}
        }
        match self.events.pop_front() {
            Some(mut event) => {
                event.set_data(context_data, port_data);
                Taken::Event(slot.put(event))
            }
            None => Taken::Record,
        }
    }

    /// Returns whether the port of an event that was made may still hear it.
    fn hears(&self, event: &Event) -> Hears {
        let what = match event {
            Event::Connect { .. } => Heard::Connect,
            Event::Message { .. } => Heard::HeldMessage,
            Event::Disconnect { .. } => Heard::NotedEnd,
            Event::Room { .. } => Heard::Room,
            // A message to several is never among them.
            Event::ContextGone { .. } | Event::MessageToSeveral { .. } => return Hears::Now,
        };
        // Race: the port was closed, or its context ended, since the event was made.
        let Some(port) = event.port().and_then(|id| self.ports.get(id.key())) else { return Hears::Never };
        may_hear(self.contexts.get(port.context), port.state, what)
    }
}

/// Puts the event of a long message. Not inlined: if the compiler sees both the lane and the slot, it
/// assembles the event on the stack and moves it, and the move fails store forwarding (see [`EventSlot`]).
#[inline(never)]
fn put_long(
    slot: &mut EventSlot,
    context: ContextId,
    port: PortId,
    context_data: u64,
    port_data: u64,
    entry: Entry<'_, Record>,
) -> Full {
    let bytes = entry.peek(Record::bytes);
    entry.take(bytes, |record, _| match record {
        Record::Long { flags, bytes, .. } => {
            let (payload, (format, user_activation)) = (Payload::shared(bytes), flags.parts());
            slot.put(Event::Message {
                context,
                port,
                payload,
                format,
                user_activation,
                context_data,
                port_data,
            })
        }
        _ => unreachable!("a look said that it is a long message"),
    })
}
