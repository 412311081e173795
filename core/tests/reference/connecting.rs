//! Connects: whom they reach, and what they wait for.

use super::background::Waits;
use super::record::{Record, Refusal};
use super::state::{ChannelState, Leg, Port, State, Target, TargetState};
use super::window::Amount;
use super::world::{Connecting, World};
use super::{Channel, Context, Loop};
use port_core::{BackForwardCache, ConnectError, ConnectKind, DocumentLifecycle, OpeningPort};
use std::collections::BTreeMap;

/// The legs of a channel, and the order in which they are opened.
type Legs = (BTreeMap<Loop, Leg>, Vec<Loop>);

impl World {
    /// A connect, whose channel is the next.
    pub fn connect(&mut self, connecting: &Connecting, got: Result<(), ConnectError>) -> bool {
        let Connecting { opener, targets, kind, bytes, not_allowed, background } = connecting;
        let (opener, kind) = (*opener, *kind);
        let context = &self.contexts[opener];
        let home = context.home;
        let cached = context.suspended.is_some();
        let expected = if context.ended {
            Some(ConnectError::UnknownContext)
        } else if context.killed.is_some() {
            Some(ConnectError::Gone)
        } else if cached && self.policies().back_forward_cache == BackForwardCache::Ends {
            Some(ConnectError::Cached)
        } else if *bytes > self.limits().name_bytes.into() {
            Some(ConnectError::NameTooLong)
        } else if !self.may_hold_another(opener, *bytes, false) {
            Some(ConnectError::TooManyPorts)
        } else {
            not_allowed.then_some(ConnectError::NotAllowed)
        };
        if let Some(expected) = expected {
            return got == Err(expected);
        }
        let lifecycle = if cached { DocumentLifecycle::Cached } else { DocumentLifecycle::Active };
        if let Some(load) = background.filter(|load| self.is_to_wait(home, *load)) {
            let before = self.waiting_amount(home, load);
            if before.count > 0 && self.fills(before) {
                return got == Err(ConnectError::Busy);
            }
            let start = self.wait_for(home, load);
            let waits = Waits { load, start, lifecycle, turn: self.take_turn() };
            self.new_channel(opener, kind, *bytes, Legs::default(), Some(waits), State::Opening);
            return got == Ok(());
        }
        let (legs, order) = self.legs_to(opener, targets);
        // That nobody is there the loop tells itself.
        let lane = |to: &Loop| self.lane_for(opener, home, *to);
        let own = lane(&home);
        let lanes: Vec<_> = order.iter().map(lane).collect();
        let overdue = lanes.iter().any(|lane| self.is_overdue(*lane));
        let reached = if legs.is_empty() { vec![own] } else { lanes };
        if overdue || reached.iter().any(|lane| self.is_full(opener, *lane)) {
            reached.iter().for_each(|lane| self.looks_at_budget(*lane, false));
            return got == Err(ConnectError::Busy);
        }
        if got.is_err() {
            return false;
        }
        reached.iter().for_each(|lane| self.looks_at_budget(*lane, true));
        let waits = self.policies().opening_port == OpeningPort::PostsWait && kind == ConnectKind::Port;
        let state = if waits && !legs.is_empty() { State::Opening } else { State::Open };
        let to_nobody = legs.is_empty().then(|| self.lying(own));
        let channel = self.new_channel(opener, kind, *bytes, (legs, order), None, state);
        self.send_connects(channel, lifecycle);
        if let Some(load) = background {
            let turn = self.take_turn();
            self.await_answer(channel, *load, lifecycle, turn);
        }
        if let Some(before) = to_nobody {
            self.counts_for_share(opener, own, before, Amount::one(0));
        }
        true
    }

    fn new_channel(
        &mut self,
        opener: Context,
        kind: ConnectKind,
        name_bytes: u64,
        (legs, order): Legs,
        waits: Option<Waits>,
        state: State,
    ) -> Channel {
        let channel = self.channels.len();
        self.ports.insert((channel, opener, 0), Port::new(state));
        self.channels.push(ChannelState {
            opener,
            kind,
            name_bytes,
            legs,
            order,
            lost: None,
            refusal: Refusal::NoReceiver,
            waits,
            unanswered: None,
            held: Vec::new(),
            left: None,
            receivers: BTreeMap::new(),
        });
        channel
    }

    pub(super) fn legs_to(&self, opener: Context, targets: &[Context]) -> Legs {
        let (mut legs, mut order) = Legs::default();
        for &context in targets.iter().filter(|target| **target != opener) {
            let leg = legs.entry(self.home(context)).or_insert_with(|| {
                order.push(self.home(context));
                Leg { targets: Vec::new(), unanswered: false, outstanding: Amount::default() }
            });
            let state = TargetState::Pending;
            leg.targets.push(Target { context, nth: 0, state, unreported: Amount::default() });
        }
        (legs, order)
    }

    /// Sends a channel's connection to every leg, or a note to itself if there is none.
    pub(super) fn send_connects(&mut self, channel: Channel, lifecycle: DocumentLifecycle) {
        let ChannelState { opener, name_bytes, legs, .. } = self.channels[channel].clone();
        let home = self.home(opener);
        if legs.is_empty() {
            self.send(self.lane_for(opener, home, home), Record::NoTarget(channel));
        }
        for (to, leg) in legs {
            let targets: Vec<_> = leg.targets.iter().map(|target| target.context).collect();
            // Several are listed, by eight bytes each.
            let listed = if targets.len() > 1 { 8 * targets.len() as u64 } else { 0 };
            let lane = self.lane_for(opener, home, to);
            let before = self.lying(lane);
            let farewells = self.announce(opener, to);
            *self.unanswered.entry(lane).or_default() += leg.targets.len() as u64;
            self.send(lane, Record::Connect { channel, targets, lifecycle, bytes: name_bytes + listed });
            // Farewells count for no share: they may be another extension's.
            let sent = self.lying(lane).0.beyond(before.0).beyond(farewells);
            self.counts_for_share(opener, lane, before, sent);
        }
    }
}
