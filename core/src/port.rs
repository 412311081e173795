//! What an event loop keeps of its ports and of the channels behind them.

use crate::context::ContextShared;
use crate::ids::Key;
use crate::message::Message;
use crate::name::PortName;
use crate::payload::discard_all;
use crate::reason::DisconnectReason;
use crate::record::{Channel, Credit, Route};
use crate::sync::Arc;
use crate::target::ConnectKind;
use smallvec::SmallVec;

/// One end of a connection: a `runtime.Port` of one context.
///
/// | state | entered by | posts | left by |
/// |---|---|---|---|
/// | `Opening` | connect, where posts wait for the receivers' answers | wait | the last answer, disconnect |
/// | `Leaving` | disconnect of an opening port | are refused | the last answer |
/// | `Open` | connect, accept, the last answer | go to the other side | disconnect, the other side's end |
/// | `Silent` | an end that this side is not told of | go nowhere | disconnect, the context's end |
/// | `Ended` | an end whose event is queued | go nowhere | that event being handed out, disconnect |
pub(crate) struct Port {
    pub(crate) context: Key,
    /// Where the context's list of ports has this one.
    pub(crate) position: u32,
    pub(crate) state: PortState,
    /// Whether a post was refused for want of window.
    pub(crate) wants_room: bool,
    pub(crate) name: PortName,
    pub(crate) side: Side,
}

impl Port {
    /// Where a message goes if there is one way to go: by which peer, channel and route.
    #[inline]
    pub(crate) fn only_way(&self) -> Option<(PeerIndex, Channel, Route)> {
        match &self.side {
            Side::Receiver(receiver) => {
                Some((receiver.peer, receiver.channel, Route::to_opener(receiver.ordinal)))
            }
            Side::Opener(opener) => match *opener.legs {
                [LegAt { peer, channel }] => Some((peer, channel, Route::TO_RECEIVERS)),
                _ => None,
            },
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortState {
    Open,
    Opening,
    Leaving,
    Silent,
    Ended(DisconnectReason),
}

impl PortState {
    /// Whether it waits for its receivers' answers.
    pub(crate) fn is_opening(self) -> bool {
        matches!(self, Self::Opening | Self::Leaving)
    }

    /// Whether messages for its side are handed out.
    pub(crate) fn hears(self) -> bool {
        matches!(self, Self::Open | Self::Opening)
    }
}

pub(crate) enum Side {
    Opener(Opener),
    Receiver(Receiver),
}

/// The opener's side: a leg per event loop that it reaches.
pub(crate) struct Opener {
    pub(crate) kind: ConnectKind,
    pub(crate) legs: SmallVec<[LegAt; 1]>,
    /// Why the last receiver that had taken the connection went.
    pub(crate) lost: Option<DisconnectReason>,
    /// Whether a receiver refused for want of a free port.
    pub(crate) limit_reached: bool,
    /// What was posted while the port is opening.
    pub(crate) held: Option<Box<Held>>,
}

/// Posts of an opening port that wait, where the policy says so.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) messages: Vec<Message<'static>>,
    pub(crate) amount: Credit,
}

impl Drop for Held {
    fn drop(&mut self) {
        discard_all(self.messages.drain(..));
    }
}

/// Where a leg is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LegAt {
    pub(crate) peer: PeerIndex,
    pub(crate) channel: Channel,
}

/// A receiver's side.
#[derive(Clone, Copy)]
pub(crate) struct Receiver {
    pub(crate) peer: PeerIndex,
    pub(crate) channel: Channel,
    pub(crate) ordinal: u32,
    /// Sent to the opener and not yet credited.
    pub(crate) outstanding: Credit,
    /// Taken by this side and not yet reported to the opener.
    pub(crate) unreported: Credit,
}

/// Which of an event loop's peers; used again when a peer is gone and nothing names it any more.
pub(crate) type PeerIndex = u32;

/// The opener's record of a channel: its receivers in one event loop.
pub(crate) struct Leg {
    pub(crate) port: Key,
    /// In order of ordinal.
    pub(crate) targets: SmallVec<[Target; 1]>,
    /// Targets that are not gone.
    pub(crate) live: u32,
    /// Whether a target went without a word from its event loop, which then must be
    /// told before the channel's id is used again.
    pub(crate) unanswered: bool,
    /// Sent to the receivers and not yet credited by the slowest.
    pub(crate) outstanding: Credit,
}

pub(crate) struct Target {
    pub(crate) context: Arc<ContextShared>,
    pub(crate) state: TargetState,
    /// Taken by the opener and not yet reported to this receiver.
    pub(crate) unreported: Credit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetState {
    Pending,
    Open,
    Gone,
}

/// The receivers' record of a channel: the mirror of a [`Leg`].
pub(crate) struct Accepted {
    pub(crate) generation: u32,
    pub(crate) opener: Arc<ContextShared>,
    /// Never empty.
    pub(crate) receivers: SmallVec<[Key; 1]>,
}
