//! What windows are counted in.

use crate::limits::Limits;

/// Messages and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Credit {
    pub(crate) messages: u32,
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

    pub(crate) fn subtract(&mut self, less: Self) {
        self.messages = self.messages.saturating_sub(less.messages);
        self.bytes = self.bytes.saturating_sub(less.bytes);
    }

    pub(crate) fn least(self, other: Self) -> Self {
        Self { messages: self.messages.min(other.messages), bytes: self.bytes.min(other.bytes) }
    }

    /// Returns whether a window that has this much under way admits a message.
    pub(crate) fn leaves_room(self, limits: &Limits) -> bool {
        limits.window_messages.is_none_or(|window| self.messages < window.max(1))
            && limits.window_bytes.is_none_or(|window| self.bytes < window.max(1))
    }

    /// Returns whether this much was taken that the other side should know.
    #[inline]
    pub(crate) fn is_worth_reporting(self, limits: &Limits) -> bool {
        limits.window_messages.is_some_and(|window| self.messages >= window.div_ceil(2))
            || limits.window_bytes.is_some_and(|window| self.bytes >= window.div_ceil(2))
    }
}
