//! Pages of extensions that are neither tab nor popup: offscreen documents and side panels.

use crate::api::{Caller, Outcome};
use crate::browser::Browser;
use crate::facts::Surface;
use port_core::ExtensionInstance;
use port_core_webext::Profile;
use serde_json::{Value, json};
use std::rc::Rc;
use webkit6::prelude::*;

/// What scripts said of an extension's side panel.
#[derive(Debug, Default)]
pub(crate) struct SidePanel {
    path: Option<String>,
    /// Whether a click on the button opens it.
    pub(crate) opens_on_click: bool,
}

impl Browser {
    /// Whether there is a view for it.
    pub(crate) fn is_open(&self, surface: Surface) -> bool {
        self.views.borrow().values().any(|view| view.surface == surface)
    }

    /// A call about the offscreen document: `None` if the answer comes once it is loaded.
    pub(crate) fn offscreen_call(
        self: &Rc<Self>,
        caller: &Caller,
        member: &str,
        arguments: &[Value],
    ) -> Option<Outcome> {
        let surface = Surface::Offscreen(caller.known.instance);
        let is_open = self.is_open(surface);
        Some(match member {
            "createDocument" if is_open => Err("Only a single offscreen document may be created.".to_owned()),
            "createDocument" => {
                let path = arguments.first().and_then(|details| details.get("url")?.as_str());
                let extension = &caller.known.extension;
                match extension.base().join(path.unwrap_or_default()) {
                    Ok(url) if extension.owns(&url) => {
                        self.waiting_for_pages.borrow_mut().push((surface, caller.clone()));
                        self.open_view(surface).load_uri(url.as_str());
                        return None;
                    }
                    _ => Err("Invalid URL: an offscreen document is a page of its extension.".to_owned()),
                }
            }
            "closeDocument" if !is_open => Err("No current offscreen document.".to_owned()),
            "closeDocument" => {
                self.close_views(|known| *known == surface);
                self.page_loaded(surface, &Err("the document was closed".to_owned()));
                Ok(None)
            }
            "hasDocument" => Ok(Some(is_open.into())),
            _ => Err(format!("not supported by this browser: offscreen.{member}")),
        })
    }

    /// A page is loaded, or will not be: whoever opened it hears so.
    pub(crate) fn page_loaded(&self, surface: Surface, outcome: &Outcome) {
        let (due, others) =
            self.waiting_for_pages.take().into_iter().partition(|(known, _)| *known == surface);
        *self.waiting_for_pages.borrow_mut() = others;
        let due: Vec<(Surface, Caller)> = due;
        due.iter().for_each(|(_, caller)| self.send_answer(caller, outcome.clone()));
    }

    /// A call about the side panel of Chromium, or the sidebar of Firefox.
    pub(crate) fn side_panel_call(
        self: &Rc<Self>,
        caller: &Caller,
        member: &str,
        arguments: &[Value],
    ) -> Outcome {
        let instance = caller.known.instance;
        let options = arguments.first().cloned().unwrap_or_default();
        let is_open = self.is_open(Surface::SidePanel(instance));
        match member {
            "setOptions" | "setPanel" => {
                let given = options.get("path").or_else(|| options.get("panel")).and_then(Value::as_str);
                if let Some(path) = given {
                    self.with_extension(instance, |loaded| loaded.panel.path = Some(path.to_owned()));
                }
                Ok(None)
            }
            "getOptions" => Ok(Some(json!({ "enabled": true, "path": self.path_of_panel(instance) }))),
            "getPanel" => Ok(Some(self.path_of_panel(instance).into())),
            "setPanelBehavior" => {
                let opens = options["openPanelOnActionClick"] == true;
                self.with_extension(instance, |loaded| loaded.panel.opens_on_click = opens);
                Ok(None)
            }
            "getPanelBehavior" => {
                let opens = self.with_extension(instance, |loaded| loaded.panel.opens_on_click);
                Ok(Some(json!({ "openPanelOnActionClick": opens })))
            }
            "isOpen" => Ok(Some(is_open.into())),
            "setTitle" | "setIcon" => Ok(None),
            "open" => self.open_side_panel(instance).map(|()| None),
            "toggle" if !is_open => self.open_side_panel(instance).map(|()| None),
            "close" | "toggle" => {
                self.close_side_panel(instance);
                Ok(None)
            }
            _ => Err(format!("not supported by this browser: sidePanel.{member}")),
        }
    }

    fn path_of_panel(&self, instance: ExtensionInstance) -> String {
        let path = self.with_extension(instance, |loaded| {
            let initial = loaded.extension.manifest().side_panel(self.profile).unwrap_or_default();
            loaded.panel.path.clone().unwrap_or_else(|| initial.to_owned())
        });
        path.unwrap_or_default()
    }

    /// Opens the side panel, if it is not open.
    pub(crate) fn open_side_panel(self: &Rc<Self>, instance: ExtensionInstance) -> Result<(), String> {
        let surface = Surface::SidePanel(instance);
        if self.is_open(surface) {
            return Ok(());
        }
        let path = self.path_of_panel(instance);
        if path.is_empty() {
            return Err("the manifest names no page for the side panel".to_owned());
        }
        let place = self.with_extension(instance, |loaded| {
            (loaded.extension.base().join(&path), loaded.extension.manifest().name.clone())
        });
        let Some((url, name)) = place else { return Ok(()) };
        let url = url.map_err(|error| format!("the side panel: {error}"))?;
        let view = self.open_view(surface);
        self.window().show_side_panel(instance, &name, &view);
        view.load_uri(url.as_str());
        Ok(())
    }

    /// Closes the side panel.
    pub(crate) fn close_side_panel(self: &Rc<Self>, instance: ExtensionInstance) {
        self.window().remove_side_panel(instance);
        self.close_views(|surface| *surface == Surface::SidePanel(instance));
    }

    /// Firefox opens a sidebar as soon as its extension is installed.
    pub(crate) fn open_sidebar(self: &Rc<Self>, instance: ExtensionInstance) {
        if self.profile == Profile::Firefox && !self.path_of_panel(instance).is_empty() {
            let _ = self.open_side_panel(instance);
        }
    }
}
