//! Which contexts two event loops have told each other of.
//!
//! A connection names its opener. The first one of an opener to a peer carries what is
//! shared of it, and the peer keeps that; the later ones carry its key. So connecting
//! counts no reference up that the other thread counts down: a counter that two threads
//! write costs each of them a cache line's way at every connect.
//!
//! What an opener sends to a peer stays in order, its introduction among it, so the peer
//! never meets a key that it does not know yet. A context that ends is forgotten by the
//! notice of its death; one that was detached, when the next is introduced. That rings
//! nobody for the farewell alone, and what peers keep for nothing does not grow.

use crate::ids::Key;
use crate::index::ContextShared;
use crate::sync::{Arc, mutant};
use std::{fmt, mem};

/// What an event loop and one of its peers know of each other's contexts.
#[derive(Default)]
pub(crate) struct Acquaintances {
    /// By index, the generations of our contexts that the peer was told of.
    introduced: Vec<Option<u32>>,
    /// Those of them that ended since the last introduction.
    ended: Vec<Key>,
    /// By index, the peer's contexts that we were told of, until they end.
    known: Vec<Option<Arc<ContextShared>>>,
}

/// An opener as its connection names it.
pub(crate) enum Introduction {
    /// For the first time.
    First(Arc<ContextShared>),
    /// And from then on.
    Known(Key),
}

impl Acquaintances {
    /// Whether the peer was told of one of our contexts, whose key then names it.
    #[inline(always)]
    pub(crate) fn is_introduced(&self, key: Key) -> bool {
        self.introduced.get(key.index() as usize) == Some(&Some(key.generation()))
            || mutant("stranger-named-by-its-key")
    }

    /// Notes that the peer is told of one of our contexts. Gives those that it may forget,
    /// to be sent before.
    pub(crate) fn introduce(&mut self, key: Key) -> Vec<Key> {
        *at(&mut self.introduced, key) = Some(key.generation());
        mem::take(&mut self.ended)
    }

    /// The peer's context that a connection names; `None` for one that has ended.
    #[inline(always)]
    pub(crate) fn meet(&mut self, introduction: Introduction) -> Option<&Arc<ContextShared>> {
        match introduction {
            Introduction::Known(key) => self.known(key),
            Introduction::First(context) => {
                let key = context.id().key;
                Some(at(&mut self.known, key).insert(context))
            }
        }
    }

    /// The peer's context that it introduced and names by its key since.
    #[inline(always)]
    pub(crate) fn known(&self, key: Key) -> Option<&Arc<ContextShared>> {
        let known = self.known.get(key.index() as usize)?.as_ref();
        known.filter(|context| context.id().key == key || mutant("known-by-index-alone"))
    }

    /// One of our contexts ends.
    pub(crate) fn part_with(&mut self, key: Key) {
        let introduced = self.introduced.get_mut(key.index() as usize);
        let told = introduced.and_then(|told| told.take_if(|generation| *generation == key.generation()));
        self.ended.extend(told.map(|_| key));
    }

    /// One of the peer's contexts has ended: nothing comes from it any more.
    pub(crate) fn forget(&mut self, key: Key) {
        if self.known(key).is_some() {
            self.known[key.index() as usize] = None;
        }
    }
}

fn at<T>(items: &mut Vec<Option<T>>, key: Key) -> &mut Option<T> {
    let index = key.index() as usize;
    if items.len() <= index {
        items.resize_with(index + 1, || None);
    }
    &mut items[index]
}

impl fmt::Debug for Introduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First(context) => f.debug_tuple("First").field(&context.id()).finish(),
            Self::Known(key) => f.debug_tuple("Known").field(key).finish(),
        }
    }
}
