//! Why a port ended.

use crate::error::numbered;
use std::fmt;

numbered!(
    /// Says why a port ended, to the side that did not end it.
    ///
    /// Browsers give scripts no machine-readable reason; they show at most a text
    /// (`runtime.lastError` in Chromium, `port.error` in Firefox). The embedder turns a reason
    /// into that text.
    #[derive(PartialOrd, Ord)]
    DisconnectReason {
        /// The other side called `disconnect()`.
        Disconnected = 600 => "the other side disconnected",
        /// Another receiver of the same port called `disconnect()` or went away, and
        /// the policy in force ends the port for all of them.
        SiblingEnded = 601 => "another receiver of the port ended it",
        /// Nobody took the connection: "Could not establish connection. Receiving end does not exist."
        NoReceiver = 602 => "no receiving end exists",
        /// Nobody took the connection, and a receiver refused it because its context holds as many ports as it may;
        /// or the connection waited for a background, and a lane was full once that ran.
        LimitReached = 603 => "the receivers hold as many ports as they may",
        /// The other side's context was detached by the event loop it lived on.
        ContextDetached = 604 => "the other side's context was detached",
        /// The other side's frame was removed from its page.
        FrameRemoved = 605 => "the other side's frame was removed",
        /// The other side's frame went to another document.
        Navigated = 606 => "the other side's frame was navigated",
        /// The other side's tab was closed.
        TabClosed = 607 => "the other side's tab was closed",
        /// The other side's tab was discarded to save memory.
        TabDiscarded = 608 => "the other side's tab was discarded",
        /// The other side's tab crashed.
        TabCrashed = 609 => "the other side's tab crashed",
        /// The other side's page went into the back/forward cache.
        BackForwardCache = 610 => "the other side's page went into the back/forward cache",
        /// The extension was unloaded, disabled or updated.
        ExtensionUnloaded = 611 => "the extension was unloaded",
        /// The other side's event loop was dropped, or was declared gone.
        EventLoopGone = 612 => "the other side's event loop is gone",
        /// The other side's background was [stopped](crate::MessageService::stop_background), to be started again on demand.
        BackgroundStopped = 613 => "the other side's background was stopped",
        /// Nobody took the connection: it waited for a background that could not be started.
        BackgroundNotStarted = 614 => "the background could not be started",
        /// The process that the other side ran in crashed, or was killed.
        ProcessCrashed = 615 => "the other side's process crashed",
    }
);

impl DisconnectReason {
    /// Returns the mark of a context that ended for this reason. A context that is not gone has the mark 0.
    pub(crate) const fn mark(self) -> u8 {
        self as u8 + 1
    }

    /// Returns the reason that a mark stands for; `None` for 0, "not gone".
    pub(crate) fn from_mark(mark: u8) -> Option<Self> {
        Self::ALL.get(usize::from(mark).checked_sub(1)?).copied()
    }
}
