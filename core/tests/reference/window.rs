//! Bounds: how far a side of a port may be ahead of the other, and how much may lie
//! between two loops.

use super::record::Record;
use super::world::World;
use super::{Channel, Context, End, LaneId, Loop, Message};
use port_core::Limits;

/// Messages or records, and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Amount {
    pub count: u64,
    pub bytes: u64,
}

impl Amount {
    pub fn one(bytes: u64) -> Self {
        Self { count: 1, bytes }
    }

    pub fn add(&mut self, more: Self) {
        *self = Self { count: self.count + more.count, bytes: self.bytes + more.bytes };
    }

    pub fn subtract(&mut self, less: Self) {
        self.count = self.count.saturating_sub(less.count);
        self.bytes = self.bytes.saturating_sub(less.bytes);
    }

    /// What there is of it beyond another.
    pub fn beyond(mut self, other: Self) -> Self {
        self.subtract(other);
        self
    }

    /// Whether it is as much as another in messages or in bytes.
    fn reaches(self, other: Self) -> bool {
        self.count >= other.count || self.bytes >= other.bytes
    }

    fn least(self, other: Self) -> Self {
        Self { count: self.count.min(other.count), bytes: self.bytes.min(other.bytes) }
    }
}

impl World {
    pub(super) fn has_windows(&self) -> bool {
        self.limits().window_messages.is_some() || self.limits().window_bytes.is_some()
    }

    pub(super) fn admits(&self, outstanding: Amount) -> bool {
        let limits = self.limits();
        limits.window_messages.is_none_or(|window| outstanding.count < u64::from(window.max(1)))
            && limits.window_bytes.is_none_or(|window| outstanding.bytes < window.max(1))
    }

    /// Half a window is worth telling the other side.
    fn worth_reporting(&self, taken: Amount) -> bool {
        let limits = self.limits();
        limits.window_messages.is_some_and(|window| taken.count >= u64::from(window.max(1).div_ceil(2)))
            || limits.window_bytes.is_some_and(|window| taken.bytes >= window.max(1).div_ceil(2))
    }

    pub(super) fn has_room(&self, end: End) -> bool {
        let channel = &self.channels[end.0];
        if end.1 == channel.opener {
            return channel.legs.values().all(|leg| self.admits(leg.outstanding));
        }
        self.ports.get(&end).is_none_or(|port| self.admits(port.outstanding))
    }

    /// Reads the credits that lie in a lane ahead of everything else in it. A loop's
    /// own are not looked for.
    pub(super) fn take_credits(&mut self, lane: LaneId) {
        let Some(lying) = self.lanes.get_mut(&lane).filter(|_| lane.from != lane.to) else { return };
        for credit in lying.read_credits() {
            self.credited(lane.from, credit);
        }
    }

    pub(super) fn credited(&mut self, from: Loop, credit: Record) {
        match credit {
            Record::CreditOpener(channel, amount) => {
                if let Some(leg) = self.channels[channel].legs.get_mut(&from) {
                    leg.outstanding.subtract(amount);
                    self.tell_of_room(self.opener_of(channel));
                }
            }
            Record::CreditReceiver(end, amount) => {
                if self.receives(end) {
                    self.ports.entry(end).and_modify(|port| port.outstanding.subtract(amount));
                    self.tell_of_room(end);
                }
            }
            _ => unreachable!("no credit"),
        }
    }

    /// Whether a receiver is connected, as far as its own loop knows.
    pub(super) fn receives(&self, end: End) -> bool {
        let receivers = self.channels[end.0].receivers.get(&self.home(end.1));
        receivers.is_some_and(|receivers| receivers.contains(&end))
    }

    /// A receiver is done with a message.
    pub(super) fn receiver_took(&mut self, end: End, message: Message) {
        let (channel, context, _) = end;
        if !self.has_windows() || context == self.channels[channel].opener {
            return;
        }
        self.ports.entry(end).and_modify(|port| port.unreported.add(Amount::one(message.length)));
        self.report_taken(channel, self.home(context));
    }

    /// Reports what the slowest receiver of a loop has taken.
    pub(super) fn report_taken(&mut self, channel: Channel, at: Loop) {
        let receivers = self.channels[channel].receivers.get(&at).cloned().unwrap_or_default();
        let unreported = receivers.iter().map(|receiver| self.ports[receiver].unreported);
        let Some(slowest) = unreported.reduce(Amount::least) else { return };
        if !self.has_windows() || !self.worth_reporting(slowest) {
            return;
        }
        for receiver in receivers {
            self.ports.entry(receiver).and_modify(|port| port.unreported.subtract(slowest));
        }
        let opener = self.home(self.opener_of(channel).1);
        self.send(self.lane_of(channel, at, opener), Record::CreditOpener(channel, slowest));
    }

    /// The opener is done with a message of one receiver.
    pub(super) fn opener_took(&mut self, sender: End, message: Message) {
        if !self.has_windows() {
            return;
        }
        let channel = sender.0;
        let (home, there) = (self.home(self.opener_of(channel).1), self.home(sender.1));
        let leg = self.channels[channel].legs.get_mut(&there);
        let target = leg.and_then(|leg| leg.target(sender));
        let Some(target) = target else { return };
        target.unreported.add(Amount::one(message.length));
        let taken = target.unreported;
        if self.worth_reporting(taken) {
            if let Some(leg) = self.channels[channel].legs.get_mut(&there) {
                leg.target(sender).into_iter().for_each(|target| target.unreported = Amount::default());
            }
            self.send(self.lane_of(channel, home, there), Record::CreditReceiver(sender, taken));
        }
    }

    /// Whether too many connections wait for their answers.
    pub(super) fn is_overdue(&self, lane: LaneId) -> bool {
        let waiting = self.unanswered.get(&lane).copied().unwrap_or(0);
        waiting >= self.limits().unanswered_connects.into()
    }

    /// A target of a connection that went by a lane answered, whatever became of the connection.
    pub(super) fn note_answer(&mut self, lane: LaneId) {
        self.unanswered.entry(lane).and_modify(|waiting| *waiting -= 1);
    }

    /// Whether an answer may make room for a connect.
    pub(super) fn answers_count(&self) -> bool {
        self.limits().unanswered_connects != Limits::default().unanswered_connects
    }

    /// A share, which each extension has of its own, and the part of a lane's budget that all have in common.
    fn parts(&self) -> (Amount, Amount) {
        let limits = self.limits();
        let share = Amount { count: limits.lane_records / 8, bytes: limits.lane_bytes / 8 };
        let mut common = Amount { count: limits.lane_records, bytes: limits.lane_bytes };
        common.subtract(share);
        (share, common)
    }

    /// What lies in a lane at least and at most, for all that the sender knows: what was taken since the
    /// receiver last fell silent may not be known yet.
    pub(super) fn lying(&self, lane: LaneId) -> (Amount, Amount) {
        let Some(lane) = self.lanes.get(&lane) else { return Default::default() };
        let (least, mut most) = (lane.lying(), lane.lying());
        most.add(lane.taken);
        (least, most)
    }

    /// Whether a lane admits what a context sends: whether it may, and whether it must.
    pub(super) fn admission(&self, context: Context, lane: LaneId) -> (bool, bool) {
        let ((share, common), (least, most)) = (self.parts(), self.lying(lane));
        let shares = self.lanes.get(&lane).and_then(|lane| lane.shares.get(&self.contexts[context].instance));
        let (held_least, held_most) = shares.copied().unwrap_or_default();
        let admits = |lying: Amount, held: Amount| {
            let (held, share) = (held.least(lying.beyond(common)), share);
            (lying.count < common.count || held.count < share.count)
                && (lying.bytes < common.bytes || held.bytes < share.bytes)
        };
        (admits(least, held_least), admits(most, held_most))
    }

    /// A sender looks at a lane's budget, or may have: what it knows of shares beyond what lies there is void.
    pub(super) fn looks_at_budget(&mut self, lane: LaneId, for_certain: bool) {
        let ((_, common), (least, most)) = (self.parts(), self.lying(lane));
        let Some(lane) = self.lanes.get_mut(&lane) else { return };
        if for_certain && !most.reaches(common) {
            lane.shares.clear();
        }
        for (held_least, held_most) in lane.shares.values_mut() {
            let reset = !least.reaches(common);
            *held_least = if reset { Amount::default() } else { held_least.least(least.beyond(common)) };
            if for_certain {
                *held_most = held_most.least(most.beyond(common));
            }
        }
    }

    /// A context's share counts what it has just sent beyond the common part, by what was lying in the lane before, at
    /// least and at most.
    pub(super) fn counts_for_share(
        &mut self,
        context: Context,
        lane: LaneId,
        before: (Amount, Amount),
        sent: Amount,
    ) {
        let ((_, common), (mut least, mut most)) = (self.parts(), before);
        least.add(sent);
        most.add(sent);
        let instance = self.contexts[context].instance;
        let (held_least, held_most) = self.lanes.entry(lane).or_default().shares.entry(instance).or_default();
        held_least.add(sent.least(least.beyond(common)));
        held_most.add(sent.least(most.beyond(common)));
    }

    pub(super) fn fills(&self, lying: Amount) -> bool {
        lying.count >= self.limits().lane_records || lying.bytes >= self.limits().lane_bytes
    }
}
