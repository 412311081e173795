//! From ids to what they name and back, and the list of peers.

use super::EventLoop;
use crate::error::ContextError;
use crate::event_loop::peer::Peer;
use crate::event_loop::port::PeerIndex;
use crate::ids::{ContextId, ExtensionNumber, Key, PeerId, PortId};
use crate::shared::event_loop::Lanes;
use crate::sync::{Arc, mutant};

impl EventLoop {
    #[inline]
    pub(super) fn context_key(&self, context: ContextId) -> Result<Key, ContextError> {
        let key = context.key_in(self.id).filter(|&key| self.contexts.get(key).is_some());
        key.ok_or(ContextError::UnknownContext)
    }

    #[inline]
    pub(super) fn port_key(&self, port: PortId) -> Option<Key> {
        port.key_in(self.id)
    }

    #[inline]
    pub(super) fn context_id(&self, key: Key) -> ContextId {
        ContextId::new(self.id, key)
    }

    #[inline]
    pub(super) fn port_id(&self, key: Key) -> PortId {
        PortId::new(self.id, key)
    }

    #[inline]
    pub(super) fn peer_mut(&mut self, index: PeerIndex) -> Option<&mut Peer> {
        self.peers.get_mut(index as usize)?.as_deref_mut()
    }

    #[inline]
    pub(super) fn peer(&self, index: PeerIndex) -> Option<&Peer> {
        self.peers.get(index as usize)?.as_deref()
    }

    /// Enters a peer with its lanes, and returns its index.
    pub(super) fn add_peer(&mut self, lanes: Lanes) -> PeerIndex {
        self.enter_peer(Peer::other(lanes))
    }

    /// Returns the loop itself as its own peer, for the connections of an opener's extension. It is made when it is first
    /// needed.
    pub(super) fn own_peer(&mut self, opener: Key) -> PeerIndex {
        let opens = self.contexts.get(opener).map(|context| context.shared.number());
        self.own_peer_for(opens.unwrap_or(ExtensionNumber::WEB_PAGES))
    }

    pub(super) fn own_peer_for(&mut self, opens: ExtensionNumber) -> PeerIndex {
        match self.peer_of.get(&PeerId::new(self.id, opens)) {
            Some(&index) => index,
            None => self.enter_peer(Peer::own(Arc::clone(&self.shared), opens)),
        }
    }

    fn enter_peer(&mut self, peer: Peer) -> PeerIndex {
        let id = peer.id;
        let index = self.peers.iter().position(Option::is_none).unwrap_or(self.peers.len());
        if index == self.peers.len() {
            self.peers.push(None);
        }
        self.peers[index] = Some(Box::new(peer));
        let index = PeerIndex::try_from(index).expect("there are fewer event loops and extensions than that");
        self.peer_of.insert(id, index);
        index
    }

    /// Wakes the embedder if it may sleep, because this loop made something for itself.
    pub(super) fn made_work(&mut self) {
        if std::mem::take(&mut self.armed) && !mutant("own-work-wakes-nobody") {
            self.shared.nudge();
        }
    }
}
