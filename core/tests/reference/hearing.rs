//! What a loop hands out and shows.

use super::state::{State, TargetState};
use super::window::Amount;
use super::world::World;
use super::{Context, End, Heard, Loop};
use port_core::{DisconnectReason, Listening};
use std::collections::{BTreeMap, VecDeque};

/// What a snapshot shows of a context: listeners, whether it is suspended, why it is
/// gone, and how many ports it holds.
pub type ContextShown = (Listening, bool, Option<DisconnectReason>, usize);

impl World {
    /// What was to be heard and may not be any more, for its context or port is gone.
    pub(super) fn forget_unfit(&mut self, event_loop: Loop) {
        let Some(mut groups) = self.heard.remove(&event_loop) else { return };
        for group in &mut groups {
            group.retain(|heard| self.is_fit(heard));
        }
        groups.retain(|group| !group.is_empty());
        if !groups.is_empty() {
            self.heard.insert(event_loop, groups);
        }
    }

    fn is_fit(&self, heard: &Heard) -> bool {
        let Some(end) = heard.end() else { return true };
        let fits = |state: State| match heard {
            Heard::Message(..) => !state.is_left(),
            Heard::Disconnect(..) => matches!(state, State::Ended(_)),
            Heard::Room(..) => matches!(state, State::Open | State::Unanswered),
            Heard::Connect(..) | Heard::ContextGone(..) => true,
        };
        self.contexts[end.1].killed.is_none() && self.state(end).is_some_and(fits)
    }

    /// Hands one out, if it is next.
    pub(super) fn hand_out(&mut self, event_loop: Loop, heard: &Heard) -> bool {
        let taken = self.as_it_was_taken(heard);
        let Some(group) = self.heard.get_mut(&event_loop).and_then(VecDeque::front_mut) else {
            return false;
        };
        let Some(at) = group.iter().position(|next| *next == taken) else { return false };
        group.swap_remove(at);
        match heard {
            Heard::Message(end, message) => self.receiver_took(*end, *message),
            Heard::Connect(end, ..) => self.answer_on_hearing(*end),
            Heard::Disconnect(end, ..) => drop(self.ports.remove(end)),
            _ => {}
        }
        self.forget_unfit(event_loop);
        true
    }

    /// Hands out nothing, if nothing is left to take.
    pub(super) fn fall_silent(&mut self, event_loop: Loop) -> bool {
        let mut lanes = self.lanes.iter_mut().filter(|(lane, _)| lane.to == event_loop);
        let taken = lanes.all(|(_, lane)| {
            lane.taken = Amount::default();
            lane.records.is_empty()
        });
        taken && self.heard(event_loop).is_none() && !self.notices.contains_key(&event_loop)
    }

    /// Whether a loop may show these contexts and these ports with the ends that they
    /// reach.
    pub fn shows(
        &mut self,
        at: Loop,
        contexts: &BTreeMap<Context, ContextShown>,
        ports: &BTreeMap<End, (State, Vec<Context>)>,
    ) -> bool {
        let here = (0..self.contexts.len())
            .filter(|context| self.contexts[*context].home == at && !self.contexts[*context].ended);
        let shown: BTreeMap<_, _> = here
            .map(|context| {
                let state = &self.contexts[context];
                (context, (state.listening, state.suspended.is_some(), state.killed, self.count(context)))
            })
            .collect();
        let here = self.ports.iter().filter(|(end, _)| self.home(end.1) == at);
        let shown_ports: BTreeMap<_, _> = here
            .map(|(end, port)| {
                // One that waits to leave is shown as one that opens.
                let state = match port.state {
                    State::Leaving | State::Left => State::Opening,
                    State::Unanswered => State::Open,
                    state => state,
                };
                (*end, (state, self.reached(*end, state)))
            })
            .collect();
        shown == *contexts && shown_ports == *ports
    }

    fn reached(&self, end: End, state: State) -> Vec<Context> {
        let channel = &self.channels[end.0];
        if !state.hears() {
            return Vec::new();
        }
        if end.1 != channel.opener {
            return vec![channel.opener];
        }
        let targets = channel.legs.values().flat_map(|leg| &leg.targets);
        let reached = targets.filter(|target| target.state != TargetState::Gone);
        let mut reached: Vec<_> = reached.map(|target| target.context).collect();
        reached.sort_unstable();
        reached
    }
}

impl Heard {
    /// The end that it is about.
    pub fn end(&self) -> Option<End> {
        match self {
            Self::Connect(end, ..) | Self::Message(end, _) | Self::Disconnect(end, ..) | Self::Room(end) => {
                Some(*end)
            }
            Self::ContextGone(..) => None,
        }
    }
}
