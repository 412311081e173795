//! Backgrounds that are started on demand. What waits for one is plain: the channels of a loop that wait for it and their
//! posts, in the order of the calls.

use super::record::{Notice, Refusal};
use super::state::State;
use super::window::Amount;
use super::world::World;
use super::{Channel, Context, End, Loop, Message, Number};
use port_core::DisconnectReason::BackgroundStopped;
use port_core::{BackgroundState, ConnectKind, DisconnectReason, DocumentLifecycle, OpeningPort};
use std::collections::{BTreeMap, BTreeSet};

/// The load of an extension, by number.
pub type Load = usize;

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Background {
    /// The load's.
    number: Number,
    pub state: BackgroundState,
    /// The contexts of the background that there are, and those of them that are ready.
    contexts: Vec<Context>,
    ready: Vec<Context>,
    /// How often it was wanted, and whether the browser was told of the last time.
    starts: u64,
    told: bool,
    /// The loops that wait for the last start.
    waiting: BTreeSet<Loop>,
    /// How often it became ready, and which of these lives ended otherwise than by a stop.
    pub(super) lives: u64,
    otherwise: BTreeSet<u64>,
}

/// What a channel waits for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Waits {
    pub load: Load,
    /// `None` if it joined others while the word that they may go was under way.
    pub start: Option<u64>,
    pub lifecycle: DocumentLifecycle,
    pub turn: u64,
}

/// A connect to a background that ran, in this life of it, and may have been stopped before it took it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Unanswered {
    pub load: Load,
    pub life: u64,
    pub background: Context,
    pub lifecycle: DocumentLifecycle,
    pub turn: u64,
    /// Whether a target refused it for a stop.
    pub stopped: bool,
}

/// What a channel has to do in its turn, once it is open.
type Steps = BTreeMap<u64, (End, Option<Message>, bool)>;

impl Background {
    pub fn new(number: Number, on_demand: bool) -> Self {
        let state = if on_demand { BackgroundState::Dormant } else { BackgroundState::Resident };
        let (contexts, ready, waiting, otherwise) = Default::default();
        Self { number, state, contexts, ready, starts: 0, told: false, waiting, lives: 0, otherwise }
    }

    pub(super) fn life(&self) -> Option<u64> {
        (self.state == BackgroundState::Ready).then_some(self.lives)
    }

    /// The context that got ready last.
    pub(super) fn latest(&self) -> Option<Context> {
        self.ready.last().copied()
    }

    pub(super) fn was_stopped(&self, life: u64) -> bool {
        self.life() != Some(life) && !self.otherwise.contains(&life)
    }

    fn sleeps(&self) -> bool {
        matches!(self.state, BackgroundState::Dormant | BackgroundState::Wanted)
    }

    /// Gives those that waited for a start, which is over.
    fn becomes(&mut self, state: BackgroundState) -> BTreeSet<Loop> {
        self.state = state;
        std::mem::take(&mut self.waiting)
    }
}

impl World {
    pub fn load(&mut self, on_demand: bool) {
        let is_taken = |number| self.backgrounds.iter().flatten().any(|loaded| loaded.number == number);
        let number = (1..).find(|number| !is_taken(*number)).expect("there are more numbers than loads");
        self.backgrounds.push(Some(Background::new(number, on_demand)));
    }

    /// The number of a load, which is loaded; zero for pages of the web.
    pub(super) fn number_of(&self, load: Load) -> Number {
        self.backgrounds.get(load).and_then(Option::as_ref).map_or(0, |background| background.number)
    }

    pub fn unload(&mut self, load: Load) {
        let waiting = self.backgrounds[load].take().map(|background| (background.starts, background.waiting));
        let (start, waiting) = waiting.unwrap_or_default();
        self.give_up_all(vec![(load, start, waiting)], DisconnectReason::ExtensionUnloaded);
    }

    /// What the index shows of it.
    pub fn background_is(&self, load: Load, state: BackgroundState) -> bool {
        self.backgrounds[load].as_ref().is_some_and(|background| background.state == state)
    }

    /// Whether the browser may be told to start this, or that there is nothing to start.
    pub fn next_wanted(&mut self, got: Option<Load>) -> bool {
        let mut wanted = self.backgrounds.iter_mut().enumerate().filter_map(|(load, background)| {
            let background = background.as_mut()?;
            (background.state == BackgroundState::Wanted && !background.told).then_some((load, background))
        });
        match got {
            None => wanted.next().is_none(),
            Some(got) => wanted.find(|wanted| wanted.0 == got).is_some_and(|(_, background)| {
                background.told = true;
                true
            }),
        }
    }

    pub fn is_attached(&self, context: Context) -> bool {
        !self.contexts[context].ended
    }

    pub(super) fn background_enters(&mut self, context: Context, load: Load) {
        self.backgrounds[load].iter_mut().for_each(|background| background.contexts.push(context));
    }

    pub(super) fn background_is_ready(&mut self, context: Context) {
        let load = self.contexts[context].instance;
        let Some(background) = &mut self.backgrounds[load] else { return };
        if !background.contexts.contains(&context) || background.state == BackgroundState::Resident {
            return;
        }
        if !background.ready.contains(&context) {
            background.ready.push(context);
        }
        background.lives += u64::from(background.state != BackgroundState::Ready);
        for event_loop in background.becomes(BackgroundState::Ready) {
            self.notice(event_loop, Notice::Ready(load));
        }
    }

    /// Contexts leave their loop, which detaches them, is dropped or declared gone.
    pub(super) fn backgrounds_leave(&mut self, contexts: &[Context], reason: DisconnectReason) {
        let mut over = Vec::new();
        for (load, background) in self.backgrounds.iter_mut().enumerate() {
            let Some(background) = background else { continue };
            let before = background.contexts.len();
            background.contexts.retain(|context| !contexts.contains(context));
            background.ready.retain(|context| !contexts.contains(context));
            let left = match background.state {
                BackgroundState::Ready => background.ready.is_empty(),
                BackgroundState::Wanted => before > 0 && background.contexts.is_empty(),
                _ => false,
            };
            if left {
                background.otherwise.extend(background.life());
                let waiting = background.becomes(BackgroundState::Dormant);
                over.push((load, background.starts, waiting));
            }
        }
        self.give_up_all(over, reason);
    }

    /// The browser gives it up: only a start that somebody waits for.
    pub fn give_up(&mut self, load: Load, reason: DisconnectReason) {
        let Some(background) = &mut self.backgrounds[load] else { return };
        if background.state == BackgroundState::Wanted {
            let waiting = background.becomes(BackgroundState::Dormant);
            let over = vec![(load, background.starts, waiting)];
            self.give_up_all(over, reason);
        }
    }

    /// The browser stops it: the contexts of it that there are end.
    pub fn stop(&mut self, load: Load, contexts: &[Context], loops: &[Loop]) {
        self.kill(contexts, BackgroundStopped, loops);
        let Some(background) = &mut self.backgrounds[load] else { return };
        background.contexts.clear();
        background.ready.clear();
        if background.state != BackgroundState::Resident {
            let waiting = background.becomes(BackgroundState::Dormant);
            let over = vec![(load, background.starts, waiting)];
            self.give_up_all(over, BackgroundStopped);
        }
    }

    /// Tells every loop that waited which starts are over, in no order.
    fn give_up_all(&mut self, over: Vec<(Load, u64, BTreeSet<Loop>)>, reason: DisconnectReason) {
        let loops: BTreeSet<Loop> = over.iter().flat_map(|(.., waiting)| waiting.clone()).collect();
        for event_loop in loops {
            let here = over.iter().filter(|(.., waiting)| waiting.contains(&event_loop));
            let here = here.map(|(load, start, _)| (*load, *start)).collect();
            self.notice(event_loop, Notice::GivenUp(here, reason));
        }
    }

    /// The channels of a loop that wait for a background, in the order of the connects.
    fn waiting(&self, at: Loop, load: Load) -> Vec<Channel> {
        let waits = |channel: &Channel| {
            let state = &self.channels[*channel];
            self.home(state.opener) == at && state.waits.as_ref().is_some_and(|waits| waits.load == load)
        };
        (0..self.channels.len()).filter(waits).collect()
    }

    /// How much waits on a loop for a background.
    pub(super) fn waiting_amount(&self, at: Loop, load: Load) -> Amount {
        let mut amount = Amount::default();
        for channel in self.waiting(at, load).into_iter().map(|channel| &self.channels[channel]) {
            amount.add(Amount::one(channel.name_bytes));
            channel.held.iter().for_each(|(_, message)| amount.add(Amount::one(message.length)));
        }
        amount
    }

    /// Whether a connect to a background waits.
    pub(super) fn is_to_wait(&self, at: Loop, load: Load) -> bool {
        let sleeps = self.backgrounds[load].as_ref().is_some_and(Background::sleeps);
        sleeps || !self.waiting(at, load).is_empty() || self.awaits_word_of_the_past(at, load)
    }

    /// A loop waits for the next start, if the background does not run. Gives its number.
    pub(super) fn wait_for(&mut self, at: Loop, load: Load) -> Option<u64> {
        let background = self.backgrounds[load].as_mut().filter(|background| background.sleeps())?;
        if background.state == BackgroundState::Dormant {
            background.state = BackgroundState::Wanted;
            background.starts += 1;
            background.told = false;
        }
        background.waiting.insert(at);
        Some(background.starts)
    }

    /// A background runs, so what waited goes where it is, and to the other contexts of its extension.
    pub(super) fn connect_waiting(&mut self, at: Loop, load: Load) {
        if self.awaits_word_of_the_past(at, load) {
            return;
        }
        let mut steps = Steps::new();
        for channel in self.waiting(at, load) {
            let turn = self.channels[channel].waits.as_ref().map_or(0, |waits| waits.turn);
            self.take_steps(&mut steps, turn);
            let opener = self.channels[channel].opener;
            let mut targets = Vec::new();
            if self.contexts[opener].killed.is_none() {
                // Or it has been stopped again meanwhile.
                if let Some(start) = self.wait_for(at, load) {
                    for channel in self.waiting(at, load) {
                        self.channels[channel].waits.iter_mut().for_each(|waits| waits.start = Some(start));
                    }
                    break;
                }
                targets = self.own.get(&load).cloned().unwrap_or_default();
            }
            self.open_waiting(channel, &targets, &mut steps);
        }
        self.take_steps(&mut steps, u64::MAX);
    }

    /// Does what is due before a turn: a post, and behind the last one word of room; without a post, the end.
    fn take_steps(&mut self, steps: &mut Steps, before: u64) {
        while let Some(step) = steps.first_entry().filter(|step| *step.key() < before) {
            let (end, message, is_last) = step.remove();
            match message {
                Some(message) => self.send_message(end, message),
                None if self.channels[end.0].unanswered.is_some() => self.leave_unanswered(end),
                None => self.release(end),
            }
            if is_last {
                self.tell_of_room(end);
            }
        }
    }

    fn open_waiting(&mut self, channel: Channel, targets: &[Context], steps: &mut Steps) {
        let (end, kind) = (self.opener_of(channel), self.channels[channel].kind);
        let Some(Waits { load, lifecycle, turn, .. }) = self.channels[channel].waits.take() else { return };
        let reaches = self.contexts[end.1].killed.is_none();
        (self.channels[channel].legs, self.channels[channel].order) = self.legs_to(end.1, targets);
        let home = self.home(end.1);
        for to in self.channels[channel].order.clone() {
            let lane = self.lane_of(channel, home, to);
            let admitted = !self.is_overdue(lane) && !self.is_full(end.1, lane);
            self.looks_at_budget(lane, admitted);
            if !admitted {
                self.channels[channel].refusal = Refusal::LimitReached;
                self.channels[channel].legs.remove(&to);
                self.channels[channel].order.retain(|leg| *leg != to);
            }
        }
        self.send_connects(channel, lifecycle);
        // What the loop takes for full before the next is opened may be another lane.
        self.guess_anew();
        if reaches {
            self.await_answer(channel, load, lifecycle, turn);
        }
        let wait = self.policies().opening_port == OpeningPort::PostsWait && kind == ConnectKind::Port;
        if !self.channels[channel].legs.is_empty() && !wait {
            let left = self.channels[channel].left;
            let held = self.channels[channel].held.clone();
            let is_unanswered = self.channels[channel].unanswered.is_some();
            if !is_unanswered {
                self.channels[channel].held.clear();
            }
            if let Some(left) = left {
                steps.insert(left, (end, None, false));
            } else {
                let state = if is_unanswered { State::Unanswered } else { State::Open };
                self.ports.entry(end).and_modify(|port| port.state = state);
                if held.is_empty() {
                    self.tell_of_room(end);
                }
            }
            let last = held.last().map(|(turn, _)| *turn).filter(|_| left.is_none());
            for (turn, message) in held {
                steps.insert(turn, (end, Some(message), Some(turn) == last));
            }
        }
    }

    /// The next turn among what waits.
    pub(super) fn take_turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }

    /// What waited for a start that came to nothing ends; what came later waits for another.
    pub(super) fn end_waiting(&mut self, at: Loop, load: Load, start: u64, reason: DisconnectReason) {
        for channel in self.waiting(at, load) {
            let end = self.opener_of(channel);
            let state = &mut self.channels[channel];
            if state.waits.as_ref().and_then(|waits| waits.start).is_none_or(|own| own > start) {
                continue;
            }
            state.waits = None;
            state.held.clear();
            match self.state(end) {
                // Nobody is left to be told.
                Some(State::Leaving) => drop(self.ports.remove(&end)),
                _ => self.end_port(end, reason),
            }
        }
        self.connect_waiting(at, load);
    }
}
