//! A tab as the browser process keeps it: its frames, the pages in its back/forward
//! cache and its session history. What scripts see of it is in the
//! [`TabDirectory`](port_core_webext::TabDirectory).

use crate::messages::FrameElement;
use crate::web::Site;
use port_core::{DocumentId, FrameId};
use port_core_webext::origin_of;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use url::Url;

/// An open tab.
#[derive(Debug, Default)]
pub(super) struct OpenTab {
    /// Documents whose scripts still run for the first time.
    pub(super) loading: BTreeMap<DocumentId, LoadState>,
    /// In the order in which they came; a parent before its children. None in a discarded tab.
    pub(super) frames: Vec<OpenFrame>,
    /// The frames of pages in the back/forward cache, by the document of the top frame.
    pub(super) cached: BTreeMap<DocumentId, Vec<OpenFrame>>,
    /// Where the user may go back to.
    pub(super) history: History,
}

/// How far a document has been loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoadState {
    /// Its own scripts run.
    Running,
    /// It waits for the frames in it.
    Interactive,
    /// It is about to be complete.
    Completing,
}

/// A frame and the document it shows.
#[derive(Clone, Debug)]
pub(super) struct OpenFrame {
    pub(super) id: FrameId,
    pub(super) parent: Option<FrameId>,
    /// The element that holds the frame, as the parent's document numbers it.
    pub(super) element: Option<u32>,
    pub(super) document: DocumentId,
    pub(super) url: Url,
    pub(super) title: String,
    /// The page as HTML, where it is known.
    pub(super) html: Arc<str>,
    /// The page that made a document which has no site of its own: `about:blank`, `srcdoc`, `data:`, `blob:`.
    pub(super) maker: Option<Url>,
    /// Whether a sandbox gives its documents an origin of their own.
    pub(super) is_sandboxed: bool,
    /// The frame elements that the page came with.
    pub(super) elements: Arc<[FrameElement]>,
}

impl OpenFrame {
    /// Whose thread runs the document's scripts.
    pub(super) fn site(&self) -> Site {
        Site::of(self.maker.as_ref().unwrap_or(&self.url))
    }

    /// The document's origin.
    pub(super) fn origin(&self) -> String {
        match self.is_sandboxed || self.url.scheme() == "data" {
            true => "null".to_owned(),
            false => origin_of(self.maker.as_ref().unwrap_or(&self.url)),
        }
    }
}

impl OpenTab {
    /// The top frame.
    pub(super) fn top(&self) -> Option<&OpenFrame> {
        self.frames.iter().find(|frame| frame.id == FrameId::TOP)
    }

    /// A frame, if it still shows the document.
    pub(super) fn frame(&self, id: FrameId, document: DocumentId) -> Option<&OpenFrame> {
        self.frames.iter().find(|frame| frame.id == id && frame.document == document)
    }

    /// The frame in an element of a document.
    pub(super) fn frame_in_element(&self, parent: FrameId, element: u32) -> Option<FrameId> {
        self.frames
            .iter()
            .find(|frame| frame.parent == Some(parent) && frame.element == Some(element))
            .map(|frame| frame.id)
    }

    /// A frame and those within it, it first.
    pub(super) fn subtree(&self, root: FrameId) -> Vec<OpenFrame> {
        let mut inside = BTreeSet::from([root]);
        // Parents come before their children.
        let frames = self.frames.iter().filter(|frame| {
            let found = frame.id == root || frame.parent.is_some_and(|parent| inside.contains(&parent));
            if found {
                inside.insert(frame.id);
            }
            found
        });
        frames.cloned().collect()
    }

    /// Documents that wait for nothing any more and are to be completed; each is given once.
    pub(super) fn take_completable(&mut self) -> Vec<OpenFrame> {
        let is_loading = |frame: &OpenFrame| self.loading.contains_key(&frame.document);
        let waits = |frame: &&OpenFrame| self.loading.get(&frame.document) == Some(&LoadState::Interactive);
        let is_alone = |frame: &&OpenFrame| !self.subtree(frame.id).iter().skip(1).any(is_loading);
        let found: Vec<OpenFrame> = self.frames.iter().filter(waits).filter(is_alone).cloned().collect();
        for frame in &found {
            self.loading.insert(frame.document, LoadState::Completing);
        }
        found
    }

    /// Takes frames away.
    pub(super) fn remove(&mut self, gone: &[OpenFrame]) {
        self.frames.retain(|frame| gone.iter().all(|gone| gone.id != frame.id));
        for frame in gone {
            self.loading.remove(&frame.document);
        }
    }
}

/// The session history of a tab's top frame.
#[derive(Debug, Default)]
pub(super) struct History {
    entries: Vec<HistoryEntry>,
    current: usize,
}

/// A page, or a state of a page, that was shown.
#[derive(Clone, Debug)]
pub(super) struct HistoryEntry {
    pub(super) url: Url,
    /// Several entries have the same after `pushState` or a change of the fragment.
    pub(super) document: DocumentId,
}

/// What becomes of the session history when another page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A new entry behind the current one; those that were there are gone.
    Push,
    /// The current one becomes another.
    Replace,
    /// The entry at this place becomes the current one.
    Traverse(usize),
}

impl History {
    /// The place `delta` from the current one.
    pub(super) fn at(&self, delta: i64) -> Option<(usize, HistoryEntry)> {
        let place = usize::try_from(i64::try_from(self.current).ok()?.checked_add(delta)?).ok()?;
        Some((place, self.entries.get(place)?.clone()))
    }

    /// Enters what is shown now; gives the documents to which no entry leads any more.
    pub(super) fn enter(&mut self, how: Entry, shown: HistoryEntry) -> Vec<DocumentId> {
        let mut gone = Vec::new();
        match how {
            Entry::Push if !self.entries.is_empty() => {
                gone = self.entries.drain(self.current + 1..).map(|entry| entry.document).collect();
                self.entries.push(shown);
                self.current += 1;
            }
            Entry::Push => self.entries.push(shown),
            Entry::Replace | Entry::Traverse(_) => {
                if let Entry::Traverse(place) = how {
                    self.current = place;
                }
                match self.entries.get_mut(self.current) {
                    Some(entry) => gone.push(std::mem::replace(entry, shown).document),
                    None => self.entries.push(shown),
                }
            }
        }
        gone.retain(|document| self.entries.iter().all(|entry| entry.document != *document));
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, History, HistoryEntry, LoadState, OpenFrame, OpenTab};
    use port_core::{DocumentId, FrameId};
    use std::sync::Arc;
    use url::Url;

    #[test]
    fn history_goes_back_and_forgets_what_lay_ahead() {
        let page = |number: u128| HistoryEntry {
            url: Url::parse(&format!("https://a.example/{number}")).expect("a URL"),
            document: DocumentId::new(number),
        };
        let mut history = History::default();
        for number in 1..=3 {
            assert_eq!(history.enter(Entry::Push, page(number)), []);
        }
        assert!(history.at(1).is_none() && history.at(-3).is_none() && history.at(i64::MIN).is_none());
        let (place, entry) = history.at(-2).expect("two pages back");
        assert_eq!((place, entry.document), (0, DocumentId::new(1)));
        assert_eq!(history.enter(Entry::Traverse(place), entry), []);
        assert_eq!(history.enter(Entry::Push, page(4)), [DocumentId::new(2), DocumentId::new(3)]);
        assert_eq!(history.enter(Entry::Replace, page(5)), [DocumentId::new(4)]);
    }

    #[test]
    fn a_document_is_complete_once_the_frames_in_it_are() {
        let frame = |id: u64, parent: Option<u64>| OpenFrame {
            id: FrameId::new(id),
            parent: parent.map(FrameId::new),
            element: None,
            document: DocumentId::new(id.into()),
            url: Url::parse("https://a.example/").expect("a URL"),
            title: String::new(),
            html: Arc::default(),
            maker: None,
            is_sandboxed: false,
            elements: [].into(),
        };
        let mut tab = OpenTab {
            frames: vec![frame(0, None), frame(1, Some(0)), frame(2, Some(1))],
            ..OpenTab::default()
        };
        let take = |tab: &mut OpenTab| -> Vec<u64> {
            tab.take_completable().iter().map(|frame| frame.id.get()).collect()
        };
        // The middle one runs no scripts.
        tab.loading.insert(DocumentId::new(0), LoadState::Interactive);
        tab.loading.insert(DocumentId::new(2), LoadState::Running);
        assert_eq!(take(&mut tab), [0; 0]);
        tab.loading.insert(DocumentId::new(2), LoadState::Interactive);
        assert_eq!(take(&mut tab), [2]);
        assert_eq!(take(&mut tab), [0; 0]);
        tab.loading.remove(&DocumentId::new(2));
        assert_eq!(take(&mut tab), [0]);
    }
}
