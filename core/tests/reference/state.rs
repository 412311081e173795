//! What a world knows of contexts, ports and channels.

use super::background::{Unanswered, Waits};
use super::record::Refusal;
use super::window::Amount;
use super::{Context, End, Heard, Loop, Message, Nth, Number};
use port_core::{ConnectKind, ContextKind, DisconnectReason, Listening};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ContextState {
    pub home: Loop,
    pub kind: ContextKind,
    /// The load of its extension, and that one's number.
    pub instance: usize,
    pub number: Number,
    /// Bytes of its URL and origin.
    pub described: u64,
    /// The loops that were told of it.
    pub announced_to: BTreeSet<Loop>,
    pub listening: Listening,
    /// By a fact.
    pub killed: Option<DisconnectReason>,
    /// Detached, or its end was noticed.
    pub ended: bool,
    /// While its page is in the back/forward cache.
    pub suspended: Option<Suspended>,
}

/// What waits for a page's return, and how much was to wait for each port.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Suspended {
    pub heard: Vec<Heard>,
    pub held: BTreeMap<End, Amount>,
}

/// A port is there until it is disconnected, its end was heard, or its context ends.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Port {
    pub state: State,
    /// A post was refused for want of room.
    pub wants_room: bool,
    /// A receiver's: posted and not credited, and heard and not reported.
    pub outstanding: Amount,
    pub unreported: Amount,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Posts wait for the receivers' answers; when leaving, a disconnect does too.
    Opening,
    Leaving,
    /// A receiver's, whose context is yet to take or refuse the connection.
    Undecided,
    Open,
    /// Open towards a background that may be stopped before it takes the connection; posts are kept. When left, the end
    /// was sent, and the port stays for the answer.
    Unanswered,
    Left,
    Silent,
    Ended(DisconnectReason),
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ChannelState {
    pub opener: Context,
    pub kind: ConnectKind,
    pub name_bytes: u64,
    /// The opener's side: a leg for every loop that it still reaches.
    pub legs: BTreeMap<Loop, Leg>,
    /// In which they were opened.
    pub order: Vec<Loop>,
    /// Why the last receiver went that had taken the connection.
    pub lost: Option<DisconnectReason>,
    /// Why nobody took the connection.
    pub refusal: Refusal,
    /// Set while it waits for a background.
    pub waits: Option<Waits>,
    /// Set while a background that runs, and may be stopped, has not answered.
    pub unanswered: Option<Unanswered>,
    /// Posts that wait, or are kept, with their turns, and the turn of its own side's end.
    pub held: Vec<(u64, Message)>,
    pub left: Option<u64>,
    /// The receivers' side: on every loop the open ports, in order.
    pub receivers: BTreeMap<Loop, Vec<End>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Leg {
    pub targets: Vec<Target>,
    /// Whether a target went without a word of its loop's, which must then be told.
    pub unanswered: bool,
    pub outstanding: Amount,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Target {
    pub context: Context,
    pub nth: Nth,
    pub state: TargetState,
    /// Taken from it by the opener and not reported.
    pub unreported: Amount,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetState {
    Pending,
    Open,
    Gone,
}

impl Port {
    pub fn new(state: State) -> Self {
        Self { state, wants_room: false, outstanding: Amount::default(), unreported: Amount::default() }
    }
}

impl State {
    pub fn hears(self) -> bool {
        matches!(self, Self::Open | Self::Opening | Self::Undecided | Self::Unanswered)
    }

    /// Whether its own side disconnected it and it stays for an answer.
    pub fn is_left(self) -> bool {
        matches!(self, Self::Leaving | Self::Left)
    }
}

impl Leg {
    pub fn lives(&self) -> bool {
        self.targets.iter().any(|target| target.state != TargetState::Gone)
    }

    pub fn target(&mut self, (_, context, nth): End) -> Option<&mut Target> {
        self.targets.iter_mut().find(|target| target.context == context && target.nth == nth)
    }
}
