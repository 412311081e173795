//! What is next in the lane from a peer, and cuts: where what it sent before a fact ends.

use super::{AcceptedChannels, Ends, Link, Peer};
use crate::concurrent::lane::{Entry, Frontier, Tail};
use crate::event_loop::fan_out::FanOut;
use crate::event_loop::port::{Leg, PeerIndex, Port, ReceiverAt, TargetState};
use crate::event_loop::slab::Slab;
use crate::event_loop::slot::Addressee;
use crate::ids::{ContextId, EventLoopId, Key, PortId};
use crate::index::ContextShared;
use crate::message::MessageFlags;
use crate::name::PortName;
use crate::payload::{Payload, discard};
use crate::reason::DisconnectReason;
use crate::shared::pool::memory;
use crate::sync::{Arc, mutant};
use crate::target::ConnectInfo;
use crate::wire::channel::{Channel, Route};
use crate::wire::record::{Address, Record, Signal};

/// The next record of a peer, where it lies, and the channels that it may be about.
pub(crate) struct NextRecord<'a> {
    pub(crate) entry: Entry<'a, Record>,
    pub(crate) accepted: &'a AcceptedChannels,
    pub(crate) opened: &'a Slab<Leg>,
}

impl NextRecord<'_> {
    /// Returns the opener's port that hears a receiver, if both are still there.
    #[inline(always)]
    pub(crate) fn opener(
        &self,
        own: EventLoopId,
        ports: &Slab<Port>,
        channel: Channel,
        ordinal: u32,
    ) -> Option<ReceiverAt> {
        let leg = self.opened.get(channel.0)?;
        let target = leg.targets.get(ordinal as usize)?;
        let port = ports.get(leg.port)?;
        let open = target.state == TargetState::Open && port.state.hears();
        let at = ReceiverAt { port: PortId::new(own, leg.port), context: ContextId::new(own, port.context) };
        open.then_some(at)
    }
}

/// A connection to one context that is next in the lane.
pub(crate) struct Offer<'a> {
    entry: Entry<'a, Record>,
    bytes: u64,
    pub(crate) channel: Channel,
    pub(crate) info: ConnectInfo,
    /// `None` if it has ended.
    pub(crate) opener: Option<&'a Arc<ContextShared>>,
    pub(crate) target: Key,
    /// What the name holds on the heap.
    pub(crate) name_bytes: usize,
}

/// What ended at a peer, and the frontier before which the peer's records come first.
pub(crate) struct Cut {
    frontier: Frontier,
    pub(crate) gone: Gone,
}

/// Names what ended at a peer.
#[derive(Clone)]
pub(crate) enum Gone {
    /// Contexts of the peer that were killed.
    Contexts(Arc<Vec<Key>>, DisconnectReason),
    /// The peer itself.
    Peer(DisconnectReason),
}

impl Offer<'_> {
    /// Takes the record, and writes its name in its final place.
    #[inline(always)]
    pub(crate) fn take(self, place: &mut PortName) {
        if self.entry.peek(|record| matches!(record, Record::Connect { name, .. } if name.is_shared())) {
            self.entry.take(self.bytes, |record, _| {
                if let Record::Connect { name, .. } = record {
                    *place = name;
                }
            });
        } else {
            // There is nothing in it that would have to be dropped.
            if let (Record::Connect { name, .. }, _) = self.entry.pass(self.bytes) {
                place.clone_from(name);
            }
        }
    }
}

impl Ends {
    /// Tells the writer what was taken, and now and then gives back what the lane has drawn for it.
    #[inline(always)]
    pub(super) fn publish_taken(&mut self) {
        self.consumer.publish_consumed();
        let position = memory(self.consumer.taken());
        if position - self.looked >= self.look {
            self.give_back_taken(position);
        }
    }

    /// Gives back what the lane has drawn for what was taken up to this position.
    #[cold]
    #[inline(never)]
    fn give_back_taken(&mut self, position: u64) {
        self.looked = position;
        self.grants[1].taken(position);
    }
}

impl Peer {
    /// Returns the next record.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<NextRecord<'_>> {
        let Self { link: Link::Lanes(ends), opened, accepted, .. } = self else { return None };
        Some(NextRecord { entry: ends.consumer.entry()?, accepted, opened })
    }

    /// Returns the signal that is next in the lane, and passes it.
    #[inline(always)]
    pub(crate) fn take_signal(&mut self) -> Option<Signal> {
        let Self { link: Link::Lanes(ends), .. } = self else { return None };
        let entry = ends.consumer.entry()?;
        let signal = if let (Record::Signal(signal), _) = entry.pass(0) { Some(*signal) } else { None };
        debug_assert!(signal.is_some(), "a look said so");
        signal
    }

    /// Returns the connection to one context that is next in the lane, without taking it.
    #[inline(always)]
    pub(crate) fn offer(&mut self) -> Option<Offer<'_>> {
        let Self { link: Link::Lanes(ends), contexts, .. } = self else { return None };
        let entry = ends.consumer.entry()?;
        let (channel, info, opener, target, bytes, name_bytes) = entry.peek(|record| match *record {
            Record::Connect { channel, info, opener, target, ref name } => {
                Some((channel, info, opener, target, name.as_str().len() as u64, name.heap_bytes()))
            }
            _ => None,
        })?;
        Some(Offer { entry, bytes, channel, info, opener: contexts.known(opener), target, name_bytes })
    }

    /// Moves the next record out of the lane.
    pub(crate) fn take<R>(&mut self, take: impl FnOnce(Record, Tail<'_>) -> R) -> Option<R> {
        let Self { link: Link::Lanes(ends), .. } = self else { return None };
        let entry = ends.consumer.entry()?;
        let bytes = entry.peek(Record::bytes);
        Some(entry.take(bytes, take))
    }

    /// Takes the next record, which is a message to several ports, and begins to hand it out.
    #[inline(always)]
    pub(crate) fn begin_fan_out(
        &mut self,
        fan_out: &mut FanOut,
        index: PeerIndex,
        look_up: impl FnMut(&ReceiverAt) -> Option<Addressee>,
    ) {
        let Self { link: Link::Lanes(ends), accepted, .. } = self else { return };
        let Some(entry) = ends.consumer.entry() else {
            debug_assert!(false, "a message was there a moment ago");
            return;
        };
        let Some(Address { channel, bytes, short, .. }) = entry.peek(Record::address) else {
            debug_assert!(false, "a look said that it is a message");
            return;
        };
        let Some(accepted) = accepted.get(channel) else {
            debug_assert!(false, "a look found its receivers");
            return;
        };
        fan_out.address((index, channel), accepted.receivers(), look_up);
        if short {
            let (record, tail) = entry.pass(bytes);
            // SAFETY: it is this record's tail.
            let (flags, pieces) = unsafe { record.pieces(tail) };
            fan_out.begin_short(flags, pieces);
        } else {
            entry.take(bytes, |record, _| {
                if let Record::Long { flags, bytes, .. } = record {
                    fan_out.begin(flags, Payload::shared(bytes));
                }
            });
        }
    }

    /// Returns whether there is something to take: a record, or a cut.
    #[inline(always)]
    pub(crate) fn has_something(&mut self) -> bool {
        !self.cuts.is_empty()
            || match &mut self.link {
                Link::Lanes(ends) => ends.consumer.ready(),
                Link::Own => false,
            }
    }

    /// Notes what ended, at the end of what the peer has sent by now. The frontier is fixed here, so a killed thread
    /// that still sends cannot put it off.
    pub(crate) fn cut(&mut self, gone: Gone) {
        let frontier = match &self.link {
            Link::Lanes(ends) if !mutant("notice-ahead-of-the-lane") => ends.consumer.frontier(),
            _ => Frontier::default(),
        };
        self.cuts.push_back(Cut { frontier, gone });
    }

    /// Returns how many records may be taken before the next cut: zero if it is due, `None` if there is none.
    pub(crate) fn records_before_cut(&self) -> Option<u64> {
        let cut = self.cuts.front()?;
        Some(match &self.link {
            Link::Lanes(ends) => ends.consumer.before(cut.frontier),
            Link::Own => 0,
        })
    }

    /// Takes the next cut. It must be due: everything before it is taken, or the lane is empty.
    pub(crate) fn take_cut(&mut self) -> Option<Gone> {
        self.cuts.pop_front().map(|cut| cut.gone)
    }

    /// Returns the credits that lie in the lane and were not returned before, and leaves them there. Their turn comes
    /// later, which is harmless: credit is counted from the channel's beginning, so it may be applied twice.
    pub(crate) fn credits_ahead(&mut self) -> Vec<Signal> {
        let mut credits = Vec::new();
        if let Link::Lanes(ends) = &mut self.link
            && !self.own
        {
            ends.consumer.look_ahead(|record| {
                if let Record::Signal(signal @ Signal::Credit { .. }) = record {
                    credits.push(*signal);
                }
            });
        }
        credits
    }

    /// Shows `look` the messages that lie in the lane, with their lengths.
    pub(crate) fn look_over_messages(&self, mut look: impl FnMut(Channel, Route, usize)) {
        if let Link::Lanes(ends) = &self.link {
            ends.consumer.look_over(|record| match record {
                Record::Short { channel, route, length, .. } => look(*channel, *route, (*length).into()),
                Record::Long { channel, route, bytes, .. } => look(*channel, *route, bytes.len()),
                _ => {}
            });
        }
    }

    /// Tells the peer what was taken, for its budget and its free slots.
    pub(crate) fn publish_taken(&mut self) {
        if let Link::Lanes(ends) = &mut self.link
            && !mutant("taken-and-never-told")
        {
            ends.publish_taken();
        }
    }

    /// Makes the peer ring for what it sends from now on, and gives back spare memory.
    pub(crate) fn arm(&mut self) {
        if let Link::Lanes(ends) = &mut self.link {
            ends.consumer.shrink();
            ends.armer.arm();
        }
    }
}

/// Returns a message's channel, route, flags and payload.
///
/// # Panics
///
/// When the record is no message.
pub(crate) fn message_of(record: Record, tail: Tail<'_>) -> (Channel, Route, MessageFlags, Payload) {
    match record {
        Record::Long { channel, route, flags, bytes } => (channel, route, flags, Payload::shared(bytes)),
        Record::Short { channel, route, .. } => {
            // SAFETY: it is this record's tail.
            let (flags, pieces) = unsafe { record.pieces(tail) };
            (channel, route, flags, pieces.into_payload())
        }
        other => {
            discard(other);
            unreachable!("a look said that it is a message")
        }
    }
}
