//! The channels between two event loops, as one of them keeps them.

use super::Peer;
use crate::event_loop::few::Few;
use crate::event_loop::port::{Accepted, Leg, ReceiverAt};
use crate::event_loop::slab::grow_gently;
use crate::ids::Key;
use crate::wire::channel::Channel;
use std::mem;

impl Peer {
    /// Frees a channel that this side opened, after a look at it.
    #[inline(always)]
    pub(crate) fn remove_opened<R>(&mut self, channel: Channel, look: impl FnOnce(&Leg) -> R) -> Option<R> {
        if !self.windows.is_empty() {
            self.windows.remove(&channel);
        }
        self.opened.discard(channel.0, look)
    }

    #[inline]
    pub(crate) fn accepted(&self, channel: Channel) -> Option<&Accepted> {
        let accepted = self.accepted.get(channel.0.index() as usize)?.as_ref()?;
        (accepted.generation() == channel.0.generation()).then_some(accepted)
    }

    /// Takes a receiver out of a channel that the peer opened; whether others are left in it.
    pub(crate) fn part_with(&mut self, channel: Channel, port: Key) -> bool {
        let Some(slot) = self.accepted.get_mut(channel.0.index() as usize) else { return false };
        if slot.as_ref().is_none_or(|accepted| accepted.generation() != channel.0.generation()) {
            return false;
        }
        *slot = slot.take().and_then(|accepted| accepted.without(port));
        slot.is_some()
    }

    /// Whether no channel that we took has this one's slot.
    pub(crate) fn is_vacant(&self, channel: Channel) -> bool {
        self.accepted.get(channel.0.index() as usize).is_none_or(Option::is_none)
    }

    /// Enters a channel that the peer opened, and whose slot is [vacant](Self::is_vacant).
    #[inline(always)]
    pub(crate) fn set_accepted(&mut self, channel: Channel, opener: Key, receivers: Few<ReceiverAt>) {
        let (index, generation) = (channel.0.index(), channel.0.generation());
        let index = index as usize;
        if self.accepted.len() <= index {
            self.make_room_for(index);
        }
        let accepted = Accepted::new(generation, opener, receivers);
        // A vacant slot has nothing to drop, which the compiler does not know.
        mem::forget(mem::replace(&mut self.accepted[index], accepted));
    }

    #[cold]
    fn make_room_for(&mut self, index: usize) {
        let more = index + 1 - self.accepted.len();
        grow_gently(&mut self.accepted, more);
        self.accepted.resize_with(index + 1, || None);
    }

    /// Frees a channel that the peer opened. Gives its receivers.
    #[inline(always)]
    pub(crate) fn remove_accepted(&mut self, channel: Channel) -> Option<Few<ReceiverAt>> {
        let slot = self.accepted.get_mut(channel.0.index() as usize)?;
        if slot.as_ref()?.generation() != channel.0.generation() {
            return None;
        }
        slot.take().map(Accepted::into_receivers)
    }

    /// The channels that the peer opened and this side took.
    pub(crate) fn all_accepted(&self) -> impl Iterator<Item = (Channel, &Accepted)> {
        self.accepted.iter().zip(0..).filter_map(|(accepted, index)| {
            let accepted = accepted.as_ref()?;
            let key = Key::new(index, accepted.generation());
            Some((Channel(key), accepted))
        })
    }
}
