//! Who is where: tabs, frames, documents, extensions. Facts change it at once, and
//! whom they end is known at once.

use super::Context;
use port_core::{
    ContextKind, DocumentId, ExtensionId, ExtensionInstance, ExternalConnections, FactError, FrameId, Place,
    TabId, WindowId,
};

#[derive(Default)]
pub struct Index {
    pub tabs: Vec<(TabId, WindowId)>,
    /// In the order in which they stand in their tab, then as they went into the cache.
    pub frames: Vec<Frame>,
    pub extensions: Vec<Extension>,
}

#[derive(Clone)]
pub struct Frame {
    pub tab: TabId,
    pub id: FrameId,
    pub parent: Option<FrameId>,
    pub document: Option<DocumentId>,
    /// The page of the back/forward cache that it belongs to, by the page's first document.
    pub kept_with: Option<DocumentId>,
    pub contexts: Vec<Context>,
}

pub struct Extension {
    pub id: ExtensionId,
    pub instance: ExtensionInstance,
    pub external: ExternalConnections,
    /// Background and pages.
    pub own: Vec<Context>,
    pub content_scripts: Vec<Context>,
}

/// The contexts that a fact ended, or why it was refused.
pub type Ended = Result<Vec<Context>, FactError>;

impl Index {
    pub fn open_tab(&mut self, tab: TabId, window: WindowId) -> Ended {
        match self.has_tab(tab) {
            Ok(()) => Err(FactError::TabExists),
            Err(_) => {
                self.tabs.push((tab, window));
                Ok(Vec::new())
            }
        }
    }

    pub fn move_tab(&mut self, tab: TabId, window: WindowId) -> Ended {
        self.has_tab(tab)?;
        self.tabs.iter_mut().filter(|known| known.0 == tab).for_each(|known| known.1 = window);
        Ok(Vec::new())
    }

    /// Discarded or crashed: the tab stays.
    pub fn empty_tab(&mut self, tab: TabId) -> Ended {
        self.has_tab(tab)?;
        Ok(self.remove(|frame| frame.tab == tab))
    }

    /// Discarded: it may go by another id from now on.
    pub fn discard_tab(&mut self, tab: TabId, next: Option<TabId>) -> Ended {
        self.has_tab(tab)?;
        if next.is_some_and(|next| self.has_tab(next).is_ok()) {
            return Err(FactError::TabExists);
        }
        let ended = self.empty_tab(tab)?;
        self.tabs.iter_mut().filter(|known| known.0 == tab).for_each(|known| known.0 = next.unwrap_or(tab));
        Ok(ended)
    }

    pub fn close_tab(&mut self, tab: TabId) -> Ended {
        let ended = self.empty_tab(tab)?;
        self.tabs.retain(|known| known.0 != tab);
        Ok(ended)
    }

    pub fn attach_frame(&mut self, place: Place, parent: Option<FrameId>) -> Ended {
        let Place { tab, frame, document, .. } = place;
        self.is_new(document)?;
        self.has_tab(tab)?;
        if let Some(parent) = parent {
            self.shown(tab, parent)?;
        }
        if self.shown(tab, frame).is_ok() {
            return Err(FactError::FrameExists);
        }
        let document = Some(document);
        self.frames.push(Frame { tab, id: frame, parent, document, kept_with: None, contexts: Vec::new() });
        Ok(Vec::new())
    }

    pub fn navigate(&mut self, place: Place) -> Ended {
        self.is_new(place.document)?;
        self.has_tab(place.tab)?;
        let at = self.shown(place.tab, place.frame)?;
        let mut ended = std::mem::take(&mut self.frames[at].contexts);
        self.frames[at].document = Some(place.document);
        let below = self.below(place.tab, place.frame);
        ended.extend(self.remove(|frame| {
            frame.tab == place.tab && frame.kept_with.is_none() && below.contains(&frame.id)
        }));
        self.leave(&ended);
        Ok(ended)
    }

    pub fn remove_frame(&mut self, tab: TabId, frame: FrameId) -> Ended {
        self.has_tab(tab)?;
        self.shown(tab, frame)?;
        let mut doomed = self.below(tab, frame);
        doomed.push(frame);
        Ok(self.remove(|known| known.tab == tab && known.kept_with.is_none() && doomed.contains(&known.id)))
    }

    /// A document goes into the cache, with the frames below its own; gives its contexts.
    pub fn cache(&mut self, document: DocumentId) -> Ended {
        let shown = |frame: &Frame| frame.kept_with.is_none() && frame.document == Some(document);
        let at = self.frames.iter().position(shown).ok_or(FactError::UnknownDocument)?;
        let mut page = vec![self.frames[at].clone()];
        self.frames[at].document = None;
        self.frames[at].contexts.clear();
        let (tab, below) = (page[0].tab, self.below(page[0].tab, page[0].id));
        page.extend(self.frames.extract_if(.., |frame| {
            frame.tab == tab && frame.kept_with.is_none() && below.contains(&frame.id)
        }));
        page.iter_mut().for_each(|frame| frame.kept_with = Some(document));
        let contexts = page.iter().flat_map(|frame| frame.contexts.clone()).collect();
        self.frames.extend(page);
        Ok(contexts)
    }

    /// And comes back. Gives its contexts besides those that it replaced.
    pub fn restore(&mut self, document: DocumentId) -> Result<(Vec<Context>, Vec<Context>), FactError> {
        let kept = |frame: &Frame| frame.kept_with == Some(document);
        let own = self.frames.iter().find(|frame| kept(frame)).ok_or(FactError::UnknownDocument)?;
        let (tab, id) = (own.tab, own.id);
        self.shown(tab, id)?;
        let below = self.below(tab, id);
        let mut ended =
            self.remove(|frame| frame.tab == tab && frame.kept_with.is_none() && below.contains(&frame.id));
        let mut page: Vec<_> = self.frames.extract_if(.., |frame| kept(frame)).collect();
        page.iter_mut().for_each(|frame| frame.kept_with = None);
        let back = page.iter().flat_map(|frame| frame.contexts.clone()).collect();
        let at = self.shown(tab, id)?;
        let replaced = std::mem::replace(&mut self.frames[at], page.remove(0));
        ended.extend(replaced.contexts);
        self.leave(&ended);
        self.frames.extend(page);
        Ok((back, ended))
    }

    pub fn evict(&mut self, document: DocumentId) -> Ended {
        let kept = |frame: &Frame| frame.kept_with == Some(document);
        if !self.frames.iter().any(kept) {
            return Err(FactError::UnknownDocument);
        }
        Ok(self.remove(kept))
    }

    pub fn load(&mut self, id: ExtensionId, instance: ExtensionInstance, external: ExternalConnections) {
        let (own, content_scripts) = (Vec::new(), Vec::new());
        self.extensions.push(Extension { id, instance, external, own, content_scripts });
    }

    pub fn unload(&mut self, instance: ExtensionInstance) -> Ended {
        let mut unloaded = self.extensions.extract_if(.., |known| known.instance == instance);
        let extension = unloaded.next().ok_or(FactError::UnknownExtension)?;
        drop(unloaded);
        let ended = [extension.own, extension.content_scripts].concat();
        self.leave(&ended);
        Ok(ended)
    }

    pub fn is_loaded(&self, instance: ExtensionInstance) -> bool {
        self.extensions.iter().any(|known| known.instance == instance)
    }

    /// Whether a frame shows the document.
    pub fn shows(&self, place: Place) -> bool {
        self.shown(place.tab, place.frame).is_ok_and(|at| self.frames[at].document == Some(place.document))
    }

    pub fn enter(
        &mut self,
        context: Context,
        instance: Option<ExtensionInstance>,
        kind: ContextKind,
        place: Option<Place>,
    ) {
        for extension in self.extensions.iter_mut().filter(|known| Some(known.instance) == instance) {
            match kind {
                ContextKind::ContentScript => extension.content_scripts.push(context),
                _ => extension.own.push(context),
            }
        }
        if let Some(at) = place.and_then(|place| self.shown(place.tab, place.frame).ok()) {
            self.frames[at].contexts.push(context);
        }
    }

    pub fn leave(&mut self, contexts: &[Context]) {
        let stays = |context: &Context| !contexts.contains(context);
        self.frames.iter_mut().for_each(|frame| frame.contexts.retain(stays));
        for extension in &mut self.extensions {
            extension.own.retain(stays);
            extension.content_scripts.retain(stays);
        }
    }

    /// The contexts in a tab, by frame, of whichever extension.
    pub fn in_tab(&self, tab: TabId, frame: Option<FrameId>, document: Option<DocumentId>) -> Vec<Context> {
        let wanted = |known: &&Frame| {
            known.tab == tab
                && known.kept_with.is_none()
                && frame.is_none_or(|frame| known.id == frame)
                && document.is_none_or(|document| known.document == Some(document))
        };
        self.frames.iter().filter(wanted).flat_map(|known| known.contexts.clone()).collect()
    }

    /// The extension whose background and pages an extension may connect to.
    pub fn reached(&self, extension: &ExtensionId, opener: &ExtensionId) -> Option<&Extension> {
        let admits = |known: &&Extension| match &known.external {
            _ if known.id == *opener => true,
            ExternalConnections::Nobody => false,
            ExternalConnections::Everyone => true,
            ExternalConnections::Extensions(admitted) => admitted.contains(opener),
            other => panic!("{other:?}"),
        };
        self.extensions.iter().find(|known| known.id == *extension).filter(admits)
    }

    fn has_tab(&self, tab: TabId) -> Result<(), FactError> {
        self.tabs.iter().any(|known| known.0 == tab).then_some(()).ok_or(FactError::UnknownTab)
    }

    fn is_new(&self, document: DocumentId) -> Result<(), FactError> {
        let known = self.frames.iter().any(|frame| frame.document == Some(document));
        (!known).then_some(()).ok_or(FactError::DocumentExists)
    }

    fn shown(&self, tab: TabId, frame: FrameId) -> Result<usize, FactError> {
        let wanted = |known: &Frame| known.tab == tab && known.id == frame && known.kept_with.is_none();
        self.frames.iter().position(wanted).ok_or(FactError::UnknownFrame)
    }

    /// The frames that stand in a frame, at whatever depth.
    fn below(&self, tab: TabId, frame: FrameId) -> Vec<FrameId> {
        let mut found = vec![frame];
        for known in self.frames.iter().filter(|known| known.tab == tab && known.kept_with.is_none()) {
            if known.parent.is_some_and(|parent| found.contains(&parent)) {
                found.push(known.id);
            }
        }
        found.split_off(1)
    }

    /// Removes frames with what lives in them.
    fn remove(&mut self, doomed: impl Fn(&Frame) -> bool) -> Vec<Context> {
        let removed: Vec<_> = self.frames.extract_if(.., |frame| doomed(frame)).collect();
        let ended: Vec<_> = removed.into_iter().flat_map(|frame| frame.contexts).collect();
        self.leave(&ended);
        ended
    }
}
