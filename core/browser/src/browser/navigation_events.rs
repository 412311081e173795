//! What extensions are told of navigations: `webNavigation` and `tabs.onUpdated`, in the order of each browser
//! (measured).

use super::open_tab::OpenFrame;
use super::{Browser, LoadedExtension};
use crate::messages::{Task, ThreadIndex};
use crate::web::{Page, title_of};
use port_core::{FrameId, Place, TabId};
use port_core_webext::{Profile, TabInfo};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use url::Url;

/// The permission without which an extension hears nothing of navigations.
const PERMISSION: &str = "webNavigation";

impl Browser {
    /// A frame is about to show another page.
    pub(super) fn emit_before_navigate(&mut self, tab: TabId, frame: FrameId, url: &Url) {
        self.emit_navigation("webNavigation.onBeforeNavigate", tab, frame, url, &json!({}));
    }

    /// A tab is about to show another page. Firefox says at once that it loads.
    pub(super) fn emit_tab_navigates(&mut self, tab: TabId, url: &Url) {
        self.emit_before_navigate(tab, FrameId::TOP, url);
        if self.shared.profile == Profile::Firefox {
            self.emit_change(tab, &json!({ "status": "loading" }));
        }
    }

    /// A frame shows another page.
    pub(super) fn emit_committed(&mut self, tab: TabId, frame: FrameId, url: &Url) {
        let kind = if frame == FrameId::TOP { "link" } else { "auto_subframe" };
        let transition = json!({ "transitionType": kind, "transitionQualifiers": [] });
        self.emit_navigation("webNavigation.onCommitted", tab, frame, url, &transition);
    }

    /// A tab shows another page.
    pub(super) fn emit_shown(&mut self, tab: TabId, before: &TabInfo, page: &Page) {
        let is_other = before.url != page.url;
        let mut change = json!({ "status": "loading" });
        match self.shared.profile {
            Profile::Chromium => {
                if is_other {
                    change["url"] = page.url.as_str().into();
                }
                self.emit_change(tab, &change);
                self.emit_committed(tab, FrameId::TOP, &page.url);
            }
            Profile::Firefox => {
                self.emit_committed(tab, FrameId::TOP, &page.url);
                if is_other {
                    self.emit_change(tab, &json!({ "title": title_of(&page.url) }));
                }
                change["url"] = page.url.as_str().into();
                self.emit_change(tab, &change);
            }
        }
    }

    /// The page that a tab shows has a title of its own, which was not the tab's before.
    pub(super) fn emit_title(&mut self, tab: TabId, before: &TabInfo, page: &Page) {
        let is_other = |title: &&String| **title != before.title || before.url != page.url;
        if let Some(title) = page.own_title.as_ref().filter(is_other) {
            self.emit_change(tab, &json!({ "title": title }));
        }
    }

    /// A document got to a moment of loading: `onDOMContentLoaded` or `onCompleted`.
    pub(super) fn emit_moment(&mut self, event: &'static str, place: Place) {
        if let Some(frame) = self.open_frame(place) {
            let url = frame.url.clone();
            self.emit_navigation(event, place.tab, place.frame, &url, &json!({}));
        }
    }

    /// Emits an event about a frame, with more details of it.
    pub(super) fn emit_navigation(
        &mut self,
        event: &'static str,
        tab: TabId,
        frame: FrameId,
        url: &Url,
        more: &Value,
    ) {
        let hears =
            |loaded: &&LoadedExtension| loaded.extension.permissions().iter().any(|name| name == PERMISSION);
        let mut details = self.details_of(event, tab, frame, url);
        if let (Some(details), Some(more)) = (details.as_object_mut(), more.as_object()) {
            details.extend(more.clone());
        }
        let details = json!([details]).to_string();
        let hearers: Vec<_> = self.extensions.iter().filter(hears).map(|loaded| loaded.instance).collect();
        for instance in hearers {
            self.emit_to(instance, event, details.clone());
        }
    }

    fn details_of(&self, event: &str, tab: TabId, frame: FrameId, url: &Url) -> Value {
        let frames = self.tabs.get(&tab).map_or(&[][..], |open| &open.frames);
        let known: Option<&OpenFrame> = frames.iter().find(|open| open.id == frame);
        let parent = known.and_then(|known| known.parent);
        let mut details = json!({
            "tabId": tab.get(),
            "frameId": frame.get(),
            "parentFrameId": parent.map_or(-1, |parent| i64::try_from(parent.get()).unwrap_or(-1)),
            "url": url.as_str(),
            "timeStamp": self.shared.clock.since_epoch(),
        });
        let is_before = event.ends_with("onBeforeNavigate");
        if let Some(known) = known.filter(|_| !is_before) {
            details["documentId"] = self.shared.profile.show_document(known.document).into();
        }
        if self.shared.profile == Profile::Chromium {
            let thread = known.filter(|_| !is_before).and_then(|known| self.sites.get(&known.site()));
            details["processId"] =
                thread.map_or(-1, |thread| i64::try_from(thread.0 + 1).unwrap_or(-1)).into();
            details["documentLifecycle"] = "active".into();
            details["frameType"] = if parent.is_none() { "outermost_frame" } else { "sub_frame" }.into();
        }
        details
    }

    /// Emits `tabs.onUpdated` with what changed; the URL and the title are for those alone that may see them.
    pub(super) fn emit_change(&mut self, tab: TabId, change: &Value) {
        let Some(info) = self.shared.tabs.get(tab) else { return };
        self.emit_where("tabs.onUpdated", |extension| {
            let mut change = change.clone();
            if let Some(change) = change.as_object_mut().filter(|_| !info.shows_page_to(extension)) {
                change.remove("url");
                change.remove("title");
                if change.is_empty() {
                    return None;
                }
            }
            Some(json!([tab.get(), change, info.seen_by(extension)]))
        });
    }

    /// Waits until extensions have heard what was emitted: what the core is told from now on comes after it.
    pub(super) fn let_hear(&mut self) {
        let threads: BTreeSet<_> = self
            .extensions
            .iter()
            .filter_map(|loaded| self.sites.get(&crate::web::Site::of(loaded.extension.base())).copied())
            .collect();
        self.let_threads_act(threads);
    }

    /// Waits until the threads of frames have acted on what the core was told of these.
    pub(super) fn let_act(&mut self, frames: &[OpenFrame]) {
        let threads: BTreeSet<_> =
            frames.iter().filter_map(|frame| self.sites.get(&frame.site()).copied()).collect();
        self.let_threads_act(threads);
    }

    fn let_threads_act(&mut self, threads: impl IntoIterator<Item = ThreadIndex>) {
        let mut waiting = Vec::new();
        for thread in threads {
            let number = self.number_of_task();
            waiting.push(number);
            self.threads[thread.0].send(Task::Echo(number));
        }
        self.wait_for(waiting);
    }
}
