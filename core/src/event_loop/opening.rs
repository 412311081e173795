//! Opening ports: their receivers have not all answered yet, and their posts wait for that.

use super::EventLoop;
use crate::error::PostErrorKind;
use crate::event_loop::holdings::{Lacking, of_messages};
use crate::event_loop::port::{QueuedPosts, Side, TargetState};
use crate::ids::Key;
use crate::message::Message;
use crate::payload::discard;
use crate::policy::OpeningPort;
use crate::reason::DisconnectReason;
use crate::sync::mutant;
use crate::wire::credit::Credit;

impl EventLoop {
    /// Draws on the pool for a message of so many bytes that a port holds, or has the port wait for that.
    pub(super) fn draw_for_held(&mut self, key: Key, bytes: u64) -> Result<(), PostErrorKind> {
        if let Some(extension) = self.draws_for(key)
            && let Err(Lacking(lacking)) =
                self.holdings.admit(&self.service.pool, of_messages(1, bytes), extension)
        {
            self.want_room(key);
            self.wait_for_pool(key, lacking);
            return Err(PostErrorKind::Busy);
        }
        Ok(())
    }

    /// Lets the posts of a new port with targets wait for their answers, if the policy says so.
    #[inline(always)]
    pub(super) fn begin_opening(&mut self, key: Key) {
        if self.service.policies.opening_port == OpeningPort::PostsWait {
            self.have_posts_wait(key);
        }
    }

    fn have_posts_wait(&mut self, key: Key) {
        if self.ports.get_mut(key).is_some_and(|port| port.begin_opening()) {
            self.queued_posts.insert(key, QueuedPosts::default());
        }
    }

    /// Keeps a message until the port is open.
    pub(super) fn hold(&mut self, key: Key, message: &mut Message<'_>) -> Result<(), PostErrorKind> {
        let limits = &self.service.limits;
        let Some(port) = self.ports.get_mut(key) else {
            debug_assert!(false, "a post found the port opening");
            return Err(PostErrorKind::Disconnected);
        };
        // Nothing is in a lane yet, so the bounds of windows and lanes apply to what is queued here.
        let queued = self.queued_posts.entry(key).or_default();
        if !queued.amount.leaves_room(limits) {
            port.wants_room = true;
            return Err(PostErrorKind::WindowFull);
        }
        let Credit { messages, bytes } = queued.amount;
        if messages >= limits.lane_records || bytes >= limits.lane_bytes {
            port.wants_room = true;
            return Err(PostErrorKind::Busy);
        }
        let bytes = message.bytes().len() as u64;
        let waits_for = queued.waits_for;
        self.draw_for_held(key, bytes)?;
        if let Some(waits_for) = waits_for {
            self.count_waiting_post(waits_for.background, bytes).inspect_err(|_| {
                self.release_held(of_messages(1, bytes));
                self.want_room(key);
            })?;
        }
        let turn = self.take_turn();
        let queued = self.queued_posts.entry(key).or_default();
        queued.turns.push(turn);
        queued.amount.add(Credit::one(bytes));
        queued.messages.push(message.take().into_owned());
        Ok(())
    }

    /// Notes that its own side disconnects an opening port. The end waits like a post.
    pub(super) fn leave_opening(&mut self, key: Key) {
        if let Some(port) = self.ports.get_mut(key) {
            port.leave_opening();
        }
        let turn = self.take_turn();
        if let Some(queued) = self.queued_posts.get_mut(&key) {
            queued.left = Some(turn);
        }
    }

    /// Opens a port if the receiver that just answered was the last.
    #[inline(always)]
    pub(super) fn end_opening(&mut self, key: Key) {
        // Every opening port has an entry here, so under the usual policy this is one comparison.
        if !self.queued_posts.is_empty() {
            self.open_if_answered(key);
        }
    }

    fn open_if_answered(&mut self, key: Key) {
        // Removed by `end_if_alone` if its side had left it and this was the last answer.
        let Some(port) = self.ports.get(key) else { return };
        if !port.state.is_opening() {
            return;
        }
        let Side::Opener(opener) = &port.side else {
            debug_assert!(false, "a receiver opens with its port");
            return;
        };
        let waits = opener.legs.iter().any(|leg| {
            let leg = self.peer(leg.peer).and_then(|peer| peer.opened.get(leg.channel.0));
            leg.is_some_and(|leg| leg.targets.iter().any(|target| target.state == TargetState::Pending))
        });
        if !waits && !opener.legs.is_empty() {
            self.release(key);
        }
    }

    /// Sends what every opening port holds. Called when the loop is dropped and takes no more answers.
    pub(super) fn release_all(&mut self) {
        // The loop will not look at its events again, so it need not wake itself for them.
        self.armed = false;
        for key in self.ports.keys() {
            let opening = self.ports.get(key).is_some_and(|port| port.state.is_opening());
            if opening && !mutant("held-posts-dropped-with-their-loop") {
                self.release(key);
            }
        }
    }

    /// Sends a message that waited. It was admitted then, and is counted where it lies now.
    pub(super) fn send_released(&mut self, key: Key, message: &mut Message<'_>) {
        for index in self.peers_of(key) {
            if let Some(peer) = self.peer_mut(index) {
                peer.count_released(message.bytes().len());
            }
        }
        self.send_message(key, message);
    }

    /// Sends what a port holds, and ends the port if its own side had disconnected it.
    pub(super) fn release(&mut self, key: Key) {
        let Some(port) = self.ports.get_mut(key) else {
            debug_assert!(false, "an opening port is there");
            return;
        };
        let leaves = port.end_opening();
        let mut queued = self.take_queued_posts(key).unwrap_or_default();
        for mut message in std::mem::take(&mut queued.messages) {
            self.send_released(key, &mut message);
            discard(message);
        }
        if leaves {
            self.close_port(key, DisconnectReason::Disconnected);
            self.remove_port(key);
        } else {
            self.tell_of_room(key);
        }
    }
}
