//! What the core shows of itself to a developer's panel, a test or a bug report.

use crate::description::{ContextKind, Place};
use crate::ids::{
    ContextId, DocumentId, EventLoopId, ExtensionId, ExtensionInstance, FrameId, PortId, TabId, WindowId,
};
use crate::name::PortName;
use crate::reason::DisconnectReason;
use crate::target::Listening;

/// Shows what an event loop knows. See [`EventLoop::snapshot`](crate::EventLoop::snapshot).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventLoopSnapshot {
    /// The event loop.
    pub event_loop: EventLoopId,
    /// Its contexts.
    pub contexts: Vec<ContextSnapshot>,
    /// The ports of all its contexts. A channel shows up at each end, in the snapshots of both event loops.
    pub ports: Vec<PortSnapshot>,
    /// Its lanes to other event loops, in the order of their ids.
    pub lanes: Vec<LaneSnapshot>,
    /// How many events are made and not yet handed out, without those that wait for a cached page.
    pub events: usize,
}

/// Shows a context of an event loop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextSnapshot {
    /// The context.
    pub context: ContextId,
    /// Its extension; `None` for a page of the web.
    pub extension: Option<ExtensionId>,
    /// What kind of context it is.
    pub kind: ContextKind,
    /// The tab, frame and document it lives in, if any.
    pub place: Option<Place>,
    /// Which listeners it has.
    pub listening: Listening,
    /// `true` if its page is in the back/forward cache.
    pub suspended: bool,
    /// Why a fact ended it, if one did and the event loop has not taken the notice yet.
    pub gone: Option<DisconnectReason>,
    /// How many ports it holds.
    pub ports: usize,
}

/// Shows one end of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortSnapshot {
    /// The port.
    pub port: PortId,
    /// The context that holds it.
    pub context: ContextId,
    /// Its name.
    pub name: PortName,
    /// `true` if this is the opener's end.
    pub opener: bool,
    /// Its state.
    pub status: PortStatus,
    /// The other ends that are not known to be gone: the opener, or the receivers.
    pub others: Vec<PortEnd>,
    /// The messages that arrived and are not yet handed out.
    pub queued: Queued,
}

/// Shows the other end of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortEnd {
    /// The context there.
    pub context: ContextId,
    /// `true` if its context is known to have taken the connection.
    pub accepted: bool,
}

/// Tells whether a port is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortStatus {
    /// The port is open.
    Open,
    /// The receivers have not all answered, and what the port posts waits for them
    /// ([`OpeningPort::PostsWait`](crate::OpeningPort::PostsWait)); or the port waits for a background that is
    /// [started on demand](crate::ExtensionDescription::background_on_demand).
    Opening,
    /// The port's context [asked](crate::Listening::asks), and has not decided whether it takes the connection.
    Undecided,
    /// The port ended, but this side is not told; what it posts goes nowhere.
    Silent,
    /// The port ended, and the event is on its way.
    Ended(DisconnectReason),
}

/// Counts messages and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Queued {
    /// How many messages there are.
    pub messages: u64,
    /// How many bytes of payload they have.
    pub bytes: u64,
}

impl Queued {
    pub(crate) fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
    }
}

/// Shows what lies in the lanes from an event loop to another, one for each extension whose connections lead there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaneSnapshot {
    /// The other event loop.
    pub peer: EventLoopId,
    /// How many records were sent and are not known to be taken.
    pub outbound_records: u64,
    /// How many bytes these count for in [`Limits::lane_bytes`](crate::Limits::lane_bytes).
    pub outbound_bytes: u64,
}

/// Shows what a service knows. See [`MessageService::snapshot`](crate::MessageService::snapshot).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceSnapshot {
    /// The tabs, in the order of their ids.
    pub tabs: Vec<TabSnapshot>,
    /// The extension instances, in the order in which they were loaded.
    pub extensions: Vec<ExtensionSnapshot>,
    /// The event loops that exist and are not gone, each with those it has lanes to.
    pub event_loops: Vec<(EventLoopId, Vec<EventLoopId>)>,
    /// How many bytes of [`Limits::service_bytes`](crate::Limits::service_bytes) are in use, and of extensions' own.
    pub bytes: u64,
}

/// Shows a tab.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TabSnapshot {
    /// The tab.
    pub tab: TabId,
    /// Its window.
    pub window: WindowId,
    /// Its frames, in the order in which they were attached.
    pub frames: Vec<FrameSnapshot>,
    /// The frames of pages in its back/forward cache.
    pub cached: Vec<FrameSnapshot>,
}

/// Shows a frame of a tab.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameSnapshot {
    /// The frame.
    pub frame: FrameId,
    /// The frame that contains it, if any.
    pub parent: Option<FrameId>,
    /// The document that it shows; `None` after its document went into the cache and before the next one.
    pub document: Option<DocumentId>,
    /// The contexts in that document.
    pub contexts: Vec<ContextId>,
}

/// Shows an extension instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExtensionSnapshot {
    /// The extension.
    pub extension: ExtensionId,
    /// The instance: this load of the extension.
    pub instance: ExtensionInstance,
    /// Its background and page contexts.
    pub own: Vec<ContextId>,
    /// How many content-script contexts it has.
    pub content_scripts: usize,
    /// Whether its background runs.
    pub background: BackgroundState,
}

/// Tells whether an extension's background runs, in [`ExtensionSnapshot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BackgroundState {
    /// It is not started on demand: whoever connects reaches the contexts that there are.
    Resident,
    /// It does not run, and nobody waits for it.
    Dormant,
    /// It does not run yet, and somebody waits for it.
    Wanted,
    /// It runs, and its listeners are registered.
    Ready,
}
