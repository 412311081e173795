//! Errors, one small enum per operation. A refused call changed nothing.
//!
//! Each error and each [`DisconnectReason`](crate::DisconnectReason) has a number of its own, by which C and
//! scripts tell them apart. It never changes.
//!
//! | numbers | what |
//! |---|---|
//! | 100–199 | [`FactError`] |
//! | 200–299 | [`AttachError`] |
//! | 300–399 | [`ContextError`] |
//! | 400–499 | [`ConnectError`] |
//! | 500–599 | [`PostErrorKind`] |
//! | 600–699 | [`DisconnectReason`](crate::DisconnectReason) |

use crate::message::Message;
use std::error::Error;
use std::fmt;

/// Makes an enum whose variants each have a number and a text.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Lists all variants, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the number of this variant, for C and for scripts. It never changes, and no other error or
            /// reason of this crate has it.
            #[must_use]
            pub const fn code(self) -> u16 {
                match self { $(Self::$variant => $code,)+ }
            }

            /// Returns the text that `Display` writes: English, in lower case, without a full stop.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.text())
            }
        }
    };
}
pub(crate) use numbered;

numbered!(
    /// Says why a fact reported to [`MessageService`](crate::MessageService) was refused.
    FactError {
        /// No such tab is open.
        UnknownTab = 100 => "unknown tab",
        /// A tab with this id is open already.
        TabExists = 101 => "the tab is open already",
        /// The tab has no such frame.
        UnknownFrame = 102 => "unknown frame",
        /// The tab has a frame with this id already.
        FrameExists = 103 => "the frame exists already",
        /// The document is not where the call needs it: shown by a frame, or kept by a cache.
        UnknownDocument = 104 => "unknown document",
        /// The document is shown or kept already; document ids are never used again.
        DocumentExists = 105 => "the document exists already",
        /// The extension instance is not loaded.
        UnknownExtension = 106 => "unknown extension instance",
        /// The extension is loaded already; unload it first.
        ExtensionExists = 107 => "the extension is loaded already",
        /// There is no such event loop, or it is gone.
        UnknownEventLoop = 108 => "unknown event loop",
    }
);

numbered!(
    /// Says why [`EventLoop::attach`](crate::EventLoop::attach) was refused.
    AttachError {
        /// The extension instance is not loaded.
        UnknownExtension = 200 => "unknown extension instance",
        /// The frame does not show this document, or no longer does.
        UnknownDocument = 201 => "the frame does not show this document",
        /// The browser declared this event loop gone.
        EventLoopGone = 202 => "the event loop was declared gone",
        /// The event loop holds as many contexts as ids can name.
        TooManyContexts = 203 => "too many contexts",
        /// The URL and the origin are longer than [`Limits::description_bytes`](crate::Limits::description_bytes).
        DescriptionTooLong = 204 => "the context's URL and origin are longer than the limit",
    }
);

numbered!(
    /// Says why a call that names a context was refused.
    ContextError {
        /// The id was never given by this event loop, or the context is detached.
        UnknownContext = 300 => "unknown context",
        /// A fact ended the context; its [`Event::ContextGone`](crate::Event::ContextGone) is on its way.
        Gone = 301 => "the context is gone",
    }
);

numbered!(
    /// Says why a connect was refused. A target that does not exist is no error: it
    /// gives a port that ends with [`DisconnectReason::NoReceiver`](crate::DisconnectReason::NoReceiver).
    ConnectError {
        /// The id was never given by this event loop, or the context is detached.
        UnknownContext = 400 => "unknown context",
        /// A fact ended the context; its [`Event::ContextGone`](crate::Event::ContextGone) is on its way.
        Gone = 401 => "the context is gone",
        /// The context's page is in the back/forward cache, and
        /// [`BackForwardCache::Ends`](crate::BackForwardCache::Ends) leaves no port to such a page.
        Cached = 402 => "the context's page is in the back/forward cache",
        /// A content script or a page of the web may not call `tabs.connect`, nor a page of the web `runtime.connect` without
        /// the id of an extension.
        NotAllowed = 403 => "content scripts and web pages may not connect to tabs, nor web pages without an extension's id",
        /// The context holds [`Limits::ports_per_context`](crate::Limits::ports_per_context) ports, or
        /// [`Limits::names_per_context`](crate::Limits::names_per_context) bytes of their names.
        TooManyPorts = 404 => "the context holds as many ports as it may",
        /// A lane to one of the targets holds [`Limits::lane_records`](crate::Limits::lane_records)
        /// or [`Limits::lane_bytes`](crate::Limits::lane_bytes); if there is no target, the opener's event loop has as
        /// many records to itself. Or so many connections there wait for their answers
        /// as [`Limits::unanswered_connects`](crate::Limits::unanswered_connects) allows. There is no port that an
        /// event could name when it may be tried again. Refuse the script's call, as for any other error; if the
        /// embedder itself wants to connect, it takes its events first, and tries again on a later turn of its main loop.
        Busy = 405 => "a target's event loop is too far behind",
        /// The name is longer than [`Limits::name_bytes`](crate::Limits::name_bytes).
        NameTooLong = 406 => "the port's name is longer than the limit",
    }
);

numbered!(
    /// Says why [`EventLoop::post_message`](crate::EventLoop::post_message) was refused.
    PostErrorKind {
        /// The port has ended, or its id was never given by this event loop.
        Disconnected = 500 => "the port is disconnected",
        /// A fact ended the context; its [`Event::ContextGone`](crate::Event::ContextGone) is on its way.
        Gone = 501 => "the context is gone",
        /// The message is longer than [`Limits::message_bytes`](crate::Limits::message_bytes).
        TooLarge = 502 => "the message is larger than the limit",
        /// The port's window is full; [`Event::Room`](crate::Event::Room) tells when there is room again.
        WindowFull = 503 => "the port's window is full",
        /// A lane to one of the receivers holds [`Limits::lane_records`](crate::Limits::lane_records)
        /// or [`Limits::lane_bytes`](crate::Limits::lane_bytes); [`Event::Room`](crate::Event::Room) tells when there is
        /// room again.
        Busy = 504 => "a receiver's event loop is too far behind",
    }
);

impl Error for FactError {}
impl Error for AttachError {}
impl Error for ContextError {}
impl Error for ConnectError {}
impl Error for PostErrorKind {}

/// Says why [`EventLoop::post_message`](crate::EventLoop::post_message) refused, and gives the message back if the
/// call owned it.
///
/// It borrows nothing, so `?` works whatever the message was made from:
///
/// ```
/// # use port_core::*;
/// # use std::error::Error;
/// fn greet(event_loop: &mut EventLoop, port: PortId, name: &str) -> Result<(), Box<dyn Error>> {
///     let text = format!("hello {name}");
///     event_loop.post_message(port, &text)?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostError {
    kind: PostErrorKind,
    message: Option<Message<'static>>,
}

impl PostError {
    #[cold]
    pub(crate) fn new(kind: PostErrorKind, message: Message<'_>) -> Self {
        Self { kind, message: message.if_owned() }
    }

    /// Returns why the message was refused.
    #[must_use]
    pub const fn kind(&self) -> PostErrorKind {
        self.kind
    }

    /// Gives back the message that was not sent; `None` if it was made from borrowed bytes, which the caller still has.
    #[must_use]
    pub fn into_message(self) -> Option<Message<'static>> {
        self.message
    }
}

impl fmt::Display for PostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl Error for PostError {}

impl From<PostError> for PostErrorKind {
    fn from(error: PostError) -> Self {
        error.kind
    }
}
