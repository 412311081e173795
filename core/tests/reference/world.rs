//! One way in which everything may have gone: the state, and what calls do to it.

use super::background::{Background, Load};
use super::record::{Lane, Notice, Record, Refusal};
use super::room::Guesses;
use super::state::{ChannelState, ContextState, Port, State};
use super::window::Amount;
use super::{Channel, Context, End, Groups, Heard, LaneId, Loop, Message};
use port_core::DisconnectReason::{ContextDetached, Disconnected};
use port_core::{ConnectKind, ContextError, ContextKind, DisconnectReason, Limits, Listening, Policies};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// What the service was made with: the same in every world, so it tells none from another.
#[derive(Clone)]
pub struct Rules(pub Rc<(Limits, Policies)>);

impl PartialEq for Rules {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Rules {}

impl Hash for Rules {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct World {
    rules: Rules,
    pub(super) contexts: Vec<ContextState>,
    pub(super) channels: Vec<ChannelState>,
    pub(super) ports: BTreeMap<End, Port>,
    pub(super) lanes: BTreeMap<LaneId, Lane>,
    pub(super) notices: BTreeMap<Loop, VecDeque<Notice>>,
    /// Heard next, by loop.
    pub(super) heard: BTreeMap<Loop, Groups>,
    /// Dropped, or declared gone.
    pub(super) gone: BTreeSet<Loop>,
    /// Pairs of which the second was dropped.
    pub(super) parted: BTreeSet<(Loop, Loop)>,
    /// Lanes of which one side knows that the other is gone.
    pub(super) cut: BTreeSet<LaneId>,
    /// How many targets were connected to by a lane that have not answered.
    pub(super) unanswered: BTreeMap<LaneId, u64>,
    /// Lanes by which their receiver was asked for room and has not answered.
    pub(super) asked: BTreeSet<LaneId>,
    /// For which ends it is asked, or was before.
    pub(super) waiting: BTreeMap<LaneId, BTreeSet<End>>,
    pub(super) guesses: Guesses,
    /// Of each load of an extension; `None` once it is unloaded.
    pub(super) backgrounds: Vec<Option<Background>>,
    /// The background and pages of each load, as the index has them now.
    pub own: Rc<BTreeMap<Load, Vec<Context>>>,
    /// The latest turn among what waits for a background.
    pub(super) turns: u64,
    /// Loads to which connects were answered, for which others may have waited. Empty between steps.
    pub(super) settled: BTreeSet<(Loop, Load)>,
}

/// How a post went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    Sent,
    Disconnected,
    Gone,
    TooLarge,
    WindowFull,
    Busy,
}

/// A connect: whom the index found, and the rest.
#[derive(Clone, Debug)]
pub struct Connecting {
    pub opener: Context,
    pub targets: Vec<Context>,
    pub kind: ConnectKind,
    /// Of the name, for the budget.
    pub bytes: u64,
    /// A content script calls `tabs.connect`.
    pub not_allowed: bool,
    /// Whose background it is to wait for, if that sleeps.
    pub background: Option<Load>,
}

impl World {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            contexts: Vec::new(),
            channels: Vec::new(),
            ports: BTreeMap::new(),
            lanes: BTreeMap::new(),
            notices: BTreeMap::new(),
            heard: BTreeMap::new(),
            gone: BTreeSet::new(),
            parted: BTreeSet::new(),
            cut: BTreeSet::new(),
            unanswered: BTreeMap::new(),
            asked: BTreeSet::new(),
            waiting: BTreeMap::new(),
            guesses: Guesses::default(),
            backgrounds: Vec::new(),
            own: Rc::default(),
            turns: 0,
            settled: BTreeSet::new(),
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.rules.0.0
    }

    pub(super) fn policies(&self) -> &Policies {
        &self.rules.0.1
    }

    pub(super) fn home(&self, context: Context) -> Loop {
        self.contexts[context].home
    }

    pub(super) fn opener_of(&self, channel: Channel) -> End {
        (channel, self.channels[channel].opener, 0)
    }

    /// The lane between two loops by which a channel's records go.
    pub(super) fn lane_of(&self, channel: Channel, from: Loop, to: Loop) -> LaneId {
        self.lane_for(self.channels[channel].opener, from, to)
    }

    /// The lane between two loops for the connections that a context opens.
    pub(super) fn lane_for(&self, opener: Context, from: Loop, to: Loop) -> LaneId {
        LaneId { from, to, opens: self.contexts[opener].number }
    }

    pub(super) fn state(&self, end: End) -> Option<State> {
        self.ports.get(&end).map(|port| port.state)
    }

    pub fn attach(&mut self, home: Loop, kind: ContextKind, instance: Load, described: u64) {
        if kind == ContextKind::Background {
            self.background_enters(self.contexts.len(), instance);
        }
        let number = self.number_of(instance);
        self.contexts.push(ContextState {
            home,
            kind,
            instance,
            number,
            described,
            announced_to: BTreeSet::new(),
            listening: Listening::none(),
            killed: None,
            ended: false,
            suspended: None,
        });
    }

    /// Has a loop told of a context, if it was not before, and of those that ended since. Returns how many farewells
    /// that takes.
    pub(super) fn announce(&mut self, context: Context, to: Loop) -> Amount {
        let mut farewells = Amount::default();
        if !self.contexts[context].announced_to.insert(to) {
            return farewells;
        }
        let lane = self.lane_for(context, self.home(context), to);
        for ended in 0..self.contexts.len() {
            let state = &mut self.contexts[ended];
            let same_lane = state.home == lane.from && state.number == lane.opens;
            if same_lane && state.ended && state.announced_to.remove(&to) {
                self.send(lane, Record::Farewell);
                farewells.add(Amount::one(0));
            }
        }
        self.send(lane, Record::Announce(self.contexts[context].described));
        farewells
    }

    pub fn set_listening(
        &mut self,
        context: Context,
        listening: Listening,
        got: Result<(), ContextError>,
    ) -> bool {
        let state = &mut self.contexts[context];
        if state.ended {
            return got == Err(ContextError::UnknownContext);
        }
        if state.killed.is_some() {
            return got == Err(ContextError::Gone);
        }
        state.listening = listening;
        if listening.ready && state.kind == ContextKind::Background {
            self.background_is_ready(context);
        }
        got == Ok(())
    }

    pub fn detach(&mut self, context: Context, got: Result<(), ContextError>) -> bool {
        if self.contexts[context].ended {
            return got == Err(ContextError::UnknownContext);
        }
        let reason = self.contexts[context].killed.unwrap_or(ContextDetached);
        self.backgrounds_leave(&[context], reason);
        self.end_contexts(self.home(context), &[context], reason);
        got == Ok(())
    }

    pub fn post(&mut self, end: End, message: Message, got: Posted) -> bool {
        let Some(state) = self.state(end) else { return got == Posted::Disconnected };
        if self.contexts[end.1].killed.is_some() {
            return got == Posted::Gone;
        }
        if message.length > self.limits().message_bytes as u64 {
            return got == Posted::TooLarge;
        }
        match state {
            State::Open => {}
            State::Undecided => drop(self.answer(end, None)),
            State::Opening => return got == self.hold(end, message),
            State::Leaving | State::Left => return got == Posted::Disconnected,
            State::Unanswered if self.keeps_too_much(end) => {
                self.ports.entry(end).and_modify(|port| port.wants_room = true);
                return got == Posted::Busy;
            }
            State::Unanswered => {}
            // As in browsers, it goes nowhere.
            State::Silent | State::Ended(_) => return got == Posted::Sent,
        }
        if !self.has_room(end) {
            let home = self.home(end.1);
            self.in_no_order(self.others(end), home, |world, other| world.take_credits(other.back()));
            if !self.has_room(end) {
                self.ports.entry(end).and_modify(|port| port.wants_room = true);
                self.others(end).into_iter().for_each(|lane| self.looks_at_budget(lane, false));
                return got == Posted::WindowFull;
            }
        }
        let others = self.others(end);
        if let Some(full) = self.full_lane(end) {
            self.ask_for_room(end, full);
            return got == Posted::Busy;
        }
        let before: Vec<_> = others.iter().map(|lane| self.lying(*lane)).collect();
        others.iter().for_each(|lane| self.looks_at_budget(*lane, true));
        self.send_message(end, message);
        if state == State::Unanswered {
            let turn = self.take_turn();
            self.channels[end.0].held.push((turn, message));
        }
        for (lane, before) in others.into_iter().zip(before) {
            self.counts_for_share(end.1, lane, before, Amount::one(message.length));
        }
        got == Posted::Sent
    }

    pub fn disconnect(&mut self, end: End, was_open: bool) -> bool {
        let killed = self.contexts[end.1].killed;
        match self.state(end) {
            None | Some(State::Leaving | State::Left) => return !was_open,
            Some(State::Unanswered) if killed.is_none() => {
                let turn = self.take_turn();
                self.channels[end.0].left = Some(turn);
                self.leave_unanswered(end);
            }
            Some(State::Opening) if killed.is_none() => {
                self.ports.entry(end).and_modify(|port| port.state = State::Leaving);
                let turn = self.take_turn();
                self.channels[end.0].left = Some(turn);
            }
            Some(_) => {
                if killed.is_none() {
                    self.refuse(end, Refusal::NotListening);
                }
                self.close(end, killed.unwrap_or(Disconnected));
                self.ports.remove(&end);
                self.go_on_waiting();
            }
        }
        was_open
    }

    pub fn is_open(&self, end: End) -> bool {
        self.state(end).is_some_and(|state| !state.is_left())
    }

    /// A loop is dropped: its own thread's doing, as a detach is, so that what its
    /// contexts sent is still taken.
    pub fn drop_loop(&mut self, gone: Loop, loops: &[Loop]) {
        let opening = self.ports.iter().filter(|(end, port)| {
            self.home(end.1) == gone && matches!(port.state, State::Opening | State::Leaving)
        });
        let opening = opening.map(|(end, _)| *end).collect();
        self.in_no_order(opening, gone, Self::release);
        let here: Vec<_> = (0..self.contexts.len()).filter(|context| self.home(*context) == gone).collect();
        self.backgrounds_leave(&here, DisconnectReason::EventLoopGone);
        for context in 0..self.contexts.len() {
            if self.home(context) == gone {
                self.contexts[context].ended = true;
                self.contexts[context].suspended = None;
                self.ports.retain(|end, _| end.1 != context);
            }
        }
        self.heard.remove(&gone);
        self.notices.remove(&gone);
        self.parted.extend(loops.iter().map(|from| (*from, gone)));
        self.tell_all_of(gone, DisconnectReason::EventLoopGone, loops);
    }

    /// A fact ends contexts.
    pub fn kill(&mut self, contexts: &[Context], reason: DisconnectReason, loops: &[Loop]) {
        let mut by_loop = BTreeMap::<Loop, Vec<Context>>::new();
        for &context in contexts {
            self.contexts[context].killed.get_or_insert(reason);
            by_loop.entry(self.home(context)).or_default().push(context);
        }
        for &event_loop in loops.iter().filter(|_| !contexts.is_empty()) {
            let by_loop = by_loop.clone().into_iter().collect();
            self.notice(event_loop, Notice::Gone(by_loop, reason));
        }
    }

    /// A loop is declared gone, or its process crashed.
    pub fn declare_gone(&mut self, gone: Loop, reason: DisconnectReason, loops: &[Loop]) {
        let here = (0..self.contexts.len()).filter(|context| self.home(*context) == gone);
        let contexts: Vec<_> = here.filter(|context| !self.contexts[*context].ended).collect();
        for &context in &contexts {
            self.contexts[context].killed.get_or_insert(reason);
        }
        self.backgrounds_leave(&contexts, reason);
        self.notice(gone, Notice::Gone(vec![(gone, contexts)], reason));
        self.tell_all_of(gone, reason, loops);
    }

    fn tell_all_of(&mut self, gone: Loop, reason: DisconnectReason, loops: &[Loop]) {
        if self.gone.insert(gone) {
            for &other in loops.iter().filter(|other| **other != gone) {
                self.notice(other, Notice::LoopGone(gone, reason));
            }
        }
    }

    pub fn suspend(&mut self, contexts: &[Context]) {
        for &context in contexts {
            self.notice(self.home(context), Notice::Suspend(context));
        }
    }

    pub fn resume(&mut self, contexts: &[Context]) {
        for &context in contexts {
            self.notice(self.home(context), Notice::Resume(context));
        }
    }

    /// Nobody tells a loop anything of others that was declared gone.
    pub(super) fn notice(&mut self, to: Loop, notice: Notice) {
        if !self.gone.contains(&to) {
            self.notices.entry(to).or_default().push_back(notice);
        }
    }

    pub(super) fn count(&self, context: Context) -> usize {
        self.ports.keys().filter(|end| end.1 == context).count()
    }

    /// Whether a context may hold one port more, another extension's or not: ports count, and names that do not fit
    /// into them.
    pub(super) fn may_hold_another(&self, context: Context, name: u64, external: bool) -> bool {
        let held = self.ports.keys().filter(|end| end.1 == context);
        let names = held.map(|end| self.channels[end.0].name_bytes).chain([name]).filter(|bytes| *bytes > 23);
        let instance = |context: Context| self.contexts[context].instance;
        let foreign = |end: &&End| end.1 == context && instance(self.opener_of(end.0).1) != instance(context);
        let foreign = self.ports.keys().filter(foreign).count();
        let has_room = match external {
            true => foreign < self.limits().external_ports_per_context.into(),
            false => self.count(context) - foreign < self.limits().ports_per_context as usize,
        };
        has_room && names.sum::<u64>() <= self.limits().names_per_context.into()
    }

    /// The lanes by which an end's posts go.
    pub(super) fn others(&self, (channel, context, _): End) -> Vec<LaneId> {
        let state = &self.channels[channel];
        let to: Vec<Loop> = match context == state.opener {
            true => state.order.iter().copied().filter(|to| state.legs.contains_key(to)).collect(),
            false => vec![self.home(state.opener)],
        };
        to.into_iter().map(|to| self.lane_of(channel, self.home(context), to)).collect()
    }

    /// A context is to hear something, or it waits until its page comes back.
    pub(super) fn emit(&mut self, context: Context, heard: Heard) {
        match &mut self.contexts[context].suspended {
            Some(suspended) => suspended.heard.push(heard),
            None => self.hear(self.home(context), vec![heard]),
        }
    }

    /// Does several things of which nobody may rely on the order.
    pub(super) fn in_no_order<T>(&mut self, items: Vec<T>, at: Loop, mut act: impl FnMut(&mut Self, T)) {
        let before: BTreeMap<_, _> =
            self.lanes.iter().map(|(lane, state)| (*lane, state.records.len())).collect();
        let mut sent = BTreeMap::<_, Vec<VecDeque<Record>>>::new();
        self.hears_in_no_order(at, |world| {
            for item in items {
                act(world, item);
                for (lane, state) in &mut world.lanes {
                    let from = before.get(lane).copied().unwrap_or(0).min(state.records.len());
                    let records = state.records.split_off(from);
                    if !records.is_empty() {
                        sent.entry(*lane).or_default().push(records);
                    }
                }
            }
        });
        for (lane, mut sequences) in sent {
            let records = &mut self.lanes.entry(lane).or_default().records;
            match sequences.len() {
                1 => records.append(&mut sequences[0]),
                _ => records.push_back(Record::AnyOf(sequences)),
            }
        }
    }

    /// Does something that has a loop hear several things in no order.
    pub(super) fn hears_in_no_order(&mut self, at: Loop, act: impl FnOnce(&mut Self)) {
        let before = self.heard.get(&at).map_or(0, VecDeque::len);
        act(self);
        if let Some(groups) = self.heard.get_mut(&at) {
            let group = groups.split_off(before).into_iter().flatten().collect();
            self.hear(at, group);
        }
    }
}
