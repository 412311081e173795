//! What a person sees of an extension in the browser's own surface: toolbar buttons, menus, commands.

use super::Browser;
use super::api::Outcome;
use crate::messages::Caller;
use port_core::{ExtensionInstance, TabId};
use port_core_webext::MenuItems;
use port_core_webext::extension::attribute_of_first;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Buttons and menus of an extension.
#[derive(Debug, Default)]
pub(super) struct Surface {
    /// Properties of the button, by name and tab; without a tab for all.
    properties: BTreeMap<(String, Option<u64>), Value>,
    /// The page beside the tab's, where a script set it, and whether a click on the button opens it.
    pub(super) side_panel: Option<String>,
    pub(super) panel_opens_on_click: bool,
    menu: MenuItems,
}

impl Surface {
    /// A property of the button in a tab.
    fn property(&self, name: &str, tab: Option<u64>) -> Option<&Value> {
        let of = |tab| self.properties.get(&(name.to_owned(), tab));
        tab.and_then(|tab| of(Some(tab))).or_else(|| of(None)).filter(|value| !value.is_null())
    }
}

impl Browser {
    /// The popup of an extension's button in a tab; empty when it has none.
    pub(super) fn popup_of(&self, instance: ExtensionInstance, tab: Option<TabId>) -> String {
        let Some(loaded) = self.extensions.iter().find(|loaded| loaded.instance == instance) else {
            return String::new();
        };
        let changed = loaded.surface.property("Popup", tab.map(TabId::get));
        changed
            .map(|popup| popup.as_str().unwrap_or_default().to_owned())
            .unwrap_or_else(|| loaded.extension.manifest().default_popup().unwrap_or_default().to_owned())
    }

    /// A call about the button: `setBadgeText` and its kin.
    pub(super) fn button_call(&mut self, caller: &Caller, method: &str, arguments: &[Value]) -> Outcome {
        let details = arguments.first().cloned().unwrap_or_default();
        let tab = details.get("tabId").or(Some(&details)).and_then(Value::as_u64);
        if let Some(tab) = tab {
            self.tab(tab)?;
        }
        let Some(loaded) = self.loaded_mut(caller.instance) else { return Ok(None) };
        let keep = |loaded: &mut super::LoadedExtension, name: &str, value: Value| {
            loaded.surface.properties.insert((name.to_owned(), tab), value);
            Ok(None)
        };
        match method {
            "setIcon" => Ok(None),
            "enable" | "disable" => keep(loaded, "enabled", (method == "enable").into()),
            "show" | "hide" => keep(loaded, "shown", (method == "show").into()),
            "isEnabled" => Ok(Some(loaded.surface.property("enabled", tab).cloned().unwrap_or(true.into()))),
            _ => match (method.strip_prefix("set"), method.strip_prefix("get")) {
                (Some(name), _) => {
                    let key = match name {
                        "BadgeText" => "text",
                        "Title" => "title",
                        "Popup" => "popup",
                        _ => "color",
                    };
                    keep(loaded, name, details.get(key).cloned().unwrap_or_default())
                }
                (_, Some(name)) => {
                    let manifest = loaded.extension.manifest();
                    let initial = match name {
                        "Title" => manifest.button_title().into(),
                        "Popup" => manifest.default_popup().unwrap_or_default().into(),
                        "BadgeText" => "".into(),
                        _ => json!([0, 0, 0, 0]),
                    };
                    Ok(Some(loaded.surface.property(name, tab).cloned().unwrap_or(initial)))
                }
                _ => Err(format!("not supported by this browser: action.{method}")),
            },
        }
    }

    /// A call about the items of the context menu.
    pub(super) fn menu_call(&mut self, caller: &Caller, method: &str, arguments: &[Value]) -> Outcome {
        let profile = self.shared.profile;
        let Some(loaded) = self.loaded_mut(caller.instance) else { return Ok(None) };
        loaded.surface.menu.call(method, arguments, profile).map(|()| None)
    }

    /// A person chooses an item of the context menu of the active tab's page.
    pub(super) fn choose_menu_item(&mut self, id: &str) {
        let Some(tab) = self.active_tab().and_then(|tab| self.shared.tabs.get(tab)) else { return };
        let html = self.tabs.get(&tab.id).and_then(|open| open.top()).map(|top| Arc::clone(&top.html));
        let found = |element: &str, name: &str| {
            attribute_of_first(html.as_deref()?, element, name).and_then(|url| tab.url.join(url).ok())
        };
        let mut chosen = Vec::new();
        for loaded in &mut self.extensions {
            let Some(item) = loaded.surface.menu.get(id) else { continue };
            let mut info = json!({
                "editable": false, "pageUrl": tab.url.as_str(), "frameId": 0, "frameUrl": tab.url.as_str(),
            });
            // The menu is that of the first element of a kind that the item is for.
            let is_for = |kind: &str| {
                item["contexts"].as_array().is_some_and(|kinds| kinds.iter().any(|known| known == kind))
            };
            if let Some(source) = is_for("image").then(|| found("img", "src")).flatten() {
                info["mediaType"] = "image".into();
                info["srcUrl"] = source.as_str().into();
            }
            if let Some(link) = is_for("link").then(|| found("a", "href")).flatten() {
                info["linkUrl"] = link.as_str().into();
            }
            if let Some(told) = info.as_object_mut() {
                loaded.surface.menu.choose(id, told);
            }
            chosen.push((loaded.instance, info));
        }
        if chosen.is_empty() {
            self.log_error(&format!("no extension has a menu item {id:?}"), None, None, None);
        }
        for (instance, info) in chosen {
            self.grant(instance, tab.id);
            let shown = self.tab_seen_by(instance, tab.id);
            for event in ["contextMenus.onClicked", "menus.onClicked"] {
                self.emit_to(instance, event, json!([info, shown]).to_string());
            }
        }
    }

    /// A person gives a command.
    pub(super) fn give_command(&mut self, name: &str) {
        let Some(tab) = self.active_tab() else { return };
        let named =
            |loaded: &&super::LoadedExtension| loaded.extension.manifest().commands().contains_key(name);
        let instances: Vec<_> = self.extensions.iter().filter(named).map(|loaded| loaded.instance).collect();
        if instances.is_empty() {
            self.log_error(&format!("no extension has a command {name:?}"), None, None, None);
        }
        for instance in instances {
            if matches!(name, "_execute_action" | "_execute_browser_action" | "_execute_page_action") {
                self.click_button(instance);
                continue;
            }
            self.grant(instance, tab);
            let shown = self.tab_seen_by(instance, tab);
            self.emit_to(instance, "commands.onCommand", json!([name, shown]).to_string());
        }
    }

    /// `commands.getAll`.
    pub(super) fn commands_call(&self, caller: &Caller, method: &str) -> Outcome {
        let Some(loaded) = self.loaded(caller).filter(|_| method == "getAll") else {
            return Err(format!("not supported by this browser: commands.{method}"));
        };
        let shown = loaded.extension.manifest().commands().iter().map(|(name, command)| {
            let key = command.get("suggested_key").and_then(|key| key.get("default")?.as_str()).unwrap_or_default();
            json!({ "name": name, "description": command["description"].as_str().unwrap_or_default(), "shortcut": key })
        });
        Ok(Some(shown.collect()))
    }
}
