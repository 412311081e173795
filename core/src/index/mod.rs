//! The sharded index: tab → frames → contexts, and extension → contexts.
//!
//! A connect reads it; it is written when contexts come and go and when the browser
//! reports a fact. Everything happens in closures under one shard's lock; what others
//! must be told is collected, and told outside the lock.

pub(crate) mod background;
pub(crate) mod context;
mod extension;
mod numbering;
mod tab;

pub(crate) use context::ContextShared;
pub(crate) use extension::Extension;
pub(crate) use tab::{Frame, Tab};

use crate::description::{ExtensionDescription, Place};
use crate::error::{AttachError, FactError};
use crate::ids::{DocumentId, EventLoopId, ExtensionId, ExtensionInstance, ExtensionNumber, TabId, WindowId};
use crate::index::background::{Background, Life, Wait, Waiting};
use crate::index::numbering::Numbering;
use crate::reason::DisconnectReason;
use crate::sync::{Arc, Mutex, ShardedMap, mutant};
use crate::target::TabFilter;

/// Who is where.
pub(crate) struct Index {
    tabs: ShardedMap<TabId, Tab>,
    /// The tab of every document shown or kept. Claimed before a document enters its tab.
    documents: ShardedMap<DocumentId, TabId>,
    extensions: ShardedMap<ExtensionInstance, Extension>,
    /// The instance of every extension loaded. Claimed before the instance enters.
    loaded: ShardedMap<ExtensionId, ExtensionInstance>,
    numbers: Mutex<Numbering>,
}

/// Tells what `runtime.connect` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// The contexts that were shown.
    Contexts,
    /// The contexts that were shown. The background is in the life that was known, and may be stopped.
    Awake,
    /// The same, in a life that was not known before.
    AwakeAnew,
    /// The background of this instance sleeps; no context was shown.
    Asleep(ExtensionInstance),
}

/// What a change took out of the index.
#[derive(Default)]
pub(crate) struct Removed {
    pub(crate) contexts: Vec<Arc<ContextShared>>,
    pub(crate) documents: Vec<DocumentId>,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self {
            tabs: ShardedMap::new(),
            documents: ShardedMap::new(),
            extensions: ShardedMap::new(),
            loaded: ShardedMap::new(),
            numbers: Mutex::new(Numbering::new()),
        }
    }

    pub(crate) fn open_tab(&self, tab: TabId, window: WindowId) -> Result<(), FactError> {
        if self.tabs.insert_new(tab, Tab::new(window)) { Ok(()) } else { Err(FactError::TabExists) }
    }

    /// Changes a tab. The caller [completes](Self::complete) the removal of what the change took out.
    pub(crate) fn change_tab<R>(
        &self,
        tab: TabId,
        change: impl FnOnce(&mut Tab) -> Result<R, FactError>,
    ) -> Result<R, FactError> {
        self.tabs.update(&tab, change).ok_or(FactError::UnknownTab)?
    }

    /// Changes a tab so that it shows a new document, which is claimed first.
    pub(crate) fn show_document(
        &self,
        tab: TabId,
        document: DocumentId,
        change: impl FnOnce(&mut Tab) -> Result<Removed, FactError>,
    ) -> Result<Removed, FactError> {
        if !self.documents.insert_new(document, tab) {
            return Err(FactError::DocumentExists);
        }
        let changed = self.change_tab(tab, change);
        if changed.is_err() {
            self.documents.remove(&document);
        }
        changed
    }

    pub(crate) fn close_tab(&self, tab: TabId) -> Result<Removed, FactError> {
        let mut tab = self.tabs.remove(&tab).ok_or(FactError::UnknownTab)?;
        Ok(tab.clear())
    }

    /// Replaces a tab by another in the same window, without frames.
    pub(crate) fn replace_tab(&self, tab: TabId, next: TabId) -> Result<Removed, FactError> {
        let window = self.tabs.read(&tab, Tab::window).ok_or(FactError::UnknownTab)?;
        self.open_tab(next, window)?;
        self.close_tab(tab).inspect_err(|_| {
            self.tabs.remove(&next);
        })
    }

    pub(crate) fn tab_of(&self, document: DocumentId) -> Result<TabId, FactError> {
        self.documents.read(&document, |tab| *tab).ok_or(FactError::UnknownDocument)
    }

    pub(crate) fn load(
        &self,
        description: ExtensionDescription,
        instance: ExtensionInstance,
    ) -> Result<(), FactError> {
        let ExtensionDescription { id, external, on_demand } = description;
        if !self.loaded.insert_new(id.clone(), instance) {
            return Err(FactError::ExtensionExists);
        }
        let number = self.numbers.lock().take();
        let extension = Extension::new(id, number, external, Background::new(on_demand));
        self.extensions.insert_new(instance, extension);
        Ok(())
    }

    pub(crate) fn unload(&self, instance: ExtensionInstance) -> Result<(Removed, Waiting), FactError> {
        let mut extension = self.extensions.remove(&instance).ok_or(FactError::UnknownExtension)?;
        self.loaded.remove(extension.id());
        self.numbers.lock().give_back(extension.number());
        let waiting = extension.give_up();
        Ok((Removed { contexts: extension.into_contexts(), documents: Vec::new() }, waiting))
    }

    /// Changes an extension; `None` when it is not loaded.
    pub(crate) fn change_extension<R>(
        &self,
        instance: ExtensionInstance,
        change: impl FnOnce(&mut Extension) -> R,
    ) -> Option<R> {
        self.extensions.update(&instance, change)
    }

    /// Has an event loop wait for the background of `instance`, unless it runs; `None` when it is not loaded.
    pub(crate) fn wait(&self, instance: ExtensionInstance, event_loop: EventLoopId) -> Option<Wait> {
        self.change_extension(instance, |extension| extension.background.wait(event_loop))
    }

    /// Returns whether a stop ended this life of a background; `false` also when its extension is not loaded any more.
    pub(crate) fn was_stopped(&self, life: Life) -> bool {
        let was_stopped = |extension: &Extension| extension.background.was_stopped(life.number);
        self.extensions.read(&life.instance, was_stopped) == Some(true)
    }

    /// Returns the life that a background is in, if it is started on demand.
    pub(crate) fn life(&self, instance: ExtensionInstance) -> Option<Life> {
        self.extensions.read(&instance, |extension| extension.background.life(instance)).flatten()
    }

    /// Returns the id and the number of an extension, and whether its background is started on demand.
    pub(crate) fn extension(
        &self,
        instance: ExtensionInstance,
    ) -> Option<(ExtensionId, ExtensionNumber, bool)> {
        self.extensions.read(&instance, |extension| {
            (extension.id().clone(), extension.number(), extension.is_on_demand())
        })
    }

    /// Enters a context into its extension, if it has one, and, if it lives in a tab, its frame. After an error it must
    /// [leave](Self::leave), for it may be in part of the index.
    pub(crate) fn enter(&self, context: &Arc<ContextShared>) -> Result<(), AttachError> {
        let description = context.description();
        if let Some(instance) = description.instance {
            self.extensions
                .update(&instance, |extension| extension.enter(context))
                .ok_or(AttachError::UnknownExtension)?;
        }
        if let Some(Place { tab, frame, document }) = description.place {
            let entered = self.tabs.update(&tab, |tab| tab.enter(frame, document, context));
            if entered != Some(true) {
                return Err(AttachError::UnknownDocument);
            }
        }
        // Race: a fact ended the context meanwhile. Its mark was set before the fact looked for the context in the
        // index, but it may have looked before we entered it.
        match context.killed() {
            None => Ok(()),
            Some(_) if mutant("attached-without-a-look-at-the-mark") => Ok(()),
            Some(DisconnectReason::ExtensionUnloaded) => Err(AttachError::UnknownExtension),
            Some(DisconnectReason::EventLoopGone | DisconnectReason::ProcessCrashed) => {
                Err(AttachError::EventLoopGone)
            }
            Some(_) => Err(AttachError::UnknownDocument),
        }
    }

    /// Removes a context from wherever it is. Returns who waited for it.
    pub(crate) fn leave(&self, context: &ContextShared) -> Waiting {
        let description = context.description();
        let leave = |instance| self.extensions.update(&instance, |extension| extension.leave(context));
        let left = description.instance.and_then(leave);
        let waiting = left.map(|(_, waiting)| waiting).unwrap_or_default();
        if let Some(place) = description.place {
            let left = self.tabs.update(&place.tab, |tab| tab.leave(context.id()));
            drop(left);
        }
        waiting
    }

    /// Takes documents that left their tab out of the index.
    pub(crate) fn forget(&self, documents: &[DocumentId]) {
        for document in documents {
            self.documents.remove(document);
        }
    }

    /// Shows `visit` the contexts of `instance` in the frames that `filter` admits, in
    /// the order in which frames were attached. Runs under a shard's lock.
    #[inline]
    pub(crate) fn contexts_in_tab(
        &self,
        filter: &TabFilter,
        instance: ExtensionInstance,
        mut visit: impl FnMut(&Arc<ContextShared>),
    ) {
        self.tabs.read(&filter.tab, |tab| {
            for frame in tab.frames() {
                let shown = filter.frame.is_none_or(|wanted| frame.id() == wanted)
                    && filter.document.is_none_or(|wanted| frame.document() == Some(wanted));
                if shown {
                    let contexts = frame.contexts().iter();
                    contexts
                        .filter(|context| {
                            context.description().instance == Some(instance)
                                || mutant("instance-looked-at-nowhere")
                        })
                        .for_each(&mut visit);
                }
            }
        });
    }

    /// Shows `visit` the background and page contexts of `instance`, unless its background sleeps. Then the opener is to
    /// wait, but for a background that is starting, which would wait for itself. `is_known` is asked whether the life of one
    /// that is awake is the one that was known.
    pub(crate) fn own_contexts(
        &self,
        instance: ExtensionInstance,
        opener_is_background: bool,
        visit: impl FnMut(&Arc<ContextShared>),
        is_known: impl FnOnce(Life) -> bool,
    ) -> Reached {
        let reached = self.extensions.read(&instance, |extension| {
            if extension.background.sleeps() && !opener_is_background {
                return Reached::Asleep(instance);
            }
            extension.own().for_each(visit);
            match extension.background.life(instance) {
                Some(life) if !opener_is_background => {
                    if is_known(life) {
                        Reached::Awake
                    } else {
                        Reached::AwakeAnew
                    }
                }
                _ => Reached::Contexts,
            }
        });
        reached.unwrap_or(Reached::Contexts)
    }

    /// Shows `visit` the background and page contexts of another extension, if it admits `opener`.
    pub(crate) fn external_contexts(
        &self,
        extension: &ExtensionId,
        opener: &ContextShared,
        visit: impl FnMut(&Arc<ContextShared>),
        is_known: impl FnOnce(Life) -> bool,
    ) -> Reached {
        match self.instance_for(extension, opener) {
            Some(instance) => self.own_contexts(instance, false, visit, is_known),
            None => Reached::Contexts,
        }
    }

    /// Returns the instance of another extension, if it is loaded and admits connections from `opener`.
    pub(crate) fn instance_for(
        &self,
        extension: &ExtensionId,
        opener: &ContextShared,
    ) -> Option<ExtensionInstance> {
        let instance = self.loaded.read(extension, |instance| *instance)?;
        self.admits(instance, opener).then_some(instance)
    }

    /// Returns whether an extension instance admits connections from a context that is not its own.
    pub(crate) fn admits(&self, instance: ExtensionInstance, opener: &ContextShared) -> bool {
        self.extensions.read(&instance, |extension| extension.admits(opener)) == Some(true)
    }

    /// Returns how many tabs are open and how many extensions are loaded.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.tabs.len(), self.extensions.len())
    }

    pub(crate) fn for_each_tab(&self, visit: impl FnMut(&TabId, &Tab)) {
        self.tabs.for_each(visit);
    }

    pub(crate) fn for_each_extension(&self, visit: impl FnMut(&ExtensionInstance, &Extension)) {
        self.extensions.for_each(visit);
    }
}
