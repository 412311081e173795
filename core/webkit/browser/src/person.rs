//! A person whom a script plays: what to do comes in lines over the standard input, and a line of the log says that it
//! is done. Whoever tries many extensions out has no hand for each.

use crate::browser::{Browser, on_gtk_thread};
use crate::facts::Surface;
use gio::Cancellable;
use port_core::{ExtensionInstance, TabId};
use serde_json::json;
use std::collections::VecDeque;
use std::io::BufRead;
use std::rc::Rc;
use std::thread;
use std::time::Duration;
use webkit6::prelude::*;
use webkit6::{ScriptDialogType, WebView};

/// What the lines may say.
const HELP: &str = "\
click               clicks the button of every extension
press SELECTOR      presses the first element that fits, of the popup, the active tab, or a page of an extension
type TEXT           types into the element that has the focus there
tab NUMBER          shows a tab, counted from 1
open PATH           opens a page of every extension that has it in a tab
menu ID             chooses the item of a context menu over the first link and image of the tab that is shown
command NAME        gives the command
rest                waits until no page loads any more
omnibox TEXT        types into the address bar, and presses the enter key";

/// The world of the scripts that press and type: what pages have done to their own is nothing to them.
const WORLD: &str = "port-core-person";

/// Presses an element, or chooses a file in one that is for files; its value says whether there is one.
const PRESS: &str = r#"((selector) => {
    const element = document.querySelector(selector);
    if (element instanceof HTMLInputElement && element.type === "file") {
        const chosen = new DataTransfer();
        chosen.items.add(new File(["text"], "picture.png", { type: "image/png" }));
        element.files = chosen.files;
        element.dispatchEvent(new Event("change", { bubbles: true }));
        return true;
    }
    element?.focus?.();
    element?.click?.();
    return element !== null;
})"#;

/// Types into the element that has the focus, key by key.
const TYPE: &str = r#"((text) => {
    const element = document.activeElement;
    if (element === null || element === document.body) return false;
    for (const key of text) {
        element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        if ("value" in element) element.value += key;
        element.dispatchEvent(new InputEvent("input", { data: key, bubbles: true }));
        element.dispatchEvent(new KeyboardEvent("keyup", { key, bubbles: true }));
    }
    element.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
})"#;

/// Has the lines of the standard input done, each on the GTK thread, until they end.
pub(crate) fn listen() {
    thread::spawn(|| {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            on_gtk_thread(move |browser| browser.act(&line));
        }
    });
}

impl Browser {
    /// Does what a line says.
    fn act(self: &Rc<Self>, line: &str) {
        let (what, given) = line.split_once(' ').unwrap_or((line, ""));
        let done = match what {
            "help" => {
                self.log(format_args!("{HELP}"));
                Ok(())
            }
            "click" => self.click_all(),
            "open" => self.open_pages(given),
            "tab" => {
                let tab = self.tabs.all().into_iter().find(|tab| (tab.index + 1).to_string() == given);
                tab.map(|tab| self.activate_tab(tab.id)).ok_or("no such tab")
            }
            "menu" => {
                let tab = self.active_tab();
                let view = tab.and_then(|tab| Some((tab, self.view_of(tab)?)));
                let chosen = view.is_some_and(|(tab, view)| self.choose_menu_item(given, &view, tab));
                chosen.then_some(()).ok_or("no extension has the item")
            }
            "rest" => return self.rest(line.to_owned(), 0, 0),
            "command" => self.give_command(given).then_some(()).ok_or("no extension has the command"),
            "omnibox" => {
                self.type_into_address_bar(given).then_some(()).ok_or("no extension has the keyword")
            }
            "press" | "type" => {
                let function = if what == "press" { PRESS } else { TYPE };
                let script = format!("{function}({})", json!(given));
                return self.touch(self.touchable(), &script, line.to_owned());
            }
            _ => Err("nothing that a person does here"),
        };
        self.say_done(line, done);
    }

    /// Waits until no view loads for a while, or for long.
    fn rest(self: &Rc<Self>, line: String, calm: u32, waited: u32) {
        if calm == 4 || waited == 100 {
            return self.say_done(&line, Ok(()));
        }
        let me = Rc::downgrade(self);
        glib::timeout_add_local_once(Duration::from_millis(100), move || {
            let Some(browser) = me.upgrade() else { return };
            let loads = browser.views.borrow().values().any(|view| view.web.is_loading());
            browser.rest(line, if loads { 0 } else { calm + 1 }, waited + 1);
        });
    }

    fn say_done(&self, line: &str, done: Result<(), &str>) {
        match done {
            Ok(()) => self.log(format_args!("did {line}")),
            Err(why) => self.log(format_args!("did not {line}: {why}")),
        }
    }

    fn click_all(self: &Rc<Self>) -> Result<(), &'static str> {
        let has_button = |browser: &Self| -> Vec<ExtensionInstance> {
            let extensions = browser.extensions.borrow();
            let with_button =
                extensions.iter().filter(|loaded| loaded.extension.manifest().has_toolbar_button());
            with_button.map(|loaded| loaded.instance).collect()
        };
        let buttons = has_button(self);
        let is_there = !buttons.is_empty();
        buttons.into_iter().for_each(|instance| self.click(instance));
        is_there.then_some(()).ok_or("no extension has a button")
    }

    fn open_pages(self: &Rc<Self>, path: &str) -> Result<(), &'static str> {
        let urls: Vec<String> = {
            let extensions = self.extensions.borrow();
            let pages = extensions.iter().filter(|loaded| loaded.folder.bytes(path).is_ok());
            pages.filter_map(|loaded| Some(loaded.extension.base().join(path).ok()?.into())).collect()
        };
        let is_there = !urls.is_empty();
        for url in urls {
            self.open_tab(&url, true);
        }
        is_there.then_some(()).ok_or("no extension has the page")
    }

    /// The views that a person may touch, in their order: pages outside of tabs, the active tab, pages of extensions.
    fn touchable(&self) -> VecDeque<WebView> {
        let active = self.active_tab();
        let extensions = self.extensions.borrow();
        let is_own = |tab: TabId| {
            let url = self.tabs.get(tab).map(|tab| tab.url);
            url.is_some_and(|url| extensions.iter().any(|loaded| loaded.extension.owns(&url)))
        };
        let views = self.views.borrow();
        let mut found: Vec<(u8, WebView)> = views
            .values()
            .filter_map(|view| {
                let place = match view.surface {
                    Surface::Background(_) => return None,
                    Surface::Tab(tab) if Some(tab) == active => 1,
                    Surface::Tab(tab) if is_own(tab) => 2,
                    Surface::Tab(_) => return None,
                    _ => 0,
                };
                Some((place, view.web.clone()))
            })
            .collect();
        found.sort_by_key(|(place, _)| *place);
        found.into_iter().map(|(_, web)| web).collect()
    }

    /// Runs a script in one view after the other, until it finds in one what it looks for.
    fn touch(self: &Rc<Self>, mut views: VecDeque<WebView>, script: &str, line: String) {
        let Some(view) = views.pop_front() else {
            return self.say_done(&line, Err("there is no such thing"));
        };
        let (me, again) = (Rc::downgrade(self), script.to_owned());
        view.evaluate_javascript(script, Some(WORLD), None, Cancellable::NONE, move |found| {
            let Some(browser) = me.upgrade() else { return };
            match found {
                Ok(found) if found.to_boolean() => browser.say_done(&line, Ok(())),
                _ => browser.touch(views, &again, line),
            }
        });
    }

    /// Answers what a page asks a person, for nobody is there to: yes.
    pub(crate) fn answer_dialogs(self: &Rc<Self>, view: &WebView) {
        let me = Rc::downgrade(self);
        view.connect_script_dialog(move |_, dialog| {
            if let Some(browser) = me.upgrade() {
                browser.log(format_args!("alert: {}", dialog.message().unwrap_or_default()));
            }
            if matches!(
                dialog.dialog_type(),
                ScriptDialogType::Confirm | ScriptDialogType::BeforeUnloadConfirm
            ) {
                dialog.confirm_set_confirmed(true);
            }
            true
        });
        view.connect_permission_request(|_, request| {
            PermissionRequestExt::allow(request);
            true
        });
    }
}
