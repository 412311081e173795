//! Calls about a tab that was opened just now: what is to run in it waits until it shows a document, as in browsers.

use crate::browser::Browser;
use crate::gateway::PageKey;
use port_core::TabId;
use port_core_webkit_inside::control::ContextKey;
use serde_json::Value;
use std::rc::Rc;

/// A call that came before its tab showed anything.
pub(crate) struct EarlyCall {
    pub(crate) page: PageKey,
    pub(crate) context: ContextKey,
    pub(crate) number: u32,
    pub(crate) method: String,
    pub(crate) arguments: String,
}

/// How many wait at most: what comes then finds no frame.
const MOST: usize = 100;

fn tab_of(method: &str, arguments: &[Value]) -> Option<TabId> {
    let first = arguments.first()?;
    let tab = match method {
        "tabs.executeScript" | "tabs.insertCSS" => first.as_u64(),
        "scripting.executeScript" | "scripting.insertCSS" => first["target"]["tabId"].as_u64(),
        _ => None,
    };
    tab.map(TabId::new)
}

impl Browser {
    /// Whether a call is about a tab that shows nothing yet.
    pub(crate) fn is_early(&self, method: &str, arguments: &[Value]) -> bool {
        let Some(tab) = tab_of(method, arguments) else { return false };
        self.tabs.get(tab).is_some()
            && self.early_calls.borrow().len() < MOST
            && self.facts.borrow().frames_of(tab).is_empty()
    }

    /// Keeps a call until its tab shows something, or is closed.
    pub(crate) fn keep_until_there(&self, call: EarlyCall, arguments: &[Value]) {
        if let Some(tab) = tab_of(&call.method, arguments) {
            self.early_calls.borrow_mut().push((tab, call));
        }
    }

    /// Carries out the calls that waited for a tab.
    pub(crate) fn answer_early_calls(self: &Rc<Self>, tab: TabId) {
        let (due, others) = self.early_calls.take().into_iter().partition(|(of, _)| *of == tab);
        *self.early_calls.borrow_mut() = others;
        let due: Vec<(TabId, EarlyCall)> = due;
        for (_, EarlyCall { page, context, number, method, arguments }) in due {
            self.answer(page, context, number, &method, &arguments);
        }
    }
}
