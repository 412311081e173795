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

    /// `Date.now()`.
    pub(crate) fn since_epoch(&self) -> u64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole milliseconds")]
        let milliseconds = (self.time_origin + self.now()) as u64;
        milliseconds
    }

    /// `performance.now()`.
    pub(crate) fn now(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * 1_000.0
    }
}
