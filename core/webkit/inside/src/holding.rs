//! Holding scripts until the browser has granted their context.
//!
//! A content script that has run may be counted on: its page says so to its site, which says so to the background, which
//! connects. So the core has to know the context before the first line of it runs. The page waits for that, on the
//! socket, for the time that a message takes to the browser and back. Nothing in the browser waits for a page
//! meanwhile; if it does not answer for long, the scripts run, and what they call waits in `world.rs`.

use crate::control::ToPage;
use crate::link::Heard;
use crate::page::Page;
use crate::world::{Side, World};
use glib::{ControlFlow, Priority};
use port_core_gateway::StubEvent;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long scripts are held at most.
const MOST: Duration = Duration::from_secs(10);

impl Page {
    /// Waits until the context of a world is granted, or is not to be. Runs no script meanwhile, but the few that are
    /// to hear of a port that was refused.
    pub(crate) fn hold_until_granted(self: &Rc<Self>, world: &World) {
        let waits = || matches!(*world.side.borrow(), Side::Waiting(_));
        if !waits() {
            return;
        }
        // The page is not provisional any more: scripts run in documents that are committed.
        self.hand_over();
        let end = Instant::now() + MOST;
        while waits() {
            let came = self.link.borrow_mut().wait(end);
            match came {
                Some(Heard::Event(StubEvent::Granted { context, label, .. })) => {
                    self.granted(context, &label)
                }
                Some(Heard::Told(ToPage::Refused { context })) => self.refused(context),
                Some(heard) => self.postponed.borrow_mut().push_back(heard),
                None => {
                    if !self.link.borrow().is_closed() {
                        eprintln!(
                            "port-core: the browser has granted no context for {MOST:?}: scripts run without"
                        );
                    }
                    break;
                }
            }
        }
        // What they call first is not to come after what they fetch.
        self.flush();
        // More may have come with the grant: it was read, so the socket does not tell of it.
        if !self.turning.get() {
            self.turn_soon(Priority::HIGH);
        }
    }

    /// Has a turn taken by the main loop.
    pub(crate) fn turn_soon(self: &Rc<Self>, priority: Priority) {
        let page = Rc::downgrade(self);
        glib::source::idle_add_local_full(priority, move || {
            if let Some(page) = page.upgrade() {
                page.turn();
            }
            ControlFlow::Break
        });
    }
}
