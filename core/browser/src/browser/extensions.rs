//! The extensions: loaded, loaded anew, and told of events.

use super::Browser;
use super::alarms::Alarms;
use super::backgrounds::Background;
use super::buttons::Surface;
use crate::folder::Folder;
use crate::log::Event;
use crate::messages::Task;
use crate::web::Site;
use port_core::{ExtensionDescription, ExtensionInstance, TabId};
use port_core_webext::extension::Extension;
use port_core_webext::{Profile, StorageAreas};
use std::sync::Arc;

/// An extension and what the core calls this load of it.
pub(super) struct LoadedExtension {
    pub(super) extension: Arc<Extension>,
    pub(super) instance: ExtensionInstance,
    pub(super) background: Background,
    pub(super) storage: StorageAreas,
    pub(super) alarms: Alarms,
    pub(super) surface: Surface,
}

impl LoadedExtension {
    fn new(extension: Arc<Extension>, instance: ExtensionInstance) -> Self {
        let (background, storage, alarms, surface) = Default::default();
        Self { extension, instance, background, storage, alarms, surface }
    }
}

impl Browser {
    /// Loads extensions and starts their backgrounds. One that cannot be loaded is
    /// reported and left out.
    pub(crate) fn load_extensions(&mut self, folders: Vec<Folder>) {
        for folder in folders {
            match Extension::load(Arc::new(folder), self.shared.profile) {
                Ok(extension) => self.add_extension(Arc::new(extension)),
                Err(failed) => {
                    let known = |number: usize| Some(number).filter(|&number| number > 0);
                    self.log_error(
                        &failed.error.message,
                        Some(&failed.file),
                        known(failed.error.line),
                        known(failed.error.column),
                    );
                }
            }
        }
        for index in 0..self.extensions.len() {
            self.start_background(index, "its extension was loaded");
        }
    }

    pub(super) fn add_extension(&mut self, extension: Arc<Extension>) {
        let external = extension.manifest().external_connections(self.shared.profile);
        let mut description = ExtensionDescription::new(extension.id().clone()).external(external);
        // One that is never stopped is waited for too, while it starts.
        if extension.background().is_some() {
            description = description.background_on_demand();
        }
        match self.service.extension_loaded(description) {
            Ok(instance) => {
                let name = &extension.manifest().name;
                self.log("browser", &Event::Extension { name, id: extension.id().as_str() });
                for what in extension.unsupported() {
                    let text = format!("not supported by this browser: {what} (of {name})");
                    self.log("browser", &Event::Console { level: "warn", text: &text });
                }
                self.extensions.push(LoadedExtension::new(extension, instance));
            }
            Err(error) => {
                self.log_error(&format!("{}: {error}", extension.manifest().name), None, None, None);
            }
        }
    }

    /// `runtime.reload`: the extension is loaded anew, and what was there of it ends.
    pub(super) fn reload_extension(&mut self, instance: ExtensionInstance) {
        let Some(at) = self.extensions.iter().position(|loaded| loaded.instance == instance) else { return };
        self.close_pages(|page| page.instance == instance);
        let own_tabs: Vec<TabId> = self
            .shared
            .tabs
            .all()
            .iter()
            .filter(|tab| self.extensions[at].extension.owns(&tab.url))
            .map(|tab| tab.id)
            .collect();
        for tab in own_tabs {
            self.close_tab(tab);
        }
        let unloaded = self.service.extension_unloaded(instance);
        self.expect_known(unloaded);
        let extension = Arc::clone(&self.extensions[at].extension);
        let version = extension.manifest().version.clone();
        let kept = std::mem::take(&mut self.extensions[at].storage);
        self.extensions.remove(at);
        let others = self.extensions.split_off(at);
        self.add_extension(extension);
        let index = self.extensions.len() - 1;
        self.extensions[index].storage = kept;
        self.extensions[index].background.previous_version = Some(version);
        self.extensions.extend(others);
        self.start_background(index, "its extension was reloaded");
        if self.shared.profile == Profile::Firefox {
            self.inject_into_open_tabs(index);
        }
    }

    /// Emits an event to an extension's pages.
    pub(super) fn emit_to(&mut self, instance: ExtensionInstance, event: &'static str, details: String) {
        self.keep_for_background(instance, event, &details);
        let extension = self.extensions.iter().find(|loaded| loaded.instance == instance);
        let thread = extension.and_then(|loaded| self.sites.get(&Site::of(loaded.extension.base())));
        if let Some(thread) = thread {
            self.threads[thread.0].send(Task::Emit {
                instance,
                event: event.into(),
                details,
                everywhere: false,
            });
        }
    }

    /// Emits an event to all contexts of an extension, content scripts too.
    pub(super) fn emit_everywhere(
        &mut self,
        instance: ExtensionInstance,
        event: &'static str,
        details: &serde_json::Value,
    ) {
        let details = details.to_string();
        self.keep_for_background(instance, event, &details);
        for thread in &self.threads {
            thread.send(Task::Emit {
                instance,
                event: event.into(),
                details: details.clone(),
                everywhere: true,
            });
        }
    }

    /// An extension by its instance.
    pub(super) fn loaded_mut(&mut self, instance: ExtensionInstance) -> Option<&mut LoadedExtension> {
        self.extensions.iter_mut().find(|loaded| loaded.instance == instance)
    }

    /// A tab as an extension may see it.
    pub(super) fn tab_seen_by(&self, instance: ExtensionInstance, tab: TabId) -> serde_json::Value {
        let loaded = self.extensions.iter().find(|loaded| loaded.instance == instance);
        loaded
            .zip(self.shared.tabs.get(tab))
            .map(|(loaded, tab)| tab.seen_by(&loaded.extension))
            .unwrap_or_default()
    }

    /// A person used the extension in a tab: with the permission `activeTab` it may see the page there.
    pub(super) fn grant(&mut self, instance: ExtensionInstance, tab: TabId) {
        let loaded = self.extensions.iter().find(|loaded| loaded.instance == instance);
        let extension = loaded.map(|loaded| &loaded.extension);
        if let Some(extension) =
            extension.filter(|extension| extension.manifest().has_permission("activeTab"))
        {
            self.shared.tabs.change(|tabs| {
                if let Some(info) = tabs.get_mut(&tab) {
                    info.granted.push(extension.id().clone());
                }
            });
        }
    }

    /// Emits an event to the pages of every extension.
    pub(super) fn emit(&mut self, event: &'static str, details: impl Fn(&Extension) -> serde_json::Value) {
        self.emit_where(event, |extension| Some(details(extension)));
    }

    /// Emits an event to the pages of the extensions for which there are details.
    pub(super) fn emit_where(
        &mut self,
        event: &'static str,
        details: impl Fn(&Extension) -> Option<serde_json::Value>,
    ) {
        let told =
            self.extensions.iter().filter_map(|loaded| Some((loaded.instance, details(&loaded.extension)?)));
        let told: Vec<_> = told.collect();
        for (instance, details) in told {
            self.emit_to(instance, event, details.to_string());
        }
    }
}
