//! Connects to a background that ran, which a stop may meet before anybody takes them: then they wait for the next start.

use super::background::{Load, Unanswered, Waits};
use super::record::{Record, Told};
use super::state::{ChannelState, State, TargetState};
use super::window::Amount;
use super::world::World;
use super::{Channel, Context, End, Loop};
use port_core::DisconnectReason::{BackgroundStopped, Disconnected};
use port_core::{DisconnectReason, DocumentLifecycle};

impl World {
    /// A connection was sent, to a background if that is ready.
    pub(super) fn await_answer(
        &mut self,
        channel: Channel,
        load: Load,
        lifecycle: DocumentLifecycle,
        turn: u64,
    ) {
        let Some(state) = &self.backgrounds[load] else { return };
        let (Some(life), Some(background)) = (state.life(), state.latest()) else { return };
        let unanswered = Unanswered { load, life, background, lifecycle, turn, stopped: false };
        self.channels[channel].unanswered = Some(unanswered);
        let end = self.opener_of(channel);
        self.ports.entry(end).and_modify(|port| {
            if port.state == State::Open {
                port.state = State::Unanswered;
            }
        });
    }

    fn was_stopped(&self, unanswered: &Unanswered) -> bool {
        let background = self.backgrounds[unanswered.load].as_ref();
        background.is_some_and(|background| background.was_stopped(unanswered.life))
    }

    /// Whether connects of a loop to an earlier life of a background have no answer yet.
    pub(super) fn awaits_word_of_the_past(&self, at: Loop, load: Load) -> bool {
        let life = self.backgrounds[load].as_ref().and_then(|background| background.life());
        self.channels.iter().any(|channel| {
            let unanswered = channel.unanswered.as_ref().filter(|unanswered| unanswered.load == load);
            self.home(channel.opener) == at
                && unanswered.is_some_and(|unanswered| {
                    Some(unanswered.life) != life && is_pending(channel, unanswered.background)
                })
        })
    }

    /// Whether more is kept for a port than may be.
    pub(super) fn keeps_too_much(&self, end: End) -> bool {
        let mut kept = Amount::default();
        self.channels[end.0].held.iter().for_each(|(_, message)| kept.add(Amount::one(message.length)));
        self.fills(kept)
    }

    /// Forgets that nobody has answered, and what was kept for that. Returns whether there was something to forget.
    fn settle(&mut self, channel: Channel) -> bool {
        let Some(Unanswered { load, .. }) = self.channels[channel].unanswered.take() else { return false };
        let end = self.opener_of(channel);
        self.settled.insert((self.home(end.1), load));
        match self.state(end) {
            Some(State::Unanswered) => {
                self.ports.entry(end).and_modify(|port| port.state = State::Open);
                self.channels[channel].held.clear();
            }
            Some(State::Left) => self.channels[channel].held.clear(),
            _ => {}
        }
        true
    }

    pub(super) fn taken_by_somebody(&mut self, channel: Channel) {
        if self.settle(channel) {
            let end = self.opener_of(channel);
            match self.state(end) {
                Some(State::Left) => {
                    self.channels[channel].legs.clear();
                    self.ports.remove(&end);
                }
                Some(State::Open) => self.tell_of_room(end),
                _ => {}
            }
        }
        self.go_on_waiting();
    }

    /// What waited behind connects that were answered goes on.
    pub(super) fn go_on_waiting(&mut self) {
        while let Some((at, load)) = self.settled.pop_first() {
            self.connect_waiting(at, load);
        }
    }

    pub(super) fn note_refused(&mut self, channel: Channel, target: Option<Context>) {
        let stopped = self.channels[channel].unanswered.as_ref().is_some_and(|unanswered| {
            target.is_none_or(|target| target == unanswered.background) && self.was_stopped(unanswered)
        });
        self.channels[channel].unanswered.iter_mut().for_each(|unanswered| unanswered.stopped |= stopped);
    }

    /// Whether a target that is gone will say what it made of the connection.
    pub(super) fn awaits_word_of(&mut self, target: End, reason: DisconnectReason) -> bool {
        let home = self.home(target.1);
        let leg = self.channels[target.0].legs.get_mut(&home);
        let pending =
            leg.and_then(|leg| leg.target(target)).is_some_and(|target| target.state == TargetState::Pending);
        let unanswered = self.channels[target.0].unanswered.as_ref();
        let sent = matches!(self.state(self.opener_of(target.0)), Some(State::Unanswered | State::Left));
        pending
            && unanswered.is_some_and(|unanswered| {
                sent && reason == BackgroundStopped
                    || target.1 == unanswered.background && self.was_stopped(unanswered)
            })
    }

    /// A loop is gone and will not answer.
    pub(super) fn note_all_lost(&mut self, at: Loop, gone: Loop) {
        for channel in 0..self.channels.len() {
            let state = &self.channels[channel];
            let background = state.unanswered.as_ref().map(|unanswered| unanswered.background);
            let lost =
                |background: &Context| self.home(*background) == gone && is_pending(state, *background);
            if self.home(state.opener) == at && background.as_ref().is_some_and(lost) {
                self.note_refused(channel, background);
            }
        }
    }

    /// A port reaches nobody: whether it waits for the next start.
    pub(super) fn wait_again(&mut self, channel: Channel) -> bool {
        let Some(unanswered) = self.channels[channel].unanswered.take() else { return false };
        let Unanswered { load, lifecycle, turn, stopped, .. } = unanswered;
        let end = self.opener_of(channel);
        let home = self.home(end.1);
        self.settled.insert((home, load));
        if !stopped || self.contexts[end.1].killed.is_some() || self.backgrounds[load].is_none() {
            return false;
        }
        let start = self.wait_for(home, load);
        self.channels[channel].waits = Some(Waits { load, start, lifecycle, turn });
        self.ports.entry(end).and_modify(|port| {
            port.state = if port.state.is_left() { State::Leaving } else { State::Opening };
        });
        true
    }

    /// The end of a port follows what it sent, and the port stays until it is answered.
    pub(super) fn leave_unanswered(&mut self, end: End) {
        self.ports.entry(end).and_modify(|port| port.state = State::Left);
        let (home, legs) = (self.home(end.1), self.channels[end.0].legs.keys().copied());
        for to in legs.collect::<Vec<_>>() {
            self.send(self.lane_of(end.0, home, to), Record::Close(end.0, Disconnected, Told::Yes));
        }
    }

    /// An opener's port ends for its context's end. Returns whether the other side was told before.
    pub(super) fn close_unanswered(&mut self, channel: Channel) -> bool {
        self.settle(channel);
        let left = self.state(self.opener_of(channel)) == Some(State::Left);
        if left {
            self.channels[channel].legs.clear();
        }
        left
    }
}

/// Whether a background has yet to answer.
fn is_pending(channel: &ChannelState, background: Context) -> bool {
    let mut targets = channel.legs.values().flat_map(|leg| &leg.targets);
    targets.any(|target| target.context == background && target.state == TargetState::Pending)
}
