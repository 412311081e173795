//! What happens in a run: pages are opened, and then the user acts, each as soon as all is calm.

use super::{Browser, LoadedExtension};
use crate::arguments::UserAction;
use crate::messages::{Task, Touch, TouchedPage};
use crate::web::{Page, Site};

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
            Step::User(UserAction::OpenPath(path)) => self.open_path(&path),
            Step::User(UserAction::Press(selector)) => self.touch(&Touch::Press(selector)),
            Step::User(UserAction::Type(text)) => self.touch(&Touch::Type(text)),
            Step::User(UserAction::AddressBar(text)) => self.type_into_address_bar(&text),
            Step::User(UserAction::ActivateTab(number)) => {
                match self.shared.tabs.all().iter().find(|tab| tab.index + 1 == number) {
                    Some(tab) => self.activate_tab(tab.id),
                    None => self.log_error(&format!("there is no tab {number}"), None, None, None),
                }
            }
            Step::User(UserAction::Menu(id)) => self.choose_menu_item(&id),
            Step::User(UserAction::Command(name)) => self.give_command(&name),
            Step::User(UserAction::DeveloperTools) => self.open_developer_tools(),
            // All that there is to it is that the run waits.
            Step::User(UserAction::Rest) => {}
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

    /// Opens a page of each extension that has one at a path.
    fn open_path(&mut self, path: &str) {
        let urls: Vec<_> = self
            .extensions
            .iter()
            .filter_map(|loaded| {
                loaded.extension.base().join(path).ok().filter(|url| loaded.extension.page(url).is_ok())
            })
            .collect();
        if urls.is_empty() {
            self.log_error(&format!("no extension has the page {path}"), None, None, None);
        }
        for url in urls {
            self.open_tab_with(&url, true);
        }
    }

    /// Does something in the first page that has what it is done to: the pages outside of the tabs, the active tab's,
    /// those of extensions in other tabs.
    fn touch(&mut self, touch: &Touch) {
        let outside = self.pages.iter().rev().map(|page| (page.site(), TouchedPage::Outside(page.number)));
        let active = self.active_tab();
        let mut in_tabs: Vec<_> = self
            .tabs
            .iter()
            .flat_map(|(tab, open)| open.frames.iter().map(move |frame| (Some(*tab) == active, frame)))
            .filter(|(is_active, frame)| {
                *is_active || self.extensions.iter().any(|loaded| loaded.extension.owns(&frame.url))
            })
            .collect();
        in_tabs.sort_by_key(|(is_active, _)| !is_active);
        let in_tabs = in_tabs.iter().map(|(_, frame)| (frame.site(), TouchedPage::Document(frame.document)));
        for (site, page) in outside.chain(in_tabs).collect::<Vec<(Site, TouchedPage)>>() {
            let Some(&thread) = self.sites.get(&site) else { continue };
            let number = self.number_of_task();
            self.threads[thread.0].send(Task::Touch { page, touch: touch.clone(), number });
            // A person waits for a page that is busy.
            if self.wait_until(vec![number], self.started + self.time) {
                return;
            }
        }
    }
}
