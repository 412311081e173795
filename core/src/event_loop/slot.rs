//! The memory in which a caller wants an event.

use crate::event::Event;
use crate::ids::{ContextId, PortId};
use crate::message::MessageFormat;
use crate::name::PortName;
use crate::payload::{Piece, Pieces};
use crate::sender::Sender;
use crate::target::ConnectInfo;
use std::mem::MaybeUninit;
use std::ptr;

/// The caller's memory in which the next event is made.
///
/// An event is about two hundred bytes large, and moving one that was just written waits for its own
/// stores, because store forwarding fails where a load is wider than the stores. That takes longer than all the rest
/// of a message. So an event is written once, in its final place. Functions that take a slot are not
/// inlined into [`event_or_none`](Self::event_or_none): only then does the compiler pass them the memory in which
/// its own caller wants the event, and elide the move.
#[repr(transparent)]
pub(super) struct EventSlot(MaybeUninit<Option<Event>>);

/// Whom an event is for, with the embedder's numbers.
#[derive(Clone, Copy)]
pub(crate) struct Addressee {
    pub(super) context: ContextId,
    pub(super) port: PortId,
    pub(super) context_data: u64,
    pub(super) port_data: u64,
}

/// Proves that an event was put into a slot; only a slot gives this.
#[must_use]
pub(super) struct Full(());

/// Proves that a slot was written, and tells whether an event was.
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
    /// Returns the event that `write` puts into a slot, or `None`.
    #[inline(always)]
    pub(super) fn event_or_none(write: impl FnOnce(&mut Self) -> Written) -> Option<Event> {
        let mut slot = Self(MaybeUninit::uninit());
        let Written { .. } = write(&mut slot);
        // SAFETY: a `Written` is given only for a slot that was written, and there is no other slot here.
        unsafe { slot.0.assume_init() }
    }

    /// Returns the event that was put, if one was.
    pub(super) fn event(&self, written: &Written) -> Option<&Event> {
        // SAFETY: a `Written` is given only for a slot that was written, and there is no other slot here.
        let event = written.event.then(|| unsafe { self.0.assume_init_ref() });
        event.and_then(Option::as_ref)
    }

    /// Has `write` put an event, or none, into memory of the caller's. Returns whether there is one.
    #[inline]
    pub(super) fn fill(event: &mut Option<Event>, write: impl FnOnce(&mut Self) -> Written) -> bool {
        // What lies there is dropped now; it stays `None` if `write` panics.
        *event = None;
        // SAFETY: a slot is that memory, and all that is ever written to one is an event or `None`.
        let slot = unsafe { &mut *ptr::from_mut(event).cast::<Self>() };
        write(slot).is_event()
    }

    /// Puts no event.
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

    /// Puts the event of a short message, and copies its bytes from where they lie into the event.
    #[inline(always)]
    pub(super) fn put_short<'a>(
        &mut self,
        to: Addressee,
        (format, user_activation): (MessageFormat, bool),
        pieces: Pieces<'a, impl Fn(usize) -> &'a Piece>,
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

    /// Puts the event of a connection. The name is written once the event is in its final place, because moving it
    /// there would fail store forwarding (see [`PortName`]'s `clone_from`).
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
        let event = Event::Connect {
            context,
            port,
            kind,
            name: name_to_come,
            sender,
            undecided: false,
            context_data,
            port_data,
        };
        if let Some(Event::Connect { name: copy, .. }) = self.0.write(Some(event)) {
            copy.clone_from(name);
        }
        Full(())
    }
}
