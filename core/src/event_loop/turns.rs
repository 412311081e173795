//! Turns: the round over the peers that have something.

use super::EventLoop;
use crate::concurrent::bell::Source;
use crate::event_loop::port::PeerIndex;
use crate::sync::mutant;

/// How many records are taken from one peer, and events made of them, before it is the next one's turn.
const BATCH: u32 = 2;

/// How many if there is no other, whom that could hold up.
const BATCH_ALONE: u32 = 64;

/// Where the loop is in its round over the polled peers.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// The position in the list of polled peers.
    position: usize,
    /// The peer at that position, if it is its turn.
    pub(super) peer: PeerIndex,
    /// `true` if it is that peer's turn.
    turning: bool,
    /// How many more records it may give in this turn; events beyond one per record count too.
    pub(super) left: u32,
    /// `true` if anything was found, or a peer added, since the round began.
    pub(super) found: bool,
    /// `true` if a look for an event was broken off, because nobody hears what is taken.
    pub(super) interrupted: bool,
}

impl Round {
    /// Counts a record that is taken in this turn.
    #[inline(always)]
    pub(super) fn count_record(&mut self) {
        self.left -= 1;
        self.found = true;
    }

    /// Counts events that a record makes.
    pub(super) fn count_events(&mut self, events: usize) {
        #[allow(clippy::cast_possible_truncation, reason = "a loop holds fewer ports than that")]
        let events = events as u32;
        self.left = self.left.saturating_sub(events);
    }
}

impl EventLoop {
    /// Gives the next polled peer its turn. Returns `false` when a whole round found nothing. Not inlined, nor is
    /// [`take_rung`](Self::take_rung): inlined, they slowed down the messages that do not come to them, and a round
    /// trip took between 350 and 420 ns, depending on unrelated changes.
    #[inline(never)]
    pub(super) fn advance_turn(&mut self) -> bool {
        if std::mem::take(&mut self.round.turning) {
            if let Some(peer) = self.peer_mut(self.round.peer) {
                peer.publish_taken();
            }
            self.round.position += 1;
        }
        if self.round.position >= self.polled.len() {
            self.round.position = 0;
            let rung = self.take_rung();
            if !std::mem::take(&mut self.round.found) && !rung {
                self.round.interrupted = false;
                return false;
            }
            // What the notices made is handed out before what the peers have sent.
            if self.polled.is_empty() || !self.events.is_empty() {
                return true;
            }
        }
        self.round.turning = true;
        let batch = if self.polled.len() > 1 { BATCH } else { BATCH_ALONE };
        self.round.left = if mutant("batch-without-end") { u32::MAX } else { batch };
        self.round.peer = self.polled[self.round.position];
        let before_cut = self.apply_cuts_due(self.round.peer);
        // The batch stops at the next cut, so that what goes there ends before later records. If the peer itself
        // went just now, it was taken out of the round, and its turn is over.
        self.round.left =
            u32::try_from(before_cut).map_or(self.round.left, |before| self.round.left.min(before));
        true
    }

    /// Takes the lines that rang, and the notices if the control line is among them. Returns whether any rang.
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
        // Notices first: they may bring the lanes that rang.
        if control {
            self.take_notices();
        }
        // In the order in which they rang: if a sender heard another and then rang, what it answers to is
        // taken before its answer, as far as one round can tell.
        for id in lanes.into_iter().rev() {
            if !self.peer_of.contains_key(&id) {
                // Race: the peer's lanes are still in the control queue, whose line rings later; or the peer is gone.
                self.take_notices();
            }
            if let Some(&index) = self.peer_of.get(&id) {
                self.poll_peer(index);
            }
        }
        rang
    }

    /// Polls a peer from now on, because it has something.
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
            // Those after it move up by one, so the position moves with them.
            self.polled.remove(position);
            if position < self.round.position {
                self.round.position -= 1;
            } else if position == self.round.position {
                self.round.left = 0;
                self.round.turning = false;
            }
        }
    }

    /// Arms every polled lane, looks once more, and arms the bell. Returns `false` when there
    /// was something after all. An armed lane costs nothing until it rings.
    pub(super) fn fall_asleep(&mut self) -> bool {
        if !self.polled.is_empty() {
            for &index in &self.polled {
                if let Some(peer) = self.peers[index as usize].as_mut() {
                    peer.arm();
                }
            }
            self.shared.bell().look_again();
        }
        // Race: a peer posted before it could see that its lane is armed, so it will not ring. It is found here.
        let peers = &mut self.peers;
        self.polled.retain(|&index| {
            let Some(peer) = peers[index as usize].as_mut() else { return false };
            peer.polled = peer.has_something() && !mutant("asleep-without-a-second-look");
            peer.polled
        });
        self.round = Round::default();
        if self.polled.is_empty() && self.events.is_empty() {
            self.armed = self.shared.bell().arm();
        }
        self.armed
    }
}
