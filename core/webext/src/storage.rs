//! `storage`: what the contexts of an extension keep together. It is in memory, and nothing outlives the run.

use crate::profile::Profile;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How much an area keeps, in bytes of JSON.
const MOST: usize = 10 << 20;

/// The areas of an extension's `storage`.
#[derive(Clone, Debug, Default)]
pub struct StorageAreas {
    areas: BTreeMap<Area, Map<String, Value>>,
}

/// What a call about an area came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StorageOutcome {
    /// Its result; `None` for undefined.
    pub result: Option<Value>,
    /// The events that all contexts of the extension hear, by their names, each with its arguments.
    pub events: Vec<(&'static str, Value)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Area {
    Local,
    Sync,
    Session,
    Managed,
}

impl Area {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "local" => Self::Local,
            "sync" => Self::Sync,
            "session" => Self::Session,
            "managed" => Self::Managed,
            _ => return None,
        })
    }

    fn event(self) -> &'static str {
        match self {
            Self::Local => "storage.local.onChanged",
            Self::Sync => "storage.sync.onChanged",
            Self::Session => "storage.session.onChanged",
            Self::Managed => "storage.managed.onChanged",
        }
    }
}

impl StorageAreas {
    /// Carries out a call of the API about an area, whose name is the last argument. An area keeps 10 MiB of JSON.
    /// Allocates.
    ///
    /// # Errors
    ///
    /// The text for `runtime.lastError`, as the profile's browser has it; for what is no area and no method, one of this
    /// crate's own.
    pub fn call(
        &mut self,
        method: &str,
        mut arguments: Vec<Value>,
        profile: Profile,
    ) -> Result<StorageOutcome, String> {
        let name: String = read(arguments.pop())?;
        let area = Area::named(&name).ok_or_else(|| format!("no area {name:?}"))?;
        let items = self.areas.entry(area).or_default();
        let given = arguments.into_iter().next();
        let mut changes = Map::new();
        let mut remove = |items: &mut Map<String, Value>, key: &str| {
            if let Some(old) = items.remove(key) {
                changes.insert(key.to_owned(), json!({ "oldValue": old }));
            }
        };
        let result = |result: Value| Ok(StorageOutcome { result: Some(result), events: Vec::new() });
        match method {
            "get" => return result(Value::Object(chosen(items, &given.unwrap_or_default()))),
            "getBytesInUse" => return result(bytes(&chosen(items, &given.unwrap_or_default())).into()),
            "getKeys" => return result(items.keys().cloned().collect()),
            "remove" => names(&given.unwrap_or_default()).iter().for_each(|key| remove(items, key)),
            "clear" => items.keys().cloned().collect::<Vec<_>>().iter().for_each(|key| remove(items, key)),
            "set" if area == Area::Managed => {
                return Err(match profile {
                    Profile::Chromium => "This is a read-only store.".to_owned(),
                    Profile::Firefox => "storage.managed is read-only".to_owned(),
                });
            }
            "set" => {
                let new: Map<String, Value> = read(given)?;
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
        if changes.is_empty() {
            return Ok(StorageOutcome::default());
        }
        let changes = Value::Object(changes);
        let events = vec![("storage.onChanged", json!([changes, name])), (area.event(), json!([changes]))];
        Ok(StorageOutcome { result: None, events })
    }
}

fn read<T: serde::de::DeserializeOwned>(argument: Option<Value>) -> Result<T, String> {
    serde_json::from_value(argument.unwrap_or_default()).map_err(|error| error.to_string())
}

fn bytes(items: &Map<String, Value>) -> usize {
    items.iter().map(|(key, value)| key.len() + value.to_string().len()).sum()
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

#[cfg(test)]
mod tests {
    use super::StorageAreas;
    use crate::profile::Profile;
    use serde_json::json;

    #[test]
    fn what_is_no_area_keeps_nothing() {
        let mut areas = StorageAreas::default();
        let set = |areas: &mut StorageAreas, area: &str| {
            areas.call("set", vec![json!({ "a": 1 }), json!(area)], Profile::Chromium)
        };
        assert_eq!(set(&mut areas, "elsewhere"), Err("no area \"elsewhere\"".to_owned()));
        assert!(areas.areas.is_empty());
        let stored = set(&mut areas, "local").map(|outcome| outcome.events);
        let change = json!({ "a": { "newValue": 1 } });
        assert_eq!(
            stored,
            Ok(vec![
                ("storage.onChanged", json!([change, "local"])),
                ("storage.local.onChanged", json!([change])),
            ])
        );
        assert_eq!(areas.areas.len(), 1);
    }
}
