//! Why a port ended.

use std::fmt;

/// Why a port ended, as told to the side that did not end it.
///
/// Browsers give scripts no machine-readable reason; they show at most a text
/// (`runtime.lastError` in Chromium, `port.error` in Firefox). Turning a reason
/// into that text is the embedder's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The other side called `disconnect()`.
    Disconnected = 1,
    /// Another receiver of the same port called `disconnect()` or went away, and
    /// the policy in force ends the port for all of them.
    SiblingEnded,
    /// Nobody took the connection: "Could not establish connection. Receiving end does not exist."
    NoReceiver,
    /// A limit refused the connection: ports per context of every receiver there was.
    LimitReached,
    /// The other side's context was detached by the event loop it lived on.
    ContextDetached,
    /// The other side's frame was removed from its page.
    FrameRemoved,
    /// The other side's frame went to another document.
    Navigated,
    /// The other side's tab was closed.
    TabClosed,
    /// The other side's tab was discarded to save memory.
    TabDiscarded,
    /// The other side's tab crashed.
    TabCrashed,
    /// The other side's page went into the back/forward cache.
    BackForwardCache,
    /// The extension was unloaded, disabled or updated.
    ExtensionUnloaded,
    /// The other side's event loop was dropped, or was declared gone.
    EventLoopGone,
}

impl DisconnectReason {
    pub(crate) const ALL: [Self; 13] = [
        Self::Disconnected,
        Self::SiblingEnded,
        Self::NoReceiver,
        Self::LimitReached,
        Self::ContextDetached,
        Self::FrameRemoved,
        Self::Navigated,
        Self::TabClosed,
        Self::TabDiscarded,
        Self::TabCrashed,
        Self::BackForwardCache,
        Self::ExtensionUnloaded,
        Self::EventLoopGone,
    ];

    /// The reason behind a mark's number; `None` for 0, "not gone".
    pub(crate) fn from_mark(mark: u8) -> Option<Self> {
        Self::ALL.get(usize::from(mark).checked_sub(1)?).copied()
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disconnected => "the other side disconnected",
            Self::SiblingEnded => "another receiver of the port ended it",
            Self::NoReceiver => "no receiving end exists",
            Self::LimitReached => "the receivers hold as many ports as they may",
            Self::ContextDetached => "the other side's context was detached",
            Self::FrameRemoved => "the other side's frame was removed",
            Self::Navigated => "the other side's frame was navigated",
            Self::TabClosed => "the other side's tab was closed",
            Self::TabDiscarded => "the other side's tab was discarded",
            Self::TabCrashed => "the other side's tab crashed",
            Self::BackForwardCache => "the other side's page went into the back/forward cache",
            Self::ExtensionUnloaded => "the extension was unloaded",
            Self::EventLoopGone => "the other side's event loop is gone",
        })
    }
}
