//! What a renderer's end hands to the scripts' side.

use crate::wire::number::{ContextNumber, PortNumber};
use crate::wire::{Content, SenderDescription};
use bytes::Bytes;
use port_core::{AttachError, ConnectKind, ContextKind, DisconnectReason, MessageFormat};

/// One thing that happened to a renderer, handed out by [`Stub::next_event`](crate::Stub::next_event). What happens
/// to a context is what an event loop in the browser would hand out, [`port_core::Event`], in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StubEvent {
    /// The browser grants a context, which may be [attached](crate::Stub::attach), once.
    #[non_exhaustive]
    Granted {
        /// The context.
        context: ContextNumber,
        /// What kind of context it is.
        kind: ContextKind,
        /// What the browser tells of it.
        label: Bytes,
    },
    /// A grant that was not used is void.
    #[non_exhaustive]
    Revoked {
        /// The context that may not be attached any more.
        context: ContextNumber,
    },
    /// A context could not be attached: what it was granted for has ended. It is no more, and its ports are closed,
    /// with no `Disconnect` of their own.
    #[non_exhaustive]
    AttachRefused {
        /// The context.
        context: ContextNumber,
        /// Why.
        error: AttachError,
        /// The ports that ended with it, in order of their numbers.
        ports: Vec<PortNumber>,
    },
    /// `runtime.onConnect`, or one of its relatives.
    #[non_exhaustive]
    Connect {
        /// The receiving context.
        context: ContextNumber,
        /// The receiving context's end.
        port: PortNumber,
        /// What the connection is for.
        kind: ConnectKind,
        /// The name that the opener gave; empty if it gave none.
        name: Box<str>,
        /// The opener, as the browser describes it.
        sender: Box<SenderDescription>,
        /// `true` if the opener is another extension's, and this is `runtime.onConnectExternal` or a relative.
        external: bool,
        /// `true` if the context [asks](port_core::Listening::asks): [`accept`](crate::Stub::accept) or
        /// [`refuse`](crate::Stub::refuse) the connection, now or later. What the opener posts meanwhile is handed out
        /// as it comes.
        undecided: bool,
    },
    /// `port.onMessage`.
    #[non_exhaustive]
    Message {
        /// The context that holds the port.
        context: ContextNumber,
        /// The end that received the message.
        port: PortNumber,
        /// The bytes posted.
        payload: Bytes,
        /// How the bytes were made.
        format: MessageFormat,
        /// `true` if the sender ran under user activation, as the browser knows.
        user_activation: bool,
    },
    /// `port.onDisconnect`: the port ended, and not by this side's `disconnect()`.
    #[non_exhaustive]
    Disconnect {
        /// The context that held the port.
        context: ContextNumber,
        /// The end that is closed now.
        port: PortNumber,
        /// Why.
        reason: DisconnectReason,
        /// `true` if a context was there that does not listen, as [`port_core::Event::Disconnect`] has it. For a
        /// developer's log alone.
        not_listening: bool,
    },
    /// A post on this port was refused because a window was full; now there is room again.
    #[non_exhaustive]
    Room {
        /// The context that holds the port.
        context: ContextNumber,
        /// The end that may post again.
        port: PortNumber,
    },
    /// A fact ended this context. It is no more, and its ports are closed, with no `Disconnect` of their own.
    #[non_exhaustive]
    ContextGone {
        /// The context.
        context: ContextNumber,
        /// Why.
        reason: DisconnectReason,
        /// The ports that ended with it, in order of their numbers.
        ports: Vec<PortNumber>,
    },
}

/// A message as it lies in what came from the browser, handed out by [`Stub::next_message`](crate::Stub::next_message):
/// [`StubEvent::Message`] without memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StubMessage<'a> {
    /// The context that holds the port.
    pub context: ContextNumber,
    /// The end that received the message.
    pub port: PortNumber,
    /// The bytes posted, how they were made, and whether the sender ran under user activation, as the browser knows.
    pub content: Content<'a>,
}
