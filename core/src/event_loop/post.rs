//! `postMessage`.

use super::EventLoop;
use crate::error::{PostError, PostErrorKind};
use crate::event_loop::context::Context;
use crate::event_loop::port::{PortState, Side};
use crate::ids::{Key, PortId};
use crate::message::{Message, MessageFlags};
use crate::payload::{INLINE_BYTES, discard};
use crate::sync::mutant;
use crate::wire::channel::Route;
use crate::wire::credit::Credit;
use smallvec::SmallVec;

impl EventLoop {
    /// Does [`EventLoop::post_message`].
    #[inline(always)]
    pub(super) fn post_to_port(&mut self, port: PortId, message: Message<'_>) -> Result<(), PostError> {
        let flags = MessageFlags::new(message.format, message.user_activation);
        // By fields, which stay in registers: a message passed whole goes through memory, and reading back what was
        // just written there fails store forwarding.
        let bytes = message.bytes();
        let short = bytes.len() <= INLINE_BYTES;
        let windowed = self.windowed;
        if short
            && (!windowed && self.post_short::<false>(port, flags, bytes)
                || windowed && self.post_short::<true>(port, flags, bytes))
        {
            if message.is_owned() {
                discard(message);
            }
            if !self.uses.is_empty() {
                self.count_use(port);
            }
            return Ok(());
        }
        self.post_any(port, message)
    }

    /// Posts a short message if it goes one way, by a lane that has room: the usual case, on a short path. Otherwise
    /// does nothing and returns `false`. Compiled for loops with windows apart, whose code costs the others registers.
    #[inline(never)]
    fn post_short<const WINDOWED: bool>(&mut self, id: PortId, flags: MessageFlags, bytes: &[u8]) -> bool {
        let limits = &self.service.limits;
        let Some(key) = self.port_key(id) else { return false };
        if bytes.len() > limits.message_bytes {
            return false;
        }
        let Some(port) = self.ports.get(key) else { return false };
        let Some(context) = self.contexts.get(port.context) else { return false };
        if port.state != PortState::Open || context.shared.is_killed() {
            return false;
        }
        let Some((index, channel, route)) = port.only_way() else { return false };
        let Some(peer) = self.peers[index as usize].as_mut() else { return false };
        let windows = &mut self.receiver_windows;
        if !peer.takes_short(bytes.len())
            || WINDOWED && !peer.windows_admit(limits, key, (channel, route), bytes.len(), windows)
        {
            return false;
        }
        peer.send_short((channel, route), flags, bytes);
        true
    }

    /// Posts any message, on every way that its port goes.
    #[inline(never)]
    fn post_any(&mut self, port: PortId, mut message: Message<'_>) -> Result<(), PostError> {
        if let Err(kind) = self.post(port, &mut message) {
            return Err(PostError::new(kind, message));
        }
        if !self.uses.is_empty() {
            self.count_use(port);
        }
        if message.is_owned() {
            discard(message);
        }
        Ok(())
    }

    /// Posts a message. It is taken by reference because moving it would take as long as copying its bytes.
    #[inline]
    fn post(&mut self, id: PortId, message: &mut Message<'_>) -> Result<(), PostErrorKind> {
        let Some(key) = self.port_key(id) else { return Err(PostErrorKind::Disconnected) };
        let Some(port) = self.ports.get(key) else { return Err(PostErrorKind::Disconnected) };
        let context = self.contexts.get(port.context).filter(|context| !context.shared.is_killed());
        let Some(Context { shared: context, .. }) = context else { return Err(PostErrorKind::Gone) };
        let bytes = message.bytes().len();
        let limits = &self.service.limits;
        if bytes > limits.message_bytes {
            return Err(PostErrorKind::TooLarge);
        }
        match port.state {
            PortState::Open => {}
            PortState::Undecided => {
                self.answer(key, None);
                return self.post(id, message);
            }
            PortState::Opening => return self.hold(key, message),
            PortState::Unanswered => return self.post_and_keep(key, message),
            PortState::Leaving | PortState::Left => return Err(PostErrorKind::Disconnected),
            PortState::Silent | PortState::Ended(_) => return Ok(()),
        }
        // The usual case: one way to go, and room on it.
        if let Some((index, channel, route)) = port.only_way()
            && let Some(peer) = self.peers[index as usize].as_mut()
            && (!self.windowed
                || peer.admits_message(limits, context, bytes, false)
                    && peer.windows_admit(limits, key, (channel, route), bytes, &mut self.receiver_windows))
            && peer.admits_message(limits, context, bytes, true)
        {
            let flags = MessageFlags::new(message.format, message.user_activation);
            peer.send_message((channel, route), flags, &mut message.body, true);
            return Ok(());
        }
        self.post_every_way(key, message)
    }

    #[inline(never)]
    pub(super) fn post_every_way(
        &mut self,
        key: Key,
        message: &mut Message<'_>,
    ) -> Result<(), PostErrorKind> {
        if self.has_windows() && !self.has_room(key) {
            // Race: credits have come but lie in the lane after records that the embedder has not taken. Without this
            // look, a thread that posts in a loop would be refused for ever.
            if !mutant("credits-left-in-the-lane") {
                self.take_credits(key);
            }
            if !self.has_room(key) {
                self.want_room(key);
                return Err(PostErrorKind::WindowFull);
            }
        }
        let bytes = message.bytes().len();
        // All of them first: a share counts what is sent alone.
        let full = self.full_peer(key, bytes, false).or_else(|| self.full_peer(key, bytes, true));
        if let Some(full) = full {
            self.ask_for_room(key, full);
            self.give_back_unused(key);
            return Err(PostErrorKind::Busy);
        }
        self.send_message(key, message);
        Ok(())
    }

    /// Sends a message on every way that its port goes.
    pub(super) fn send_message(&mut self, key: Key, message: &mut Message<'_>) {
        let flags = MessageFlags::new(message.format, message.user_activation);
        let body = &mut message.body;
        let bytes = body.as_slice().len() as u64;
        let windows = self.has_windows();
        let Some(port) = self.ports.get_mut(key) else {
            debug_assert!(false, "a post found the port");
            return;
        };
        match &mut port.side {
            Side::Opener(opener) => {
                let count = opener.legs.len();
                for (position, leg) in opener.legs.iter().enumerate() {
                    let Some(peer) = self.peers[leg.peer as usize].as_mut() else {
                        debug_assert!(false, "a leg ends with its peer");
                        continue;
                    };
                    if windows {
                        peer.windows.entry(leg.channel).or_default().sent.total.add(Credit::one(bytes));
                    }
                    let last = position + 1 == count;
                    peer.send_message((leg.channel, Route::TO_RECEIVERS), flags, body, last);
                }
            }
            Side::Receiver(receiver) => {
                let Some(peer) = self.peers[receiver.peer as usize].as_mut() else {
                    debug_assert!(false, "a receiver ends with its peer");
                    return;
                };
                if windows {
                    self.receiver_windows.entry(key).or_default().sent.total.add(Credit::one(bytes));
                }
                let route = Route::to_opener(receiver.ordinal);
                peer.send_message((receiver.channel, route), flags, body, true);
            }
        }
    }

    /// Gives back what was drawn for a message that is not sent after all.
    #[cold]
    fn give_back_unused(&mut self, key: Key) {
        let peers = self.peers_of(key);
        // Where there is one way, what was refused was not drawn.
        for &index in peers.iter().filter(|_| peers.len() > 1) {
            if let Some(peer) = self.peer_mut(index) {
                peer.give_back_unused();
            }
        }
    }

    /// Returns the peers that a port's posts go to.
    pub(super) fn peers_of(&self, key: Key) -> SmallVec<[u32; 4]> {
        match self.ports.get(key).map(|port| &port.side) {
            Some(Side::Opener(opener)) => opener.legs.iter().map(|leg| leg.peer).collect(),
            Some(Side::Receiver(receiver)) => [receiver.peer].into_iter().collect(),
            None => SmallVec::new(),
        }
    }
}

const _: () = assert!(INLINE_BYTES <= u8::MAX as usize);
