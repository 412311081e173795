//! The views: tabs, popups and the hidden pages of backgrounds.

use crate::browser::{Browser, WINDOW};
use crate::facts::Surface;
use crate::tab_page::words_for;
use port_core::TabId;
use port_core_webext::TabInfo;
use serde_json::json;
use std::rc::{Rc, Weak};
use std::time::SystemTime;
use url::Url;
use webkit6::prelude::*;
use webkit6::{LoadEvent, WebProcessTerminationReason, WebView};

/// A view, as this program counts them.
pub(crate) type ViewKey = u64;

/// A view of WebKit, and what it is for.
pub(crate) struct View {
    pub(crate) web: WebView,
    pub(crate) surface: Surface,
    /// How many loads have begun.
    loads: u64,
}

fn now() -> u64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Browser {
    /// Makes a view with a process of its own.
    pub(crate) fn open_view(self: &Rc<Self>, surface: Surface) -> WebView {
        let is_hidden = matches!(surface, Surface::Background(_) | Surface::Offscreen(_));
        let settings = if is_hidden { &self.hidden_settings } else { &self.settings };
        let web = WebView::builder()
            .web_context(&self.context)
            .network_session(&self.session)
            .user_content_manager(&self.scripts)
            .settings(settings)
            .build();
        let key = self.new_number();
        self.views.borrow_mut().insert(key, View { web: web.clone(), surface, loads: 0 });
        let me = Rc::downgrade(self);
        // The crate of bindings lacks this signal.
        web.connect_local("user-message-received", false, move |values| {
            let message = values.get(1).and_then(|value| value.get::<webkit6::UserMessage>().ok());
            let taken = match (me.upgrade(), message) {
                (Some(browser), Some(message)) => browser.take_socket(key, &message),
                _ => false,
            };
            Some(taken.to_value())
        });
        let changed = |me: &Weak<Self>, call: fn(&Rc<Self>, ViewKey)| {
            let me = me.clone();
            move |_: &WebView| {
                if let Some(browser) = me.upgrade() {
                    call(&browser, key);
                }
            }
        };
        let me = Rc::downgrade(self);
        web.connect_uri_notify(changed(&me, Self::view_changed));
        web.connect_title_notify(changed(&me, Self::view_changed));
        web.connect_close(changed(&me, |browser, key| browser.close_view(key)));
        web.connect_load_changed({
            let me = me.clone();
            move |_, event| {
                if let Some(browser) = me.upgrade() {
                    browser.load_changed(key, event);
                }
            }
        });
        if let Surface::Tab(tab) = surface {
            let me = me.clone();
            web.connect_context_menu(move |_, menu, hit| {
                if let Some(browser) = me.upgrade() {
                    browser.extend_menu(tab, menu, hit);
                }
                false
            });
        }
        if self.driven {
            self.answer_dialogs(&web);
        }
        web.connect_web_process_terminated(move |_, reason| {
            if let Some(browser) = me.upgrade() {
                browser.log(format_args!("a web process ended: {reason:?}"));
                browser.process_ended(key, reason);
            }
        });
        web
    }

    pub(crate) fn surface_of(&self, key: ViewKey) -> Option<Surface> {
        self.views.borrow().get(&key).map(|view| view.surface)
    }

    /// What a view shows, by WebKit's word.
    pub(crate) fn url_of(&self, key: ViewKey) -> Option<Url> {
        let views = self.views.borrow();
        let url = views.get(&key)?.web.uri();
        Url::parse(url.as_deref().unwrap_or("about:blank")).ok()
    }

    /// The view of a tab.
    pub(crate) fn view_of(&self, tab: TabId) -> Option<WebView> {
        let views = self.views.borrow();
        let mut views = views.values();
        views.find(|view| view.surface == Surface::Tab(tab)).map(|view| view.web.clone())
    }

    // Tabs.

    /// Opens a tab.
    pub(crate) fn open_tab(self: &Rc<Self>, url: &str, active: bool) -> TabId {
        self.latest_tab.set(self.latest_tab.get() + 1);
        let tab = TabId::new(self.latest_tab.get());
        let _ = self.service.tab_opened(tab, WINDOW);
        self.facts.borrow_mut().tab_opened(tab);
        let index = self.tabs.all().len();
        let blank = Url::parse("about:blank").expect("a constant");
        let info = TabInfo {
            id: tab,
            window: WINDOW,
            index,
            active: false,
            url: Url::parse(url).unwrap_or(blank),
            title: String::new(),
            complete: false,
            discarded: false,
            last_accessed: now(),
            granted: Vec::new(),
        };
        self.tabs.change(|tabs| tabs.insert(tab, info));
        let web = self.open_view(Surface::Tab(tab));
        self.window().add_tab(self, tab, &web);
        self.tell_tabs();
        self.emit("tabs.onCreated", |extension| {
            json!([self.tabs.get(tab).map(|tab| tab.seen_by(extension))])
        });
        if active || self.tabs.all().len() == 1 {
            self.activate_tab(tab);
        }
        web.load_uri(url);
        tab
    }

    /// Shows a tab.
    pub(crate) fn activate_tab(self: &Rc<Self>, tab: TabId) {
        self.window().show_tab(tab);
        self.tab_shown(tab);
    }

    /// A tab is shown now.
    pub(crate) fn tab_shown(self: &Rc<Self>, tab: TabId) {
        let was = self.tabs.get(tab).is_some_and(|tab| tab.active);
        if was {
            return;
        }
        self.tabs.change(|tabs| {
            for info in tabs.values_mut() {
                info.active = info.id == tab;
                if info.active {
                    info.last_accessed = now();
                }
            }
        });
        self.tell_tabs();
        self.emit("tabs.onActivated", |_| json!([{ "tabId": tab.get(), "windowId": WINDOW.get() }]));
        self.window().refresh(self);
    }

    /// The tab that is shown.
    pub(crate) fn active_tab(&self) -> Option<TabId> {
        self.tabs.all().iter().find(|tab| tab.active).map(|tab| tab.id)
    }

    fn close_view(self: &Rc<Self>, key: ViewKey) {
        match self.surface_of(key) {
            Some(Surface::Tab(tab)) => self.close_tab(tab),
            Some(Surface::Popup(_)) => self.window().close_popup(),
            Some(Surface::SidePanel(instance)) => self.close_side_panel(instance),
            Some(surface @ Surface::Offscreen(_)) => self.close_views(|known| *known == surface),
            _ => {}
        }
    }

    /// Closes views with all their pages.
    pub(crate) fn close_views(self: &Rc<Self>, which: impl Fn(&Surface) -> bool) {
        let closed: Vec<(ViewKey, WebView)> = {
            let views = self.views.borrow();
            let closed = views.iter().filter(|(_, view)| which(&view.surface));
            closed.map(|(key, view)| (*key, view.web.clone())).collect()
        };
        for (key, web) in closed {
            self.remove_pages_of(key);
            self.views.borrow_mut().remove(&key);
            // Nothing else holds a hidden view; a tab's is dropped with its place in the window.
            web.terminate_web_process();
        }
    }

    // What WebKit says of them.

    fn view_changed(self: &Rc<Self>, key: ViewKey) {
        if let Some(Surface::Tab(tab)) = self.surface_of(key) {
            let (url, view) = (self.url_of(key), self.view_of(tab));
            let title = view.and_then(|view| view.title()).unwrap_or_default();
            self.tabs.change(|tabs| {
                if let (Some(info), Some(url)) = (tabs.get_mut(&tab), url) {
                    if info.url.origin() != url.origin() {
                        info.granted.clear();
                    }
                    info.url = url;
                    info.title = title.to_string();
                }
            });
            self.tell_tabs();
        }
        // Documents that came before WebKit told of them.
        self.hear_again(key);
        self.window().refresh(self);
    }

    fn load_changed(self: &Rc<Self>, key: ViewKey, event: LoadEvent) {
        let loads = {
            let mut views = self.views.borrow_mut();
            let Some(view) = views.get_mut(&key) else { return };
            view.loads += u64::from(event == LoadEvent::Started);
            view.loads
        };
        if event == LoadEvent::Finished {
            // Who hears of it may write to the page's scripts, which listen already.
            self.when_flushed(key, move |browser| {
                let is_latest = browser.views.borrow().get(&key).is_some_and(|view| view.loads == loads);
                if is_latest {
                    browser.load_is_at(key, event);
                }
            });
        } else {
            self.load_is_at(key, event);
        }
        self.hear_again(key);
    }

    fn load_is_at(self: &Rc<Self>, key: ViewKey, event: LoadEvent) {
        let complete = event == LoadEvent::Finished;
        match self.surface_of(key) {
            Some(Surface::Tab(tab)) if complete || event == LoadEvent::Started => {
                self.tabs
                    .change(|tabs| tabs.get_mut(&tab).into_iter().for_each(|tab| tab.complete = complete));
                self.view_changed(key);
                self.window().say_ended(self, tab, None);
                self.emit("tabs.onUpdated", |extension| {
                    let tab_seen = self.tabs.get(tab).map(|tab| tab.seen_by(extension));
                    let status = if complete { "complete" } else { "loading" };
                    json!([tab.get(), { "status": status }, tab_seen])
                });
                if complete {
                    self.log(format_args!("loaded tab {tab}"));
                }
            }
            Some(Surface::Background(instance)) if complete => self.background_loaded(instance),
            Some(surface @ (Surface::Offscreen(_) | Surface::Popup(_))) if complete => {
                self.page_loaded(surface, &Ok(None))
            }
            _ => {}
        }
    }

    fn process_ended(self: &Rc<Self>, key: ViewKey, reason: WebProcessTerminationReason) {
        let Some(surface) = self.surface_of(key) else { return };
        let pages = self.pages_of(key);
        pages.iter().for_each(|page| self.gateway.crashed(*page));
        match surface {
            Surface::Tab(tab) => {
                self.facts.borrow_mut().tab_crashed(tab);
                self.window().say_ended(self, tab, Some(words_for(reason)));
            }
            Surface::Background(_) => {
                // Its extension would be dead without it.
                let web = self.views.borrow().get(&key).map(|view| view.web.clone());
                web.into_iter().for_each(|web| web.reload());
            }
            Surface::Offscreen(_) => {
                self.close_views(|known| *known == surface);
                self.page_loaded(surface, &Err("the document's process ended".to_owned()));
            }
            Surface::Popup(_) | Surface::SidePanel(_) => {}
        }
        self.remove_pages_of(key);
    }
}
