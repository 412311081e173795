//! Notices: what other threads tell an event loop beside records.

use super::EventLoop;
use super::deliver::Taken;
use crate::event::{EndedPort, Event};
use crate::event_loop::peer::{Gone, Peer};
use crate::event_loop::port::{PeerIndex, TargetState};
use crate::ids::{EventLoopId, Key, PeerId, PortId};
use crate::reason::DisconnectReason;
use crate::shared::event_loop::Notice;
use crate::sync::{Arc, mutant};
use smallvec::SmallVec;

/// How many peers are looked at one by one.
const FEW_PEERS: usize = if cfg!(port_core_model) { 1 } else { 8 };

impl EventLoop {
    /// Takes the notices in the control queue, in order.
    pub(super) fn take_notices(&mut self) {
        if !self.waiting_for_pool.is_empty() {
            self.pool_has_room();
        }
        let notices = self.shared.take_notices();
        // Race: a background got ready and then connected to a context here, so its lanes come behind the word that it
        // is ready. What waited for it needs them.
        let (peers, others): (Vec<_>, Vec<_>) = notices.into_iter().partition(|notice| {
            matches!(notice, Notice::Peer(_)) && !mutant("lanes-behind-the-word-that-needs-them")
        });
        for notice in peers.into_iter().chain(others) {
            match notice {
                Notice::Peer(lanes) => {
                    let index = self.add_peer(*lanes);
                    self.poll_peer(index);
                }
                Notice::ContextsGone { event_loop, contexts, reason } => {
                    if event_loop == self.id {
                        for &context in &*contexts {
                            self.own_context_gone(context, reason);
                        }
                    }
                    self.cut_off(event_loop, Gone::Contexts(contexts, reason));
                }
                Notice::SomeContextsGone { event_loop, reason } => {
                    self.some_contexts_gone(event_loop, reason);
                }
                Notice::EventLoopGone(event_loop, reason) if event_loop == self.id => {
                    for key in self.contexts.keys() {
                        self.own_context_gone(key, reason);
                    }
                }
                Notice::EventLoopGone(event_loop, reason) => self.cut_off(event_loop, Gone::Peer(reason)),
                Notice::Suspend(contexts) => {
                    for context in contexts {
                        self.suspend(context);
                    }
                }
                Notice::Resume(contexts) => {
                    for context in contexts {
                        self.resume(context);
                    }
                }
                Notice::BackgroundReady(instance) => self.connect_waiting(instance),
                Notice::BackgroundGivenUp { instance, start, reason } => {
                    self.end_waiting(instance, start, reason);
                }
            }
        }
    }

    fn own_context_gone(&mut self, key: Key, reason: DisconnectReason) {
        // Collected first, because ending the context frees its ports.
        let context = self.context_id(key);
        let data = |port: PortId| EndedPort { port, data: self.port_data.get(port.key()) };
        let ports = self.ports_of(context).map(data).collect();
        let context_data = self.contexts.get(key).map_or(0, |context| context.data);
        if self.end_context(key, reason) || mutant("context-ends-twice") {
            self.events.push_back(Event::ContextGone { context, reason, context_data, ports });
        }
    }

    /// Finds out which contexts of a peer are gone, of those that have to do with ours, and cuts them off.
    ///
    /// Killed contexts left the peer's registry before the notice was sent. One that its owner detached has left it
    /// too, after it put its last word into the lane, which comes before the cut.
    fn some_contexts_gone(&mut self, event_loop: EventLoopId, reason: DisconnectReason) {
        for index in self.peers_at(event_loop) {
            self.some_contexts_gone_at(index, reason);
        }
    }

    /// Returns the peers that an event loop is. Race: none, if it went as well and its own cut was applied already.
    fn peers_at(&self, event_loop: EventLoopId) -> SmallVec<[PeerIndex; 4]> {
        let most = if mutant("end-told-on-one-lane") { 1 } else { usize::MAX };
        // To look at a few is quicker than to look one up.
        if self.peers.len() > FEW_PEERS {
            let peers = self.peer_of.range(PeerId::all_of(event_loop)).map(|(_, &index)| index);
            return peers.take(most).collect();
        }
        let mut found = SmallVec::new();
        for (peer, index) in self.peers.iter().zip(0..) {
            if peer.as_ref().is_some_and(|peer| peer.id.event_loop() == event_loop) && found.len() < most {
                found.push(index);
            }
        }
        found
    }

    fn some_contexts_gone_at(&mut self, index: PeerIndex, reason: DisconnectReason) {
        let Some(peer) = self.peer(index) else {
            debug_assert!(false, "a peer is there until it is cut off");
            return;
        };
        let legs = peer.opened.iter().flat_map(|(_, leg)| &*leg.targets);
        let targets = legs.filter(|target| !target.state.is_gone()).map(|target| target.context);
        let openers = peer.contexts.all_known().map(|context| context.id().key());
        let mut gone: Vec<(DisconnectReason, Vec<Key>)> = Vec::new();
        for key in peer.shared.ended(targets.chain(openers)) {
            // Openers carry the mark that says why.
            let why = peer.contexts.known(key).and_then(|context| context.killed()).unwrap_or(reason);
            match gone.iter_mut().find(|(known, _)| *known == why) {
                Some((_, contexts)) => contexts.push(key),
                None => gone.push((why, vec![key])),
            }
        }
        for (reason, contexts) in gone {
            self.cut(index, Gone::Contexts(Arc::new(contexts), reason));
        }
    }

    fn cut_off(&mut self, event_loop: EventLoopId, gone: Gone) {
        let peers = self.peers_at(event_loop);
        if let Some((last, others)) = peers.split_last() {
            others.iter().for_each(|index| self.cut(*index, gone.clone()));
            self.cut(*last, gone);
        }
    }

    /// Notes what ended at a peer. It takes effect after what the peer has sent by now.
    pub(super) fn cut(&mut self, index: PeerIndex, gone: Gone) {
        if let Some(peer) = self.peer_mut(index) {
            peer.cut(gone);
            self.poll_peer(index);
        }
    }

    /// Applies the cuts that are due before the next record of a peer. Returns how many records come
    /// before the cut after these.
    #[inline]
    pub(super) fn apply_cuts_due(&mut self, index: PeerIndex) -> u64 {
        loop {
            // No cut is noted, or the last was that of the peer itself.
            let Some(before) = self.peer(index).and_then(Peer::records_before_cut) else { return u64::MAX };
            if before > 0 {
                return before;
            }
            self.apply_next_cut(index);
        }
    }

    /// Applies the next cut of a peer whose lane is empty, if there is one.
    #[cold]
    pub(super) fn apply_next_cut(&mut self, index: PeerIndex) -> Taken {
        match self.peer_mut(index).and_then(Peer::take_cut) {
            Some(gone) => {
                self.apply_cut(index, gone);
                Taken::Record
            }
            None => Taken::Nothing,
        }
    }

    #[cold]
    fn apply_cut(&mut self, index: PeerIndex, gone: Gone) {
        self.round.found = true;
        match gone {
            Gone::Contexts(contexts, reason) => {
                self.end_with(index, Some(&contexts), reason);
                if let Some(peer) = self.peer_mut(index) {
                    contexts.iter().for_each(|context| peer.contexts.forget(*context));
                }
            }
            Gone::Peer(reason) => {
                self.end_with(index, None, reason);
                if let Some(id) = self.peer(index).map(|peer| peer.id) {
                    self.peer_of.remove(&id);
                }
                self.stop_polling(index);
                self.release_channels(index);
                // Drops the lanes, with what is left in them.
                if !mutant("gone-peer-kept") {
                    self.peers[index as usize] = None;
                    self.fan_out.note_change();
                }
            }
        }
    }

    /// Ends the connections between our contexts and those of a peer that are gone, or all with that peer.
    fn end_with(&mut self, index: PeerIndex, gone: Option<&[Key]>, reason: DisconnectReason) {
        let Some(peer) = self.peer(index) else {
            debug_assert!(false, "a peer is there until it is cut off");
            return;
        };
        // One context after the other, each in the order in which its channels were opened: so do browsers.
        let (targets, channels): (Vec<_>, Vec<_>) = match gone {
            Some(contexts) => (
                contexts.iter().flat_map(|context| peer.leading_to(*context)).collect(),
                contexts.iter().flat_map(|context| peer.accepted.of(*context)).collect(),
            ),
            None => (
                peer.leading_anywhere().collect(),
                peer.accepted.iter().map(|(channel, _)| channel).collect(),
            ),
        };
        if gone.is_none() && !self.unanswered.is_empty() {
            self.note_all_lost(index);
        }
        for (channel, ordinal) in targets {
            if !self.unanswered.is_empty() {
                if gone.is_some() && self.awaits_word_of(index, channel, ordinal, reason) {
                    continue;
                }
                self.note_answered(index, channel, ordinal);
            }
            self.target_gone(index, channel, ordinal, reason, TargetState::Lost);
        }
        for channel in channels {
            self.end_channel(index, channel, reason);
        }
    }
}
