//! What the core rings when somebody waits for a background that does not run.

use crate::activity::Activity;
use crate::messages::{Request, Requests};
use std::cell::Cell;
use std::sync::Arc;
use std::task::Wake;

thread_local! {
    /// Whether a connect of this thread made a background wanted.
    static HAS_WOKEN: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether the alarm was rung on this thread since the last time.
pub(crate) fn has_woken() -> bool {
    HAS_WOKEN.take()
}

/// Has the browser process start the backgrounds that somebody waits for.
pub(crate) struct Alarm {
    pub(crate) requests: Requests,
    pub(crate) activity: Arc<Activity>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        HAS_WOKEN.set(true);
        self.requests.send(Request::BackgroundWanted, Some(self.activity.begin()));
    }
}
