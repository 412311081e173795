//! Answers to asynchronous calls of the API. The script's side has checked the types of arguments.

use crate::browser::Browser;
use crate::early::EarlyCall;
use crate::facts::{Known, Surface};
use crate::gateway::PageKey;
use port_core::{ExtensionInstance, TabId};
use port_core_webext::extension::{Extension, Glob, MatchPattern};
use port_core_webext::{Profile, StorageOutcome, TabInfo};
use port_core_webkit_inside::control::{ContextKey, ToPage};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::rc::Rc;
use webkit6::prelude::*;

/// What a call came to: its result, `None` for undefined, or a text for `runtime.lastError`.
pub(crate) type Outcome = Result<Option<Value>, String>;

/// Who calls, and under which number the answer goes back.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) page: PageKey,
    pub(crate) context: ContextKey,
    pub(crate) number: u32,
    pub(crate) known: Known,
    pub(crate) surface: Surface,
}

impl Browser {
    /// Carries out a call and sends the answer, now or once it is there.
    pub(crate) fn answer(
        self: &Rc<Self>,
        page: PageKey,
        context: ContextKey,
        number: u32,
        method: &str,
        arguments: &str,
    ) {
        let Some((known, surface)) = self.facts.borrow().holder(page, context) else { return };
        let caller = Caller { page, context, number, known, surface };
        let outcome = match serde_json::from_str::<Vec<Value>>(arguments) {
            Err(error) => Some(Err(error.to_string())),
            // Content scripts have `storage` alone; the rest is not in their API, whatever their process says.
            Ok(_)
                if !method.starts_with("storage.")
                    && !self.facts.borrow().is_extension_page(page, context) =>
            {
                Some(Err(format!("content scripts have no {method}")))
            }
            Ok(given) if self.is_early(method, &given) => {
                let early = EarlyCall {
                    page,
                    context,
                    number,
                    method: method.to_owned(),
                    arguments: arguments.to_owned(),
                };
                return self.keep_until_there(early, &given);
            }
            Ok(arguments) => self.call(&caller, method, arguments),
        };
        if let Some(outcome) = outcome {
            self.send_answer(&caller, outcome);
        }
    }

    /// Sends the answer to a call.
    pub(crate) fn send_answer(&self, caller: &Caller, outcome: Outcome) {
        let outcome = outcome.map(|result| result.map_or_else(String::new, |result| result.to_string()));
        let answer = ToPage::Answer { context: caller.context, number: caller.number, outcome };
        self.tell_page(caller.page, &answer);
    }

    fn call(self: &Rc<Self>, caller: &Caller, method: &str, arguments: Vec<Value>) -> Option<Outcome> {
        let (namespace, member) = method.rsplit_once('.').unwrap_or_default();
        let manifest = caller.known.extension.manifest();
        // Its scripts have no such namespace then, whatever their process says.
        if let Some(permission) = permission_for(namespace).filter(|name| !manifest.has_permission(name)) {
            return Some(Err(format!("the manifest asks for no permission {permission:?}")));
        }
        match (namespace, member) {
            ("tabs", "captureVisibleTab") => match self.capture(caller, &arguments) {
                Ok(()) => None,
                Err(error) => Some(Err(error)),
            },
            ("scripting" | "tabs", "insertCSS" | "removeCSS") => {
                match self.style(caller, namespace, member == "insertCSS", arguments) {
                    Ok(()) => None,
                    Err(error) => Some(Err(error)),
                }
            }
            ("scripting" | "tabs", "executeScript") => match self.execute(caller, namespace, arguments) {
                Ok(()) => None,
                Err(error) => Some(Err(error)),
            },
            ("tabs", "remove") => self.remove_tabs(caller, arguments),
            (
                "scripting",
                "registerContentScripts"
                | "updateContentScripts"
                | "unregisterContentScripts"
                | "getRegisteredContentScripts",
            ) => {
                Some(self.registered_call(caller, member, &arguments.into_iter().next().unwrap_or_default()))
            }
            ("tabs" | "webNavigation", _) => Some(self.tabs_call(caller, method, arguments)),
            ("storage", _) => Some(self.storage_call(caller.known.instance, member, arguments)),
            ("action" | "browserAction" | "pageAction", "openPopup") => self.open_popup(caller),
            ("action" | "browserAction" | "pageAction", _) => {
                Some(self.button_call(caller, member, &arguments))
            }
            ("runtime", "reload") => {
                let (browser, instance) = (Rc::clone(self), caller.known.instance);
                // Not while a page of the extension is being heard.
                glib::idle_add_local_once(move || browser.reload_extension(instance));
                None
            }
            ("runtime", "openOptionsPage") => Some(match caller.known.extension.manifest().options_page() {
                Some(page) => resolve(&caller.known.extension, page).map(|url| {
                    self.open_tab(&url, true);
                    None
                }),
                None => Err("Could not create an options page.".to_owned()),
            }),
            ("runtime", "setUninstallURL") => Some(Ok(None)),
            ("runtime", "getPlatformInfo") => Some(Ok(Some(json!({ "os": "linux", "arch": "x86-64" })))),
            ("runtime", "getContexts") => {
                Some(self.contexts_call(caller, &arguments.into_iter().next().unwrap_or_default()))
            }
            ("management", "getAll") => Some(Ok(Some(self.all_extensions()))),
            ("contextMenus" | "menus", _) => Some(self.menu_call(caller, member, &arguments)),
            ("alarms", _) => Some(self.alarms_call(caller, member, &arguments)),
            ("commands", _) => Some(self.commands_call(caller, member)),
            ("notifications", _) => Some(self.notifications_call(caller, member, &arguments)),
            ("offscreen", _) => self.offscreen_call(caller, member, &arguments),
            ("sidePanel" | "sidebarAction", _) => Some(self.side_panel_call(caller, member, &arguments)),
            ("omnibox", _) => {
                Some(self.omnibox_call(caller, member, &arguments.into_iter().next().unwrap_or_default()))
            }
            ("permissions", _) => Some(permissions_call(&caller.known.extension, member, &arguments)),
            ("windows", _) => Some(self.windows_call(caller, member, &arguments)),
            _ => Some(Err(self.refuse(caller, method))),
        }
    }

    /// Says that a method is absent, on the extension's console too: a promise that nobody looks at says nothing.
    fn refuse(self: &Rc<Self>, caller: &Caller, method: &str) -> String {
        let text = format!("not supported by this browser: {method}");
        self.console(caller.known.instance, "warn", &text);
        text
    }

    fn storage_call(&self, instance: ExtensionInstance, member: &str, arguments: Vec<Value>) -> Outcome {
        let called =
            self.with_extension(instance, |loaded| loaded.storage.call(member, arguments, self.profile));
        let StorageOutcome { result, events } = called.ok_or("the extension is not loaded")??;
        for (event, details) in events {
            self.emit_to(instance, event, &details, true);
        }
        Ok(result)
    }

    fn tabs_call(self: &Rc<Self>, caller: &Caller, method: &str, arguments: Vec<Value>) -> Outcome {
        let extension = &*caller.known.extension;
        let mut arguments = arguments.into_iter();
        let seen = |tab: TabInfo| Some(tab.seen_by(extension));
        match method {
            "tabs.query" => self.query(extension, &arguments.next().unwrap_or_default()),
            "tabs.get" => Ok(seen(self.tab(read(&mut arguments)?)?)),
            "tabs.getCurrent" => Ok(match caller.surface {
                Surface::Tab(tab) => self.tabs.get(tab).and_then(seen),
                _ => None,
            }),
            "tabs.create" => {
                let properties: Value = read(&mut arguments)?;
                let url = properties["url"].as_str().map(|url| resolve(extension, url)).transpose()?;
                let active = properties["active"].as_bool().unwrap_or(true);
                let tab = self.open_tab(url.as_deref().unwrap_or("about:blank"), active);
                Ok(seen(self.tab(tab.get())?))
            }
            "tabs.update" => {
                let tab = self.tab_or_active(read(&mut arguments)?)?;
                let properties: Value = read(&mut arguments)?;
                let url = properties["url"].as_str().map(|url| resolve(extension, url)).transpose()?;
                if properties["active"] == true || properties["highlighted"] == true {
                    self.activate_tab(tab.id);
                }
                if let (Some(url), Some(view)) = (url, self.view_of(tab.id)) {
                    view.load_uri(&url);
                }
                Ok(seen(self.tab(tab.id.get())?))
            }
            "tabs.reload" | "tabs.goBack" | "tabs.goForward" => {
                let tab = self.tab_or_active(read(&mut arguments)?)?;
                let view = self.view_of(tab.id).ok_or("the tab is gone")?;
                match method {
                    "tabs.reload" => view.reload(),
                    "tabs.goBack" if view.can_go_back() => view.go_back(),
                    "tabs.goForward" if view.can_go_forward() => view.go_forward(),
                    _ if self.profile == Profile::Firefox => {}
                    "tabs.goBack" => return Err("Cannot find a previous page in history.".to_owned()),
                    _ => return Err("Cannot find a next page in history.".to_owned()),
                }
                Ok(None)
            }
            "tabs.duplicate" => {
                let tab = self.tab(read(&mut arguments)?)?;
                let copy = self.open_tab(tab.url.as_str(), true);
                Ok(seen(self.tab(copy.get())?))
            }
            "tabs.highlight" => {
                let info: Value = read(&mut arguments)?;
                let wanted = info["tabs"].as_u64().or_else(|| info["tabs"][0].as_u64());
                let found = self.tabs.all().into_iter().find(|tab| wanted == u64::try_from(tab.index).ok());
                let tab = found.ok_or_else(|| format!("No tab at index: {}.", wanted.unwrap_or_default()))?;
                self.activate_tab(tab.id);
                Ok(None)
            }
            "tabs.getSelected" => Ok(self.active_tab().and_then(|tab| self.tabs.get(tab)).and_then(seen)),
            "tabs.getAllInWindow" => self.query(extension, &json!({})),
            "webNavigation.getAllFrames" => {
                let details: Value = read(&mut arguments)?;
                Ok(self.all_frames(details["tabId"].as_u64().unwrap_or_default()))
            }
            "webNavigation.getFrame" => {
                let details: Value = read(&mut arguments)?;
                let frames =
                    self.all_frames(details["tabId"].as_u64().unwrap_or_default()).unwrap_or_default();
                let mut frames = frames.as_array().into_iter().flatten();
                Ok(Some(
                    frames.find(|frame| frame["frameId"] == details["frameId"]).cloned().unwrap_or_default(),
                ))
            }
            _ => Err(self.refuse(caller, method)),
        }
    }

    fn remove_tabs(self: &Rc<Self>, caller: &Caller, arguments: Vec<Value>) -> Option<Outcome> {
        let given = arguments.into_iter().next().unwrap_or_default();
        let many = given.as_array().cloned().unwrap_or_else(|| vec![given]);
        let tabs = many.iter().map(|tab| Ok(self.tab(tab.as_u64().unwrap_or_default())?.id));
        match tabs.collect::<Result<Vec<TabId>, String>>() {
            Ok(tabs) => self.close_tabs_for(caller, &tabs).then_some(Ok(None)),
            Err(error) => Some(Err(error)),
        }
    }

    fn all_frames(&self, tab: u64) -> Option<Value> {
        self.tabs.get(TabId::new(tab))?;
        let frames = self.facts.borrow().frames_of(TabId::new(tab));
        let shown = frames.iter().map(|frame| {
            json!({
                "frameId": frame.frame.get(),
                "parentFrameId": frame.parent.map_or(-1, |parent| i64::try_from(parent.get()).unwrap_or(-1)),
                "documentId": self.profile.show_document(frame.document),
                "documentLifecycle": "active",
                "errorOccurred": false,
                "processId": -1,
                "tabId": tab,
                "url": frame.url.as_str(),
            })
        });
        Some(shown.collect())
    }

    fn query(&self, extension: &Extension, query: &Value) -> Outcome {
        let patterns = match &query["url"] {
            Value::Null => None,
            Value::Array(many) => Some(many.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
            one => Some(vec![one.as_str().unwrap_or_default().to_owned()]),
        };
        let patterns = patterns.map(|texts: Vec<String>| {
            texts.iter().map(|text| text.parse()).collect::<Result<Vec<MatchPattern>, _>>()
        });
        let patterns = patterns.transpose()?;
        let fits = |tab: &TabInfo| {
            let may_see = || tab.shows_page_to(extension);
            let is = |name: &str, value: Value| query[name].is_null() || query[name] == value;
            is("active", tab.active.into())
                && is("highlighted", tab.active.into())
                && is("index", tab.index.into())
                && is("status", tab.status(self.profile).into())
                && ["audible", "muted", "pinned", "discarded"].iter().all(|name| is(name, false.into()))
                && ["currentWindow", "lastFocusedWindow"].iter().all(|name| is(name, true.into()))
                && (query["windowId"] == -2 || is("windowId", tab.window.get().into()))
                && query["title"]
                    .as_str()
                    .is_none_or(|title| may_see() && Glob::wildcards(title).matches(&tab.title))
                && patterns
                    .as_ref()
                    .is_none_or(|any| may_see() && any.iter().any(|pattern| pattern.matches(&tab.url)))
        };
        let all = self.tabs.all();
        Ok(Some(all.iter().filter(|tab| fits(tab)).map(|tab| tab.seen_by(extension)).collect()))
    }

    pub(crate) fn tab(&self, id: u64) -> Result<TabInfo, String> {
        self.tabs.get(TabId::new(id)).ok_or_else(|| match self.profile {
            Profile::Chromium => format!("No tab with id: {id}."),
            Profile::Firefox => format!("Invalid tab ID: {id}"),
        })
    }

    pub(crate) fn tab_or_active(&self, id: Option<u64>) -> Result<TabInfo, String> {
        let active = || self.active_tab().map(TabId::get).ok_or_else(|| "No active tab".to_owned());
        id.map_or_else(active, Ok).and_then(|id| self.tab(id))
    }
}

/// The permission that a namespace goes with.
fn permission_for(namespace: &str) -> Option<&str> {
    let named = ["alarms", "contextMenus", "menus", "notifications", "offscreen", "sidePanel"];
    Some(namespace).filter(|namespace| named.contains(namespace))
}

fn permissions_call(extension: &Extension, member: &str, arguments: &[Value]) -> Outcome {
    let manifest = extension.manifest();
    let texts = |key: &str| -> Vec<String> {
        let list = arguments.first().and_then(|given| given.get(key)).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    match member {
        "getAll" => Ok(Some(json!({
            "permissions": manifest.named_permissions().collect::<Vec<_>>(),
            "origins": manifest.host_texts().collect::<Vec<_>>(),
        }))),
        // What the manifest does not give, nobody is asked for.
        "contains" | "request" => Ok(Some(extension.has(&texts("permissions"), &texts("origins")).into())),
        _ => Ok(Some(false.into())),
    }
}

/// The next argument; an argument left out is read as `null`.
pub(crate) fn read<T: DeserializeOwned>(arguments: &mut impl Iterator<Item = Value>) -> Result<T, String> {
    serde_json::from_value(arguments.next().unwrap_or_default()).map_err(|error| error.to_string())
}

/// A URL that an extension gives: one of its own may be relative.
pub(crate) fn resolve(extension: &Extension, url: &str) -> Result<String, String> {
    let url = extension.base().join(url).map_err(|error| format!("Invalid url: {url:?}: {error}"))?;
    match url.scheme() {
        "http" | "https" | "about" | "data" | "blob" => Ok(url.into()),
        _ if extension.owns(&url) => Ok(url.into()),
        _ => Err(format!("Illegal URL: {url}")),
    }
}
