//! Waiting for events: polling for a moment, then falling asleep without missing one.

use super::EventLoop;
use super::slot::{EventSlot, Written};
use crate::event::Event;
use crate::sync::mutant;
use std::hint;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// How many times `wait` polls before it sleeps, by default: about five microseconds, little compared to what a sleep
/// costs. Found by trial with two threads that answer at once: with 200 polls every fiftieth answer comes too late,
/// with 100 every tenth.
pub(super) const LOOKS: u32 = if cfg!(port_core_model) { 0 } else { 400 };

impl EventLoop {
    /// Does [`EventLoop::poll_event`].
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        if let Some(event) = EventSlot::event_or_none(|slot| slot.put_next(self)) {
            return Poll::Ready(event);
        }
        // Race: a thread rings between this look and sleep. The task is registered before the look that arms, so that
        // a ring after the arming finds it.
        if !mutant("task-registered-after-the-look") {
            self.shared.bell().wakeup().register(context.waker());
        }
        let event = EventSlot::event_or_none(|slot| self.deliver_or_arm(slot));
        if mutant("task-registered-after-the-look") {
            self.shared.bell().wakeup().register(context.waker());
        }
        event.map_or(Poll::Pending, Poll::Ready)
    }

    /// Polls for an event for a moment, then arms the waker. Puts nothing if there was none.
    #[inline(always)]
    fn look_out(&mut self, slot: &mut EventSlot) -> Written {
        for _ in 0..self.looks {
            let written = slot.put_next(self);
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
        // A deadline that the clock cannot express is no deadline.
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
                // Race: a thread posted as the time ran out, and its wake came too late to be seen.
                return self.deliver_or_arm(slot);
            }
        }
    }
}
