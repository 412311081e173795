//! From page to page: navigations, the session history and the back/forward cache.

use super::documents::elements_of;
use super::open_tab::{Entry, HistoryEntry, OpenFrame};
use super::{Browser, Later};
use crate::messages::{LastWords, Leave, Navigation, NavigationChange, Task};
use crate::web::title_of;
use port_core::{DocumentId, FrameId, Place, TabId};
use port_core_webext::Profile;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How long a page takes to come when an extension asks for it. The call has been
/// answered by then, in both browsers.
const RESPONSE: Duration = Duration::from_millis(5);

/// How long a navigation takes to begin in Firefox, where the call that asks for it is answered before (measured).
const BEGINNING: Duration = Duration::from_millis(1);

/// How long the first page of a tab takes, for which browsers start a process. Who connects
/// at once finds nobody (measured).
const FIRST_RESPONSE: Duration = Duration::from_millis(80);

impl Browser {
    /// Takes a tab to another page as soon as that has come.
    pub(super) fn begin_navigation(&mut self, tab: TabId, url: &Url, entry: Entry) {
        if !shows_a_page(url) {
            return;
        }
        let is_first =
            self.replay.is_some() && self.tabs.get(&tab).is_some_and(|open| open.frames.is_empty());
        let response = if is_first { FIRST_RESPONSE } else { RESPONSE };
        if self.shared.profile == Profile::Firefox {
            let busy = self.shared.activity.begin();
            self.after(BEGINNING, Later::Announce(tab, url.clone()), busy);
        } else {
            self.emit_tab_navigates(tab, url);
        }
        let busy = self.shared.activity.begin();
        self.after(response, Later::Navigate(tab, url.clone(), entry), busy);
    }

    /// Whether there is a page that many entries away in a tab's history.
    pub(super) fn can_traverse(&self, tab: TabId, delta: i64) -> bool {
        self.tabs.get(&tab).is_some_and(|open| open.history.at(delta).is_some())
    }

    /// Takes a tab to another page. The page before goes into the back/forward cache if it can.
    pub(super) fn navigate_tab(&mut self, tab: TabId, url: &Url, entry: Entry) {
        let Some(info) = self.shared.tabs.get(tab) else { return };
        let shows_a_page = self.tabs.get(&tab).is_some_and(|open| !open.frames.is_empty());
        // To go where one is already is to reload.
        let entry =
            if shows_a_page && entry == Entry::Push && info.url == *url { Entry::Replace } else { entry };
        let keeps = entry != Entry::Replace;
        if shows_a_page && self.shared.profile == Profile::Firefox && is_of_the_web(&info.url) {
            self.emit_change(tab, &json!({ "isArticle": false }));
            self.let_hear();
        }
        let is_cached = self.leave_page(tab, keeps, url);
        let page = self.fetch(url);
        self.shared.tabs.change(|tabs| {
            if let Some(info) = tabs.get_mut(&tab) {
                info.url = url.clone();
                info.title = page.title();
                info.complete = false;
                info.discarded = false;
            }
        });
        if shows_a_page {
            self.log_tab(tab, "navigated", url);
        }
        if is_cached {
            // Extensions hear of the page that comes before the ports of the one that goes end.
            self.emit_shown(tab, &info, &page);
            self.let_hear();
            let frames = self.keep_page(tab);
            self.let_act(&frames);
        }
        self.show_in_tab(tab, &page, entry);
        if !is_cached {
            self.emit_shown(tab, &info, &page);
        }
        self.emit_title(tab, &info, &page);
        self.load_page(tab, &page);
        self.answer_calls_of(tab);
    }

    /// Shows the page of a tab anew.
    pub(super) fn reload_tab(&mut self, tab: TabId) {
        if let Some(info) = self.shared.tabs.get(tab) {
            self.navigate_tab(tab, &info.url, Entry::Replace);
        }
    }

    /// Ends a frame, and those within it, whose scripts have heard that they go.
    pub(super) fn end_frame(&mut self, tab: TabId, frame: FrameId) {
        let Some(gone) = self.tabs.get(&tab).map(|open| open.subtree(frame)) else { return };
        let removed = self.service.frame_removed(tab, frame);
        self.expect_known(removed);
        if let Some(open) = self.tabs.get_mut(&tab) {
            open.remove(&gone);
        }
    }

    /// What a script did to its page. Another page takes its time to come; by then the
    /// script has ended, and a call that ran it has been answered.
    pub(super) fn carry_out_navigation(&mut self, navigation: Navigation) {
        let takes_time = match &navigation.change {
            NavigationChange::Go { .. } | NavigationChange::Reload => {
                let url = match &navigation.change {
                    NavigationChange::Go { url, .. } => Some(url.clone()),
                    _ => self.open_frame(navigation.place).map(|frame| frame.url.clone()),
                };
                if let Some(url) = url.filter(|_| navigation.place.frame == FrameId::TOP) {
                    self.emit_tab_navigates(navigation.place.tab, &url);
                }
                true
            }
            NavigationChange::NavigateFrame { url, .. } => url.scheme() != "about",
            _ => false,
        };
        if takes_time {
            let busy = self.shared.activity.begin();
            self.after(RESPONSE, Later::CarryOut(navigation), busy);
        } else {
            self.carry_out_now(navigation);
        }
    }

    /// The page that a script's navigation asked for has come, or none was asked for.
    pub(super) fn carry_out_now(&mut self, navigation: Navigation) {
        let Navigation { place, change } = navigation;
        // A document that is gone navigates nothing.
        let Some(frame) = self.open_frame(place).cloned() else { return };
        let inside = |element| self.tabs.get(&place.tab)?.frame_in_element(place.frame, element);
        match change {
            NavigationChange::Go { url, replace } if place.frame == FrameId::TOP => {
                let entry = if replace { Entry::Replace } else { Entry::Push };
                self.navigate_tab(place.tab, &url, entry);
            }
            NavigationChange::Go { url, .. } => self.navigate_frame(place.tab, frame.id, &url),
            NavigationChange::Reload if place.frame == FrameId::TOP => self.reload_tab(place.tab),
            NavigationChange::Reload => self.navigate_frame(place.tab, frame.id, &frame.url),
            NavigationChange::Traverse(delta) => self.traverse(place.tab, delta),
            NavigationChange::SameDocument { url, replace } => self.same_document(place, &url, replace),
            NavigationChange::Title(title) => {
                if let Some(open) = self.tabs.get_mut(&place.tab)
                    && let Some(open) = open.frames.iter_mut().find(|open| open.id == place.frame)
                {
                    open.title.clone_from(&title);
                }
                if place.frame == FrameId::TOP {
                    self.shared.tabs.change(|tabs| {
                        if let Some(info) = tabs.get_mut(&place.tab) {
                            info.title.clone_from(&title);
                        }
                    });
                    self.emit_change(place.tab, &json!({ "title": title }));
                }
            }
            NavigationChange::AttachFrame { element, url, sandbox } => {
                let page = self.fetch(&url);
                self.attach_frame(place, element, &page, sandbox.as_deref());
            }
            NavigationChange::NavigateFrame { element, url } => {
                if let Some(inner) = inside(element) {
                    self.navigate_frame(place.tab, inner, &url);
                }
            }
            NavigationChange::RemoveFrame { element } => {
                if let Some(inner) = inside(element) {
                    self.remove_frame(place.tab, inner);
                }
            }
        }
    }

    /// The scripts of a tab's page hear that they go; gives whether the page is to be kept in the cache.
    fn leave_page(&mut self, tab: TabId, keeps: bool, next: &Url) -> bool {
        let Some(open) = self.tabs.get(&tab) else { return false };
        let Some(top) = open.top().cloned() else { return false };
        let frames = open.frames.clone();
        let may_be_cached = self.ask_to_leave(&frames);
        let cached = keeps && may_be_cached && is_of_the_web(&top.url);
        if !cached {
            if self.shared.profile == Profile::Firefox {
                self.unload(&frames, Leave::Navigated, |_| LastWords::Heard);
                return false;
            }
            // The top frame hears it first, and ends last.
            self.unload([&top], Leave::Navigated, |_| LastWords::Heard);
            for inner in frames.iter().filter(|frame| frame.parent == Some(top.id)) {
                let Some(gone) = self.tabs.get(&tab).map(|open| open.subtree(inner.id)) else { return false };
                self.unload(&gone, Leave::Navigated, |_| LastWords::Heard);
                self.end_frame(tab, inner.id);
            }
            return false;
        }
        if self.shared.profile == Profile::Firefox {
            // The page that comes is begun anew beside the one that goes, and the tab shows neither meanwhile.
            self.emit_navigation("webNavigation.onErrorOccurred", tab, FrameId::TOP, next, &json!({}));
            self.emit_before_navigate(tab, FrameId::TOP, next);
            self.shared.tabs.change(|tabs| {
                if let Some(info) = tabs.get_mut(&tab) {
                    info.url = Url::parse("about:blank").expect("a constant");
                }
            });
        }
        self.unload(&frames, Leave::Cached, |_| LastWords::Heard);
        true
    }

    /// Puts the page of a tab into the cache; gives its frames.
    fn keep_page(&mut self, tab: TabId) -> Vec<OpenFrame> {
        let Some(open) = self.tabs.get_mut(&tab) else { return Vec::new() };
        let Some(top) = open.top().map(|top| top.document) else { return Vec::new() };
        let frames = open.frames.clone();
        open.cached.insert(top, frames.clone());
        let result = self.service.document_cached(top);
        self.expect_known(result);
        frames
    }

    /// Pages to which no entry of the history leads any more leave the cache.
    pub(super) fn forget_cached(&mut self, tab: TabId, documents: &[DocumentId]) {
        for &document in documents {
            let cached = self.tabs.get_mut(&tab).and_then(|open| open.cached.remove(&document));
            if cached.is_some() {
                let evicted = self.service.document_evicted(document);
                self.expect_known(evicted);
            }
        }
    }

    /// `history.go()`.
    pub(super) fn traverse(&mut self, tab: TabId, delta: i32) {
        let Some(open) = self.tabs.get(&tab) else { return };
        let Some(top) = open.top().cloned() else { return };
        // Without a step it is a reload; beyond the ends nothing happens.
        if delta == 0 {
            return self.reload_tab(tab);
        }
        let Some((place, entry)) = open.history.at(delta.into()) else { return };
        if entry.document == top.document {
            self.enter_history(tab, Entry::Traverse(place), entry.clone());
            self.change_url(tab, FrameId::TOP, &entry.url);
            if let Some(&thread) = self.sites.get(&top.site()) {
                let url = entry.url.to_string();
                self.threads[thread.0].send(Task::Traversed { document: top.document, url, delta });
            }
            return;
        }
        if !open.cached.contains_key(&entry.document) {
            return self.navigate_tab(tab, &entry.url, Entry::Traverse(place));
        }
        // In Chromium the page that comes hears so before the one that goes.
        let left = match self.shared.profile {
            Profile::Chromium => self.keep_page(tab),
            Profile::Firefox => {
                let frames = open.frames.clone();
                self.unload(&frames, Leave::Cached, |_| LastWords::Heard);
                self.keep_page(tab);
                Vec::new()
            }
        };
        let restored = self.service.document_restored(entry.document);
        self.expect_known(restored);
        let Some(open) = self.tabs.get_mut(&tab) else { return };
        let frames: Vec<OpenFrame> = open.cached.remove(&entry.document).unwrap_or_default();
        open.loading.clear();
        open.frames.clone_from(&frames);
        self.enter_history(tab, Entry::Traverse(place), entry.clone());
        self.change_url(tab, FrameId::TOP, &entry.url);
        self.log_tab(tab, "restored", &entry.url);
        self.emit_before_navigate(tab, FrameId::TOP, &entry.url);
        self.emit_committed(tab, FrameId::TOP, &entry.url);
        self.show_again(&frames);
        self.unload(&left, Leave::Cached, |_| LastWords::Unsent);
    }

    fn enter_history(&mut self, tab: TabId, how: Entry, shown: HistoryEntry) {
        let gone = self.tabs.get_mut(&tab).map(|open| open.history.enter(how, shown));
        self.forget_cached(tab, &gone.unwrap_or_default());
    }

    /// A document got another URL and stays.
    fn same_document(&mut self, place: Place, url: &Url, replace: bool) {
        let before = self.open_frame(place).map_or_else(|| url.clone(), |frame| frame.url.clone());
        self.change_url(place.tab, place.frame, url);
        if place.frame == FrameId::TOP {
            let entry = if replace { Entry::Replace } else { Entry::Push };
            let shown = HistoryEntry { url: url.clone(), document: place.document };
            self.enter_history(place.tab, entry, shown);
            self.emit_change(place.tab, &json!({ "url": url.as_str() }));
        }
        let mut without_fragments = [before, url.clone()];
        without_fragments.iter_mut().for_each(|url| url.set_fragment(None));
        let is_fragment = without_fragments[0] == without_fragments[1];
        let event = match is_fragment {
            true => "webNavigation.onReferenceFragmentUpdated",
            false => "webNavigation.onHistoryStateUpdated",
        };
        self.emit_navigation(event, place.tab, place.frame, url, &json!({}));
    }

    fn change_url(&mut self, tab: TabId, frame: FrameId, url: &Url) {
        let open = self.tabs.get_mut(&tab);
        let Some(open) = open.and_then(|open| open.frames.iter_mut().find(|open| open.id == frame)) else {
            return;
        };
        open.url = url.clone();
        let title = if open.title.is_empty() { title_of(url) } else { open.title.clone() };
        if frame == FrameId::TOP {
            self.shared.tabs.change(|tabs| {
                if let Some(info) = tabs.get_mut(&tab) {
                    info.url = url.clone();
                    info.title = title;
                }
            });
        }
    }

    /// Shows another page in a frame within a page.
    fn navigate_frame(&mut self, tab: TabId, frame: FrameId, url: &Url) {
        let Some(gone) = self.tabs.get(&tab).map(|open| open.subtree(frame)) else { return };
        let Some((root, inside)) = gone.split_first() else { return };
        self.emit_before_navigate(tab, frame, url);
        self.ask_to_leave(&gone);
        self.unload(&gone, Leave::Navigated, |_| LastWords::Heard);
        let document = self.new_document();
        let navigated = self.service.frame_navigated(tab, frame, document);
        self.expect_known(navigated);
        let page = self.fetch(url);
        let parent = self.tabs.get(&tab).and_then(|open| {
            let parent = open.frames.iter().find(|open| Some(open.id) == root.parent)?;
            Some(Place::new(tab, parent.id, parent.document))
        });
        let maker = parent.and_then(|parent| self.maker_of(&page, parent));
        let Some(open) = self.tabs.get_mut(&tab) else { return };
        open.remove(inside);
        open.loading.remove(&root.document);
        if let Some(open) = open.frames.iter_mut().find(|open| open.id == frame) {
            open.document = document;
            open.url = page.url.clone();
            open.title = page.document_title();
            open.html = Arc::clone(&page.html);
            open.maker = maker;
            open.elements = elements_of(&page);
        }
        self.emit_committed(tab, frame, url);
        self.load(Place::new(tab, frame, document), &page);
        self.complete_documents(tab);
    }

    fn remove_frame(&mut self, tab: TabId, frame: FrameId) {
        let Some(gone) = self.tabs.get(&tab).map(|open| open.subtree(frame)) else { return };
        self.unload(&gone, Leave::Removed, |_| LastWords::Heard);
        self.end_frame(tab, frame);
        self.complete_documents(tab);
    }
}

/// Whether a URL leads to a page: others go to programs of their own, and the tab stays where it is.
fn shows_a_page(url: &Url) -> bool {
    !matches!(url.scheme(), "mailto" | "tel" | "sms" | "magnet" | "javascript")
}

/// Whether a page may go into the back/forward cache at all.
fn is_of_the_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}
