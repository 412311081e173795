//! An extension instance in the index.

use crate::description::ContextKind;
use crate::description::ExternalConnections;
use crate::ids::{ContextId, ExtensionId};
use crate::index::ContextShared;
use crate::sync::{Arc, HashMap};

/// One load of an extension and where it runs.
pub(crate) struct Extension {
    id: ExtensionId,
    external: ExternalConnections,
    /// Background and pages: the targets of `runtime.connect`, in order of arrival.
    own: Vec<Arc<ContextShared>>,
    /// Content scripts, which may be thousands.
    content_scripts: HashMap<ContextId, Arc<ContextShared>>,
}

impl Extension {
    pub(super) fn new(id: ExtensionId, external: ExternalConnections) -> Self {
        Self { id, external, own: Vec::new(), content_scripts: HashMap::default() }
    }

    pub(crate) fn id(&self) -> &ExtensionId {
        &self.id
    }

    /// Returns whether another extension may connect.
    pub(super) fn admits(&self, opener: &ExtensionId) -> bool {
        self.external.admit(opener)
    }

    pub(crate) fn own(&self) -> impl Iterator<Item = &Arc<ContextShared>> {
        self.own.iter()
    }

    /// Returns how many content-script contexts there are.
    pub(crate) fn content_scripts(&self) -> usize {
        self.content_scripts.len()
    }

    pub(super) fn enter(&mut self, context: &Arc<ContextShared>) {
        if context.description().kind == ContextKind::ContentScript {
            self.content_scripts.insert(context.id(), Arc::clone(context));
        } else {
            self.own.push(Arc::clone(context));
        }
    }

    pub(super) fn leave(&mut self, context: &ContextShared) -> Option<Arc<ContextShared>> {
        if context.description().kind == ContextKind::ContentScript {
            return self.content_scripts.remove(&context.id());
        }
        let at = self.own.iter().position(|own| own.id() == context.id())?;
        Some(self.own.remove(at))
    }

    pub(super) fn into_contexts(self) -> Vec<Arc<ContextShared>> {
        let mut contexts = self.own;
        contexts.extend(self.content_scripts.into_values());
        contexts
    }
}
