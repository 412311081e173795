//! Connections that are handed out as questions: their context decides later whether it takes them.
//!
//! The port is there and hears what comes, as if the connection were taken; only the answer is still owed, which the
//! opener waits for and counts. Every way in which such a port ends answers first.

use super::EventLoop;
use crate::event_loop::port::{PortState, ReceiverAt, Side};
use crate::ids::{Key, PortId};
use crate::sync::mutant;
use crate::wire::record::{Refusal, Signal};

impl EventLoop {
    /// Does [`EventLoop::accept`] if it `takes` the connection, otherwise [`EventLoop::refuse`].
    pub(super) fn decide(&mut self, port: PortId, takes: bool) -> bool {
        let Some(key) = self.port_key(port) else { return false };
        let holder = self.ports.get(key).and_then(|port| self.contexts.get(port.context));
        // Race: a fact has ended the context, and its notice has not been taken. The answer is sent with that.
        if holder.is_none_or(|holder| holder.shared.killed().is_some()) {
            return false;
        }
        if takes {
            return self.answer(key, None);
        }
        let undecided = self.ports.get(key).is_some_and(|port| port.state == PortState::Undecided);
        // What a disconnect does to a port that nobody has taken.
        undecided && self.disconnect(port)
    }

    /// Returns whether a context is to decide about each connection.
    pub(super) fn asks(&self, context: Key) -> bool {
        self.contexts.get(context).is_some_and(|context| context.listening.asks())
    }

    /// Has a port that was made just now wait for its context's decision.
    pub(super) fn ask(&mut self, key: Key) {
        if let Some(port) = self.ports.get_mut(key) {
            port.ask();
            self.undecided += 1;
        }
    }

    /// Sends the answer that a port owes: that it takes the connection, or why not. Returns whether it owed one.
    pub(super) fn answer(&mut self, key: Key, refusal: Option<Refusal>) -> bool {
        let Some(port) = self.ports.get_mut(key) else { return false };
        let Side::Receiver(receiver) = port.side else { return false };
        let owed = port.decide();
        if owed {
            self.undecided -= 1;
            let (channel, ordinal) = (receiver.channel, receiver.ordinal);
            self.send_signal(receiver.peer, move || match refusal {
                None => Signal::Accept { channel, ordinal },
                Some(refusal) => Signal::Refuse { channel, ordinal, refusal },
            });
        }
        owed
    }

    /// Refuses a connection that its context has not decided about, from this side: the answer is all that the opener
    /// hears. The port stays, silent, until it is removed. Returns whether there was a decision to make.
    pub(super) fn refuse_undecided(&mut self, key: Key, refusal: Refusal) -> bool {
        if self.undecided == 0 || !self.answer(key, Some(refusal)) {
            return false;
        }
        if let Some(port) = self.ports.get_mut(key) {
            port.silence();
            if let Side::Receiver(receiver) = port.side {
                self.leave_channel(key, receiver);
            }
        }
        true
    }

    /// Sends the answers that receivers owe whose channel the other side ended: nobody takes the connection, but the
    /// opener counts answers.
    #[cold]
    #[inline(never)]
    pub(super) fn answer_for(&mut self, receivers: &[ReceiverAt]) {
        if mutant("withdrawn-question-unanswered") {
            return;
        }
        for receiver in receivers {
            self.answer(receiver.port.key(), Some(Refusal::NoReceiver));
        }
    }
}
