//! Connections about which their context decides, later or on hearing of them.

use super::record::{Record, Refusal};
use super::state::State;
use super::world::World;
use super::{Context, End, Heard, Loop};
use crate::common::ANSWERS_ON_HEARING;
use std::collections::VecDeque;

impl World {
    /// Whether the port that a connection makes in a context waits for a decision.
    pub(super) fn asks(&self, context: Context) -> bool {
        let listening = &self.contexts[context].listening;
        listening.asks || ANSWERS_ON_HEARING && listening.listeners <= 1
    }

    /// A context takes a connection or refuses it, by a call. It may know of a question, `asked`, that was withdrawn.
    pub fn decide(&mut self, end: End, asked: bool, takes: bool, got: bool) -> bool {
        let undecided = self.state(end) == Some(State::Undecided) && self.contexts[end.1].killed.is_none();
        if undecided && takes {
            self.answer(end, None);
        } else if !takes && (undecided || asked && ANSWERS_ON_HEARING) {
            // A renderer forgets the port, whatever became of it in the browser.
            self.disconnect(end, self.is_open(end));
        }
        got == undecided
    }

    /// Answers the opener, if that is owed.
    pub(super) fn answer(&mut self, end: End, refusal: Option<Refusal>) -> bool {
        let Some(port) = self.ports.get_mut(&end).filter(|port| port.state == State::Undecided) else {
            return false;
        };
        port.state = State::Open;
        let (home, opener) = (self.home(end.1), self.home(self.opener_of(end.0).1));
        let answer = match refusal {
            None => Record::Accept(end),
            Some(refusal) => Record::Refuse(end, refusal),
        };
        self.send(self.lane_of(end.0, home, opener), answer);
        true
    }

    /// Refuses for a receiver that is undecided, which leaves its port silent.
    pub(super) fn refuse(&mut self, end: End, refusal: Refusal) -> bool {
        let undecided = self.answer(end, Some(refusal));
        if undecided {
            self.ports.entry(end).and_modify(|port| port.state = State::Silent);
            let home = self.home(end.1);
            if let Some(receivers) = self.channels[end.0].receivers.get_mut(&home) {
                receivers.retain(|receiver| *receiver != end);
                self.report_taken(end.0, home);
            }
        }
        undecided
    }

    /// Whether an end is told as a question to a renderer, which knows when it hears of it.
    fn is_question(&self, end: End) -> bool {
        self.state(end) == Some(State::Undecided) && self.contexts[end.1].listening.asks
    }

    /// What is heard, as it was when the loop took it.
    pub(super) fn as_it_was_taken(&self, heard: &Heard) -> Heard {
        match heard {
            Heard::Connect(end, shown, question) if ANSWERS_ON_HEARING => {
                Heard::Connect(*end, *shown, *question != self.is_question(*end))
            }
            _ => heard.clone(),
        }
    }

    /// A renderer that does not ask its scripts answers when it hears of a connection.
    pub(super) fn answer_on_hearing(&mut self, end: End) {
        if ANSWERS_ON_HEARING && !self.is_question(end) {
            self.answer(end, None);
        }
    }

    /// One whose listener was removed meanwhile refuses it and tells nobody.
    pub(super) fn refuse_unheard(&mut self, at: Loop) {
        while let Some(end) = self.unheard(at) {
            self.refuse(end, Refusal::NotListening);
            self.ports.remove(&end);
            self.forget_unfit(at);
        }
    }

    fn unheard(&self, at: Loop) -> Option<End> {
        let next = self.heard.get(&at).and_then(VecDeque::front)?;
        next.iter().find_map(|heard| match heard {
            Heard::Connect(end, ..)
                if ANSWERS_ON_HEARING
                    && self.state(*end) == Some(State::Undecided)
                    && !self.is_question(*end)
                    && !self.listens(end.0, end.1) =>
            {
                Some(*end)
            }
            _ => None,
        })
    }
}
