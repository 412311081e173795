//! The script's side: the API as JavaScript that runs in any engine, and polyfills for engines that
//! have no web platform.
//!
//! The sources are ECMAScript modules (`script/` of this package). Those of the API touch no globals:
//! `intrinsics.js` takes at its start what it needs of the language, and `createApi` gives the API as
//! an object. The polyfills are apart and optional: `install` puts them and the API among the globals.
//! `host.d.ts` beside them says what each native function takes, gives and refuses.
//!
//! An engine without modules evaluates [`api`] or [`with_polyfills`], one classic script each, and
//! finds the exports in the script's completion value.

mod bundle;

pub use bundle::{Module, bundle};

use std::sync::LazyLock;

/// The types of everything that passes between the script's side and the host, for TypeScript.
pub const HOST_TYPES: &str = include_str!("../../host.d.ts");

macro_rules! modules {
    ($folder:literal: $($name:literal)+) => {
        &[$(Module { name: $name, source: include_str!(concat!("../../script/", $folder, "/", $name, ".js")) },)+]
    };
}

/// The modules of the API. Each comes after those that it imports.
pub const API: &[Module] = modules!("api":
    "intrinsics" "refusal" "profile" "clone_writer" "clone_reader" "clone" "last_error" "event" "channel"
    "port" "one_off" "text" "arguments" "send_arguments" "connecting" "chrome" "calls" "devtools" "absent" "storage" "i18n" "namespaces" "surface"
    "injection" "offered" "invalidation" "older_names" "page_api" "api"
);

/// The modules of the polyfills, which import those of the API.
pub const POLYFILLS: &[Module] = modules!("polyfills":
    "platform" "console" "event_target" "tree" "selector" "markup" "attributes" "control" "element" "document" "encoding" "timers"
    "uncaught" "url" "navigation" "window" "other_window" "page" "worker" "install"
);

/// Returns the API as one classic script, whose value is `{ createApi, createPageApi }`.
///
/// For an engine outside of Rust, write it to a file:
///
/// ```
/// let script = port_core_webext::script::api();
/// # let path = std::env::temp_dir().join(format!("webext-{}.js", std::process::id()));
/// std::fs::write(&path, script)?;
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn api() -> &'static str {
    static SCRIPT: LazyLock<String> = LazyLock::new(|| bundle(API));
    &SCRIPT
}

/// Returns the API and the polyfills as one classic script, whose value is `{ install }`.
pub fn with_polyfills() -> &'static str {
    static SCRIPT: LazyLock<String> = LazyLock::new(|| bundle(&[API, POLYFILLS].concat()));
    &SCRIPT
}
