//! An extension instance in the index.

use crate::description::ContextKind;
use crate::description::ExternalConnections;
use crate::ids::{ContextId, ExtensionId, ExtensionNumber};
use crate::index::ContextShared;
use crate::index::background::{Background, Waiting};
use crate::snapshot::BackgroundState;
use crate::sync::{Arc, HashMap, mutant};

/// One load of an extension and where it runs.
pub(crate) struct Extension {
    id: ExtensionId,
    number: ExtensionNumber,
    external: ExternalConnections,
    pub(super) background: Background,
    /// Background and pages: the targets of `runtime.connect`, in order of arrival.
    own: Vec<Arc<ContextShared>>,
    /// Content scripts, which may be thousands.
    content_scripts: HashMap<ContextId, Arc<ContextShared>>,
}

impl Extension {
    pub(super) fn new(
        id: ExtensionId,
        number: ExtensionNumber,
        external: ExternalConnections,
        background: Background,
    ) -> Self {
        Self { id, number, external, background, own: Vec::new(), content_scripts: HashMap::default() }
    }

    pub(crate) fn id(&self) -> &ExtensionId {
        &self.id
    }

    pub(super) fn number(&self) -> ExtensionNumber {
        self.number
    }

    /// Returns whether a context of another extension, or a page of the web, may connect.
    pub(super) fn admits(&self, opener: &ContextShared) -> bool {
        match opener.extension() {
            Some(extension) => self.external.admit(extension),
            None => opener.description().admitted_by.contains(&self.id),
        }
    }

    pub(crate) fn own(&self) -> impl Iterator<Item = &Arc<ContextShared>> {
        self.own.iter()
    }

    pub(crate) fn is_on_demand(&self) -> bool {
        self.background.state() != BackgroundState::Resident
    }

    pub(crate) fn background_state(&self) -> BackgroundState {
        self.background.state()
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

    /// Removes a context. Returns it, and who waited for a background that is gone with it.
    pub(super) fn leave(&mut self, context: &ContextShared) -> (Option<Arc<ContextShared>>, Waiting) {
        if context.description().kind == ContextKind::ContentScript {
            return (self.content_scripts.remove(&context.id()), Waiting::default());
        }
        let Some(at) = self.own.iter().position(|own| own.id() == context.id()) else {
            return (None, Waiting::default());
        };
        let left = self.own.remove(at);
        let waiting = if left.is_background() {
            self.background.gone(left.id(), !self.own.iter().any(|own| own.is_background()))
        } else {
            Waiting::default()
        };
        (Some(left), waiting)
    }

    /// Notes that a background's listeners are registered, if it is here.
    pub(crate) fn ready(&mut self, context: ContextId) -> Waiting {
        // Race: a fact ended the context, which has left already.
        if self.own.iter().any(|own| own.id() == context) || mutant("ready-after-its-end") {
            self.background.ready(context)
        } else {
            Waiting::default()
        }
    }

    /// Takes out the contexts of the background, which is dormant then if it is started on demand.
    pub(crate) fn stop(&mut self) -> (Vec<Arc<ContextShared>>, Waiting) {
        let stopped = self.own.extract_if(.., |own| own.is_background()).collect();
        (stopped, self.background.stop())
    }

    /// Gives up a start of the background; the next connect asks for another.
    pub(crate) fn give_up(&mut self) -> Waiting {
        if self.background.is_wanted() { self.background.stop() } else { Waiting::default() }
    }

    /// Returns whether the browser is to be asked for the background now, as it has not been for this start.
    pub(crate) fn ask(&mut self) -> bool {
        self.background.ask()
    }

    pub(super) fn into_contexts(self) -> Vec<Arc<ContextShared>> {
        let mut contexts = self.own;
        contexts.extend(self.content_scripts.into_values());
        contexts
    }
}
