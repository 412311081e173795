//! The messages of an extension's `_locales`, in English or else in its default locale.

use super::files::Files;
use super::manifest::without_comments;
use serde_json::{Map, Value};

/// Reads the messages, by their names in lower case. Without a default locale there are none.
pub(super) fn read(folder: &dyn Files, manifest: &Value) -> Map<String, Value> {
    let Some(default) = manifest.get("default_locale").and_then(Value::as_str) else { return Map::new() };
    let mut messages = Map::new();
    // What the default locale alone has is taken from it.
    for locale in [default, "en", "en_US"] {
        let Ok(text) = folder.read_path(&format!("_locales/{locale}/messages.json")) else { continue };
        let read: Value = serde_json::from_str(&without_comments(&text)).unwrap_or_default();
        for (name, message) in read.as_object().into_iter().flatten() {
            let mut message = message.clone();
            if let Some(placeholders) = message.get_mut("placeholders").and_then(Value::as_object_mut) {
                *placeholders = std::mem::take(placeholders)
                    .into_iter()
                    .map(|(name, value)| (name.to_lowercase(), value))
                    .collect();
            }
            messages.insert(name.to_lowercase(), message);
        }
    }
    messages
}

/// Puts messages in the place of `__MSG_name__` in JSON; a name without a message stays.
pub(super) fn insert(json: &str, messages: &Map<String, Value>) -> String {
    const BEGINNING: &str = "__MSG_";
    let mut written = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, after)) = rest.split_once(BEGINNING) {
        written.push_str(before);
        let found = after.split_once("__").and_then(|(name, after)| {
            let message = messages.get(&name.to_lowercase())?.get("message")?.as_str()?;
            Some((Value::from(message).to_string(), after))
        });
        match found {
            Some((quoted, after)) => {
                written.push_str(&quoted[1..quoted.len() - 1]);
                rest = after;
            }
            None => {
                written.push_str(BEGINNING);
                rest = after;
            }
        }
    }
    written + rest
}

#[cfg(test)]
mod tests {
    use super::{insert, read};
    use crate::extension::MemoryFiles;
    use serde_json::json;

    #[test]
    fn messages_are_found_in_english_and_in_the_default_locale() {
        let files = MemoryFiles::new(
            "test",
            [
                (
                    "_locales/de/messages.json",
                    r#"{ "Name": { "message": "der Name" }, "only": { "message": "nur" } }"#,
                ),
                ("_locales/en/messages.json", r#"{ "name": { "message": "the \"name\"" } }"#),
            ],
        );
        let messages = read(&files, &json!({ "default_locale": "de" }));
        assert_eq!(
            insert(r#"{ "name": "__MSG_name__ __MSG_ONLY__ __MSG_none__" }"#, &messages),
            r#"{ "name": "the \"name\" nur __MSG_none__" }"#
        );
        assert!(read(&files, &json!({})).is_empty());
    }
}
