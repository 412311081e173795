//! The timers of a thread.

use port_core::ContextId;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// A timer, as a context's bindings number it.
pub(crate) type Timer = (ContextId, u32);

/// When a timer is due; timers that are due at once keep the order of their setting.
type Due = (Instant, u64);

/// The timers that are set, soonest first.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_due: BTreeMap<Due, Timer>,
    due_of: HashMap<Timer, Due>,
    set: u64,
}

impl Timers {
    /// Sets a timer.
    pub(crate) fn set(&mut self, timer: Timer, delay: Duration) {
        // A delay beyond what clocks can say is as good as none at all.
        let Some(instant) = Instant::now().checked_add(delay) else { return };
        self.clear(timer);
        self.set += 1;
        let due = (instant, self.set);
        self.by_due.insert(due, timer);
        self.due_of.insert(timer, due);
    }

    /// Forgets a timer.
    pub(crate) fn clear(&mut self, timer: Timer) {
        if let Some(due) = self.due_of.remove(&timer) {
            self.by_due.remove(&due);
        }
    }

    /// Forgets the timers of a context.
    pub(crate) fn clear_context(&mut self, context: ContextId) {
        self.by_due.retain(|_, timer| timer.0 != context);
        self.due_of.retain(|timer, _| timer.0 != context);
    }

    /// When the next timer is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.by_due.first_key_value().map(|(due, _)| due.0)
    }

    /// Takes a timer that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let first = self.by_due.first_entry().filter(|entry| entry.key().0 <= now)?;
        let timer = first.remove();
        self.due_of.remove(&timer);
        Some(timer)
    }
}
