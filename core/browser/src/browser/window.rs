//! The tabs of the window: opened, closed, discarded and made the active one.

use super::open_tab::{Entry, OpenTab};
use super::pages::PageKind;
use super::{Browser, Later, WINDOW};
use crate::log::Event;
use crate::messages::{LastWords, Leave};
use port_core::{FrameId, TabId};
use port_core_webext::{Profile, TabInfo};
use serde_json::json;
use std::time::Duration;
use url::Url;

/// How long Firefox takes to tear down the documents of a tab that is closed or
/// discarded already for everyone who asks.
const TEARDOWN: Duration = Duration::from_millis(12);

impl Browser {
    /// Opens a tab at the end of the window, and shows a page in it.
    pub(super) fn open_tab_with(&mut self, url: &Url, active: bool) -> TabId {
        let tab = self.open_tab(url, active);
        self.emit_tab_navigates(tab, url);
        self.navigate_tab(tab, url, Entry::Push);
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
                granted: Vec::new(),
            };
            tabs.insert(tab, info);
        });
        if active {
            self.leave_popup();
        }
        self.tabs.insert(tab, OpenTab::default());
        self.log_tab(tab, "opened", url);
        let opened = self.service.tab_opened(tab, WINDOW);
        self.expect_known(opened);
        self.emit_tab("tabs.onCreated", tab);
        tab
    }

    /// Closes a tab. The tab to its right becomes active, or else the one to its left.
    pub(super) fn close_tab(&mut self, tab: TabId) {
        let Some(info) = self.shared.tabs.get(tab) else { return };
        let frames = self.tabs.get(&tab).map(|open| open.frames.clone()).unwrap_or_default();
        self.ask_to_leave(&frames);
        if self.shared.profile == Profile::Chromium {
            self.silence(tab);
        } else {
            self.set_deaf(tab, true);
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
        self.answer_calls_of(tab);
        let details = json!([tab.get(), { "windowId": WINDOW.get(), "isWindowClosing": is_last }]);
        self.emit("tabs.onRemoved", |_| details.clone());
        self.let_hear();
        if self.shared.profile == Profile::Chromium {
            self.end_frames_backwards(tab);
            self.tear_down(tab);
        } else {
            // The tab is gone for everyone who asks, and its documents hear so a moment later.
            let busy = self.shared.activity.begin();
            self.after(TEARDOWN, Later::TearDown(tab), busy);
        }
    }

    /// The scripts in a tab hear that it goes; from then on they hear nothing.
    fn silence(&mut self, tab: TabId) {
        let Some(open) = self.tabs.get(&tab) else { return };
        let frames = open.frames.clone();
        let has_frames = frames.len() > 1;
        match self.shared.profile {
            Profile::Chromium => {
                // Frames within end before they hear of it, the last one first (measured).
                self.unload(&frames, Leave::Closed, |frame| match frame.id {
                    FrameId::TOP => LastWords::Heard,
                    _ => LastWords::Unsent,
                });
            }
            Profile::Firefox => {
                // What the top frame of several writes down is lost (measured).
                self.unload(&frames, Leave::Closed, |frame| match frame.id {
                    FrameId::TOP if has_frames => LastWords::Unrecorded,
                    _ => LastWords::Heard,
                });
            }
        }
    }

    /// The page of a tab is not in the cache, but as deaf until the tab is torn down; or no longer.
    fn set_deaf(&mut self, tab: TabId, is_deaf: bool) {
        let top = self.tabs.get(&tab).and_then(|open| open.top().map(|top| top.document));
        if let Some(top) = top {
            let service = &self.service;
            let done = if is_deaf { service.document_cached(top) } else { service.document_restored(top) };
            self.expect_known(done);
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
        if self.shared.profile == Profile::Firefox && self.tabs.contains_key(&tab) {
            self.set_deaf(tab, false);
            self.silence(tab);
        }
        if self.tabs.remove(&tab).is_some() {
            let closed = self.service.tab_closed(tab);
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
            self.set_deaf(tab, true);
        }
        if let Some(open) = self.tabs.get_mut(&tab) {
            open.loading.clear();
            open.frames.clear();
            open.cached.clear();
        }
        let mut id = tab;
        if self.shared.profile == Profile::Chromium {
            let next = self.new_tab();
            let discarded = self.service.tab_discarded(tab, next);
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
            let discarded = self.service.tab_discarded(tab, tab);
            self.expect_known(discarded.map(drop));
        }
    }

    /// Makes a tab the active one, and loads it again if it was discarded.
    pub(super) fn activate_tab(&mut self, tab: TabId) {
        self.leave_popup();
        self.shared.tabs.change(|tabs| tabs.values_mut().for_each(|info| info.active = info.id == tab));
        let details = json!([{ "tabId": tab.get(), "windowId": WINDOW.get() }]);
        self.emit("tabs.onActivated", |_| details.clone());
        let details = json!([tab.get(), { "windowId": WINDOW.get() }]);
        self.emit("tabs.onActiveChanged", |_| details.clone());
        if self.shared.tabs.get(tab).is_some_and(|info| info.discarded) {
            self.reload_tab(tab);
        }
    }

    /// Another tab becomes the active one: in Chromium a popup closes then (measured, in windows that nobody sees).
    fn leave_popup(&mut self) {
        if self.shared.profile == Profile::Chromium {
            self.close_pages(|page| page.kind == PageKind::Popup);
        }
    }

    /// The active tab.
    pub(super) fn active_tab(&self) -> Option<TabId> {
        self.shared.tabs.all().into_iter().find(|tab| tab.active).map(|tab| tab.id)
    }

    fn new_tab(&mut self) -> TabId {
        self.latest_tab += 1;
        TabId::new(self.latest_tab)
    }

    fn emit_tab(&mut self, event: &'static str, tab: TabId) {
        if let Some(info) = self.shared.tabs.get(tab) {
            self.emit(event, |extension| json!([info.seen_by(extension)]));
        }
    }

    pub(super) fn log_tab(&self, tab: TabId, change: &str, url: &Url) {
        self.log(&format!("tab {tab}"), &Event::Tab { change, url: url.as_str() });
    }
}
