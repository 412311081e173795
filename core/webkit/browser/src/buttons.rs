//! Extensions' buttons in the toolbar: their properties, and clicks.

use crate::api::{Caller, Outcome};
use crate::browser::Browser;
use crate::extensions::LoadedExtension;
use crate::facts::Surface;
use port_core::{ExtensionInstance, TabId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What scripts have set of a button, by property and tab; without a tab for all.
#[derive(Debug, Default)]
pub(crate) struct Button(BTreeMap<(String, Option<u64>), Value>);

impl LoadedExtension {
    /// A property of the button in a tab.
    pub(crate) fn button_property(&self, name: &str, tab: Option<TabId>) -> Value {
        let of = |tab| self.button.0.get(&(name.to_owned(), tab)).filter(|value| !value.is_null());
        let set = tab.and_then(|tab| of(Some(tab.get()))).or_else(|| of(None));
        let manifest = self.extension.manifest();
        set.cloned().unwrap_or_else(|| match name {
            "Title" => manifest.button_title().into(),
            "Popup" => manifest.default_popup().unwrap_or_default().into(),
            "BadgeText" => "".into(),
            "Enabled" => true.into(),
            _ => json!([0, 0, 0, 0]),
        })
    }
}

impl Browser {
    /// A call about the button: `setBadgeText` and its kin.
    pub(crate) fn button_call(
        self: &Rc<Self>,
        caller: &Caller,
        member: &str,
        arguments: &[Value],
    ) -> Outcome {
        let details = arguments.first().cloned().unwrap_or_default();
        let tab = details.get("tabId").or(Some(&details)).and_then(Value::as_u64);
        if let Some(tab) = tab {
            self.tab(tab)?;
        }
        let (name, value) = match (member, member.strip_prefix("set"), member.strip_prefix("get")) {
            ("setIcon" | "show" | "hide", ..) => return Ok(None),
            ("enable" | "disable", ..) => ("Enabled", Some(json!(member == "enable"))),
            ("isEnabled", ..) => ("Enabled", None),
            (_, Some(name), _) => {
                let key = match name {
                    "BadgeText" => "text",
                    "Title" => "title",
                    "Popup" => "popup",
                    _ => "color",
                };
                (name, Some(details.get(key).cloned().unwrap_or_default()))
            }
            (.., Some(name)) => (name, None),
            _ => return Err(format!("not supported by this browser: action.{member}")),
        };
        let is_set = value.is_some();
        let result = self.with_extension(caller.known.instance, |loaded| match value {
            Some(value) => {
                loaded.button.0.insert((name.to_owned(), tab), value);
                None
            }
            None => Some(loaded.button_property(name, tab.map(TabId::new))),
        });
        if is_set {
            self.window().refresh(self);
        }
        Ok(result.flatten())
    }

    /// `openPopup`: `None` if the answer is sent once the popup is loaded.
    pub(crate) fn open_popup(self: &Rc<Self>, caller: &Caller) -> Option<Outcome> {
        let (instance, tab) = (caller.known.instance, self.active_tab());
        if self.is_open(Surface::Popup(instance)) {
            return Some(Ok(None));
        }
        let has_popup = self.with_extension(instance, |loaded| {
            let popup = loaded.button_property("Popup", tab);
            loaded.extension.manifest().has_toolbar_button()
                && popup.as_str().is_some_and(|it| !it.is_empty())
        });
        if has_popup != Some(true) {
            return Some(Err("the button has no popup".to_owned()));
        }
        self.waiting_for_pages.borrow_mut().push((Surface::Popup(instance), caller.clone()));
        self.click(instance);
        None
    }

    /// A person has used an extension in a tab: with the permission for that it may touch the page.
    pub(crate) fn grant_active_tab(&self, instance: ExtensionInstance, tab: TabId) {
        let id = self.with_extension(instance, |loaded| {
            let has_it = loaded.extension.manifest().has_permission("activeTab");
            has_it.then(|| loaded.extension.id().clone())
        });
        let Some(Some(id)) = id else { return };
        self.tabs.change(|tabs| {
            if let Some(info) = tabs.get_mut(&tab)
                && !info.granted.contains(&id)
            {
                info.granted.push(id);
            }
        });
        self.tell_tabs();
    }

    /// A person clicks the button of an extension.
    pub(crate) fn click(self: &Rc<Self>, instance: ExtensionInstance) {
        let tab = self.active_tab();
        let known = self.with_extension(instance, |loaded| {
            let popup = loaded.button_property("Popup", tab);
            (loaded.extension.base().clone(), popup, loaded.panel.opens_on_click)
        });
        let Some((base, popup, opens_panel)) = known else { return };
        if let Some(tab) = tab {
            self.grant_active_tab(instance, tab);
        }
        if opens_panel {
            if let Err(error) = self.open_side_panel(instance) {
                self.console(instance, "error", &error);
            }
            return;
        }
        match popup.as_str().filter(|popup| !popup.is_empty()).map(|popup| base.join(popup)) {
            Some(Ok(url)) => self.window().show_popup(self, instance, &url),
            Some(Err(error)) => self.console(instance, "error", &format!("the popup: {error}")),
            None => {
                let seen = self.with_extension(instance, |loaded| {
                    tab.and_then(|tab| self.tabs.get(tab)).map(|tab| tab.seen_by(&loaded.extension))
                });
                // A manifest has one of them; the others have no listeners.
                for namespace in ["action", "browserAction", "pageAction"] {
                    self.emit_to(instance, &format!("{namespace}.onClicked"), &json!([seen]), false);
                }
            }
        }
    }
}
