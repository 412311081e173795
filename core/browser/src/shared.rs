//! What all threads of the browser share.

use crate::activity::Activity;
use crate::clock::Clock;
use crate::log::Log;
use crate::messages::Requests;
use crate::scenario::Recorder;
use port_core_webext::{Profile, TabDirectory};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What all threads of the browser share.
#[derive(Clone)]
pub(crate) struct Shared {
    /// The browser to follow.
    pub(crate) profile: Profile,
    /// The run's log.
    pub(crate) log: Arc<Log>,
    /// How many messages of each port the log shows.
    pub(crate) shown_messages: u64,
    /// Whether anything is going on.
    pub(crate) activity: Arc<Activity>,
    /// The way to the browser process.
    pub(crate) requests: Requests,
    /// The open tabs, for `sender.tab`.
    pub(crate) tabs: Arc<TabDirectory>,
    /// After how long a background is idle.
    pub(crate) idle: Duration,
    /// For how long a message without an answer keeps one awake.
    pub(crate) unanswered: Duration,
    /// Whether the run goes on until idle backgrounds are stopped.
    pub(crate) waits_for_idle: bool,
    /// What time it is.
    pub(crate) clock: Clock,
    /// Where a scenario's events go.
    pub(crate) recorder: Option<Arc<Recorder>>,
    /// What scenarios find beside the API: a global's name, and the function that makes it.
    pub(crate) scenario_global: Option<(&'static str, &'static str)>,
    /// Set when scripts have to stop, even in the middle of a loop.
    pub(crate) stopping: Arc<AtomicBool>,
}
