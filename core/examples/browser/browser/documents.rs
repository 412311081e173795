//! Showing pages in tabs and frames, and telling the core.

use super::open_tab::{Entry, HistoryEntry, LoadState, OpenFrame, OpenTab};
use super::{Browser, Later, LoadedExtension, WINDOW};
use crate::extension::{ExtensionPage, MatchedFrame, Scripts};
use crate::log::Event;
use crate::profile::Profile;
use crate::script::{FrameElement, LastWords, Leave, Loaded, Task, WorldDescription};
use crate::tabs::{TabInfo, place_label};
use crate::web::{Page, origin_of};
use port_core::{ContextDescription, ContextKind, DocumentId, FactError, FrameId, Place, TabId};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How long Firefox takes to tear down the documents of a tab that is closed or
/// discarded already for everyone who asks.
const TEARDOWN: Duration = Duration::from_millis(12);

impl Browser {
    /// Opens a tab at the end of the window, and shows a page in it.
    pub(super) fn open_tab_with(&mut self, url: &Url, active: bool) -> TabId {
        let tab = self.open_tab(url, active);
        self.show_in_tab(tab, &self.fetch(url), Entry::Push);
        tab
    }

    /// Opens a tab at the end of the window, with nothing in it yet.
    pub(super) fn open_tab(&mut self, url: &Url, active: bool) -> TabId {
        let tab = self.new_tab();
        let page = self.fetch(url);
        self.shared.tabs.change(|tabs| {
            if active {
                tabs.values_mut().for_each(|tab| tab.active = false);
            }
            let index = tabs.values().map(|tab| tab.index + 1).max().unwrap_or(0);
            let info = TabInfo {
                id: tab,
                window: WINDOW,
                index,
                active,
                url: url.clone(),
                title: page.title(),
                complete: false,
                discarded: false,
                last_accessed: self.shared.clock.since_epoch(),
            };
            tabs.insert(tab, info);
        });
        self.tabs.insert(tab, OpenTab::default());
        self.log_tab(tab, "opened", url);
        let opened = self.shared.service.tab_opened(tab, WINDOW);
        self.expect_known(opened);
        self.emit_tab("tabs.onCreated", tab);
        tab
    }

    /// Closes a tab. The tab to its right becomes active, or else the one to its left.
    pub(super) fn close_tab(&mut self, tab: TabId) {
        let Some(info) = self.shared.tabs.get(tab) else { return };
        self.silence(tab);
        if self.shared.profile == Profile::Chromium {
            self.tear_down(tab);
        } else {
            // The tab is gone for everyone who asks, and its documents a moment later.
            let busy = self.shared.activity.begin();
            self.after(TEARDOWN, Later::TearDown(tab), busy);
        }
        let is_last = self.shared.tabs.change(|tabs| {
            tabs.remove(&tab);
            for other in tabs.values_mut().filter(|other| other.index > info.index) {
                other.index -= 1;
            }
            let last = tabs.len().saturating_sub(1);
            if info.active
                && let Some(next) = tabs.values_mut().find(|other| other.index == info.index.min(last))
            {
                next.active = true;
            }
            tabs.is_empty()
        });
        self.log_tab(tab, "closed", &info.url);
        let details = json!([tab.get(), { "windowId": WINDOW.get(), "isWindowClosing": is_last }]);
        self.emit("tabs.onRemoved", |_| details.clone());
    }

    /// The scripts in a tab hear that it goes; from then on they hear nothing.
    fn silence(&mut self, tab: TabId) {
        let Some(open) = self.tabs.get(&tab) else { return };
        let (frames, top) = (open.frames.clone(), open.top().map(|top| top.document));
        let has_frames = frames.len() > 1;
        match self.shared.profile {
            Profile::Chromium => {
                // Frames within end before they hear of it, the last one first (measured).
                self.unload(&frames, Leave::Closed, |frame| match frame.id {
                    FrameId::TOP => LastWords::Heard,
                    _ => LastWords::Unsent,
                });
                self.end_frames_backwards(tab);
            }
            Profile::Firefox => {
                // What the top frame of several writes down is lost (measured).
                self.unload(&frames, Leave::Closed, |frame| match frame.id {
                    FrameId::TOP if has_frames => LastWords::Unrecorded,
                    _ => LastWords::Heard,
                });
                if let Some(top) = top {
                    // Not in the cache, but as deaf until the tab is torn down.
                    let cached = self.shared.service.document_cached(top);
                    self.expect_known(cached);
                }
            }
        }
    }

    /// Ends the frames within a tab's page, the last one first.
    fn end_frames_backwards(&mut self, tab: TabId) {
        let Some(open) = self.tabs.get(&tab) else { return };
        let within = open.frames.iter().filter(|frame| frame.parent == Some(FrameId::TOP));
        for frame in within.map(|frame| frame.id).rev().collect::<Vec<_>>() {
            self.end_frame(tab, frame);
        }
    }

    /// Ends everything in a tab that was closed.
    pub(super) fn tear_down(&mut self, tab: TabId) {
        if self.tabs.remove(&tab).is_some() {
            let closed = self.shared.service.tab_closed(tab);
            self.expect_known(closed);
        }
    }

    /// Discards a tab; gives the id that it has from then on.
    pub(super) fn discard_tab(&mut self, tab: TabId) -> TabId {
        if self.shared.profile == Profile::Chromium {
            // Its scripts hear nothing.
            self.end_frames_backwards(tab);
        } else {
            self.silence(tab);
        }
        if let Some(open) = self.tabs.get_mut(&tab) {
            open.loading.clear();
            open.frames.clear();
            open.cached.clear();
        }
        let mut id = tab;
        if self.shared.profile == Profile::Chromium {
            let next = self.new_tab();
            let discarded = self.shared.service.tab_discarded(tab, next);
            id = discarded.unwrap_or(tab);
            self.expect_known(discarded.map(drop));
            if let Some(open) = self.tabs.remove(&tab) {
                self.tabs.insert(id, open);
            }
        } else {
            let busy = self.shared.activity.begin();
            self.after(TEARDOWN, Later::Empty(tab), busy);
        }
        self.shared.tabs.change(|tabs| {
            if let Some(info) = tabs.remove(&tab) {
                tabs.insert(id, TabInfo { id, discarded: true, ..info });
            }
        });
        if id != tab {
            self.emit("tabs.onReplaced", |_| json!([id.get(), tab.get()]));
        }
        id
    }

    /// Ends everything in a tab that was discarded, unless it shows a page again.
    pub(super) fn empty_tab(&mut self, tab: TabId) {
        if self.tabs.get(&tab).is_some_and(|open| open.frames.is_empty()) {
            let discarded = self.shared.service.tab_discarded(tab, tab);
            self.expect_known(discarded.map(drop));
        }
    }

    /// Makes a tab the active one, and loads it again if it was discarded.
    pub(super) fn activate_tab(&mut self, tab: TabId) {
        self.shared.tabs.change(|tabs| tabs.values_mut().for_each(|info| info.active = info.id == tab));
        let details = json!([{ "tabId": tab.get(), "windowId": WINDOW.get() }]);
        self.emit("tabs.onActivated", |_| details.clone());
        if self.shared.tabs.get(tab).is_some_and(|info| info.discarded) {
            self.reload_tab(tab);
        }
    }

    /// The active tab.
    pub(super) fn active_tab(&self) -> Option<TabId> {
        self.shared.tabs.all().into_iter().find(|tab| tab.active).map(|tab| tab.id)
    }

    /// Shows a page in a tab's top frame, and pages in the frames within.
    pub(super) fn show_in_tab(&mut self, tab: TabId, page: &Page, entry: Entry) {
        let document = self.new_document();
        let Some(open) = self.tabs.get_mut(&tab) else { return };
        let is_empty = open.frames.is_empty();
        open.frames.clear();
        // Documents that were still loading are gone.
        open.loading.clear();
        open.frames.push(OpenFrame {
            id: FrameId::TOP,
            parent: None,
            element: None,
            document,
            url: page.url.clone(),
            title: page.document_title(),
            maker: None,
            elements: elements_of(page),
        });
        let unreachable = open.history.enter(entry, HistoryEntry { url: page.url.clone(), document });
        let shown = if is_empty {
            self.shared.service.frame_attached(tab, FrameId::TOP, None, document)
        } else {
            self.shared.service.frame_navigated(tab, FrameId::TOP, document)
        };
        self.expect_known(shown);
        self.forget_cached(tab, &unreachable);
        self.emit_updated(tab, "loading");
        self.load(Place { tab, frame: FrameId::TOP, document }, page);
        if self.tabs.get(&tab).is_some_and(|open| open.loading.is_empty()) {
            self.tab_complete(tab);
        }
    }

    /// Loads the document of a frame that the core knows, then the frames within.
    pub(super) fn load(&mut self, place: Place, page: &Page) {
        let Some(frame) = self.open_frame(place).cloned() else { return };
        let worlds: Vec<_> = self
            .extensions
            .iter()
            .filter_map(|loaded| {
                let (kind, shown) = self.scripts_for(loaded, &frame)?;
                Some(self.describe_world(loaded, place, &frame, kind, shown))
            })
            .collect();
        if !worlds.is_empty() {
            if let Some(open) = self.tabs.get_mut(&place.tab) {
                open.loading.insert(place.document, LoadState::Running);
            }
            self.send(&frame.site(), Task::Load { worlds, then: Loaded::Document(place) });
        }
        for (inner, element) in page.frames.iter().zip(0..) {
            self.attach_frame(place, element, inner);
        }
    }

    /// Puts a frame into a document, in an element, and loads a page in it.
    pub(super) fn attach_frame(&mut self, parent: Place, element: u32, page: &Page) {
        self.latest_frame += 1;
        let id = FrameId::new(self.latest_frame);
        let document = self.new_document();
        let maker = self.maker_of(page, parent);
        let Some(open) = self.tabs.get_mut(&parent.tab) else { return };
        open.frames.push(OpenFrame {
            id,
            parent: Some(parent.frame),
            element: Some(element),
            document,
            url: page.url.clone(),
            title: page.document_title(),
            maker,
            elements: elements_of(page),
        });
        let attached = self.shared.service.frame_attached(parent.tab, id, Some(parent.frame), document);
        self.expect_known(attached);
        self.load(Place { frame: id, document, ..parent }, page);
    }

    /// The page that made a frame's `about:blank`: it has nothing of its own.
    pub(super) fn maker_of(&self, page: &Page, parent: Place) -> Option<Url> {
        let maker = self.open_frame(parent).map(|frame| frame.url.clone());
        maker.filter(|_| page.url.as_str() == "about:blank")
    }

    /// A frame, if it still shows the document.
    pub(super) fn open_frame(&self, place: Place) -> Option<&OpenFrame> {
        self.tabs.get(&place.tab)?.frame(place.frame, place.document)
    }

    /// What an extension runs in a document, if anything.
    fn scripts_for(
        &self,
        loaded: &LoadedExtension,
        frame: &OpenFrame,
    ) -> Option<(ContextKind, ExtensionPage)> {
        let LoadedExtension { extension, .. } = loaded;
        if extension.owns(&frame.url) {
            let shown = extension.page(&frame.url);
            let shown = shown
                .map_err(|message| self.log_error(&message, Some(frame.url.as_str()), None, None))
                .ok()?;
            return Some((ContextKind::Page, shown));
        }
        let matched =
            MatchedFrame { url: &frame.url, maker: frame.maker.as_ref(), is_top: frame.id == FrameId::TOP };
        let scripts = extension.content_scripts_for(matched)?;
        Some((ContextKind::ContentScript, self.plain_page(frame, scripts)))
    }

    /// A document as an extension that does not own it sees it.
    pub(super) fn plain_page(&self, frame: &OpenFrame, scripts: Scripts) -> ExtensionPage {
        ExtensionPage { url: frame.url.clone(), title: frame.title.clone(), scripts }
    }

    /// An extension's world in a document.
    pub(super) fn describe_world(
        &self,
        loaded: &LoadedExtension,
        place: Place,
        frame: &OpenFrame,
        kind: ContextKind,
        shown: ExtensionPage,
    ) -> WorldDescription {
        let LoadedExtension { extension, instance } = loaded;
        let (url, origin) = (frame.url.as_str(), origin_of(frame.maker.as_ref().unwrap_or(&frame.url)));
        let context = match kind {
            ContextKind::Page => ContextDescription::page_in_tab(*instance, place, url, &origin),
            _ => ContextDescription::content_script(*instance, place, url, &origin),
        };
        WorldDescription {
            context,
            kind,
            extension: Arc::clone(extension),
            instance: *instance,
            place: Some(place),
            url: shown.url,
            title: shown.title,
            elements: Arc::clone(&frame.elements),
            container: self.container_of(place.tab, frame),
            inspected_tab: self.active_tab().filter(|_| extension.is_devtools_page(&frame.url)),
            is_worker: false,
            label: self.label(&place_label(place.tab, place.frame), extension),
            scripts: shown.scripts,
        }
    }

    pub(super) fn container_of(&self, tab: TabId, frame: &OpenFrame) -> Option<(DocumentId, u32)> {
        let frames = &self.tabs.get(&tab)?.frames;
        let parent = frames.iter().find(|parent| Some(parent.id) == frame.parent)?;
        Some((parent.document, frame.element?))
    }

    /// The page at a URL.
    pub(super) fn fetch(&self, url: &Url) -> Page {
        self.web.fetch(url)
    }

    fn new_tab(&mut self) -> TabId {
        self.latest_tab += 1;
        TabId::new(self.latest_tab)
    }

    /// An id that tells nothing of the ids before it.
    pub(super) fn new_document(&mut self) -> DocumentId {
        /// Any odd number: multiplication by it gives each product once.
        const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
        self.latest_document += 1;
        DocumentId::new(self.latest_document.wrapping_mul(SPREAD))
    }

    pub(super) fn emit_updated(&self, tab: TabId, status: &str) {
        if let Some(info) = self.shared.tabs.get(tab) {
            self.emit("tabs.onUpdated", |extension| {
                let mut change = json!({ "status": status });
                if status == "loading" && extension.may_see(&info.url) {
                    change["url"] = info.url.as_str().into();
                }
                json!([tab.get(), change, info.seen_by(extension)])
            });
        }
    }

    fn emit_tab(&self, event: &'static str, tab: TabId) {
        if let Some(info) = self.shared.tabs.get(tab) {
            self.emit(event, |extension| json!([info.seen_by(extension)]));
        }
    }

    pub(super) fn log_tab(&self, tab: TabId, change: &str, url: &Url) {
        self.log(&format!("tab {tab}"), &Event::Tab { change, url: url.as_str() });
    }

    /// A fact that the core refuses means that this browser lost track of its tabs.
    pub(super) fn expect_known(&self, fact: Result<(), FactError>) {
        if let Err(error) = fact {
            self.log_error(&format!("the core does not know: {error}"), None, None, None);
        }
    }
}

/// The frame elements of a page, numbered in document order.
pub(super) fn elements_of(page: &Page) -> Arc<[FrameElement]> {
    let element = |(inner, number): (&Page, u32)| FrameElement {
        number,
        id: inner.element_id.clone(),
        src: inner.url.to_string(),
    };
    page.frames.iter().zip(0..).map(element).collect()
}
