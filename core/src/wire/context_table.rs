//! Which contexts two event loops have told each other of.
//!
//! A connection names its opener by its key. The opener is announced to a peer once, before its first
//! connection there: the announcement carries the shared part of the context, and the peer keeps it. So a connect
//! increments no reference count that the other thread decrements. Such a counter would cost each of the
//! two threads the transfer of a cache line at every connect.
//!
//! What an opener sends to a peer stays in order, and so does its announcement, so the peer
//! never meets a key that it does not know yet. The peer forgets a killed context when it takes the
//! notice of its end. It forgets a detached one just before the sender's next announcement, which wakes it anyway. So
//! a farewell alone wakes nobody, and the contexts that a peer keeps in vain do not add up.

use crate::ids::Key;
use crate::index::ContextShared;
use crate::sync::{Arc, mutant};
use std::mem;

/// What an event loop and one of its peers know of each other's contexts.
#[derive(Default)]
pub(crate) struct ContextTable {
    /// The stamps of our contexts that the peer was told of, by index.
    announced: Vec<Option<u32>>,
    /// Announced contexts that ended since the last announcement.
    ended: Vec<Key>,
    /// The peer's contexts that we were told of, by index, until they end.
    known: Vec<Option<Arc<ContextShared>>>,
}

impl ContextTable {
    /// Returns whether the peer was told of one of our contexts, whose key then names it.
    #[inline(always)]
    pub(crate) fn is_announced(&self, key: Key) -> bool {
        self.announced.get(key.index() as usize) == Some(&Some(key.stamp()))
            || mutant("stranger-named-by-its-key")
    }

    /// Notes that the peer is told of one of our contexts. Returns those that it may forget:
    /// the caller sends their farewells first.
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

    /// Returns the peer's context that a connection names; `None` if it has ended.
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
