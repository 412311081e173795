//! A scenario on its way: its name, and where its events go.

use std::sync::{Mutex, PoisonError};

/// What the names of the calls begin with that scenarios make and extensions do not.
pub(crate) const CALL_PREFIX: &str = "replay.";

/// A scenario to replay.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// Its name.
    pub(crate) name: String,
    /// What tells this run from others, in URLs.
    pub(crate) run: String,
    /// What its scripts find beside the API: a global's name, and the function that makes it.
    pub(crate) global: (&'static str, &'static str),
}

/// What a scenario's contexts have written down, from whichever thread.
#[derive(Default)]
pub(crate) struct Recorder {
    recorded: Mutex<Recorded>,
    /// Where events go that are not kept here.
    elsewhere: Option<Box<dyn Fn(String) + Send + Sync>>,
}

/// What was recorded.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// JSON arrays of events.
    pub(crate) events: Vec<String>,
    /// What the scenario said at its end, as JSON.
    pub(crate) report: Option<String>,
}

impl Recorder {
    /// A recorder that passes events on to another process.
    #[cfg(unix)]
    pub(crate) fn to_elsewhere(pass_on: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self { elsewhere: Some(Box::new(pass_on)), ..Self::default() }
    }

    /// Takes events, a JSON array.
    pub(crate) fn record(&self, events: String) {
        if let Some(pass_on) = &self.elsewhere {
            return pass_on(events);
        }
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).events.push(events);
    }

    /// Takes what the scenario says at its end.
    pub(crate) fn report(&self, report: &str) {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).report = Some(report.to_owned());
    }

    /// Gives everything.
    pub(crate) fn take(&self) -> Recorded {
        std::mem::take(&mut self.recorded.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
