//! The targets of a connect, as the index shows them.

use crate::event_loop::peer::Peer;
use crate::event_loop::port::PeerIndex;
use crate::ids::{ContextId, EventLoopId, ExtensionNumber, Key, PeerId};
use crate::index::ContextShared;
use crate::sync::Arc;
use std::collections::BTreeMap;

/// A target of the connect being made.
pub(super) struct FoundTarget {
    pub(super) key: Key,
    /// Not known yet while the target is unmet.
    pub(super) peer: PeerIndex,
    /// The context, if no lanes led to its event loop when it was found. It stays here if lanes are then made for this
    /// connect, until its mark has been looked at.
    pub(super) unmet: Option<Arc<ContextShared>>,
}

/// Collects the targets that the index shows.
pub(super) struct Search<'a> {
    /// The only target so far, if lanes lead to its event loop: the usual case.
    pub(super) only: Option<(PeerIndex, Key)>,
    /// All targets otherwise.
    pub(super) found: &'a mut Vec<FoundTarget>,
    pub(super) peers: &'a [Option<Box<Peer>>],
    pub(super) peer_of: &'a BTreeMap<PeerId, PeerIndex>,
    /// The peer found last, which probably is the next target's too.
    pub(super) last_peer: &'a mut PeerIndex,
    /// The opener, and the number of its extension.
    pub(super) own: (ContextId, ExtensionNumber),
}

impl Search<'_> {
    /// Notes a context that the index shows, unless it is the opener itself or gone.
    #[inline(always)]
    pub(super) fn note(&mut self, target: &Arc<ContextShared>) {
        let id = target.id();
        if id == self.own.0 || target.is_gone() {
            return;
        }
        match self.peer_of(id.event_loop()) {
            Some(peer) if self.only.is_none() && self.found.is_empty() => self.only = Some((peer, id.key())),
            peer => self.note_another(target, peer),
        }
    }

    #[inline(always)]
    fn peer_of(&mut self, event_loop: EventLoopId) -> Option<PeerIndex> {
        let id = PeerId::new(event_loop, self.own.1);
        match self.peers.get(*self.last_peer as usize) {
            Some(Some(peer)) if peer.id == id => Some(*self.last_peer),
            _ => self.other_peer_of(id),
        }
    }

    #[inline(never)]
    fn other_peer_of(&mut self, id: PeerId) -> Option<PeerIndex> {
        *self.last_peer = *self.peer_of.get(&id)?;
        Some(*self.last_peer)
    }

    #[cold]
    fn note_another(&mut self, target: &Arc<ContextShared>, peer: Option<PeerIndex>) {
        let first = self.only.take().map(|(peer, key)| FoundTarget { key, peer, unmet: None });
        self.found.extend(first);
        // If lanes lead to the event loop, the key suffices. Cloning the `Arc` would make the count one more cache
        // line that two threads write.
        let (peer, unmet) = match peer {
            Some(peer) => (peer, None),
            None => (0, Some(Arc::clone(target))),
        };
        self.found.push(FoundTarget { key: target.id().key(), peer, unmet });
    }
}

/// Reorders the items: every other one, then the rest backwards. Fewer than three are left as they are.
pub(super) fn there_and_back<T>(all: &mut Vec<T>) {
    if all.len() < 3 {
        return;
    }
    let (there, back): (Vec<_>, Vec<_>) =
        all.drain(..).enumerate().partition(|(position, _)| position % 2 == 0);
    all.extend(there.into_iter().chain(back.into_iter().rev()).map(|(_, one)| one));
}
