//! What an event loop hands to the scripts' side.

use crate::ids::{ContextId, PortId};
use crate::message::{MessageFlags, MessageFormat};
use crate::name::PortName;
use crate::payload::Payload;
use crate::reason::DisconnectReason;
use crate::sender::Sender;
use crate::target::ConnectKind;

/// One thing that happened to a context of an event loop, handed out by
/// [`EventLoop::next_event`](crate::EventLoop::next_event).
///
/// For one port the order is always: `Connect` (at the receiving side), then
/// messages in the order posted, then at most one `Disconnect`, and nothing
/// after it. Each event is valid at the moment it is handed out; an embedder that queues
/// events again must ask [`EventLoop::is_open`](crate::EventLoop::is_open) before it dispatches one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// `runtime.onConnect`, or one of its relatives, as `kind` and `sender` tell: somebody
    /// connected to `context`, which was listening. `port` is this side's end and is open.
    #[non_exhaustive]
    Connect {
        /// The receiving context.
        context: ContextId,
        /// The receiving context's end.
        port: PortId,
        /// What the connection is for.
        kind: ConnectKind,
        /// The name the opener gave; empty if it gave none.
        name: PortName,
        /// The opener, as the browser described it.
        sender: Sender,
        /// `true` if the context [asks](crate::Listening::asks): [`accept`](crate::EventLoop::accept) or
        /// [`refuse`](crate::EventLoop::refuse) the connection, now or later. What the opener posts meanwhile is handed
        /// out as it comes; keep it if whoever decides may not hear it before.
        undecided: bool,
        /// The number that the embedder [set on the context](crate::EventLoop::set_context_data); 0 before.
        context_data: u64,
        /// The number that the embedder [set on the port](crate::EventLoop::set_port_data); 0 before.
        port_data: u64,
    },
    /// `port.onMessage`.
    #[non_exhaustive]
    Message {
        /// The context that holds the port.
        context: ContextId,
        /// The end that received the message.
        port: PortId,
        /// The bytes posted.
        payload: Payload,
        /// How the bytes were made.
        format: MessageFormat,
        /// `true` if the sender ran under user activation.
        user_activation: bool,
        /// The number that the embedder [set on the context](crate::EventLoop::set_context_data); 0 before.
        context_data: u64,
        /// The number that the embedder [set on the port](crate::EventLoop::set_port_data); 0 before.
        port_data: u64,
    },
    /// `port.onMessage`, of several ports at once: one message of an opener's for contexts that all live on this event
    /// loop. Handed out in the place of a [`Message`](Self::Message) for each where the embedder
    /// [asked for it](crate::EventLoop::group_receivers), and never otherwise.
    #[non_exhaustive]
    MessageToSeveral {
        /// The ports that received it, at least two, in the order in which they would hear it one by one.
        receivers: Vec<ReceivingPort>,
        /// The bytes posted.
        payload: Payload,
        /// How the bytes were made.
        format: MessageFormat,
        /// `true` if the sender ran under user activation.
        user_activation: bool,
    },
    /// `port.onDisconnect`: the port ended, and not by this side's `disconnect()`.
    /// The port is closed by the time this is handed out.
    #[non_exhaustive]
    Disconnect {
        /// The context that held the port.
        context: ContextId,
        /// The end that is closed now.
        port: PortId,
        /// Why.
        reason: DisconnectReason,
        /// `true` if the reason is [`NoReceiver`](DisconnectReason::NoReceiver) and a context was there that has no
        /// [listener](crate::EventLoop::set_listening) for the connection; `false` if nobody was there, or nobody that
        /// the opener may connect to. For a developer's log: browsers show scripts the same in both cases.
        not_listening: bool,
        /// The number that the embedder [set on the context](crate::EventLoop::set_context_data); 0 before.
        context_data: u64,
        /// The number that the embedder [set on the port](crate::EventLoop::set_port_data); 0 before.
        port_data: u64,
    },
    /// A post on this port was refused because its window was full
    /// ([`WindowFull`](crate::PostErrorKind::WindowFull)) or a lane was ([`Busy`](crate::PostErrorKind::Busy)); now there
    /// is room again. Ports share a lane: if another is quicker to fill it, a post on this one is
    /// refused once more, and another `Room` follows.
    #[non_exhaustive]
    Room {
        /// The context that holds the port.
        context: ContextId,
        /// The end that may post again.
        port: PortId,
        /// The number that the embedder [set on the context](crate::EventLoop::set_context_data); 0 before.
        context_data: u64,
        /// The number that the embedder [set on the port](crate::EventLoop::set_port_data); 0 before.
        port_data: u64,
    },
    /// The browser reported a fact that ended this context (its tab was closed,
    /// its extension unloaded, …). The context is detached and its ports are
    /// closed, with no `Disconnect` of their own: a script that is gone must hear nothing,
    /// so the embedder is told once, for all of them.
    #[non_exhaustive]
    ContextGone {
        /// The context that is no more.
        context: ContextId,
        /// Why.
        reason: DisconnectReason,
        /// The number that the embedder [set on the context](crate::EventLoop::set_context_data); 0 before.
        context_data: u64,
        /// The ports that ended with it, in no order: those that the embedder may still keep something for. Among
        /// them may be ports whose `Connect` was not handed out, and never will be.
        ports: Vec<EndedPort>,
    },
}

/// A port that received a message, in [`Event::MessageToSeveral`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivingPort {
    /// The context that holds the port.
    pub context: ContextId,
    /// The end that received the message.
    pub port: PortId,
    /// The number that the embedder [set on the context](crate::EventLoop::set_context_data); 0 before.
    pub context_data: u64,
    /// The number that the embedder [set on the port](crate::EventLoop::set_port_data); 0 before.
    pub port_data: u64,
}

/// A port that ended with its context, in [`Event::ContextGone`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndedPort {
    /// The end that is closed now.
    pub port: PortId,
    /// The number that the embedder [set on it](crate::EventLoop::set_port_data); 0 before.
    pub data: u64,
}

impl Event {
    /// Makes the event of a message, without the embedder's numbers.
    pub(crate) fn message(context: ContextId, port: PortId, flags: MessageFlags, payload: Payload) -> Self {
        let (format, user_activation) = (flags.format(), flags.user_activation());
        Self::Message { context, port, payload, format, user_activation, context_data: 0, port_data: 0 }
    }

    /// Enters the embedder's numbers as they are when the event is handed out.
    pub(crate) fn set_data(&mut self, context: u64, port: u64) {
        match self {
            Self::Connect { context_data, port_data, .. }
            | Self::Message { context_data, port_data, .. }
            | Self::Disconnect { context_data, port_data, .. }
            | Self::Room { context_data, port_data, .. } => (*context_data, *port_data) = (context, port),
            // The context is no more; its number was entered when it ended. A message to several is never kept.
            Self::ContextGone { .. } | Self::MessageToSeveral { .. } => {}
        }
    }

    /// Returns the context that the event is for; of [`Event::MessageToSeveral`] the first.
    #[must_use]
    pub fn context(&self) -> ContextId {
        match self {
            Self::Connect { context, .. }
            | Self::Message { context, .. }
            | Self::Disconnect { context, .. }
            | Self::Room { context, .. }
            | Self::ContextGone { context, .. } => *context,
            Self::MessageToSeveral { receivers, .. } => receivers[0].context,
        }
    }

    /// Returns the port that the event is about; `None` for [`Event::ContextGone`] and [`Event::MessageToSeveral`].
    #[must_use]
    pub fn port(&self) -> Option<PortId> {
        match self {
            Self::Connect { port, .. }
            | Self::Message { port, .. }
            | Self::Disconnect { port, .. }
            | Self::Room { port, .. } => Some(*port),
            Self::ContextGone { .. } | Self::MessageToSeveral { .. } => None,
        }
    }
}
