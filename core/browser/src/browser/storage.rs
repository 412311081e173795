//! `storage`: what the contexts of an extension keep together. Nothing outlives the run.

use super::Browser;
use super::api::{Outcome, read};
use crate::messages::Caller;
use port_core_webext::Profile;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How much an area keeps, in bytes of JSON.
const MOST: usize = 10 << 20;

/// The areas of an extension.
#[derive(Debug, Default)]
pub(super) struct Storage {
    areas: BTreeMap<String, Map<String, Value>>,
}

impl Browser {
    /// A call about an area of the caller's extension, which is the last argument.
    pub(super) fn storage_call(
        &mut self,
        caller: &Caller,
        method: &str,
        mut arguments: Vec<Value>,
    ) -> Outcome {
        let area: String =
            serde_json::from_value(arguments.pop().unwrap_or_default()).map_err(|error| error.to_string())?;
        let profile = self.shared.profile;
        let Some(loaded) = self.loaded_mut(caller.instance) else {
            return Err("the extension is not loaded".to_owned());
        };
        let items = loaded.storage.areas.entry(area.clone()).or_default();
        let mut arguments = arguments.into_iter();
        let given: Value = arguments.next().unwrap_or_default();
        let mut changes = Map::new();
        let mut remove = |items: &mut Map<String, Value>, key: &str| {
            if let Some(old) = items.remove(key) {
                changes.insert(key.to_owned(), json!({ "oldValue": old }));
            }
        };
        match method {
            "get" => return Ok(Some(Value::Object(chosen(items, &given)))),
            "getBytesInUse" => {
                let bytes: usize = chosen(items, &given)
                    .iter()
                    .map(|(key, value)| key.len() + value.to_string().len())
                    .sum();
                return Ok(Some(bytes.into()));
            }
            "getKeys" => return Ok(Some(items.keys().cloned().collect())),
            "remove" => names(&given).iter().for_each(|key| remove(items, key)),
            "clear" => {
                items.keys().cloned().collect::<Vec<_>>().iter().for_each(|key| remove(items, key));
            }
            "set" if area == "managed" => {
                return Err(match profile {
                    Profile::Chromium => "This is a read-only store.".to_owned(),
                    Profile::Firefox => "storage.managed is read-only".to_owned(),
                });
            }
            "set" => {
                let new: Map<String, Value> = read(&mut [given].into_iter())?;
                let bytes = |items: &Map<String, Value>| -> usize {
                    items.iter().map(|(key, value)| key.len() + value.to_string().len()).sum()
                };
                if bytes(items) + bytes(&new) > MOST {
                    return Err("QUOTA_BYTES quota exceeded".to_owned());
                }
                for (key, value) in new {
                    let old = items.insert(key.clone(), value.clone());
                    // Firefox tells of values that are as before, too.
                    if profile == Profile::Chromium && old.as_ref() == Some(&value) {
                        continue;
                    }
                    let mut change = json!({ "newValue": value });
                    if let Some(old) = old {
                        change["oldValue"] = old;
                    }
                    changes.insert(key, change);
                }
            }
            _ => return Err(format!("not supported by this browser: storage.{method}")),
        }
        if !changes.is_empty() {
            let changes = Value::Object(changes);
            self.emit_everywhere(caller.instance, "storage.onChanged", &json!([changes, area]));
            let event = match area.as_str() {
                "local" => "storage.local.onChanged",
                "sync" => "storage.sync.onChanged",
                "session" => "storage.session.onChanged",
                _ => "storage.managed.onChanged",
            };
            self.emit_everywhere(caller.instance, event, &json!([changes]));
        }
        Ok(None)
    }
}

/// The names that keys give: a text, or several.
fn names(keys: &Value) -> Vec<String> {
    match keys {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().filter_map(|key| Some(key.as_str()?.to_owned())).collect(),
        _ => Vec::new(),
    }
}

/// What keys choose: all for none of them, and the values of an object where there are no others.
fn chosen(items: &Map<String, Value>, keys: &Value) -> Map<String, Value> {
    match keys {
        Value::Null => items.clone(),
        Value::Object(defaults) => defaults
            .iter()
            .map(|(key, default)| (key.clone(), items.get(key).unwrap_or(default).clone()))
            .collect(),
        keys => {
            names(keys).into_iter().filter_map(|key| Some((key.clone(), items.get(&key)?.clone()))).collect()
        }
    }
}
