//! What windows are counted in.

use crate::limits::Limits;

/// Messages and bytes, counted from a channel's beginning. That makes credit idempotent: a loop may read it
/// ahead of the records before it in the lane, and once more when its turn comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Credit {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Credit {
    pub(crate) const fn one(bytes: u64) -> Self {
        Self { messages: 1, bytes }
    }

    pub(crate) fn add(&mut self, more: Self) {
        self.messages = self.messages.saturating_add(more.messages);
        self.bytes = self.bytes.saturating_add(more.bytes);
    }

    pub(crate) fn take(&mut self, less: Self) {
        *self = self.since(less);
    }

    /// Returns what was added since it was `earlier`.
    fn since(self, earlier: Self) -> Self {
        Self {
            messages: self.messages.saturating_sub(earlier.messages),
            bytes: self.bytes.saturating_sub(earlier.bytes),
        }
    }

    pub(crate) fn least(self, other: Self) -> Self {
        Self { messages: self.messages.min(other.messages), bytes: self.bytes.min(other.bytes) }
    }

    /// Returns whether a window that has this much under way admits a message.
    pub(crate) fn leaves_room(self, limits: &Limits) -> bool {
        limits.window_messages.is_none_or(|window| self.messages < window.max(1).into())
            && limits.window_bytes.is_none_or(|window| self.bytes < window.max(1))
    }

    /// Returns whether so much was taken since the last report that the other side should be told: half a window.
    fn is_worth_reporting(self, limits: &Limits) -> bool {
        limits.window_messages.is_some_and(|window| self.messages >= window.max(1).div_ceil(2).into())
            || limits.window_bytes.is_some_and(|window| self.bytes >= window.max(1).div_ceil(2))
    }
}

/// What one side sent on a channel, and what of it the other side is done with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) total: Credit,
    credited: Credit,
}

impl Sent {
    /// Returns how much is under way.
    pub(crate) fn outstanding(self) -> Credit {
        self.total.since(self.credited)
    }

    /// Notes credit. An older one than is known changes nothing.
    pub(crate) fn credit(&mut self, credit: Credit) {
        self.credited = Credit {
            messages: self.credited.messages.max(credit.messages),
            bytes: self.credited.bytes.max(credit.bytes),
        };
    }
}

/// What one side took of a channel, and what of it the other side was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) total: Credit,
    pub(crate) reported: Credit,
}

impl Taken {
    /// Returns whether the other side should be told what was taken.
    #[inline]
    pub(crate) fn is_worth_reporting(self, limits: &Limits) -> bool {
        self.total.since(self.reported).is_worth_reporting(limits)
    }
}
