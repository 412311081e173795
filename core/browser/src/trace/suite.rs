//! A folder of scenarios, and the extension that runs them.

use crate::folder::Folder;
use crate::quickjs::Evaluator;
use port_core_webext::Profile;
use port_core_webext::extension::{Extension, MemoryFiles};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::IDLE;
use super::site::ORIGIN;

const HARNESS: &str = "harness.js";
const BACKGROUND: &str = include_str!("background.js");
const CONTENT: &str = include_str!("content.js");
const SLEEPER: &str = include_str!("sleeper.js");
/// What the names of scenarios begin with whose sleeper admits pages of the web.
pub(super) const OF_WEB_PAGES: &str = "web_page_";

/// A file for scenarios to inject.
const INJECTED: &str = include_str!("../../../tests/scenarios/record/injected.js");

/// The scenarios of a folder.
#[derive(Debug)]
pub(crate) struct Suite {
    /// Names of scenarios, in the order of their files and within these.
    pub(crate) names: Vec<String>,
    /// What is wrong with files that could not be used.
    pub(crate) errors: Vec<String>,
    harness: String,
    files: Vec<(String, String)>,
    extension: Folder,
}

/// The two extensions of a scenario with a background that is stopped.
pub(crate) struct Sleeper {
    /// The one that runs the scenario's `bg`.
    pub(crate) driver: Folder,
    /// The one that is stopped.
    pub(crate) own: Folder,
    /// Its id.
    pub(crate) id: String,
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
        let extension = extension(&harness, &files, profile, &json!({ "base": ORIGIN }));
        Ok(Self { names, errors, extension, harness, files })
    }

    /// The extension with the scenarios.
    pub(crate) fn extension(&self) -> Folder {
        self.extension.clone()
    }

    /// The extensions of a scenario with a sleeper.
    pub(crate) fn sleeper(&self, scenario: &str, profile: Profile) -> Result<Sleeper, String> {
        let build = format!("var BUILD={};", json!({ "base": ORIGIN, "scenario": scenario }));
        let mut files: BTreeMap<String, String> = self.files.iter().cloned().collect();
        files.insert("build.js".to_owned(), build);
        files.insert(HARNESS.to_owned(), self.harness.clone());
        files.insert("sleeper.js".to_owned(), SLEEPER.to_owned());
        let names = self.files.iter().map(|(name, _)| name.as_str());
        let scripts: Vec<&str> =
            ["build.js", HARNESS].into_iter().chain(names).chain(["sleeper.js"]).collect();
        let mut manifest = json!({ "manifest_version": 3, "name": "sleeper", "version": "1.0" });
        if scenario.starts_with(OF_WEB_PAGES) {
            manifest["externally_connectable"] = json!({ "ids": ["*"], "matches": ["http://127.0.0.1/*"] });
        }
        manifest["background"] = background_of(&scripts, profile, &mut files);
        manifest["browser_specific_settings"] = json!({ "gecko": { "id": "sleeper@example.invalid" } });
        files.insert("manifest.json".to_owned(), manifest.to_string());
        let own = Folder::Memory(Arc::new(MemoryFiles::new("sleeper", files)));
        let loaded =
            Extension::load(Arc::new(own.clone()), profile).map_err(|failed| failed.error.message)?;
        let id = loaded.id().as_str().to_owned();
        let idle = u64::try_from(IDLE.as_millis()).unwrap_or(u64::MAX);
        let build = json!({ "base": ORIGIN, "idle": idle, "sleeper": id });
        Ok(Sleeper { driver: extension(&self.harness, &self.files, profile, &build), own, id })
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
fn extension(harness: &str, scenarios: &[(String, String)], profile: Profile, build: &Value) -> Folder {
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
    let scripts: Vec<&str> = background.iter().map(String::as_str).collect();
    manifest["background"] = background_of(&scripts, profile, &mut files);
    if profile == Profile::Firefox {
        manifest["browser_specific_settings"] = json!({ "gecko": { "id": "probe@example.invalid" } });
    }
    files.extend(scenarios.iter().cloned());
    let in_page = ["build.js"].into_iter().chain(content.iter().map(String::as_str));
    let page: String = in_page.map(|name| format!("<script src=\"{name}\"></script>")).collect();
    for (name, text) in [
        ("manifest.json", manifest.to_string().as_str()),
        ("build.js", &format!("var BUILD={build};")),
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

/// The `background` of a manifest: an event page, or a worker whose file is added.
fn background_of(scripts: &[&str], profile: Profile, files: &mut BTreeMap<String, String>) -> Value {
    match profile {
        Profile::Chromium => {
            let imports: Vec<String> = scripts.iter().map(|name| format!("{name:?}")).collect();
            files.insert("sw.js".to_owned(), format!("importScripts({});", imports.join(",")));
            json!({ "service_worker": "sw.js" })
        }
        Profile::Firefox => json!({ "scripts": scripts }),
    }
}
