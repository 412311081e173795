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

    /// Returns whether it is no more than this.
    #[inline(always)]
    pub(crate) fn is_within(self, most: Self) -> bool {
        self.messages <= most.messages && self.bytes <= most.bytes
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
        if self.came().is_below(most) { Ok(()) } else { Err(Lied::Credit) }
    }

    /// Returns how much came that is not credited.
    #[inline(always)]
    fn came(&self) -> Amount {
        let Self { waiting, done } = self;
        Amount { messages: waiting.messages + done.messages, bytes: waiting.bytes + done.bytes }
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

    /// Returns how much may come, as far as is known without a [look](Self::check), and be on its way no more before there is
    /// something to credit.
    pub(crate) fn before_credit(&self, most: Amount) -> Amount {
        let (came, done) = (self.came(), self.done);
        if !came.is_below(most) {
            return Amount::default();
        }
        // Less than half of it is done then, and less than all has come.
        let messages = most.messages.div_ceil(2).saturating_sub(done.messages + 1);
        let bytes = most.bytes.div_ceil(2).saturating_sub(done.bytes + 1);
        Amount {
            messages: messages.min(most.messages.saturating_sub(came.messages + 1)),
            bytes: bytes.min(most.bytes.saturating_sub(came.bytes + 1)),
        }
    }

    /// Counts messages that came and are on their way no more, as many as may [before](Self::before_credit) there is
    /// something to credit.
    pub(crate) fn pass_all(&mut self, amount: Amount) {
        self.done.messages += amount.messages;
        self.done.bytes += amount.bytes;
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

#[cfg(test)]
mod tests {
    use super::{Amount, Window};

    #[test]
    fn before_a_credit_messages_may_come_without_a_look() {
        let amounts = || (0..7).flat_map(|messages| (0..9).map(move |bytes| Amount { messages, bytes }));
        let mut some = 0;
        for (most, waiting) in amounts().flat_map(|most| amounts().map(move |waiting| (most, waiting))) {
            for done in amounts().filter(|done| !done.is_half_of(most)) {
                let before = Window { waiting, done }.before_credit(most);
                let lengths = [before.bytes / u64::from(before.messages.max(1)), before.bytes, 0];
                for length in lengths.map(|length| length as usize) {
                    let (mut window, mut came) = (Window { waiting, done }, Amount::default());
                    loop {
                        came.add(length);
                        if !came.is_within(before) {
                            break;
                        }
                        assert_eq!(window.check(most), Ok(()), "{most:?} {waiting:?} {done:?}");
                        assert_eq!(window.pass(length, most), None, "{most:?} {waiting:?} {done:?}");
                        some += 1;
                    }
                }
            }
        }
        assert!(some > 1_000, "{some}");
    }

    #[test]
    fn all_but_what_is_credited_may_pass_without_a_look() {
        let window = Window::default();
        let before = window.before_credit(Amount { messages: 10, bytes: 1_001 });
        assert_eq!(before, Amount { messages: 4, bytes: 500 });
    }
}
