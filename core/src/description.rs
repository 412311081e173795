//! What the browser says of a context when it attaches it.

use crate::ids::{DocumentId, ExtensionInstance, FrameId, TabId};

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
    /// [`Sender::document`](crate::Sender::document); a worker has none. Nobody connects to it by this id. A
    /// context in a tab has its place's.
    #[must_use]
    pub fn in_document(mut self, document: DocumentId) -> Self {
        self.document = Some(document);
        self
    }

    /// Returns the bytes of its texts.
    pub(crate) fn bytes(&self) -> usize {
        self.url.len() + self.origin.len()
    }

    fn outside_of_tabs(kind: ContextKind, instance: ExtensionInstance, url: &str, origin: &str) -> Self {
        Self { kind, instance, place: None, document: None, url: url.into(), origin: origin.into() }
    }
}
