//! Taking events: polling the lanes in turn.

use super::EventLoop;
use super::incoming::Received;
use crate::concurrent::bell::Source;
use crate::event::{Event, Place};
use crate::event_loop::peer::{Arrival, Missed, Peer};
use crate::event_loop::port::{PeerIndex, PortState};
use crate::payload::discard;
use crate::sync::mutant;

/// Records taken from one peer before the next has its turn.
const BATCH: u32 = 64;

/// Where the loop is in its round over the polled peers.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// The position in the list of polled peers.
    position: usize,
    /// Whether the peer there has its turn.
    turning: bool,
    /// Records that it may still give in this turn.
    pub(super) left: u32,
    /// Whether anything was found, or a peer added, since the round began.
    pub(super) found: bool,
}

impl EventLoop {
    /// The next event, or `None` when there is nothing now. After `None` anything new
    /// calls the waker, once; so the embedder takes events until `None` and then may
    /// sleep. A handler may call anything on this loop before it takes the next event.
    ///
    /// To be told "nothing" is not cheap: the lanes are armed first, which where the system has
    /// `membarrier` interrupts the process's other running threads, some 16 microseconds on a virtual
    /// machine. A main loop that expects an answer at once does better to ask
    /// [`try_next_event`](Self::try_next_event) for a moment before it asks this, as [`wait`](Self::wait) does.
    ///
    /// Event loops that sent something have their turn in batches of 64, the loop's
    /// own messages to itself included, so a flood from one holds up no other.
    /// Allocates nothing for a message.
    ///
    /// An event holds a short message in itself, so it is some two hundred bytes large. Match on a
    /// reference to it, as in `while let Some(event) = &event_loop.next_event()`, where it need
    /// not be kept: moving it can take as long as all the rest of a message.
    pub fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.try_next_event() {
                return Some(event);
            }
            if self.fall_asleep() {
                return None;
            }
        }
    }

    /// As [`next_event`](Self::next_event), but leaves the waker alone: after `None` nothing is
    /// called, so the embedder must ask again by itself. For a loop that spins, or looks out for a moment
    /// before it falls asleep; some ten nanoseconds where there is nothing.
    #[inline(never)]
    pub fn try_next_event(&mut self) -> Option<Event> {
        if self.fan_out.is_under_way() {
            return Place::of_event_or_none(|place| self.next_copy(place));
        }
        self.next_arrival()
    }

    /// As [`try_next_event`](Self::try_next_event), where no message is under way to several.
    #[inline(never)]
    fn next_arrival(&mut self) -> Option<Event> {
        if !self.lane_is_next() {
            return self.next_of_turns();
        }
        let event_loop = self.id;
        match self.arrival() {
            Ok(arrival) => arrival.into_event(event_loop),
            Err(Missed::ToSeveral) => self.next_to_several(),
            Err(Missed::Other) => self.next_of_turns(),
        }
    }

    /// As [`next_of_turns`](Self::next_of_turns), where the next message goes to several ports.
    #[inline(never)]
    fn next_to_several(&mut self) -> Option<Event> {
        if self.begin_fan_out(self.polled[self.round.position]) {
            return Place::of_event_or_none(|place| self.next_copy(place));
        }
        self.next_of_turns()
    }

    /// As [`try_next_event`](Self::try_next_event): turn by turn, the quick way for what is usual.
    #[inline(never)]
    pub(super) fn next_of_turns(&mut self) -> Option<Event> {
        loop {
            while self.lane_is_next() {
                let index = self.polled[self.round.position];
                // Once: whoever spins here looks at a line that is about to be taken away, and
                // each look that was on its way then is in vain.
                if !self.peers[index as usize].as_mut().is_some_and(Peer::has_record) {
                    self.round.left = 0;
                    break;
                }
                let event_loop = self.id;
                match self.arrival() {
                    Ok(arrival) => return arrival.into_event(event_loop),
                    Err(Missed::ToSeveral) => {
                        if self.begin_fan_out(index) {
                            return Place::of_event_or_none(|place| self.next_copy(place));
                        }
                    }
                    Err(Missed::Other) => {}
                }
                match self.receive_in_place(index) {
                    Received::Nothing => break,
                    Received::Record => {}
                    received => return self.event_of(received),
                }
            }
            if self.round.left > 0 || !self.events.is_empty() || self.fan_out.is_under_way() {
                let event = self.next_of_any_kind();
                if event.is_some() {
                    return event;
                }
            }
            if !self.next_turn() {
                return None;
            }
        }
    }

    /// Whether the lane of the peer that has its turn is to be looked at next.
    #[inline(always)]
    pub(super) fn lane_is_next(&self) -> bool {
        self.round.left > 0 && self.events.is_empty() && !self.fan_out.is_under_way()
    }

    /// The message that lies next in that lane where its event is good as it is.
    #[inline(always)]
    pub(super) fn arrival(&mut self) -> Result<Arrival<'_>, Missed> {
        let Self { peers, ports, contexts, round, polled, windowed, receiver_windows, service, .. } = self;
        let peer = peers[polled[round.position] as usize].as_mut().ok_or(Missed::Other)?;
        let mut arrival = peer.arrival(ports)?;
        let context = contexts.get(arrival.context).ok_or(Missed::Other)?;
        debug_assert!(ports.get(arrival.port).is_some_and(|port| port.state == PortState::Open));
        let good = context.suspended.is_none() && !context.shared.is_killed();
        if !good || (*windowed && !arrival.count(receiver_windows, &service.limits)) {
            return Err(Missed::Other);
        }
        round.left -= 1;
        round.found = true;
        Ok(arrival)
    }

    /// As [`try_next_event`](Self::try_next_event), for whatever comes, until the turn is over.
    #[inline(never)]
    pub(super) fn next_of_any_kind(&mut self) -> Option<Event> {
        loop {
            if self.fan_out.is_under_way()
                && let Some(event) = self.next_of_fan_out()
            {
                return Some(event);
            }
            // Where it lies: an event is large, and moving it costs.
            while let Some(event) = self.events.front() {
                if self.is_good(event) {
                    match *event {
                        Event::Message { port, ref payload, .. } => {
                            let bytes = payload.len() as u64;
                            self.receiver_took(port.key, bytes);
                        }
                        Event::Disconnect { port, .. } => self.remove_port(port.key),
                        _ => {}
                    }
                    return self.events.pop_front();
                }
                discard(self.events.pop_front());
            }
            if self.round.left > 0 {
                let index = self.polled[self.round.position];
                match self.receive_in_place(index) {
                    Received::Nothing => {}
                    Received::Record => continue,
                    received => return self.event_of(received),
                }
                self.round.left -= 1;
                let taken = self.peers[index as usize].as_mut().and_then(Peer::take);
                match taken {
                    Some(incoming) => {
                        self.round.found = true;
                        if let Some(event) = self.receive(index, incoming) {
                            return Some(event);
                        }
                    }
                    None => self.round.left = 0,
                }
                continue;
            }
            return None;
        }
    }

    /// Gives the next polled peer its turn; `false` when a whole round found nothing. Not inlined, as
    /// [`take_rung`](Self::take_rung): where a message is taken there is to be little else.
    #[inline(never)]
    fn next_turn(&mut self) -> bool {
        if std::mem::take(&mut self.round.turning) {
            let index = self.polled[self.round.position];
            if let Some(peer) = self.peer_mut(index) {
                peer.publish_taken();
            }
            self.round.position += 1;
        }
        if self.round.position >= self.polled.len() {
            self.round.position = 0;
            let rung = self.take_rung();
            if !std::mem::take(&mut self.round.found) && !rung {
                return false;
            }
            if self.polled.is_empty() {
                return true;
            }
        }
        self.round.turning = true;
        self.round.left = if mutant("batch-without-end") { u32::MAX } else { BATCH };
        true
    }

    /// Takes the lines that rang and the notices among them. Whether there were any.
    #[inline(never)]
    fn take_rung(&mut self) -> bool {
        self.armed = false;
        let mut control = false;
        let mut rang = false;
        let mut lanes = smallvec::SmallVec::<[_; 8]>::new();
        for source in self.shared.bell().take() {
            rang = true;
            match source {
                Source::Control => control = true,
                Source::Lane(peer) => lanes.push(peer),
            }
        }
        // First, for among the notices may be the lanes that rang.
        if control {
            self.take_notices();
        }
        // The first to ring first: where one sender heard another and then rang, what it
        // answers to comes before its answer, as far as one round can tell.
        for id in lanes.into_iter().rev() {
            if !self.peer_of.contains_key(&id) {
                // Its lanes lie in the control queue, which rings later; or it is gone.
                self.take_notices();
            }
            if let Some(&index) = self.peer_of.get(&id) {
                self.poll_peer(index);
            }
        }
        rang
    }

    /// Looks whether an event is still good, now that it is about to be handed out,
    /// and does what goes with handing it out.
    #[inline]
    pub(super) fn hand_out(&mut self, event: Event) -> Option<Event> {
        if !self.is_good(&event) {
            discard(event);
            return None;
        }
        match &event {
            Event::Message { port, payload, .. } => self.receiver_took(port.key, payload.len() as u64),
            Event::Disconnect { port, .. } => self.remove_port(port.key),
            _ => {}
        }
        Some(event)
    }

    /// Whether an event's context lives and its port is in the state that the event needs.
    #[inline]
    fn is_good(&self, event: &Event) -> bool {
        let Some(id) = event.port() else { return true };
        let Some(port) = self.ports.get(id.key) else { return false };
        let alive = self.contexts.get(port.context).is_some_and(|context| context.shared.killed().is_none());
        (alive || mutant("dead-context-handed-events"))
            && match event {
                Event::Disconnect { .. } => matches!(port.state, PortState::Ended(_)),
                // A port that went silent had what was sent to it before.
                Event::Room { .. } => port.state == PortState::Open,
                Event::Message { .. } => port.state != PortState::Leaving,
                _ => true,
            }
    }

    /// Has the loop look at a peer that has something, by whichever way it came.
    pub(super) fn poll_peer(&mut self, index: PeerIndex) {
        if let Some(peer) = self.peer_mut(index)
            && !peer.polled
        {
            peer.polled = true;
            self.polled.push(index);
            self.round.found = true;
        }
    }

    /// Takes a peer that is gone out of the round.
    pub(super) fn stop_polling(&mut self, index: PeerIndex) {
        if let Some(position) = self.polled.iter().position(|polled| *polled == index) {
            self.polled.remove(position);
            if position < self.round.position {
                self.round.position -= 1;
            } else if position == self.round.position {
                self.round.left = 0;
                self.round.turning = false;
            }
        }
    }
}
