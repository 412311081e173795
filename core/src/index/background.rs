//! Whether an extension's background runs, and which event loops wait for it.

use crate::ids::{ContextId, EventLoopId, ExtensionInstance};
use crate::snapshot::BackgroundState;
use crate::sync::mutant;
use std::collections::VecDeque;

/// Of how many lives that ended otherwise than by a stop this is remembered.
const REMEMBERED: usize = 32;

/// The background of an extension instance.
///
/// | state | a connect to it | left by |
/// |---|---|---|
/// | `Resident` | goes to the contexts that there are | nothing |
/// | `Dormant` | waits, and makes it `Wanted` | that, or its context being ready |
/// | `Wanted` | waits | its context being ready, or gone; being given up |
/// | `Ready` | goes to the contexts that there are | its last ready context being gone |
///
/// Every transition is a method here, called under the shard's lock.
pub(crate) struct Background {
    state: State,
    /// How often it was wanted: the number of the last start.
    starts: u64,
    /// The last start that the browser was asked for.
    asked: u64,
    /// How often it became `Ready`: the number of its last life.
    lives: u64,
    /// The last lives that ended otherwise than by a stop, in order.
    ended_otherwise: VecDeque<u64>,
}

/// One life of a background that is started on demand: from its being ready to its stop, or to the end of its last
/// context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) instance: ExtensionInstance,
    pub(crate) number: u64,
    /// Its context; the last that got ready if there are several.
    pub(crate) context: ContextId,
}

impl Life {
    /// No life of any background.
    pub(crate) const NONE: Self =
        Self { instance: ExtensionInstance::numbered(0), number: 0, context: ContextId::from_bits(0) };
}

enum State {
    Resident,
    Dormant,
    Wanted(Vec<EventLoopId>),
    /// Usually one: a browser may have its successor ready before the first is gone.
    Ready(Vec<ContextId>),
}

/// What a connect is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Go to the contexts that there are.
    Nothing,
    /// Wait for this start. If it is `first`, nobody has asked the browser for it.
    ForStart { start: u64, first: bool },
}

/// The event loops that waited for a start which is over. They must be told.
#[must_use]
#[derive(Default)]
pub(crate) struct Waiting {
    pub(crate) start: u64,
    pub(crate) event_loops: Vec<EventLoopId>,
}

impl Background {
    pub(super) const fn new(on_demand: bool) -> Self {
        let state = if on_demand { State::Dormant } else { State::Resident };
        Self { state, starts: 0, asked: 0, lives: 0, ended_otherwise: VecDeque::new() }
    }

    /// Returns whether connects to it wait.
    #[inline(always)]
    pub(super) const fn sleeps(&self) -> bool {
        matches!(self.state, State::Dormant | State::Wanted(_))
    }

    /// Returns its life, if it is ready and started on demand.
    #[inline(always)]
    pub(super) fn life(&self, instance: ExtensionInstance) -> Option<Life> {
        match &self.state {
            State::Ready(contexts) => {
                contexts.last().map(|&context| Life { instance, number: self.lives, context })
            }
            _ => None,
        }
    }

    /// Returns whether a life was ended by a stop. Of one before so many others that ended otherwise as are
    /// remembered, it is not known any more, and this says that it was not.
    pub(super) fn was_stopped(&self, life: u64) -> bool {
        let known = self.ended_otherwise.len() < REMEMBERED
            || self.ended_otherwise.front().is_some_and(|oldest| life > *oldest);
        let over = life < self.lives || !matches!(self.state, State::Ready(_));
        over && known && !self.ended_otherwise.contains(&life)
    }

    pub(crate) const fn state(&self) -> BackgroundState {
        match self.state {
            State::Resident => BackgroundState::Resident,
            State::Dormant => BackgroundState::Dormant,
            State::Wanted(_) => BackgroundState::Wanted,
            State::Ready(_) => BackgroundState::Ready,
        }
    }

    /// Enters an event loop among those that wait, unless the background runs.
    pub(super) fn wait(&mut self, event_loop: EventLoopId) -> Wait {
        let first = matches!(self.state, State::Dormant);
        if first {
            self.starts += 1;
            self.state = State::Wanted(Vec::new());
        }
        let State::Wanted(waiting) = &mut self.state else { return Wait::Nothing };
        if !waiting.contains(&event_loop) && !mutant("waits-unregistered") {
            waiting.push(event_loop);
        }
        Wait::ForStart { start: self.starts, first }
    }

    /// Notes that the listeners of its context are registered.
    pub(super) fn ready(&mut self, context: ContextId) -> Waiting {
        match &mut self.state {
            State::Dormant | State::Wanted(_) => {
                self.lives += 1;
                self.begin(State::Ready(vec![context]))
            }
            State::Ready(contexts) => {
                if !contexts.contains(&context) {
                    contexts.push(context);
                }
                Waiting::default()
            }
            State::Resident => Waiting::default(),
        }
    }

    /// Notes that its context is gone. `last` says that no other context of a background is left.
    pub(super) fn gone(&mut self, context: ContextId, last: bool) -> Waiting {
        let over = match &mut self.state {
            State::Ready(contexts) => {
                contexts.retain(|ready| *ready != context);
                let over = contexts.is_empty();
                if over && !mutant("any-end-taken-for-a-stop") {
                    if self.ended_otherwise.len() == REMEMBERED {
                        self.ended_otherwise.pop_front();
                    }
                    self.ended_otherwise.push_back(self.lives);
                }
                over
            }
            State::Wanted(_) => last,
            State::Resident | State::Dormant => false,
        };
        if over { self.begin(State::Dormant) } else { Waiting::default() }
    }

    pub(super) const fn is_wanted(&self) -> bool {
        matches!(self.state, State::Wanted(_))
    }

    /// Returns whether the browser is to be asked for it now: it is wanted, and the browser was not asked for this start.
    pub(super) fn ask(&mut self) -> bool {
        let asked = std::mem::replace(&mut self.asked, self.starts);
        self.is_wanted() && (asked != self.starts || mutant("start-asked-for-twice"))
    }

    /// Makes it dormant, if it is started on demand.
    pub(super) fn stop(&mut self) -> Waiting {
        if matches!(self.state, State::Resident) { Waiting::default() } else { self.begin(State::Dormant) }
    }

    fn begin(&mut self, next: State) -> Waiting {
        match std::mem::replace(&mut self.state, next) {
            State::Wanted(event_loops) => Waiting { start: self.starts, event_loops },
            _ => Waiting::default(),
        }
    }
}
