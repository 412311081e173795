//! Tabs, frames and documents: showing pages in them, and telling the core.

use super::{Browser, LoadedExtension, WINDOW};
use crate::extension::{ExtensionPage, MatchedFrame};
use crate::log::Event;
use crate::script::{Loaded, Task, WorldDescription};
use crate::tabs::{TabInfo, place_label};
use crate::web::{Page, Site, origin_of};
use port_core::{ContextDescription, ContextKind, DocumentId, FactError, FrameId, Place, TabId};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use url::Url;

/// A tab as the browser process keeps it; what scripts see of it is in the [`TabDirectory`](crate::tabs::TabDirectory).
#[derive(Debug, Default)]
pub(super) struct OpenTab {
    /// Documents whose scripts still run for the first time.
    loading: BTreeSet<DocumentId>,
}

impl Browser {
    /// Opens a tab at the end of the window.
    pub(super) fn open_tab(&mut self, url: &Url, active: bool) -> TabId {
        self.latest_tab += 1;
        let tab = TabId::new(self.latest_tab);
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
            };
            tabs.insert(tab, info);
        });
        self.tabs.insert(tab, OpenTab::default());
        self.log_tab(tab, "opened", url);
        let opened = self.shared.service.tab_opened(tab, WINDOW);
        self.expect_known(opened);
        self.emit_tab("tabs.onCreated", tab);
        self.show_in_tab(tab, &page, false);
        tab
    }

    /// Takes a tab to another page, or to the same again.
    pub(super) fn navigate_tab(&mut self, tab: TabId, url: &Url) {
        let page = self.fetch(url);
        self.shared.tabs.change(|tabs| {
            if let Some(info) = tabs.get_mut(&tab) {
                info.url = url.clone();
                info.title = page.title();
                info.complete = false;
            }
        });
        self.log_tab(tab, "navigated", url);
        self.show_in_tab(tab, &page, true);
    }

    /// Closes a tab. The tab to its right becomes active, or else the one to its left.
    pub(super) fn close_tab(&mut self, tab: TabId) {
        let Some(info) = self.shared.tabs.get(tab) else { return };
        self.tabs.remove(&tab);
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
        let closed = self.shared.service.tab_closed(tab);
        self.expect_known(closed);
        let details = json!([tab.get(), { "windowId": WINDOW.get(), "isWindowClosing": is_last }]);
        self.emit("tabs.onRemoved", |_| details.clone());
    }

    /// Makes a tab the active one.
    pub(super) fn activate_tab(&mut self, tab: TabId) {
        self.shared.tabs.change(|tabs| tabs.values_mut().for_each(|info| info.active = info.id == tab));
        let details = json!([{ "tabId": tab.get(), "windowId": WINDOW.get() }]);
        self.emit("tabs.onActivated", |_| details.clone());
    }

    /// The active tab.
    pub(super) fn active_tab(&self) -> Option<TabId> {
        self.shared.tabs.all().into_iter().find(|tab| tab.active).map(|tab| tab.id)
    }

    /// A script thread has loaded a document.
    pub(super) fn document_loaded(&mut self, place: Place) {
        if let Some(tab) = self.tabs.get_mut(&place.tab) {
            tab.loading.remove(&place.document);
            if tab.loading.is_empty() {
                self.tab_complete(place.tab);
            }
        }
    }

    fn tab_complete(&mut self, tab: TabId) {
        let url = self.shared.tabs.change(|tabs| {
            let info = tabs.get_mut(&tab)?;
            info.complete = true;
            Some(info.url.clone())
        });
        if let Some(url) = url {
            self.log_tab(tab, "complete", &url);
            self.emit_updated(tab, "complete");
        }
    }

    /// Shows a page in a tab's top frame, and pages in the frames within.
    fn show_in_tab(&mut self, tab: TabId, page: &Page, navigated: bool) {
        let document = self.new_document();
        let shown = if navigated {
            self.shared.service.frame_navigated(tab, FrameId::TOP, document)
        } else {
            self.shared.service.frame_attached(tab, FrameId::TOP, None, document)
        };
        self.expect_known(shown);
        // Documents that were still loading are gone.
        if let Some(open) = self.tabs.get_mut(&tab) {
            open.loading.clear();
        }
        self.emit_updated(tab, "loading");
        self.load(Place { tab, frame: FrameId::TOP, document }, page, None);
        if self.tabs.get(&tab).is_some_and(|open| open.loading.is_empty()) {
            self.tab_complete(tab);
        }
    }

    /// Loads the document of a frame that the core knows, then the frames within.
    fn load(&mut self, place: Place, page: &Page, maker: Option<&Url>) {
        // about:blank has nothing of its own: it belongs to the page that made it.
        let maker = maker.filter(|_| page.url.as_str() == "about:blank");
        let site = Site::of(maker.unwrap_or(&page.url));
        let worlds: Vec<_> = self
            .extensions
            .iter()
            .filter_map(|loaded| self.describe_world(loaded, place, page, maker))
            .collect();
        if !worlds.is_empty() {
            if let Some(open) = self.tabs.get_mut(&place.tab) {
                open.loading.insert(place.document);
            }
            self.send(&site, Task::Load { worlds, then: Loaded::Document(place) });
        }
        for inner in &page.frames {
            self.latest_frame += 1;
            let frame = FrameId::new(self.latest_frame);
            let document = self.new_document();
            let attached = self.shared.service.frame_attached(place.tab, frame, Some(place.frame), document);
            self.expect_known(attached);
            self.load(Place { frame, document, ..place }, inner, Some(&page.url));
        }
    }

    /// What an extension runs in a document, if anything.
    fn describe_world(
        &self,
        loaded: &LoadedExtension,
        place: Place,
        page: &Page,
        maker: Option<&Url>,
    ) -> Option<WorldDescription> {
        let LoadedExtension { extension, instance } = loaded;
        let Place { tab, frame, .. } = place;
        let origin = origin_of(maker.unwrap_or(&page.url));
        let (kind, context, shown) = if extension.owns(&page.url) {
            let shown = extension.page(&page.url);
            let shown = shown
                .map_err(|message| self.log_error(&message, Some(page.url.as_str()), None, None))
                .ok()?;
            (
                ContextKind::Page,
                ContextDescription::page_in_tab(*instance, place, page.url.as_str(), &origin),
                shown,
            )
        } else {
            let matched = MatchedFrame { url: &page.url, maker, is_top: frame == FrameId::TOP };
            let scripts = extension.content_scripts_for(matched)?;
            let shown = ExtensionPage { url: page.url.clone(), title: page.title(), scripts };
            let context = ContextDescription::content_script(*instance, place, page.url.as_str(), &origin);
            (ContextKind::ContentScript, context, shown)
        };
        Some(WorldDescription {
            context,
            kind,
            extension: Arc::clone(extension),
            instance: *instance,
            place: Some(place),
            url: shown.url,
            title: shown.title,
            is_worker: false,
            label: self.label(&place_label(tab, frame), extension),
            scripts: shown.scripts,
        })
    }

    /// The page at a URL.
    fn fetch(&self, url: &Url) -> Page {
        self.web.fetch(url)
    }

    fn new_document(&mut self) -> DocumentId {
        self.latest_document += 1;
        DocumentId::new(self.latest_document)
    }

    fn emit_updated(&self, tab: TabId, status: &str) {
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

    fn log_tab(&self, tab: TabId, change: &str, url: &Url) {
        self.log(&format!("tab {tab}"), &Event::Tab { change, url: url.as_str() });
    }

    /// A fact that the core refuses means that this browser lost track of its tabs.
    fn expect_known(&self, fact: Result<(), FactError>) {
        if let Err(error) = fact {
            self.log_error(&format!("the core does not know: {error}"), None, None, None);
        }
    }
}
