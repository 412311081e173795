//! The control queue of an event loop: notices that wait for it, merged where a hung loop takes none.

use crate::ids::{EventLoopId, Key};
use crate::reason::DisconnectReason;
use crate::shared::event_loop::{Lanes, Notice};
use crate::sync::{Arc, HashMap, mutant};

/// How many notices, and contexts named in them, wait before they are merged. Two in models, so that they see it.
const MERGED_AT: usize = if cfg!(port_core_model) { 2 } else { 1_024 };

/// How many ended contexts of one peer are named one by one. Where more wait, one notice says that some are gone, and
/// the loop asks the peer's registry which.
const NAMED_PER_PEER: usize = if cfg!(port_core_model) { 1 } else { 1_024 };

/// How many peers that the loop never met, and that are over, wait to be met. What others had sent is forgotten. One in
/// models.
const STRANGERS_OVER: usize = if cfg!(port_core_model) { 1 } else { 64 };

/// Notices in order. Nothing in it runs anybody's code but what is returned, when that is dropped.
pub(super) struct ControlQueue {
    owner: EventLoopId,
    notices: Vec<Notice>,
    /// Notices and contexts named in them.
    waiting: usize,
    /// What `waiting` may become before notices are merged: twice what the last time left, so that each is looked at
    /// a few times at most.
    merged_at: usize,
    /// How many peers wait both to be met and to be known as over.
    strangers_over: usize,
}

impl ControlQueue {
    pub(super) const fn new(owner: EventLoopId) -> Self {
        Self { owner, notices: Vec::new(), waiting: 0, merged_at: MERGED_AT, strangers_over: 0 }
    }

    pub(super) fn push(&mut self, notice: Notice) {
        self.waiting += weight(&notice);
        self.notices.push(notice);
        if self.waiting > self.merged_at {
            self.merge();
        }
    }

    /// Appends that a peer is over. Returns what need not be told any more: everything of that peer, if the loop has
    /// not met it and enough such peers wait. So loops that come and go add nothing while this one hangs.
    pub(super) fn push_over(&mut self, peer: EventLoopId, reason: DisconnectReason) -> Vec<Notice> {
        let is_stranger = self
            .notices
            .iter()
            .any(|notice| matches!(notice, Notice::Peer(lanes) if lanes.first && lanes.peer.id() == peer));
        if !is_stranger || self.strangers_over < STRANGERS_OVER {
            self.strangers_over += usize::from(is_stranger);
            self.push(Notice::EventLoopGone(peer, reason));
            return Vec::new();
        }
        let is_of_it = |notice: &mut Notice| match notice {
            Notice::Peer(lanes) => lanes.peer.id() == peer,
            Notice::ContextsGone { event_loop, .. } | Notice::SomeContextsGone { event_loop, .. } => {
                *event_loop == peer
            }
            _ => false,
        };
        let forgotten: Vec<_> = self.notices.extract_if(.., is_of_it).collect();
        self.waiting -= forgotten.iter().map(weight).sum::<usize>();
        forgotten
    }

    /// Notes that the loop has met a peer, whose first lanes may still wait: it made others itself. When that is over, the
    /// loop must know.
    pub(super) fn meet(&mut self, peer: EventLoopId) {
        for notice in &mut self.notices {
            if let Notice::Peer(lanes) = notice
                && lanes.peer.id() == peer
            {
                lanes.first = false;
            }
        }
    }

    pub(super) fn take(&mut self) -> Vec<Notice> {
        self.strangers_over = 0;
        self.waiting = 0;
        self.merged_at = MERGED_AT;
        std::mem::take(&mut self.notices)
    }

    /// Takes the lanes that peers created, leaving other notices in place.
    pub(super) fn take_new_peers(&mut self) -> Vec<Lanes> {
        let peers = self.notices.extract_if(.., |notice| {
            matches!(notice, Notice::Peer(_)) || mutant("notices-lost-with-new-peers")
        });
        let lanes = peers.filter_map(|notice| match notice {
            Notice::Peer(lanes) => Some(*lanes),
            _ => None,
        });
        let lanes: Vec<_> = lanes.collect();
        self.strangers_over = 0;
        self.waiting -= lanes.len();
        lanes
    }

    /// Takes everything but which of the loop's own contexts ended.
    pub(super) fn keep_own_ends(&mut self) -> Vec<Notice> {
        let owner = self.owner;
        let ends = |notice: &Notice| matches!(notice, Notice::ContextsGone { event_loop, .. } if *event_loop == owner);
        let (kept, taken) = self.take().into_iter().partition(ends);
        self.notices = kept;
        self.waiting = self.notices.iter().map(weight).sum();
        taken
    }

    #[cold]
    fn merge(&mut self) {
        self.forget_earlier_page_changes();
        self.merge_ends();
        self.waiting = self.notices.iter().map(weight).sum();
        self.merged_at = MERGED_AT.max(self.waiting * 2);
    }

    /// Keeps the last two page changes of each context: went and came back, or came back and went. They leave it where all of
    /// them would have; and where a page's ports end with its going into the cache, one going ends as much as many, for
    /// the loop made no port in between.
    fn forget_earlier_page_changes(&mut self) {
        let mut later = HashMap::<Key, u32>::default();
        for notice in self.notices.iter_mut().rev() {
            if let Notice::Suspend(contexts) | Notice::Resume(contexts) = notice {
                contexts.retain(|&context| {
                    let seen = later.entry(context).or_default();
                    *seen += 1;
                    *seen <= 2
                });
            }
        }
        self.notices.retain(|notice| {
            !matches!(notice, Notice::Suspend(contexts) | Notice::Resume(contexts) if contexts.is_empty())
        });
    }

    /// Merges the notices of each peer's ended contexts. Those of the loop's own contexts stay: they are as many as
    /// it has contexts, and their order among the page changes counts.
    fn merge_ends(&mut self) {
        let owner = self.owner;
        let mut named = HashMap::<EventLoopId, usize>::default();
        for notice in &self.notices {
            if let Notice::ContextsGone { event_loop, contexts, .. } = notice {
                *named.entry(*event_loop).or_default() += contexts.len();
            }
        }
        // Where the last notice of each peer is among those that are kept.
        let mut last = HashMap::<EventLoopId, usize>::default();
        let mut kept: Vec<Notice> = Vec::new();
        for notice in std::mem::take(&mut self.notices) {
            let (event_loop, reason) = match &notice {
                Notice::ContextsGone { event_loop, reason, .. }
                | Notice::SomeContextsGone { event_loop, reason }
                    if *event_loop != owner =>
                {
                    (*event_loop, *reason)
                }
                _ => {
                    kept.push(notice);
                    continue;
                }
            };
            let before = last.get(&event_loop).map(|&at| &mut kept[at]);
            let Some(notice) = merged(before, notice) else { continue };
            let too_many = named.get(&event_loop).is_some_and(|&named| named > NAMED_PER_PEER);
            last.insert(event_loop, kept.len());
            kept.push(if too_many { Notice::SomeContextsGone { event_loop, reason } } else { notice });
        }
        self.notices = kept;
    }
}

/// Merges a notice of a peer's ended contexts into the one before it; gives it back where that cannot be.
fn merged(before: Option<&mut Notice>, notice: Notice) -> Option<Notice> {
    match (before, notice) {
        (
            Some(Notice::SomeContextsGone { reason, .. }),
            Notice::ContextsGone { reason: last, .. } | Notice::SomeContextsGone { reason: last, .. },
        ) => {
            *reason = last;
            None
        }
        (
            Some(Notice::ContextsGone { contexts: known, reason, .. }),
            Notice::ContextsGone { contexts, reason: last, .. },
        ) if *reason == last => {
            match Arc::get_mut(known) {
                Some(known) => known.extend_from_slice(&contexts),
                // Other loops' notices name the same list.
                None => *known = Arc::new(known.iter().chain(&*contexts).copied().collect()),
            }
            None
        }
        (Some(before @ Notice::ContextsGone { .. }), notice @ Notice::SomeContextsGone { .. }) => {
            *before = notice;
            None
        }
        (_, notice) => Some(notice),
    }
}

/// What a notice counts for.
fn weight(notice: &Notice) -> usize {
    1 + match notice {
        Notice::ContextsGone { contexts, .. } => contexts.len(),
        Notice::Suspend(contexts) | Notice::Resume(contexts) => contexts.len(),
        Notice::Peer(_)
        | Notice::SomeContextsGone { .. }
        | Notice::EventLoopGone(..)
        | Notice::BackgroundReady(_)
        | Notice::BackgroundGivenUp { .. } => 0,
    }
}
