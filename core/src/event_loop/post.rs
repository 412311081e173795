//! `postMessage` and `disconnect`.

use super::EventLoop;
use crate::error::PostError;
use crate::ids::{Key, PortId};
use crate::message::{Body, Message};
use crate::payload::{INLINE_BYTES, discard};
use crate::port::{PeerIndex, PortState, Side};
use crate::reason::DisconnectReason;
use crate::record::{Channel, Credit, Record, Route, Traits};
use crate::sync::mutant;
use smallvec::SmallVec;

impl EventLoop {
    /// [`port.postMessage`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/runtime/Port/postMessage):
    /// sends a message to the other side; from an opener, to every receiver.
    ///
    /// When this returns `Ok` the message lies in the lanes of all receivers and their
    /// event loops were rung. It is never delivered before this returns. A message of
    /// up to [`INLINE_BYTES`] is copied into the lane and allocates nothing; a
    /// longer one travels by reference, and is copied once before if it was borrowed.
    /// A full lane allocates a segment now and then.
    ///
    /// A message to a port whose [`Event::Disconnect`](crate::Event::Disconnect) is on its way is
    /// accepted and goes nowhere, as in browsers (measured).
    ///
    /// # Errors
    ///
    /// Gives the message back and changes nothing; see [`PostError`].
    pub fn post_message<'m>(
        &mut self,
        port: PortId,
        message: impl Into<Message<'m>>,
    ) -> Result<(), PostError<'m>> {
        self.post(port, message.into())
    }

    fn post<'m>(&mut self, id: PortId, message: Message<'m>) -> Result<(), PostError<'m>> {
        let found = self.port_key(id).and_then(|key| Some((key, self.ports.get(key)?)));
        let Some((key, port)) = found else { return Err(PostError::Disconnected(message)) };
        if self.contexts.get(port.context).is_none_or(|context| context.shared.killed().is_some()) {
            return Err(PostError::Gone(message));
        }
        if message.bytes().len() > self.service.limits.message_bytes {
            return Err(PostError::TooLarge(message));
        }
        match port.state {
            PortState::Open => {}
            PortState::Opening => return self.hold(key, message),
            PortState::Leaving => return Err(PostError::Disconnected(message)),
            PortState::Silent | PortState::Ended(_) => {
                discard(message);
                return Ok(());
            }
        }
        if !self.has_windows()
            && let Some((index, channel, route)) = port.only_way()
        {
            return self.post_one_way(index, channel, route, message);
        }
        self.post_every_way(key, message)
    }

    /// Sends a message where there is one way to go and no window to heed, the usual case.
    #[inline]
    fn post_one_way<'m>(
        &mut self,
        index: PeerIndex,
        channel: Channel,
        route: Route,
        message: Message<'m>,
    ) -> Result<(), PostError<'m>> {
        let Some(peer) = self.peers[index as usize].as_mut() else {
            discard(message);
            return Ok(());
        };
        if !peer.within_budget(&self.service.limits) {
            return Err(PostError::Busy(message));
        }
        let Message { mut body, format, user_activation } = message;
        let bytes = body.as_slice().len() as u64;
        let traits = Traits::new(format, user_activation);
        let (record, tail) = Record::message(channel, route, traits, &mut body, true);
        peer.send(record, tail, bytes);
        if let Body::Owned(bytes) = body {
            discard(bytes);
        }
        self.sent_to(index);
        Ok(())
    }

    fn post_every_way<'m>(&mut self, key: Key, message: Message<'m>) -> Result<(), PostError<'m>> {
        if self.has_windows() && !self.has_room(key) {
            if !mutant("credits-left-in-the-lane") {
                self.take_credits(key);
            }
            if !self.has_room(key) {
                if let Some(port) = self.ports.get_mut(key) {
                    port.wants_room = true;
                }
                return Err(PostError::WindowFull(message));
            }
        }
        if !self.lanes_have_room(key) {
            return Err(PostError::Busy(message));
        }
        self.send_message(key, message);
        Ok(())
    }

    fn lanes_have_room(&mut self, key: Key) -> bool {
        let (Some(port), limits) = (self.ports.get(key), &self.service.limits) else { return true };
        let peers = &mut self.peers;
        let mut within =
            |index: u32| peers[index as usize].as_mut().is_none_or(|peer| peer.within_budget(limits));
        match &port.side {
            Side::Opener(opener) => opener.legs.iter().all(|leg| within(leg.peer)),
            Side::Receiver(receiver) => within(receiver.peer),
        }
    }

    pub(super) fn send_message(&mut self, key: Key, message: Message<'_>) {
        let Message { mut body, format, user_activation } = message;
        let traits = Traits::new(format, user_activation);
        let bytes = body.as_slice().len() as u64;
        let windows = self.has_windows();
        let Some(port) = self.ports.get_mut(key) else { return };
        let mut own = false;
        match &mut port.side {
            Side::Opener(opener) => {
                let count = opener.legs.len();
                for (position, leg) in opener.legs.iter().enumerate() {
                    let Some(peer) = self.peers[leg.peer as usize].as_mut() else { continue };
                    if windows {
                        peer.windows.entry(leg.channel).or_default().outstanding.add(Credit::one(bytes));
                    }
                    let last = position + 1 == count;
                    let (record, tail) =
                        Record::message(leg.channel, Route::TO_RECEIVERS, traits, &mut body, last);
                    peer.send(record, tail, bytes);
                    own |= peer.is_own();
                }
            }
            Side::Receiver(receiver) => {
                let Some(peer) = self.peers[receiver.peer as usize].as_mut() else { return };
                if windows {
                    self.receiver_windows.entry(key).or_default().outstanding.add(Credit::one(bytes));
                }
                let route = Route::to_opener(receiver.ordinal);
                let (record, tail) = Record::message(receiver.channel, route, traits, &mut body, true);
                peer.send(record, tail, bytes);
                own = peer.is_own();
            }
        }
        if let Body::Owned(bytes) = body {
            discard(bytes);
        }
        if own {
            self.sent_to(super::OWN);
        }
    }

    /// [`port.disconnect`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/runtime/Port/disconnect):
    /// ends a port. The other side receives everything posted before, then
    /// [`Disconnected`](DisconnectReason::Disconnected); this side hears nothing more of it. Where
    /// this is one of several receivers, the others fare as
    /// [`Policies::receiver_disconnects`](crate::Policies::receiver_disconnects) says.
    ///
    /// Whether the port was open; calling it again is harmless.
    pub fn disconnect(&mut self, port: PortId) -> bool {
        let Some(key) = self.port_key(port) else { return false };
        let Some(port) = self.ports.get(key) else { return false };
        if port.state == PortState::Leaving {
            return false;
        }
        // Once a fact has ended the context, that is why, whatever its script does yet.
        let killed = self.contexts.get(port.context).and_then(|context| context.shared.killed());
        if port.state == PortState::Opening && killed.is_none() {
            self.leave_opening(key);
            return true;
        }
        self.close_port(key, killed.unwrap_or(DisconnectReason::Disconnected));
        self.remove_port(key);
        true
    }

    /// The peers that a port's posts go to.
    pub(super) fn peers_of(&self, key: Key) -> SmallVec<[u32; 4]> {
        match self.ports.get(key).map(|port| &port.side) {
            Some(Side::Opener(opener)) => opener.legs.iter().map(|leg| leg.peer).collect(),
            Some(Side::Receiver(receiver)) => [receiver.peer].into_iter().collect(),
            None => SmallVec::new(),
        }
    }
}

const _: () = assert!(INLINE_BYTES <= u8::MAX as usize);
