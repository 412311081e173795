//! Who opened a port: what the browser said of a context.

use crate::description::{ContextKind, DocumentLifecycle};
use crate::ids::{ContextId, DocumentId, ExtensionId, ExtensionInstance, FrameId, TabId};
use crate::index::ContextShared;
use crate::policy::SenderFields;
use crate::sync::Arc;
use std::fmt;

/// Describes the opener of a port, as `port.sender` shows it: what the browser said when it
/// attached that context. Cloning allocates nothing.
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

    /// Returns `sender.id`: the extension; `None` for a page of the web.
    #[must_use]
    pub fn extension(&self) -> Option<&ExtensionId> {
        self.context.extension()
    }

    /// Returns the instance of the extension; `None` for a page of the web.
    #[must_use]
    pub fn instance(&self) -> Option<ExtensionInstance> {
        self.context.description().instance
    }

    /// Returns what kind of context it is.
    #[must_use]
    pub fn kind(&self) -> ContextKind {
        self.context.description().kind
    }

    /// Returns `sender.url`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.context.description().url
    }

    /// Returns `sender.origin`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.context.description().origin
    }

    /// Returns `sender.tab.id`, when the context lives in a tab.
    #[must_use]
    pub fn tab(&self) -> Option<TabId> {
        Some(self.context.description().place?.tab)
    }

    /// Returns `sender.frameId`, when the context lives in a tab.
    #[must_use]
    pub fn frame(&self) -> Option<FrameId> {
        Some(self.context.description().place?.frame)
    }

    /// Returns `sender.documentId`, when the context lives in a tab or its description says that it is
    /// [in a document](crate::ContextDescription::in_document).
    #[must_use]
    pub fn document(&self) -> Option<DocumentId> {
        let description = self.context.description();
        description.place.map(|place| place.document).or(description.document)
    }

    /// Returns `sender.documentLifecycle` as it was at the connect, if
    /// [`Policies::sender`](crate::Policies::sender) shows it.
    #[must_use]
    pub fn lifecycle(&self) -> Option<DocumentLifecycle> {
        self.shows.lifecycle.then_some(self.lifecycle)
    }

    /// Returns `sender.contextId`, if [`Policies::sender`](crate::Policies::sender) shows it: which of the
    /// extension's contexts it is.
    #[must_use]
    pub fn context(&self) -> Option<ContextId> {
        self.shows.context.then(|| self.context.id())
    }
}

impl PartialEq for Sender {
    /// Returns whether both name the same context and show the same fields of it.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.context, &other.context)
            && self.lifecycle == other.lifecycle
            && self.shows == other.shows
    }
}

impl Eq for Sender {}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("extension", &self.extension())
            .field("kind", &self.kind())
            .field("url", &self.url())
            .field("origin", &self.origin())
            .field("place", &self.context.description().place)
            .field("lifecycle", &self.lifecycle)
            .finish()
    }
}
