//! How a port hears that it may post again, and what a loop knows of a lane.

use super::record::Record;
use super::state::State;
use super::window::Amount;
use super::world::World;
use super::{Context, End, Heard, LaneId};

/// What a loop is taken to know of lanes of which the model cannot tell whether it holds them for full: for each, in the
/// order in which this came up while something was done, and for which load of an extension.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Guesses {
    lanes: Vec<(LaneId, usize)>,
    /// For the first of them; the others are not full.
    full: Vec<bool>,
    /// How many of them were made before something was sent, and hold no more.
    past: usize,
}

impl World {
    /// Does something in every way in which it may go, by what a loop may know of its lanes.
    pub fn ways<R>(&self, act: impl Fn(&mut Self) -> R) -> Vec<(Self, R)> {
        let (mut ways, mut untried) = (Vec::new(), vec![Vec::new()]);
        while let Some(full) = untried.pop() {
            let mut world = self.clone();
            let given = full.len();
            world.guesses.full = full;
            let result = act(&mut world);
            let Guesses { lanes, full, .. } = std::mem::take(&mut world.guesses);
            for at in given..lanes.len() {
                let mut other = full.clone();
                other.resize(at, false);
                other.push(true);
                untried.push(other);
            }
            ways.push((world, result));
        }
        ways
    }

    /// Whether a loop holds a lane of its own for full, for a context's extension.
    pub(super) fn is_full(&mut self, context: Context, lane: LaneId) -> bool {
        match self.admission(context, lane) {
            (_, true) => return false,
            (false, _) => return true,
            _ => {}
        }
        let lane = (lane, self.contexts[context].instance);
        let Guesses { lanes, full, past } = &mut self.guesses;
        let known = lanes.iter().skip(*past).position(|known| *known == lane).map(|at| at + *past);
        let at = known.unwrap_or_else(|| {
            lanes.push(lane);
            lanes.len() - 1
        });
        full.get(at).copied().unwrap_or(false)
    }

    /// Something was sent, so that a lane which was not full may be.
    pub(super) fn guess_anew(&mut self) {
        self.guesses.past = self.guesses.lanes.len();
    }

    /// The first full lane of those that an end's posts go by.
    pub(super) fn full_lane(&mut self, end: End) -> Option<LaneId> {
        let others = self.others(end);
        let full = others.iter().copied().find(|lane| self.is_full(end.1, *lane));
        others.into_iter().for_each(|lane| self.looks_at_budget(lane, false));
        full
    }

    /// Has an end wait until a loop has taken what lies in the lane to it.
    pub(super) fn ask_for_room(&mut self, end: End, full: LaneId) {
        self.ports.entry(end).and_modify(|port| port.wants_room = true);
        self.waiting.entry(full).or_default().insert(end);
        if self.asked.insert(full) {
            self.send(full, Record::AskRoom);
        }
    }

    /// A loop was asked by a lane, and has taken all that came before the question.
    pub(super) fn answer_of_room(&mut self, asked: LaneId) {
        self.lanes.entry(asked).and_modify(|lane| lane.taken = Amount::default());
        self.send(asked.back(), Record::RoomThere);
    }

    /// A loop that was asked by a lane answered.
    pub(super) fn room_there(&mut self, asked: LaneId) {
        self.asked.remove(&asked);
        let waiting = self.waiting.remove(&asked).unwrap_or_default();
        self.hears_in_no_order(asked.from, |world| {
            waiting.into_iter().for_each(|end| world.tell_of_room(end));
        });
    }

    /// Tells an end that was refused a post that there is room again, or asks for it.
    pub(super) fn tell_of_room(&mut self, end: End) {
        let wants = self.ports.get(&end).is_some_and(|port| port.wants_room && port.state == State::Open);
        // A page in the cache is told when it comes back.
        let context = &self.contexts[end.1];
        if !wants || context.killed.is_some() || context.suspended.is_some() || !self.has_room(end) {
            return;
        }
        if let Some(full) = self.full_lane(end) {
            return self.ask_for_room(end, full);
        }
        self.ports.entry(end).and_modify(|port| port.wants_room = false);
        self.emit(end.1, Heard::Room(end));
    }
}
