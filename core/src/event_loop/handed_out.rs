//! Messages that were handed out and count as under way until the embedder says that they were taken.

use super::EventLoop;
use super::port::PeerIndex;
use crate::ids::{Key, PortId};
use crate::wire::channel::Channel;
use crate::wire::credit::Credit;
use std::collections::VecDeque;

/// How many runs one port's messages may have. Only an opener whose receivers post in turn has more than one. What
/// would begin another is credited when it is handed out, so that they cannot make the opener's loop hold more.
const RUNS: usize = 1 << 10;

/// One of an opener's receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReceiverOf {
    pub(super) peer: PeerIndex,
    pub(super) channel: Channel,
    pub(super) ordinal: u32,
}

/// One port's messages, in the order in which they were handed out.
#[derive(Debug, Default)]
pub(super) struct HandedOut {
    runs: VecDeque<Run>,
    total: Credit,
}

/// Messages that came one after the other from the same side.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// `None` on a receiver's port, whose messages are the opener's, and for what is credited already.
    sender: Option<ReceiverOf>,
    amount: Credit,
}

impl HandedOut {
    /// Counts a message. Returns whether its sender is credited later, when it is taken.
    fn add(&mut self, sender: Option<ReceiverOf>, message: Credit) -> bool {
        self.total.add(message);
        let remembered = self.runs.len() < RUNS || self.runs.back().is_some_and(|last| last.sender == sender);
        let sender = sender.filter(|_| remembered);
        match self.runs.back_mut() {
            Some(last) if last.sender == sender => last.amount.add(message),
            _ => self.runs.push_back(Run { sender, amount: message }),
        }
        remembered
    }

    /// Takes the oldest messages of at most this amount that came from the same side.
    fn take(&mut self, most: Credit) -> Option<Run> {
        let oldest = self.runs.front_mut()?;
        let whole = oldest.amount.messages <= most.messages;
        // Who counts wrong cannot leave bytes behind that nobody takes.
        let taken = if whole { oldest.amount } else { oldest.amount.least(most) };
        let run = Run { amount: taken, ..*oldest };
        oldest.amount.take(taken);
        if whole {
            self.runs.pop_front();
        }
        self.total.take(taken);
        (taken != Credit::default()).then_some(run)
    }
}

impl EventLoop {
    /// Sets whether messages are credited when the embedder says so.
    pub(super) fn set_credit_when_taken(&mut self, when_taken: bool) {
        if when_taken {
            self.handed_out.get_or_insert_default();
        } else if let Some(ports) = self.handed_out.take() {
            for (key, mut handed_out) in ports {
                let all = handed_out.total;
                self.credit_oldest(key, &mut handed_out, all);
            }
        }
    }

    /// Counts a message of `bytes` that is handed out on a port. If an opener's, from this receiver.
    #[inline]
    pub(super) fn hand_out(&mut self, key: Key, sender: Option<ReceiverOf>, bytes: u64) {
        if !self.has_windows() {
            return;
        }
        let message = Credit::one(bytes);
        if let Some(handed_out) = &mut self.handed_out
            && handed_out.entry(key).or_default().add(sender, message)
        {
            return;
        }
        self.credit_sender(key, sender, message);
    }

    /// Credits the oldest messages of a port. Returns `false` if fewer wait to be taken.
    pub(super) fn credit_taken(&mut self, port: PortId, messages: u32, bytes: u64) -> bool {
        // Race: the port ended while the message was being taken.
        let Some(key) = self.port_key(port).filter(|key| self.ports.get(*key).is_some()) else { return true };
        if !self.has_windows() {
            return true;
        }
        let taken = Credit { messages: messages.into(), bytes };
        let Some(mut handed_out) = self.handed_out.as_mut().and_then(|ports| ports.remove(&key)) else {
            return taken == Credit::default();
        };
        let there = taken.least(handed_out.total) == taken;
        if there {
            self.credit_oldest(key, &mut handed_out, taken);
        }
        if let Some(ports) = &mut self.handed_out
            && handed_out.total != Credit::default()
        {
            ports.insert(key, handed_out);
        }
        there
    }

    fn credit_oldest(&mut self, key: Key, handed_out: &mut HandedOut, mut amount: Credit) {
        while let Some(Run { sender, amount: taken }) = handed_out.take(amount) {
            amount.take(taken);
            self.credit_sender(key, sender, taken);
        }
    }

    /// Credits the receiver that sent an opener a message of `bytes`, if one did: nobody is going to take it.
    pub(super) fn credit_receiver(&mut self, key: Key, sender: Option<ReceiverOf>, bytes: u64) {
        if sender.is_some() {
            self.credit_sender(key, sender, Credit::one(bytes));
        }
    }

    fn credit_sender(&mut self, key: Key, sender: Option<ReceiverOf>, amount: Credit) {
        match sender {
            Some(ReceiverOf { peer, channel, ordinal }) => {
                self.opener_took(key, peer, channel, ordinal, amount);
            }
            None => self.receiver_took(key, amount),
        }
    }
}
