//! Room: how a port hears that it may post again.
//!
//! A window has room once a credit says so. No record says how much of a lane was taken, so a loop asks a peer whose lane is
//! full: one question at a time, however many ports wait for the answer. It passes the full lane. When the peer takes
//! it, all that lay before it is taken; the peer publishes that and answers.

use super::EventLoop;
use super::deliver::{Heard, Hears, may_hear};
use crate::event::Event;
use crate::event_loop::port::{PeerIndex, Side};
use crate::ids::Key;
use crate::sync::mutant;
use std::mem;

impl EventLoop {
    /// Returns whether every window of a port admits a message.
    pub(super) fn has_room(&self, key: Key) -> bool {
        let Some(port) = self.ports.get(key) else { return true };
        match &port.side {
            Side::Receiver(_) => self
                .receiver_windows
                .get(&key)
                .is_none_or(|window| window.sent.outstanding().leaves_room(&self.service.limits)),
            Side::Opener(opener) => opener
                .legs
                .iter()
                .take(if mutant("window-of-the-first-leg-alone") { 1 } else { usize::MAX })
                .all(|leg| {
                    self.peer(leg.peer)
                        .and_then(|peer| peer.windows.get(&leg.channel))
                        .is_none_or(|window| window.sent.outstanding().leaves_room(&self.service.limits))
                }),
        }
    }

    /// Returns the first peer on a port's ways whose lane does not admit a message of so many bytes. If it
    /// `counts`, it is sent next where all do.
    pub(super) fn full_peer(&mut self, key: Key, bytes: usize, counts: bool) -> Option<PeerIndex> {
        let Self { ports, contexts, peers, service, .. } = self;
        let port = ports.get(key)?;
        let context = &contexts.get(port.context)?.shared;
        let is_full = |index: &PeerIndex| {
            let peer = peers[*index as usize].as_mut();
            peer.is_some_and(|peer| !peer.admits_message(&service.limits, context, bytes, counts))
        };
        match &port.side {
            Side::Opener(opener) => opener.legs.iter().map(|leg| leg.peer).find(is_full),
            Side::Receiver(receiver) => Some(receiver.peer).filter(is_full),
        }
    }

    /// Notes that a post was refused for want of room.
    pub(super) fn want_room(&mut self, key: Key) {
        if let Some(port) = self.ports.get_mut(key) {
            port.wants_room = true;
        }
    }

    /// Has a port wait until a peer has taken what lies in the lane to it.
    pub(super) fn ask_for_room(&mut self, key: Key, index: PeerIndex) {
        self.want_room(key);
        let Some(peer) = self.peer_mut(index) else { return };
        let lacking = peer.lacks();
        // Race: the pool was asked for what lay in the lane as far as was known, and the peer may have taken it. And what a
        // lane has of its own comes back without a word from the pool.
        if lacking.is_none_or(|lacking| lacking.beside_others && !mutant("waits-for-the-pool-alone")) {
            peer.ask_for_room(key);
        }
        if let Some(lacking) = lacking {
            self.wait_for_pool(key, lacking.bytes);
        }
    }

    /// Has a port wait until somebody gives something back to the pool, which lacks so many bytes.
    #[cold]
    pub(super) fn wait_for_pool(&mut self, key: Key, lacking: u64) {
        let Some(extension) = self.draws_for(key) else { return };
        self.waiting_for_pool.insert(key);
        // Ports that ended meanwhile are still among them.
        if self.waiting_for_pool.len() > self.ports.allowed() as usize {
            let ports = &self.ports;
            self.waiting_for_pool.retain(|waiting| ports.get(*waiting).is_some());
        }
        if !self.service.pool.wait(&self.shared, lacking, extension) {
            self.shared.nudge();
        }
    }

    /// Tells the ports that waited for the pool, or lets them wait on.
    pub(super) fn pool_has_room(&mut self) {
        for port in mem::take(&mut self.waiting_for_pool) {
            self.tell_of_room(port);
        }
    }

    /// Tells a context that a port it could not post on has room again, or asks for it where a lane is still full.
    pub(super) fn tell_of_room(&mut self, key: Key) {
        let Some(port) = self.ports.get(key).filter(|port| port.wants_room) else { return };
        // A page in the cache is told when it comes back: else it would hold an event for each time that it was told.
        let hears = may_hear(self.contexts.get(port.context), port.state, Heard::Room) == Hears::Now;
        if !hears || !self.has_room(key) {
            return;
        }
        if let Some(full) = self.full_peer(key, 0, false)
            && !mutant("room-told-of-a-full-lane")
        {
            return self.ask_for_room(key, full);
        }
        if let Some(port) = self.ports.get_mut(key) {
            port.wants_room = false;
            let context = port.context;
            let (context, port) = (self.context_id(context), self.port_id(key));
            self.emit(Event::Room { context, port, context_data: 0, port_data: 0 });
        }
    }

    /// Tells the ports that waited for a peer, which has answered.
    pub(super) fn room_there(&mut self, index: PeerIndex) {
        let Some(peer) = self.peer_mut(index) else { return };
        for port in peer.take_waiting() {
            self.tell_of_room(port);
        }
    }
}
