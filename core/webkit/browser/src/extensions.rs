//! The extensions: loaded, unloaded, and told of events.

use crate::alarms::Alarms;
use crate::api::{Caller, Outcome};
use crate::beside::SidePanel;
use crate::browser::Browser;
use crate::buttons::Button;
use crate::facts::{Known, Surface};
use crate::folder::Folder;
use port_core::{ExtensionDescription, ExtensionInstance, TabId};
use port_core_webext::MenuItems;
use port_core_webext::StorageAreas;
use port_core_webext::extension::Extension;
use port_core_webkit_inside::control::{Package, Start, ToPage};
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use webkit6::prelude::*;
use webkit6::{UserContentInjectedFrames, UserScript, UserScriptInjectionTime};

/// An extension that is loaded.
pub(crate) struct LoadedExtension {
    pub(crate) extension: Arc<Extension>,
    pub(crate) instance: ExtensionInstance,
    pub(crate) folder: Folder,
    package: Package,
    pub(crate) storage: StorageAreas,
    pub(crate) button: Button,
    pub(crate) menu: MenuItems,
    pub(crate) alarms: Alarms,
    pub(crate) panel: SidePanel,
    /// The ids of those that are shown.
    pub(crate) notifications: BTreeSet<String>,
    /// The latest lines of its console, and its errors.
    pub(crate) lines: VecDeque<String>,
}

/// How many lines are kept of an extension's console.
const MOST_LINES: usize = 200;

/// What the headless browser has not, and this one has, of what a manifest may ask for.
const OFFERED_PERMISSIONS: [&str; 1] = ["the permission \"notifications\""];

/// Has the scripts of a document's start run, and those of its end. `process.rs` of the other package has the function.
const MOMENTS: [(UserScriptInjectionTime, &str); 2] = [
    (UserScriptInjectionTime::Start, "globalThis.__portCoreMoment?.(0);"),
    (
        UserScriptInjectionTime::End,
        "{ const moment = globalThis.__portCoreMoment; delete globalThis.__portCoreMoment; moment?.(1); \
         if (moment) setTimeout(() => moment(2), 0); }",
    ),
];

impl Browser {
    /// Loads an extension. What is wrong with it is written and shown.
    pub(crate) fn load_extension(self: &Rc<Self>, folder: PathBuf) {
        let folder = Folder(folder);
        match Extension::load(Arc::new(folder.clone()), self.profile) {
            Ok(extension) => self.add_extension(Arc::new(extension), folder, StorageAreas::default()),
            Err(failed) => {
                eprintln!("{}: {failed}", failed.file);
                self.window().show_failed(&format!("{}: {failed}", failed.file));
            }
        }
    }

    fn add_extension(self: &Rc<Self>, extension: Arc<Extension>, folder: Folder, storage: StorageAreas) {
        let external = extension.manifest().external_connections(self.profile);
        let description = ExtensionDescription::new(extension.id().clone()).external(external);
        let instance = match self.service.extension_loaded(description) {
            Ok(instance) => instance,
            Err(error) => return eprintln!("{}: {error}", extension.manifest().name),
        };
        let package = folder.package(self.new_number());
        self.log(format_args!("loaded {} {}", extension.manifest().name, extension.id()));
        let lines: VecDeque<String> = extension
            .unsupported()
            .iter()
            .filter(|what| !OFFERED_PERMISSIONS.contains(&what.as_str()))
            .map(|what| format!("not supported by this browser: {what}"))
            .collect();
        let worker = extension.has_worker().then(|| "its worker runs in a hidden page".to_owned());
        let loaded = LoadedExtension {
            extension: Arc::clone(&extension),
            instance,
            folder,
            package,
            storage,
            button: Button::default(),
            menu: MenuItems::default(),
            alarms: Alarms::default(),
            panel: SidePanel::default(),
            notifications: BTreeSet::new(),
            lines: lines.into_iter().chain(worker).collect(),
        };
        self.extensions.borrow_mut().push(loaded);
        self.window().show_extensions(self);
    }

    /// Tells all web processes which extensions there are, those that start later too.
    pub(crate) fn send_extensions(&self) {
        let (packages, known): (Vec<_>, Vec<_>) = {
            let extensions = self.extensions.borrow();
            let known = |loaded: &LoadedExtension| Known {
                extension: Arc::clone(&loaded.extension),
                instance: loaded.instance,
            };
            extensions.iter().map(|loaded| (loaded.package.clone(), known(loaded))).unzip()
        };
        self.scripts.remove_all_scripts();
        for Known { extension, .. } in &known {
            for (time, source) in MOMENTS {
                self.scripts.add_script(&UserScript::for_world(
                    source,
                    UserContentInjectedFrames::AllFrames,
                    time,
                    extension.id().as_str(),
                    &[],
                    &[],
                ));
            }
        }
        self.facts.borrow_mut().extensions = known;
        self.tell_later_processes(&packages);
        self.tell_pages(&ToPage::Extensions(packages), |_| true);
    }

    fn tell_later_processes(&self, packages: &[Package]) {
        let start = Start { profile: self.profile.name().to_owned(), extensions: packages.to_vec() };
        let text = serde_json::to_string(&start).expect("texts and numbers");
        self.context.set_web_process_extensions_initialization_user_data(&text.to_variant());
    }

    /// `scripting.registerContentScripts` and its kin. Documents that begin later have the scripts.
    pub(crate) fn registered_call(self: &Rc<Self>, caller: &Caller, member: &str, given: &Value) -> Outcome {
        let extension = &caller.known.extension;
        let result = extension.registered_call(member, given)?;
        if member != "getRegisteredContentScripts" {
            let shown = extension.registered_call("getRegisteredContentScripts", &json!({}))?;
            let scripts = shown.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
            self.with_extension(caller.known.instance, |loaded| {
                loaded.package.registered.clone_from(&scripts);
            });
            let packages: Vec<_> =
                self.extensions.borrow().iter().map(|loaded| loaded.package.clone()).collect();
            self.tell_later_processes(&packages);
            let id = extension.id().to_string();
            self.tell_pages(&ToPage::Registered { extension: id, scripts }, |_| true);
        }
        Ok(result)
    }

    /// Opens the hidden page of an extension's background.
    pub(crate) fn start_background(self: &Rc<Self>, instance: ExtensionInstance) {
        let page = {
            let extensions = self.extensions.borrow();
            let loaded = extensions.iter().find(|loaded| loaded.instance == instance);
            loaded.and_then(|loaded| Some(loaded.extension.background()?.url.clone()))
        };
        let Some(mut page) = page else { return };
        if self.with_extension(instance, |loaded| loaded.extension.has_worker()) == Some(true) {
            page.set_path(&format!("{}.html", page.path()));
            page.set_query(Some("worker"));
        }
        let view = self.open_view(Surface::Background(instance));
        view.load_uri(page.as_str());
    }

    /// Loads an extension anew: what was there of it ends.
    pub(crate) fn reload_extension(self: &Rc<Self>, instance: ExtensionInstance) {
        let at = self.extensions.borrow().iter().position(|loaded| loaded.instance == instance);
        let Some(at) = at else { return };
        let LoadedExtension { extension: old, folder, storage, .. } = self.extensions.borrow_mut().remove(at);
        // First: content scripts find their context invalid when they hear of a port's end.
        let _ = self.service.extension_unloaded(instance);
        self.window().remove_side_panel(instance);
        self.close_views(|surface| surface.owner() == Some(instance));
        self.page_loaded(Surface::Offscreen(instance), &Err("the extension was reloaded".to_owned()));
        let own: Vec<TabId> =
            self.tabs.all().iter().filter(|tab| old.owns(&tab.url)).map(|tab| tab.id).collect();
        own.into_iter().for_each(|tab| self.close_tab(tab));
        match Extension::load(Arc::new(folder.clone()), self.profile) {
            Ok(extension) => {
                self.add_extension(Arc::new(extension), folder, storage);
                self.send_extensions();
                let latest = self.extensions.borrow().last().map(|loaded| loaded.instance);
                latest.into_iter().for_each(|instance| self.start_background(instance));
            }
            Err(failed) => {
                self.send_extensions();
                self.window().show_failed(&format!("{}: {failed}", failed.file));
            }
        }
        self.window().show_extensions(self);
    }

    /// Does something with an extension, if it is loaded.
    pub(crate) fn with_extension<R>(
        &self,
        instance: ExtensionInstance,
        call: impl FnOnce(&mut LoadedExtension) -> R,
    ) -> Option<R> {
        self.extensions.borrow_mut().iter_mut().find(|loaded| loaded.instance == instance).map(call)
    }

    /// Emits an event to the pages of an extension, or to its content scripts too.
    pub(crate) fn emit_to(
        &self,
        instance: ExtensionInstance,
        event: &str,
        details: &Value,
        everywhere: bool,
    ) {
        let Some(id) = self.with_extension(instance, |loaded| loaded.extension.id().to_string()) else {
            return;
        };
        let told =
            ToPage::Emit { extension: id, event: event.to_owned(), details: details.to_string(), everywhere };
        self.tell_pages(&told, |page| everywhere || page.is_extension);
    }

    /// Emits an event to the pages of every extension.
    pub(crate) fn emit(&self, event: &str, details: impl Fn(&Extension) -> Value) {
        let known = self.facts.borrow().extensions.clone();
        for Known { extension, instance } in known {
            self.emit_to(instance, event, &details(&extension), false);
        }
    }

    /// A line of an extension's console.
    pub(crate) fn console(self: &Rc<Self>, instance: ExtensionInstance, level: &str, text: &str) {
        let name = self.with_extension(instance, |loaded| {
            loaded.lines.push_back(format!("{level}: {text}"));
            if loaded.lines.len() > MOST_LINES {
                loaded.lines.pop_front();
            }
            loaded.extension.manifest().name.clone()
        });
        self.log(format_args!("{level} {}: {text}", name.unwrap_or_default()));
        self.window().lines_changed(self);
    }

    /// Tells an extension, once its background was loaded, that it was installed.
    pub(crate) fn background_loaded(&self, instance: ExtensionInstance) {
        self.emit_to(instance, "runtime.onInstalled", &json!([{ "reason": "install" }]), false);
    }
}
