//! A tab in the index: its frames, and the pages its back/forward cache keeps.

use super::Removed;
use crate::error::FactError;
use crate::ids::{ContextId, DocumentId, FrameId, WindowId};
use crate::index::ContextShared;
use crate::sync::Arc;

/// An open tab. Its methods return what they removed.
pub(crate) struct Tab {
    window: WindowId,
    /// In the order in which frames were attached; a parent before its children.
    frames: Vec<Frame>,
    cached: Vec<CachedPage>,
}

/// A frame and the document it shows.
pub(crate) struct Frame {
    id: FrameId,
    parent: Option<FrameId>,
    /// `None` after its document went into the cache and before the next one.
    document: Option<DocumentId>,
    contexts: Vec<Arc<ContextShared>>,
}

/// A document in the back/forward cache, with the frames below it.
struct CachedPage {
    /// The first is the document's own frame.
    frames: Vec<Frame>,
}

impl Frame {
    pub(crate) fn id(&self) -> FrameId {
        self.id
    }

    pub(crate) fn parent(&self) -> Option<FrameId> {
        self.parent
    }

    pub(crate) fn document(&self) -> Option<DocumentId> {
        self.document
    }

    pub(crate) fn contexts(&self) -> &[Arc<ContextShared>] {
        &self.contexts
    }

    fn empty_into(&mut self, removed: &mut Removed) {
        removed.documents.extend(self.document.take());
        removed.contexts.append(&mut self.contexts);
    }
}

impl Tab {
    pub(super) fn new(window: WindowId) -> Self {
        Self { window, frames: Vec::new(), cached: Vec::new() }
    }

    pub(crate) fn window(&self) -> WindowId {
        self.window
    }

    pub(crate) fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Returns the frames of the pages in the back/forward cache.
    pub(crate) fn cached(&self) -> impl Iterator<Item = &Frame> {
        self.cached.iter().flat_map(|page| &page.frames)
    }

    pub(crate) fn move_to(&mut self, window: WindowId) {
        self.window = window;
    }

    fn position(&self, frame: FrameId) -> Result<usize, FactError> {
        self.frames.iter().position(|known| known.id == frame).ok_or(FactError::UnknownFrame)
    }

    pub(crate) fn attach_frame(
        &mut self,
        id: FrameId,
        parent: Option<FrameId>,
        document: DocumentId,
    ) -> Result<(), FactError> {
        if let Some(parent) = parent {
            self.position(parent)?;
        }
        if self.position(id).is_ok() {
            return Err(FactError::FrameExists);
        }
        self.frames.push(Frame { id, parent, document: Some(document), contexts: Vec::new() });
        Ok(())
    }

    pub(crate) fn navigate(&mut self, frame: FrameId, document: DocumentId) -> Result<Removed, FactError> {
        let at = self.position(frame)?;
        let mut removed = Removed::default();
        self.frames[at].empty_into(&mut removed);
        self.frames[at].document = Some(document);
        for mut below in self.take_below(frame) {
            below.empty_into(&mut removed);
        }
        Ok(removed)
    }

    pub(crate) fn remove_frame(&mut self, frame: FrameId) -> Result<Removed, FactError> {
        let at = self.position(frame)?;
        let mut removed = Removed::default();
        for mut below in self.take_below(frame) {
            below.empty_into(&mut removed);
        }
        self.frames.remove(at).empty_into(&mut removed);
        Ok(removed)
    }

    /// Empties the tab and its cache.
    pub(crate) fn clear(&mut self) -> Removed {
        let mut removed = Removed::default();
        let cached = self.cached.drain(..).flat_map(|page| page.frames);
        for mut frame in self.frames.drain(..).chain(cached) {
            frame.empty_into(&mut removed);
        }
        removed
    }

    /// Puts a document and the frames below it into the cache. Returns their contexts.
    pub(crate) fn cache(&mut self, document: DocumentId) -> Result<Vec<Arc<ContextShared>>, FactError> {
        let at = self.showing(document)?;
        let shown = &mut self.frames[at];
        let own = Frame {
            id: shown.id,
            parent: shown.parent,
            document: shown.document.take(),
            contexts: std::mem::take(&mut shown.contexts),
        };
        let mut frames = self.take_below(own.id);
        frames.insert(0, own);
        let contexts = frames.iter().flat_map(|frame| frame.contexts.iter().cloned()).collect();
        self.cached.push(CachedPage { frames });
        Ok(contexts)
    }

    /// Shows a cached page again, in place of what its frame shows now. Returns the
    /// page's contexts, and what it replaced.
    pub(crate) fn restore(
        &mut self,
        document: DocumentId,
    ) -> Result<(Vec<Arc<ContextShared>>, Removed), FactError> {
        let page = self.cached_page(document)?;
        let frame = self.cached[page].frames[0].id;
        let at = self.position(frame)?;
        let mut removed = Removed::default();
        self.frames[at].empty_into(&mut removed);
        for mut below in self.take_below(frame) {
            below.empty_into(&mut removed);
        }
        let mut frames = self.cached.remove(page).frames;
        let contexts = frames.iter().flat_map(|frame| frame.contexts.iter().cloned()).collect();
        let at = self.position(frame)?;
        self.frames[at] = frames.remove(0);
        self.frames.append(&mut frames);
        Ok((contexts, removed))
    }

    /// Throws a page out of the cache.
    pub(crate) fn evict(&mut self, document: DocumentId) -> Result<Removed, FactError> {
        let page = self.cached_page(document)?;
        let mut removed = Removed::default();
        for mut frame in self.cached.remove(page).frames {
            frame.empty_into(&mut removed);
        }
        Ok(removed)
    }

    fn cached_page(&self, document: DocumentId) -> Result<usize, FactError> {
        self.cached
            .iter()
            .position(|page| page.frames.first().is_some_and(|own| own.document == Some(document)))
            .ok_or(FactError::UnknownDocument)
    }

    fn showing(&self, document: DocumentId) -> Result<usize, FactError> {
        self.frames
            .iter()
            .position(|frame| frame.document == Some(document))
            .ok_or(FactError::UnknownDocument)
    }

    /// Takes out the frames below one, in order.
    fn take_below(&mut self, frame: FrameId) -> Vec<Frame> {
        let mut above = vec![frame];
        // A parent stands before its children, so one pass finds all.
        self.frames
            .extract_if(.., |candidate| {
                let below = candidate.parent.is_some_and(|parent| above.contains(&parent));
                if below {
                    above.push(candidate.id);
                }
                below
            })
            .collect()
    }

    /// Enters a context into its frame. Returns `false` if the frame does not show the document.
    pub(super) fn enter(
        &mut self,
        frame: FrameId,
        document: DocumentId,
        context: &Arc<ContextShared>,
    ) -> bool {
        let shown =
            self.frames.iter_mut().find(|known| known.id == frame && known.document == Some(document));
        if let Some(shown) = shown {
            shown.contexts.push(Arc::clone(context));
            return true;
        }
        false
    }

    pub(super) fn leave(&mut self, context: ContextId) -> Option<Arc<ContextShared>> {
        let cached = self.cached.iter_mut().flat_map(|page| &mut page.frames);
        self.frames.iter_mut().chain(cached).find_map(|frame| {
            let at = frame.contexts.iter().position(|known| known.id() == context)?;
            Some(frame.contexts.remove(at))
        })
    }
}
