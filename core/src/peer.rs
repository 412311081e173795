//! An event loop as another one sees it: the lanes between them and the channels on these.

use crate::acquaintance::{Acquaintances, Introduction};
use crate::bell::{Armer, Ringer};
use crate::context::ContextShared;
use crate::event::Event;
use crate::event_loop::worth_reporting;
use crate::event_loop_shared::{EventLoopShared, Lanes};
use crate::ids::{ContextId, Key, PortId};
use crate::lane::{Consumer, Entry, Frontier, Producer};
use crate::limits::Limits;
use crate::message::Body;
use crate::payload::{INLINE_BYTES, Payload, discard, discard_all};
use crate::port::{Accepted, Leg, LegWindow, ReceiverWindow, TargetState};
use crate::record::{Address, Channel, Credit, Incoming, Record, Route, Signal, Traits};
use crate::slab::{LAST_GENERATION, Slab, grow_gently};
use crate::sync::{Arc, HashMap, mutant};
use std::collections::VecDeque;

/// A peer of an event loop. The loop is its own first peer, with a plain queue in
/// place of lanes.
pub(crate) struct Peer {
    pub(crate) shared: Arc<EventLoopShared>,
    link: Link,
    /// What was taken out of the lane and not yet looked at; before what lies in it.
    backlog: VecDeque<Incoming>,
    /// Bytes of payload in the backlog of a loop to itself.
    backlog_bytes: u64,
    /// Channels that this side opened.
    pub(crate) opened: Slab<Leg>,
    /// What is counted of these where there are windows.
    pub(crate) windows: HashMap<Channel, LegWindow>,
    /// Channels that the peer opened, by index.
    accepted: Vec<Option<Accepted>>,
    pub(crate) acquaintances: Acquaintances,
    /// Whether the loop polls this peer, so that nobody need ring.
    pub(crate) polled: bool,
}

enum Link {
    /// To itself: a record sent is a record received.
    Own,
    Lanes(Box<Ends>),
}

/// A message that lies next in the lane and goes to one port of this side.
pub(crate) struct Arrival<'a> {
    entry: Entry<'a, Record>,
    bytes: u64,
    /// Whether all of it lies in the lane.
    short: bool,
    /// Whence it comes: the ordinal where it goes to the opener.
    channel: Channel,
    ordinal: Option<u32>,
    windows: &'a mut HashMap<Channel, LegWindow>,
    /// That port. Whether it is open is for the loop to see.
    pub(crate) port: Key,
}

impl Arrival<'_> {
    /// Counts the message as taken by this side; `false`, and nothing counted, when that
    /// would have to be reported.
    #[inline]
    pub(crate) fn count(&mut self, receivers: &mut HashMap<Key, ReceiverWindow>, limits: &Limits) -> bool {
        let unreported = match self.ordinal {
            Some(ordinal) => self.windows.entry(self.channel).or_default().unreported_of(ordinal),
            None => &mut receivers.entry(self.port).or_default().unreported,
        };
        let mut taken = *unreported;
        taken.add(Credit::one(self.bytes));
        let counted = !worth_reporting(limits, taken);
        if counted {
            *unreported = taken;
        }
        counted
    }

    /// Takes the message and makes an event of it.
    #[inline(always)]
    pub(crate) fn into_event(self, context: ContextId, port: PortId) -> Option<Event> {
        if self.short { self.into_short_event(context, port) } else { self.into_long_event(context, port) }
    }

    #[inline(always)]
    fn into_short_event(self, context: ContextId, port: PortId) -> Option<Event> {
        // There is nothing in the record that would have to be dropped.
        self.entry.pass(self.bytes, |record, tail| match record {
            Record::Short { traits, length, head, .. } => {
                // SAFETY: every `Short` is made by `Record::short`, filled and sent with its tail.
                let pieces = unsafe { head.pieces(*length, tail.cells()) };
                Event::short_message(context, port, *traits, pieces)
            }
            _ => unreachable!("its address says that it is short"),
        })
    }

    fn into_long_event(self, context: ContextId, port: PortId) -> Option<Event> {
        self.entry.take(self.bytes, |record, _| match record {
            Record::Long { traits, bytes, .. } => {
                Some(Event::message(context, port, traits, Payload::shared(bytes)))
            }
            _ => unreachable!("a message has an address, nothing else does"),
        })
    }
}

/// This side's ends of the two lanes. On lines of its own: what lies beside it may be another
/// thread's ends.
#[repr(align(64))]
struct Ends {
    producer: Producer<Record>,
    ringer: Ringer,
    consumer: Consumer<Record>,
    armer: Armer,
}

impl Ends {
    /// To be called after something was pushed: rings where the peer no longer polls.
    #[inline(always)]
    fn published(&mut self, peer: &EventLoopShared) {
        if !mutant("rung-before-publishing") && self.ringer.published(peer.bell()) {
            // The peer had stopped polling, so the lane was empty.
            self.producer.shrink();
        }
    }
}

impl Peer {
    pub(crate) fn own(shared: Arc<EventLoopShared>) -> Self {
        Self::new(shared, Link::Own)
    }

    pub(crate) fn other(lanes: Lanes) -> Self {
        let Lanes { peer, producer, ringer, consumer, line } = lanes;
        Self::new(peer, Link::Lanes(Box::new(Ends { producer, ringer, consumer, armer: Armer::new(line) })))
    }

    fn new(shared: Arc<EventLoopShared>, link: Link) -> Self {
        Self {
            shared,
            link,
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            opened: Slab::new(LAST_GENERATION),
            windows: HashMap::default(),
            accepted: Vec::new(),
            acquaintances: Acquaintances::default(),
            polled: false,
        }
    }

    pub(crate) fn is_own(&self) -> bool {
        matches!(self.link, Link::Own)
    }

    /// Sends a record that counts for `bytes`. Without effect when the peer is gone;
    /// its notice will tell. To itself: the loop must be made to look.
    #[inline]
    pub(crate) fn send(&mut self, record: Record, tail: &[u8], bytes: u64) {
        match &mut self.link {
            Link::Lanes(ends) => {
                if mutant("rung-before-publishing") {
                    ends.ringer.published(self.shared.bell());
                }
                match ends.producer.push(record, tail, bytes) {
                    // A payload's destructor may panic; the message's other receivers still get it.
                    Err(refused) => discard(refused),
                    Ok(()) => ends.published(&self.shared),
                }
            }
            Link::Own => {
                self.backlog_bytes += bytes;
                self.backlog.push_back(Incoming::new(record, [tail].into_iter()));
            }
        }
    }

    /// Sends a message. The last record made of a body takes a long one by reference
    /// without another count. Otherwise as [`send`](Self::send).
    pub(crate) fn send_message(
        &mut self,
        (channel, route): (Channel, Route),
        traits: Traits,
        body: &mut Body<'_>,
        last: bool,
    ) {
        let bytes = body.as_slice().len() as u64;
        let (record, tail) = Record::message(channel, route, traits, body, last);
        self.send(record, tail, bytes);
    }

    /// Sends a short message through a lane, the usual case and the quick way; `false` where
    /// it is none, or there is no lane.
    #[inline(always)]
    pub(crate) fn send_short(
        &mut self,
        (channel, route): (Channel, Route),
        traits: Traits,
        bytes: &[u8],
    ) -> bool {
        let Link::Lanes(ends) = &mut self.link else { return false };
        if bytes.len() > INLINE_BYTES || mutant("rung-before-publishing") {
            return false;
        }
        let make = || Record::short(channel, route, traits, bytes);
        let (tail, fill) = (Record::tail_of(bytes), |record: &mut Record| record.fill(bytes));
        if ends.producer.push_in_place(make, tail, bytes.len() as u64, fill) {
            ends.published(&self.shared);
        }
        true
    }

    #[inline]
    pub(crate) fn signal(&mut self, signal: Signal) {
        self.send(Record::Signal(signal), &[], 0);
    }

    /// Names one of our contexts to the peer, for a connection that is sent next.
    #[inline]
    pub(crate) fn introduce(&mut self, context: &Arc<ContextShared>) -> Introduction {
        let (introduction, ended) = self.acquaintances.introduce(context);
        for context in ended {
            self.signal(Signal::Farewell { context });
        }
        introduction
    }

    /// Whether the lane's budget admits a message or a connect.
    #[inline(always)]
    pub(crate) fn within_budget(&mut self, limits: &Limits) -> bool {
        match &mut self.link {
            Link::Lanes(ends) => ends.producer.within(limits.lane_records, limits.lane_bytes),
            Link::Own => {
                (self.backlog.len() as u64) < limits.lane_records && self.backlog_bytes < limits.lane_bytes
            }
        }
    }

    /// The next record where it is a message to one port: the usual case, and the
    /// quick way. Everything else goes through [`take`](Self::take).
    #[inline(always)]
    pub(crate) fn arrival(&mut self) -> Option<Arrival<'_>> {
        let Self { link: Link::Lanes(ends), backlog, opened, accepted, windows, .. } = self else {
            return None;
        };
        if !backlog.is_empty() {
            return None;
        }
        let entry = ends.consumer.entry()?;
        let Address { channel, route, bytes, short } = entry.peek(Record::address)?;
        let ordinal = route.receiver();
        let port = match ordinal {
            None => {
                let accepted = accepted.get(channel.0.index as usize)?.as_ref()?;
                match (accepted.generation == channel.0.generation, &*accepted.receivers) {
                    (true, [port]) => *port,
                    _ => return None,
                }
            }
            Some(ordinal) => {
                let leg = opened.get(channel.0)?;
                let open = leg.targets.get(ordinal as usize)?.state == TargetState::Open;
                open.then_some(leg.port)?
            }
        };
        Some(Arrival { entry, bytes, short, channel, ordinal, windows, port })
    }

    /// Takes the next record if it lies in the lane and is neither a message nor large.
    #[inline]
    pub(crate) fn take_small(&mut self) -> Option<Record> {
        let Self { link: Link::Lanes(ends), backlog, .. } = self else { return None };
        if !backlog.is_empty() {
            return None;
        }
        let entry = ends.consumer.entry()?;
        let bytes = entry.peek(Record::bytes_of_small)?;
        Some(entry.take(bytes, |record, _| record))
    }

    /// Takes the next record.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Incoming> {
        let Link::Lanes(ends) = &mut self.link else {
            let incoming = self.backlog.pop_front()?;
            self.backlog_bytes -= incoming.bytes().unwrap_or(0);
            return Some(incoming);
        };
        let incoming = match self.backlog.pop_front() {
            Some(incoming) => incoming,
            None => ends.consumer.pop(|record, tail| Incoming::new(record, tail.pieces()))?,
        };
        if let Some(bytes) = incoming.bytes() {
            ends.consumer.consumed(bytes);
        }
        Some(incoming)
    }

    /// Whether there is a record to take.
    #[inline(always)]
    pub(crate) fn has_record(&mut self) -> bool {
        !self.backlog.is_empty()
            || match &mut self.link {
                Link::Lanes(ends) => ends.consumer.ready(),
                Link::Own => false,
            }
    }

    /// Takes what lies in the lane into the backlog, up to the end of the last
    /// segment linked by now: a peer that goes on posting cannot extend it. Gives the
    /// credits among it instead of queueing them.
    pub(crate) fn absorb(&mut self) -> Vec<Signal> {
        let mut credits = Vec::new();
        let Link::Lanes(ends) = &mut self.link else { return credits };
        let frontier: Frontier<Record> = ends.consumer.frontier();
        while let Some(incoming) =
            ends.consumer.pop_within(&frontier, |record, tail| Incoming::new(record, tail.pieces()))
        {
            match incoming {
                Incoming::Signal(signal @ Signal::Credit { .. }) => {
                    ends.consumer.consumed(0);
                    credits.push(signal);
                }
                incoming => self.backlog.push_back(incoming),
            }
        }
        credits
    }

    /// Queues something of the loop's own behind what was taken so far.
    pub(crate) fn queue(&mut self, incoming: Incoming) {
        self.backlog.push_back(incoming);
    }

    pub(crate) fn backlog(&self) -> impl Iterator<Item = &Incoming> {
        self.backlog.iter()
    }

    /// Tells the peer's budget what was taken.
    pub(crate) fn publish_taken(&mut self) {
        if let Link::Lanes(ends) = &mut self.link
            && !mutant("taken-and-never-told")
        {
            ends.consumer.publish_consumed();
        }
    }

    /// Has the peer ring for what it sends from now on, and gives back spare memory.
    pub(crate) fn arm(&mut self) {
        if let Link::Lanes(ends) = &mut self.link {
            ends.consumer.shrink();
            ends.armer.arm();
        }
    }

    /// Records and bytes sent and not known to be taken.
    pub(crate) fn outstanding(&self) -> (u64, u64) {
        match &self.link {
            Link::Lanes(ends) => ends.producer.outstanding(),
            Link::Own => (self.backlog.len() as u64, self.backlog_bytes),
        }
    }

    #[inline]
    pub(crate) fn accepted(&self, channel: Channel) -> Option<&Accepted> {
        let accepted = self.accepted.get(channel.0.index as usize)?.as_ref()?;
        (accepted.generation == channel.0.generation).then_some(accepted)
    }

    /// Frees a channel that this side opened.
    #[inline]
    pub(crate) fn remove_opened(&mut self, channel: Channel) -> Option<Leg> {
        if !self.windows.is_empty() {
            self.windows.remove(&channel);
        }
        self.opened.remove(channel.0)
    }

    pub(crate) fn accepted_mut(&mut self, channel: Channel) -> Option<&mut Accepted> {
        let accepted = self.accepted.get_mut(channel.0.index as usize)?.as_mut()?;
        (accepted.generation == channel.0.generation).then_some(accepted)
    }

    /// Whether no channel that we took has this one's slot.
    pub(crate) fn is_vacant(&self, channel: Channel) -> bool {
        self.accepted.get(channel.0.index as usize).is_none_or(Option::is_none)
    }

    #[inline]
    pub(crate) fn set_accepted(&mut self, channel: Channel, accepted: Accepted) {
        let index = channel.0.index as usize;
        if self.accepted.len() <= index {
            let more = index + 1 - self.accepted.len();
            grow_gently(&mut self.accepted, more);
            self.accepted.resize_with(index + 1, || None);
        }
        self.accepted[index] = Some(accepted);
    }

    pub(crate) fn remove_accepted(&mut self, channel: Channel) -> Option<Accepted> {
        let slot = self.accepted.get_mut(channel.0.index as usize)?;
        slot.take_if(|accepted| accepted.generation == channel.0.generation)
    }

    /// The channels that the peer opened and this side took.
    pub(crate) fn all_accepted(&self) -> impl Iterator<Item = (Channel, &Accepted)> {
        self.accepted.iter().zip(0..).filter_map(|(accepted, index)| {
            let accepted = accepted.as_ref()?;
            let key = Key { index, generation: accepted.generation };
            Some((Channel(key), accepted))
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        discard_all(self.backlog.drain(..));
    }
}
