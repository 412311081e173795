//! A folder of scenarios, and the extension that runs them.

use crate::folder::Folder;
use crate::quickjs::Evaluator;
use port_core_webext::Profile;
use port_core_webext::extension::MemoryFiles;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::site::ORIGIN;

const HARNESS: &str = "harness.js";
const BACKGROUND: &str = include_str!("background.js");
const CONTENT: &str = include_str!("content.js");
/// A file for scenarios to inject.
const INJECTED: &str = include_str!("../../../tests/scenarios/record/injected.js");

/// The scenarios of a folder.
#[derive(Debug)]
pub(crate) struct Suite {
    /// Names of scenarios, in the order of their files and within these.
    pub(crate) names: Vec<String>,
    /// What is wrong with files that could not be used.
    pub(crate) errors: Vec<String>,
    extension: Folder,
}

impl Suite {
    /// Reads the folder's `*.js`, and the harness in the folder, above it or with the recorder.
    pub(crate) fn read(folder: &Path, profile: Profile) -> Result<Self, String> {
        let read =
            |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
        let places =
            [HARNESS.into(), PathBuf::from("..").join(HARNESS), PathBuf::from("record").join(HARNESS)];
        let harness = places.iter().map(|place| folder.join(place)).find(|path| path.exists());
        let harness = harness.ok_or_else(|| format!("there is no {HARNESS} for {}", folder.display()))?;
        let harness = read(&harness)?;
        let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(|path| {
            path.extension().is_some_and(|extension| extension == "js")
                && path.file_name().is_some_and(|name| name != HARNESS)
        });
        paths.sort();
        let mut files = Vec::new();
        let mut errors = Vec::new();
        for path in paths {
            match read(&path) {
                Ok(text) => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    files.push((format!("s_{name}"), text));
                }
                Err(error) => errors.push(error),
            }
        }
        let names = names_of(&harness, &mut files, profile, &mut errors)?;
        Ok(Self { names, errors, extension: extension(&harness, &files, profile) })
    }

    /// The extension with the scenarios.
    pub(crate) fn extension(&self) -> Folder {
        self.extension.clone()
    }
}

/// The names of the scenarios in files. A file that throws is left out.
fn names_of(
    harness: &str,
    files: &mut Vec<(String, String)>,
    profile: Profile,
    errors: &mut Vec<String>,
) -> Result<Vec<String>, String> {
    let engine = Evaluator::new()?;
    let world = format!(
        "var chrome = {{ runtime: {{}} }}, browser = chrome, BUILD = {{}}, navigator = {{ userAgent: {:?} }};",
        profile.user_agent()
    );
    engine.evaluate("world.js", &world)?;
    engine.evaluate(HARNESS, harness)?;
    files.retain(|(name, text)| match engine.evaluate(name, text) {
        Ok(()) => true,
        Err(error) => {
            errors.push(format!("{}: {error}", name.trim_start_matches("s_")));
            false
        }
    });
    let names = engine.call("() => JSON.stringify(Object.keys(SCEN))", &json!([]))?;
    serde_json::from_str(&names).map_err(|error| error.to_string())
}

/// The extension of the real browsers' runner, with our own functions around the scenarios.
fn extension(harness: &str, scenarios: &[(String, String)], profile: Profile) -> Folder {
    let names: Vec<&str> = scenarios.iter().map(|(name, _)| name.as_str()).collect();
    let with = |first: &[&str], last: &str| {
        [first, names.as_slice(), &[last]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let background = with(&["build.js", HARNESS], "bg.js");
    let content = with(&[HARNESS], "cs.js");
    let mut manifest = json!({
        "manifest_version": 3,
        "name": "probe",
        "version": "1.0",
        "content_scripts": [
            { "matches": ["http://127.0.0.1/*"], "js": content, "all_frames": true, "run_at": "document_start" },
        ],
        "permissions": ["tabs", "webNavigation", "scripting"],
        "host_permissions": ["http://127.0.0.1/*", "http://localhost/*"],
    });
    let mut files = BTreeMap::new();
    match profile {
        Profile::Chromium => {
            let imports: Vec<String> = background.iter().map(|name| format!("{name:?}")).collect();
            files.insert("sw.js".to_owned(), format!("importScripts({});", imports.join(",")));
            manifest["background"] = json!({ "service_worker": "sw.js" });
        }
        Profile::Firefox => {
            manifest["background"] = json!({ "scripts": background });
            manifest["browser_specific_settings"] = json!({ "gecko": { "id": "probe@example.invalid" } });
        }
    }
    files.extend(scenarios.iter().cloned());
    let in_page = ["build.js"].into_iter().chain(content.iter().map(String::as_str));
    let page: String = in_page.map(|name| format!("<script src=\"{name}\"></script>")).collect();
    for (name, text) in [
        ("manifest.json", manifest.to_string().as_str()),
        ("build.js", &format!("var BUILD={};", json!({ "base": ORIGIN }))),
        (HARNESS, harness),
        ("injected.js", INJECTED),
        // By the name that the runner of the set that was given to the project has for it.
        ("inj.js", INJECTED),
        ("bg.js", BACKGROUND),
        ("cs.js", CONTENT),
        ("page.html", &format!("<!doctype html><meta charset=utf8>{page}")),
    ] {
        files.insert(name.to_owned(), text.to_owned());
    }
    Folder::Memory(Arc::new(MemoryFiles::new("probe", files)))
}
