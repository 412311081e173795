//! What the models reach of the pieces below the public surface.
//! Exists only when the crate is compiled for models.

use crate::concurrent::bell;
use crate::concurrent::lane;
use crate::concurrent::wakeup::Wakeup;
use crate::ids::{EventLoopId, ExtensionNumber, PeerId};
use crate::sync::{Arc, PairedFence};
use std::task::Waker;
use std::time::Duration;

/// Returns whether this run spoils the core in some place, to see whether a model notices.
#[must_use]
pub fn mutated() -> bool {
    crate::sync::mutated()
}

/// Tells, where a run was asked what it comes past, that a model was explored to its end, and how long that took.
pub fn tell_explored(took: Duration) {
    crate::sync::explored(took);
}

/// The writing end of a lane.
#[derive(Debug)]
pub struct Producer<T>(lane::Producer<T>);

/// The reading end of a lane.
#[derive(Debug)]
pub struct Consumer<T>(lane::Consumer<T>);

/// Where a bounded reader stops.
#[derive(Clone, Copy, Debug)]
pub struct Frontier(lane::Frontier);

/// Makes a lane.
#[must_use]
pub fn lane<T: Send>() -> (Producer<T>, Consumer<T>) {
    let (producer, consumer) = lane::lane();
    (Producer(producer), Consumer(consumer))
}

impl<T> Producer<T> {
    /// Appends a record with a tail.
    ///
    /// # Errors
    ///
    /// Gives the record back when the consumer is gone.
    pub fn push(&mut self, record: T, tail: &[u8]) -> Result<(), T> {
        self.0.push(record, tail, tail.len() as u64)
    }

    /// Gives back spare memory.
    pub fn shrink(&mut self) {
        self.0.shrink();
    }
}

impl<T> Consumer<T> {
    /// Takes the next record with its tail.
    pub fn pop(&mut self) -> Option<(T, Vec<u8>)> {
        let entry = self.0.entry()?;
        Some(entry.take(0, |record, tail| (record, tail.pieces().flatten().copied().collect())))
    }

    /// Tells the producer which slots are free again.
    pub fn publish(&mut self) {
        self.0.publish_consumed();
    }

    /// Returns the end of what the lane holds by now, or an upper bound of it.
    #[must_use]
    pub fn frontier(&self) -> Frontier {
        Frontier(self.0.frontier())
    }

    /// Takes the next record before a frontier.
    pub fn pop_within(&mut self, frontier: Frontier) -> Option<T> {
        if self.0.before(frontier.0) == 0 { None } else { Some(self.pop()?.0) }
    }

    /// Shows every record that is ready and was not shown before.
    pub fn look_ahead(&mut self, look: impl FnMut(&T)) {
        self.0.look_ahead(look);
    }

    /// Returns whether a record is ready.
    pub fn ready(&mut self) -> bool {
        self.0.ready()
    }

    /// Gives back spare memory.
    pub fn shrink(&mut self) {
        self.0.shrink();
    }
}

/// A bell.
#[derive(Clone, Debug)]
pub struct Bell(Arc<bell::Bell>);

/// The producer's side of a line of a bell.
#[derive(Debug)]
pub struct Ringer(bell::Ringer, Bell);

/// The consumer's side of a line of a bell.
#[derive(Debug)]
pub struct Armer(bell::Armer);

impl Bell {
    /// Makes a bell that wakes `waker`.
    #[must_use]
    pub fn new(waker: Waker) -> Self {
        Self(Arc::new(bell::Bell::new(Wakeup::new(waker), PairedFence::new(true))))
    }

    /// Makes a line of this bell, and returns both sides of it.
    #[must_use]
    pub fn line(&self) -> (Ringer, Armer) {
        let lane = PeerId::new(EventLoopId::UNNUMBERED, ExtensionNumber::WEB_PAGES);
        let line = bell::Line::new(bell::Source::Lane(lane));
        (Ringer(bell::Ringer::new(Arc::clone(&line)), self.clone()), Armer(bell::Armer::new(line)))
    }

    /// Makes a line of this bell that any number of threads may ring.
    #[must_use]
    pub fn shared_line(&self) -> SharedLine {
        SharedLine(bell::Line::new(bell::Source::Control), self.clone())
    }

    /// Disarms, takes what rang, and returns how many lines that were.
    #[must_use]
    pub fn take(&self) -> usize {
        self.0.take().count()
    }

    /// Passes the fence between arming lines and looking again.
    pub fn look_again(&self) {
        self.0.look_again();
    }

    /// Arms the bell. Returns `false` when something rang since the last `take`.
    #[must_use]
    pub fn arm(&self) -> bool {
        self.0.arm()
    }

    /// Closes the bell.
    pub fn close(&self) {
        self.0.close();
    }

    /// Sleeps until woken.
    pub fn sleep(&self) {
        self.0.wakeup().sleep();
    }
}

/// A line that any number of threads ring.
#[derive(Clone, Debug)]
pub struct SharedLine(Arc<bell::Line>, Bell);

impl SharedLine {
    /// Rings the bell.
    pub fn ring(&self) {
        self.1.0.ring(&self.0);
    }
}

impl Ringer {
    /// Rings if the consumer stopped polling.
    pub fn published(&mut self) {
        self.0.published(&self.1.0);
    }
}

impl Armer {
    /// Makes the producer ring from now on.
    pub fn arm(&mut self) {
        self.0.arm();
    }
}
