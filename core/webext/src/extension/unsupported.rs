//! What a manifest asks for and this package does not have: to be named once, when the extension is loaded.

use serde_json::Value;

/// Permissions for parts of the API that are absent; each is named like its part.
const PERMISSIONS: [&str; 47] = [
    "accessibilityFeatures.modify",
    "bookmarks",
    "browserSettings",
    "browsingData",
    "captivePortal",
    "certificateProvider",
    "contentSettings",
    "contextualIdentities",
    "cookies",
    "debugger",
    "declarativeContent",
    "declarativeNetRequest",
    "declarativeNetRequestWithHostAccess",
    "desktopCapture",
    "dns",
    "downloads",
    "enterprise.deviceAttributes",
    "find",
    "fontSettings",
    "gcm",
    "history",
    "identity",
    "idle",
    "nativeMessaging",
    "notifications",
    "pageCapture",
    "pkcs11",
    "platformKeys",
    "power",
    "printing",
    "privacy",
    "processes",
    "proxy",
    "readingList",
    "search",
    "sessions",
    "system.cpu",
    "system.display",
    "system.memory",
    "system.storage",
    "tabCapture",
    "tabGroups",
    "theme",
    "topSites",
    "tts",
    "userScripts",
    "webRequest",
];

/// Keys of a manifest that lead to nothing.
const KEYS: [&str; 12] = [
    "app",
    "chrome_settings_overrides",
    "chrome_url_overrides",
    "declarative_net_request",
    "experiment_apis",
    "file_browser_handlers",
    "file_handlers",
    "input_components",
    "protocol_handlers",
    "theme",
    "tts_engine",
    "user_scripts",
];

/// Returns the namespaces of the API that go with them: named like the permission, or the key.
pub(super) fn namespaces_of(manifest: &Value) -> Vec<String> {
    let asked = |list: &str| manifest.get(list).and_then(Value::as_array).into_iter().flatten();
    let is_asked = |name: &&&str| {
        ["permissions", "optional_permissions"].iter().any(|list| asked(list).any(|asked| asked == **name))
    };
    let of_permission = |name: &&str| match *name {
        "declarativeNetRequestWithHostAccess" => "declarativeNetRequest".to_owned(),
        name => name.split('.').next().unwrap_or_default().to_owned(),
    };
    let of_keys = manifest.get("user_scripts").map(|_| "userScripts".to_owned());
    // That of native messaging is a part of `runtime`.
    let permissions = PERMISSIONS.iter().filter(is_asked).filter(|name| **name != "nativeMessaging");
    permissions.map(of_permission).chain(of_keys).collect()
}

/// Returns the keys and permissions of a manifest that lead to nothing, as a person is told of them.
pub(super) fn named_in(manifest: &Value) -> Vec<String> {
    let keys =
        KEYS.iter().filter(|key| manifest.get(**key).is_some()).map(|key| format!("the manifest's {key:?}"));
    let asked = |list: &str| manifest.get(list).and_then(Value::as_array).into_iter().flatten();
    let permissions = PERMISSIONS
        .iter()
        .filter(|name| {
            ["permissions", "optional_permissions"]
                .iter()
                .any(|list| asked(list).any(|asked| asked == **name))
        })
        .map(|name| format!("the permission {name:?}"));
    let pages = asked("content_scripts")
        .any(|entry| entry.get("css").is_some() && entry.get("js").is_none())
        .then(|| "content scripts of CSS alone, for nothing is painted".to_owned());
    keys.chain(permissions).chain(pages).collect()
}
