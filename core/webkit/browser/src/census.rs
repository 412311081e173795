//! A count of all that the browser has, written with the log whenever the process gets SIGUSR1: what stays of tabs that
//! were closed and of processes that ended shows in it.

use crate::browser::{Browser, on_gtk_thread};
use crate::gateway::Look;
use glib::ControlFlow;
use serde_json::json;
use std::rc::Rc;

/// SIGUSR1, as `libc` has it on Linux.
const SIGNAL: i32 = 10;

impl Browser {
    /// Has SIGUSR1 write the count.
    pub(crate) fn count_on_signal(self: &Rc<Self>) {
        let me = Rc::downgrade(self);
        glib::source::unix_signal_add_local(SIGNAL, move || {
            let Some(browser) = me.upgrade() else { return ControlFlow::Break };
            browser.gateway.look(|looks| on_gtk_thread(move |browser| browser.write_count(&looks)));
            ControlFlow::Continue
        });
    }

    fn write_count(&self, looks: &[Look]) {
        let service = self.service.snapshot();
        let of = |count: fn(&Look) -> usize| looks.iter().map(count).sum::<usize>();
        let frames = || service.tabs.iter().flat_map(|tab| tab.frames.iter().chain(&tab.cached));
        let count = json!({
            "views": self.views.borrow().len(),
            "pages": self.pages.borrow().len(),
            "pagesWithFacts": self.facts.borrow().page_count(),
            "executions": self.executions.borrow().count(),
            "tabs": service.tabs.len(),
            "frames": frames().count(),
            "cached": service.tabs.iter().map(|tab| tab.cached.len()).sum::<usize>(),
            "contextsInFrames": frames().map(|frame| frame.contexts.len()).sum::<usize>(),
            "extensions": service.extensions.len(),
            "contextsOfExtensions": service.extensions.iter().map(|one| one.own.len() + one.content_scripts).sum::<usize>(),
            "eventLoops": service.event_loops.len(),
            "hosts": looks.len(),
            "contexts": of(|look| look.event_loop.contexts.len()),
            "contextsOfHosts": of(|look| look.host.contexts),
            "ports": of(|look| look.event_loop.ports.len()),
            "portsOfHosts": of(|look| look.host.ports),
            "lanes": of(|look| look.event_loop.lanes.len()),
            "records": of(|look| usize::try_from(look.event_loop.lanes.iter().map(|lane| lane.outbound_records).sum::<u64>()).unwrap_or(usize::MAX)),
            "heldCalls": of(|look| look.host.held_calls),
        });
        self.log(format_args!("count {count}"));
    }
}
