//! Menu items of extensions: what scripts say of them, the context menu of a page, and what a person chooses there.

use crate::api::{Caller, Outcome};
use crate::browser::Browser;
use gio::{Cancellable, SimpleAction};
use port_core::{ExtensionInstance, TabId};
use port_core_webext::MenuItems;
use port_core_webext::extension::MatchPattern;
use serde_json::{Map, Value, json};
use std::rc::Rc;
use url::Url;
use webkit6::prelude::*;
use webkit6::{ContextMenu, ContextMenuItem, HitTestResult, WebView};

/// What is below the pointer when a menu opens.
#[derive(Clone, Debug, Default)]
struct Below {
    link: Option<String>,
    source: Option<String>,
    media: Option<&'static str>,
    selection: Option<String>,
    is_editable: bool,
}

impl Below {
    fn of(hit: &HitTestResult) -> Self {
        let text = |text: Option<glib::GString>| text.map(String::from);
        let (is_image, is_media) = (hit.context_is_image(), hit.context_is_media());
        Self {
            link: text(hit.link_uri()).filter(|_| hit.context_is_link()),
            source: if is_image { text(hit.image_uri()) } else { text(hit.media_uri()).filter(|_| is_media) },
            // WebKit does not say whether it is heard alone.
            media: if is_image { Some("image") } else { is_media.then_some("video") },
            selection: None,
            is_editable: hit.context_is_editable(),
        }
    }

    /// Whether an item is for this, by its contexts and the patterns of the page's URL.
    fn shows(&self, item: &Value, page: &Url, has_selection: bool) -> bool {
        let is_blank = self.link.is_none() && self.media.is_none() && !has_selection && !self.is_editable;
        let fits = |context: &str| match context {
            "all" => true,
            "page" => is_blank,
            "link" => self.link.is_some(),
            "image" | "video" | "audio" => self.media == Some(context),
            "selection" => has_selection,
            "editable" => self.is_editable,
            _ => false,
        };
        let contexts = match item["contexts"].as_array() {
            Some(contexts) => contexts.iter().filter_map(Value::as_str).any(fits),
            None => fits("page"),
        };
        let patterns = item["documentUrlPatterns"].as_array();
        let matches = |pattern: &str| pattern.parse::<MatchPattern>().is_ok_and(|known| known.matches(page));
        contexts
            && item["visible"] != false
            && patterns.is_none_or(|all| all.iter().filter_map(Value::as_str).any(matches))
    }
}

/// An item is chosen: what its listeners are told, and how it is from then on.
fn choose(menu: &mut MenuItems, id: &str, below: &Below, page: &Url) -> Option<Value> {
    let mut told = Map::new();
    // WebKit does not say in which frame the pointer is.
    told.insert("frameId".to_owned(), 0.into());
    told.insert("pageUrl".to_owned(), page.as_str().into());
    told.insert("editable".to_owned(), below.is_editable.into());
    let texts = [
        ("linkUrl", below.link.as_deref()),
        ("srcUrl", below.source.as_deref()),
        ("selectionText", below.selection.as_deref()),
        ("mediaType", below.media),
    ];
    told.extend(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into()))));
    menu.choose(id, &mut told).then(|| told.into())
}

impl Browser {
    /// A call about the items of the context menu.
    pub(crate) fn menu_call(&self, caller: &Caller, member: &str, arguments: &[Value]) -> Outcome {
        let profile = self.profile;
        let call =
            |loaded: &mut crate::extensions::LoadedExtension| loaded.menu.call(member, arguments, profile);
        self.with_extension(caller.known.instance, call).unwrap_or(Ok(())).map(|()| None)
    }

    /// Adds the items of extensions to the menu that opens in a tab.
    pub(crate) fn extend_menu(self: &Rc<Self>, tab: TabId, menu: &ContextMenu, hit: &HitTestResult) {
        let Some(page) = self.tabs.get(tab).map(|tab| tab.url) else { return };
        let below = Below::of(hit);
        let extensions = self.extensions.borrow();
        for loaded in &*extensions {
            let shown = |item: &Value| below.shows(item, &page, hit.context_is_selection());
            let items: Vec<(&str, &Value)> = loaded.menu.iter().filter(|(_, item)| shown(item)).collect();
            let within = |parent: Option<&str>| {
                let of = move |item: &Value| {
                    item.get("parentId").filter(|id| !id.is_null()).map(MenuItems::id_text)
                };
                let items = items.iter().filter(move |(_, item)| of(item).as_deref() == parent);
                items.copied().collect::<Vec<_>>()
            };
            let top = within(None);
            if !top.is_empty() {
                menu.append(&ContextMenuItem::new_separator());
            }
            for (id, item) in top {
                let below_it = within(Some(id));
                if below_it.is_empty() {
                    menu.append(&self.menu_item(loaded.instance, tab, id, item, &below));
                    continue;
                }
                let submenu = ContextMenu::new();
                for (id, item) in below_it {
                    submenu.append(&self.menu_item(loaded.instance, tab, id, item, &below));
                }
                let title = item["title"].as_str().unwrap_or_default();
                menu.append(&ContextMenuItem::with_submenu(title, &submenu));
            }
        }
    }

    fn menu_item(
        self: &Rc<Self>,
        instance: ExtensionInstance,
        tab: TabId,
        id: &str,
        item: &Value,
        below: &Below,
    ) -> ContextMenuItem {
        if item["type"] == "separator" {
            return ContextMenuItem::new_separator();
        }
        let action = SimpleAction::new("item", None);
        action.set_enabled(item["enabled"] != false);
        let (me, id, below) = (Rc::downgrade(self), id.to_owned(), below.clone());
        action.connect_activate(move |_, _| {
            if let Some(browser) = me.upgrade() {
                browser.chosen(instance, tab, &id, &below);
            }
        });
        ContextMenuItem::from_gaction(&action, item["title"].as_str().unwrap_or_default(), None)
    }

    fn chosen(&self, instance: ExtensionInstance, tab: TabId, id: &str, below: &Below) {
        let Some(page) = self.tabs.get(tab).map(|tab| tab.url) else { return };
        let info =
            self.with_extension(instance, |loaded| choose(&mut loaded.menu, id, below, &page)).flatten();
        let Some(info) = info else { return };
        self.grant_active_tab(instance, tab);
        let shown = self
            .with_extension(instance, |loaded| self.tabs.get(tab).map(|tab| tab.seen_by(&loaded.extension)));
        for event in ["contextMenus.onClicked", "menus.onClicked"] {
            self.emit_to(instance, event, &json!([info, shown]), false);
        }
    }

    /// A person whom a script plays chooses an item, in a menu over the first link and the first image of the page.
    pub(crate) fn choose_menu_item(self: &Rc<Self>, id: &str, view: &WebView, tab: TabId) -> bool {
        let has_it = |loaded: &&crate::extensions::LoadedExtension| loaded.menu.get(id).is_some();
        let found: Vec<ExtensionInstance> =
            self.extensions.borrow().iter().filter(has_it).map(|loaded| loaded.instance).collect();
        let is_there = !found.is_empty();
        const BELOW: &str = "JSON.stringify([document.querySelector('a[href]')?.href, \
                             document.querySelector('img[src]')?.src, document.title])";
        let (me, id) = (Rc::downgrade(self), id.to_owned());
        view.evaluate_javascript(BELOW, Some("port-core-person"), None, Cancellable::NONE, move |below| {
            let Some(browser) = me.upgrade() else { return };
            let below = below.ok().and_then(|below| serde_json::from_str(&below.to_str()).ok());
            let texts: [Option<String>; 3] = below.unwrap_or_default();
            let [link, source, selection] = texts;
            let media = source.is_some().then_some("image");
            let below = Below { link, source, media, selection, is_editable: false };
            found.iter().for_each(|instance| browser.chosen(*instance, tab, &id, &below));
        });
        is_there
    }
}

#[cfg(test)]
mod tests {
    use super::{Below, choose};
    use port_core_webext::{MenuItems, Profile};
    use serde_json::json;
    use url::Url;

    #[test]
    fn an_item_is_shown_where_it_is_for() {
        let page = Url::parse("https://example.org/").unwrap();
        let over_link = Below { link: Some("https://example.org/a".to_owned()), ..Below::default() };
        let link = json!({ "contexts": ["link"] });
        assert!(over_link.shows(&link, &page, false) && !Below::default().shows(&link, &page, false));
        assert!(
            Below::default().shows(&json!({}), &page, false) && !over_link.shows(&json!({}), &page, false)
        );
        let elsewhere = json!({ "contexts": ["all"], "documentUrlPatterns": ["https://example.com/*"] });
        assert!(!over_link.shows(&elsewhere, &page, false));
    }

    #[test]
    fn who_chose_an_item_says_what_was_below() {
        let page = Url::parse("https://example.org/").unwrap();
        let mut menu = MenuItems::default();
        menu.call("create", &[json!({ "id": 1 })], Profile::Chromium).unwrap();
        let over_link = Below { link: Some("https://example.org/a".to_owned()), ..Below::default() };
        let told = json!({
            "menuItemId": 1, "pageUrl": "https://example.org/", "frameId": 0, "editable": false,
            "linkUrl": "https://example.org/a",
        });
        assert_eq!(choose(&mut menu, "1", &over_link, &page), Some(told));
        assert_eq!(choose(&mut menu, "2", &over_link, &page), None);
    }
}
