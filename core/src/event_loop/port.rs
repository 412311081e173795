//! What an event loop keeps of its ports and their channels.

use crate::event_loop::one_or_many::OneOrMany;
use crate::event_loop::slab::occupant;
use crate::ids::{ContextId, ExtensionInstance, Key, PortId};
use crate::message::Message;
use crate::name::PortName;
use crate::payload::discard_all;
use crate::reason::DisconnectReason;
use crate::sync::mutant;
use crate::target::ConnectKind;
use crate::wire::channel::{Channel, Route};
use crate::wire::credit::{Credit, Sent, Taken};
use crate::wire::record::Refusal;
use std::{mem, slice};

/// One end of a connection: a `runtime.Port` of one context.
///
/// | state | entered by | posts | left by |
/// |---|---|---|---|
/// | `Opening` | connect, where posts wait for the receivers' answers, or it waits for a background | wait | the last answer, disconnect |
/// | `Leaving` | disconnect of an opening port | are refused | the last answer |
/// | `Unanswered` | connect to a background that runs and may be stopped | go to the other side, and are kept | an answer, disconnect |
/// | `Left` | disconnect of an unanswered port | are refused | the answer |
/// | `Undecided` | a connection to a context that asks | accept the connection | accept, post, refuse, disconnect, the other side's end |
/// | `Open` | connect, accept, the last answer | go to the other side | disconnect, the other side's end |
/// | `Silent` | an end that this side is not told of | go nowhere | disconnect, the context's end |
/// | `Ended` | an end whose event is queued | go nowhere | that event being handed out, disconnect |
///
/// ```text
///   connect ──► Opening ──disconnect──► Leaving ──last answer──► freed
///                  │ last answer
///   connect,       ▼
///   accept ─────► Open ──an end that is told────► Ended ──event handed out──► freed
///                  ├─────an end that is not told► Silent ──disconnect────────► freed
///                  └─────disconnect──────────────────────────────────────────► freed
/// ```
///
/// Every transition is a method here.
///
/// A port is one cache line: with ten thousand ports, every message needs another port's.
#[repr(align(64))]
pub(crate) struct Port {
    pub(crate) context: Key,
    pub(crate) stamp: u32,
    pub(crate) state: PortState,
    /// `true` if a post was refused because a window or a lane was full.
    pub(crate) wants_room: bool,
    /// `true` if another extension opened it.
    pub(crate) external: bool,
    pub(crate) name: PortName,
    pub(crate) side: Side,
}

impl Port {
    /// Returns the port's position in its context's list. Kept in the sides, where padding leaves room for it.
    #[inline]
    pub(crate) fn index_in_context(&self) -> u32 {
        match &self.side {
            Side::Opener(opener) => opener.index_in_context,
            Side::Receiver(receiver) => receiver.index_in_context,
        }
    }

    #[inline]
    pub(crate) fn set_index_in_context(&mut self, index: u32) {
        match &mut self.side {
            Side::Opener(opener) => opener.index_in_context = index,
            Side::Receiver(receiver) => receiver.index_in_context = index,
        }
    }

    /// Makes posts wait for the receivers' answers if this is the opener's end and no one-off message. Returns
    /// whether it is.
    pub(crate) fn begin_opening(&mut self) -> bool {
        let waits = matches!(&self.side, Side::Opener(opener) if opener.kind == ConnectKind::Port);
        if waits {
            debug_assert!(
                matches!(self.state, PortState::Open | PortState::Unanswered),
                "it was made just now"
            );
            self.state = PortState::Opening;
        }
        waits
    }

    /// Makes posts wait until a background is started.
    pub(crate) fn begin_waiting(&mut self) {
        debug_assert_eq!(self.state, PortState::Open, "it was made just now");
        self.state = PortState::Opening;
    }

    /// Has it wait for its context's decision.
    pub(crate) fn ask(&mut self) {
        debug_assert_eq!(self.state, PortState::Open, "it was made just now");
        self.state = PortState::Undecided;
    }

    /// Opens it if it waits for a decision. Returns whether it did.
    pub(crate) fn decide(&mut self) -> bool {
        let undecided = self.state == PortState::Undecided;
        if undecided && !mutant("question-that-stays-open") {
            self.state = PortState::Open;
        }
        undecided
    }

    /// Notes that its own side disconnects it while it is opening.
    pub(crate) fn leave_opening(&mut self) {
        debug_assert_eq!(self.state, PortState::Opening);
        self.state = PortState::Leaving;
    }

    /// Has its posts kept until somebody takes the connection, if they do not wait for that.
    #[inline(always)]
    pub(crate) fn await_answer(&mut self) {
        if self.state == PortState::Open {
            self.state = PortState::Unanswered;
        }
    }

    /// Opens it if it was unanswered. Returns whether what was kept for an answer is needed no more.
    #[inline(always)]
    pub(crate) fn be_answered(&mut self) -> bool {
        if self.state == PortState::Unanswered {
            self.state = PortState::Open;
            return true;
        }
        self.state == PortState::Left
    }

    /// Notes that its own side disconnects it while it is unanswered, or has done so while it waited.
    pub(crate) fn leave_unanswered(&mut self) {
        debug_assert!(matches!(self.state, PortState::Unanswered | PortState::Leaving));
        self.state = PortState::Left;
    }

    /// Makes posts wait until a background is started again.
    pub(crate) fn wait_again(&mut self) {
        self.state = match self.state {
            PortState::Left | PortState::Leaving => PortState::Leaving,
            _ => PortState::Opening,
        };
    }

    /// Opens it. Returns whether its own side had disconnected it meanwhile.
    pub(crate) fn end_opening(&mut self) -> bool {
        debug_assert!(self.state.is_opening());
        mem::replace(&mut self.state, PortState::Open) == PortState::Leaving
    }

    /// Silences it, because its side is not told of its end, or not yet. Returns whether it was open.
    pub(crate) fn silence(&mut self) -> bool {
        debug_assert!(!self.state.is_opening(), "what it holds is sent first");
        mem::replace(&mut self.state, PortState::Silent) == PortState::Open
    }

    /// Notes that it ended, for a reason that its side will be told. Returns `false` if it had ended before.
    pub(crate) fn end(&mut self, reason: DisconnectReason) -> bool {
        let hears = self.state.hears();
        if hears {
            self.state = PortState::Ended(reason);
        }
        hears
    }

    /// Returns the peer, channel and route of a message, if there is only one way to go.
    #[inline]
    pub(crate) fn only_way(&self) -> Option<(PeerIndex, Channel, Route)> {
        // Two comparisons in a row: a `match` of all cases becomes a table of jumps.
        if let Side::Opener(Opener { legs: OneOrMany::One(LegAt { peer, channel }), .. }) = self.side {
            return Some((peer, channel, Route::TO_RECEIVERS));
        }
        if let Side::Receiver(Receiver { peer, channel, ordinal, .. }) = self.side {
            return Some((peer, channel, Route::to_opener(ordinal)));
        }
        None
    }
}

occupant!(Port);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortState {
    Open,
    Undecided,
    Opening,
    Leaving,
    Unanswered,
    Left,
    Silent,
    Ended(DisconnectReason),
}

impl PortState {
    /// Returns whether it waits for its receivers' answers.
    pub(crate) fn is_opening(self) -> bool {
        matches!(self, Self::Opening | Self::Leaving)
    }

    /// Returns whether messages for its side are handed out.
    pub(crate) fn hears(self) -> bool {
        matches!(self, Self::Open | Self::Opening | Self::Undecided | Self::Unanswered)
    }

    /// Returns whether its own side has disconnected it, and it stays for an answer.
    pub(crate) fn is_left(self) -> bool {
        matches!(self, Self::Leaving | Self::Left)
    }
}

/// The two kinds of ends. What is rare lies in maps of the event loop, so that an idle port is small: windows,
/// and what an opening port holds.
pub(crate) enum Side {
    Opener(Opener),
    Receiver(Receiver),
}

/// Counted by `bench/tests/allocations.rs` too; models have larger pointers.
#[cfg(all(target_pointer_width = "64", not(port_core_model)))]
const _: () = {
    assert!(size_of::<Option<Port>>() == 64);
    assert!(size_of::<Option<Leg>>() == 32);
    assert!(size_of::<Option<Accepted>>() == 32);
};

/// The opener's side: one leg per event loop that it reaches.
pub(crate) struct Opener {
    pub(crate) kind: ConnectKind,
    pub(crate) legs: OneOrMany<LegAt>,
    /// Why the last receiver that had taken the connection is gone.
    pub(crate) lost: Option<DisconnectReason>,
    /// Why nobody took the connection, if nobody did.
    pub(crate) refusal: Refusal,
    /// See [`Port::index_in_context`].
    pub(crate) index_in_context: u32,
}

impl Opener {
    #[inline(always)]
    pub(crate) const fn new(kind: ConnectKind, legs: OneOrMany<LegAt>) -> Self {
        Self { kind, legs, lost: None, refusal: Refusal::NoReceiver, index_in_context: 0 }
    }
}

/// Posts of an opening port, or copies of those of an unanswered one.
#[derive(Default)]
pub(crate) struct QueuedPosts {
    pub(crate) messages: Vec<Message<'static>>,
    pub(crate) amount: Credit,
    pub(crate) waits_for: Option<WaitsFor>,
    /// The turn of each message, and of its own side's end.
    pub(crate) turns: Vec<u64>,
    pub(crate) left: Option<u64>,
}

/// What a port waits for: an extension's background, in its turn among those that wait for that here.
#[derive(Clone, Copy)]
pub(crate) struct WaitsFor {
    pub(crate) background: ExtensionInstance,
    pub(crate) turn: u64,
}

impl Drop for QueuedPosts {
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
    /// See [`Port::index_in_context`].
    pub(crate) index_in_context: u32,
}

/// What a receiver counts if there are windows.
#[derive(Clone, Copy, Default)]
pub(crate) struct ReceiverWindow {
    /// What it sent to the opener.
    pub(crate) sent: Sent,
    /// What it took from the opener.
    pub(crate) taken: Taken,
}

/// Names one of an event loop's peers. Used again once a peer is gone and no open port names it.
pub(crate) type PeerIndex = u32;

/// The opener's record of a channel: its receivers in one event loop.
pub(crate) struct Leg {
    pub(crate) port: Key,
    pub(crate) stamp: u32,
    /// In order of ordinal.
    pub(crate) targets: OneOrMany<Target>,
}

occupant!(Leg);

impl Leg {
    /// Returns whether the target with this ordinal has yet to answer.
    pub(crate) fn awaits(&self, ordinal: u32) -> bool {
        self.targets.get(ordinal as usize).is_some_and(|target| target.state == TargetState::Pending)
    }

    /// Returns whether a context has yet to answer.
    pub(crate) fn awaits_context(&self, context: Key) -> bool {
        let mut targets = self.targets.iter().filter(|target| target.context == context);
        targets.any(|target| target.state == TargetState::Pending)
    }

    /// Returns whether any target is left.
    #[inline]
    pub(crate) fn is_live(&self) -> bool {
        self.targets.iter().any(|target| !target.state.is_gone())
    }
}

/// What an opener counts of a leg if there are windows.
#[derive(Default)]
pub(crate) struct LegWindow {
    /// What it sent to the receivers. The slowest of them determines the credit.
    pub(crate) sent: Sent,
    /// What it took from each receiver, by ordinal.
    taken: Vec<Taken>,
}

impl LegWindow {
    /// Returns the count of what was taken from the receiver with this ordinal.
    #[inline]
    pub(crate) fn taken_from(&mut self, ordinal: u32) -> &mut Taken {
        let ordinal = ordinal as usize;
        if self.taken.len() <= ordinal {
            self.taken.resize(ordinal + 1, Taken::default());
        }
        &mut self.taken[ordinal]
    }
}

/// A receiver as its opener knows it: by its key alone, because a leg leads to one event
/// loop. Everything else about it was checked when it was found.
pub(crate) struct Target {
    pub(crate) context: Key,
    pub(crate) state: TargetState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetState {
    Pending,
    Open,
    /// Its event loop said so.
    Gone,
    /// It was killed, or its event loop is gone.
    Lost,
}

impl TargetState {
    pub(crate) fn is_gone(self) -> bool {
        matches!(self, Self::Gone | Self::Lost)
    }
}

/// The receivers' side of a channel: the mirror of a [`Leg`]. It always has a receiver. As long as a receiver is
/// listed here, its port is open and its context attached.
///
/// It lists each receiver with its context, so that a message needs no cache line of the port. It has two forms so
/// that it fits into half a cache line: a [`OneOrMany`] beside the other fields would not.
pub(crate) enum Accepted {
    One {
        /// Of the channel.
        stamp: u32,
        /// Among the peer's contexts.
        opener: Key,
        receiver: ReceiverAt,
    },
    Several {
        /// Of the channel.
        stamp: u32,
        opener: Key,
        #[allow(clippy::box_collection, reason = "a vector is three times as large as the pointer to it")]
        receivers: Box<Vec<ReceiverAt>>,
    },
}

/// Where a receiver is kept, by its ids as events name it: a message that is handed out need not put these together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReceiverAt {
    pub(crate) port: PortId,
    pub(crate) context: ContextId,
}

impl Accepted {
    /// Makes the receivers' side of a channel; `None` without receivers.
    #[inline(always)]
    pub(crate) fn new(stamp: u32, opener: Key, receivers: OneOrMany<ReceiverAt>) -> Option<Self> {
        match receivers {
            OneOrMany::Empty => None,
            OneOrMany::One(receiver) => Some(Self::One { stamp, opener, receiver }),
            OneOrMany::Many(receivers) => Some(Self::Several { stamp, opener, receivers }),
        }
    }

    #[inline(always)]
    pub(crate) fn stamp(&self) -> u32 {
        match self {
            Self::One { stamp, .. } | Self::Several { stamp, .. } => *stamp,
        }
    }

    /// Returns the opener's key among the peer's contexts.
    #[inline(always)]
    pub(crate) fn opener(&self) -> Key {
        match self {
            Self::One { opener, .. } | Self::Several { opener, .. } => *opener,
        }
    }

    #[inline(always)]
    pub(crate) fn receivers(&self) -> &[ReceiverAt] {
        match self {
            Self::One { receiver, .. } => slice::from_ref(receiver),
            Self::Several { receivers, .. } => receivers,
        }
    }

    /// Returns the receiver if there is exactly one.
    #[inline(always)]
    pub(crate) fn only(&self) -> Option<ReceiverAt> {
        match self {
            Self::One { receiver, .. } => Some(*receiver),
            Self::Several { .. } => None,
        }
    }

    #[inline(always)]
    pub(crate) fn into_receivers(self) -> OneOrMany<ReceiverAt> {
        match self {
            Self::One { receiver, .. } => OneOrMany::One(receiver),
            Self::Several { receivers, .. } => OneOrMany::Many(receivers),
        }
    }

    /// The same without a receiver's port; `None` where that was the last.
    pub(crate) fn without(self, port: PortId) -> Option<Self> {
        let (stamp, opener) = (self.stamp(), self.opener());
        let mut receivers = self.into_receivers();
        receivers.retain(|receiver| receiver.port != port);
        Self::new(stamp, opener, receivers)
    }
}

/// The embedder's numbers of ports, by index; no longer than it takes. Beside the ports, which are a line of their
/// own each: a message asks for no port, and eight numbers lie in one line.
#[derive(Default)]
pub(crate) struct PortData(Vec<u64>);

impl PortData {
    #[inline(always)]
    pub(crate) fn get(&self, port: Key) -> u64 {
        self.0.get(port.index() as usize).copied().unwrap_or(0)
    }

    pub(crate) fn set(&mut self, port: Key, data: u64) {
        let index = port.index() as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, 0);
        }
        self.0[index] = data;
    }

    /// To be called when a port's slot is freed.
    #[inline(always)]
    pub(crate) fn clear(&mut self, port: Key) {
        if let Some(data) = self.0.get_mut(port.index() as usize) {
            *data = 0;
        }
    }
}
