//! Small parts of the API beside tabs and messaging: who runs, commands, notifications, windows, the address bar.

use crate::api::{Caller, Outcome, resolve};
use crate::browser::{Browser, WINDOW};
use crate::facts::Surface;
use gio::prelude::ApplicationExt;
use port_core::{ExtensionInstance, TabId};
use port_core_webext::{Profile, contexts_that_match, origin_of};
use serde_json::{Value, json};
use std::rc::Rc;

/// How many notifications of an extension are shown at a time, and how long one's texts may be.
const MOST_NOTIFICATIONS: (usize, usize) = (100, 4_096);

impl Browser {
    /// `runtime.getContexts`: the pages of the extension.
    pub(crate) fn contexts_call(&self, caller: &Caller, filter: &Value) -> Outcome {
        let extension = &caller.known.extension;
        let mut contexts = Vec::new();
        for (surface, frame, document, url) in self.facts.borrow().own_documents(&caller.known) {
            let (kind, tab) = match surface {
                Surface::Background(_) => ("BACKGROUND", None),
                Surface::Popup(_) => ("POPUP", None),
                Surface::Offscreen(_) => ("OFFSCREEN_DOCUMENT", None),
                Surface::SidePanel(_) => ("SIDE_PANEL", None),
                Surface::Tab(tab) => ("TAB", Some(tab)),
            };
            let is_worker = kind == "BACKGROUND" && extension.has_worker();
            let window = if tab.is_some() || self.profile == Profile::Firefox { 1 } else { -1 };
            let mut context = json!({
                "contextType": kind,
                "contextId": Profile::Firefox.show_document(document),
                "tabId": tab.map_or(-1, |tab| i64::try_from(tab.get()).unwrap_or(-1)),
                "windowId": if kind == "BACKGROUND" { -1 } else { window },
                "frameId": if is_worker { -1 } else { i64::try_from(frame.get()).unwrap_or(-1) },
                "incognito": false,
            });
            if !is_worker {
                context["documentUrl"] = url.as_str().into();
                context["documentOrigin"] = origin_of(&url).into();
                context["documentId"] = self.profile.show_document(document).into();
            }
            contexts.push(context);
        }
        Ok(Some(contexts_that_match(filter, contexts).into()))
    }

    /// `management.getAll`.
    pub(crate) fn all_extensions(&self) -> Value {
        let extensions = self.extensions.borrow();
        let shown = extensions.iter().map(|loaded| {
            json!({
                "id": loaded.extension.id().as_str(), "name": loaded.extension.manifest().name, "enabled": true,
                "type": "extension", "installType": "development",
            })
        });
        shown.collect()
    }

    // Commands.

    /// `commands.getAll`; keys are as the manifest suggests.
    pub(crate) fn commands_call(&self, caller: &Caller, member: &str) -> Outcome {
        if member != "getAll" {
            return Err(format!("not supported by this browser: commands.{member}"));
        }
        let commands = caller.known.extension.manifest().commands();
        let shown = commands.iter().map(|(name, command)| {
            let key = command.get("suggested_key").and_then(|key| key.get("default")?.as_str());
            let description = command["description"].as_str().unwrap_or_default();
            json!({ "name": name, "description": description, "shortcut": key.unwrap_or_default() })
        });
        Ok(Some(shown.collect()))
    }

    /// A person gives a command. Returns whether an extension has it.
    pub(crate) fn give_command(self: &Rc<Self>, name: &str) -> bool {
        let found: Vec<ExtensionInstance> = {
            let extensions = self.extensions.borrow();
            let have =
                extensions.iter().filter(|loaded| loaded.extension.manifest().commands().contains_key(name));
            have.map(|loaded| loaded.instance).collect()
        };
        for instance in &found {
            self.give_command_to(*instance, name);
        }
        !found.is_empty()
    }

    /// A person gives an extension a command.
    pub(crate) fn give_command_to(self: &Rc<Self>, instance: ExtensionInstance, name: &str) {
        if matches!(name, "_execute_action" | "_execute_browser_action" | "_execute_page_action") {
            return self.click(instance);
        }
        let Some(tab) = self.active_tab() else { return };
        self.grant_active_tab(instance, tab);
        let shown = self
            .with_extension(instance, |loaded| self.tabs.get(tab).map(|tab| tab.seen_by(&loaded.extension)));
        self.emit_to(instance, "commands.onCommand", &json!([name, shown]), false);
    }

    // The address bar.

    /// A text that begins with the keyword of an extension is the extension's. Returns whether it is.
    pub(crate) fn type_into_address_bar(self: &Rc<Self>, typed: &str) -> bool {
        let (keyword, text) = typed.split_once(' ').unwrap_or((typed, ""));
        let found = {
            let extensions = self.extensions.borrow();
            let mut extensions = extensions.iter();
            // Where several have it, it is the first one's.
            extensions
                .find(|loaded| loaded.extension.manifest().omnibox_keyword() == Some(keyword))
                .map(|loaded| loaded.instance)
        };
        let Some(instance) = found else { return false };
        self.emit_to(instance, "omnibox.onInputStarted", &json!([]), false);
        self.emit_to(instance, "omnibox.onInputChanged", &json!([text]), false);
        self.emit_to(instance, "omnibox.onInputEntered", &json!([text, "currentTab"]), false);
        true
    }

    /// What an extension suggests for the address bar: the pane beside the tabs shows it.
    pub(crate) fn omnibox_call(self: &Rc<Self>, caller: &Caller, member: &str, given: &Value) -> Outcome {
        let suggestions = match given {
            Value::Array(several) => several.as_slice(),
            one => std::slice::from_ref(one),
        };
        for suggestion in suggestions.iter().take(10) {
            let of = |key: &str| suggestion[key].as_str().unwrap_or_default();
            let text = format!("omnibox.{member}: {} {}", of("content"), of("description"));
            self.console(caller.known.instance, "info", &text);
        }
        Ok(None)
    }

    // Notifications.

    /// `notifications`: shown by the desktop, where it shows any; nobody hears of a click on one.
    pub(crate) fn notifications_call(
        self: &Rc<Self>,
        caller: &Caller,
        member: &str,
        arguments: &[Value],
    ) -> Outcome {
        let instance = caller.known.instance;
        let id = arguments.first().and_then(Value::as_str).unwrap_or_default().to_owned();
        let name_of = |id: &str| format!("{instance:?} {id}");
        match member {
            "create" | "update" => {
                let text = |key: &str| {
                    arguments.get(1).and_then(|given| given.get(key)?.as_str()).unwrap_or_default().to_owned()
                };
                let (title, message) = (text("title"), text("message"));
                let id = if id.is_empty() { format!("notification {}", self.new_number()) } else { id };
                if [&id, &title, &message].iter().any(|text| text.len() > MOST_NOTIFICATIONS.1) {
                    return Err(format!(
                        "a text of a notification has {} bytes at most",
                        MOST_NOTIFICATIONS.1
                    ));
                }
                let known = self.with_extension(instance, |loaded| {
                    let known = loaded.notifications.contains(&id);
                    if !known && member == "create" {
                        if loaded.notifications.len() >= MOST_NOTIFICATIONS.0 {
                            return Err("too many notifications".to_owned());
                        }
                        loaded.notifications.insert(id.clone());
                    }
                    Ok(known)
                });
                let known = known.unwrap_or(Ok(false))?;
                if known || member == "create" {
                    let shown = gio::Notification::new(&title);
                    shown.set_body(Some(&message));
                    self.application.send_notification(Some(&name_of(&id)), &shown);
                    self.console(instance, "info", &format!("notification: {title}: {message}"));
                }
                Ok(Some(if member == "create" { id.into() } else { known.into() }))
            }
            "clear" => {
                self.application.withdraw_notification(&name_of(&id));
                let known = self.with_extension(instance, |loaded| loaded.notifications.remove(&id));
                Ok(Some((known == Some(true)).into()))
            }
            "getAll" => {
                let all = self.with_extension(instance, |loaded| {
                    loaded.notifications.iter().map(|id| (id.clone(), true.into())).collect()
                });
                Ok(Some(Value::Object(all.unwrap_or_default())))
            }
            "getPermissionLevel" => Ok(Some("granted".into())),
            _ => Err(format!("not supported by this browser: notifications.{member}")),
        }
    }

    // Windows.

    /// `windows`: there is one, and what is to have a window of its own opens in tabs.
    pub(crate) fn windows_call(
        self: &Rc<Self>,
        caller: &Caller,
        member: &str,
        arguments: &[Value],
    ) -> Outcome {
        let extension = &caller.known.extension;
        let shows_tabs = |info: Option<&Value>| info.is_some_and(|info| info["populate"] == true);
        let window = |populate: bool| {
            let mut window = json!({
                "id": WINDOW.get(), "focused": true, "incognito": false, "alwaysOnTop": false, "type": "normal",
                "state": "normal", "left": 0, "top": 0, "width": self.window().size().0, "height": self.window().size().1,
            });
            if populate {
                window["tabs"] = self.tabs.all().iter().map(|tab| tab.seen_by(extension)).collect();
            }
            window
        };
        let is_it = || arguments.first().and_then(Value::as_i64).is_some_and(|id| id == -2 || id == 1);
        match member {
            "getAll" => Ok(Some(json!([window(shows_tabs(arguments.first()))]))),
            "getCurrent" | "getLastFocused" => Ok(Some(window(shows_tabs(arguments.first())))),
            "get" | "update" if is_it() => Ok(Some(window(shows_tabs(arguments.get(1))))),
            "get" | "update" => {
                Err(format!("No window with id: {}.", arguments.first().unwrap_or(&Value::Null)))
            }
            "create" => {
                let text = "not supported by this browser: windows.create with a window of its own; its pages open in tabs";
                self.console(caller.known.instance, "warn", text);
                let given = arguments.first().and_then(|data| data.get("url")).cloned().unwrap_or_default();
                let urls = match given {
                    Value::Array(urls) => urls,
                    Value::Null => vec!["about:blank".into()],
                    one => vec![one],
                };
                let urls = urls.iter().filter_map(Value::as_str).map(|url| resolve(extension, url));
                let urls = urls.collect::<Result<Vec<_>, _>>()?;
                let opened: Vec<TabId> = urls.iter().map(|url| self.open_tab(url, true)).collect();
                let mut window = window(false);
                let seen = opened.iter().filter_map(|tab| Some(self.tabs.get(*tab)?.seen_by(extension)));
                window["tabs"] = seen.collect();
                Ok(Some(window))
            }
            _ => Err(format!("not supported by this browser: windows.{member}")),
        }
    }
}
