//! Errors, one small enum per operation. A refused call changed nothing.

use crate::message::Message;
use std::error::Error;
use std::fmt;

macro_rules! plain_error {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)+ })
            }
        }

        impl Error for $name {}
    };
}

plain_error!(
    /// Why a fact reported to [`MessageService`](crate::MessageService) was refused.
    FactError {
        /// No such tab is open.
        UnknownTab => "unknown tab",
        /// A tab with this id is open already.
        TabExists => "the tab is open already",
        /// The tab has no such frame.
        UnknownFrame => "unknown frame",
        /// The tab has a frame with this id already.
        FrameExists => "the frame exists already",
        /// No frame shows, and no cache keeps, such a document.
        UnknownDocument => "unknown document",
        /// The document is shown or kept already; document ids are never used again.
        DocumentExists => "the document exists already",
        /// The extension instance is not loaded.
        UnknownExtension => "unknown extension instance",
        /// The extension is loaded already; unload it first.
        ExtensionExists => "the extension is loaded already",
        /// No such event loop lives.
        UnknownEventLoop => "unknown event loop",
    }
);

plain_error!(
    /// Why [`EventLoop::attach`](crate::EventLoop::attach) was refused.
    AttachError {
        /// The extension instance is not loaded.
        UnknownExtension => "unknown extension instance",
        /// The frame does not show this document (any more).
        UnknownDocument => "the frame does not show this document",
        /// The browser declared this event loop gone.
        EventLoopGone => "the event loop was declared gone",
        /// The event loop holds as many contexts as ids can name.
        TooManyContexts => "too many contexts",
    }
);

plain_error!(
    /// Why a call that names a context was refused.
    ContextError {
        /// The id was never given by this event loop, or the context is detached.
        UnknownContext => "unknown context",
        /// A fact ended the context; its [`Event::ContextGone`](crate::Event::ContextGone) is on its way.
        Gone => "the context is gone",
    }
);

plain_error!(
    /// Why `connect` was refused. A target that does not exist is no error: it
    /// gives a port that ends with [`DisconnectReason::NoReceiver`](crate::DisconnectReason::NoReceiver).
    ConnectError {
        /// The id was never given by this event loop, or the context is detached.
        UnknownContext => "unknown context",
        /// A fact ended the context; its [`Event::ContextGone`](crate::Event::ContextGone) is on its way.
        Gone => "the context is gone",
        /// The context's page is in the back/forward cache, and
        /// [`BackForwardCache::Ends`](crate::BackForwardCache::Ends) leaves no port to such a page.
        Cached => "the context's page is in the back/forward cache",
        /// A content script may not call `tabs.connect`.
        NotAllowed => "content scripts may not connect to tabs",
        /// The context holds [`Limits::ports_per_context`](crate::Limits::ports_per_context) ports.
        TooManyPorts => "the context holds as many ports as it may",
        /// A lane to one of the targets holds [`Limits::lane_records`](crate::Limits::lane_records)
        /// or [`Limits::lane_bytes`](crate::Limits::lane_bytes).
        Busy => "a target's event loop is too far behind",
    }
);

/// Why [`EventLoop::post_message`](crate::EventLoop::post_message) was refused, with the caller's message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PostError<'a> {
    /// The port has ended, or its id was never given by this event loop.
    Disconnected(Message<'a>),
    /// A fact ended the context; its [`Event::ContextGone`](crate::Event::ContextGone) is on its way.
    Gone(Message<'a>),
    /// The message is longer than [`Limits::message_bytes`](crate::Limits::message_bytes).
    TooLarge(Message<'a>),
    /// The port's window is full; [`Event::Room`](crate::Event::Room) tells when there is room again.
    WindowFull(Message<'a>),
    /// A lane to one of the receivers holds [`Limits::lane_records`](crate::Limits::lane_records)
    /// or [`Limits::lane_bytes`](crate::Limits::lane_bytes). No event tells when there is room again.
    Busy(Message<'a>),
}

impl<'a> PostError<'a> {
    /// The message that was not sent.
    pub fn into_message(self) -> Message<'a> {
        match self {
            Self::Disconnected(message)
            | Self::Gone(message)
            | Self::TooLarge(message)
            | Self::WindowFull(message)
            | Self::Busy(message) => message,
        }
    }
}

impl fmt::Display for PostError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disconnected(_) => "the port is disconnected",
            Self::Gone(_) => "the context is gone",
            Self::TooLarge(_) => "the message is larger than the limit",
            Self::WindowFull(_) => "the port's window is full",
            Self::Busy(_) => "a receiver's event loop is too far behind",
        })
    }
}

impl Error for PostError<'_> {}
