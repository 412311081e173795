//! The time that scripts see.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The clock of a run: the same for all threads, and never set back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    time_origin: f64,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), time_origin: since_epoch.as_secs_f64() * 1_000.0 }
    }

    /// `performance.timeOrigin`.
    pub(crate) fn time_origin(&self) -> f64 {
        self.time_origin
    }

    /// `performance.now()`.
    pub(crate) fn now(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * 1_000.0
    }
}
