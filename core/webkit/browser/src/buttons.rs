//! Extensions' buttons in the toolbar: their properties, and clicks.

use crate::api::{Caller, Outcome};
use crate::browser::Browser;
use crate::extensions::LoadedExtension;
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
            ("openPopup", ..) => {
                self.click(caller.known.instance);
                return Ok(None);
            }
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

    /// A person clicks the button of an extension.
    pub(crate) fn click(self: &Rc<Self>, instance: ExtensionInstance) {
        let tab = self.active_tab();
        let known = self.with_extension(instance, |loaded| {
            let popup = loaded.button_property("Popup", tab);
            (
                Rc::new(loaded.extension.id().clone()),
                loaded.extension.base().clone(),
                popup,
                loaded.extension.manifest().has_permission("activeTab"),
            )
        });
        let Some((id, base, popup, has_active_tab)) = known else { return };
        if let (Some(tab), true) = (tab, has_active_tab) {
            self.tabs.change(|tabs| {
                if let Some(info) = tabs.get_mut(&tab) {
                    info.granted.push((*id).clone());
                }
            });
            self.tell_tabs();
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
