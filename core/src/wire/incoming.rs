//! A record once it is out of its lane.

use crate::ids::Key;
use crate::message::MessageFlags;
use crate::name::PortName;
use crate::payload::{HEAD_BYTES, Payload};
use crate::reason::DisconnectReason;
use crate::sync::Arc;
use crate::target::ConnectInfo;
use crate::wire::acquaintance::Introduction;
use crate::wire::channel::{Channel, Route};
use crate::wire::record::{Connect, Record, Signal};

/// A record taken out of its lane, or one of the loop's own that waits behind such.
pub(crate) enum Incoming {
    Message {
        channel: Channel,
        route: Route,
        traits: MessageFlags,
        payload: Payload,
    },
    Connect(Connect),
    ConnectOne {
        channel: Channel,
        traits: ConnectInfo,
        opener: Introduction,
        target: Key,
        name: PortName,
    },
    Signal(Signal),
    /// Contexts of the peer that were killed: everything they sent lies before this.
    Gone {
        contexts: Arc<Vec<Key>>,
        reason: DisconnectReason,
    },
    /// The peer itself is gone.
    PeerGone,
    NoTarget {
        port: Key,
    },
}

impl Incoming {
    #[inline]
    pub(crate) fn new<'a>(record: Record, tail: impl Iterator<Item = &'a [u8]>) -> Self {
        match record {
            Record::Short { channel, route, traits, length, head } => {
                let first = usize::from(length).min(HEAD_BYTES);
                // SAFETY: `Record::message` initialised the head as far as the message goes.
                let first = unsafe { head.0[..first].assume_init_ref() };
                let payload = Payload::inline(first, tail);
                Self::Message { channel, route, traits, payload }
            }
            Record::Long { channel, route, traits, bytes } => {
                Self::Message { channel, route, traits, payload: Payload::shared(bytes) }
            }
            Record::Connect { channel, traits, opener, target, name } => {
                let opener = Introduction::Known(opener);
                Self::ConnectOne { channel, traits, opener, target, name }
            }
            Record::FirstConnect { channel, traits, opener, target, name } => {
                let opener = Introduction::First(opener);
                Self::ConnectOne { channel, traits, opener, target, name }
            }
            Record::ConnectMany(connect) => Self::Connect(*connect),
            Record::Signal(signal) => Self::Signal(signal),
            Record::NoTarget { port } => Self::NoTarget { port },
        }
    }

    /// Bytes of payload or name, as the lane's budget counts them; `None` for what came by no lane.
    #[inline]
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::Message { payload, .. } => Some(payload.len() as u64),
            Self::Connect(Connect { name, .. }) | Self::ConnectOne { name, .. } => {
                Some(name.as_str().len() as u64)
            }
            Self::Signal(_) | Self::NoTarget { .. } => Some(0),
            Self::Gone { .. } | Self::PeerGone => None,
        }
    }
}
