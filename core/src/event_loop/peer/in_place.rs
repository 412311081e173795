//! Records that are made where they are to lie, and taken there: those that make and end connections.
//! Moving one that was just put together waits for its own stores.

use super::{Link, Peer};
use crate::concurrent::lane::Entry;
use crate::event_loop::few::Few;
use crate::event_loop::port::ReceiverAt;
use crate::ids::Key;
use crate::index::ContextShared;
use crate::name::PortName;
use crate::sync::{Arc, mutant};
use crate::target::ConnectInfo;
use crate::wire::acquaintance::Introduction;
use crate::wire::channel::Channel;
use crate::wire::record::{Record, Signal};

/// Which records are usual, besides messages.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Connect,
    Accept,
    Close,
    Other,
}

impl Record {
    /// Which record it is, where it may be one that is taken where it lies.
    #[inline(always)]
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Connect { .. } => Kind::Connect,
            Self::Signal(Signal::Accept { .. }) => Kind::Accept,
            Self::Signal(Signal::Close { .. }) => Kind::Close,
            _ => Kind::Other,
        }
    }
}

/// A connection to one context that lies next in the lane, by an opener that we know.
pub(crate) struct Offer<'a> {
    entry: Entry<'a, Record>,
    bytes: u64,
    pub(crate) channel: Channel,
    pub(crate) traits: ConnectInfo,
    pub(crate) opener: &'a Arc<ContextShared>,
    pub(crate) target: Key,
}

impl Offer<'_> {
    /// Takes the record, and writes its name to where it stays.
    #[inline(always)]
    pub(crate) fn take(self, place: &mut PortName) {
        // There is nothing in it that would have to be dropped.
        self.entry.pass(self.bytes, |record, _| {
            if let Record::Connect { name, .. } = record {
                place.clone_from(name);
            }
        });
    }
}

impl Peer {
    /// As [`send`](Self::send), for a record without a tail that is made and then finished in its place.
    #[inline(always)]
    fn send_in_place(&mut self, make: impl FnOnce() -> Record, bytes: u64, finish: impl FnOnce(&mut Record)) {
        let (ends, peer) = self.ends();
        if mutant("rung-before-publishing") {
            ends.ringer.published(peer.bell());
        }
        if ends.producer.push_in_place(make, &[], bytes, finish) {
            ends.published(peer);
        }
    }

    /// Has the loop, to whose first peer this goes, end a port that reaches nobody.
    pub(crate) fn no_target(&mut self, port: Key) {
        debug_assert!(self.own);
        self.send_in_place(move || Record::NoTarget { port }, 0, |_| ());
    }

    #[inline(always)]
    pub(crate) fn signal(&mut self, make: impl FnOnce() -> Signal) {
        self.send_in_place(move || Record::Signal(make()), 0, |_| ());
    }

    /// Sends a connection to one context.
    #[inline(always)]
    pub(crate) fn connect(
        &mut self,
        channel: Channel,
        traits: ConnectInfo,
        opener: &Arc<ContextShared>,
        target: Key,
        name: &PortName,
    ) {
        let bytes = name.as_str().len() as u64;
        let key = opener.id().key;
        if self.acquaintances.is_introduced(key) {
            let make =
                move || Record::Connect { channel, traits, opener: key, target, name: PortName::default() };
            self.send_in_place(make, bytes, |record| {
                if let Record::Connect { name: place, .. } = record {
                    place.clone_from(name);
                }
            });
        } else {
            let opener = self.introduce(opener);
            self.send(Record::connect(channel, traits, opener, target, name.clone()), &[], bytes);
        }
    }

    /// Names one of our contexts to the peer, for a connection that is sent next.
    #[cold]
    pub(crate) fn introduce(&mut self, context: &Arc<ContextShared>) -> Introduction {
        let key = context.id().key;
        if self.acquaintances.is_introduced(key) {
            return Introduction::Known(key);
        }
        for context in self.acquaintances.introduce(key) {
            self.signal(move || Signal::Farewell { context });
        }
        Introduction::First(Arc::clone(context))
    }

    /// The next record where it lies in the lane.
    #[inline(always)]
    pub(crate) fn entry(&mut self) -> Option<Entry<'_, Record>> {
        let Self { link: Link::Lanes(ends), backlog, .. } = self else { return None };
        if backlog.is_empty() { ends.consumer.entry() } else { None }
    }

    /// The connection that lies next in the lane, if it is one in the usual form.
    #[inline(always)]
    pub(crate) fn offer(&mut self) -> Option<Offer<'_>> {
        let Self { link: Link::Lanes(ends), acquaintances, .. } = self else { return None };
        let entry = ends.consumer.entry()?;
        let (channel, traits, opener, target, bytes) = entry.peek(|record| match *record {
            Record::Connect { channel, traits, opener, target, ref name } if !name.is_shared() => {
                Some((channel, traits, opener, target, name.as_str().len() as u64))
            }
            _ => None,
        })?;
        let opener = acquaintances.known(opener)?;
        Some(Offer { entry, bytes, channel, traits, opener, target })
    }

    /// Enters a channel that the peer opened to one of our ports, and tells it.
    #[inline(always)]
    pub(crate) fn accept(&mut self, channel: Channel, opener: Key, receiver: ReceiverAt) {
        // An opener that freed the channel said so first, so the slot is empty here.
        debug_assert!(self.is_vacant(channel));
        self.set_accepted(channel, opener, Few::One(receiver));
        self.signal(move || Signal::Accept { channel, ordinal: 0 });
    }
}
