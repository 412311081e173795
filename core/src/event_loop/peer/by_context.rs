//! The channels between two event loops by the context of the peer that they lead to, or come from. So the end of a
//! context costs what it ends, however many channels there are.

use crate::event_loop::slab::grow_gently;
use crate::ids::Key;
use crate::wire::channel::Channel;

/// Lists of channels, one for each slot of the peer's contexts, linked through the slots of the channels: eight bytes
/// for a channel, and nothing to allocate for one that is opened in place of another.
#[derive(Default)]
pub(crate) struct ByContext {
    /// The first channel of each list, by the context's index.
    first: Vec<u32>,
    /// By the channel's index.
    links: Vec<Link>,
}

#[derive(Clone, Copy)]
struct Link {
    before: u32,
    after: u32,
}

/// No channel: an index that is too large for any.
const NONE: u32 = u32::MAX;

const UNLINKED: Link = Link { before: NONE, after: NONE };

impl ByContext {
    /// Enters a channel, which is in no list.
    #[inline(always)]
    pub(crate) fn insert(&mut self, context: Key, channel: Channel) {
        let (at, list) = (channel.0.index(), context.index() as usize);
        if self.links.len() <= at as usize || self.first.len() <= list {
            self.make_room_for(at as usize, list);
        }
        let after = std::mem::replace(&mut self.first[list], at);
        self.links[at as usize] = Link { before: NONE, after };
        if let Some(link) = self.links.get_mut(after as usize) {
            link.before = at;
        }
    }

    #[cold]
    fn make_room_for(&mut self, channel: usize, list: usize) {
        if self.links.len() <= channel {
            let more = channel + 1 - self.links.len();
            grow_gently(&mut self.links, more);
            self.links.resize(channel + 1, UNLINKED);
        }
        if self.first.len() <= list {
            self.first.resize(list + 1, NONE);
        }
    }

    /// Takes a channel out of its list.
    #[inline(always)]
    pub(crate) fn remove(&mut self, context: Key, channel: Channel) {
        let at = channel.0.index() as usize;
        let Some(&Link { before, after }) = self.links.get(at) else { return };
        match self.links.get_mut(before as usize) {
            Some(link) => link.after = after,
            None => self.first[context.index() as usize] = after,
        }
        if let Some(link) = self.links.get_mut(after as usize) {
            link.before = before;
        }
    }

    /// Returns the indices of the channels in a context's list, in the order in which they came: its own, and perhaps
    /// some of one that had its slot before.
    pub(crate) fn of(&self, context: Key) -> impl Iterator<Item = u32> {
        let link = |at: u32| self.links.get(at as usize);
        // The last to come is the first of the list, so it is read from its other end.
        let mut first = self.first.get(context.index() as usize).copied().unwrap_or(NONE);
        while let Some(&Link { after, .. }) = link(first)
            && after != NONE
        {
            first = after;
        }
        let listed = |at: u32| Some(at).filter(|at| *at != NONE);
        std::iter::successors(listed(first), move |at| link(*at).and_then(|link| listed(link.before)))
    }
}

#[cfg(test)]
#[path = "../../../tests/inside/by_context.rs"]
mod tests;
