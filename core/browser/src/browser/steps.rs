//! What happens in a run: pages are opened, and then the user acts, each as soon as all is calm.

use super::{Browser, LoadedExtension};
use crate::arguments::UserAction;
use crate::messages::{Pressed, Task};
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
                let is_of_extension = url.scheme().ends_with("-extension");
                if is_of_extension && !self.extensions.iter().any(|loaded| loaded.extension.owns(&url)) {
                    self.log_error(&format!("no extension has the page {url}"), None, None, None);
                }
                self.open_tab_with(&url, false);
            }
            Step::User(UserAction::Click) => self.click(),
            Step::User(UserAction::Press(selector)) => self.press(&selector),
            Step::User(UserAction::Menu(id)) => self.choose_menu_item(&id),
            Step::User(UserAction::Command(name)) => self.give_command(&name),
            Step::User(UserAction::DeveloperTools) => self.open_developer_tools(),
            Step::User(UserAction::CloseTab) => match self.active_tab() {
                Some(tab) => self.close_tab(tab),
                None => self.log_error("there is no tab to close", None, None, None),
            },
        }
    }

    /// Clicks every toolbar button.
    fn click(&mut self) {
        if self.active_tab().is_none() {
            self.log_error("there is no tab to click in", None, None, None);
            return;
        }
        let has_button = |loaded: &&LoadedExtension| loaded.extension.manifest().has_toolbar_button();
        let buttons: Vec<_> =
            self.extensions.iter().filter(has_button).map(|loaded| loaded.instance).collect();
        for instance in buttons {
            self.click_button(instance);
        }
    }

    /// Clicks an element in whatever page has it: the pages outside of the tabs, those of extensions in tabs, and the
    /// page of the active tab.
    fn press(&mut self, selector: &str) {
        let outside = self.pages.iter().rev().map(|page| Pressed::Page(page.number));
        let mut in_tabs: Vec<_> = self
            .tabs
            .iter()
            .flat_map(|(tab, open)| open.frames.iter().map(move |frame| (*tab, frame)))
            .filter(|(tab, frame)| {
                let is_page = self.extensions.iter().any(|loaded| loaded.extension.owns(&frame.url));
                is_page || Some(*tab) == self.active_tab()
            })
            .collect();
        in_tabs.sort_by_key(|(_, frame)| !frame.url.scheme().ends_with("-extension"));
        let pressed: Vec<_> =
            outside.chain(in_tabs.iter().map(|(_, frame)| Pressed::Document(frame.document))).collect();
        for thread in &self.threads {
            thread.send(Task::Press { pressed: pressed.clone(), selector: selector.to_owned() });
        }
    }
}
