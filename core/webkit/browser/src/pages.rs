//! The pages of web processes, and what they say beside messages.

use crate::browser::Browser;
use crate::facts::{Effect, Facts, Surface};
use crate::gateway::{PageKey, Said};
use crate::views::ViewKey;
use port_core_webkit_inside::SOCKET;
use port_core_webkit_inside::control::{FromPage, OpenTab, ToPage};
use std::collections::VecDeque;
use std::rc::Rc;
use url::Url;
use webkit6::UserMessage;
use webkit6::prelude::*;

/// A page.
pub(crate) struct OpenPage {
    view: ViewKey,
    /// What it said that WebKit has yet to confirm, and what came after it.
    waiting: VecDeque<FromPage>,
    /// Whether it shows a page of an extension.
    pub(crate) is_extension: bool,
}

/// How much of what a page said may wait for WebKit's word.
const MOST_WAITING: usize = 10_000;

/// Forgets documents that came and went before WebKit spoke of them, where it has by now of a later one: a tab's first,
/// for one, if it is sent elsewhere at once. Else all that follows would wait for them.
fn forget_passing_documents(waiting: &mut VecDeque<FromPage>, url: Option<&Url>) {
    let is_shown =
        |told: &FromPage| matches!(told, FromPage::Document { frame: 0, .. }) && Facts::fits(told, url);
    let Some(shown) = waiting.iter().position(is_shown) else { return };
    let later = waiting.split_off(shown);
    waiting.retain(|told| !matches!(told, FromPage::Document { .. }));
    waiting.extend(later);
}

impl Browser {
    /// Takes the socket that a page's process made. Returns whether the message was that.
    pub(crate) fn take_socket(&self, view: ViewKey, message: &UserMessage) -> bool {
        if message.name().as_deref() != Some(SOCKET) {
            return false;
        }
        let (Some(surface), Some(descriptors)) = (self.surface_of(view), message.fd_list()) else {
            return true;
        };
        if descriptors.length() != 1 || self.pages_of(view).len() >= 64 {
            return true;
        }
        let Ok(socket) = descriptors.get(0) else { return true };
        let page = self.new_number();
        self.facts.borrow_mut().page_added(page, surface);
        self.gateway.add(page, socket);
        let open = OpenPage { view, waiting: VecDeque::new(), is_extension: false };
        self.pages.borrow_mut().insert(page, open);
        true
    }

    pub(crate) fn pages_of(&self, view: ViewKey) -> Vec<PageKey> {
        self.pages.borrow().iter().filter(|(_, page)| page.view == view).map(|(key, _)| *key).collect()
    }

    pub(crate) fn remove_pages_of(self: &Rc<Self>, view: ViewKey) {
        self.pages_of(view).into_iter().for_each(|page| self.remove_page(page));
    }

    /// Lets go of a page: its contexts end.
    pub(crate) fn remove_page(self: &Rc<Self>, page: PageKey) {
        self.pages.borrow_mut().remove(&page);
        self.gateway.remove(page);
        self.facts.borrow_mut().page_removed(page);
        self.fail_executions_of(page);
        self.nothing_more_from(page);
    }

    /// Hears what a page said.
    pub(crate) fn hear_page(self: &Rc<Self>, page: PageKey, said: Said) {
        if !self.pages.borrow().contains_key(&page) {
            return;
        }
        match said {
            Said::Word(word) => match serde_json::from_slice(&word.text) {
                Ok(told) => self.hear(page, told),
                Err(_) => self.end_process_of(page, "it says what is none of the protocol"),
            },
            Said::Closed if self.is_closing(page) => self.finish_closing(page),
            Said::Closed => self.remove_page(page),
            Said::Lied(why) => self.end_process_of(page, &why),
        }
    }

    /// What waited for WebKit's word about a view may fit now.
    pub(crate) fn hear_again(self: &Rc<Self>, view: ViewKey) {
        self.pages_of(view).into_iter().for_each(|page| self.hear_waiting(page));
    }

    fn hear(self: &Rc<Self>, page: PageKey, told: FromPage) {
        if let Some(open) = self.pages.borrow_mut().get_mut(&page) {
            open.waiting.push_back(told);
        }
        self.hear_waiting(page);
    }

    /// Hears what a page said as far as WebKit has confirmed it.
    fn hear_waiting(self: &Rc<Self>, page: PageKey) {
        loop {
            let Some(view) = self.pages.borrow().get(&page).map(|page| page.view) else { return };
            let url = self.url_of(view);
            let told = {
                let mut pages = self.pages.borrow_mut();
                let Some(open) = pages.get_mut(&page) else { return };
                if open.waiting.front().is_some_and(|told| !Facts::fits(told, url.as_ref())) {
                    forget_passing_documents(&mut open.waiting, url.as_ref());
                }
                match open.waiting.front() {
                    None => return,
                    Some(told) if Facts::fits(told, url.as_ref()) => open.waiting.pop_front(),
                    Some(_) if open.waiting.len() > MOST_WAITING => None,
                    Some(_) => return,
                }
            };
            match told {
                Some(told) => self.hear_confirmed(page, view, told),
                None => return self.end_process_of(page, "it shows what its view does not"),
            }
        }
    }

    fn hear_confirmed(self: &Rc<Self>, page: PageKey, view: ViewKey, told: FromPage) {
        match told {
            FromPage::Call { context, number, method, arguments } => {
                self.answer(page, context, number, &method, &arguments);
            }
            FromPage::Console { context, level, text } => {
                let holder = self.facts.borrow().holder(page, context);
                if let Some((known, _)) = holder {
                    self.console(known.instance, &level, &text);
                }
            }
            FromPage::Heard { context } => {
                let holder = self.facts.borrow().holder(page, context);
                let is_page = self.facts.borrow().is_extension_page(page, context);
                if let Some((known, surface)) = holder {
                    let name = &known.extension.manifest().name;
                    let side = if is_page { "page" } else { "content script" };
                    self.log(format_args!("heard {name}: {side}, {surface:?}"));
                }
            }
            FromPage::Flushed { number } => self.flushed(page, number),
            FromPage::Executed { number, outcome } => self.executed(page, number, outcome),
            _ if self.is_closing(page) => {}
            told => {
                let effects = self.facts.borrow_mut().hear(page, &told);
                match effects {
                    Ok(effects) => effects.into_iter().for_each(|effect| self.carry_out(page, view, effect)),
                    Err(lie) => self.end_process_of(page, lie.0),
                }
            }
        }
    }

    fn carry_out(self: &Rc<Self>, page: PageKey, view: ViewKey, effect: Effect) {
        match effect {
            Effect::Grant(description, context) => {
                if self.facts.borrow().is_extension_page(page, context) {
                    if let Some(open) = self.pages.borrow_mut().get_mut(&page) {
                        open.is_extension = true;
                    }
                    self.tell_page(page, &ToPage::Tabs(self.open_tabs()));
                }
                self.gateway.grant(page, *description, context);
            }
            // Behind what the core says of it.
            Effect::Restored => self.tell_page(page, &ToPage::Restored),
            Effect::Refuse(context) => self.tell_page(page, &ToPage::Refused { context }),
            Effect::Again(document) => self.tell_page(page, &ToPage::Again { document }),
            Effect::Navigated => {
                if let Some(Surface::Tab(tab)) = self.surface_of(view) {
                    self.log(format_args!("navigated tab {tab}"));
                    self.answer_early_calls(tab);
                }
            }
        }
    }

    /// Ends the process of a page that is not honest.
    pub(crate) fn end_process_of(self: &Rc<Self>, page: PageKey, why: &str) {
        let Some(view) = self.pages.borrow().get(&page).map(|page| page.view) else { return };
        eprintln!("port-core: ended a web process: {why}");
        let web = self.views.borrow().get(&view).map(|view| view.web.clone());
        self.finish_closing(page);
        self.remove_page(page);
        web.into_iter().for_each(|web| web.terminate_web_process());
    }

    /// Tells a page something, behind what it hears of the facts that were reported before.
    pub(crate) fn tell_page(&self, page: PageKey, what: &ToPage) {
        self.gateway.tell(page, serde_json::to_vec(what).expect("texts and numbers"));
    }

    /// Tells pages something.
    pub(crate) fn tell_pages(&self, what: &ToPage, which: impl Fn(&OpenPage) -> bool) {
        let pages: Vec<PageKey> =
            self.pages.borrow().iter().filter(|(_, page)| which(page)).map(|(key, _)| *key).collect();
        pages.into_iter().for_each(|page| self.tell_page(page, what));
    }

    /// Tells the pages of extensions which tabs are open.
    pub(crate) fn tell_tabs(&self) {
        self.tell_pages(&ToPage::Tabs(self.open_tabs()), |page| page.is_extension);
    }

    fn open_tabs(&self) -> Vec<OpenTab> {
        let open = self.tabs.all().into_iter().map(|tab| OpenTab {
            id: tab.id.get(),
            window: tab.window.get(),
            index: tab.index,
            active: tab.active,
            url: tab.url.to_string(),
            title: tab.title,
            complete: tab.complete,
            last_accessed: tab.last_accessed,
            granted: tab.granted.iter().map(ToString::to_string).collect(),
        });
        open.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{FromPage, forget_passing_documents};
    use std::collections::VecDeque;
    use url::Url;

    #[test]
    fn a_document_that_passed_holds_up_no_later_one() {
        let document = |document, url: &str| FromPage::Document {
            frame: 0,
            parent: None,
            document,
            url: url.to_owned(),
            maker: None,
            is_sandboxed: false,
        };
        let world = |document| FromPage::World {
            context: document,
            document,
            extension: "greeter@example".to_owned(),
            is_page: false,
        };
        let all = || {
            VecDeque::from([
                document(1, "about:blank"),
                world(1),
                document(2, "http://a.example/one"),
                world(2),
            ])
        };
        let mut waiting = all();
        forget_passing_documents(&mut waiting, Url::parse("http://b.example/").ok().as_ref());
        assert_eq!(waiting, all());
        forget_passing_documents(&mut waiting, Url::parse("http://a.example/").ok().as_ref());
        assert_eq!(waiting, [world(1), document(2, "http://a.example/one"), world(2)]);
    }
}
