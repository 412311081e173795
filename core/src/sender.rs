//! Who opened a port: what the browser said of a context.

use crate::context::ContextShared;
use crate::ids::ExtensionInstance;
use crate::ids::{ContextId, DocumentId, ExtensionId, FrameId, TabId};
use crate::policy::SenderFields;
use crate::sync::Arc;
use std::fmt;

/// What kind of context a script runs in. `MessageSender` has no such field in
/// any browser; telling a content script from an extension's own page by guessing
/// has caused real vulnerabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContextKind {
    /// An extension's content-script world in a document of a tab.
    ContentScript,
    /// The extension's background page, event page or service worker.
    Background,
    /// Another page of the extension: a popup, an options page, a page in a tab.
    Page,
}

/// A document's state, as in `MessageSender.documentLifecycle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DocumentLifecycle {
    /// Shown, or a context without a document.
    Active,
    /// In the back/forward cache.
    Cached,
}

/// The tab, frame and document a context lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The tab.
    pub tab: TabId,
    /// The frame in that tab.
    pub frame: FrameId,
    /// The document in that frame.
    pub document: DocumentId,
}

/// A context as the browser describes it to
/// [`EventLoop::attach`](crate::EventLoop::attach). What is said here is what
/// receivers see as `sender`; nothing in a message can change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextDescription {
    pub(crate) kind: ContextKind,
    pub(crate) instance: ExtensionInstance,
    pub(crate) place: Option<Place>,
    /// A document outside of any tab.
    pub(crate) document: Option<DocumentId>,
    pub(crate) url: Box<str>,
    pub(crate) origin: Box<str>,
}

impl ContextDescription {
    /// An extension's content scripts in the document at `place`, whose URL and
    /// origin are given.
    #[must_use]
    pub fn content_script(instance: ExtensionInstance, place: Place, url: &str, origin: &str) -> Self {
        Self {
            kind: ContextKind::ContentScript,
            instance,
            place: Some(place),
            document: None,
            url: url.into(),
            origin: origin.into(),
        }
    }

    /// An extension's background page, event page or service worker.
    #[must_use]
    pub fn background(instance: ExtensionInstance, url: &str, origin: &str) -> Self {
        Self::outside_of_tabs(ContextKind::Background, instance, url, origin)
    }

    /// Another page of an extension, outside of any tab (a popup, say).
    #[must_use]
    pub fn page(instance: ExtensionInstance, url: &str, origin: &str) -> Self {
        Self::outside_of_tabs(ContextKind::Page, instance, url, origin)
    }

    /// A page of an extension that is shown in a tab; it ends with its document.
    #[must_use]
    pub fn page_in_tab(instance: ExtensionInstance, place: Place, url: &str, origin: &str) -> Self {
        Self { place: Some(place), ..Self::page(instance, url, origin) }
    }

    /// The document of a background page or another page outside of any tab, for
    /// [`Sender::document`]; a worker has none. Nobody connects to it by this id. A
    /// context in a tab has its place's.
    #[must_use]
    pub fn in_document(mut self, document: DocumentId) -> Self {
        self.document = Some(document);
        self
    }

    fn outside_of_tabs(kind: ContextKind, instance: ExtensionInstance, url: &str, origin: &str) -> Self {
        Self { kind, instance, place: None, document: None, url: url.into(), origin: origin.into() }
    }
}

/// The opener of a port, as `port.sender` shows it: what the browser said when it
/// attached that context. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    context: Arc<ContextShared>,
    lifecycle: DocumentLifecycle,
    shows: SenderFields,
}

impl Sender {
    pub(crate) fn new(
        context: Arc<ContextShared>,
        lifecycle: DocumentLifecycle,
        shows: SenderFields,
    ) -> Self {
        Self { context, lifecycle, shows }
    }

    /// `sender.id`: the extension.
    #[must_use]
    pub fn extension(&self) -> &ExtensionId {
        self.context.extension()
    }

    /// The instance of the extension.
    #[must_use]
    pub fn instance(&self) -> ExtensionInstance {
        self.context.description().instance
    }

    /// What kind of context it is.
    #[must_use]
    pub fn kind(&self) -> ContextKind {
        self.context.description().kind
    }

    /// `sender.url`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.context.description().url
    }

    /// `sender.origin`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.context.description().origin
    }

    /// `sender.tab.id`, when the context lives in a tab.
    #[must_use]
    pub fn tab(&self) -> Option<TabId> {
        Some(self.context.description().place?.tab)
    }

    /// `sender.frameId`, when the context lives in a tab.
    #[must_use]
    pub fn frame(&self) -> Option<FrameId> {
        Some(self.context.description().place?.frame)
    }

    /// `sender.documentId`, when the context lives in a tab, or was said to be
    /// [in a document](ContextDescription::in_document).
    #[must_use]
    pub fn document(&self) -> Option<DocumentId> {
        let description = self.context.description();
        description.place.map(|place| place.document).or(description.document)
    }

    /// `sender.documentLifecycle` at the time of the connect, where
    /// [`Policies::sender`](crate::Policies::sender) shows it.
    #[must_use]
    pub fn lifecycle(&self) -> Option<DocumentLifecycle> {
        self.shows.lifecycle.then_some(self.lifecycle)
    }

    /// `sender.contextId`, where [`Policies::sender`](crate::Policies::sender) shows it: which of the
    /// extension's contexts it is.
    #[must_use]
    pub fn context(&self) -> Option<ContextId> {
        self.shows.context.then(|| self.context.id())
    }
}

impl PartialEq for Sender {
    /// Whether both are the same context.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.context, &other.context) && self.lifecycle == other.lifecycle
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("extension", self.extension())
            .field("kind", &self.kind())
            .field("url", &self.url())
            .field("origin", &self.origin())
            .field("place", &self.context.description().place)
            .field("lifecycle", &self.lifecycle)
            .finish()
    }
}
