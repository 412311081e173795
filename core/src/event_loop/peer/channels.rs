//! The channels between two event loops, as one of them keeps them.

use super::Peer;
use super::by_context::ByContext;
use crate::event_loop::one_or_many::OneOrMany;
use crate::event_loop::port::{Accepted, Leg, ReceiverAt, Target, TargetState};
use crate::event_loop::slab::{grow_gently, overwrite_vacant};
use crate::ids::{Key, PortId};
use crate::wire::channel::Channel;
use crate::wire::record::Signal;

/// The channels that a peer opened and this side accepted, by index, and by opener.
#[derive(Default)]
pub(crate) struct AcceptedChannels {
    channels: Vec<Option<Accepted>>,
    by_opener: ByContext,
}

impl AcceptedChannels {
    #[inline(always)]
    pub(crate) fn get(&self, channel: Channel) -> Option<&Accepted> {
        let accepted = self.channels.get(channel.0.index() as usize)?.as_ref()?;
        (accepted.stamp() == channel.0.stamp()).then_some(accepted)
    }

    /// Takes a receiver out of a channel; returns whether others are left in it.
    fn remove_receiver(&mut self, channel: Channel, port: PortId) -> bool {
        let Some(place) = self.channels.get_mut(channel.0.index() as usize) else { return false };
        if place.as_ref().is_none_or(|accepted| accepted.stamp() != channel.0.stamp()) {
            return false;
        }
        let Some(accepted) = place.take() else { return false };
        let opener = accepted.opener();
        *place = accepted.without(port);
        let others = place.is_some();
        if !others {
            self.by_opener.remove(opener, channel);
        }
        others
    }

    /// Returns whether no accepted channel has this one's index.
    pub(crate) fn is_vacant(&self, channel: Channel) -> bool {
        self.channels.get(channel.0.index() as usize).is_none_or(Option::is_none)
    }

    /// Enters a channel, whose index is [vacant](Self::is_vacant), with at least one receiver.
    #[inline(always)]
    pub(crate) fn insert(&mut self, channel: Channel, opener: Key, receivers: OneOrMany<ReceiverAt>) {
        let index = channel.0.index() as usize;
        if self.channels.len() <= index {
            self.make_room_for(index);
        }
        overwrite_vacant(&mut self.channels[index], Accepted::new(channel.0.stamp(), opener, receivers));
        self.by_opener.insert(opener, channel);
    }

    #[cold]
    fn make_room_for(&mut self, index: usize) {
        let more = index + 1 - self.channels.len();
        grow_gently(&mut self.channels, more);
        self.channels.resize_with(index + 1, || None);
    }

    /// Frees a channel and returns its receivers; `None` if it has ended here.
    #[inline(always)]
    fn remove(&mut self, channel: Channel) -> Option<OneOrMany<ReceiverAt>> {
        let place = self.channels.get_mut(channel.0.index() as usize)?;
        if place.as_ref()?.stamp() != channel.0.stamp() {
            return None;
        }
        let accepted = place.take()?;
        self.by_opener.remove(accepted.opener(), channel);
        Some(accepted.into_receivers())
    }

    /// Returns the channels of an opener.
    pub(crate) fn of(&self, opener: Key) -> impl Iterator<Item = Channel> {
        let accepted = |at: u32| Some((at, self.channels.get(at as usize)?.as_ref()?));
        let listed = self.by_opener.of(opener).filter_map(accepted);
        let own = listed.filter(move |(_, accepted)| accepted.opener() == opener);
        own.map(|(at, accepted)| Channel(Key::of_slot(at, accepted.stamp())))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Channel, &Accepted)> {
        self.channels.iter().zip(0..).filter_map(|(accepted, index)| {
            let accepted = accepted.as_ref()?;
            Some((Channel(Key::of_slot(index, accepted.stamp())), accepted))
        })
    }
}

/// Returns a leg's targets that are not gone, with the channel and their ordinals.
fn living_targets((key, leg): (Key, &Leg)) -> impl Iterator<Item = ((Channel, u32), &Target)> {
    let targets = leg.targets.iter().zip(0..).filter(|(target, _)| !target.state.is_gone());
    targets.map(move |(target, ordinal)| ((Channel(key), ordinal), target))
}

impl Peer {
    /// Enters a channel that this side opens to one context.
    #[inline(always)]
    pub(crate) fn open_to_one(&mut self, port: Key, target: Key) -> Option<Channel> {
        let make = move || {
            let targets = OneOrMany::One(Target { context: target, state: TargetState::Pending });
            Leg { port, stamp: 0, targets }
        };
        let channel = Channel(self.opened.insert_with(make, |_| ())?);
        self.by_target.insert(target, channel);
        Some(channel)
    }

    /// Enters a channel that this side opens to these contexts, of which there is at least one.
    pub(crate) fn open_to(&mut self, port: Key, targets: OneOrMany<Target>) -> Option<Channel> {
        let contexts: Vec<Key> = targets.iter().map(|target| target.context).collect();
        let channel = self.opened.insert(Leg { port, stamp: 0, targets }).map(Channel)?;
        match contexts[..] {
            [target] => self.by_target.insert(target, channel),
            _ => {
                self.listed.now += contexts.len() as u32;
                self.fan_outs.extend(contexts.into_iter().map(|target| (target, channel.0)));
            }
        }
        Some(channel)
    }

    /// Returns the channels that lead to a context of the peer, each with the target's ordinal, unless it is gone.
    pub(crate) fn leading_to(&self, context: Key) -> impl Iterator<Item = (Channel, u32)> {
        let listed = self.by_target.of(context).filter_map(|at| self.opened.at(at));
        let fan_outs = (context, Key::FIRST)..=(context, Key::LAST);
        let fan_outs =
            self.fan_outs.range(fan_outs).filter_map(|&(_, key)| Some((key, self.opened.get(key)?)));
        let living = listed.chain(fan_outs).flat_map(living_targets);
        living.filter(move |(_, target)| target.context == context).map(|(at, _)| at)
    }

    /// Returns the channels that lead to the peer, each with the ordinals of the targets that are not gone.
    pub(crate) fn leading_anywhere(&self) -> impl Iterator<Item = (Channel, u32)> {
        self.opened.iter().flat_map(living_targets).map(|(at, _)| at)
    }

    /// Shows a channel that this side opened to `look`, and frees it.
    #[inline(always)]
    pub(crate) fn remove_opened<R>(&mut self, channel: Channel, look: impl FnOnce(&Leg) -> R) -> Option<R> {
        if !self.windows.is_empty() {
            self.windows.remove(&channel);
        }
        let Self { opened, by_target, fan_outs, waiting, listed, .. } = self;
        opened.discard(channel.0, |leg| {
            if !waiting.is_empty() {
                waiting.remove(&leg.port);
            }
            match &leg.targets {
                OneOrMany::One(target) => by_target.remove(target.context, channel),
                targets => match &**targets {
                    // More of one context are its listeners, which joined.
                    [first, others @ ..] if others.iter().all(|other| other.context == first.context) => {
                        by_target.remove(first.context, channel);
                        if !others.is_empty() {
                            listed.now -= 1 + others.len() as u32;
                        }
                    }
                    targets => {
                        listed.now -= targets.len() as u32;
                        targets.iter().for_each(|target| {
                            fan_outs.remove(&(target.context, channel.0));
                        });
                    }
                },
            }
            look(leg)
        })
    }

    /// Takes one of our ports out of a channel that the peer opened. Returns whether others are left in it.
    pub(crate) fn remove_receiver(&mut self, channel: Channel, port: PortId) -> bool {
        self.waiting.remove(&port.key());
        self.accepted.remove_receiver(channel, port)
    }

    /// Frees a channel that the peer opened and returns its receivers; `None` if it has ended here.
    #[inline(always)]
    pub(crate) fn remove_accepted(&mut self, channel: Channel) -> Option<OneOrMany<ReceiverAt>> {
        let receivers = self.accepted.remove(channel)?;
        if !self.waiting.is_empty() {
            for receiver in &*receivers {
                self.waiting.remove(&receiver.port.key());
            }
        }
        Some(receivers)
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
