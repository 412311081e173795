//! Where a connection goes, what kind it is, and who listens for which kind.

use crate::description::DocumentLifecycle;
use crate::ids::{DocumentId, ExtensionId, FrameId, TabId};
use crate::limits::setters;
use crate::name::PortName;

/// Tells what a connection is for. Both kinds go through the same lanes, so one-off messages
/// keep their order with everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ConnectKind {
    /// A port: `connect` and `onConnect`.
    #[default]
    Port,
    /// A one-off message with its answer: `sendMessage` and `onMessage`. The embedder
    /// posts the message on the port it gets, takes the first message back as the answer,
    /// and disconnects. A receiver that disconnects leaves the others connected, whatever
    /// [`Policies::receiver_disconnects`](crate::Policies::receiver_disconnects) says, because another may answer.
    OneOff,
}

/// What a connection carries besides its name and its ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectInfo {
    pub(crate) kind: ConnectKind,
    /// The opener's at the time of the connect.
    pub(crate) lifecycle: DocumentLifecycle,
}

/// What `tabs.connect` looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TabFilter {
    pub(crate) tab: TabId,
    pub(crate) frame: Option<FrameId>,
    pub(crate) document: Option<DocumentId>,
}

/// Says where `tabs.connect` or `tabs.sendMessage` goes: to a tab, or to one frame or document of it.
///
/// ```
/// use port_core::{FrameId, TabId, TabTarget};
///
/// let everywhere = TabTarget::new(TabId::new(7)).name("tabs-connect-example");
/// let top_frame_only = everywhere.clone().frame(FrameId::TOP);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct TabTarget {
    pub(crate) filter: TabFilter,
    pub(crate) name: PortName,
    pub(crate) kind: ConnectKind,
}

impl TabTarget {
    /// Targets every frame of a tab, by a port with no name.
    pub fn new(tab: TabId) -> Self {
        Self {
            filter: TabFilter { tab, frame: None, document: None },
            name: PortName::default(),
            kind: ConnectKind::Port,
        }
    }

    /// Restricts the target to this frame (`frameId`).
    pub fn frame(mut self, frame: FrameId) -> Self {
        self.filter.frame = Some(frame);
        self
    }

    /// Restricts the target to this document (`documentId`), of this tab. If a frame is set as well and does not show
    /// it, [`Policies::document_target`](crate::Policies::document_target) decides.
    pub fn document(mut self, document: DocumentId) -> Self {
        self.filter.document = Some(document);
        self
    }

    /// The port's name. Allocates once when longer than 23 bytes.
    pub fn name(mut self, name: &str) -> Self {
        self.name = PortName::new(name);
        self
    }

    /// What the connection is for; [`ConnectKind::Port`] by default.
    pub fn kind(mut self, kind: ConnectKind) -> Self {
        self.kind = kind;
        self
    }
}

/// Says where `runtime.connect` or `runtime.sendMessage` goes: to the background and page contexts of an extension.
///
/// ```
/// use port_core::{ConnectKind, RuntimeTarget};
///
/// let own = RuntimeTarget::own().name("runtime-connect-example");
/// let other = RuntimeTarget::extension("other@example").kind(ConnectKind::OneOff);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[must_use]
pub struct RuntimeTarget {
    pub(crate) extension: Option<ExtensionId>,
    pub(crate) name: PortName,
    pub(crate) kind: ConnectKind,
}

impl RuntimeTarget {
    /// Targets the opener's own extension, by a port with no name.
    pub fn own() -> Self {
        Self::default()
    }

    /// Targets another extension (`onConnectExternal`, `onMessageExternal`), if that allows
    /// [external connections](crate::ExternalConnections) from the opener's; if not, the connect goes as if it
    /// did not exist. The opener's own id means its own extension.
    pub fn extension(extension: impl Into<ExtensionId>) -> Self {
        Self { extension: Some(extension.into()), ..Self::default() }
    }

    /// The port's name. Allocates once when longer than 23 bytes.
    pub fn name(mut self, name: &str) -> Self {
        self.name = PortName::new(name);
        self
    }

    /// What the connection is for; [`ConnectKind::Port`] by default.
    pub fn kind(mut self, kind: ConnectKind) -> Self {
        self.kind = kind;
        self
    }
}

/// Says which kinds of connection a context has listeners for.
///
/// ```
/// use port_core::Listening;
///
/// let listening = Listening::PORTS.one_off(true);
/// assert!(listening.ports && !listening.external_ports);
/// assert_eq!(Listening::none().ports(true), Listening::PORTS);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[allow(clippy::struct_excessive_bools, reason = "four independent listeners")]
#[non_exhaustive]
#[must_use]
pub struct Listening {
    /// `runtime.onConnect`.
    pub ports: bool,
    /// `runtime.onMessage`.
    pub one_off: bool,
    /// `runtime.onConnectExternal`.
    pub external_ports: bool,
    /// `runtime.onMessageExternal`.
    pub external_one_off: bool,
    /// How many listeners `onConnect` and `onConnectExternal` have, if the policy gives each a port of
    /// its own ([`ConnectListeners::PortForEach`](crate::ConnectListeners::PortForEach)); 0 counts as 1. Under other
    /// policies it is ignored.
    pub listeners: u16,
    /// For a background that is [started on demand](crate::ExtensionDescription::background_on_demand): its script has run
    /// and registered its listeners, so those that wait for it may come. Elsewhere it is ignored, and so is taking it back.
    pub ready: bool,
    /// Whether each connection that the listeners cover is handed out as a question, to be answered by
    /// [`accept`](crate::EventLoop::accept) or [`refuse`](crate::EventLoop::refuse): for a context whose listeners are
    /// elsewhere, in another process, say, and may have been removed meanwhile. Such a connection makes one port,
    /// whatever `listeners` says.
    pub asks: bool,
}

impl Listening {
    /// `runtime.onConnect` alone.
    pub const PORTS: Self = Self::none().ports(true);

    /// Returns that the context has no listener, as after [`attach`](crate::EventLoop::attach).
    pub const fn none() -> Self {
        Self {
            ports: false,
            one_off: false,
            external_ports: false,
            external_one_off: false,
            listeners: 0,
            ready: false,
            asks: false,
        }
    }

    setters! {
        /// Sets whether `runtime.onConnect` has a listener.
        ports(heard: bool),
        /// Sets whether `runtime.onMessage` has a listener.
        one_off(heard: bool),
        /// Sets whether `runtime.onConnectExternal` has a listener.
        external_ports(heard: bool),
        /// Sets whether `runtime.onMessageExternal` has a listener.
        external_one_off(heard: bool),
        /// Sets how many listeners there are, where each gets a port of its own.
        listeners(count: u16),
        /// Sets whether a background that is started on demand is ready for those that wait for it.
        ready(registered: bool),
        /// Sets whether each connection is handed out as a question.
        asks(later: bool),
    }

    pub(crate) fn covers(self, kind: ConnectKind, external: bool) -> bool {
        match (kind, external) {
            (ConnectKind::Port, false) => self.ports,
            (ConnectKind::OneOff, false) => self.one_off,
            (ConnectKind::Port, true) => self.external_ports,
            (ConnectKind::OneOff, true) => self.external_one_off,
        }
    }
}

/// What a context listens for, in four bytes, so that the context stays one cache line.
#[derive(Clone, Copy, Default)]
pub(crate) struct ListeningBits {
    /// `ports`, `one_off`, `external_ports`, `external_one_off`, `ready`, `asks`, from the lowest.
    kinds: u8,
    listeners: u16,
}

impl ListeningBits {
    /// Returns whether connections are handed out as questions.
    #[inline(always)]
    pub(crate) fn asks(self) -> bool {
        Listening::from(self).asks
    }
}

impl From<Listening> for ListeningBits {
    fn from(listening: Listening) -> Self {
        let Listening { ports, one_off, external_ports, external_one_off, listeners, ready, asks } =
            listening;
        let kinds = [asks, ready, external_one_off, external_ports, one_off, ports];
        Self { kinds: kinds.iter().fold(0, |bits, &bit| bits << 1 | u8::from(bit)), listeners }
    }
}

impl From<ListeningBits> for Listening {
    #[inline(always)]
    fn from(ListeningBits { kinds, listeners }: ListeningBits) -> Self {
        let bit = |nth: u32| kinds >> nth & 1 != 0;
        Self {
            ports: bit(0),
            one_off: bit(1),
            external_ports: bit(2),
            external_one_off: bit(3),
            listeners,
            ready: bit(4),
            asks: bit(5),
        }
    }
}
