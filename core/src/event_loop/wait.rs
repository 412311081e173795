//! Waiting for events: looking out for a moment, and falling asleep without missing one.

use super::EventLoop;
use super::slot::{EventSlot, Written};
use crate::event::Event;
use crate::sync::mutant;
use std::hint;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// How often `wait` looks again before it sleeps, unless told otherwise: some five microseconds. Found by
/// trial with two threads that answer at once: with 200 every fiftieth answer comes too late, with 100 every
/// tenth; and it is little beside what a sleep costs.
pub(super) const LOOKS: u32 = if cfg!(port_core_model) { 0 } else { 400 };

impl EventLoop {
    /// Registers the task, and hands out an event if there is one after all.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        if let Some(event) = EventSlot::event_or_none(|slot| self.deliver(slot)) {
            return Poll::Ready(event);
        }
        if !mutant("task-registered-after-the-look") {
            self.shared.bell().wakeup().register(context.waker());
        }
        let event = EventSlot::event_or_none(|slot| self.deliver_or_arm(slot));
        if mutant("task-registered-after-the-look") {
            self.shared.bell().wakeup().register(context.waker());
        }
        event.map_or(Poll::Pending, Poll::Ready)
    }

    /// Looks for an event for a moment, and then arms the waker. Puts nothing where there was nothing.
    #[inline(always)]
    fn look_out(&mut self, slot: &mut EventSlot) -> Written {
        for _ in 0..self.looks {
            let written = self.deliver(slot);
            if written.is_event() {
                return written;
            }
            hint::spin_loop();
        }
        self.deliver_or_arm(slot)
    }

    /// Sleeps until there is an event.
    pub(super) fn wait_for_event(&mut self) -> Event {
        loop {
            if let Some(event) = EventSlot::event_or_none(|slot| self.wait_in_slot(slot)) {
                return event;
            }
        }
    }

    #[inline(never)]
    fn wait_in_slot(&mut self, slot: &mut EventSlot) -> Written {
        loop {
            let written = self.look_out(slot);
            if written.is_event() {
                return written;
            }
            self.shared.bell().wakeup().sleep();
        }
    }

    /// Sleeps until there is an event, or the time is over.
    pub(super) fn wait_for_event_until(&mut self, timeout: Duration) -> Option<Event> {
        let Some(deadline) = Instant::now().checked_add(timeout) else { return Some(self.wait_for_event()) };
        EventSlot::event_or_none(|slot| self.wait_in_slot_until(deadline, slot))
    }

    #[inline(never)]
    fn wait_in_slot_until(&mut self, deadline: Instant, slot: &mut EventSlot) -> Written {
        loop {
            let written = self.look_out(slot);
            if written.is_event() {
                return written;
            }
            if !self.shared.bell().wakeup().sleep_until(deadline) {
                return self.deliver_or_arm(slot);
            }
        }
    }
}
