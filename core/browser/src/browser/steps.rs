//! What happens in a run: pages are opened, and then the user acts, each as soon as all is calm.

use super::{Browser, LoadedExtension};
use crate::arguments::UserAction;
use crate::log::Event;
use crate::web::Page;

/// What happens next, as soon as all is calm.
#[derive(Debug)]
pub(super) enum Step {
    /// Tabs are opened with pages.
    Open(Vec<Page>),
    /// The user does something.
    User(UserAction),
}

impl Browser {
    /// Takes a step.
    pub(super) fn take(&mut self, step: Step) {
        // Lasts until the end of the step: there is a calm behind every step.
        let _busy = self.shared.activity.begin();
        match step {
            Step::Open(pages) => {
                for page in pages {
                    // The first tab stays the active one.
                    let active = self.tabs.is_empty();
                    self.open_tab_with(&page.url, active);
                }
            }
            Step::User(UserAction::Open(url)) => {
                self.open_tab_with(&url, false);
            }
            Step::User(UserAction::Click) => self.click(),
            Step::User(UserAction::CloseTab) => match self.active_tab() {
                Some(tab) => self.close_tab(tab),
                None => self.log_error("there is no tab to close", None, None, None),
            },
        }
    }

    /// Clicks every toolbar button.
    fn click(&mut self) {
        let Some(tab) = self.active_tab().and_then(|tab| self.shared.tabs.get(tab)) else {
            self.log_error("there is no tab to click in", None, None, None);
            return;
        };
        for LoadedExtension { extension, instance } in &self.extensions {
            if extension.manifest().has_toolbar_button() {
                let context = format!("tab {}", tab.id);
                self.log(&context, &Event::Click { extension: &extension.manifest().name });
                let details = serde_json::json!([tab.seen_by(extension)]).to_string();
                for event in ["action.onClicked", "browserAction.onClicked"] {
                    self.emit_to(*instance, event, details.clone());
                }
            }
        }
    }
}
