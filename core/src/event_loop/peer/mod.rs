//! An event loop as another one sees it: the lanes between them and the channels on these.

mod arrival;
mod channels;
mod in_place;

pub(crate) use arrival::{Arrival, Missed};
pub(crate) use in_place::{Kind, Offer};

use crate::concurrent::bell::{Armer, Ringer};
use crate::concurrent::lane::{Consumer, Frontier, Producer};
use crate::event_loop::port::{Accepted, Leg, LegWindow, ReceiverWindow};
use crate::event_loop::slab::{LAST_GENERATION, Slab};
use crate::ids::Key;
use crate::limits::Limits;
use crate::message::Body;
use crate::message::MessageFlags;
use crate::payload::{HEAD_BYTES, discard, discard_all};
use crate::shared::event_loop::{EventLoopShared, Lanes};
use crate::sync::{Arc, HashMap, mutant};
use crate::wire::acquaintance::Acquaintances;
use crate::wire::channel::{Channel, Route};
use crate::wire::credit::Credit;
use crate::wire::incoming::Incoming;
use crate::wire::record::{Record, Signal};
use std::collections::VecDeque;

/// A peer of an event loop. The loop is its own first peer, with one lane of which it
/// holds both ends.
pub(crate) struct Peer {
    pub(crate) shared: Arc<EventLoopShared>,
    /// Whether it is the loop itself.
    own: bool,
    link: Link,
    /// What was taken out of the lane and not yet looked at; before what lies in it.
    backlog: VecDeque<Incoming>,
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
    /// To itself, as long as it has sent itself nothing.
    Own,
    Lanes(Box<Ends>),
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
    fn of(lanes: Lanes) -> (Arc<EventLoopShared>, Box<Self>) {
        let Lanes { peer, producer, ringer, consumer, line } = lanes;
        (peer, Box::new(Self { producer, ringer, consumer, armer: Armer::new(line) }))
    }

    /// As the producer knows it, where this side is the one that takes too.
    #[cold]
    fn within_by_now(&mut self, limits: &Limits) -> bool {
        self.consumer.publish_consumed();
        self.producer.within(limits.lane_records, limits.lane_bytes)
    }

    #[inline(never)]
    fn push_with_tail(&mut self, channel: Channel, route: Route, traits: MessageFlags, bytes: &[u8]) -> bool {
        let make = || Record::short(channel, route, traits, bytes);
        let tail = Record::tail_of(bytes);
        self.producer.push_in_place(make, tail, bytes.len() as u64, |record| record.fill(bytes))
    }

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
        Self::new(shared, true, Link::Own)
    }

    pub(crate) fn other(lanes: Lanes) -> Self {
        let (peer, ends) = Ends::of(lanes);
        Self::new(peer, false, Link::Lanes(ends))
    }

    fn new(shared: Arc<EventLoopShared>, own: bool, link: Link) -> Self {
        Self {
            shared,
            own,
            link,
            backlog: VecDeque::new(),
            opened: Slab::new(LAST_GENERATION),
            windows: HashMap::default(),
            accepted: Vec::new(),
            acquaintances: Acquaintances::default(),
            polled: false,
        }
    }

    /// This side's ends. Those of the lane to itself are made when they are first wanted.
    #[inline(always)]
    fn ends(&mut self) -> (&mut Ends, &EventLoopShared) {
        if matches!(self.link, Link::Own) {
            self.link = Link::Lanes(Ends::of(Lanes::to_itself(&self.shared)).1);
        }
        match &mut self.link {
            Link::Lanes(ends) => (ends, &self.shared),
            Link::Own => unreachable!("made above"),
        }
    }

    /// Sends a record that counts for `bytes`. Without effect when the peer is gone;
    /// its notice will tell.
    pub(crate) fn send(&mut self, record: Record, tail: &[u8], bytes: u64) {
        let (ends, peer) = self.ends();
        if mutant("rung-before-publishing") {
            ends.ringer.published(peer.bell());
        }
        match ends.producer.push(record, tail, bytes) {
            // A payload's destructor may panic; the message's other receivers still get it.
            Err(refused) => discard(refused),
            Ok(()) => ends.published(peer),
        }
    }

    /// Sends a message. The last record made of a body takes a long one by reference
    /// without another count. Otherwise as [`send`](Self::send).
    pub(crate) fn send_message(
        &mut self,
        (channel, route): (Channel, Route),
        traits: MessageFlags,
        body: &mut Body<'_>,
        last: bool,
    ) {
        let bytes = body.as_slice().len() as u64;
        let (record, tail) = Record::message(channel, route, traits, body, last);
        self.send(record, tail, bytes);
    }

    /// Whether a message of at most [`INLINE_BYTES`](crate::INLINE_BYTES) may go by [`send_short`](Self::send_short).
    #[inline(always)]
    pub(crate) fn takes_short(&mut self, limits: &Limits) -> bool {
        matches!(self.link, Link::Lanes(_)) && self.within_budget(limits) && !mutant("rung-before-publishing")
    }

    /// Sends a short message through a lane, the quick way.
    #[inline(always)]
    pub(crate) fn send_short(
        &mut self,
        (channel, route): (Channel, Route),
        traits: MessageFlags,
        bytes: &[u8],
    ) {
        let Link::Lanes(ends) = &mut self.link else { return };
        // Told apart here, so that the one without a tail has nothing to do with it.
        let pushed = if bytes.len() <= HEAD_BYTES {
            let make = || Record::short(channel, route, traits, bytes);
            ends.producer.push_in_place(make, &[], bytes.len() as u64, |record| record.fill_short(bytes))
        } else {
            ends.push_with_tail(channel, route, traits, bytes)
        };
        if pushed {
            ends.published(&self.shared);
        }
    }

    /// Whether the window of a port admits a message, which then counts as sent.
    #[inline(never)]
    pub(crate) fn windows_admit(
        &mut self,
        limits: &Limits,
        port: Key,
        (channel, route): (Channel, Route),
        bytes: usize,
        receivers: &mut HashMap<Key, ReceiverWindow>,
    ) -> bool {
        let outstanding = match route.receiver() {
            Some(_) => &mut receivers.entry(port).or_default().outstanding,
            None => &mut self.windows.entry(channel).or_default().outstanding,
        };
        let admitted = outstanding.leaves_room(limits);
        if admitted {
            outstanding.add(Credit::one(bytes as u64));
        }
        admitted
    }

    /// Whether the lane's budget admits a message or a connect.
    #[inline(always)]
    pub(crate) fn within_budget(&mut self, limits: &Limits) -> bool {
        match &mut self.link {
            Link::Lanes(ends) => {
                ends.producer.within(limits.lane_records, limits.lane_bytes)
                    || (self.own && ends.within_by_now(limits))
            }
            Link::Own => limits.lane_records > 0 && limits.lane_bytes > 0,
        }
    }

    /// Takes the next record.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Incoming> {
        let Link::Lanes(ends) = &mut self.link else { return self.backlog.pop_front() };
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
    /// credits among it instead of queueing them, but for the loop's own.
    pub(crate) fn absorb(&mut self) -> Vec<Signal> {
        let mut credits = Vec::new();
        let Link::Lanes(ends) = &mut self.link else { return credits };
        let frontier: Frontier<Record> = ends.consumer.frontier();
        while let Some(incoming) =
            ends.consumer.pop_within(&frontier, |record, tail| Incoming::new(record, tail.pieces()))
        {
            match incoming {
                Incoming::Signal(signal @ Signal::Credit { .. }) if !self.own => {
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
            Link::Own => (0, 0),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        discard_all(self.backlog.drain(..));
    }
}
