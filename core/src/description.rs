//! What the browser says of an extension when it loads it, and of a context when it attaches it.

use crate::ids::{DocumentId, ExtensionId, ExtensionInstance, FrameId, TabId};

/// Tells what kind of context a script runs in. No browser has such a field in `MessageSender`;
/// guessing whether a sender is a content script or a page of the extension
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
    /// A page of the web, which belongs to no extension and may connect to some.
    WebPage,
}

/// Tells a document's state, as `MessageSender.documentLifecycle` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DocumentLifecycle {
    /// The document is shown, or the context has none.
    Active,
    /// The document is in the back/forward cache.
    Cached,
}

/// Names the tab, frame and document that a context lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The tab.
    pub tab: TabId,
    /// The frame in that tab.
    pub frame: FrameId,
    /// The document in that frame.
    pub document: DocumentId,
}

impl Place {
    /// Makes a place of a document and where it is shown.
    #[must_use]
    pub const fn new(tab: TabId, frame: FrameId, document: DocumentId) -> Self {
        Self { tab, frame, document }
    }
}

/// Describes an extension to
/// [`MessageService::extension_loaded`](crate::MessageService::extension_loaded), which also takes an [`ExtensionId`]
/// alone.
///
/// ```
/// use port_core::{ExtensionDescription, ExternalConnections, ExtensionId};
///
/// let closed = ExtensionDescription::new("greeter@example");
/// assert_eq!(closed, ExtensionId::new("greeter@example").into());
/// let open = closed.external(ExternalConnections::Everyone);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ExtensionDescription {
    pub(crate) id: ExtensionId,
    pub(crate) external: ExternalConnections,
    pub(crate) on_demand: bool,
}

impl ExtensionDescription {
    /// Describes an extension that no other extension may connect to.
    pub fn new(id: impl Into<ExtensionId>) -> Self {
        Self { id: id.into(), external: ExternalConnections::Nobody, on_demand: false }
    }

    /// Sets which other extensions may connect to it; nobody by default.
    pub fn external(mut self, external: ExternalConnections) -> Self {
        self.external = external;
        self
    }

    /// Has its background started on demand, as browsers do with service workers and event pages: while it does not run,
    /// connects to it [wait](crate::MessageService::next_wanted_background). By default a background is taken to run
    /// whenever its context is attached, and nobody waits for it.
    pub fn background_on_demand(mut self) -> Self {
        self.on_demand = true;
        self
    }
}

impl From<ExtensionId> for ExtensionDescription {
    fn from(id: ExtensionId) -> Self {
        Self::new(id)
    }
}

/// Says which other extensions may connect to an extension (which [pages of the web](ContextDescription::web_page) may is
/// said with the page): the manifest's
/// [`externally_connectable`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/manifest.json/externally_connectable).
/// In browsers an extension without that key admits everyone; the core admits nobody by default.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ExternalConnections {
    /// No other extension.
    #[default]
    Nobody,
    /// Every other extension (no key, or `"ids": ["*"]`).
    Everyone,
    /// These (`"ids"`).
    Extensions(Vec<ExtensionId>),
}

impl ExternalConnections {
    pub(crate) fn admit(&self, extension: &ExtensionId) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everyone => true,
            Self::Extensions(extensions) => extensions.contains(extension),
        }
    }
}

/// Describes a context to [`EventLoop::attach`](crate::EventLoop::attach). What is said here is what
/// receivers see as `sender`; nothing in a message can change it.
///
/// ```
/// # use port_core::*;
/// # let instance = ExtensionInstance::from_bits(1);
/// # let place = Place::new(TabId::new(7), FrameId::TOP, DocumentId::new(1));
/// let script = ContextDescription::content_script(instance, place)
///     .url("https://example.org/page")
///     .origin("https://example.org");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ContextDescription {
    pub(crate) kind: ContextKind,
    /// `None` for a page of the web.
    pub(crate) instance: Option<ExtensionInstance>,
    pub(crate) place: Option<Place>,
    /// A document outside any tab.
    pub(crate) document: Option<DocumentId>,
    /// The extensions that admit a page of the web.
    pub(crate) admitted_by: Box<[ExtensionId]>,
    pub(crate) url: Box<str>,
    pub(crate) origin: Box<str>,
}

impl ContextDescription {
    /// Describes an extension's content scripts in the document at `place`.
    pub fn content_script(instance: ExtensionInstance, place: Place) -> Self {
        Self::new(ContextKind::ContentScript, Some(instance), Some(place))
    }

    /// Describes an extension's background page, event page or service worker.
    pub fn background(instance: ExtensionInstance) -> Self {
        Self::new(ContextKind::Background, Some(instance), None)
    }

    /// Describes another page of an extension, outside any tab (a popup, for example).
    pub fn page(instance: ExtensionInstance) -> Self {
        Self::new(ContextKind::Page, Some(instance), None)
    }

    /// Describes a page of an extension that is shown in a tab; it ends with its document.
    pub fn page_in_tab(instance: ExtensionInstance, place: Place) -> Self {
        Self::new(ContextKind::Page, Some(instance), Some(place))
    }

    /// Describes the scripts of a page of the web at `place`, which may connect to the extensions given, and to no other:
    /// those whose manifests name the page in
    /// [`externally_connectable.matches`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/manifest.json/externally_connectable#matches),
    /// which is for the browser to find out. An extension admits the page by its id, also after it was loaded anew: if
    /// another is to admit it, or one no more, [detach](crate::EventLoop::detach) it and attach it again.
    ///
    /// It makes [`connect_runtime`](crate::EventLoop::connect_runtime) with an id and nothing else, never takes a
    /// connection, and is a [`Sender`](crate::Sender) without an extension. Chromium has such pages, Firefox has none
    /// (both measured).
    pub fn web_page<I: Into<ExtensionId>>(place: Place, admitted_by: impl IntoIterator<Item = I>) -> Self {
        let admitted_by = admitted_by.into_iter().map(Into::into).collect();
        Self { admitted_by, ..Self::new(ContextKind::WebPage, None, Some(place)) }
    }

    fn new(kind: ContextKind, instance: Option<ExtensionInstance>, place: Option<Place>) -> Self {
        let (url, origin, admitted_by) = Default::default();
        Self { kind, instance, place, document: None, admitted_by, url, origin }
    }

    /// Sets the URL of the context's document or script, for [`Sender::url`](crate::Sender::url); empty by default.
    pub fn url(mut self, url: &str) -> Self {
        self.url = url.into();
        self
    }

    /// Sets the context's origin, for [`Sender::origin`](crate::Sender::origin); empty by default.
    pub fn origin(mut self, origin: &str) -> Self {
        self.origin = origin.into();
        self
    }

    /// Sets the document of a background page or another page outside any tab, for
    /// [`Sender::document`](crate::Sender::document). A worker has none; a context in a tab has the document of its
    /// place. `tabs.connect` does not find a context by this id.
    pub fn in_document(mut self, document: DocumentId) -> Self {
        self.document = Some(document);
        self
    }

    /// Returns what kind of context it describes.
    #[must_use]
    pub const fn kind(&self) -> ContextKind {
        self.kind
    }

    /// Returns the extension that the context belongs to; `None` for a page of the web.
    #[must_use]
    pub const fn extension(&self) -> Option<ExtensionInstance> {
        self.instance
    }

    /// Returns how many bytes its URL, its origin and the ids in it have.
    pub(crate) fn bytes(&self) -> usize {
        let ids: usize = self.admitted_by.iter().map(|extension| extension.as_str().len()).sum();
        self.url.len() + self.origin.len() + ids
    }
}
