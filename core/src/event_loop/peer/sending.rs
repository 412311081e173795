//! Sending to a peer. Records that make and end connections are made in their slots, because moving one
//! that was just written fails store forwarding.

use super::{Ends, Link, Peer};
use crate::event_loop::port::ReceiverWindow;
use crate::ids::Key;
use crate::index::ContextShared;
use crate::limits::Limits;
use crate::message::{Body, MessageFlags};
use crate::name::PortName;
use crate::payload::{HEAD_BYTES, discard};
use crate::shared::event_loop::EventLoopShared;
use crate::sync::{Arc, HashMap, HashSet, mutant};
use crate::target::ConnectInfo;
use crate::wire::channel::{Channel, Route};
use crate::wire::credit::Credit;
use crate::wire::record::{ConnectMany, Record, Signal};
use std::mem;

impl Ends {
    /// Rings if the peer no longer polls. Must be called after something was pushed.
    #[inline(always)]
    fn published(&mut self, peer: &EventLoopShared) {
        if !mutant("rung-before-publishing") && self.ringer.published(peer.bell()) {
            // The peer had stopped polling, so the lane was empty.
            self.producer.shrink();
        }
    }
}

impl Peer {
    /// Sends a record. Race: the peer is gone, which drops the record, and the notice of it is on its way.
    pub(crate) fn send(&mut self, record: Record, tail: &[u8]) {
        let bytes = record.bytes();
        let (ends, peer) = self.ends();
        match ends.producer.push(record, tail, bytes) {
            // A payload's destructor may panic; the message's other receivers still get it.
            Err(refused) => discard(refused),
            Ok(()) => ends.published(peer),
        }
    }

    /// Sends a record without a tail, made and finished in its slot.
    #[inline(always)]
    fn send_in_place(&mut self, make: impl FnOnce() -> Record, bytes: u64, finish: impl FnOnce(&mut Record)) {
        let (ends, peer) = self.ends();
        if ends.producer.push_in_place(make, &[], bytes, finish) {
            ends.published(peer);
        }
    }

    /// Sends a message. The last record that is made from a long body takes the reference over, which spares a count.
    pub(crate) fn send_message(
        &mut self,
        (channel, route): (Channel, Route),
        flags: MessageFlags,
        body: &mut Body<'_>,
        last: bool,
    ) {
        let (record, tail) = Record::message(channel, route, flags, body, last);
        self.send(record, tail);
    }

    /// Returns whether a message of so many bytes, at most [`INLINE_BYTES`](crate::INLINE_BYTES), may go by
    /// [`send_short`](Self::send_short): there is a lane, whose budget admits it without a look at what was taken.
    #[inline(always)]
    pub(crate) fn takes_short(&self, bytes: usize) -> bool {
        let Link::Lanes(ends) = &self.link else { return false };
        ends.producer.fits(1, bytes as u64) && !mutant("rung-before-publishing")
    }

    /// Sends a short message through a lane, made in its slot.
    #[inline(always)]
    pub(crate) fn send_short(
        &mut self,
        (channel, route): (Channel, Route),
        flags: MessageFlags,
        bytes: &[u8],
    ) {
        let Link::Lanes(ends) = &mut self.link else { return };
        // Two calls, so that the compiler drops the code for tails from the one that has none.
        let make = move || Record::short(channel, route, flags, bytes);
        let pushed = if bytes.len() <= HEAD_BYTES {
            let finish = move |record: &mut Record| record.fill_short(bytes);
            ends.producer.push_in_place(make, &[], bytes.len() as u64, finish)
        } else {
            let finish = move |record: &mut Record| record.fill(bytes);
            ends.producer.push_in_place(make, Record::tail_of(bytes), bytes.len() as u64, finish)
        };
        if pushed {
            ends.published(&self.shared);
        }
    }

    /// Sends a record without payload.
    #[inline(always)]
    pub(crate) fn signal(&mut self, make: impl FnOnce() -> Signal) {
        self.send_in_place(move || Record::Signal(make()), 0, |_| ());
    }

    /// Has a port wait for room in the lane. Asks the peer for it, unless a question is under way.
    pub(crate) fn ask_for_room(&mut self, port: Key) {
        self.waiting.insert(port);
        if !mem::replace(&mut self.asked, true) {
            self.signal(|| Signal::AskRoom);
        }
    }

    /// Answers the peer's question for room, all before which is taken.
    pub(crate) fn answer_of_room(&mut self) {
        self.publish_taken();
        if !mutant("question-for-room-unanswered") {
            self.signal(|| Signal::RoomThere);
        }
    }

    /// Notes that the peer answered. Returns the ports that waited.
    pub(crate) fn take_waiting(&mut self) -> HashSet<Key> {
        if !mutant("room-asked-for-once") {
            self.asked = false;
        }
        mem::take(&mut self.waiting)
    }

    /// Sends the loop itself, which is this peer, a note to end a port that reaches nobody.
    pub(crate) fn no_target(&mut self, port: Key) {
        debug_assert!(self.own);
        self.send_in_place(move || Record::NoTarget { port }, 0, |_| ());
    }

    /// Sends a connection to one context.
    #[inline(always)]
    pub(crate) fn connect(
        &mut self,
        channel: Channel,
        info: ConnectInfo,
        opener: &Arc<ContextShared>,
        target: Key,
        name: &PortName,
    ) {
        self.announce(opener);
        self.unanswered += 1;
        let opener = opener.id().key();
        let make = move || Record::Connect { channel, info, opener, target, name: PortName::default() };
        self.send_in_place(make, name.as_str().len() as u64, |record| {
            if let Record::Connect { name: place, .. } = record {
                place.clone_from(name);
            }
        });
    }

    /// Sends a connection to several contexts.
    pub(crate) fn connect_many(&mut self, opener: &Arc<ContextShared>, connect: ConnectMany) {
        self.announce(opener);
        self.unanswered += u32::try_from(connect.targets.len()).unwrap_or(u32::MAX);
        self.send(Record::ConnectMany(Box::new(connect)), &[]);
    }

    /// Announces one of our contexts to the peer, once, before a connection names it by its key.
    #[inline(always)]
    fn announce(&mut self, context: &Arc<ContextShared>) {
        if !self.contexts.is_announced(context.id().key()) {
            self.announce_now(context);
        }
    }

    /// Announces one of our contexts to the peer. Does not ring: the connection that follows at once does.
    #[cold]
    fn announce_now(&mut self, context: &Arc<ContextShared>) {
        let farewells = self.contexts.announce(context.id().key()).into_iter();
        let farewells = farewells.map(|context| Record::Signal(Signal::Farewell { context }));
        let (ends, _) = self.ends();
        for record in farewells.chain([Record::Announce(Arc::clone(context))]) {
            let bytes = record.bytes();
            if let Err(refused) = ends.producer.push(record, &[], bytes) {
                discard(refused);
            }
        }
    }

    /// Returns whether the window of a port admits a message, and counts it as sent if so.
    #[inline(never)]
    pub(crate) fn windows_admit(
        &mut self,
        limits: &Limits,
        port: Key,
        (channel, route): (Channel, Route),
        bytes: usize,
        receivers: &mut HashMap<Key, ReceiverWindow>,
    ) -> bool {
        let sent = match route.receiver() {
            Some(_) => &mut receivers.entry(port).or_default().sent,
            None => &mut self.windows.entry(channel).or_default().sent,
        };
        let admitted = sent.outstanding().leaves_room(limits);
        if admitted {
            sent.total.add(Credit::one(bytes as u64));
        }
        admitted
    }

    /// Notes that a target answered a connect. It answers once, whatever became of the port.
    #[inline(always)]
    pub(crate) fn note_answer(&mut self) {
        debug_assert!(self.unanswered > 0, "it answers what was sent to it");
        if !mutant("answer-not-counted") {
            self.unanswered = self.unanswered.saturating_sub(1);
        }
    }

    /// Returns how many records and bytes are sent and not known to be taken.
    pub(crate) fn outstanding(&self) -> (u64, u64) {
        match &self.link {
            Link::Lanes(ends) => ends.producer.outstanding(),
            Link::Own => (0, 0),
        }
    }
}
