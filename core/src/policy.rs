//! The choices between browsers' behaviours, where these differ in routing or lifetime.

use crate::limits::setters;

/// What ends and who hears, where engines disagree.
///
/// [`Policies::default`] is this crate's own choice; [`Policies::CHROMIUM`] and
/// [`Policies::FIREFOX`] do what those browsers were measured to do.
///
/// ```
/// use port_core::{BackForwardCache, Policies, ReceiverLost};
///
/// let policies = Policies::CHROMIUM
///     .receiver_lost(ReceiverLost::EndsForAll)
///     .back_forward_cache(BackForwardCache::queues_messages(100, 1 << 20));
/// assert_eq!(policies.sender, Policies::CHROMIUM.sender);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[must_use]
pub struct Policies {
    /// What happens when one of several receivers of a port calls `disconnect()`.
    pub receiver_disconnects: ReceiverDisconnects,
    /// What happens when one of several receivers of a port goes away (frame removed, navigated, crashed).
    pub receiver_lost: ReceiverLost,
    /// What happens when a page with open ports goes into the back/forward cache.
    pub back_forward_cache: BackForwardCache,
    /// What `tabs.connect` reaches when it names a document and a frame that does not show it.
    pub document_target: DocumentTarget,
    /// What happens when a port posts before its receivers have taken the connection.
    pub opening_port: OpeningPort,
    /// In which order `tabs.connect` reaches several frames.
    pub fan_out_order: FanOutOrder,
    /// How many ports a context with several `onConnect` listeners gets.
    pub connect_listeners: ConnectListeners,
    /// What `port.sender` and the `sender` of a one-off message show.
    pub sender: SenderFields,
    /// What happens to the id of a tab that is discarded.
    pub discarded_tab: DiscardedTab,
}

/// Chooses how many ports a connection makes in a context with several `onConnect` listeners.
/// Every `onMessage` listener of a port sees every message of it, in all engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectListeners {
    /// One, which all listeners get: each of their `onMessage` listeners sees a message once,
    /// and a `disconnect()` by one ends it for all of them (Chromium and
    /// Firefox, measured; the default).
    ShareOnePort,
    /// One for each of the [`Listening::listeners`](crate::Listening::listeners) that there are when the
    /// connection is taken. Each is a receiver of its own: it posts and disconnects for
    /// itself, and counts as one where the opener hears when the last receiver leaves (WebKit, read in
    /// source: its fan-out counts one port per listener).
    PortForEach,
}

/// Chooses what a [`Sender`](crate::Sender) shows beyond extension, kind, URL, origin, tab, frame and
/// document, which all engines show if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[must_use]
pub struct SenderFields {
    /// [`Sender::lifecycle`](crate::Sender::lifecycle), `documentLifecycle` (Chromium, measured, for contexts in
    /// tabs; not in Firefox or WebKit).
    pub lifecycle: bool,
    /// [`Sender::context`](crate::Sender::context), `contextId` (Firefox, measured; not in Chromium or WebKit).
    pub context: bool,
}

/// Chooses what happens to the id of a tab that is discarded to save memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DiscardedTab {
    /// It stays; connections to it find no receiver until it is loaded again (Firefox, measured; the default).
    KeepsId,
    /// The tab gets another id, and the old one names no tab (Chromium, measured: `tabs.onReplaced`).
    TakesNewId,
}

/// Chooses what happens to the posts of a port whose receivers have not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OpeningPort {
    /// They are sent right after the connection, so that everything that one context sends
    /// to another keeps the order of the calls (Chromium, measured; the default).
    PostsFollow,
    /// They wait until every receiver has answered, and so does a `disconnect()`. What the context
    /// sends meanwhile on other ports overtakes them (Firefox, measured). One-off messages
    /// do not wait. What waits counts against the windows and the budget of a lane.
    PostsWait,
}

/// Chooses in which order a connection reaches the frames of a tab on one event loop. The messages and the
/// end of that port reach them in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FanOutOrder {
    /// The order in which the frames were attached (Firefox, measured in most runs; the default).
    Document,
    /// Another order, the same in every run. In Chromium it differs from run to run
    /// (measured); code that works under this policy does not rely on the document's order.
    Arbitrary,
}

/// Chooses what `tabs.connect` reaches when it is given both a document and a frame. A
/// document of another tab is never reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DocumentTarget {
    /// The document, if that frame shows it (Chromium, measured; the default).
    BothMustFit,
    /// The document, whichever frame shows it (Firefox, measured).
    DocumentDecides,
}

/// Chooses what happens when one of several receivers of a port calls `disconnect()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReceiverDisconnects {
    /// The port ends for the opener and every other receiver, and all are told
    /// (Firefox, measured; the default).
    EndsForAll,
    /// The port ends for the opener; the other receivers are not told, and what
    /// they post goes nowhere (Chromium, measured).
    EndsForOpener,
    /// Only that receiver leaves; the opener is told when the last one has left (WebKit, read in source).
    LeavesOthers,
}

/// Chooses what happens when one of several receivers of a port goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReceiverLost {
    /// The others stay connected; the opener is told when the last one goes (Chromium,
    /// measured; WebKit, read in source; the default).
    LeavesOthers,
    /// The port ends for the opener and every other receiver, and all are told (Firefox, measured).
    EndsForAll,
}

/// Chooses what happens to the ports of a page that goes into the back/forward cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BackForwardCache {
    /// They end: the other side hears
    /// [`DisconnectReason::BackForwardCache`](crate::DisconnectReason::BackForwardCache),
    /// the cached page hears nothing (Chromium since 123, measured; the default).
    Ends,
    /// They stay open; messages sent to the cached page are lost (Firefox, measured).
    LosesMessages,
    /// They stay open; messages sent to the cached page wait for its return. When more than
    /// this many messages or bytes wait for one port, it ends with
    /// [`DisconnectReason::BackForwardCache`](crate::DisconnectReason::BackForwardCache)
    /// (no browser does this; asked for by extension authors).
    #[non_exhaustive]
    QueuesMessages {
        /// Messages that may wait for one port.
        messages: u32,
        /// Bytes that may wait for one port.
        bytes: u64,
    },
}

impl BackForwardCache {
    /// Makes [`QueuesMessages`](Self::QueuesMessages), with how many messages and bytes may wait for one port.
    #[must_use]
    pub const fn queues_messages(messages: u32, bytes: u64) -> Self {
        Self::QueuesMessages { messages, bytes }
    }
}

impl SenderFields {
    /// Shows neither.
    pub const NONE: Self = Self { lifecycle: false, context: false };

    setters! {
        /// Sets whether the document's lifecycle is shown.
        lifecycle(shown: bool),
        /// Sets whether the context's id is shown.
        context(shown: bool),
    }
}

impl Policies {
    /// Does what Chromium 156 was measured to do.
    pub const CHROMIUM: Self = Self {
        receiver_disconnects: ReceiverDisconnects::EndsForOpener,
        receiver_lost: ReceiverLost::LeavesOthers,
        back_forward_cache: BackForwardCache::Ends,
        document_target: DocumentTarget::BothMustFit,
        opening_port: OpeningPort::PostsFollow,
        fan_out_order: FanOutOrder::Arbitrary,
        connect_listeners: ConnectListeners::ShareOnePort,
        sender: SenderFields { lifecycle: true, context: false },
        discarded_tab: DiscardedTab::TakesNewId,
    };

    /// Does what Firefox 153 was measured to do.
    pub const FIREFOX: Self = Self {
        receiver_disconnects: ReceiverDisconnects::EndsForAll,
        receiver_lost: ReceiverLost::EndsForAll,
        back_forward_cache: BackForwardCache::LosesMessages,
        document_target: DocumentTarget::DocumentDecides,
        opening_port: OpeningPort::PostsWait,
        fan_out_order: FanOutOrder::Document,
        connect_listeners: ConnectListeners::ShareOnePort,
        sender: SenderFields { lifecycle: false, context: true },
        discarded_tab: DiscardedTab::KeepsId,
    };

    setters! {
        /// Sets what ends when one of several receivers calls `disconnect()`.
        receiver_disconnects(receiver_disconnects: ReceiverDisconnects),
        /// Sets what ends when one of several receivers goes away.
        receiver_lost(receiver_lost: ReceiverLost),
        /// Sets what becomes of the ports of a page in the back/forward cache.
        back_forward_cache(back_forward_cache: BackForwardCache),
        /// Sets what is reached by a document and a frame that do not fit.
        document_target(document_target: DocumentTarget),
        /// Sets what becomes of posts before the receivers have answered.
        opening_port(opening_port: OpeningPort),
        /// Sets in which order the frames of a tab are reached.
        fan_out_order(fan_out_order: FanOutOrder),
        /// Sets how many ports a context with several listeners gets.
        connect_listeners(connect_listeners: ConnectListeners),
        /// Sets what a sender shows.
        sender(sender: SenderFields),
        /// Sets what becomes of the id of a discarded tab.
        discarded_tab(discarded_tab: DiscardedTab),
    }
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            receiver_disconnects: ReceiverDisconnects::EndsForAll,
            receiver_lost: ReceiverLost::LeavesOthers,
            back_forward_cache: BackForwardCache::Ends,
            document_target: DocumentTarget::BothMustFit,
            opening_port: OpeningPort::PostsFollow,
            fan_out_order: FanOutOrder::Document,
            connect_listeners: ConnectListeners::ShareOnePort,
            sender: SenderFields { lifecycle: true, context: true },
            discarded_tab: DiscardedTab::KeepsId,
        }
    }
}
