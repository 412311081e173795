//! What the core is to do, written for reading: every loop has one queue from every
//! loop, and a queue of notices. A loop takes from any of them in any order; a record
//! does what it does at once. Where the order is free the model follows every one, and
//! what the core hands out must fit at least one of them.
#![allow(unreachable_pub, reason = "a module of one test")]

use port_core::DisconnectReason::{
    ContextDetached, Disconnected, EventLoopGone, LimitReached, NoReceiver, SiblingEnded,
};
use port_core::{DisconnectReason, Policies, ReceiverDisconnects, ReceiverLost};
use std::collections::{BTreeMap, HashSet, VecDeque};

/// Loops, contexts and channels by number, in order of creation.
pub type Loop = usize;
pub type Context = usize;
pub type Channel = usize;

/// An end of a channel: of the opener or of one receiver.
pub type End = (Channel, Context);

/// What a loop hands out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Heard {
    Connect(End),
    Message(End, u32),
    Disconnect(End, DisconnectReason),
    ContextGone(Context, DisconnectReason),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Record {
    Connect(Channel, Vec<Context>),
    /// To the opener: a receiver took the connection.
    Accept(End),
    /// To the opener: a receiver refused, or left.
    Left(End, DisconnectReason),
    /// To the receivers on a loop.
    Close(Channel, DisconnectReason, Told),
    ToReceivers(Channel, u32),
    ToOpener(End, u32),
    NoTarget(Channel),
    Gone(Vec<Context>, DisconnectReason),
    /// What one end had sent for several channels, in no order.
    AnyOf(Vec<Record>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Told {
    Yes,
    No,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Notice {
    OwnGone(Vec<Context>, DisconnectReason),
    /// Contexts of another loop.
    Gone(Loop, Vec<Context>, DisconnectReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Port {
    Open,
    Silent,
    Ended(DisconnectReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Target {
    Pending,
    Open,
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ChannelState {
    opener: Context,
    targets: Vec<(Context, Target)>,
    lost: Option<DisconnectReason>,
    limit_reached: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ContextState {
    home: Loop,
    listening: bool,
    killed: Option<DisconnectReason>,
    /// Detached, or its end was noticed.
    ended: bool,
}

/// One way in which it may have happened so far.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    contexts: Vec<ContextState>,
    channels: Vec<ChannelState>,
    ports: BTreeMap<End, Port>,
    lanes: BTreeMap<(Loop, Loop), VecDeque<Record>>,
    notices: BTreeMap<Loop, VecDeque<Notice>>,
    /// Heard next, by loop: groups in order, each in no order.
    heard: BTreeMap<Loop, VecDeque<Vec<Heard>>>,
}

/// All ways in which it may have happened so far.
pub struct Model {
    worlds: HashSet<World>,
    policies: Policies,
    ports_per_context: usize,
}

impl Model {
    pub fn new(policies: Policies, ports_per_context: usize) -> Self {
        let world = World {
            contexts: Vec::new(),
            channels: Vec::new(),
            ports: BTreeMap::new(),
            lanes: BTreeMap::new(),
            notices: BTreeMap::new(),
            heard: BTreeMap::new(),
        };
        Self { worlds: [world].into(), policies, ports_per_context }
    }

    fn change(&mut self, change: impl Fn(&mut World)) {
        self.worlds = self
            .worlds
            .drain()
            .map(|mut world| {
                change(&mut world);
                world
            })
            .collect();
    }

    pub fn attach(&mut self, home: Loop) {
        let context = ContextState { home, listening: true, killed: None, ended: false };
        self.change(|world| world.contexts.push(context.clone()));
    }

    pub fn set_listening(&mut self, context: Context, listening: bool) {
        self.change(|world| world.contexts[context].listening = listening);
    }

    pub fn connect(&mut self, opener: Context, targets: &[Context]) {
        self.change(|world| world.connect(opener, targets));
    }

    pub fn post(&mut self, end: End, number: u32) {
        self.change(|world| world.post(end, number));
    }

    pub fn disconnect(&mut self, end: End) {
        self.change(|world| {
            if let Some(records) = world.close(end, Disconnected) {
                world.send(records);
            }
        });
    }

    pub fn detach(&mut self, context: Context) {
        self.change(|world| world.end_context(context, ContextDetached));
    }

    /// A fact ends contexts of one loop.
    pub fn kill(&mut self, contexts: &[Context], reason: DisconnectReason, loops: &[Loop]) {
        self.change(|world| {
            let Some(&first) = contexts.first() else { return };
            let home = world.contexts[first].home;
            for &context in contexts {
                world.contexts[context].killed.get_or_insert(reason);
            }
            world.notice(home, Notice::OwnGone(contexts.into(), reason));
            for &other in loops.iter().filter(|other| **other != home) {
                world.notice(other, Notice::Gone(home, contexts.into(), reason));
            }
        });
    }

    /// A loop is dropped.
    pub fn drop_loop(&mut self, gone: Loop, loops: &[Loop]) {
        self.change(|world| {
            let contexts: Vec<_> =
                (0..world.contexts.len()).filter(|context| world.contexts[*context].home == gone).collect();
            for &context in &contexts {
                // Its own thread's doing, as a detach is: what it sent before is still taken.
                world.contexts[context].ended = true;
                world.ports.retain(|(_, holder), _| *holder != context);
            }
            for &other in loops.iter().filter(|other| **other != gone) {
                world.notice(other, Notice::Gone(gone, contexts.clone(), EventLoopGone));
            }
            world.lanes.retain(|(_, to), _| *to != gone);
            world.heard.remove(&gone);
        });
    }

    /// The core handed this out. Whether it may.
    pub fn hears(&mut self, event_loop: Loop, heard: &Heard) -> bool {
        let mut fitting = HashSet::new();
        let mut looked_at = HashSet::new();
        let mut worlds: Vec<_> = self.worlds.drain().collect();
        while let Some(mut world) = worlds.pop() {
            world.forget_unfit(event_loop);
            if world.heard.get(&event_loop).is_none_or(VecDeque::is_empty) {
                world.take_inert(event_loop, self.policies, self.ports_per_context);
            }
            if !looked_at.insert(world.clone()) {
                continue;
            }
            if world.heard.get(&event_loop).is_none_or(VecDeque::is_empty) {
                worlds.extend(world.steps(event_loop, self.policies, self.ports_per_context));
            } else if world.hand_out(event_loop, heard) {
                fitting.insert(world);
            }
        }
        self.worlds = fitting;
        !self.worlds.is_empty()
    }

    /// The core was left in the middle, or handed out nothing: what makes no event may
    /// have been taken. Whether it may be `silent`, with nothing left to take.
    pub fn pauses(&mut self, event_loop: Loop, silent: bool) -> bool {
        let mut reached = HashSet::new();
        let mut worlds: Vec<_> = self.worlds.drain().collect();
        while let Some(mut world) = worlds.pop() {
            let stopped_in_the_middle = world.heard.get(&event_loop).is_some_and(|heard| !heard.is_empty());
            let before = world.clone();
            world.forget_unfit(event_loop);
            if world.heard.get(&event_loop).is_some_and(|heard| !heard.is_empty()) {
                // Something is to be heard: by then nothing further was taken.
                if stopped_in_the_middle {
                    reached.insert(before);
                }
                continue;
            }
            world.take_inert(event_loop, self.policies, self.ports_per_context);
            if reached.insert(world.clone()) {
                worlds.extend(world.steps(event_loop, self.policies, self.ports_per_context));
            }
        }
        if silent {
            reached.retain(|world| world.is_quiet(event_loop));
        }
        self.worlds = reached;
        !self.worlds.is_empty()
    }

    /// Whether the port is there, as far as every world agrees.
    pub fn is_open(&self, end: End) -> Option<bool> {
        let mut answers = self.worlds.iter().map(|world| world.ports.contains_key(&end));
        let first = answers.next()?;
        answers.all(|answer| answer == first).then_some(first)
    }

    /// How many ports a context holds, as far as every world agrees.
    pub fn ports_of(&self, context: Context) -> Option<usize> {
        let mut counts = self.worlds.iter().map(|world| world.count(context));
        let first = counts.next()?;
        counts.all(|count| count == first).then_some(first)
    }

    pub fn ways(&self) -> usize {
        self.worlds.len()
    }
}

impl World {
    fn home(&self, context: Context) -> Loop {
        self.contexts[context].home
    }

    fn count(&self, context: Context) -> usize {
        self.ports.keys().filter(|(_, holder)| *holder == context).count()
    }

    fn notice(&mut self, to: Loop, notice: Notice) {
        self.notices.entry(to).or_default().push_back(notice);
    }

    fn send_to(&mut self, from: Loop, to: Loop, record: Record) {
        self.lanes.entry((from, to)).or_default().push_back(record);
    }

    /// Sends what `close` made.
    fn send(&mut self, records: Vec<(Loop, Loop, Record)>) {
        for (from, to, record) in records {
            self.send_to(from, to, record);
        }
    }

    fn hear(&mut self, event_loop: Loop, heard: Vec<Heard>) {
        if !heard.is_empty() {
            self.heard.entry(event_loop).or_default().push_back(heard);
        }
    }

    /// The loops on which a channel has live targets, with these.
    fn legs(&self, channel: Channel) -> BTreeMap<Loop, Vec<Context>> {
        let mut legs = BTreeMap::<_, Vec<_>>::new();
        for &(context, state) in &self.channels[channel].targets {
            if state != Target::Gone {
                legs.entry(self.home(context)).or_default().push(context);
            }
        }
        legs
    }

    fn connect(&mut self, opener: Context, targets: &[Context]) {
        let channel = self.channels.len();
        let targets: Vec<_> = targets.iter().map(|context| (*context, Target::Pending)).collect();
        self.channels.push(ChannelState { opener, targets, lost: None, limit_reached: false });
        self.ports.insert((channel, opener), Port::Open);
        let home = self.home(opener);
        let legs = self.legs(channel);
        if legs.is_empty() {
            self.send_to(home, home, Record::NoTarget(channel));
        }
        for (to, targets) in legs {
            self.send_to(home, to, Record::Connect(channel, targets));
        }
    }

    fn post(&mut self, end: End, number: u32) {
        if self.ports.get(&end) != Some(&Port::Open) {
            return;
        }
        let (channel, context) = end;
        let (home, opener) = (self.home(context), self.channels[channel].opener);
        if context == opener {
            for to in self.legs(channel).into_keys() {
                self.send_to(home, to, Record::ToReceivers(channel, number));
            }
        } else {
            let to = self.home(opener);
            self.send_to(home, to, Record::ToOpener(end, number));
        }
    }

    /// Closes an end; gives what tells the other side.
    fn close(&mut self, end: End, reason: DisconnectReason) -> Option<Vec<(Loop, Loop, Record)>> {
        let was_open = self.ports.remove(&end)? == Port::Open;
        let (channel, context) = end;
        let (home, opener) = (self.home(context), self.channels[channel].opener);
        if !was_open {
            return None;
        }
        if context == opener {
            let legs = self.legs(channel);
            self.channels[channel].targets.iter_mut().for_each(|target| target.1 = Target::Gone);
            let close = Record::Close(channel, reason, Told::Yes);
            return Some(legs.into_keys().map(|to| (home, to, close.clone())).collect());
        }
        Some(vec![(home, self.home(opener), Record::Left(end, reason))])
    }

    fn end_context(&mut self, context: Context, reason: DisconnectReason) {
        self.contexts[context].ended = true;
        let ends: Vec<_> = self.ports.keys().filter(|end| end.1 == context).copied().collect();
        let mut by_lane = BTreeMap::<(Loop, Loop), Vec<Record>>::new();
        for end in ends {
            for (from, to, record) in self.close(end, reason).into_iter().flatten() {
                by_lane.entry((from, to)).or_default().push(record);
            }
        }
        for ((from, to), records) in by_lane {
            self.send_to(from, to, Record::AnyOf(records));
        }
    }

    /// Every next thing that a loop may take.
    fn steps(&self, event_loop: Loop, policies: Policies, limit: usize) -> Vec<Self> {
        let mut next = Vec::new();
        if self.notices.get(&event_loop).is_some_and(|notices| !notices.is_empty()) {
            let mut world = self.clone();
            world.take_notice(event_loop);
            next.push(world);
        }
        for (&(from, to), lane) in &self.lanes {
            let choices = match lane.front() {
                _ if to != event_loop => continue,
                None => continue,
                Some(Record::AnyOf(records)) => records.len(),
                Some(_) => 1,
            };
            for choice in 0..choices {
                let mut world = self.clone();
                world.take(from, event_loop, choice, policies, limit);
                next.push(world);
            }
        }
        next
    }

    /// Takes what changes nothing that anybody could tell, whenever it is taken, so that
    /// the number of ways stays small.
    fn take_inert(&mut self, event_loop: Loop, policies: Policies, limit: usize) {
        let from: Vec<Loop> =
            self.lanes.keys().filter(|(_, to)| *to == event_loop).map(|(from, _)| *from).collect();
        for from in from {
            loop {
                let choice = match self.lanes[&(from, event_loop)].front() {
                    Some(Record::AnyOf(records)) => {
                        records.iter().position(|record| self.is_inert(event_loop, record))
                    }
                    Some(record) => self.is_inert(event_loop, record).then_some(0),
                    None => None,
                };
                let Some(choice) = choice else { break };
                self.take(from, event_loop, choice, policies, limit);
                self.forget_unfit(event_loop);
            }
        }
    }

    fn is_inert(&self, at: Loop, record: &Record) -> bool {
        match record {
            Record::Accept(_) => true,
            Record::Left((channel, context), _) => {
                let mut targets = self.channels[*channel].targets.iter();
                targets.all(|target| target.0 != *context || target.1 == Target::Gone)
            }
            Record::Close(channel, ..) => self.receivers(*channel, at).is_empty(),
            Record::ToReceivers(channel, _) => {
                self.receivers(*channel, at).iter().all(|receiver| self.contexts[*receiver].killed.is_some())
            }
            Record::ToOpener((channel, sender), _) => {
                let state = &self.channels[*channel];
                self.contexts[state.opener].killed.is_some()
                    || !state.targets.contains(&(*sender, Target::Open))
                    || self.ports.get(&(*channel, state.opener)) != Some(&Port::Open)
            }
            Record::NoTarget(channel) => {
                self.ports.get(&(*channel, self.channels[*channel].opener)) != Some(&Port::Open)
            }
            Record::Gone(contexts, _) => self.channels.iter().enumerate().all(|(channel, state)| {
                let mut targets = state.targets.iter();
                let reached = self.home(state.opener) == at
                    && targets.any(|target| target.1 != Target::Gone && contexts.contains(&target.0));
                let heard = contexts.contains(&state.opener) && !self.receivers(channel, at).is_empty();
                !reached && !heard
            }),
            Record::Connect(..) | Record::AnyOf(_) => false,
        }
    }

    fn take_notice(&mut self, event_loop: Loop) {
        let notice = self.notices.get_mut(&event_loop).and_then(VecDeque::pop_front);
        match notice.expect("there is one") {
            Notice::OwnGone(contexts, reason) => {
                let living: Vec<_> =
                    contexts.iter().copied().filter(|context| !self.contexts[*context].ended).collect();
                for &context in &living {
                    self.end_context(context, reason);
                }
                let gone = living.into_iter().map(|context| Heard::ContextGone(context, reason)).collect();
                self.hear(event_loop, gone);
                self.send_to(event_loop, event_loop, Record::Gone(contexts, reason));
            }
            Notice::Gone(from, contexts, reason) => {
                self.send_to(from, event_loop, Record::Gone(contexts, reason));
            }
        }
    }

    fn take(&mut self, from: Loop, at: Loop, choice: usize, policies: Policies, limit: usize) {
        let lane = self.lanes.get_mut(&(from, at)).expect("the lane is there");
        let record = match lane.front_mut() {
            Some(Record::AnyOf(records)) if records.len() > 1 => records.swap_remove(choice),
            Some(Record::AnyOf(records)) => {
                let last = records.pop().expect("never empty");
                lane.pop_front();
                last
            }
            _ => lane.pop_front().expect("a record is there"),
        };
        let mut heard = Vec::new();
        match record {
            Record::Connect(channel, targets) => {
                for target in targets {
                    heard.extend(self.accept(channel, target, from, at, limit));
                }
                // In the order of targets.
                for one in heard.drain(..) {
                    self.hear(at, vec![one]);
                }
            }
            Record::Accept((channel, receiver)) => {
                let target = self.channels[channel].targets.iter_mut().find(|target| target.0 == receiver);
                if let Some((_, state @ Target::Pending)) = target {
                    *state = Target::Open;
                }
            }
            Record::Left(end, reason) => self.target_gone(end, reason, policies, &mut heard),
            Record::Close(channel, reason, told) => self.end_receivers(channel, at, reason, told, &mut heard),
            Record::ToReceivers(channel, number) => {
                for receiver in self.receivers(channel, at) {
                    self.hear(at, vec![Heard::Message((channel, receiver), number)]);
                }
            }
            Record::ToOpener((channel, sender), number) => {
                let state = &self.channels[channel];
                let end = (channel, state.opener);
                if state.targets.contains(&(sender, Target::Open))
                    && self.ports.get(&end) == Some(&Port::Open)
                {
                    heard.push(Heard::Message(end, number));
                }
            }
            Record::NoTarget(channel) => self.end_if_alone(channel, &mut heard),
            Record::Gone(contexts, reason) => {
                let before: BTreeMap<_, _> =
                    self.lanes.iter().map(|(lane, records)| (*lane, records.len())).collect();
                for channel in 0..self.channels.len() {
                    let opener = self.channels[channel].opener;
                    if self.home(opener) == at {
                        for &context in &contexts {
                            self.target_gone((channel, context), reason, policies, &mut heard);
                        }
                    }
                    if contexts.contains(&opener) {
                        self.end_receivers(channel, at, reason, Told::Yes, &mut heard);
                    }
                }
                // In no order among the channels.
                for (lane, records) in &mut self.lanes {
                    let sent = records.split_off(before.get(lane).copied().unwrap_or(0));
                    if !sent.is_empty() {
                        records.push_back(Record::AnyOf(sent.into()));
                    }
                }
            }
            Record::AnyOf(_) => unreachable!("never nested"),
        }
        self.hear(at, heard);
    }

    fn accept(
        &mut self,
        channel: Channel,
        target: Context,
        opener_home: Loop,
        at: Loop,
        limit: usize,
    ) -> Option<Heard> {
        let end = (channel, target);
        let context = &self.contexts[target];
        let opener = &self.contexts[self.channels[channel].opener];
        let admitted =
            !context.ended && context.killed.is_none() && context.listening && opener.killed.is_none();
        let refusal = match admitted {
            false => Some(NoReceiver),
            true => (self.count(target) >= limit).then_some(LimitReached),
        };
        match refusal {
            Some(reason) => self.send_to(at, opener_home, Record::Left(end, reason)),
            None => {
                self.ports.insert(end, Port::Open);
                self.send_to(at, opener_home, Record::Accept(end));
            }
        }
        refusal.is_none().then_some(Heard::Connect(end))
    }

    /// The receivers of a channel on a loop whose ports are open.
    fn receivers(&self, channel: Channel, at: Loop) -> Vec<Context> {
        let targets = self.channels[channel].targets.iter().map(|target| target.0);
        targets
            .filter(|target| {
                self.home(*target) == at && self.ports.get(&(channel, *target)) == Some(&Port::Open)
            })
            .collect()
    }

    fn end_receivers(
        &mut self,
        channel: Channel,
        at: Loop,
        reason: DisconnectReason,
        told: Told,
        heard: &mut Vec<Heard>,
    ) {
        for receiver in self.receivers(channel, at) {
            let end = (channel, receiver);
            if told == Told::Yes {
                self.ports.insert(end, Port::Ended(reason));
                heard.push(Heard::Disconnect(end, reason));
            } else {
                self.ports.insert(end, Port::Silent);
            }
        }
    }

    fn target_gone(
        &mut self,
        (channel, context): End,
        reason: DisconnectReason,
        policies: Policies,
        heard: &mut Vec<Heard>,
    ) {
        let state = &mut self.channels[channel];
        let Some(target) = state.targets.iter_mut().find(|target| target.0 == context) else { return };
        let before = std::mem::replace(&mut target.1, Target::Gone);
        if before == Target::Gone {
            return;
        }
        state.limit_reached |= reason == LimitReached;
        if before == Target::Open {
            state.lost = Some(reason);
            let told = match (reason, policies.receiver_disconnects, policies.receiver_lost) {
                (Disconnected, ReceiverDisconnects::EndsForAll, _) => Some(Told::Yes),
                (Disconnected, ReceiverDisconnects::EndsForOpener, _) => Some(Told::No),
                (Disconnected, _, _) | (_, _, ReceiverLost::LeavesOthers) => None,
                _ => Some(Told::Yes),
            };
            if let Some(told) = told {
                let home = self.home(self.channels[channel].opener);
                for to in self.legs(channel).into_keys() {
                    self.send_to(home, to, Record::Close(channel, SiblingEnded, told));
                }
                self.channels[channel].targets.iter_mut().for_each(|target| target.1 = Target::Gone);
            }
        }
        self.end_if_alone(channel, heard);
    }

    fn end_if_alone(&mut self, channel: Channel, heard: &mut Vec<Heard>) {
        let state = &self.channels[channel];
        let end = (channel, state.opener);
        if self.ports.get(&end) != Some(&Port::Open) || !self.legs(channel).is_empty() {
            return;
        }
        let reason = match (state.lost, state.limit_reached) {
            (Some(reason), _) => reason,
            (None, true) => LimitReached,
            (None, false) => NoReceiver,
        };
        self.ports.insert(end, Port::Ended(reason));
        heard.push(Heard::Disconnect(end, reason));
    }

    /// What was to be heard and may not be any more, for its context or port is gone.
    fn forget_unfit(&mut self, event_loop: Loop) {
        let Some(mut groups) = self.heard.remove(&event_loop) else { return };
        for group in &mut groups {
            group.retain(|heard| match *heard {
                Heard::ContextGone(..) => true,
                Heard::Connect(end) => self.is_fit(end, |_| true),
                Heard::Message(end, _) => self.is_fit(end, |port| port != Port::Silent),
                Heard::Disconnect(end, _) => self.is_fit(end, |port| matches!(port, Port::Ended(_))),
            });
        }
        groups.retain(|group| !group.is_empty());
        if !groups.is_empty() {
            self.heard.insert(event_loop, groups);
        }
    }

    fn is_fit(&self, end: End, fit: impl FnOnce(Port) -> bool) -> bool {
        self.contexts[end.1].killed.is_none() && self.ports.get(&end).is_some_and(|port| fit(*port))
    }

    /// Hands one out, if it is next.
    fn hand_out(&mut self, event_loop: Loop, heard: &Heard) -> bool {
        let Some(group) = self.heard.get_mut(&event_loop).and_then(VecDeque::front_mut) else {
            return false;
        };
        let Some(at) = group.iter().position(|next| next == heard) else { return false };
        group.swap_remove(at);
        if let Heard::Disconnect(end, _) = heard {
            self.ports.remove(end);
        }
        self.forget_unfit(event_loop);
        true
    }

    fn is_quiet(&self, event_loop: Loop) -> bool {
        self.heard.get(&event_loop).is_none_or(VecDeque::is_empty)
            && self.notices.get(&event_loop).is_none_or(VecDeque::is_empty)
            && self.lanes.iter().all(|((_, to), lane)| *to != event_loop || lane.is_empty())
    }
}
