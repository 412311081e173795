//! Unpacked extensions: a folder with a `manifest.json` and scripts.

mod files;
mod glob;
mod grants;
mod locale;
pub mod manifest;
mod match_pattern;
mod page;
mod registered;
mod unsupported;

pub use files::{Files, MemoryFiles};
pub use glob::Glob;
pub use match_pattern::{Host, MatchPattern, Scheme};
pub use page::attribute_of_first;

use crate::profile::Profile;
use grants::{Grants, covers};
use manifest::{Background, Manifest, ManifestError, RunAt, ScriptKind, ScriptWorld};
use port_core::{DocumentId, ExtensionId};
use registered::Registered;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
use url::Url;

/// A script of an extension, with its text.
#[derive(Clone, Debug)]
pub struct Script {
    /// `chrome-extension://…/file.js`, as stack traces show it.
    pub url: Arc<str>,
    /// The source.
    pub text: Arc<str>,
    /// Classic script or module.
    pub kind: ScriptKind,
}

impl Script {
    fn new(url: &Url, text: &str, kind: ScriptKind) -> Self {
        Self { url: url.as_str().into(), text: text.into(), kind }
    }

    /// Creates a classic script that is no file.
    pub fn injected(text: &str) -> Self {
        Self { url: "<injected code>".into(), text: text.into(), kind: ScriptKind::Classic }
    }
}

/// The scripts of one world of a document, by the moment at which they run.
#[derive(Clone, Debug, Default)]
pub struct Scripts {
    by_moment: [Vec<Script>; RunAt::ALL.len()],
}

impl Scripts {
    /// The scripts that run at a moment, in order.
    pub fn at(&self, moment: RunAt) -> &[Script] {
        &self.by_moment[moment as usize]
    }

    /// Adds scripts behind those that run at a moment.
    pub fn add(&mut self, moment: RunAt, scripts: impl IntoIterator<Item = Script>) {
        self.by_moment[moment as usize].extend(scripts);
    }

    /// Adds the scripts of another, at each moment behind those that are there.
    pub fn append(&mut self, other: Self) {
        for (moment, scripts) in RunAt::ALL.into_iter().zip(other.by_moment) {
            self.add(moment, scripts);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_moment.iter().all(Vec::is_empty)
    }
}

/// A page of an extension: its background, or one shown in a tab.
#[derive(Clone, Debug)]
pub struct ExtensionPage {
    /// The page's URL, or that of the service worker's script.
    pub url: Url,
    /// The page's title.
    pub title: String,
    /// The scripts, all at [`RunAt::End`].
    pub scripts: Scripts,
    /// The page as text; empty where it is generated.
    pub html: Arc<str>,
}

/// A frame as content scripts are matched against it.
#[derive(Clone, Copy, Debug)]
pub struct MatchedFrame<'a> {
    /// The frame's URL.
    pub url: &'a Url,
    /// The URL of the page that made a document which has none of the web's own: `about:blank`, `srcdoc`, `data:`, `blob:`.
    pub maker: Option<&'a Url>,
    /// Whether it is a top frame.
    pub is_top: bool,
    /// Whether a sandbox gives it an origin of its own.
    pub is_sandboxed: bool,
    /// The browser to follow.
    pub profile: Profile,
}

/// An unpacked extension, its manifest read and its scripts found.
#[derive(Debug)]
pub struct Extension {
    id: ExtensionId,
    base: Url,
    folder: Arc<dyn Files>,
    grants: Grants,
    registered: Registered,
    manifest: Manifest,
    manifest_text: String,
    unsupported: Vec<String>,
    absent_namespaces: Vec<String>,
    /// The messages of `_locales`, by their names in lower case.
    messages: Map<String, Value>,
    has_worker: bool,
    background: Option<ExtensionPage>,
    /// The scripts of each entry of `"content_scripts"`.
    content_scripts: Vec<Vec<Script>>,
}

impl Extension {
    /// Reads the manifest and every script that it names.
    pub fn load(folder: Arc<dyn Files>, profile: Profile) -> Result<Self, LoadError> {
        const MANIFEST: &str = "manifest.json";
        let in_manifest = |error| LoadError { file: folder.display(MANIFEST), error };
        let text = folder
            .read_path(MANIFEST)
            .map_err(|message| in_manifest(ManifestError::without_place(message)))?;
        let mut manifest = Manifest::parse(&text).map_err(in_manifest)?;
        let mut manifest_text = manifest::without_comments(&text);
        let mut value: Value = serde_json::from_str(&manifest_text).unwrap_or_default();
        let messages = locale::read(&*folder, &value);
        if !messages.is_empty() {
            manifest_text = locale::insert(&manifest_text, &messages);
            manifest = Manifest::parse(&manifest_text).map_err(in_manifest)?;
            value = serde_json::from_str(&manifest_text).unwrap_or_default();
        }
        let has_worker = manifest.background.as_ref().is_some_and(|background| background.is_worker(profile));
        let (id, host) = identify(&*folder, &manifest, profile);
        let base = format!("{}://{host}/", profile.extension_scheme());
        let base = Url::parse(&base).expect("scheme and host are plain letters and digits");

        let files = NamedFiles { folder: &*folder, base: &base, manifest_text: &text };
        let content_scripts =
            manifest.content_scripts.iter().map(|entry| files.scripts(&entry.js, ScriptKind::Classic));
        let content_scripts = content_scripts.collect::<Result<_, _>>().map_err(in_manifest)?;
        let background =
            manifest.background.as_ref().map(|background| files.background(background, has_worker));
        let background = background.transpose().map_err(in_manifest)?;
        let unsupported = unsupported::named_in(&value);
        let absent_namespaces = unsupported::namespaces_of(&value);
        Ok(Self {
            id,
            base,
            manifest,
            manifest_text,
            unsupported,
            absent_namespaces,
            messages,
            has_worker,
            background,
            content_scripts,
            folder,
            grants: Grants::default(),
            registered: Registered::default(),
        })
    }

    /// The folder that it was loaded from.
    pub fn files(&self) -> &Arc<dyn Files> {
        &self.folder
    }

    /// `runtime.id`.
    pub fn id(&self) -> &ExtensionId {
        &self.id
    }

    /// The URL of the extension's folder as its own scripts see it.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The manifest as JSON, for `runtime.getManifest()`.
    pub fn manifest_text(&self) -> &str {
        &self.manifest_text
    }

    /// What the manifest asks for and leads to nothing here, in words.
    pub fn unsupported(&self) -> &[String] {
        &self.unsupported
    }

    /// The namespaces of the API that the manifest asks for and that are absent here.
    pub fn absent_namespaces(&self) -> &[String] {
        &self.absent_namespaces
    }

    /// The messages of `_locales`, by their names in lower case.
    pub fn messages(&self) -> &Map<String, Value> {
        &self.messages
    }

    /// Whether the background is a worker.
    pub fn has_worker(&self) -> bool {
        self.has_worker
    }

    /// The background page or worker.
    pub fn background(&self) -> Option<&ExtensionPage> {
        self.background.as_ref()
    }

    /// Whether the URL is one of the extension's own.
    pub fn owns(&self, url: &Url) -> bool {
        url.scheme() == self.base.scheme() && url.host_str() == self.base.host_str()
    }

    /// Whether the URL is that of the page that the manifest names for developer tools.
    pub fn is_devtools_page(&self, url: &Url) -> bool {
        let page = self.manifest.devtools_page.as_deref().and_then(|page| resolve(&self.base, page).ok());
        page.is_some_and(|page| page.path() == url.path() && self.owns(url))
    }

    /// A page of the extension, read from its folder.
    pub fn page(&self, url: &Url) -> Result<ExtensionPage, String> {
        let page = read_page(&*self.folder, &self.base, url.path())?;
        Ok(ExtensionPage { url: url.clone(), ..page })
    }

    /// A file that is injected as a classic script.
    ///
    /// # Errors
    /// Gives in words why there is none.
    pub fn injected_file(&self, file: &str) -> Result<Script, String> {
        let url = resolve(&self.base, file)?;
        self.script(&url, ScriptKind::Classic)
    }

    /// The text of a file of the extension.
    ///
    /// # Errors
    /// Gives in words why there is none; refuses a URL that is not the extension's own.
    pub fn text_of(&self, url: &Url) -> Result<String, String> {
        let is_own = self.owns(url).then_some(());
        is_own.ok_or_else(|| format!("{url} is not a file of the extension"))?;
        self.folder.read_path(url.path())
    }

    /// A script that another one imports; refused where the URL is not the extension's own.
    pub fn script(&self, url: &Url, kind: ScriptKind) -> Result<Script, String> {
        let is_own = self.owns(url).then_some(());
        is_own.ok_or_else(|| format!("{url} is not a file of the extension"))?;
        Ok(Script::new(url, &self.folder.read_path(url.path())?, kind))
    }

    /// The content scripts for a world of a frame, those that are registered behind the manifest's; `None` when there are
    /// none.
    pub fn content_scripts_for(&self, frame: MatchedFrame<'_>, world: ScriptWorld) -> Option<Scripts> {
        let mut found = Scripts::default();
        for (rule, scripts) in self.manifest.content_scripts.iter().zip(&self.content_scripts) {
            if rule.runs_in(frame, world) {
                found.add(rule.run_at, scripts.iter().cloned());
            }
        }
        // A manifest's own are asked for when it is installed; these need a permission for the site.
        if self.may_touch(frame.maker.unwrap_or(frame.url)) {
            self.registered.add_to(&mut found, frame, world);
        }
        (!found.is_empty()).then_some(found)
    }

    /// Whether the extension may see a tab's URL and title.
    pub fn may_see(&self, url: &Url) -> bool {
        // In Firefox a page that content scripts run in is as good as one that the extension may touch (measured).
        let runs_there = || {
            let mut rules = self.manifest.content_scripts.iter();
            self.base.scheme() == Profile::Firefox.extension_scheme()
                && rules.any(|rule| rule.matches.iter().any(|pattern| pattern.matches(url)))
        };
        self.owns(url)
            || runs_there()
            || self.manifest.has_permission("tabs")
            || self.grants.names().iter().any(|name| name == "tabs")
            || self.may_touch(url)
    }

    /// Whether the extension has a permission for the site of a URL.
    pub fn may_touch(&self, url: &Url) -> bool {
        self.manifest.hosts().any(|pattern| pattern.matches(url)) || self.grants.has_site(url)
    }

    /// Returns the names of the permissions that are granted, those of the manifest first.
    pub fn permissions(&self) -> Vec<String> {
        self.manifest.named_permissions().map(str::to_owned).chain(self.grants.names()).collect()
    }

    /// Returns the origins that are granted, those of the manifest first.
    pub fn origins(&self) -> Vec<String> {
        self.manifest.host_texts().map(str::to_owned).chain(self.grants.origins()).collect()
    }

    /// Whether all of these permissions and origins are granted.
    pub fn has(&self, names: &[String], origins: &[String]) -> bool {
        let (known, sites) = (self.permissions(), self.origins());
        names.iter().all(|name| known.contains(name))
            && origins.iter().all(|origin| sites.iter().any(|site| covers(site, origin)))
    }

    /// Grants optional permissions and origins, as a person does who is asked.
    ///
    /// # Errors
    /// Gives the text of the browser when the manifest does not name one of them; then nothing is granted.
    pub fn grant(&self, names: &[String], origins: &[String], profile: Profile) -> Result<(), String> {
        let (known, sites) = (self.manifest.optional_permissions(), self.manifest.optional_origins());
        let unnamed =
            names.iter().find(|name| !known.contains(&name.as_str()) && !self.manifest.has_permission(name));
        let is_named = |origin: &str| {
            let own = self.manifest.host_texts();
            own.chain(sites.iter().copied()).any(|site| covers(site, origin))
        };
        let foreign = origins.iter().find(|origin| !is_named(origin));
        match (profile, unnamed, foreign) {
            (_, None, None) => {}
            (Profile::Chromium, ..) => {
                return Err("Only permissions specified in the manifest may be requested.".to_owned());
            }
            (Profile::Firefox, Some(name), _) => {
                return Err(format!(
                    "Cannot request permission {name} since it was not declared in optional_permissions"
                ));
            }
            (Profile::Firefox, None, Some(origin)) => {
                return Err(format!(
                    "Cannot request origin permission for {origin} since it was not declared in the manifest"
                ));
            }
        }
        self.grants.add(names, origins);
        Ok(())
    }

    /// Takes optional permissions and origins back.
    ///
    /// # Errors
    /// Gives the text of the browser when one of them is not optional; then nothing is taken.
    pub fn revoke(&self, names: &[String], origins: &[String], profile: Profile) -> Result<(), String> {
        let is_required = names.iter().any(|name| self.manifest.has_permission(name))
            || origins.iter().any(|origin| self.manifest.host_texts().any(|own| own == origin));
        if is_required && profile == Profile::Chromium {
            return Err("You cannot remove required permissions.".to_owned());
        }
        self.grants.remove(names, origins);
        Ok(())
    }

    /// The part of a script's URL that is a file of the extension; other text as it is.
    pub fn file_of<'a>(&self, script_url: &'a str) -> &'a str {
        script_url.strip_prefix(self.base.as_str()).unwrap_or(script_url)
    }

    /// How messages name a file of the extension.
    pub fn display(&self, file: &str) -> String {
        self.folder.display(file)
    }
}

/// Why an extension was not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// The manifest's path.
    pub file: String,
    /// What is wrong, and where.
    pub error: ManifestError,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// The files that a manifest names.
struct NamedFiles<'a> {
    folder: &'a dyn Files,
    base: &'a Url,
    manifest_text: &'a str,
}

impl NamedFiles<'_> {
    fn scripts(&self, names: &[String], kind: ScriptKind) -> Result<Vec<Script>, ManifestError> {
        names.iter().map(|name| self.script(name, kind)).collect()
    }

    fn script(&self, name: &str, kind: ScriptKind) -> Result<Script, ManifestError> {
        let script = self
            .folder
            .read_path(name)
            .and_then(|text| Ok(Script::new(&resolve(self.base, name)?, &text, kind)));
        script.map_err(|message| self.error_about(name, message))
    }

    fn background(&self, background: &Background, is_worker: bool) -> Result<ExtensionPage, ManifestError> {
        match background {
            Background { service_worker: Some(worker), kind, .. } if is_worker => {
                self.generated_page(worker, vec![self.script(worker, *kind)?])
            }
            Background { page: Some(page), .. } => {
                read_page(self.folder, self.base, page).map_err(|message| self.error_about(page, message))
            }
            Background { scripts, kind, .. } => {
                self.generated_page("_generated_background_page.html", self.scripts(scripts, *kind)?)
            }
        }
    }

    fn generated_page(&self, name: &str, scripts: Vec<Script>) -> Result<ExtensionPage, ManifestError> {
        let url = resolve(self.base, name).map_err(|message| self.error_about(name, message))?;
        let mut page =
            ExtensionPage { url, title: String::new(), scripts: Scripts::default(), html: Arc::default() };
        page.scripts.add(RunAt::End, scripts);
        Ok(page)
    }

    fn error_about(&self, name: &str, message: String) -> ManifestError {
        ManifestError::about_file(self.manifest_text, name, message)
    }
}

fn resolve(base: &Url, file: &str) -> Result<Url, String> {
    base.join(file.trim_start_matches('/')).map_err(|error| format!("{file:?}: {error}"))
}

fn read_page(folder: &dyn Files, base: &Url, path: &str) -> Result<ExtensionPage, String> {
    let html = folder.read_path(path)?;
    let url = resolve(base, path)?;
    let mut scripts = Scripts::default();
    for (source, kind) in page::scripts_of(&html) {
        let source = url.join(&source).map_err(|error| format!("{source:?} in {path:?}: {error}"))?;
        let text = folder.read_path(source.path()).map_err(|error| format!("in {path:?}: {error}"))?;
        scripts.add(RunAt::End, [Script::new(&source, &text, kind)]);
    }
    Ok(ExtensionPage { title: page::title_of(&html).to_owned(), url, scripts, html: html.into() })
}

/// The id of an extension and the host of its URLs, made from the folder so that they
/// stay the same from run to run. In Chromium both are 32 letters from `a` to `p`; in
/// Firefox the host is a UUID, and so is the id unless the manifest gives one.
fn identify(folder: &dyn Files, manifest: &Manifest, profile: Profile) -> (ExtensionId, String) {
    let hash = hash(&folder.identity());
    match profile {
        Profile::Chromium => {
            let digits = hash.to_be_bytes();
            let digits = digits.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            let letters: String = digits.map(|digit| char::from(b'a' + digit)).collect();
            (ExtensionId::new(&letters), letters)
        }
        Profile::Firefox => {
            let host = profile.show_document(DocumentId::new(hash));
            let id = manifest.gecko_id().map_or_else(|| format!("{{{host}}}"), str::to_owned);
            (ExtensionId::new(&id), host)
        }
    }
}

/// The FNV-1a hash.
pub fn hash(text: &str) -> u128 {
    const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    text.bytes().fold(OFFSET_BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::{Extension, LoadError, MatchedFrame, MemoryFiles, RunAt, ScriptWorld};
    use crate::profile::Profile;
    use std::sync::Arc;
    use url::Url;

    fn load(files: &[(&str, &str)]) -> Result<Extension, LoadError> {
        Extension::load(Arc::new(MemoryFiles::new("test", files.iter().copied())), Profile::Chromium)
    }

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a valid URL")
    }

    #[test]
    fn content_scripts_are_found_by_every_rule() {
        let extension = load(&[
            (
                "manifest.json",
                r#"{ "manifest_version": 3, "name": "n", "version": "1", "content_scripts": [
                    { "matches": ["*://*.a.example/*"], "js": ["idle.js"] },
                    { "matches": ["*://*.a.example/*"], "js": ["end.js"], "all_frames": true, "run_at": "document_end",
                      "exclude_matches": ["*://*/private/*"], "include_globs": ["*news*", "*blog*"], "exclude_globs": ["*old*"] },
                    { "matches": ["https://a.example/*"], "js": ["blank.js"], "all_frames": true, "match_about_blank": true }
                ] }"#,
            ),
            ("idle.js", ""),
            ("end.js", ""),
            ("blank.js", ""),
        ])
        .expect("a valid extension");
        let run = |text: &str, is_top: bool, maker: Option<&Url>| {
            let url = url(text);
            let frame =
                MatchedFrame { url: &url, maker, is_top, is_sandboxed: false, profile: Profile::Chromium };
            let scripts = extension.content_scripts_for(frame, ScriptWorld::Isolated).unwrap_or_default();
            let files = RunAt::ALL.iter().flat_map(|&moment| scripts.at(moment).to_vec());
            files.map(|script| extension.file_of(&script.url).to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(run("http://a.example/news/", true, None), "end.js idle.js");
        assert_eq!(run("http://www.a.example/blog", false, None), "end.js");
        assert_eq!(run("http://a.example/news/old", true, None), "idle.js");
        assert_eq!(run("http://a.example/private/news", true, None), "idle.js");
        assert_eq!(run("http://b.example/news/", true, None), "");
        let maker = url("https://a.example/");
        assert_eq!(run("about:blank", false, Some(&maker)), "blank.js");
        assert_eq!(run("about:blank", true, None), "");
    }

    #[test]
    fn a_background_is_a_worker_a_page_or_scripts() {
        let files = |background: &str| -> Vec<String> {
            let manifest = format!(
                r#"{{ "manifest_version": 3, "name": "n", "version": "1", "background": {background} }}"#
            );
            let files = [
                ("manifest.json", manifest.as_str()),
                ("worker.js", ""),
                ("page.html", "<script src='js/one.js'></script>"),
                ("js/one.js", ""),
            ];
            let extension = load(&files).expect("a valid extension");
            let background = extension.background().expect("a background");
            let scripts = background
                .scripts
                .at(RunAt::End)
                .iter()
                .map(|script| extension.file_of(&script.url).to_owned());
            std::iter::once(extension.file_of(background.url.as_str()).to_owned()).chain(scripts).collect()
        };
        assert_eq!(
            files(r#"{ "service_worker": "worker.js", "scripts": ["js/one.js"] }"#),
            ["worker.js", "worker.js"]
        );
        assert_eq!(files(r#"{ "page": "page.html" }"#), ["page.html", "js/one.js"]);
        assert_eq!(
            files(r#"{ "scripts": ["worker.js", "/js/one.js"] }"#),
            ["_generated_background_page.html", "worker.js", "js/one.js"]
        );
    }

    #[test]
    fn a_missing_script_is_an_error_of_the_manifest() {
        let error = load(&[(
            "manifest.json",
            "{ \"manifest_version\": 3, \"name\": \"n\", \"version\": \"1\",\n  \"background\": { \"service_worker\": \"gone.js\" } }",
        )])
        .expect_err("a missing file");
        assert!(error.error.line == 2 && error.to_string().contains("gone.js"), "{error}");
        load(&[]).expect_err("no manifest");
    }
}
