//! What an event loop hands to the scripts' side.

use crate::ids::{ContextId, PortId};
use crate::index::ContextShared;
use crate::message::MessageFlags;
use crate::message::MessageFormat;
use crate::name::PortName;
use crate::payload::{Cell, Payload, Pieces};
use crate::policy::SenderFields;
use crate::reason::DisconnectReason;
use crate::sender::Sender;
use crate::sync::Arc;
use crate::target::{ConnectInfo, ConnectKind};
use std::mem::MaybeUninit;
use std::ptr;

/// One thing that happened to a context of an event loop, given by
/// [`EventLoop::next_event`](crate::EventLoop::next_event).
///
/// For one port the order is always: `Connect` (at the receiving side), then
/// messages in the order posted, then at most one `Disconnect`, and nothing
/// after it. Each event was valid when it was handed out; an embedder that queues
/// events again asks [`EventLoop::is_open`](crate::EventLoop::is_open) before it dispatches one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// `runtime.onConnect`, or by `kind` and sender one of its relatives: somebody
    /// connected to `context`, which was listening. `port` is this side's end and is open.
    Connect {
        /// The receiving context.
        context: ContextId,
        /// The receiving context's end.
        port: PortId,
        /// What the connection is for.
        kind: ConnectKind,
        /// The name the opener gave; empty for none.
        name: PortName,
        /// The opener, as the browser described it.
        sender: Sender,
    },
    /// `port.onMessage`.
    Message {
        /// The context that holds the port.
        context: ContextId,
        /// The end that received the message.
        port: PortId,
        /// The bytes posted.
        payload: Payload,
        /// How the bytes were made.
        format: MessageFormat,
        /// Whether the sender ran under user activation.
        user_activation: bool,
    },
    /// `port.onDisconnect`: the port ended, and not by this side's `disconnect()`.
    /// The port is closed by the time this is handed out.
    Disconnect {
        /// The context that held the port.
        context: ContextId,
        /// The end that is closed now.
        port: PortId,
        /// Why.
        reason: DisconnectReason,
    },
    /// A post on this port was refused for want of window; now there is room again.
    Room {
        /// The context that holds the port.
        context: ContextId,
        /// The end that may post again.
        port: PortId,
    },
    /// The browser reported a fact that ended this context (its tab was closed,
    /// its extension unloaded, …). The context is detached and its ports are
    /// closed, with no `Disconnect` of their own.
    ContextGone {
        /// The context that is no more.
        context: ContextId,
        /// Why.
        reason: DisconnectReason,
    },
}

/// Where a caller wants an event, or none.
///
/// An event is large, and moving one that was just written waits for its own stores: that
/// takes longer than all the rest of a message. So messages are made where they stay.
#[repr(transparent)]
pub(crate) struct Place(MaybeUninit<Option<Event>>);

/// That an event was put into a place; nothing else gives this.
#[must_use]
pub(crate) struct Full(());

/// That an event was put into a place, or that there is none.
#[must_use]
pub(crate) struct Written(());

impl From<Full> for Written {
    #[inline(always)]
    fn from(_: Full) -> Self {
        Self(())
    }
}

/// An event is put into the place of one where there may be none, and the other way round.
const _: () = assert!(size_of::<Option<Event>>() == size_of::<Event>());

impl Place {
    /// What `write` puts there. To be called with functions that the compiler does not see through:
    /// only then it has them write straight to where its own caller wants the event.
    #[inline(always)]
    pub(crate) fn of_event_or_none(write: impl FnOnce(&mut Self) -> Written) -> Option<Event> {
        let mut place = Self(MaybeUninit::uninit());
        let Written(()) = write(&mut place);
        // SAFETY: it was written.
        unsafe { place.0.assume_init() }
    }

    /// As [`of_event_or_none`](Self::of_event_or_none), for one that is sure to come.
    #[inline(always)]
    pub(crate) fn of_event(write: impl FnOnce(&mut Self) -> Full) -> Event {
        let mut place = MaybeUninit::<Event>::uninit();
        // SAFETY: an option that is no larger than what it may hold has that at its start and says
        // by a value that this never has that it holds nothing.
        let Full(()) = write(unsafe { &mut *ptr::from_mut(&mut place).cast() });
        // SAFETY: as above, and an event was written.
        unsafe { place.assume_init() }
    }

    pub(crate) fn put_nothing(&mut self) -> Written {
        self.0.write(None);
        Written(())
    }

    #[inline(always)]
    pub(crate) fn put(&mut self, event: Event) -> Full {
        self.0.write(Some(event));
        Full(())
    }

    /// Puts the event of a short message.
    #[inline(always)]
    pub(crate) fn put_short<'a>(
        &mut self,
        context: ContextId,
        port: PortId,
        (format, user_activation): (MessageFormat, bool),
        pieces: Pieces<'a, impl Iterator<Item = &'a Cell>>,
    ) -> Full {
        // SAFETY: written below.
        let payload = unsafe { pieces.unwritten() };
        let event = Event::Message { context, port, payload, format, user_activation };
        if let Some(Event::Message { payload, .. }) = self.0.write(Some(event)) {
            pieces.write(payload);
        }
        Full(())
    }
}

impl Event {
    #[inline(always)]
    pub(crate) fn message(context: ContextId, port: PortId, traits: MessageFlags, payload: Payload) -> Self {
        let (format, user_activation) = (traits.format(), traits.user_activation());
        Self::Message { context, port, payload, format, user_activation }
    }

    /// The event of a connection, whose name is copied straight to where the caller wants the event.
    #[inline(always)]
    pub(crate) fn connect(
        context: ContextId,
        port: PortId,
        name: &PortName,
        opener: Arc<ContextShared>,
        traits: ConnectInfo,
        shows: SenderFields,
    ) -> Option<Self> {
        Place::of_event_or_none(|place| {
            Self::put_connect(place, (context, port), name, opener, traits, shows).into()
        })
    }

    /// Not seen through, as [`Place::of_event_or_none`] wants it.
    #[inline(never)]
    fn put_connect(
        place: &mut Place,
        (context, port): (ContextId, PortId),
        name: &PortName,
        opener: Arc<ContextShared>,
        traits: ConnectInfo,
        shows: SenderFields,
    ) -> Full {
        let sender = Sender::new(opener, traits.lifecycle, shows);
        let empty = PortName::default();
        let event = Self::Connect { context, port, kind: traits.kind, name: empty, sender };
        if let Some(Self::Connect { name: copy, .. }) = place.0.write(Some(event)) {
            copy.clone_from(name);
        }
        Full(())
    }

    /// The context the event is for.
    #[must_use]
    pub fn context(&self) -> ContextId {
        match self {
            Self::Connect { context, .. }
            | Self::Message { context, .. }
            | Self::Disconnect { context, .. }
            | Self::Room { context, .. }
            | Self::ContextGone { context, .. } => *context,
        }
    }

    /// The port the event is about; `None` for [`Event::ContextGone`].
    #[must_use]
    pub fn port(&self) -> Option<PortId> {
        match self {
            Self::Connect { port, .. }
            | Self::Message { port, .. }
            | Self::Disconnect { port, .. }
            | Self::Room { port, .. } => Some(*port),
            Self::ContextGone { .. } => None,
        }
    }
}
