//! The place where a caller wants an event.

use crate::event::Event;
use crate::ids::{ContextId, PortId};
use crate::message::MessageFormat;
use crate::name::PortName;
use crate::payload::Pieces;
use crate::sender::Sender;
use crate::target::ConnectInfo;
use std::mem::MaybeUninit;

/// The memory of the caller in which the next event is made.
///
/// An event is some two hundred bytes large, and moving one that was just written waits for its own
/// stores (store forwarding fails where the copy is wider than the stores): that takes longer than all the rest
/// of a message. So an event is written once, where it stays. Functions that take a slot are not
/// inlined into [`event_or_none`](Self::event_or_none): only then does the compiler pass them the place in which
/// its own caller wants the event, and drops the move.
#[repr(transparent)]
pub(super) struct EventSlot(MaybeUninit<Option<Event>>);

/// Whom an event is for, with the embedder's numbers.
#[derive(Clone, Copy)]
pub(super) struct Addressee {
    pub(super) context: ContextId,
    pub(super) port: PortId,
    pub(super) context_data: u64,
    pub(super) port_data: u64,
}

/// Proves that an event was put into a slot; only a slot gives this.
#[must_use]
pub(super) struct Full(());

/// Proves that a slot was written, and tells whether with an event.
#[must_use]
pub(super) struct Written {
    event: bool,
}

impl Written {
    pub(super) fn is_event(&self) -> bool {
        self.event
    }
}

impl From<Full> for Written {
    #[inline(always)]
    fn from(Full(()): Full) -> Self {
        Self { event: true }
    }
}

impl EventSlot {
    /// Returns what `write` puts into a slot.
    #[inline(always)]
    pub(super) fn event_or_none(write: impl FnOnce(&mut Self) -> Written) -> Option<Event> {
        let mut slot = Self(MaybeUninit::uninit());
        let Written { .. } = write(&mut slot);
        // SAFETY: a `Written` is given only for a slot that was written, and there is no other slot here.
        unsafe { slot.0.assume_init() }
    }

    /// Puts "nothing".
    pub(super) fn put_nothing(&mut self) -> Written {
        self.0.write(None);
        Written { event: false }
    }

    /// Puts an event that was made elsewhere.
    #[inline(always)]
    pub(super) fn put(&mut self, event: Event) -> Full {
        self.0.write(Some(event));
        Full(())
    }

    /// Puts the event of a short message, whose bytes are copied from where they lie in the lane.
    #[inline(always)]
    pub(super) fn put_short(
        &mut self,
        to: Addressee,
        (format, user_activation): (MessageFormat, bool),
        pieces: Pieces<'_>,
    ) -> Full {
        // SAFETY: written below.
        let payload = unsafe { pieces.unwritten() };
        let Addressee { context, port, context_data, port_data } = to;
        let event =
            Event::Message { context, port, payload, format, user_activation, context_data, port_data };
        if let Some(Event::Message { payload, .. }) = self.0.write(Some(event)) {
            pieces.write(payload);
        }
        Full(())
    }

    /// Puts the event of a connection. The name is written where it stays: as part of a value that is put
    /// together it would be copied in odd pieces, and then moved in whole words that wait for these.
    #[inline(always)]
    pub(super) fn put_connect(
        &mut self,
        to: Addressee,
        info: ConnectInfo,
        name: &PortName,
        sender: Sender,
    ) -> Full {
        let Addressee { context, port, context_data, port_data } = to;
        let (kind, name_to_come) = (info.kind, PortName::default());
        let event =
            Event::Connect { context, port, kind, name: name_to_come, sender, context_data, port_data };
        if let Some(Event::Connect { name: copy, .. }) = self.0.write(Some(event)) {
            copy.clone_from(name);
        }
        Full(())
    }
}
