//! Pages of extensions outside of tabs: popups, the pages of developer tools, offscreen documents.

use super::api::Outcome;
use super::open_tab::Entry;
use super::{Browser, LoadedExtension};
use crate::log::Event;
use crate::messages::{Attachment, Caller, Loaded, Task, WorldDescription};
use crate::web::Site;
use port_core::{ContextDescription, ContextKind, DocumentId, ExtensionInstance, FrameId, TabId};
use port_core_webext::{Profile, contexts_that_match, origin_of};
use serde_json::{Value, json};
use std::sync::Arc;
use url::Url;

/// What shows a page that is in no tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageKind {
    Popup,
    SidePanel,
    DeveloperTools,
    Offscreen,
}

impl PageKind {
    fn name(self) -> &'static str {
        match self {
            Self::Popup => "POPUP",
            Self::SidePanel => "SIDE_PANEL",
            Self::DeveloperTools => "DEVELOPER_TOOLS",
            Self::Offscreen => "OFFSCREEN_DOCUMENT",
        }
    }
}

/// A page that is in no tab.
#[derive(Clone, Debug)]
pub(super) struct ShownPage {
    pub(super) number: u64,
    pub(super) instance: ExtensionInstance,
    pub(super) kind: PageKind,
    url: Url,
    document: DocumentId,
    inspected: Option<TabId>,
}

impl ShownPage {
    /// The site whose thread runs it.
    pub(super) fn site(&self) -> Site {
        Site::of(&self.url)
    }
}

impl Browser {
    /// Shows a page of an extension outside of the tabs.
    pub(super) fn show_page(
        &mut self,
        instance: ExtensionInstance,
        kind: PageKind,
        path: &str,
        inspected: Option<TabId>,
    ) -> Result<u64, String> {
        let loaded = self.extensions.iter().find(|loaded| loaded.instance == instance);
        let Some(LoadedExtension { extension, .. }) = loaded else {
            return Err("no such extension".to_owned());
        };
        let extension = Arc::clone(extension);
        let url = extension.base().join(path).map_err(|error| error.to_string())?;
        let shown = extension.page(&url)?;
        let (document, number) = (self.new_document(), self.number_of_task());
        let mut context = ContextDescription::page(instance).url(url.as_str()).origin(&origin_of(&url));
        if self.shared.profile == Profile::Firefox {
            context = context.in_document(document);
        }
        let label = self.label(kind.name().to_lowercase().replace('_', " ").as_str(), &extension);
        let world = WorldDescription {
            context: Attachment::Described(context),
            kind: ContextKind::Page,
            extension,
            instance,
            place: None,
            page: Some(number),
            url: url.clone(),
            title: shown.title,
            html: shown.html,
            elements: Arc::default(),
            container: None,
            inspected_tab: inspected,
            is_worker: false,
            stops: false,
            above: Vec::new(),
            is_own_document: true,
            admitted_by: Vec::new(),
            label,
            scripts: shown.scripts,
        };
        self.pages.push(ShownPage { number, instance, kind, url: url.clone(), document, inspected });
        self.send(&Site::of(&url), Task::Load { worlds: vec![world], then: Loaded::Page(number) });
        Ok(number)
    }

    /// Closes pages outside of the tabs.
    pub(super) fn close_pages(&mut self, closes: impl Fn(&ShownPage) -> bool) {
        let (closed, stay) = std::mem::take(&mut self.pages).into_iter().partition(closes);
        self.pages = stay;
        let closed: Vec<ShownPage> = closed;
        for page in closed {
            if let Some(thread) = self.sites.get(&page.site()) {
                self.threads[thread.0].send(Task::ClosePage(page.number));
            }
            // Nobody waits for one that goes before it is loaded.
            self.page_loaded(page.number);
        }
    }

    /// `sidePanel` and `sidebarAction`. There is one panel for all tabs.
    pub(super) fn side_panel_call(&mut self, caller: &Caller, method: &str, arguments: &[Value]) -> Outcome {
        let instance = caller.instance;
        let options = arguments.first().cloned().unwrap_or_default();
        let is_open =
            self.pages.iter().any(|page| page.kind == PageKind::SidePanel && page.instance == instance);
        let profile = self.shared.profile;
        let Some(loaded) = self.loaded_mut(instance) else { return Ok(None) };
        let initial = loaded.extension.manifest().side_panel(profile).unwrap_or_default().to_owned();
        let path = loaded.surface.side_panel.clone().unwrap_or(initial);
        match method {
            "setOptions" | "setPanel" => {
                let given = options.get("path").or_else(|| options.get("panel")).and_then(Value::as_str);
                loaded.surface.side_panel =
                    given.map(str::to_owned).or_else(|| loaded.surface.side_panel.take());
                Ok(None)
            }
            "getOptions" => Ok(Some(json!({ "enabled": true, "path": path }))),
            "getPanel" => Ok(Some(path.into())),
            "setPanelBehavior" => {
                loaded.surface.panel_opens_on_click =
                    options.get("openPanelOnActionClick").and_then(Value::as_bool).unwrap_or_default();
                Ok(None)
            }
            "getPanelBehavior" => {
                Ok(Some(json!({ "openPanelOnActionClick": loaded.surface.panel_opens_on_click })))
            }
            "isOpen" => Ok(Some(is_open.into())),
            "setTitle" | "setIcon" => Ok(None),
            "open" if is_open => Ok(None),
            "open" | "toggle" if path.is_empty() => {
                Err("the manifest names no page for the side panel".to_owned())
            }
            "open" | "toggle" if !is_open => {
                self.show_page(instance, PageKind::SidePanel, &path, None).map(|_| None)
            }
            "close" | "toggle" => {
                self.close_pages(|page| page.kind == PageKind::SidePanel && page.instance == instance);
                Ok(None)
            }
            _ => Err(format!("not supported by this browser: sidePanel.{method}")),
        }
    }

    /// Firefox opens a sidebar as soon as its extension is installed.
    pub(super) fn open_sidebar(&mut self, instance: ExtensionInstance) {
        let loaded = self.extensions.iter().find(|loaded| loaded.instance == instance);
        let panel = loaded.and_then(|loaded| loaded.extension.manifest().side_panel(Profile::Firefox));
        let panel = panel.filter(|_| self.shared.profile == Profile::Firefox).map(str::to_owned);
        if let Some(Err(error)) =
            panel.map(|panel| self.show_page(instance, PageKind::SidePanel, &panel, None))
        {
            self.log_error(&error, None, None, None);
        }
    }

    /// `action.openPopup`, or a click on a button with a popup.
    pub(super) fn open_popup(&mut self, instance: ExtensionInstance) -> Result<u64, String> {
        let popup = self.popup_of(instance, self.active_tab());
        if popup.is_empty() {
            return Err("Extension does not have a popup on the active tab.".to_owned());
        }
        self.close_pages(|page| page.kind == PageKind::Popup);
        self.show_page(instance, PageKind::Popup, &popup, None)
    }

    /// A person clicks the button of an extension: its popup opens, or it is told.
    pub(super) fn click_button(&mut self, instance: ExtensionInstance) {
        let Some(tab) = self.active_tab() else { return };
        let Some(loaded) = self.extensions.iter().find(|loaded| loaded.instance == instance) else { return };
        self.log(&format!("tab {tab}"), &Event::Click { extension: &loaded.extension.manifest().name });
        self.grant(instance, tab);
        if !self.popup_of(instance, Some(tab)).is_empty() {
            if let Err(error) = self.open_popup(instance) {
                self.log_error(&error, None, None, None);
            }
            return;
        }
        let opens_panel = self.loaded_mut(instance).is_some_and(|loaded| loaded.surface.panel_opens_on_click);
        let is_open = |page: &ShownPage| page.kind == PageKind::SidePanel && page.instance == instance;
        if opens_panel && !self.pages.iter().any(is_open) {
            let profile = self.shared.profile;
            let loaded = self.extensions.iter().find(|loaded| loaded.instance == instance);
            let set = loaded.and_then(|loaded| loaded.surface.side_panel.clone());
            let initial =
                loaded.and_then(|loaded| loaded.extension.manifest().side_panel(profile)).map(str::to_owned);
            if let Some(Err(error)) =
                set.or(initial).map(|panel| self.show_page(instance, PageKind::SidePanel, &panel, None))
            {
                self.log_error(&error, None, None, None);
            }
            return;
        }
        let details = json!([self.tab_seen_by(instance, tab)]).to_string();
        for event in ["action.onClicked", "browserAction.onClicked", "pageAction.onClicked"] {
            self.emit_to(instance, event, details.clone());
        }
    }

    /// A person opens the developer tools of the active tab.
    pub(super) fn open_developer_tools(&mut self) {
        let Some(tab) = self.active_tab() else { return };
        let pages: Vec<_> = self
            .extensions
            .iter()
            .filter_map(|loaded| Some((loaded.instance, loaded.extension.manifest().devtools_page.clone()?)))
            .collect();
        for (instance, page) in pages {
            if let Err(error) = self.show_page(instance, PageKind::DeveloperTools, &page, Some(tab)) {
                self.log_error(&error, Some(&page), None, None);
            }
        }
    }

    /// `runtime.openOptionsPage`.
    pub(super) fn open_options_page(&mut self, caller: &Caller) -> Outcome {
        let Some(loaded) = self.loaded(caller) else { return Ok(None) };
        let Some(page) = loaded.extension.manifest().options_page() else {
            return Err("Could not create an options page.".to_owned());
        };
        let url = loaded.extension.base().join(page).map_err(|error| error.to_string())?;
        let tab = self.open_tab(&url, true);
        self.begin_navigation(tab, &url, Entry::Push);
        Ok(None)
    }

    /// `offscreen`: one document for each extension.
    pub(super) fn offscreen_call(
        &mut self,
        caller: &Caller,
        number: u32,
        method: &str,
        arguments: &[Value],
    ) -> Option<Outcome> {
        let is_it = |page: &ShownPage| page.kind == PageKind::Offscreen && page.instance == caller.instance;
        let is_open = self.pages.iter().any(is_it);
        Some(match method {
            "createDocument" if is_open => Err("Only a single offscreen document may be created.".to_owned()),
            "createDocument" => {
                let url =
                    arguments.first().and_then(|details| details.get("url")?.as_str()).unwrap_or_default();
                return match self.show_page(caller.instance, PageKind::Offscreen, url, None) {
                    Ok(page) => {
                        self.answers_of_pages.push((page, *caller, number));
                        None
                    }
                    Err(error) => Some(Err(error)),
                };
            }
            "closeDocument" if !is_open => Err("No current offscreen document.".to_owned()),
            "closeDocument" => {
                self.close_pages(is_it);
                Ok(None)
            }
            _ => Ok(Some(is_open.into())),
        })
    }

    /// A page outside of the tabs has run its scripts: whoever opened it hears so.
    pub(super) fn page_loaded(&mut self, number: u64) {
        let (loaded, waiting) =
            std::mem::take(&mut self.answers_of_pages).into_iter().partition(|(page, ..)| *page == number);
        self.answers_of_pages = waiting;
        let loaded: Vec<(u64, Caller, u32)> = loaded;
        for (_, caller, call) in loaded {
            self.send_answer(&caller, call, Ok(String::new()));
        }
    }

    /// `runtime.getContexts`.
    pub(super) fn contexts(&self, caller: &Caller, filter: &Value) -> Outcome {
        let Some(loaded) = self.loaded(caller) else { return Ok(None) };
        let profile = self.shared.profile;
        let extension = &loaded.extension;
        let is_firefox = profile == Profile::Firefox;
        let mut contexts = Vec::new();
        let mut add = |kind: &str,
                       tab: i64,
                       window: i64,
                       frame: i64,
                       url: Option<&Url>,
                       document: Option<DocumentId>| {
            let mut context = json!({
                "contextType": kind, "tabId": tab, "windowId": window, "frameId": frame, "incognito": false,
                "contextId": document.map_or_else(|| extension.id().as_str().to_owned(), |document| Profile::Firefox.show_document(document)),
            });
            if let Some(url) = url {
                context["documentUrl"] = url.as_str().into();
                context["documentOrigin"] = origin_of(url).into();
            }
            if let Some(document) = document {
                context["documentId"] = profile.show_document(document).into();
            }
            contexts.push(context);
        };
        if let Some(background) = extension.background().filter(|_| loaded.background.runs()) {
            let frame = if is_firefox { 0 } else { -1 };
            add("BACKGROUND", -1, -1, frame, is_firefox.then_some(&background.url), None);
        }
        let window = if is_firefox { 1 } else { -1 };
        for page in self.pages.iter().filter(|page| page.instance == caller.instance) {
            add(page.kind.name(), -1, window, 0, Some(&page.url), Some(page.document));
        }
        for (tab, open) in &self.tabs {
            for frame in open.frames.iter().filter(|frame| extension.owns(&frame.url)) {
                let number = |number: u64| i64::try_from(number).unwrap_or(-1);
                add(
                    "TAB",
                    number(tab.get()),
                    1,
                    number(frame.id.get()),
                    Some(&frame.url),
                    Some(frame.document),
                );
            }
        }
        Ok(Some(contexts_that_match(filter, contexts).into()))
    }

    /// What developer tools ask for: a panel, or the value of an expression in the inspected page.
    pub(super) fn devtools_call(
        &mut self,
        caller: &Caller,
        number: u32,
        method: &str,
        arguments: &[Value],
    ) -> Option<Outcome> {
        let page = self.pages.iter().find(|page| Some(page.number) == caller.page).cloned();
        let inspected = page.and_then(|page| page.inspected).or_else(|| self.active_tab());
        match method {
            "createPanel" => {
                let path = arguments.first().and_then(Value::as_str).unwrap_or_default();
                Some(self.show_page(caller.instance, PageKind::DeveloperTools, path, inspected).map(|_| None))
            }
            "eval" => {
                let text = arguments.first().and_then(Value::as_str).unwrap_or_default();
                let tab = inspected?;
                let top =
                    self.tabs.get(&tab).and_then(|open| open.top()).map(|top| (FrameId::TOP, top.document));
                match top {
                    Some(_) => {
                        self.evaluate_in_page(caller, number, tab, text);
                        None
                    }
                    None => Some(Err("the inspected tab shows nothing".to_owned())),
                }
            }
            _ => Some(Err(format!("not supported by this browser: devtools.{method}"))),
        }
    }
}
