//! Connects to a background that runs and may be stopped, until somebody takes them or all refuse.
//!
//! A stop may come between the moment in which the opener's loop finds the background and the one in which the background's
//! loop takes the connection. Nobody has heard of the connection then, so it waits for the next start, with what was posted
//! on it, as if it had been made behind the stop. The background's loop decides: it takes the connection or refuses it, and
//! a refusal means a stop if the index says that the background's [life](Life) ended so. Nothing else has a connect wait
//! again: no crash, no unload, no refusal of a script's.
//!
//! | the opener's port | posts | disconnect | somebody takes it | all refuse, in a stop | all refuse |
//! |---|---|---|---|---|---|
//! | `Unanswered` | are sent, and kept | is sent; `Left` | `Open` | `Opening`, waits | `Ended` |
//! | `Left` | are refused | | freed | `Leaving`, waits | freed |
//! | `Opening`, where posts wait | are kept | `Leaving` | goes on | waits | `Ended` |
//! | `Leaving`, where posts wait | are refused | | goes on | waits | freed |
//!
//! What is connected to the same extension behind a stop, before the background's loop has answered all from before it, waits for
//! that too, so that what waits again keeps its place.

use super::EventLoop;
use crate::error::PostErrorKind;
use crate::event_loop::holdings::of_messages;
use crate::event_loop::peer::Peer;
use crate::event_loop::port::{LegAt, PeerIndex, PortState, Side};
use crate::event_loop::unanswered_connects::Unanswered;
use crate::ids::{ContextId, ExtensionInstance, Key};
use crate::index::background::{Life, Wait};
use crate::message::Message;
use crate::reason::DisconnectReason;
use crate::sync::mutant;
use crate::target::ConnectInfo;
use crate::wire::channel::{Channel, Route};
use crate::wire::credit::Credit;
use crate::wire::record::{Hearing, Signal};
use std::mem;

impl EventLoop {
    /// Gives the next turn among the connects and posts that are kept or wait.
    #[inline(always)]
    pub(super) fn take_turn(&mut self) -> u64 {
        self.last_turn += 1;
        self.last_turn
    }

    /// Notes a connect to a background in the latest life, which was sent just now. It is `pending` if the background is among
    /// its targets.
    #[inline(always)]
    pub(super) fn enter_unanswered(&mut self, key: Key, info: ConnectInfo, external: bool, pending: bool) {
        let turn = self.take_turn();
        self.unanswered.insert(key, Unanswered::new(turn, info, external), pending);
    }

    /// Returns whether no connect from before a life of a background is unanswered.
    pub(super) fn is_first_of(&self, life: Life) -> bool {
        self.unanswered.knows(life) || !self.awaits_word_of_the_past(life.instance)
    }

    /// Returns whether a background has yet to answer connects from a life that is over, so that others wait for these.
    #[cold]
    pub(super) fn awaits_word_of_the_past(&self, instance: ExtensionInstance) -> bool {
        if !self.unanswered.awaits(instance, |_| true) || mutant("newcomers-overtake-what-met-a-stop") {
            return false;
        }
        let now = self.service.index.life(instance).map(|life| life.number);
        self.unanswered.awaits(instance, |life| Some(life.number) != now)
    }

    /// Returns whether a background has yet to answer. Its extension's pages, which may hang, do not matter.
    pub(super) fn is_pending(&self, port: Key, background: ContextId) -> bool {
        let Some(Side::Opener(opener)) = self.ports.get(port).map(|port| &port.side) else { return false };
        opener.legs.iter().any(|leg| {
            let peer = self.peer(leg.peer).filter(|peer| peer.shared.id() == background.event_loop());
            let leg = peer.and_then(|peer| peer.opened.get(leg.channel.0));
            leg.is_some_and(|leg| leg.awaits_context(background.key()))
        })
    }

    /// Returns the connect of a port that is unanswered, and the life in which the background was found.
    fn unanswered_of(&self, port: Key) -> Option<(Unanswered, Life)> {
        // Race: the port is gone, and its slot may be another's.
        self.ports.get(port).and_then(|_| self.unanswered.get(port))
    }

    /// Has what waits for a background go on if that has answered the last connect from a life. Not for each: to try would
    /// take as long as what waits is.
    fn note_settled(&mut self, life: Life) {
        if !self.waiting.is_empty() && !self.unanswered.is_pending(life) {
            self.settled.push(life.instance);
        }
    }

    /// Notes that a target that has yet to answer refuses a connect, or is gone: it may be the background, which others wait for.
    /// To be called before it [is taken for gone](Self::target_gone), and they go on after that.
    #[cold]
    pub(super) fn note_answered(&mut self, index: PeerIndex, channel: Channel, ordinal: u32) {
        let Some(peer) = self.peer(index) else { return };
        let Some(leg) = peer.opened.get(channel.0).filter(|leg| leg.awaits(ordinal)) else { return };
        let Some(target) = leg.targets.get(ordinal as usize) else { return };
        let (port, target) = (leg.port, ContextId::new(peer.shared.id(), target.context));
        if let Some((_, life)) = self.unanswered_of(port)
            && life.context == target
            && self.unanswered.note_answered(port)
        {
            self.note_settled(life);
        }
    }

    /// Forgets that a connect is unanswered, and what is kept for it.
    fn settle(&mut self, port: Key) {
        let Some((connect, life)) = self.unanswered.remove(port) else { return };
        if connect.is_pending() {
            self.note_settled(life);
        }
        if self.ports.get_mut(port).is_some_and(|port| port.be_answered()) && !self.queued_posts.is_empty() {
            drop(self.take_queued_posts(port));
        }
    }

    /// Notes that somebody took a connection, if that was unanswered.
    #[inline(never)]
    pub(super) fn taken_by_somebody(&mut self, key: Key) {
        // The usual case: nothing is kept for the answer, and nobody waits for it.
        if self.queued_posts.is_empty()
            && self.waiting.is_empty()
            && let Some(port) = self.ports.get_mut(key)
            && port.state == PortState::Unanswered
            && !port.wants_room
            && self.unanswered.remove_pending(key)
        {
            port.be_answered();
            return;
        }
        self.taken_in_any_state(key);
    }

    #[cold]
    fn taken_in_any_state(&mut self, key: Key) {
        self.settle(key);
        match self.ports.get(key).map(|port| (port.state, port.wants_room)) {
            Some((PortState::Left, _)) => {
                self.drop_legs(key);
                self.remove_port(key);
            }
            Some((PortState::Open, true)) => self.tell_of_room(key),
            _ => {}
        }
        self.go_on_waiting();
    }

    /// Has what waited for unanswered connects go on.
    #[inline(always)]
    pub(super) fn go_on_waiting(&mut self) {
        if !self.settled.is_empty() {
            self.connect_behind_settled();
        }
    }

    #[cold]
    fn connect_behind_settled(&mut self) {
        while let Some(instance) = self.settled.pop() {
            if self.waiting.contains_key(&instance) && !mutant("left-waiting-behind-what-was-answered") {
                self.connect_waiting(instance);
            }
        }
    }

    /// Notes that a target refused a connect, or that there was none: whether that was for a stop.
    #[cold]
    pub(super) fn note_refused(&mut self, port: Key, target: Option<ContextId>) {
        if let Some((_, life)) = self.unanswered_of(port)
            && target.is_none_or(|target| target == life.context)
            && (self.service.index.was_stopped(life) || mutant("any-refusal-taken-for-a-stop"))
            && !mutant("connect-refused-by-a-stop")
        {
            self.unanswered.note_stopped(port);
        }
    }

    /// Returns whether a target that is gone is left as it is, because its event loop says what became of a connect that a
    /// stop met: it may have taken the connection just before.
    pub(super) fn awaits_word_of(
        &self,
        index: PeerIndex,
        channel: Channel,
        ordinal: u32,
        reason: DisconnectReason,
    ) -> bool {
        let Some(peer) = self.peer(index) else { return false };
        let Some(leg) = peer.opened.get(channel.0).filter(|leg| leg.awaits(ordinal)) else { return false };
        let Some(port) = self.ports.get(leg.port) else { return false };
        let (key, target) = (leg.port, leg.targets.get(ordinal as usize).map(|target| target.context));
        let sent = matches!(port.state, PortState::Unanswered | PortState::Left);
        if mutant("taken-and-sent-once-more") {
            return false;
        }
        // Nobody else is stopped.
        if sent && reason == DisconnectReason::BackgroundStopped {
            return true;
        }
        let event_loop = peer.shared.id();
        // Race: several facts were told as one, which had another reason.
        (sent || port.state.is_opening())
            && self.unanswered_of(key).is_some_and(|(_, life)| {
                target.is_some_and(|target| life.context == ContextId::new(event_loop, target))
                    && self.service.index.was_stopped(life)
            })
    }

    /// Notes which unanswered connects a stop met, of those towards an event loop that is gone and will not answer.
    pub(super) fn note_all_lost(&mut self, index: PeerIndex) {
        let Self { peers, unanswered, service, .. } = self;
        let Some(Some(peer)) = peers.get(index as usize) else { return };
        let gone = peer.shared.id();
        let mut last = None;
        for (_, leg) in peer.opened.iter() {
            let Some((_, life)) = unanswered.get(leg.port) else { continue };
            if life.context.event_loop() != gone || !leg.awaits_context(life.context.key()) {
                continue;
            }
            let known = last.filter(|(known, _)| *known == life).map(|(_, stopped)| stopped);
            let stopped = known.unwrap_or_else(|| service.index.was_stopped(life));
            last = Some((life, stopped));
            if stopped {
                unanswered.note_stopped(leg.port);
            }
        }
    }

    /// Has a port that reaches nobody wait for the next start, if it was unanswered and a stop is why. Returns whether
    /// it does.
    pub(super) fn wait_again(&mut self, key: Key) -> bool {
        let Some((connect, life)) = self.unanswered.remove(key) else { return false };
        let Unanswered { turn, info, external, stopped, .. } = connect;
        let instance = life.instance;
        debug_assert!(!connect.is_pending(), "the background was noted as gone");
        let opener = self.ports.get(key).and_then(|port| self.contexts.get(port.context));
        // Race: a fact has ended the opener, and its notice comes later.
        let lives = opener.is_some_and(|opener| !opener.shared.is_killed());
        // Race: the extension was unloaded since.
        let wait = (stopped && lives).then(|| self.service.wait_for_background(instance, self.id)).flatten();
        let Some(wait) = wait else {
            if let Some(port) = self.ports.get_mut(key) {
                port.be_answered();
            }
            return false;
        };
        let start = match wait {
            Wait::ForStart { start, .. } => Some(start),
            // Race: it was started again meanwhile.
            Wait::Nothing => {
                self.settled.push(instance);
                None
            }
        };
        if let Some(port) = self.ports.get_mut(key) {
            port.wait_again();
        }
        self.enter_waiting(key, (instance, turn), info, external, start);
        true
    }

    /// Posts a message on a port that is unanswered, and keeps it.
    #[cold]
    #[inline(never)]
    pub(super) fn post_and_keep(&mut self, key: Key, message: &mut Message<'_>) -> Result<(), PostErrorKind> {
        let bytes = message.bytes().len() as u64;
        let limits = &self.service.limits;
        let Credit { messages: kept, bytes: kept_bytes } =
            self.queued_posts.get(&key).map(|queued| queued.amount).unwrap_or_default();
        if kept >= limits.lane_records || kept_bytes >= limits.lane_bytes {
            self.want_room(key);
            return Err(PostErrorKind::Busy);
        }
        self.draw_for_held(key, bytes)?;
        let copy = message.share();
        if let Err(refused) = self.post_every_way(key, message) {
            self.release_held(of_messages(1, bytes));
            return Err(refused);
        }
        let turn = self.take_turn();
        let queued = self.queued_posts.entry(key).or_default();
        queued.turns.push(turn);
        queued.amount.add(Credit::one(bytes));
        queued.messages.extend((!mutant("kept-without-its-posts")).then_some(copy));
        Ok(())
    }

    /// Disconnects a port that is unanswered: its end follows what was sent, and it stays until it is answered.
    pub(super) fn leave_unanswered(&mut self, key: Key) {
        let turn = self.take_turn();
        if let Some(port) = self.ports.get_mut(key) {
            port.leave_unanswered();
        }
        self.queued_posts.entry(key).or_default().left = Some(turn);
        for LegAt { peer, channel } in self.legs_of(key) {
            let (route, reason) = (Route::TO_RECEIVERS, DisconnectReason::Disconnected);
            self.send_signal(peer, move || Signal::Close { channel, route, reason, hearing: Hearing::Told });
        }
    }

    /// Ends an unanswered port for its context's end, or its page's. Returns whether the other side was told before.
    pub(super) fn close_unanswered(&mut self, key: Key) -> bool {
        self.settle(key);
        let left = self.ports.get(key).is_some_and(|port| port.state == PortState::Left);
        if left {
            self.drop_legs(key);
        }
        left
    }

    /// Frees the channels of a port whose end was sent.
    fn drop_legs(&mut self, key: Key) {
        for LegAt { peer, channel } in self.legs_of(key) {
            self.peer_mut(peer).and_then(|peer: &mut Peer| peer.remove_opened(channel, |_| ()));
        }
        if let Some(Side::Opener(opener)) = self.ports.get_mut(key).map(|port| &mut port.side) {
            mem::take(&mut opener.legs);
        }
    }

    fn legs_of(&self, key: Key) -> Vec<LegAt> {
        match self.ports.get(key).map(|port| &port.side) {
            Some(Side::Opener(opener)) => opener.legs.iter().copied().collect(),
            _ => Vec::new(),
        }
    }
}
