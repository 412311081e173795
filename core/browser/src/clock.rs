//! The time that scripts see.

#[cfg(unix)]
use std::time::Duration;
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

    /// The clock of a run that began elsewhere, at this `performance.timeOrigin`.
    #[cfg(unix)]
    pub(crate) fn since(time_origin: f64) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let elapsed = (since_epoch.as_secs_f64() - time_origin / 1_000.0).max(0.0);
        let now = Instant::now();
        let started = Duration::try_from_secs_f64(elapsed).ok().and_then(|elapsed| now.checked_sub(elapsed));
        Self { started: started.unwrap_or(now), time_origin }
    }

    /// A moment in milliseconds since the start.
    #[cfg(unix)]
    pub(crate) fn at(&self, moment: Instant) -> f64 {
        moment.saturating_duration_since(self.started).as_secs_f64() * 1_000.0
    }

    /// The moment so long after the start.
    #[cfg(unix)]
    pub(crate) fn after(&self, time: Duration) -> Option<Instant> {
        self.started.checked_add(time)
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
