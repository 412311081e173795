//! What is to come after the calls of a page's scripts: WebKit tells of a page by a way of its own, which may be faster
//! than theirs.

use crate::browser::Browser;
use crate::gateway::PageKey;
use crate::views::ViewKey;
use port_core_webkit_inside::control::ToPage;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// What waits for a page to say that what its scripts have called is on its way, by numbers.
#[derive(Default)]
pub(crate) struct Flushing(BTreeMap<u64, (PageKey, Call)>);

type Call = Box<dyn FnOnce(&Rc<Browser>)>;

/// How long a page may take to say so: who hangs keeps nobody else waiting.
const MOST: Duration = Duration::from_secs(2);

impl Browser {
    /// Calls back once the core knows what the scripts of a view have called until now.
    pub(crate) fn when_flushed(self: &Rc<Self>, view: ViewKey, call: impl FnOnce(&Rc<Self>) + 'static) {
        // Those before it are in the back/forward cache.
        let Some(page) = self.pages_of(view).into_iter().max() else { return call(self) };
        let number = self.new_number();
        self.flushing.borrow_mut().0.insert(number, (page, Box::new(call)));
        self.tell_page(page, &ToPage::Flush { number });
        let me = Rc::downgrade(self);
        glib::timeout_add_local_once(MOST, move || {
            if let Some(browser) = me.upgrade() {
                browser.flushed(page, number);
            }
        });
    }

    /// A page says that it has sent what its scripts have called: by its socket, so it has come before.
    pub(crate) fn flushed(self: &Rc<Self>, page: PageKey, number: u64) {
        let call = {
            let waiting = &mut self.flushing.borrow_mut().0;
            let is_its = waiting.get(&number).is_some_and(|(known, _)| *known == page);
            if is_its { waiting.remove(&number) } else { None }
        };
        if let Some((_, call)) = call {
            call(self);
        }
    }

    /// A page is gone: it will say nothing more.
    pub(crate) fn nothing_more_from(self: &Rc<Self>, page: PageKey) {
        let of_page: Vec<u64> = {
            let flushing = self.flushing.borrow();
            flushing.0.iter().filter(|(_, (known, _))| *known == page).map(|(number, _)| *number).collect()
        };
        of_page.into_iter().for_each(|number| self.flushed(page, number));
    }
}
