//! Connects that wait for an extension's background to be started.
//!
//! They wait on the opener's event loop with what is posted on their ports, in the order of the calls, so that all of it
//! goes out in that order whatever happens elsewhere. The index keeps who waits, by event loop; each event loop that
//! waits for a start is told once what came of it.

use super::EventLoop;
use super::search::{FoundTarget, Search};
use crate::error::{ConnectError, PostErrorKind};
use crate::event_loop::holdings::of_messages;
use crate::event_loop::port::{Port, PortState, QueuedPosts, Side, WaitsFor};
use crate::event_loop::unanswered_connects::Unanswered;
use crate::ids::{ExtensionInstance, Key, PortId};
use crate::index::Reached;
use crate::index::background::{Life, Wait};
use crate::limits::Limits;
use crate::message::Message;
use crate::name::PortName;
use crate::payload::discard;
use crate::policy::OpeningPort;
use crate::reason::DisconnectReason;
use crate::sync::mutant;
use crate::target::{ConnectInfo, ConnectKind};
use crate::wire::credit::Credit;
use crate::wire::record::Refusal;
use std::collections::BTreeMap;

/// What waits on an event loop for one extension's background.
#[derive(Default)]
pub(super) struct WaitingConnects {
    /// By turn, in the order of the calls; posts of their ports have turns among them. There may be so many that each
    /// must be found without a walk when it leaves.
    connects: BTreeMap<u64, WaitingConnect>,
    /// The connects with their names, and the posts of their ports: bounded as in a lane.
    amount: Credit,
}

/// What ports that were opened just now have still to do, by turn.
type Unsent = BTreeMap<u64, (Key, Step)>;

enum Step {
    Post {
        message: Message<'static>,
        is_last: bool,
    },
    /// Its own side's end.
    Leave,
    /// That of a port which is unanswered again.
    LeaveUnanswered,
}

impl WaitingConnects {
    fn admits_more(&self, limits: &Limits) -> bool {
        self.amount.messages < limits.lane_records && self.amount.bytes < limits.lane_bytes
    }
}

#[derive(Clone, Copy)]
struct WaitingConnect {
    port: Key,
    info: ConnectInfo,
    /// `true` if the opener is another extension's, or a page of the web.
    external: bool,
    /// The start that it waits for; `None` if that was over and those before it had not been told.
    start: Option<u64>,
}

impl EventLoop {
    /// Returns whether connects of this loop wait for an extension's background.
    pub(super) fn waits_for(&self, instance: ExtensionInstance) -> bool {
        self.waiting.contains_key(&instance) && !mutant("overtakes-those-that-wait")
    }

    /// Makes a port that waits for a background; `Ok(None)` if there is nothing to wait for after all.
    #[cold]
    pub(super) fn connect_later(
        &mut self,
        opener: Key,
        instance: ExtensionInstance,
        external: bool,
        name: &PortName,
        info: ConnectInfo,
    ) -> Result<Option<PortId>, ConnectError> {
        let limits = &self.service.limits;
        let before = self.waiting.get(&instance);
        if before.is_some_and(|waiting| !waiting.admits_more(limits)) {
            return Err(ConnectError::Busy);
        }
        let others_wait = before.is_some() || self.awaits_word_of_the_past(instance);
        let start = match self.service.wait_for_background(instance, self.id) {
            Some(Wait::ForStart { start, .. }) => Some(start),
            // Race: it got ready, or was unloaded. The notice of that is on its way to those that wait here, and this
            // connect must not overtake them.
            _ if others_wait => None,
            // Race: the same, since the index was read.
            _ => return Ok(None),
        };
        let port = self.enter_opener(opener, name, info)?;
        if let Some(port) = self.ports.get_mut(port) {
            port.begin_waiting();
        }
        let turn = self.take_turn();
        self.enter_waiting(port, (instance, turn), info, external, start);
        Ok(Some(self.port_id(port)))
    }

    /// Enters a port, and what it holds, among those that wait for a background.
    pub(super) fn enter_waiting(
        &mut self,
        port: Key,
        (background, turn): (ExtensionInstance, u64),
        info: ConnectInfo,
        external: bool,
        start: Option<u64>,
    ) {
        let name = self.ports.get(port).map_or(0, |port| port.name.as_str().len() as u64);
        let queued = self.queued_posts.entry(port).or_default();
        queued.waits_for = Some(WaitsFor { background, turn });
        let waiting = self.waiting.entry(background).or_default();
        waiting.amount.add(Credit::one(name));
        waiting.amount.add(queued.amount);
        waiting.connects.insert(turn, WaitingConnect { port, info, external, start });
    }

    /// Counts a post that waits with its port for a background.
    pub(super) fn count_waiting_post(
        &mut self,
        instance: ExtensionInstance,
        bytes: u64,
    ) -> Result<(), PostErrorKind> {
        let Some(waiting) = self.waiting.get_mut(&instance) else {
            debug_assert!(false, "a port waits among others");
            return Ok(());
        };
        if !waiting.admits_more(&self.service.limits) {
            return Err(PostErrorKind::Busy);
        }
        waiting.amount.add(Credit::one(bytes));
        Ok(())
    }

    /// Forgets what a port holds, and that it waits. Returns what it held.
    #[inline(never)]
    pub(super) fn take_queued_posts(&mut self, key: Key) -> Option<QueuedPosts> {
        let queued = self.stop_waiting(key)?;
        if !queued.messages.is_empty() {
            self.release_held(of_messages(queued.amount.messages, queued.amount.bytes));
        }
        Some(queued)
    }

    /// Forgets that a port waits for a background, if it does. Returns what it holds.
    fn stop_waiting(&mut self, key: Key) -> Option<QueuedPosts> {
        let queued = self.queued_posts.remove(&key)?;
        if let Some(WaitsFor { background, turn }) = queued.waits_for
            && let Some(waiting) = self.waiting.get_mut(&background)
        {
            let name = self.ports.get(key).map_or(0, |port| port.name.as_str().len() as u64);
            waiting.connects.remove(&turn);
            waiting.amount.take(Credit::one(name));
            waiting.amount.take(queued.amount);
            if waiting.connects.is_empty() {
                self.waiting.remove(&background);
            }
        }
        Some(queued)
    }

    /// Connects what waited for a background, which runs.
    pub(super) fn connect_waiting(&mut self, instance: ExtensionInstance) {
        if self.awaits_word_of_the_past(instance) {
            // What a stop met may have to go before these. They go on once that is settled.
            return;
        }
        let mut unsent = Unsent::new();
        while let Some((&turn, &first)) =
            self.waiting.get(&instance).and_then(|waiting| waiting.connects.first_key_value())
        {
            // What was posted before it was called goes before it.
            self.send_unsent(&mut unsent, turn);
            let (reached, life) = self.reach(instance, first);
            match reached {
                Reached::Contexts => self.open_waiting((turn, first), None, &mut unsent),
                // Race: it was stopped and started again since the one before went out, which that stop may have met.
                Reached::AwakeAnew if !self.is_first_of(life) => {
                    self.found.clear();
                    break;
                }
                Reached::Awake | Reached::AwakeAnew => {
                    self.open_waiting((turn, first), Some(life), &mut unsent);
                }
                // Race: it was stopped again. So this waits on, unless it was started once more just now.
                Reached::Asleep(_) => match self.service.wait_for_background(instance, self.id) {
                    Some(Wait::ForStart { start, .. }) => {
                        self.wait_on(instance, start);
                        break;
                    }
                    Some(Wait::Nothing) | None => {}
                },
            }
        }
        self.send_unsent(&mut unsent, u64::MAX);
    }

    /// Does what ports that were opened have still to do before a turn.
    fn send_unsent(&mut self, unsent: &mut Unsent, before: u64) {
        while let Some(next) = unsent.first_entry().filter(|next| *next.key() < before) {
            let (key, step) = next.remove();
            match step {
                Step::Post { mut message, is_last } => {
                    self.send_released(key, &mut message);
                    discard(message);
                    if is_last {
                        self.tell_of_room(key);
                    }
                }
                // Also tells that it is open, and so has it end.
                Step::Leave => self.release(key),
                Step::LeaveUnanswered => self.leave_unanswered(key),
            }
        }
    }

    /// Opens a port, whose posts go out in their turns.
    fn release_in_turn(&mut self, key: Key, unsent: &mut Unsent) {
        let Some(port) = self.ports.get_mut(key) else {
            debug_assert!(false, "an opening port is there");
            return;
        };
        // One that leaves does so to the end.
        let leaves = port.state == PortState::Leaving;
        if !leaves {
            port.end_opening();
        }
        let mut queued = self.take_queued_posts(key).unwrap_or_default();
        let turns = std::mem::take(&mut queued.turns);
        let left = queued.left;
        let mut messages = turns.into_iter().zip(std::mem::take(&mut queued.messages)).peekable();
        if messages.peek().is_none() && !leaves {
            return self.tell_of_room(key);
        }
        while let Some((turn, message)) = messages.next() {
            let is_last = messages.peek().is_none() && !leaves;
            unsent.insert(turn, (key, Step::Post { message, is_last }));
        }
        if let Some(left) = left.filter(|_| leaves) {
            unsent.insert(left, (key, Step::Leave));
        }
    }

    /// Sends copies of a port's posts in their turns, and keeps the posts until its connect is answered.
    fn copy_in_turn(&mut self, key: Key, unsent: &mut Unsent) {
        let leaves = self.ports.get(key).is_some_and(|port| port.state == PortState::Leaving);
        if let Some(port) = self.ports.get_mut(key).filter(|_| !leaves) {
            port.end_opening();
            port.await_answer();
        }
        let Some(queued) = self.queued_posts.get(&key) else { return };
        let left = queued.left.filter(|_| leaves);
        let count = queued.messages.len();
        for (nth, (turn, message)) in queued.turns.iter().zip(&queued.messages).enumerate() {
            let is_last = nth + 1 == count && !leaves;
            unsent.insert(*turn, (key, Step::Post { message: message.share(), is_last }));
        }
        if let Some(left) = left {
            unsent.insert(left, (key, Step::LeaveUnanswered));
        } else if count == 0 {
            self.tell_of_room(key);
        }
    }

    fn wait_on(&mut self, instance: ExtensionInstance, start: u64) {
        if let Some(waiting) = self.waiting.get_mut(&instance) {
            waiting.connects.values_mut().for_each(|connect| connect.start = Some(start));
        }
    }

    /// Ends what waited for a start that is given up, and lets those behind it ask for another.
    pub(super) fn end_waiting(&mut self, instance: ExtensionInstance, start: u64, reason: DisconnectReason) {
        let Some(waiting) = self.waiting.get(&instance) else { return };
        let of_the_start = |connect: &&WaitingConnect| connect.start.is_some_and(|own| own <= start);
        let ended: Vec<_> =
            waiting.connects.values().filter(of_the_start).map(|connect| connect.port).collect();
        for key in ended {
            if mutant("given-up-in-silence") {
                continue;
            }
            drop(self.take_queued_posts(key));
            match self.ports.get(key).map(|port| port.state) {
                // Both sides have left it, so nobody is told of its end.
                Some(PortState::Leaving) => self.remove_port(key),
                _ => self.end_port(key, reason),
            }
        }
        self.connect_waiting(instance);
    }

    /// Looks for the targets of a connect that waited, and collects them in [`found`](Self::found). Returns what it found, and
    /// the background's life if it is awake.
    fn reach(&mut self, instance: ExtensionInstance, connect: WaitingConnect) -> (Reached, Life) {
        let Some(opener) = self.ports.get(connect.port).and_then(|port| self.contexts.get(port.context))
        else {
            debug_assert!(false, "a port that ends waits no more");
            return (Reached::Contexts, Life::NONE);
        };
        // Race: a fact has ended the opener, and its notice comes later. It reaches nobody.
        if opener.shared.is_killed() {
            return (Reached::Contexts, Life::NONE);
        }
        if connect.external && !self.service.index.admits(instance, &opener.shared) {
            return (Reached::Contexts, Life::NONE);
        }
        let own = (opener.shared.id(), opener.shared.number());
        let background = opener.shared.is_background() && !connect.external;
        let Self { service, peers, peer_of, last_peer, found, unanswered, .. } = self;
        let mut search = Search { only: None, found, peers, peer_of, last_peer, own };
        let reached = service.index.own_contexts(
            instance,
            background,
            |target| search.note(target),
            |life| unanswered.find(life),
        );
        let only = search.only;
        found.extend(only.map(|(peer, key)| FoundTarget { key, peer, unmet: None }));
        (reached, self.unanswered.life_found(reached == Reached::AwakeAnew))
    }

    /// Opens a port that waited, towards what was found, and lets what it holds go behind the connection.
    fn open_waiting(
        &mut self,
        (turn, connect): (u64, WaitingConnect),
        life: Option<Life>,
        unsent: &mut Unsent,
    ) {
        let WaitingConnect { port: key, info, external, .. } = connect;
        let Some(mut queued) = self.stop_waiting(key) else {
            debug_assert!(false, "a port that waits holds its posts");
            return;
        };
        queued.waits_for = None;
        self.queued_posts.insert(key, queued);
        let mut found = std::mem::take(&mut self.found);
        let port = self.ports.get(key).map(|port| (port.context, port.name.clone()));
        if let Some((opener, name)) = &port {
            self.keep_reachable(*opener, &mut found);
            self.keep_admitted(key, *opener, name, &mut found);
        }
        // Without a target it stays as it is until it hears that it reaches nobody.
        let posts_wait = self.service.policies.opening_port == OpeningPort::PostsWait;
        let stays_opening = found.is_empty() || (posts_wait && info.kind == ConnectKind::Port);
        if let Some((opener, name)) = port {
            self.open_legs(key, opener, &name, info, &mut found);
        }
        if let Some(life) = life {
            self.unanswered.begin(life);
            let pending = self.is_pending(key, life.context);
            self.unanswered.insert(key, Unanswered::new(turn, info, external), pending);
        }
        if !stays_opening {
            match life {
                Some(_) => self.copy_in_turn(key, unsent),
                None => self.release_in_turn(key, unsent),
            }
        }
        found.clear();
        self.found = found;
    }

    /// Leaves out the targets on event loops whose lanes admit no connection now: they take no part, as those that hold as
    /// many ports as they may. Else a page that hangs would be sent all that waited anew with each start.
    fn keep_admitted(&mut self, port: Key, opener: Key, name: &PortName, found: &mut Vec<FoundTarget>) {
        let mut rest = std::mem::take(found);
        while let Some(peer) = rest.first().map(|first| first.peer) {
            let there: Vec<_> = rest.extract_if(.., |target| target.peer == peer).collect();
            if self.lanes_admit_connect(opener, name, &there) {
                found.extend(there);
            } else if let Some(Port { side: Side::Opener(side), .. }) = self.ports.get_mut(port) {
                side.refusal = Refusal::LimitReached;
            }
        }
    }
}
