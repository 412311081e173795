//! Which contexts two event loops have told each other of.
//!
//! A connection names its opener by its key. The opener is announced to a peer once, before its first
//! connection there: the announcement carries what is shared of it, and the peer keeps that. So connecting
//! counts no reference up that the other thread counts down: a counter that two threads
//! write costs each of them a cache line's way at every connect.
//!
//! What an opener sends to a peer stays in order, its announcement among it, so the peer
//! never meets a key that it does not know yet. A context that was killed is forgotten by the
//! notice of its death; one that was detached, with the next announcement, which rings anyway. So
//! nobody is rung for a farewell alone, and what peers keep for nothing does not grow.

use crate::ids::Key;
use crate::index::ContextShared;
use crate::sync::{Arc, mutant};
use std::mem;

/// What an event loop and one of its peers know of each other's contexts.
#[derive(Default)]
pub(crate) struct ContextTable {
    /// By index, the stamps of our contexts that the peer was told of.
    announced: Vec<Option<u32>>,
    /// Those of them that ended since the last announcement.
    ended: Vec<Key>,
    /// By index, the peer's contexts that we were told of, until they end.
    known: Vec<Option<Arc<ContextShared>>>,
}

impl ContextTable {
    /// Returns whether the peer was told of one of our contexts, whose key then names it.
    #[inline(always)]
    pub(crate) fn is_announced(&self, key: Key) -> bool {
        self.announced.get(key.index() as usize) == Some(&Some(key.stamp()))
            || mutant("stranger-named-by-its-key")
    }

    /// Notes that the peer is told of one of our contexts. Returns those that it may forget,
    /// to be sent before.
    pub(crate) fn announce(&mut self, key: Key) -> Vec<Key> {
        *place_of(&mut self.announced, key) = Some(key.stamp());
        mem::take(&mut self.ended)
    }

    /// Notes that one of our contexts ends.
    pub(crate) fn end(&mut self, key: Key) {
        let announced = self.announced.get_mut(key.index() as usize);
        let told = announced.and_then(|told| told.take_if(|stamp| *stamp == key.stamp()));
        self.ended.extend(told.map(|_| key));
    }

    /// Keeps a context that the peer announced.
    pub(crate) fn insert(&mut self, context: Arc<ContextShared>) {
        let key = context.id().key();
        let before = place_of(&mut self.known, key).replace(context);
        drop(before);
    }

    /// Returns the peer's context that a connection names; `None` for one that has ended.
    #[inline(always)]
    pub(crate) fn known(&self, key: Key) -> Option<&Arc<ContextShared>> {
        let known = self.known.get(key.index() as usize)?.as_ref();
        known.filter(|context| context.id().key() == key || mutant("known-by-index-alone"))
    }

    /// Returns the peer's contexts that we were told of and that have not ended.
    pub(crate) fn all_known(&self) -> impl Iterator<Item = &Arc<ContextShared>> {
        self.known.iter().flatten()
    }

    /// Forgets one of the peer's contexts, which has ended: nothing comes from it any more.
    pub(crate) fn forget(&mut self, key: Key) {
        if self.known(key).is_some() {
            self.known[key.index() as usize] = None;
        }
    }
}

fn place_of<T>(items: &mut Vec<Option<T>>, key: Key) -> &mut Option<T> {
    let index = key.index() as usize;
    if items.len() <= index {
        items.resize_with(index + 1, || None);
    }
    &mut items[index]
}
