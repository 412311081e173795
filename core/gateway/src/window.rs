//! How much is on its way from a renderer into the core.

use crate::wire::lie::Lied;

/// Counts of messages and of their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) messages: u32,
    pub(crate) bytes: u64,
}

impl Amount {
    /// Makes the amount that a port's window admits; `None` without one.
    pub(crate) fn of_window((messages, bytes): (Option<u32>, Option<u64>)) -> Option<Self> {
        let amount = Self {
            messages: messages.map_or(u32::MAX, |messages| messages.max(1)),
            bytes: bytes.map_or(u64::MAX, |bytes| bytes.max(1)),
        };
        (messages.is_some() || bytes.is_some()).then_some(amount)
    }

    pub(crate) fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }

    pub(crate) fn subtract(&mut self, other: Self) {
        self.messages = self.messages.saturating_sub(other.messages);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }

    /// Returns whether it is half of a window, so that who waits for room should be told.
    pub(crate) fn is_half_of(self, window: Self) -> bool {
        u64::from(self.messages) * 2 >= u64::from(window.messages)
            || self.bytes.saturating_mul(2) >= window.bytes
    }

    /// Returns whether one more message is admitted where this is on its way and `most` may be.
    pub(crate) fn is_below(self, most: Self) -> bool {
        self.messages < most.messages.max(1) && self.bytes < most.bytes.max(1)
    }
}

/// What has come through a window and is not yet credited to its sender.
#[derive(Debug, Default)]
pub(crate) struct Window {
    under_way: Amount,
    /// The part of it that is on its way no more.
    done: Amount,
}

impl Window {
    /// Counts a message that came.
    #[inline(always)]
    pub(crate) fn admit(&mut self, bytes: usize, most: Amount) -> Result<(), Lied> {
        if !self.under_way.is_below(most) {
            return Err(Lied::Credit);
        }
        self.under_way.add(bytes);
        Ok(())
    }

    /// Counts a message that is on its way no more. Returns what to credit, once it is half of the window: by the
    /// time that all is done, a sender that waits has been told.
    #[inline(always)]
    pub(crate) fn finish(&mut self, bytes: usize, most: Amount) -> Option<Amount> {
        self.done.add(bytes);
        if !self.done.is_half_of(most) {
            return None;
        }
        self.under_way.subtract(self.done);
        Some(std::mem::take(&mut self.done))
    }

    /// Returns how much came that is not done.
    pub(crate) fn waiting(&self) -> Amount {
        let mut waiting = self.under_way;
        waiting.subtract(self.done);
        waiting
    }
}
