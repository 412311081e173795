//! Content scripts that an extension registers while it runs: `scripting.registerContentScripts` and its kin.

use super::manifest::{ContentScripts, ScriptWorld};
use super::{Extension, MatchedFrame, Script, Scripts};
use serde_json::{Value, json};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How many scripts an extension may register, and how long they may be as JSON, together.
const MOST: (usize, usize) = (1_000, 4 << 20);

/// The scripts that are registered now, in the order in which they were.
#[derive(Debug, Default)]
pub(super) struct Registered {
    entries: RwLock<Vec<Entry>>,
}

#[derive(Clone, Debug)]
struct Entry {
    id: String,
    /// As scripts see it, with the manifest's names beside the API's.
    shown: Value,
    rule: ContentScripts,
    scripts: Vec<Script>,
}

impl Entry {
    /// Makes an entry of what a script gives, over what was known of it.
    fn new(extension: &Extension, given: &Value, known: Option<&Self>) -> Result<Self, String> {
        let mut shown = known.map_or_else(|| json!({}), |known| known.shown.clone());
        if let (Some(shown), Some(given)) = (shown.as_object_mut(), given.as_object()) {
            let keys = [
                ("allFrames", "all_frames"),
                ("excludeMatches", "exclude_matches"),
                ("runAt", "run_at"),
                ("matchOriginAsFallback", "match_origin_as_fallback"),
            ];
            for (key, value) in given {
                shown.insert(key.clone(), value.clone());
                if let Some((_, name)) = keys.iter().find(|(known, _)| known == key) {
                    shown.insert((*name).to_owned(), value.clone());
                }
            }
            shown.entry("matches").or_insert_with(|| json!([]));
        }
        let rule: ContentScripts =
            serde_json::from_value(shown.clone()).map_err(|error| error.to_string())?;
        let scripts = rule.js.iter().map(|file| extension.injected_file(file));
        let mut scripts = scripts.collect::<Result<Vec<_>, _>>()?;
        let code = shown["code"].as_array().into_iter().flatten().filter_map(Value::as_str);
        scripts.extend(code.map(Script::injected));
        let id = given["id"].as_str().unwrap_or_default().to_owned();
        Ok(Self { id, shown, rule, scripts })
    }
}

impl Registered {
    fn read(&self) -> RwLockReadGuard<'_, Vec<Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Entry>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds those for a world of a frame.
    pub(super) fn add_to(&self, found: &mut Scripts, frame: MatchedFrame<'_>, world: ScriptWorld) {
        for entry in self.read().iter().filter(|entry| entry.rule.runs_in(frame, world)) {
            found.add(entry.rule.run_at, entry.scripts.iter().cloned());
        }
    }
}

impl Extension {
    /// Carries out a call of `scripting` about registered content scripts; those that are registered count in
    /// [`content_scripts_for`](Self::content_scripts_for) from then on. An extension may have 1,000, 4 MiB of JSON
    /// together. Allocates.
    ///
    /// # Errors
    ///
    /// The text for `runtime.lastError`; nothing is changed then. For what is no such method, one of this package's own.
    pub fn registered_call(&self, member: &str, given: &Value) -> Result<Option<Value>, String> {
        let chosen = |id: &str| {
            let ids = given.get("ids").and_then(Value::as_array);
            ids.is_none_or(|ids| ids.iter().any(|wanted| wanted == id))
        };
        match member {
            "registerContentScripts" | "updateContentScripts" => {
                let mut entries = self.registered.read().clone();
                for script in given.as_array().into_iter().flatten() {
                    let id = script["id"].as_str().unwrap_or_default();
                    let known = entries.iter().position(|known| known.id == id);
                    match (member, known) {
                        ("registerContentScripts", Some(_)) => {
                            return Err(format!("Duplicate script ID '{id}'"));
                        }
                        ("updateContentScripts", None) => {
                            return Err(format!(
                                "Script with ID '{id}' does not exist or is not fully registered"
                            ));
                        }
                        _ => {}
                    }
                    let entry = Entry::new(self, script, known.map(|at| &entries[at]))?;
                    known.into_iter().for_each(|at| drop(entries.remove(at)));
                    entries.push(entry);
                }
                let bytes: usize = entries.iter().map(|entry| entry.shown.to_string().len()).sum();
                if entries.len() > MOST.0 || bytes > MOST.1 {
                    return Err(format!("an extension may register {} scripts, {} bytes", MOST.0, MOST.1));
                }
                *self.registered.write() = entries;
                Ok(None)
            }
            "unregisterContentScripts" => {
                self.registered.write().retain(|known| !chosen(&known.id));
                Ok(None)
            }
            "getRegisteredContentScripts" => {
                let entries = self.registered.read();
                Ok(Some(
                    entries
                        .iter()
                        .filter(|known| chosen(&known.id))
                        .map(|known| known.shown.clone())
                        .collect(),
                ))
            }
            _ => Err(format!("not supported by this browser: scripting.{member}")),
        }
    }

    /// Takes over the content scripts that are registered in another process, as `getRegisteredContentScripts` shows
    /// them there, in place of those that were here. One that cannot be is left out.
    pub fn set_registered(&self, shown: &[Value]) {
        let entries = shown.iter().filter_map(|given| Entry::new(self, given, None).ok()).take(MOST.0);
        *self.registered.write() = entries.collect();
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MatchedFrame, MemoryFiles};
    use super::{Extension, ScriptWorld};
    use crate::Profile;
    use serde_json::json;
    use std::sync::Arc;
    use url::Url;

    fn extension() -> Extension {
        let manifest = r#"{ "manifest_version": 3, "name": "Test", "version": "1", "host_permissions": ["https://*/*"] }"#;
        let files = [("manifest.json", manifest), ("one.js", "1"), ("two.js", "2")];
        Extension::load(Arc::new(MemoryFiles::new("test", files)), Profile::Chromium).unwrap()
    }

    fn runs_at(extension: &Extension, url: &str) -> bool {
        let url = Url::parse(url).unwrap();
        let frame = MatchedFrame {
            url: &url,
            maker: None,
            is_top: true,
            is_sandboxed: false,
            profile: Profile::Chromium,
        };
        extension.content_scripts_for(frame, ScriptWorld::Isolated).is_some()
    }

    #[test]
    fn what_is_registered_runs_until_it_is_not() {
        let (here, there) = (extension(), extension());
        let script = json!([{ "id": "a", "js": ["one.js"], "matches": ["*://example.org/*"] }]);
        assert_eq!(here.registered_call("registerContentScripts", &script), Ok(None));
        assert!(runs_at(&here, "https://example.org/") && !runs_at(&here, "https://example.com/"));
        // The manifest asks for no permission there.
        assert!(!runs_at(&here, "http://example.org/"));
        let shown = here.registered_call("getRegisteredContentScripts", &json!({})).unwrap().unwrap();
        there.set_registered(shown.as_array().unwrap());
        assert!(runs_at(&there, "https://example.org/"));
        assert_eq!(here.registered_call("unregisterContentScripts", &json!({ "ids": ["a"] })), Ok(None));
        assert!(!runs_at(&here, "https://example.org/"));
    }

    #[test]
    fn a_call_that_fails_changes_nothing() {
        let extension = extension();
        let script = |file: &str| json!([{ "id": "a", "js": [file], "matches": ["https://example.org/*"] }]);
        assert!(extension.registered_call("updateContentScripts", &script("one.js")).is_err());
        assert_eq!(extension.registered_call("registerContentScripts", &script("one.js")), Ok(None));
        assert!(extension.registered_call("registerContentScripts", &script("two.js")).is_err());
        assert!(extension.registered_call("updateContentScripts", &script("none.js")).is_err());
        assert!(runs_at(&extension, "https://example.org/"));
        let long = json!([{ "id": "b", "code": ["x".repeat(super::MOST.1)] }]);
        assert!(extension.registered_call("registerContentScripts", &long).is_err());
        let shown = extension.registered_call("getRegisteredContentScripts", &json!({})).unwrap().unwrap();
        assert_eq!(shown.as_array().map(Vec::len), Some(1));
    }
}
