//! `manifest.json`, versions 2 and 3, as far as this browser follows it.

use super::MatchedFrame;
use super::glob::Glob;
use super::match_pattern::MatchPattern;
use crate::profile::Profile;
use port_core::{ExtensionId, ExternalConnections};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use url::Url;

/// The keys of a manifest that this browser follows. Unknown keys are ignored, as
/// browsers do.
#[derive(Debug, Deserialize)]
pub struct Manifest {
    /// `"manifest_version"`.
    #[serde(rename = "manifest_version")]
    version_of_format: ManifestVersion,
    /// `"name"`.
    pub name: String,
    /// `"version"`.
    pub version: String,
    /// `"background"`.
    pub background: Option<Background>,
    /// `"content_scripts"`.
    #[serde(default)]
    pub content_scripts: Vec<ContentScripts>,
    /// `"externally_connectable"`; without it every extension may connect.
    externally_connectable: Option<ExternallyConnectable>,
    /// `"permissions"`: names, in version 2 also match patterns, for some names objects.
    #[serde(default)]
    permissions: Vec<Value>,
    /// `"optional_permissions"`: names, in version 2 also match patterns.
    #[serde(default)]
    optional_permissions: Vec<Value>,
    /// `"optional_host_permissions"` of version 3.
    #[serde(default)]
    optional_host_permissions: Vec<HostPermission>,
    /// `"host_permissions"` of version 3.
    #[serde(default)]
    host_permissions: Vec<HostPermission>,
    /// `"browser_specific_settings"`, or by its older name `"applications"`.
    #[serde(alias = "applications")]
    browser_specific_settings: Option<BrowserSettings>,
    /// `"devtools_page"`.
    pub devtools_page: Option<String>,
    /// `"action"` of version 3.
    action: Option<Value>,
    /// `"browser_action"` of version 2.
    browser_action: Option<Value>,
    /// `"page_action"` of version 2.
    page_action: Option<Value>,
    /// `"side_panel"` of Chromium.
    side_panel: Option<Value>,
    /// `"sidebar_action"` of Firefox.
    sidebar_action: Option<Value>,
    /// `"commands"`.
    #[serde(default)]
    commands: BTreeMap<String, Value>,
    /// `"omnibox"`.
    omnibox: Option<Omnibox>,
    /// `"sandbox"` of Chromium.
    sandbox: Option<Sandbox>,
    /// `"options_ui"`.
    options_ui: Option<OptionsPage>,
    /// `"options_page"`.
    options_page: Option<String>,
    /// `"web_accessible_resources"`.
    #[serde(default)]
    web_accessible_resources: Vec<AccessibleResources>,
}

/// `"sandbox"`.
#[derive(Debug, Deserialize)]
struct Sandbox {
    #[serde(default)]
    pages: Vec<String>,
}

/// `"omnibox"`.
#[derive(Debug, Deserialize)]
struct Omnibox {
    keyword: String,
}

/// `"options_ui"`.
#[derive(Debug, Deserialize)]
struct OptionsPage {
    page: Option<String>,
}

/// An entry of `"web_accessible_resources"`: a path in version 2, more in version 3.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum AccessibleResources {
    Path(String),
    Entry {
        #[serde(default)]
        resources: Vec<String>,
        /// The pages that may use them; only the scheme and the host count.
        #[serde(default)]
        matches: Vec<MatchPattern>,
        #[serde(default)]
        extension_ids: Vec<String>,
    },
}

/// An entry of `"host_permissions"`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct HostPermission {
    text: String,
    pattern: MatchPattern,
}

impl TryFrom<String> for HostPermission {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(Self { pattern: text.parse()?, text })
    }
}

/// `"manifest_version"`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Value")]
struct ManifestVersion(u64);

impl TryFrom<Value> for ManifestVersion {
    type Error = String;

    fn try_from(version: Value) -> Result<Self, String> {
        match version.as_u64() {
            Some(version @ (2 | 3)) => Ok(Self(version)),
            _ => Err(format!("\"manifest_version\" must be 2 or 3, not {version}")),
        }
    }
}

/// `"externally_connectable"`.
#[derive(Debug, Deserialize)]
struct ExternallyConnectable {
    /// The extensions that may connect; `*` for all.
    #[serde(default)]
    ids: Vec<String>,
    /// The pages of the web that may.
    #[serde(default)]
    matches: Vec<MatchPattern>,
}

/// `"browser_specific_settings"`.
#[derive(Debug, Deserialize)]
struct BrowserSettings {
    gecko: Option<GeckoSettings>,
}

/// What is for Firefox among them.
#[derive(Debug, Deserialize)]
struct GeckoSettings {
    id: Option<String>,
}

/// `"background"`. A manifest may carry several forms for several browsers; the
/// first of worker, page and scripts that is there counts.
#[derive(Debug, Deserialize)]
pub struct Background {
    /// A service worker's script (version 3, Chromium).
    pub service_worker: Option<String>,
    /// A page that loads scripts (version 2).
    pub page: Option<String>,
    /// Scripts of a generated page (version 2, and Firefox's version 3).
    #[serde(default)]
    pub scripts: Vec<String>,
    /// Whether the scripts are classic ones or modules.
    #[serde(default, rename = "type")]
    pub kind: ScriptKind,
    /// Whether it runs as long as the browser; counts in version 2 alone, where it is the default.
    #[serde(default)]
    persistent: Option<bool>,
}

impl Background {
    /// Whether its worker counts, and not the page or the scripts beside it: Firefox has no workers there, and takes
    /// one where nothing else is.
    pub fn is_worker(&self, profile: Profile) -> bool {
        let has_other = self.page.is_some() || !self.scripts.is_empty();
        self.service_worker.is_some() && (profile == Profile::Chromium || !has_other)
    }
}

/// `"type"` of a background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScriptKind {
    /// A script that shares its globals with the scripts before it.
    #[default]
    Classic,
    /// An ECMAScript module.
    Module,
}

/// One entry of `"content_scripts"`. Its `css` is ignored: nothing is painted.
#[derive(Clone, Debug, Deserialize)]
pub struct ContentScripts {
    /// Which pages; must be there.
    pub matches: Vec<MatchPattern>,
    /// Which pages not.
    #[serde(default)]
    pub exclude_matches: Vec<MatchPattern>,
    /// Narrows `matches` down, on the URL as text.
    #[serde(default)]
    pub include_globs: Vec<PlainGlob>,
    /// Narrows `matches` down, on the URL as text.
    #[serde(default)]
    pub exclude_globs: Vec<PlainGlob>,
    /// Files to run, in order.
    #[serde(default)]
    pub js: Vec<String>,
    /// Whether nested frames count, or the top frame alone.
    #[serde(default)]
    pub all_frames: bool,
    /// Whether `about:blank` frames count when the page that made them matches.
    #[serde(default)]
    pub match_about_blank: bool,
    /// Whether any frame counts whose page was made by one that matches: `data:`, `blob:`, sandboxed ones.
    #[serde(default)]
    pub match_origin_as_fallback: bool,
    /// When, in the life of a document.
    #[serde(default)]
    pub run_at: RunAt,
    /// In which world.
    #[serde(default)]
    pub world: ScriptWorld,
}

impl ContentScripts {
    /// Whether the scripts run in a world of a frame.
    pub fn runs_in(&self, frame: MatchedFrame<'_>, world: ScriptWorld) -> bool {
        // A sandboxed `srcdoc` is left out, and in Firefox a sandboxed `about:blank` too (measured).
        let is_blank = match frame.url.as_str() {
            "about:srcdoc" => !frame.is_sandboxed,
            "about:blank" => !frame.is_sandboxed || frame.profile == Profile::Chromium,
            _ => false,
        };
        let url = match frame.maker {
            Some(maker) if self.match_origin_as_fallback || (self.match_about_blank && is_blank) => maker,
            _ => frame.url,
        };
        let any = |patterns: &[MatchPattern]| patterns.iter().any(|pattern| pattern.matches(url));
        let text = url.as_str();
        self.world == world
            && (frame.is_top || self.all_frames)
            && any(&self.matches)
            && !any(&self.exclude_matches)
            && (self.include_globs.is_empty() || self.include_globs.iter().any(|glob| glob.0.matches(text)))
            && !self.exclude_globs.iter().any(|glob| glob.0.matches(text))
    }
}

/// `"world"`: whose globals a script meets in a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ScriptWorld {
    /// The extension's own, with the extension API.
    #[default]
    Isolated,
    /// The page's, without the API. Scripts of all extensions share it.
    Main,
}

impl TryFrom<String> for ScriptWorld {
    type Error = String;

    fn try_from(world: String) -> Result<Self, String> {
        match world.as_str() {
            "ISOLATED" => Ok(Self::Isolated),
            "MAIN" => Ok(Self::Main),
            _ => Err(format!("\"world\" must be \"ISOLATED\" or \"MAIN\", not {world:?}")),
        }
    }
}

/// An entry of `include_globs` or `exclude_globs`.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub struct PlainGlob(pub Glob);

impl From<String> for PlainGlob {
    fn from(glob: String) -> Self {
        Self(Glob::wildcards(&glob))
    }
}

/// `"run_at"`: the three moments of loading at which content scripts run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum RunAt {
    /// Before the page's own scripts.
    #[serde(rename = "document_start")]
    Start,
    /// When the page is parsed.
    #[serde(rename = "document_end")]
    End,
    /// When the page is loaded; the default.
    #[default]
    #[serde(rename = "document_idle")]
    Idle,
}

impl RunAt {
    /// All moments, in order.
    pub const ALL: [Self; 3] = [Self::Start, Self::End, Self::Idle];
}

impl Manifest {
    /// Whether it has a background that is stopped while it is idle: a worker or an event page.
    pub fn has_background_that_stops(&self) -> bool {
        let of_version_3 = self.version_of_format.0 == 3;
        self.background
            .as_ref()
            .is_some_and(|background| of_version_3 || background.persistent == Some(false))
    }

    /// Reads a manifest. `//` comments are allowed, as browsers allow them.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        serde_json::from_str(&without_comments(text)).map_err(|error| ManifestError::new(&error))
    }

    /// Whether `"permissions"` names the permission.
    pub fn has_permission(&self, name: &str) -> bool {
        self.permissions.iter().any(|permission| permission == name)
    }

    /// The hosts the extension may touch: `"host_permissions"`, and the match
    /// patterns among the permissions of version 2.
    pub fn hosts(&self) -> impl Iterator<Item = MatchPattern> {
        let in_permissions =
            self.permissions.iter().filter_map(|permission| permission.as_str()?.parse().ok());
        self.host_permissions.iter().map(|host| host.pattern.clone()).chain(in_permissions)
    }

    /// The same as text.
    pub fn host_texts(&self) -> impl Iterator<Item = &str> {
        let in_permissions = self.permissions.iter().filter_map(Value::as_str);
        let is_host = |text: &&str| text.parse::<MatchPattern>().is_ok();
        self.host_permissions.iter().map(|host| host.text.as_str()).chain(in_permissions.filter(is_host))
    }

    /// The id that the extension has in Firefox.
    pub fn gecko_id(&self) -> Option<&str> {
        self.browser_specific_settings.as_ref()?.gecko.as_ref()?.id.as_deref()
    }

    /// Which other extensions may connect. Firefox ignores the key.
    pub fn external_connections(&self, profile: Profile) -> ExternalConnections {
        match &self.externally_connectable {
            _ if profile == Profile::Firefox => ExternalConnections::Everyone,
            None => ExternalConnections::Everyone,
            Some(key) if key.ids.iter().any(|id| id == "*") => ExternalConnections::Everyone,
            Some(key) => {
                ExternalConnections::Extensions(key.ids.iter().map(|id| ExtensionId::new(id)).collect())
            }
        }
    }

    /// Whether a page of the web may connect, by the URL of its document: one without a URL of its own, such as
    /// `about:srcdoc`, may not, and one in a sandbox may (measured). Firefox ignores the key.
    pub fn admits_page(&self, url: &Url, profile: Profile) -> bool {
        profile == Profile::Chromium
            && matches!(url.scheme(), "http" | "https")
            && self
                .externally_connectable
                .as_ref()
                .is_some_and(|key| key.matches.iter().any(|pattern| pattern.matches(url)))
    }

    /// Whether the extension has a toolbar button.
    pub fn has_toolbar_button(&self) -> bool {
        self.button().is_some()
    }

    fn button(&self) -> Option<&Value> {
        self.action.as_ref().or(self.browser_action.as_ref()).or(self.page_action.as_ref())
    }

    /// The page that the toolbar button opens.
    pub fn default_popup(&self) -> Option<&str> {
        self.button()?.get("default_popup")?.as_str()
    }

    /// The title of the toolbar button.
    pub fn button_title(&self) -> &str {
        self.button().and_then(|button| button.get("default_title")?.as_str()).unwrap_or(&self.name)
    }

    /// `"commands"`, by name.
    pub fn commands(&self) -> &BTreeMap<String, Value> {
        &self.commands
    }

    /// Whether a page of the extension is kept apart from it: it has an origin of its own, and no extension API. Firefox
    /// ignores the key.
    pub fn is_sandboxed(&self, path: &str, profile: Profile) -> bool {
        let path = path.trim_start_matches('/');
        let fits = |pattern: &String| Glob::stars(pattern.trim_start_matches('/')).matches(path);
        profile == Profile::Chromium
            && self.sandbox.as_ref().is_some_and(|sandbox| sandbox.pages.iter().any(fits))
    }

    /// The word that leads from the address bar to the extension.
    pub fn omnibox_keyword(&self) -> Option<&str> {
        self.omnibox.as_ref().map(|omnibox| omnibox.keyword.as_str())
    }

    /// The page beside the tab's.
    pub fn side_panel(&self, profile: Profile) -> Option<&str> {
        match profile {
            Profile::Chromium => self.side_panel.as_ref()?.get("default_path")?.as_str(),
            Profile::Firefox => self.sidebar_action.as_ref()?.get("default_panel")?.as_str(),
        }
    }

    /// The page for the extension's options.
    pub fn options_page(&self) -> Option<&str> {
        self.options_ui.as_ref().and_then(|options| options.page.as_deref()).or(self.options_page.as_deref())
    }

    /// Whether a page of the web may show a file of the extension.
    pub fn is_web_accessible(&self, path: &str, from: &Url) -> bool {
        let path = path.trim_start_matches('/');
        let fits = |pattern: &str| Glob::stars(pattern.trim_start_matches('/')).matches(path);
        self.web_accessible_resources.iter().any(|entry| match entry {
            AccessibleResources::Path(pattern) => fits(pattern),
            AccessibleResources::Entry { resources, matches, extension_ids } => {
                let is_extension = from.scheme().ends_with("-extension");
                let admits = match is_extension {
                    true => extension_ids.iter().any(|id| id == "*" || Some(id.as_str()) == from.host_str()),
                    false => matches.iter().any(|pattern| pattern.matches(from)),
                };
                admits && resources.iter().any(|pattern| fits(pattern))
            }
        })
    }

    /// The names that a person may be asked to grant.
    pub(super) fn optional_permissions(&self) -> Vec<&str> {
        self.optional_permissions.iter().filter_map(Value::as_str).collect()
    }

    /// The origins that a person may be asked to grant, as text.
    pub(super) fn optional_origins(&self) -> Vec<&str> {
        let hosts = self.optional_host_permissions.iter().map(|host| host.text.as_str());
        hosts.chain(self.optional_permissions()).collect()
    }

    /// The names among `"permissions"`.
    pub fn named_permissions(&self) -> impl Iterator<Item = &str> {
        self.permissions.iter().filter_map(Value::as_str).filter(|name| name.parse::<MatchPattern>().is_err())
    }
}

/// What is wrong in a manifest, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// The line, from 1; 0 where it is not known.
    pub line: usize,
    /// The column, from 1; 0 where it is not known.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl ManifestError {
    fn new(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        // The position stands in fields of its own; the text repeats it at its end.
        let message = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
        Self { line, column, message: message.to_owned() }
    }

    /// An error about the manifest as a whole.
    pub fn without_place(message: String) -> Self {
        Self { line: 0, column: 0, message }
    }

    /// An error about a file that the manifest names: the line is that of the name.
    pub fn about_file(manifest: &str, file: &str, message: String) -> Self {
        let name = Value::from(file).to_string();
        let found = manifest.lines().enumerate().find_map(|(line, text)| Some((line, text.find(&name)?)));
        let (line, column) = found.map_or((1, 0), |(line, column)| (line + 1, column + 1));
        Self { line, column, message }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl Error for ManifestError {}

/// The text with every `//` comment outside of strings turned into spaces, so that
/// lines and columns stay what they are.
pub fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.trim_start_matches('\u{feff}').chars().peekable();
    let mut in_string = false;
    let mut in_comment = false;
    while let Some(character) = characters.next() {
        match character {
            '\n' => in_comment = false,
            '/' if !in_string && characters.peek() == Some(&'/') => in_comment = true,
            '"' if !in_comment => in_string = !in_string,
            '\\' if in_string => {
                plain.push(character);
                plain.extend(characters.next());
                continue;
            }
            _ => {}
        }
        plain.push(if in_comment { ' ' } else { character });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Manifest, ManifestError, RunAt, ScriptKind};
    use crate::profile::Profile;
    use url::Url;

    #[test]
    fn version_2_and_3_are_read() {
        let manifest = Manifest::parse(
            r#"{
                // A comment, as Chromium allows it: "quoted"
                "manifest_version": 2, "name": "A // name", "version": "1.0",
                "background": { "scripts": ["a.js", "b.js"], "persistent": false },
                "browser_action": {}, "permissions": ["tabs", "*://*.example.com/*", { "usbDevices": [] }],
                "content_scripts": [{ "matches": ["<all_urls>"], "js": ["c.js"], "run_at": "document_start",
                                      "css": ["ignored.css"], "include_globs": ["*a*"] }]
            }"#,
        )
        .expect("a valid manifest");
        assert_eq!(manifest.name, "A // name");
        assert!(manifest.has_toolbar_button());
        assert!(manifest.has_permission("tabs") && !manifest.has_permission("history"));
        assert_eq!(manifest.hosts().count(), 1);
        assert_eq!(manifest.content_scripts[0].run_at, RunAt::Start);
        assert!(!manifest.content_scripts[0].all_frames);

        let manifest = Manifest::parse(
            r#"{ "manifest_version": 3, "name": "n", "version": "1", "action": {}, "host_permissions": ["<all_urls>"],
                 "background": { "service_worker": "sw.js", "type": "module" } }"#,
        )
        .expect("a valid manifest");
        let background = manifest.background.as_ref().expect("a background");
        assert_eq!(background.service_worker.as_deref(), Some("sw.js"));
        assert_eq!(background.kind, ScriptKind::Module);
        assert_eq!(manifest.hosts().count(), 1);
    }

    #[test]
    fn pages_of_the_web_are_admitted_by_their_urls_in_chromium() {
        let keys = r#"{ "matches": ["https://*.example.com/a*"] }"#;
        let text = format!(
            r#"{{ "manifest_version": 3, "name": "n", "version": "1", "externally_connectable": {keys} }}"#
        );
        let manifest = Manifest::parse(&text).expect("a manifest");
        let admits = |url: &str, profile| manifest.admits_page(&Url::parse(url).expect("a URL"), profile);
        assert!(admits("https://www.example.com/about", Profile::Chromium));
        for url in ["https://www.example.com/b", "http://www.example.com/a", "about:srcdoc", "data:,a"] {
            assert!(!admits(url, Profile::Chromium), "{url}");
        }
        assert!(!admits("https://www.example.com/about", Profile::Firefox));
        let other = r#"{ "manifest_version": 3, "name": "n", "version": "1" }"#;
        let page = Url::parse("https://www.example.com/about").expect("a URL");
        assert!(!Manifest::parse(other).expect("a manifest").admits_page(&page, Profile::Chromium));
    }

    fn error(text: &str) -> ManifestError {
        Manifest::parse(text).expect_err("an error")
    }

    #[test]
    fn an_error_names_its_place() {
        let broken = error("{\n  \"manifest_version\": 3,\n  \"name\": }\n");
        assert_eq!((broken.line, broken.message.as_str()), (3, "expected value"));

        let version = error("{ \"manifest_version\": 4,\n\"name\": \"n\", \"version\": \"1\" }");
        assert_eq!(
            (version.line, version.message.as_str()),
            (1, "\"manifest_version\" must be 2 or 3, not 4")
        );

        let missing = error("{ \"manifest_version\": 3,\n\"name\": \"n\" }");
        assert_eq!((missing.line, missing.message.as_str()), (2, "missing field `version`"));

        let pattern = error(
            "{ \"manifest_version\": 3, \"name\": \"n\", \"version\": \"1\",\n  \"content_scripts\": [{\n    \"matches\": [\"https://a.example\"] }] }",
        );
        assert_eq!(pattern.line, 3);
        assert!(pattern.message.contains("the path is missing"), "{pattern}");

        let in_world = |world: &str| {
            format!(
                "{{ \"manifest_version\": 3, \"name\": \"n\", \"version\": \"1\", \"content_scripts\": [\n{{ \"matches\": [], \"world\": \"{world}\" }}] }}"
            )
        };
        assert!(Manifest::parse(&in_world("ISOLATED")).is_ok() && Manifest::parse(&in_world("MAIN")).is_ok());
        assert!(error(&in_world("main")).message.contains("must be \"ISOLATED\" or \"MAIN\""));

        let kind = error("{ \"manifest_version\": 3, \"name\": 5, \"version\": \"1\" }");
        assert!(kind.message.contains("expected a string"), "{kind}");
    }

    #[test]
    fn an_error_about_a_file_points_at_its_name() {
        let about =
            ManifestError::about_file("{\n  \"js\": [\"gone.js\"]", "gone.js", "no such file".to_owned());
        assert_eq!((about.line, about.column), (2, 10));
    }
}
