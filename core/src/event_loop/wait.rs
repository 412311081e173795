//! Waiting for events: looking out for a moment, and falling asleep without missing one.

use super::EventLoop;
use super::next::Round;
use crate::event::{Event, Full, Place, Written};
use crate::sync::mutant;
use std::hint;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// How often `wait` looks again before it sleeps, unless told otherwise: some five microseconds. Found by
/// trial with two threads that answer at once: with 200 every fiftieth answer comes too late, with 100 every
/// tenth; and it is little beside what a sleep costs.
pub(super) const LOOKS: u32 = if cfg!(port_core_model) { 0 } else { 400 };

impl EventLoop {
    /// Arms every polled lane, looks once more, and arms the bell. `false` when there
    /// was something after all. From here on an idle lane costs nothing until it rings.
    pub(super) fn fall_asleep(&mut self) -> bool {
        if !self.polled.is_empty() {
            for &index in &self.polled {
                if let Some(peer) = self.peers[index as usize].as_mut() {
                    peer.arm();
                }
            }
            self.shared.bell().look_again();
        }
        let peers = &mut self.peers;
        self.polled.retain(|&index| {
            let Some(peer) = peers[index as usize].as_mut() else { return false };
            peer.polled = peer.has_record() && !mutant("asleep-without-a-second-look");
            peer.polled
        });
        self.round = Round::default();
        if self.polled.is_empty() && self.events.is_empty() {
            self.armed = self.shared.bell().arm();
        }
        self.armed
    }

    /// The next event for an asynchronous host: registers the task instead of
    /// sleeping. One task polls at a time; only the last is woken.
    pub fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        if let Some(event) = self.try_next_event() {
            return Poll::Ready(event);
        }
        if !mutant("task-registered-after-the-look") {
            self.shared.bell().wakeup().register(context.waker());
        }
        match self.next_event() {
            Some(event) => Poll::Ready(event),
            None => {
                if mutant("task-registered-after-the-look") {
                    self.shared.bell().wakeup().register(context.waker());
                }
                Poll::Pending
            }
        }
    }

    /// Has [`wait`](Self::wait) and [`wait_timeout`](Self::wait_timeout) look so often for an event before they
    /// sleep, with a pause of the processor between two looks; 400 unless told, which is some five
    /// microseconds. Worth it where answers come at once, for to sleep and be woken takes ten times
    /// as long. With 0 they sleep at once: right where there are more threads than processors.
    /// The other ways to take events never spin.
    pub fn set_looks_before_sleep(&mut self, looks: u32) {
        self.looks = looks;
    }

    /// Looks for an event for a moment.
    #[inline(always)]
    fn look_for_a_moment(&mut self, place: &mut Place) -> Option<Full> {
        for _ in 0..self.looks {
            // A message is made where it stays; moving one takes as long as making it.
            let event_loop = self.id;
            if self.lane_is_next()
                && let Ok(arrival) = self.arrival()
            {
                return Some(arrival.put(event_loop, place));
            }
            if let Some(event) = self.try_next_event() {
                return Some(place.put(event));
            }
            hint::spin_loop();
        }
        None
    }

    /// The next event for a plain thread: sleeps until there is one, after it looked
    /// [for a moment](Self::set_looks_before_sleep).
    pub fn wait(&mut self) -> Event {
        Place::of_event(|place| self.wait_for(place))
    }

    #[inline(never)]
    fn wait_for(&mut self, place: &mut Place) -> Full {
        loop {
            if let Some(full) = self.look_for_a_moment(place) {
                return full;
            }
            if let Some(event) = self.next_event() {
                return place.put(event);
            }
            self.shared.bell().wakeup().sleep();
        }
    }

    /// As [`wait`](Self::wait), for so long at most; `None` when nothing came.
    pub fn wait_timeout(&mut self, timeout: Duration) -> Option<Event> {
        let Some(deadline) = Instant::now().checked_add(timeout) else { return Some(self.wait()) };
        Place::of_event_or_none(|place| self.wait_until(deadline, place))
    }

    #[inline(never)]
    fn wait_until(&mut self, deadline: Instant, place: &mut Place) -> Written {
        loop {
            if let Some(full) = self.look_for_a_moment(place) {
                return full.into();
            }
            if let Some(event) = self.next_event() {
                return place.put(event).into();
            }
            if !self.shared.bell().wakeup().sleep_until(deadline) {
                return match self.next_event() {
                    Some(event) => place.put(event).into(),
                    None => place.put_nothing(),
                };
            }
        }
    }
}
