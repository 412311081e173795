//! The open tabs as scripts may see them.

use crate::extension::Extension;
use crate::profile::Profile;
use port_core::{ExtensionId, FrameId, TabId, WindowId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use url::Url;

/// How the log names a frame of a tab.
pub fn place_label(tab: TabId, frame: FrameId) -> String {
    if frame == FrameId::TOP { format!("tab {tab}") } else { format!("tab {tab} frame {frame}") }
}

/// A tab as `tabs.Tab` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TabInfo {
    /// `id`.
    pub id: TabId,
    /// `windowId`.
    pub window: WindowId,
    /// `index` in its window.
    pub index: usize,
    /// `active`.
    pub active: bool,
    /// `url`.
    pub url: Url,
    /// `title`.
    pub title: String,
    /// Whether all documents of the tab have run their scripts.
    pub complete: bool,
    /// `discarded`.
    pub discarded: bool,
    /// `lastAccessed`, in milliseconds since 1970.
    pub last_accessed: u64,
    /// The extensions that the user let see the tab's page, with the permission `activeTab`.
    pub granted: Vec<ExtensionId>,
}

impl TabInfo {
    /// `status`.
    pub fn status(&self, profile: Profile) -> &'static str {
        match (self.discarded, self.complete) {
            (true, _) if profile == Profile::Chromium => "unloaded",
            (true, _) | (false, true) => "complete",
            (false, false) => "loading",
        }
    }

    /// Whether the extension may see the tab's URL and title.
    pub fn shows_page_to(&self, extension: &Extension) -> bool {
        extension.may_see(&self.url) || self.granted.contains(extension.id())
    }

    /// The tab as the extension may see it: URL and title take a permission.
    pub fn seen_by(&self, extension: &Extension) -> Value {
        self.show(extension, self.shows_page_to(extension))
    }

    /// The tab with its URL and title.
    pub fn shown_whole(&self, extension: &Extension) -> Value {
        self.show(extension, true)
    }

    fn show(&self, extension: &Extension, is_whole: bool) -> Value {
        let profile = match extension.base().scheme() == Profile::Firefox.extension_scheme() {
            true => Profile::Firefox,
            false => Profile::Chromium,
        };
        let mut tab = json!({
            "active": self.active,
            "audible": false,
            "autoDiscardable": true,
            "discarded": self.discarded,
            "groupId": -1,
            "height": 600,
            "highlighted": self.active,
            "id": self.id.get(),
            "incognito": false,
            "index": self.index,
            "lastAccessed": self.last_accessed,
            "mutedInfo": { "muted": false },
            "pinned": false,
            "splitViewId": -1,
            "status": self.status(profile),
            "width": 800,
            "windowId": self.window.get(),
        });
        match profile {
            Profile::Chromium => {
                tab["frozen"] = false.into();
                tab["selected"] = self.active.into();
            }
            Profile::Firefox => {
                tab["attention"] = false.into();
                tab["cookieStoreId"] = "firefox-default".into();
                tab["hidden"] = false.into();
                tab["isInReaderMode"] = false.into();
                tab["sharingState"] = json!({ "camera": false, "microphone": false });
                tab["successorTabId"] = json!(-1);
            }
        }
        if is_whole {
            let is_new_tab_page = profile == Profile::Firefox && self.url.as_str() == "about:blank";
            tab["url"] = self.url.as_str().into();
            tab["title"] = if is_new_tab_page { "New Tab" } else { self.title.as_str() }.into();
        }
        tab
    }
}

/// The open tabs. The browser process writes it, and a document's own thread when its URL changes; script threads read
/// it when a port comes in, for `sender.tab`.
#[derive(Debug, Default)]
pub struct TabDirectory {
    tabs: RwLock<BTreeMap<TabId, TabInfo>>,
    /// Changed after every change, so that who kept something of the tabs sees that it is old.
    version: AtomicU64,
}

impl TabDirectory {
    /// The tab, if it is open.
    pub fn get(&self, tab: TabId) -> Option<TabInfo> {
        self.tabs.read().unwrap_or_else(PoisonError::into_inner).get(&tab).cloned()
    }

    /// All tabs, in the order of their windows and then their places there.
    pub fn all(&self) -> Vec<TabInfo> {
        let mut all: Vec<TabInfo> =
            self.tabs.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        all.sort_by_key(|tab| (tab.window, tab.index));
        all
    }

    /// A number that is another one after every change.
    pub fn version(&self) -> u64 {
        // ORDERING: pairs with the release in `change`.
        self.version.load(Ordering::Acquire)
    }

    /// Changes the open tabs.
    pub fn change<R>(&self, change: impl FnOnce(&mut BTreeMap<TabId, TabInfo>) -> R) -> R {
        let mut tabs = self.tabs.write().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut tabs);
        // ORDERING: releases nothing that is not behind the lock too; so that who hears of
        // the change in another way finds the new number.
        self.version.fetch_add(1, Ordering::Release);
        result
    }
}
