//! A message to several receivers on this event loop, handed out to one after the other.

use crate::event_loop::port::ReceiverAt;
use crate::ids::Key;
use crate::message::MessageFlags;
use crate::message::MessageFormat;
use crate::payload::{Cell, Payload, Pieces, discard};

/// A message under way to its receivers. Kept for its memory once all have it.
#[derive(Default)]
pub(crate) struct FanOut {
    /// With its format and whether there was user activation, as its events have these.
    pub(super) message: Option<(MessageFormat, bool, Payload)>,
    pub(super) receivers: Vec<ReceiverAt>,
    /// How many of the receivers had their turn.
    pub(super) position: usize,
    /// Whether a receiver's port was closed since it began. Until then all are open.
    pub(super) receiver_left: bool,
}

impl FanOut {
    /// Whether a receiver still waits for its turn.
    #[inline]
    pub(super) fn is_under_way(&self) -> bool {
        self.position < self.receivers.len()
    }

    /// The receivers that still wait for their turn, and the message's length.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Key, usize)> {
        let bytes = self.message.as_ref().map_or(0, |(.., payload)| payload.len());
        self.receivers[self.position..].iter().map(move |receiver| (receiver.port, bytes))
    }

    /// Begins with a message. The one before has reached everyone.
    pub(super) fn begin(&mut self, receivers: &[ReceiverAt], traits: MessageFlags, payload: Payload) {
        self.begin_with(receivers);
        self.message = Some((traits.format(), traits.user_activation(), payload));
    }

    /// As [`begin`](Self::begin), with a short message that is copied from where it lies.
    #[inline(always)]
    pub(crate) fn begin_short<'a>(
        &mut self,
        receivers: &[ReceiverAt],
        traits: MessageFlags,
        pieces: Pieces<'a, impl Iterator<Item = &'a Cell>>,
    ) {
        self.begin_with(receivers);
        // SAFETY: written below.
        let payload = unsafe { pieces.unwritten() };
        let (.., payload) = self.message.insert((traits.format(), traits.user_activation(), payload));
        pieces.write(payload);
    }

    #[inline(always)]
    fn begin_with(&mut self, receivers: &[ReceiverAt]) {
        debug_assert!(!self.is_under_way());
        self.receivers.clear();
        self.receivers.extend_from_slice(receivers);
        self.position = 0;
        self.receiver_left = false;
    }

    /// To be called when a receiver's port is closed from this side.
    #[inline]
    pub(super) fn receiver_left(&mut self) {
        self.receiver_left = true;
    }

    /// The next receiver, with a message of its own; the last one's is the first.
    #[inline]
    pub(super) fn next(&mut self) -> Option<(Key, MessageFlags, Payload)> {
        let key = self.receivers.get(self.position)?.port;
        self.position += 1;
        let last = self.position == self.receivers.len();
        let message = if last { self.message.take() } else { self.message.clone() };
        message.map(|(format, activation, payload)| (key, MessageFlags::new(format, activation), payload))
    }

    /// Drops what is under way.
    pub(super) fn discard(&mut self) {
        self.receivers.clear();
        self.position = 0;
        discard(self.message.take());
    }
}
