//! What travels in a lane.

use crate::concurrent::lane::{PIECE_BYTES, RECORD_BYTES, TAIL_BYTES, Tail, copy_short};
use crate::ids::Key;
use crate::index::ContextShared;
use crate::message::{Body, MessageFlags};
use crate::name::PortName;
use crate::payload::{self, HEAD_BYTES, INLINE_BYTES, Piece, Pieces};
use crate::reason::DisconnectReason;
use crate::sync::Arc;
use crate::target::ConnectInfo;
use crate::wire::channel::{Channel, Route, Towards};
use crate::wire::credit::Credit;
use bytes::Bytes;
use std::mem::MaybeUninit;

const _: () = {
    assert!(size_of::<Record>() <= RECORD_BYTES);
    assert!(HEAD_BYTES + TAIL_BYTES == INLINE_BYTES);
    assert!(PIECE_BYTES == payload::PIECE_BYTES);
};

/// The part of a short message that its record holds, initialised as far as the
/// message goes. Aligned, for the sake of store forwarding: it is then moved in the same pieces in which it was written.
#[repr(align(8))]
pub(crate) struct Head([MaybeUninit<u8>; HEAD_BYTES]);

/// One entry of a lane, at most [`RECORD_BYTES`].
pub(crate) enum Record {
    /// A message of at most [`INLINE_BYTES`]; the bytes that do not fit into the head lie in the record's tail.
    Short { channel: Channel, route: Route, flags: MessageFlags, length: u8, head: Head },
    /// A longer message, by reference.
    Long { channel: Channel, route: Route, flags: MessageFlags, bytes: Bytes },
    /// A context of the sender. From now on connections name it by its key.
    Announce(Arc<ContextShared>),
    /// A connection to one context.
    Connect { channel: Channel, info: ConnectInfo, opener: Key, target: Key, name: PortName },
    /// A connection to several contexts.
    ConnectMany(Box<ConnectMany>),
    /// A record without a payload.
    Signal(Signal),
    /// A note of a loop to itself: a port was opened and there is no target.
    NoTarget { port: Key },
}

/// Where a message goes, and how long it is.
#[derive(Clone, Copy)]
pub(crate) struct Address {
    pub(crate) channel: Channel,
    pub(crate) route: Route,
    pub(crate) bytes: u64,
    /// Whether all of it lies in the lane.
    pub(crate) short: bool,
}

/// A connection to several contexts of one event loop.
pub(crate) struct ConnectMany {
    pub(crate) channel: Channel,
    pub(crate) opener: Key,
    pub(crate) info: ConnectInfo,
    pub(crate) name: PortName,
    /// In order of ordinal.
    pub(crate) targets: Vec<Key>,
}

/// A record without a payload.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    /// The receiver with this ordinal took the connection.
    Accept { channel: Channel, ordinal: u32 },
    /// Another port of the context that just accepted as `beside` took the connection
    /// too. It gets the next free ordinal.
    Join { channel: Channel, beside: u32 },
    /// The target with this ordinal does not take the connection.
    Refuse { channel: Channel, ordinal: u32, refusal: Refusal },
    /// The sender of this record ends its part of the channel.
    Close { channel: Channel, route: Route, reason: DisconnectReason, hearing: Hearing },
    /// The sender of this record is done with this much of what the other side sent, counted from the
    /// channel's beginning. `ordinal` names the receiver, if the credit goes towards one.
    Credit { channel: Channel, towards: Towards, ordinal: u32, credit: Credit },
    /// A post of the sender's was refused because this lane is full.
    AskRoom,
    /// What lay before an `AskRoom` is taken.
    RoomThere,
    /// An announced context of the sender has ended.
    Farewell { context: Key },
}

/// Says why a target refuses a connection. Of several refusals the opener is told the last of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// It is gone, or may not be connected to.
    NoReceiver,
    /// It is there and has no listener for the connection.
    NotListening,
    /// It holds as many ports as it may.
    LimitReached,
}

impl Refusal {
    /// Returns the reason with which a port ends that nobody took.
    pub(crate) const fn reason(self) -> DisconnectReason {
        match self {
            Self::NoReceiver | Self::NotListening => DisconnectReason::NoReceiver,
            Self::LimitReached => DisconnectReason::LimitReached,
        }
    }
}

/// Tells whether the contexts whose ports a `Close` ends are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    Told,
    /// To their scripts the port still looks open, and what they post goes nowhere.
    Untold,
}

impl Record {
    /// Returns where a message goes; `None` for other records.
    #[inline(always)]
    pub(crate) fn address(&self) -> Option<Address> {
        match *self {
            Self::Short { channel, route, length, .. } => {
                Some(Address { channel, route, bytes: length.into(), short: true })
            }
            Self::Long { channel, route, ref bytes, .. } => {
                Some(Address { channel, route, bytes: bytes.len() as u64, short: false })
            }
            _ => None,
        }
    }

    /// Returns what the record counts for in a lane's budget: bytes of payload, names, descriptions
    /// and lists of targets.
    pub(crate) fn bytes(&self) -> u64 {
        let bytes = match self {
            Self::Short { length, .. } => usize::from(*length),
            Self::Long { bytes, .. } => bytes.len(),
            Self::Announce(context) => context.description().bytes(),
            Self::Connect { name, .. } => name.as_str().len(),
            Self::ConnectMany(connect) => connect.name.as_str().len() + size_of_val(&*connect.targets),
            Self::Signal(_) | Self::NoTarget { .. } => 0,
        };
        bytes as u64
    }

    /// Makes a message of at most [`INLINE_BYTES`], with its length but without its bytes.
    /// [`fill`](Self::fill) writes those that do not go into its [tail](Self::tail_of).
    #[inline(always)]
    pub(crate) fn short(channel: Channel, route: Route, flags: MessageFlags, bytes: &[u8]) -> Self {
        debug_assert!(bytes.len() <= INLINE_BYTES);
        #[allow(clippy::cast_possible_truncation, reason = "at most INLINE_BYTES")]
        let length = bytes.len() as u8;
        Self::Short { channel, route, flags, length, head: Head([MaybeUninit::uninit(); HEAD_BYTES]) }
    }

    /// Returns the bytes of a short message that go into its tail.
    #[inline(always)]
    pub(crate) fn tail_of(bytes: &[u8]) -> &[u8] {
        bytes.get(HEAD_BYTES..).unwrap_or_default()
    }

    /// Writes the head of a short message. Call it once the record is in its final place: a move would read in
    /// whole words what was just written in other pieces, where store forwarding fails.
    #[inline(always)]
    pub(crate) fn fill(&mut self, bytes: &[u8]) {
        match bytes.first_chunk::<HEAD_BYTES>() {
            Some(first) => {
                if let Self::Short { head, .. } = self {
                    head.0.write_copy_of_slice(first);
                }
            }
            None => self.fill_short(bytes),
        }
    }

    /// Does [`fill`](Self::fill) for a message without a tail.
    #[inline(always)]
    pub(crate) fn fill_short(&mut self, bytes: &[u8]) {
        let Self::Short { head, .. } = self else { return };
        // Pieces that overlap need no loop, so there is no loop branch to mispredict.
        match (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
            (Some(first), Some(last)) => {
                if let Some(second) = bytes.get(16..32) {
                    head.0[16..32].write_copy_of_slice(second);
                }
                head.0[..16].write_copy_of_slice(first);
                head.0[bytes.len() - 16..bytes.len()].write_copy_of_slice(last);
            }
            _ => copy_short(bytes, &mut head.0),
        }
    }

    /// Returns the flags and pieces of a short message, whose further bytes lie in this tail.
    ///
    /// # Panics
    ///
    /// When the record is no short message.
    ///
    /// # Safety
    ///
    /// It is the record's [tail](Self::tail_of). [`short`](Self::short) made the record and
    /// [`fill`](Self::fill) its head, as nothing else does.
    #[inline(always)]
    pub(crate) unsafe fn pieces<'a>(
        &'a self,
        tail: Tail<'a>,
    ) -> (MessageFlags, Pieces<'a, impl Fn(usize) -> &'a Piece>) {
        let Self::Short { flags, length, head, .. } = self else { unreachable!("no short message") };
        // SAFETY: a piece is asked for where the message is so long, and what is longer than the head lies in the tail.
        let further = move |nth| unsafe { tail.cell(nth) };
        // SAFETY: as the caller promises.
        (*flags, unsafe { Pieces::new((*length).into(), &head.0, further) })
    }

    /// Makes a message from `body`, and returns it with its tail. The last
    /// record that is made from a long body takes the reference over, which spares a count.
    #[inline]
    pub(crate) fn message<'a>(
        channel: Channel,
        route: Route,
        flags: MessageFlags,
        body: &'a mut Body<'_>,
        last: bool,
    ) -> (Self, &'a [u8]) {
        if body.as_slice().len() > INLINE_BYTES {
            let bytes = match body {
                Body::Owned(bytes) if last => std::mem::take(bytes),
                Body::Owned(bytes) => bytes.clone(),
                Body::Borrowed(bytes) if last => Bytes::copy_from_slice(bytes),
                Body::Borrowed(bytes) => {
                    let bytes = Bytes::copy_from_slice(bytes);
                    *body = Body::Owned(bytes.clone());
                    bytes
                }
            };
            return (Self::Long { channel, route, flags, bytes }, &[]);
        }
        let bytes = body.as_slice();
        let mut record = Self::short(channel, route, flags, bytes);
        record.fill(bytes);
        (record, Self::tail_of(bytes))
    }
}
