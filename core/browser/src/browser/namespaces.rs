//! Calls of namespaces beside tabs and messaging: who answers what, and the small ones.

use super::api::{Outcome, read};
use super::open_tab::{Entry, OpenFrame};
use super::{Browser, LoadedExtension, WINDOW};
use crate::log::Event;
use crate::messages::{Caller, Code};
use port_core::{ExtensionInstance, FrameId, TabId};
use port_core_webext::extension::Script;
use port_core_webext::{Profile, StorageOutcome};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// What `permissions.contains` asks.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Permissions {
    permissions: Vec<String>,
    origins: Vec<String>,
}

/// `details` of `tabs.executeScript`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TabInjection {
    code: Option<String>,
    file: Option<String>,
    all_frames: bool,
    frame_id: Option<u64>,
}

impl Browser {
    /// Answers a call of a namespace that is not about tabs; `None` when the answer comes later.
    pub(super) fn call_namespace(
        &mut self,
        caller: &Caller,
        number: u32,
        method: &str,
        arguments: Vec<Value>,
    ) -> Option<Outcome> {
        let first = || arguments.first().cloned().unwrap_or_default();
        let (namespace, member) = method.split_once('.').unwrap_or((method, ""));
        Some(match namespace {
            "storage" if member == "setAccessLevel" => Ok(None),
            "storage" => self.storage_call(caller.instance, member, arguments),
            "alarms" => self.alarms_call(caller, member, &arguments),
            "action" | "browserAction" | "pageAction" if member == "openPopup" => {
                return match self.open_popup(caller.instance) {
                    Ok(page) => {
                        self.answers_of_pages.push((page, *caller, number));
                        None
                    }
                    Err(error) => Some(Err(error)),
                };
            }
            "omnibox" => {
                self.omnibox_call(member, &first());
                Ok(None)
            }
            "action" | "browserAction" | "pageAction" => self.button_call(caller, member, &arguments),
            "contextMenus" | "menus" => self.menu_call(caller, member, &arguments),
            "sidePanel" | "sidebarAction" => self.side_panel_call(caller, member, &arguments),
            "commands" => self.commands_call(caller, member),
            "permissions" => self.permissions_call(caller, member, first()),
            "windows" => self.windows_call(caller, member, &arguments),
            "offscreen" => return self.offscreen_call(caller, number, member, &arguments),
            "devtools" => return self.devtools_call(caller, number, member, &arguments),
            "runtime" => match member {
                "getPlatformInfo" => Ok(Some(json!({ "os": "linux", "arch": "x86-64" }))),
                "getContexts" => self.contexts(caller, &first()),
                "openOptionsPage" => self.open_options_page(caller),
                "setUninstallURL" => Ok(None),
                "reload" => {
                    self.reload_extension(caller.instance);
                    Ok(None)
                }
                _ => Err(format!("not supported by this browser: {method}")),
            },
            "management" if member == "getAll" => Ok(Some(
                self.extensions
                    .iter()
                    .map(|LoadedExtension { extension, .. }| {
                        json!({
                            "id": extension.id().as_str(), "name": extension.manifest().name, "enabled": true,
                            "type": "extension", "installType": "development",
                        })
                    })
                    .collect(),
            )),
            "scripting" => match member {
                // Nothing is painted.
                "insertCSS" | "removeCSS" => Ok(None),
                _ => self
                    .loaded(caller)
                    .map_or(Ok(None), |loaded| loaded.extension.registered_call(member, &first())),
            },
            "tabs" if matches!(member, "insertCSS" | "removeCSS") => Ok(None),
            "tabs" if member == "executeScript" => match self.execute_in_tab(caller, number, &arguments) {
                Ok(()) => return None,
                Err(error) => Err(error),
            },
            _ => Err(format!("not supported by this browser: {method}")),
        })
    }

    /// `storage`: all contexts of the extension hear of changes.
    fn storage_call(&mut self, instance: ExtensionInstance, member: &str, arguments: Vec<Value>) -> Outcome {
        let profile = self.shared.profile;
        let loaded = self.loaded_mut(instance).ok_or("the extension is not loaded")?;
        let StorageOutcome { result, events } = loaded.storage.call(member, arguments, profile)?;
        for (event, details) in events {
            self.emit_everywhere(instance, event, &details);
        }
        Ok(result)
    }

    /// `permissions`: a person who is asked for what the manifest names grants it.
    fn permissions_call(&mut self, caller: &Caller, member: &str, asked: Value) -> Outcome {
        let Some(loaded) = self.loaded(caller) else { return Ok(None) };
        let (extension, profile) = (Arc::clone(&loaded.extension), self.shared.profile);
        if member == "getAll" {
            return Ok(Some(
                json!({ "permissions": extension.permissions(), "origins": extension.origins() }),
            ));
        }
        let Permissions { permissions, origins } = read(&mut [asked].into_iter())?;
        let had = extension.has(&permissions, &origins);
        if member == "contains" {
            return Ok(Some(had.into()));
        }
        let details = || json!([{ "permissions": permissions, "origins": origins }]).to_string();
        match member {
            "request" => {
                extension.grant(&permissions, &origins, profile)?;
                if !had {
                    if !permissions.is_empty() {
                        let names = permissions.join(", ");
                        let text = format!(
                            "not supported by this browser: what goes with {names} in pages that are open already; those that open now have it"
                        );
                        self.log("browser", &Event::Console { level: "warn", text: &text });
                    }
                    self.emit_to(caller.instance, "permissions.onAdded", details());
                }
            }
            _ => {
                extension.revoke(&permissions, &origins, profile)?;
                if had && !extension.has(&permissions, &origins) {
                    self.emit_to(caller.instance, "permissions.onRemoved", details());
                }
            }
        }
        Ok(Some(true.into()))
    }

    /// `windows`: there is one.
    fn windows_call(&mut self, caller: &Caller, member: &str, arguments: &[Value]) -> Outcome {
        let Some(loaded) = self.loaded(caller) else { return Ok(None) };
        let extension = loaded.extension.clone();
        let shows_tabs =
            |info: Option<&Value>| info.and_then(|info| info.get("populate")?.as_bool()).unwrap_or_default();
        let window = |browser: &Self, populate: bool| {
            let mut window = json!({
                "id": WINDOW.get(), "focused": true, "incognito": false, "state": "normal", "type": "normal", "alwaysOnTop": false,
                "left": 0, "top": 0, "width": 800, "height": 600,
            });
            if populate {
                window["tabs"] =
                    browser.shared.tabs.all().iter().map(|tab| tab.seen_by(&extension)).collect();
            }
            window
        };
        match member {
            "getAll" => Ok(Some(json!([window(self, shows_tabs(arguments.first()))]))),
            "getCurrent" | "getLastFocused" => Ok(Some(window(self, shows_tabs(arguments.first())))),
            "get" | "update"
                if arguments.first().and_then(Value::as_i64).is_some_and(|id| id == -2 || id == 1) =>
            {
                Ok(Some(window(self, shows_tabs(arguments.get(1)))))
            }
            "get" | "update" => {
                Err(format!("No window with id: {}.", arguments.first().unwrap_or(&Value::Null)))
            }
            "create" => {
                let text = "not supported by this browser: windows.create with a window of its own; its pages open in tabs";
                self.log("browser", &Event::Console { level: "warn", text });
                let given = arguments.first().and_then(|data| data.get("url")).cloned().unwrap_or_default();
                let urls = match given {
                    Value::Array(urls) => urls,
                    Value::Null => vec!["about:blank".into()],
                    one => vec![one],
                };
                let mut opened = Vec::new();
                for url in urls.iter().filter_map(Value::as_str) {
                    let url = extension.base().join(url).map_err(|error| error.to_string())?;
                    let tab = self.open_tab(&url, true);
                    self.begin_navigation(tab, &url, Entry::Push);
                    opened.push(self.tab_seen_by(caller.instance, tab));
                }
                let mut window = window(self, false);
                window["tabs"] = opened.into();
                Ok(Some(window))
            }
            _ => Err(format!("not supported by this browser: windows.{member}")),
        }
    }

    /// `tabs.executeScript`.
    fn execute_in_tab(&mut self, caller: &Caller, number: u32, arguments: &[Value]) -> Result<(), String> {
        let mut given = arguments.iter().cloned();
        let tab: Option<u64> = read(&mut given)?;
        let details: TabInjection = read(&mut given)?;
        let tab = tab.or_else(|| self.active_tab().map(TabId::get)).ok_or("No active tab")?;
        let info = self.tab(tab)?;
        let Some(LoadedExtension { extension, .. }) = self.loaded(caller) else { return Ok(()) };
        let script = match (&details.code, &details.file) {
            (Some(code), None) => Script::injected(code),
            (None, Some(file)) => {
                extension.injected_file(file).map_err(|_| format!("Could not load file: '{file}'."))?
            }
            _ => return Err("Exactly one of 'code' and 'file' must be specified.".to_owned()),
        };
        let wanted = |frame: &&OpenFrame| match details.frame_id {
            Some(id) => frame.id.get() == id,
            None => details.all_frames || frame.id == FrameId::TOP,
        };
        let open = self.tabs.get(&info.id).map_or(&[][..], |open| &open.frames);
        let frames: Vec<OpenFrame> = open.iter().filter(wanted).cloned().collect();
        self.check_hosts(extension.clone().as_ref(), &info, &frames)?;
        self.execute_in_frames(caller, number, info.id, frames, &Code::Scripts(vec![script]), false, true)
    }

    /// Evaluates an expression of developer tools in the inspected page.
    pub(super) fn evaluate_in_page(&mut self, caller: &Caller, number: u32, tab: TabId, text: &str) {
        let frames: Vec<OpenFrame> =
            self.tabs.get(&tab).and_then(|open| open.top()).cloned().into_iter().collect();
        let code = Code::Scripts(vec![Script::injected(text)]);
        if let Err(error) = self.execute_in_frames(caller, number, tab, frames, &code, true, true) {
            self.send_answer(caller, number, Err(error));
        }
    }
}

/// The texts that tell of hosts that an extension may not touch.
pub(super) fn refused_host(profile: Profile, url: Option<&str>) -> String {
    match (profile, url) {
        (Profile::Chromium, Some(url)) => format!(
            "Cannot access contents of url \"{url}\". Extension manifest must request permission to access this host."
        ),
        (Profile::Chromium, None) => {
            "Cannot access contents of the page. Extension manifest must request permission to \
             access the respective host."
                .to_owned()
        }
        (Profile::Firefox, _) => "Missing host permission for the tab".to_owned(),
    }
}
