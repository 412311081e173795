//! What the core shows of itself to a developer's panel, a test or a bug report.

use crate::description::{ContextKind, Place};
use crate::ids::{
    ContextId, DocumentId, EventLoopId, ExtensionId, ExtensionInstance, FrameId, PortId, TabId, WindowId,
};
use crate::name::PortName;
use crate::reason::DisconnectReason;
use crate::target::Listening;

/// What [`EventLoop::snapshot`](crate::EventLoop::snapshot) shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventLoopSnapshot {
    /// The event loop.
    pub event_loop: EventLoopId,
    /// Its contexts.
    pub contexts: Vec<ContextSnapshot>,
    /// The ports of all its contexts, by which every channel shows at both its ends.
    pub ports: Vec<PortSnapshot>,
    /// Its lanes to other event loops, in order of their ids.
    pub lanes: Vec<LaneSnapshot>,
    /// Events made and not yet handed out.
    pub events: usize,
}

/// A context of an event loop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextSnapshot {
    /// The context.
    pub context: ContextId,
    /// Its extension.
    pub extension: ExtensionId,
    /// What kind it is.
    pub kind: ContextKind,
    /// The tab, frame and document it lives in, if any.
    pub place: Option<Place>,
    /// For what it has listeners.
    pub listening: Listening,
    /// Whether its page is in the back/forward cache.
    pub suspended: bool,
    /// The fact that ended it, where its event is not handed out yet.
    pub gone: Option<DisconnectReason>,
    /// Ports it holds.
    pub ports: usize,
}

/// One end of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortSnapshot {
    /// The port.
    pub port: PortId,
    /// The context that holds it.
    pub context: ContextId,
    /// Its name.
    pub name: PortName,
    /// Whether this is the opener's end.
    pub opener: bool,
    /// Whether it is open.
    pub status: PortStatus,
    /// The other ends that are not known to be gone: the opener, or the receivers.
    pub others: Vec<PortEnd>,
    /// Messages that arrived and were not yet handed out.
    pub queued: Queued,
}

/// The other end of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortEnd {
    /// The context there.
    pub context: ContextId,
    /// Whether it is known to have taken the connection.
    pub accepted: bool,
}

/// Whether a port is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortStatus {
    /// It is.
    Open,
    /// What it posts waits for the receivers, as
    /// [`Policies::opening_port`](crate::Policies::opening_port) says.
    Opening,
    /// It ended and this side is not told; what it posts goes nowhere.
    Silent,
    /// It ended and the event is on its way.
    Ended(DisconnectReason),
}

/// Messages and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Queued {
    /// How many.
    pub messages: u64,
    /// Their payload.
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

/// A lane from an event loop to another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaneSnapshot {
    /// The other event loop.
    pub peer: EventLoopId,
    /// Records sent and not known to be taken.
    pub outbound_records: u64,
    /// Bytes of payload sent and not known to be taken.
    pub outbound_bytes: u64,
}

/// What [`MessageService::snapshot`](crate::MessageService::snapshot) shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceSnapshot {
    /// The tabs, in order of id.
    pub tabs: Vec<TabSnapshot>,
    /// The extension instances, in order of loading.
    pub extensions: Vec<ExtensionSnapshot>,
    /// The event loops that live, with the loops each has lanes to.
    pub event_loops: Vec<(EventLoopId, Vec<EventLoopId>)>,
}

/// A tab.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TabSnapshot {
    /// The tab.
    pub tab: TabId,
    /// Its window.
    pub window: WindowId,
    /// Its frames, in the order in which they were attached.
    pub frames: Vec<FrameSnapshot>,
    /// Frames of pages in its back/forward cache.
    pub cached: Vec<FrameSnapshot>,
}

/// A frame of a tab.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameSnapshot {
    /// The frame.
    pub frame: FrameId,
    /// The frame it stands in.
    pub parent: Option<FrameId>,
    /// The document it shows.
    pub document: Option<DocumentId>,
    /// The contexts in that document.
    pub contexts: Vec<ContextId>,
}

/// An extension instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExtensionSnapshot {
    /// The extension.
    pub extension: ExtensionId,
    /// This load of it.
    pub instance: ExtensionInstance,
    /// Its background and page contexts.
    pub own: Vec<ContextId>,
    /// How many content-script contexts it has.
    pub content_scripts: usize,
}
