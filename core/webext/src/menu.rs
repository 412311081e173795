//! `menus` and `contextMenus`: the items of an extension, whoever shows them.

use crate::profile::Profile;
use serde_json::{Map, Value};

/// The items of an extension's menu, in the order in which they came: at most 1,000 of at most 64 KiB of JSON each.
#[derive(Clone, Debug, Default)]
pub struct MenuItems {
    items: Vec<(String, Value)>,
}

/// How many items an extension may have, and how long one may be as JSON.
const MOST: (usize, usize) = (1_000, 64 << 10);

impl MenuItems {
    /// Carries out a call of the API about items. None has a result. Allocates.
    ///
    /// # Errors
    ///
    /// The text for `runtime.lastError`, as the profile's browser has it; for an item too many or too long, and for what is
    /// no method, one of this package's own. Nothing has changed then.
    pub fn call(&mut self, method: &str, arguments: &[Value], profile: Profile) -> Result<(), String> {
        let none = Value::Null;
        let first = arguments.first().unwrap_or(&none);
        match method {
            "create" => {
                let id = Self::id_text(&first["id"]);
                if self.get(&id).is_some() {
                    return Err(match profile {
                        Profile::Chromium => format!("Cannot create item with duplicate id {id}"),
                        Profile::Firefox => format!("ID already exists: {id}"),
                    });
                }
                if self.items.len() >= MOST.0 {
                    return Err(format!("an extension may have {} items in menus", MOST.0));
                }
                check_length(first)?;
                self.items.push((id, first.clone()));
            }
            "update" => {
                let place = self.place(first, profile)?;
                let mut item = self.items[place].1.clone();
                if let (Some(known), Some(new)) =
                    (item.as_object_mut(), arguments.get(1).and_then(Value::as_object))
                {
                    known.extend(new.clone());
                }
                check_length(&item)?;
                self.items[place].1 = item;
            }
            "remove" => {
                let place = self.place(first, profile)?;
                self.items.remove(place);
            }
            "removeAll" => self.items.clear(),
            "refresh" => {}
            _ => return Err(format!("not supported by this browser: contextMenus.{method}")),
        }
        Ok(())
    }

    fn place(&self, id: &Value, profile: Profile) -> Result<usize, String> {
        let id = Self::id_text(id);
        self.items.iter().position(|(known, _)| *known == id).ok_or_else(|| match profile {
            Profile::Chromium => format!("Cannot find menu item with id {id}"),
            Profile::Firefox => format!("Could not find any menu item with id: {id}"),
        })
    }

    /// Returns an id, which may be a number, as the text that items are found by.
    #[must_use]
    pub fn id_text(id: &Value) -> String {
        id.as_str().map_or_else(|| id.to_string(), str::to_owned)
    }

    /// Returns the item of an id, as the extension described it; `None` if there is none.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Value> {
        self.items.iter().find(|(known, _)| known == id).map(|(_, item)| item)
    }

    /// Returns all items, each with its id as text, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.items.iter().map(|(id, item)| (id.as_str(), item))
    }

    /// Changes an item as a person does who chooses it, and adds to what its listeners are told which it is and how it was:
    /// the properties of `menus.OnClickData` that do not depend on where the menu was opened. Returns whether there is such
    /// an item.
    pub fn choose(&mut self, id: &str, told: &mut Map<String, Value>) -> bool {
        let Some((_, item)) = self.items.iter_mut().find(|(known, _)| known == id) else { return false };
        told.insert("menuItemId".to_owned(), item["id"].clone());
        if let Some(parent) = item.get("parentId") {
            told.insert("parentMenuItemId".to_owned(), parent.clone());
        }
        if matches!(item["type"].as_str(), Some("checkbox" | "radio")) {
            let was = item["checked"].as_bool().unwrap_or_default();
            told.insert("wasChecked".to_owned(), was.into());
            told.insert("checked".to_owned(), (!was).into());
            item["checked"] = (!was).into();
        }
        true
    }
}

fn check_length(item: &Value) -> Result<(), String> {
    let is_short = item.to_string().len() <= MOST.1;
    is_short.then_some(()).ok_or_else(|| format!("an item of a menu may have {} bytes", MOST.1))
}

#[cfg(test)]
mod tests {
    use super::{MOST, MenuItems};
    use crate::profile::Profile;
    use serde_json::{Map, Value, json};

    fn call(menu: &mut MenuItems, method: &str, arguments: &[Value]) -> Result<(), String> {
        menu.call(method, arguments, Profile::Chromium)
    }

    #[test]
    fn items_are_made_once_and_found_by_their_ids() {
        let mut menu = MenuItems::default();
        assert_eq!(call(&mut menu, "create", &[json!({ "id": "a", "title": "A" })]), Ok(()));
        assert!(call(&mut menu, "create", &[json!({ "id": "a", "title": "A" })]).is_err());
        assert!(call(&mut menu, "update", &[json!("b"), json!({})]).is_err());
        assert_eq!(call(&mut menu, "update", &[json!("a"), json!({ "title": "B" })]), Ok(()));
        assert_eq!(menu.get("a"), Some(&json!({ "id": "a", "title": "B" })));
        assert_eq!(call(&mut menu, "remove", &[json!("a")]), Ok(()));
        assert!(call(&mut menu, "remove", &[json!("a")]).is_err());
        assert!(call(&mut menu, "open", &[]).is_err());
    }

    #[test]
    fn what_an_extension_may_have_is_bounded() {
        let mut menu = MenuItems::default();
        let long = "x".repeat(MOST.1);
        assert!(call(&mut menu, "create", &[json!({ "id": "long", "title": long })]).is_err());
        for id in 0..MOST.0 {
            assert_eq!(call(&mut menu, "create", &[json!({ "id": id })]), Ok(()));
        }
        assert!(call(&mut menu, "create", &[json!({ "id": "more" })]).is_err());
        assert!(call(&mut menu, "update", &[json!(1), json!({ "title": long })]).is_err());
        assert_eq!(menu.get("1"), Some(&json!({ "id": 1 })));
    }

    #[test]
    fn a_checkbox_changes_when_it_is_chosen() {
        let mut menu = MenuItems::default();
        call(&mut menu, "create", &[json!({ "id": 1, "type": "checkbox" })]).unwrap();
        for was in [false, true] {
            let mut told = Map::new();
            assert!(menu.choose("1", &mut told));
            assert_eq!(Value::from(told), json!({ "menuItemId": 1, "wasChecked": was, "checked": !was }));
        }
        assert!(!menu.choose("2", &mut Map::new()));
    }
}
