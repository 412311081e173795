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
    /// The timers of contexts whose page is in the back/forward cache, and what was
    /// left of their time.
    frozen: HashMap<ContextId, Vec<(Timer, Duration)>>,
    set: u64,
}

impl Timers {
    /// Sets a timer.
    pub(crate) fn set(&mut self, timer: Timer, delay: Duration) {
        // A delay beyond what clocks can say is as good as none at all.
        let Some(instant) = Instant::now().checked_add(delay) else { return };
        self.clear(timer);
        if let Some(frozen) = self.frozen.get_mut(&timer.0) {
            frozen.push((timer, delay));
            return;
        }
        self.set += 1;
        let due = (instant, self.set);
        self.by_due.insert(due, timer);
        self.due_of.insert(timer, due);
    }

    /// Forgets a timer.
    pub(crate) fn clear(&mut self, timer: Timer) {
        if let Some(due) = self.due_of.remove(&timer) {
            self.by_due.remove(&due);
        } else if let Some(frozen) = self.frozen.get_mut(&timer.0) {
            frozen.retain(|(other, _)| *other != timer);
        }
    }

    /// Stops the time of a context.
    pub(crate) fn freeze(&mut self, context: ContextId) {
        let now = Instant::now();
        let mut frozen = Vec::new();
        self.by_due.retain(|due, timer| {
            if timer.0 == context {
                frozen.push((*timer, due.0.saturating_duration_since(now)));
            }
            timer.0 != context
        });
        for (timer, _) in &frozen {
            self.due_of.remove(timer);
        }
        self.frozen.entry(context).or_default().append(&mut frozen);
    }

    /// Lets the time of a context go on.
    pub(crate) fn thaw(&mut self, context: ContextId) {
        for (timer, rest) in self.frozen.remove(&context).unwrap_or_default() {
            self.set(timer, rest);
        }
    }

    /// Forgets the timers of a context.
    pub(crate) fn clear_context(&mut self, context: ContextId) {
        self.by_due.retain(|_, timer| timer.0 != context);
        self.due_of.retain(|timer, _| timer.0 != context);
        self.frozen.remove(&context);
    }

    /// Whether no timer is set.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_due.is_empty()
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
