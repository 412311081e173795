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
    /// The part of it that is on its way.
    waiting: Amount,
    /// The part of it that is on its way no more.
    done: Amount,
}

impl Window {
    /// Returns whether one more message may come.
    #[inline(always)]
    pub(crate) fn check(&self, most: Amount) -> Result<(), Lied> {
        let mut came = self.waiting;
        came.messages += self.done.messages;
        came.bytes += self.done.bytes;
        if came.is_below(most) { Ok(()) } else { Err(Lied::Credit) }
    }

    /// Counts a message that came, as it [may](Self::check), and is on its way.
    pub(crate) fn hold(&mut self, bytes: usize) {
        self.waiting.add(bytes);
    }

    /// Counts a message that came, as it [may](Self::check), and is on its way no more. Returns what to credit, once it
    /// is half of the window: by the time that all is done, a sender that waits has been told.
    #[inline(always)]
    pub(crate) fn pass(&mut self, bytes: usize, most: Amount) -> Option<Amount> {
        self.done.add(bytes);
        self.done.is_half_of(most).then(|| std::mem::take(&mut self.done))
    }

    /// Counts a message that was [held](Self::hold) and is on its way no more. Returns what to credit, as
    /// [`pass`](Self::pass).
    pub(crate) fn finish(&mut self, bytes: usize, most: Amount) -> Option<Amount> {
        self.waiting.subtract(Amount { messages: 1, bytes: bytes as u64 });
        self.pass(bytes, most)
    }

    /// Returns how much came that is not done.
    pub(crate) const fn waiting(&self) -> Amount {
        self.waiting
    }
}
