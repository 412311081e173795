//! How a tab is closed: it is gone from the window at once, and its page has its last words. Its scripts hear `pagehide`,
//! and what they post there is heard; then the tab's contexts end. A page that does not end by itself has its time.

use crate::api::Caller;
use crate::browser::{Browser, WINDOW};
use crate::facts::Surface;
use crate::gateway::PageKey;
use port_core::{FrameId, TabId};
use port_core_webext::Profile;
use serde_json::json;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

/// How long a page's last words may take. Meanwhile nobody waits but who listens for its end.
const MOST: Duration = Duration::from_secs(2);

/// The tabs that are being closed.
#[derive(Default)]
pub(crate) struct Closings {
    /// By the pages that they showed.
    pages: Vec<(PageKey, TabId)>,
    /// Calls of `tabs.remove`, with the tabs that they wait for.
    calls: Vec<(HashSet<TabId>, Caller)>,
}

impl Browser {
    /// Closes tabs for a script. Returns whether the answer is to be sent now; if not, it is sent once they are gone.
    pub(crate) fn close_tabs_for(self: &Rc<Self>, caller: &Caller, tabs: &[TabId]) -> bool {
        tabs.iter().for_each(|tab| self.close_tab(*tab));
        let mut closings = self.closings.borrow_mut();
        let left: HashSet<TabId> =
            tabs.iter().copied().filter(|tab| closings.pages.iter().any(|(_, known)| known == tab)).collect();
        // Firefox's answer is there when the tab is out of the window, Chromium's when it is no more.
        if left.is_empty() || self.profile == Profile::Firefox {
            return true;
        }
        closings.calls.push((left, caller.clone()));
        false
    }

    /// Closes a tab.
    pub(crate) fn close_tab(self: &Rc<Self>, tab: TabId) {
        let known = self.tabs.change(|tabs| {
            let known = tabs.remove(&tab).is_some();
            let mut order: Vec<_> = tabs.values_mut().collect();
            order.sort_by_key(|tab| tab.index);
            order.into_iter().enumerate().for_each(|(index, tab)| tab.index = index);
            known
        });
        if !known {
            return;
        }
        let page = self.facts.borrow().page_in(tab).filter(|page| self.pages.borrow().contains_key(page));
        let view =
            self.views.borrow().iter().find(|(_, it)| it.surface == Surface::Tab(tab)).map(|(key, _)| *key);
        if let Some(view) = view {
            let others = self.pages_of(view).into_iter().filter(|other| Some(*other) != page);
            others.for_each(|other| self.remove_page(other));
            // With its place in the window the last reference to it is dropped: WebKit then has the page end.
            self.views.borrow_mut().remove(&view);
        }
        self.window().remove_tab(tab);
        self.tell_tabs();
        let details = json!([tab.get(), { "isWindowClosing": false, "windowId": WINDOW.get() }]);
        self.emit("tabs.onRemoved", |_| details.clone());
        self.log(format_args!("closed tab {tab}"));
        self.answer_early_calls(tab);
        if self.profile == Profile::Chromium {
            self.end_frames_backwards(tab);
        }
        let Some(page) = page else { return self.tab_closed(tab) };
        self.closings.borrow_mut().pages.push((page, tab));
        let me = Rc::downgrade(self);
        glib::timeout_add_local_once(MOST, move || {
            if let Some(browser) = me.upgrade() {
                browser.finish_closing(page);
            }
        });
    }

    /// In Chromium the frames within a page end before they hear of it, the last one first.
    fn end_frames_backwards(&self, tab: TabId) {
        let frames = self.facts.borrow().frames_of(tab);
        let within: Vec<_> =
            frames.iter().filter(|it| it.parent == Some(FrameId::TOP)).map(|it| it.frame).collect();
        self.gateway.report(move |service| {
            // What was removed meanwhile has ended.
            for frame in within.iter().rev() {
                let _ = service.frame_removed(tab, *frame);
            }
        });
    }

    /// Whether a page is of a tab that is being closed: what it says of its documents then is no news.
    pub(crate) fn is_closing(&self, page: PageKey) -> bool {
        self.closings.borrow().pages.iter().any(|(known, _)| *known == page)
    }

    /// A page that may be of a tab which is being closed has ended, or its time has.
    pub(crate) fn finish_closing(self: &Rc<Self>, page: PageKey) {
        let closed = {
            let pages = &mut self.closings.borrow_mut().pages;
            let at = pages.iter().position(|(known, _)| *known == page);
            at.map(|at| pages.swap_remove(at).1)
        };
        if let Some(tab) = closed {
            self.tab_closed(tab);
            self.remove_page(page);
        }
    }

    fn tab_closed(&self, tab: TabId) {
        self.facts.borrow_mut().tab_closed(tab);
        // In order with what pages are told: that it is removed, and the answer.
        self.gateway.report(move |service| {
            let _ = service.tab_closed(tab);
        });
        let answered: Vec<Caller> = {
            let calls = &mut self.closings.borrow_mut().calls;
            for (left, _) in calls.iter_mut() {
                left.remove(&tab);
            }
            calls.extract_if(.., |(left, _)| left.is_empty()).map(|(_, caller)| caller).collect()
        };
        answered.iter().for_each(|caller| self.send_answer(caller, Ok(None)));
    }
}
