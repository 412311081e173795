//! The open tabs as scripts may see them.

use crate::extension::Extension;
use port_core::{FrameId, TabId, WindowId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use url::Url;

/// How the log names a frame of a tab.
pub(crate) fn place_label(tab: TabId, frame: FrameId) -> String {
    if frame == FrameId::TOP { format!("tab {tab}") } else { format!("tab {tab} frame {frame}") }
}

/// A tab as `tabs.Tab` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TabInfo {
    /// `id`.
    pub(crate) id: TabId,
    /// `windowId`.
    pub(crate) window: WindowId,
    /// `index` in its window.
    pub(crate) index: usize,
    /// `active`.
    pub(crate) active: bool,
    /// `url`.
    pub(crate) url: Url,
    /// `title`.
    pub(crate) title: String,
    /// Whether all documents of the tab have run their scripts.
    pub(crate) complete: bool,
    /// `discarded`.
    pub(crate) discarded: bool,
}

impl TabInfo {
    /// `status`.
    pub(crate) fn status(&self) -> &'static str {
        match (self.discarded, self.complete) {
            (true, _) => "unloaded",
            (false, true) => "complete",
            (false, false) => "loading",
        }
    }

    /// The tab as the extension may see it: URL and title take a permission.
    pub(crate) fn seen_by(&self, extension: &Extension) -> Value {
        let mut tab = json!({
            "active": self.active,
            "audible": false,
            "autoDiscardable": true,
            "discarded": self.discarded,
            "highlighted": self.active,
            "id": self.id.get(),
            "incognito": false,
            "index": self.index,
            "mutedInfo": { "muted": false },
            "pinned": false,
            "status": self.status(),
            "windowId": self.window.get(),
        });
        if extension.may_see(&self.url) {
            tab["url"] = self.url.as_str().into();
            tab["title"] = self.title.as_str().into();
        }
        tab
    }
}

/// The open tabs. The browser process writes it; script threads read it when a port
/// comes in, for `sender.tab`.
#[derive(Debug, Default)]
pub(crate) struct TabDirectory {
    tabs: RwLock<BTreeMap<TabId, TabInfo>>,
    /// Changed after every change, so that who kept something of the tabs sees that it is old.
    version: AtomicU64,
}

impl TabDirectory {
    /// The tab, if it is open.
    pub(crate) fn get(&self, tab: TabId) -> Option<TabInfo> {
        self.tabs.read().unwrap_or_else(PoisonError::into_inner).get(&tab).cloned()
    }

    /// All tabs, in the order of their windows and then their places there.
    pub(crate) fn all(&self) -> Vec<TabInfo> {
        let mut all: Vec<TabInfo> =
            self.tabs.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        all.sort_by_key(|tab| (tab.window, tab.index));
        all
    }

    /// A number that is another one after every change of the open tabs.
    pub(crate) fn version(&self) -> u64 {
        // ORDERING: pairs with the release in `change`.
        self.version.load(Ordering::Acquire)
    }

    /// Changes the open tabs.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut BTreeMap<TabId, TabInfo>) -> R) -> R {
        let mut tabs = self.tabs.write().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut tabs);
        // ORDERING: releases nothing that is not behind the lock too; so that who hears of
        // the change in another way finds the new number.
        self.version.fetch_add(1, Ordering::Release);
        result
    }
}
