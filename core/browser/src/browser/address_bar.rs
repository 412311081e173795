//! The address bar, as far as it leads to extensions: `omnibox`.

use super::Browser;
use crate::log::Event;
use serde_json::{Value, json};

impl Browser {
    /// A person types the keyword of an extension and a text into the address bar, and presses the enter key.
    pub(super) fn type_into_address_bar(&mut self, typed: &str) {
        let (keyword, text) = typed.split_once(' ').unwrap_or((typed, ""));
        let has_it = |loaded: &&super::LoadedExtension| {
            loaded.extension.manifest().omnibox_keyword().is_some_and(|known| known == keyword)
        };
        // Where several have it, it is the first one's.
        let Some(instance) = self.extensions.iter().find(has_it).map(|loaded| loaded.instance) else {
            return self.log_error(&format!("no extension has the keyword {keyword:?}"), None, None, None);
        };
        self.emit_to(instance, "omnibox.onInputStarted", "[]".to_owned());
        self.emit_to(instance, "omnibox.onInputChanged", json!([text]).to_string());
        self.emit_to(instance, "omnibox.onInputEntered", json!([text, "currentTab"]).to_string());
    }

    /// What an extension suggests below the address bar: the log shows it.
    pub(super) fn omnibox_call(&self, method: &str, given: &Value) {
        let suggestions = match given {
            Value::Array(several) => several.as_slice(),
            one => std::slice::from_ref(one),
        };
        for suggestion in suggestions {
            let of = |key: &str| suggestion[key].as_str().unwrap_or_default();
            let text = format!("omnibox.{method}: {} {}", of("content"), of("description"));
            self.log("browser", &Event::Console { level: "info", text: &text });
        }
    }
}
