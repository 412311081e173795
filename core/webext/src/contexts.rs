//! `runtime.getContexts`: which contexts are asked for.

use serde_json::Value;

/// Returns those of an extension's contexts, as `runtime.ExtensionContext`, that match a `runtime.ContextFilter`: every
/// property that the filter has is a list, and holds what the context has. What is no property of filters, and no list,
/// matches everything.
#[must_use]
pub fn contexts_that_match(filter: &Value, mut contexts: Vec<Value>) -> Vec<Value> {
    contexts.retain(|context| {
        filter.as_object().into_iter().flatten().all(|(key, wanted)| {
            let (Some(property), Some(wanted)) = (property_of(key), wanted.as_array()) else { return true };
            wanted.contains(&context[property])
        })
    });
    contexts
}

fn property_of(key: &str) -> Option<&'static str> {
    Some(match key {
        "contextTypes" => "contextType",
        "contextIds" => "contextId",
        "documentIds" => "documentId",
        "documentOrigins" => "documentOrigin",
        "documentUrls" => "documentUrl",
        "frameIds" => "frameId",
        "tabIds" => "tabId",
        "windowIds" => "windowId",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::contexts_that_match;
    use serde_json::json;

    #[test]
    fn a_context_has_what_every_list_of_the_filter_holds() {
        let popup = json!({ "contextType": "POPUP", "tabId": -1 });
        let tab = json!({ "contextType": "TAB", "tabId": 7 });
        let all = vec![popup.clone(), tab.clone()];
        let found = |filter| contexts_that_match(&filter, all.clone());
        assert_eq!(found(json!({})), all);
        assert_eq!(found(json!({ "contextTypes": ["POPUP", "BACKGROUND"] })), [popup]);
        assert_eq!(found(json!({ "contextTypes": ["TAB"], "tabIds": [7] })), [tab]);
        assert!(found(json!({ "contextTypes": ["TAB"], "tabIds": [8] })).is_empty());
        assert_eq!(found(json!({ "unknown": ["TAB"], "tabIds": 8 })), all);
    }
}
