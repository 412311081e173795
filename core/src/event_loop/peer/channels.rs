//! The channels between two event loops, as one of them keeps them.

use super::Peer;
use crate::event_loop::one_or_many::OneOrMany;
use crate::event_loop::port::{Accepted, Leg, ReceiverAt};
use crate::event_loop::slab::{grow_gently, overwrite_vacant};
use crate::ids::{Key, PortId};
use crate::wire::channel::Channel;
use crate::wire::record::Signal;

/// The channels that a peer opened and this side accepted, by index.
#[derive(Default)]
pub(crate) struct AcceptedChannels(Vec<Option<Accepted>>);

impl AcceptedChannels {
    #[inline(always)]
    pub(crate) fn get(&self, channel: Channel) -> Option<&Accepted> {
        let accepted = self.0.get(channel.0.index() as usize)?.as_ref()?;
        (accepted.stamp() == channel.0.stamp()).then_some(accepted)
    }

    /// Takes a receiver out of a channel; returns whether others are left in it.
    pub(crate) fn remove_receiver(&mut self, channel: Channel, port: PortId) -> bool {
        let Some(place) = self.0.get_mut(channel.0.index() as usize) else { return false };
        if place.as_ref().is_none_or(|accepted| accepted.stamp() != channel.0.stamp()) {
            return false;
        }
        *place = place.take().and_then(|accepted| accepted.without(port));
        place.is_some()
    }

    /// Returns whether no accepted channel has this one's index.
    pub(crate) fn is_vacant(&self, channel: Channel) -> bool {
        self.0.get(channel.0.index() as usize).is_none_or(Option::is_none)
    }

    /// Enters a channel, whose index is [vacant](Self::is_vacant).
    #[inline(always)]
    pub(crate) fn insert(&mut self, channel: Channel, opener: Key, receivers: OneOrMany<ReceiverAt>) {
        let index = channel.0.index() as usize;
        if self.0.len() <= index {
            self.make_room_for(index);
        }
        overwrite_vacant(&mut self.0[index], Accepted::new(channel.0.stamp(), opener, receivers));
    }

    #[cold]
    fn make_room_for(&mut self, index: usize) {
        let more = index + 1 - self.0.len();
        grow_gently(&mut self.0, more);
        self.0.resize_with(index + 1, || None);
    }

    /// Frees a channel and returns its receivers; `None` if it has ended here.
    #[inline(always)]
    pub(crate) fn remove(&mut self, channel: Channel) -> Option<OneOrMany<ReceiverAt>> {
        let place = self.0.get_mut(channel.0.index() as usize)?;
        if place.as_ref()?.stamp() != channel.0.stamp() {
            return None;
        }
        place.take().map(Accepted::into_receivers)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Channel, &Accepted)> {
        self.0.iter().zip(0..).filter_map(|(accepted, index)| {
            let accepted = accepted.as_ref()?;
            Some((Channel(Key::of_slot(index, accepted.stamp())), accepted))
        })
    }
}

impl Peer {
    /// Shows a channel that this side opened to `look`, and frees it.
    #[inline(always)]
    pub(crate) fn remove_opened<R>(&mut self, channel: Channel, look: impl FnOnce(&Leg) -> R) -> Option<R> {
        if !self.windows.is_empty() {
            self.windows.remove(&channel);
        }
        self.opened.discard(channel.0, look)
    }

    /// Enters a channel that the peer opened to one of our ports, and tells the peer.
    #[inline(always)]
    pub(crate) fn accept(&mut self, channel: Channel, opener: Key, receiver: ReceiverAt) {
        // An opener that frees a channel sends its `Close` before the index is used again, so it is vacant here.
        debug_assert!(self.accepted.is_vacant(channel));
        self.accepted.insert(channel, opener, OneOrMany::One(receiver));
        self.signal(move || Signal::Accept { channel, ordinal: 0 });
    }
}
