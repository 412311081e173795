//! `storage`: what the contexts of an extension keep together. Nothing outlives the run.

use crate::api::{Caller, Outcome, read};
use crate::browser::Browser;
use port_core_webext::Profile;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How much an area keeps, in bytes of JSON.
const MOST: usize = 10 << 20;

/// The areas of an extension.
#[derive(Debug, Default)]
pub(crate) struct Storage {
    areas: BTreeMap<String, Map<String, Value>>,
}

impl Browser {
    /// A call about an area of the caller's extension, which is the last argument.
    pub(crate) fn storage_call(&self, caller: &Caller, method: &str, mut arguments: Vec<Value>) -> Outcome {
        let area: String = read(&mut arguments.pop().into_iter())?;
        if !matches!(area.as_str(), "local" | "sync" | "session" | "managed") {
            return Err(format!("no area {area:?}"));
        }
        let given = arguments.into_iter().next().unwrap_or_default();
        let instance = caller.known.instance;
        let called = self.with_extension(instance, |loaded| {
            let items = loaded.storage.areas.entry(area.clone()).or_default();
            carry_out(items, &area, method, given, self.profile)
        });
        let (result, changes) = called.unwrap_or_else(|| Err("the extension is not loaded".to_owned()))?;
        if !changes.is_empty() {
            let changes = Value::Object(changes);
            self.emit_to(instance, "storage.onChanged", &json!([changes, area]), true);
            self.emit_to(instance, &format!("storage.{area}.onChanged"), &json!([changes]), true);
        }
        Ok(result)
    }
}

/// Changes an area; gives the result, and what was changed.
fn carry_out(
    items: &mut Map<String, Value>,
    area: &str,
    method: &str,
    given: Value,
    profile: Profile,
) -> Result<(Option<Value>, Map<String, Value>), String> {
    let bytes = |items: &Map<String, Value>| -> usize {
        items.iter().map(|(key, value)| key.len() + value.to_string().len()).sum()
    };
    let mut changes = Map::new();
    let result = match method {
        "get" => Some(Value::Object(chosen(items, &given))),
        "getBytesInUse" => Some(bytes(&chosen(items, &given)).into()),
        "getKeys" => Some(items.keys().cloned().collect()),
        "remove" | "clear" => {
            let removed = if method == "remove" { names(&given) } else { items.keys().cloned().collect() };
            for key in removed {
                if let Some(old) = items.remove(&key) {
                    changes.insert(key, json!({ "oldValue": old }));
                }
            }
            None
        }
        "set" if area == "managed" => return Err("This is a read-only store.".to_owned()),
        "set" => {
            let new: Map<String, Value> = read(&mut [given].into_iter())?;
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
            None
        }
        _ => return Err(format!("not supported by this browser: storage.{method}")),
    };
    Ok((result, changes))
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
