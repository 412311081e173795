//! What gives a main loop its work: the tasks of a thread of the browser's process, or a socket.

use super::bell::Bell;
use crate::messages::Task;
#[cfg(unix)]
use crate::process::Link;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};

/// A main loop's line to the browser.
pub(crate) enum Line {
    /// Within the browser's process.
    Thread { tasks: Receiver<Task>, bell: Arc<Bell> },
    /// From a process of its own.
    #[cfg(unix)]
    Process(Arc<Link>),
}

impl Line {
    /// Takes the next task. Says that the line is closed once the browser wants nothing more.
    pub(super) fn next_task(&self) -> Result<Task, TryRecvError> {
        match self {
            Self::Thread { tasks, .. } => tasks.try_recv(),
            #[cfg(unix)]
            Self::Process(link) => link.next_task(),
        }
    }

    /// Waits, after the last task, until the browser lets go.
    pub(super) fn wait_for_the_end(&self) {
        match self {
            Self::Thread { tasks, .. } => while tasks.recv().is_ok() {},
            #[cfg(unix)]
            Self::Process(link) => link.wait_for_the_end(),
        }
    }

    /// Sends what a turn of the main loop came to, where it waits. `idle` is asked whether the loop has nothing to do but
    /// to wait, and then whether for a timer too.
    pub(super) fn end_turn(&self, idle: impl FnOnce() -> Option<bool>) {
        match self {
            Self::Thread { .. } => drop(idle),
            #[cfg(unix)]
            Self::Process(link) => link.end_turn(idle),
        }
    }
}
