//! Which channel a record is about, and which way it goes.

use crate::ids::Key;
use std::fmt;

/// Names a channel between an opener's port and its receivers in one event loop. It is a key of
/// the opening side's slab for that peer; both sides use it unchanged in both directions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Channel(pub(crate) Key);

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.0.index(), self.0.generation())
    }
}

/// Tells which way a record goes, in four bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route(u32);

impl Route {
    /// From the opener to every receiver of the channel.
    pub(crate) const TO_RECEIVERS: Self = Self(u32::MAX);

    /// Returns the way from the receiver with this ordinal among the channel's targets to the opener.
    pub(crate) const fn to_opener(ordinal: u32) -> Self {
        Self(ordinal)
    }

    /// Returns the ordinal of the receiver that the record comes from; `None` when it comes from the opener.
    #[inline]
    pub(crate) fn receiver(self) -> Option<u32> {
        (self != Self::TO_RECEIVERS).then_some(self.0)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.receiver() {
            None => f.write_str("to receivers"),
            Some(ordinal) => write!(f, "from receiver {ordinal}"),
        }
    }
}

/// Tells which side of a channel a credit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Towards {
    Opener,
    Receiver,
}
