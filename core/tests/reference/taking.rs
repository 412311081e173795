//! What a loop makes of records and notices when it takes them.

use super::record::{Notice, Record, Refusal, Told};
use super::state::{ChannelState, Port, State, Suspended, Target, TargetState};
use super::window::Amount;
use super::world::World;
use super::{Channel, Context, End, Heard, LaneId, Loop, Message, Number};
use crate::common::ANSWERS_ON_HEARING;
use port_core::DisconnectReason::{BackForwardCache as WentIntoCache, NoReceiver};
use port_core::{BackForwardCache, ConnectKind, ConnectListeners, DisconnectReason, DocumentLifecycle};
use std::collections::BTreeSet;

impl World {
    pub(super) fn send(&mut self, lane: LaneId, record: Record) {
        if !self.parted.contains(&(lane.from, lane.to)) && !self.cut.contains(&lane) {
            self.lanes.entry(lane).or_default().records.push_back(record);
        }
    }

    pub(super) fn hear(&mut self, event_loop: Loop, group: Vec<Heard>) {
        if !group.is_empty() {
            self.heard.entry(event_loop).or_default().push_back(group);
        }
    }

    /// What a loop is to hear next, in no order.
    pub(super) fn heard(&self, event_loop: Loop) -> Option<&Vec<Heard>> {
        self.heard.get(&event_loop)?.front()
    }

    /// Every next thing that a loop may take: all notices, or one record.
    pub(super) fn steps(&self, event_loop: Loop) -> Vec<Self> {
        let mut next = Vec::new();
        if self.notices.contains_key(&event_loop) {
            next.extend(self.ways(|world| {
                for notice in world.notices.remove(&event_loop).unwrap_or_default() {
                    world.take_notice(event_loop, notice);
                }
            }));
        }
        for (&lane, lying) in self.lanes.iter().filter(|(lane, _)| lane.to == event_loop) {
            for choice in 0..lying.front().len() {
                next.extend(self.ways(|world| world.take(lane, choice)));
            }
        }
        next.into_iter().map(|(world, ())| world).collect()
    }

    fn take_notice(&mut self, at: Loop, notice: Notice) {
        match notice {
            Notice::Gone(by_loop, reason) => self.hears_in_no_order(at, |world| {
                for (home, contexts) in by_loop {
                    world.take_gone(at, home, contexts, reason);
                }
            }),
            Notice::LoopGone(gone, reason) => {
                self.send_as(gone, at, &Record::LoopGone(reason));
            }
            Notice::Suspend(context) => self.goes_into_cache(context),
            Notice::Resume(context) => {
                let Suspended { heard, .. } = self.contexts[context].suspended.take().unwrap_or_default();
                for one in heard {
                    self.hear(at, vec![one]);
                }
                let ends: Vec<_> = self.ports.keys().filter(|end| end.1 == context).copied().collect();
                self.hears_in_no_order(at, |world| ends.into_iter().for_each(|end| world.tell_of_room(end)));
            }
            Notice::Ready(load) => self.connect_waiting(at, load),
            Notice::GivenUp(starts, reason) => self.in_no_order(starts, at, |world, (load, start)| {
                world.end_waiting(at, load, start, reason);
            }),
        }
    }

    fn take_gone(&mut self, at: Loop, home: Loop, contexts: Vec<Context>, reason: DisconnectReason) {
        if home == at {
            let living = contexts.iter().copied().filter(|context| !self.contexts[*context].ended);
            let living: Vec<_> = living.collect();
            self.end_contexts(at, &living, reason);
            self.hear(at, living.into_iter().map(|context| Heard::ContextGone(context, reason)).collect());
        }
        self.send_as(home, at, &Record::Gone(contexts, reason));
    }

    /// Puts a notice behind what another loop has sent by now, in each of the lanes from it.
    fn send_as(&mut self, from: Loop, at: Loop, notice: &Record) {
        let between = |lane: &&LaneId| [(from, at), (at, from)].contains(&(lane.from, lane.to));
        let opens: BTreeSet<_> = self.lanes.keys().filter(between).map(|lane| lane.opens).collect();
        for opens in opens {
            let lane = LaneId { from, to: at, opens };
            self.lanes.entry(lane).or_default().records.push_back(notice.clone());
        }
    }

    fn take(&mut self, lane: LaneId, choice: usize) {
        let LaneId { from, to: at, opens } = lane;
        let lying = self.lanes.get_mut(&lane).expect("the lane is there");
        match lying.pop(choice) {
            Record::Connect { channel, targets, lifecycle, .. } => {
                for target in targets {
                    self.connected(channel, target, lane.back(), lifecycle);
                }
            }
            Record::Accept(end) => {
                self.note_answer(lane.back());
                let leg = self.channels[end.0].legs.get_mut(&from);
                let target = leg.and_then(|leg| leg.target(end));
                if let Some(target) = target.filter(|target| target.state == TargetState::Pending) {
                    target.state = TargetState::Open;
                    self.taken_by_somebody(end.0);
                    self.end_opening(end.0);
                }
            }
            Record::Join((channel, context, nth)) => {
                if let Some(leg) = self.channels[channel].legs.get_mut(&from)
                    && let Some(&mut Target { state, .. }) = leg.target((channel, context, 0))
                {
                    leg.targets.push(Target { context, nth, state, unreported: Amount::default() });
                }
            }
            Record::Refuse(end, refusal) => {
                self.note_answer(lane.back());
                let leg = self.channels[end.0].legs.get_mut(&from);
                let target = leg.and_then(|leg| leg.target(end));
                if target.is_some_and(|target| target.state == TargetState::Pending) {
                    let known = &mut self.channels[end.0].refusal;
                    *known = refusal.max(*known);
                    if refusal == Refusal::NoReceiver {
                        self.note_refused(end.0, Some(end.1));
                    }
                    self.target_gone(end, NoReceiver, true);
                }
            }
            Record::Left(end, reason) => self.target_gone(end, reason, true),
            Record::Close(channel, reason, told) => self.end_receivers(channel, at, reason, told),
            Record::ToReceivers(channel, message) => {
                for receiver in self.channels[channel].receivers.get(&at).cloned().unwrap_or_default() {
                    self.message_for(receiver, message);
                }
            }
            Record::ToOpener(sender, message) => {
                let opener = self.opener_of(sender.0);
                let leg = self.channels[sender.0].legs.get_mut(&from);
                let target = leg.and_then(|leg| leg.target(sender));
                // One that is about to leave takes nothing, and gives no credit for it.
                let open = target.is_some_and(|target| target.state == TargetState::Open);
                if open && self.state(opener).is_some_and(State::hears) {
                    self.opener_took(sender, message);
                    self.message_for(opener, message);
                }
            }
            credit @ (Record::CreditOpener(..) | Record::CreditReceiver(..)) => self.credited(from, credit),
            Record::AskRoom => self.answer_of_room(lane),
            Record::RoomThere => self.room_there(lane.back()),
            Record::Spent(channel, receiver) => {
                self.tell_of_room(receiver.unwrap_or(self.opener_of(channel)));
            }
            Record::Announce(_) | Record::Farewell => {}
            Record::NoTarget(channel) => {
                self.note_refused(channel, None);
                self.end_if_alone(channel);
            }
            Record::Gone(contexts, reason) => {
                self.end_with(at, opens, (reason, false), |_, context| contexts.contains(&context));
            }
            Record::LoopGone(reason) => {
                let is_gone = |world: &Self, context| world.home(context) == from;
                self.note_all_lost(at, from);
                self.end_with(at, opens, (reason, true), is_gone);
                self.cut.extend([lane, lane.back()]);
                self.lanes.remove(&lane);
                self.lanes.remove(&lane.back());
            }
            Record::AnyOf(_) => unreachable!("never nested"),
        }
    }

    /// Contexts are gone, and what they sent before was taken, as far as it is about channels that contexts of a number
    /// opened.
    fn end_with(
        &mut self,
        at: Loop,
        opens: Number,
        (reason, loop_is_gone): (DisconnectReason, bool),
        is_gone: impl Fn(&Self, Context) -> bool,
    ) {
        let opened = |channel: &Channel| self.contexts[self.channels[*channel].opener].number == opens;
        let channels = (0..self.channels.len()).filter(opened).collect();
        self.in_no_order(channels, at, |world, channel: Channel| {
            let opener = world.opener_of(channel).1;
            if world.home(opener) == at {
                let legs = world.channels[channel].legs.values();
                let targets =
                    legs.flat_map(|leg| &leg.targets).map(|target| (channel, target.context, target.nth));
                let targets: Vec<_> = targets.filter(|target| is_gone(world, target.1)).collect();
                for target in targets {
                    if !loop_is_gone && world.awaits_word_of(target, reason) {
                        continue;
                    }
                    world.target_gone(target, reason, false);
                }
            }
            if is_gone(world, opener) {
                world.end_receivers(channel, at, reason, Told::Yes);
            }
        });
    }

    /// A connection reaches a target: it is taken, or refused at once. The answer goes by the lane back.
    fn connected(&mut self, channel: Channel, target: Context, back: LaneId, lifecycle: DocumentLifecycle) {
        let opener = &self.contexts[self.opener_of(channel).1];
        let context = &self.contexts[target];
        let at = context.home;
        let listens = self.listens(channel, target);
        let admitted = !context.ended
            && context.killed.is_none()
            && context.suspended.is_none()
            && opener.killed.is_none();
        let ports = match (self.policies().connect_listeners, self.channels[channel].kind) {
            (ConnectListeners::PortForEach, ConnectKind::Port) if !self.asks(target) => {
                context.listening.listeners.max(1)
            }
            _ => 1,
        };
        let external = self.contexts[self.opener_of(channel).1].instance != self.contexts[target].instance;
        for nth in 0..ports {
            let end = (channel, target, nth);
            let refusal = match admitted {
                false => Some(Refusal::NoReceiver),
                true if !listens => Some(Refusal::NotListening),
                true => (!self.may_hold_another(target, self.channels[channel].name_bytes, external))
                    .then_some(Refusal::LimitReached),
            };
            match refusal {
                Some(refusal) if nth == 0 => return self.send(back, Record::Refuse(end, refusal)),
                Some(_) => return,
                None => {}
            }
            let undecided = self.asks(target);
            self.ports.insert(end, Port::new(if undecided { State::Undecided } else { State::Open }));
            self.channels[channel].receivers.entry(at).or_default().push(end);
            if !undecided {
                self.send(back, if nth == 0 { Record::Accept(end) } else { Record::Join(end) });
            }
            let shown = self.policies().sender.lifecycle.then_some(lifecycle);
            self.emit(target, Heard::Connect(end, shown, undecided && !ANSWERS_ON_HEARING));
        }
    }

    pub(super) fn listens(&self, channel: Channel, target: Context) -> bool {
        let (opener, target) = (&self.contexts[self.opener_of(channel).1], &self.contexts[target]);
        match (self.channels[channel].kind, opener.instance == target.instance) {
            (ConnectKind::OneOff, true) => target.listening.one_off,
            (ConnectKind::OneOff, false) => target.listening.external_one_off,
            (_, true) => target.listening.ports,
            (_, false) => target.listening.external_ports,
        }
    }

    fn message_for(&mut self, end: End, message: Message) {
        if !self.state(end).is_some_and(State::hears) {
            return;
        }
        if self.contexts[end.1].suspended.is_none() {
            return self.hear(self.home(end.1), vec![Heard::Message(end, message)]);
        }
        let policy = self.policies().back_forward_cache;
        let BackForwardCache::QueuesMessages { messages, bytes, .. } = policy else {
            return self.receiver_took(end, message);
        };
        let Some(suspended) = &mut self.contexts[end.1].suspended else { return };
        let held = suspended.held.entry(end).or_default();
        held.add(Amount::one(message.length));
        if held.count <= u64::from(messages) && held.bytes <= bytes {
            return suspended.heard.push(Heard::Message(end, message));
        }
        self.close(end, WentIntoCache);
        self.go_on_waiting();
        if let Some(suspended) = &mut self.contexts[end.1].suspended {
            suspended.heard.retain(|heard| heard.end() != Some(end));
        }
    }

    /// Takes what changes nothing that anybody could tell, whenever it is taken, so that
    /// the number of ways stays small.
    pub(super) fn take_inert(&mut self, at: Loop) {
        let lanes: Vec<_> = self.lanes.keys().filter(|lane| lane.to == at).copied().collect();
        for lane in lanes {
            while let Some(lying) = self.lanes.get(&lane) {
                let inert = lying.front().into_iter().position(|record| self.is_inert(lane, record));
                let Some(choice) = inert else { break };
                self.take(lane, choice);
                self.forget_unfit(at);
            }
        }
    }

    fn is_inert(&self, LaneId { from, to: at, opens }: LaneId, record: &Record) -> bool {
        let target = |&(channel, context, nth): &End| {
            let leg = self.channels[channel].legs.get(&from);
            let mut targets = leg.into_iter().flat_map(|leg| &leg.targets);
            targets.find(|target| target.context == context && target.nth == nth)
        };
        let receivers = |channel: &Channel| self.channels[*channel].receivers.get(&at);
        let deaf = |context: Context| {
            self.contexts[context].killed.is_some() && self.contexts[context].suspended.is_none()
        };
        match record {
            Record::Accept(_) | Record::Refuse(..) if self.answers_count() => false,
            Record::Accept(end) => {
                let opener = self.state(self.opener_of(end.0));
                target(end).is_none()
                    || !matches!(
                        opener,
                        Some(State::Opening | State::Leaving | State::Unanswered | State::Left)
                    )
            }
            Record::Refuse(end, _) | Record::Left(end, _) => {
                target(end).is_none_or(|target| target.state == TargetState::Gone)
            }
            Record::Close(channel, ..) => receivers(channel).is_none_or(Vec::is_empty),
            Record::ToReceivers(channel, _) => {
                receivers(channel).is_none_or(|receivers| receivers.iter().all(|receiver| deaf(receiver.1)))
            }
            Record::ToOpener(end, _) => {
                let opener = self.opener_of(end.0);
                !target(end).is_some_and(|target| target.state == TargetState::Open)
                    || !self.state(opener).is_some_and(State::hears)
                    || (deaf(opener.1) && !self.has_windows())
            }
            Record::NoTarget(channel) => self.state(self.opener_of(*channel)).is_none(),
            Record::CreditOpener(channel, _) => !self.channels[*channel].legs.contains_key(&from),
            Record::CreditReceiver(end, _) => !self.receives(*end),
            Record::Gone(contexts, _) => !self.concerns(at, opens, |context| contexts.contains(&context)),
            Record::Spent(channel, receiver) => {
                let end = receiver.unwrap_or(self.opener_of(*channel));
                !self.ports.get(&end).is_some_and(|port| port.wants_room)
            }
            Record::Announce(_) | Record::Farewell => true,
            Record::AskRoom | Record::RoomThere => false,
            Record::Connect { .. } | Record::Join(_) | Record::LoopGone(_) | Record::AnyOf(_) => false,
        }
    }

    /// Whether the end of some contexts is anything to a loop, for channels that contexts of a number opened.
    fn concerns(&self, at: Loop, opens: Number, is_gone: impl Fn(Context) -> bool) -> bool {
        let opened = |channel: &&ChannelState| self.contexts[channel.opener].number == opens;
        self.channels.iter().filter(opened).any(|channel| {
            let mut targets = channel.legs.values().flat_map(|leg| &leg.targets);
            let reached = self.home(channel.opener) == at && targets.any(|target| is_gone(target.context));
            let heard = is_gone(channel.opener) && channel.receivers.contains_key(&at);
            reached || heard
        })
    }
}
