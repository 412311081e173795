//! Holding scripts until the browser has granted their context.
//!
//! A content script that has run may be counted on: its page says so to its site, which says so to the background, which
//! connects. So the core has to know the context before the first line of it runs. The page waits for that, on the
//! socket, for the time that a message takes to the browser and back. Nothing in the browser waits for a page
//! meanwhile; if it does not answer for long, the scripts run, and what they call waits in `world.rs`.

use crate::control::{ContextKey, ToPage};
use crate::page::Page;
use crate::world::{Side, World};
use glib::{ControlFlow, Priority};
use port_core_gateway::StubEvent;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What came while scripts were held: it is heard after them.
#[derive(Default)]
pub(crate) struct Postponed {
    pub(crate) events: VecDeque<StubEvent>,
    pub(crate) told: VecDeque<ToPage>,
}

/// How long scripts are held at most.
const MOST: Duration = Duration::from_secs(10);

/// How often the socket beside that of messages is looked at meanwhile: a context that is not to be is told there.
const LOOK: Duration = Duration::from_millis(20);

impl Page {
    /// Waits until the context of a world is granted, or is not to be. Runs no script meanwhile, but the few that are
    /// to hear of a port that was refused.
    pub(crate) fn hold_until_granted(self: &Rc<Self>, world: &World) {
        if !matches!(*world.side.borrow(), Side::Waiting(_)) {
            return;
        }
        // The page is not provisional any more: scripts run in documents that are committed.
        self.hand_over();
        self.flush();
        let end = Instant::now() + MOST;
        while matches!(*world.side.borrow(), Side::Waiting(_)) {
            let came = self.connection.borrow_mut().wait(Some(LOOK));
            match came {
                Ok(Some(StubEvent::Granted { context, label, .. })) => self.granted(context, &label),
                Ok(Some(event)) => self.postponed.borrow_mut().events.push_back(event),
                Ok(None) => {
                    if self.was_refused(world.key) || self.is_closed() {
                        break;
                    }
                    if Instant::now() >= end {
                        eprintln!(
                            "port-core: the browser has granted no context for {MOST:?}: scripts run without"
                        );
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        // What they call first is not to come after what they fetch.
        self.flush();
        let has_postponed = {
            let postponed = self.postponed.borrow();
            !postponed.events.is_empty() || !postponed.told.is_empty()
        };
        if has_postponed && !self.turning.get() {
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

    /// Reads what is told beside messages without hearing it. Returns whether a context is refused there.
    fn was_refused(&self, key: ContextKey) -> bool {
        while let Some(told) = self.read_control() {
            if told == (ToPage::Refused { context: key }) {
                self.refused(key);
                return true;
            }
            self.postponed.borrow_mut().told.push_back(told);
        }
        false
    }
}
