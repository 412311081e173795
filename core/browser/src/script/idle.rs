//! The backgrounds of a thread that are stopped when they are idle, and since when they are.

use crate::messages::BackgroundStart;
use port_core::ContextId;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The backgrounds of a thread that are stopped when they are idle.
#[derive(Debug, Default)]
pub(super) struct IdleBackgrounds {
    by_context: BTreeMap<ContextId, Awake>,
}

/// A background that runs.
#[derive(Clone, Copy, Debug)]
struct Awake {
    started: BackgroundStart,
    last_use: Instant,
    /// Whether the browser process was told that it is idle.
    is_told: bool,
    /// Whether the log says why it stays awake.
    is_explained: bool,
}

impl IdleBackgrounds {
    pub(super) fn add(&mut self, context: ContextId, started: BackgroundStart) {
        let awake = Awake { started, last_use: Instant::now(), is_told: false, is_explained: false };
        self.by_context.insert(context, awake);
    }

    pub(super) fn remove(&mut self, context: ContextId) {
        self.by_context.remove(&context);
    }

    /// Something came for a context, or it called for something: its time begins anew.
    pub(super) fn note_use(&mut self, context: ContextId) {
        if let Some(awake) = self.by_context.get_mut(&context) {
            awake.last_use = Instant::now();
        }
    }

    /// Whether the browser process was told that a background is idle, which comes to its end then.
    pub(super) fn is_told(&self, context: ContextId) -> bool {
        self.by_context.get(&context).is_some_and(|awake| awake.is_told)
    }

    /// When the first of them will have been idle for so long.
    pub(super) fn next_due(&self, idle: Duration) -> Option<Instant> {
        let waiting = self.by_context.values().filter(|awake| !awake.is_told);
        waiting.filter_map(|awake| awake.last_use.checked_add(idle)).min()
    }

    /// Takes one that has been idle for so long; the browser process must be told, or its time begun anew.
    pub(super) fn take_due(&mut self, idle: Duration) -> Option<(ContextId, BackgroundStart)> {
        let is_due = |awake: &Awake| !awake.is_told && awake.last_use.elapsed() >= idle;
        let (context, awake) = self.by_context.iter_mut().find(|(_, awake)| is_due(awake))?;
        awake.is_told = true;
        Some((*context, awake.started))
    }

    /// One that was taken stays awake; returns whether the log does not say so already.
    pub(super) fn keep_awake(&mut self, context: ContextId) -> bool {
        let Some(awake) = self.by_context.get_mut(&context) else { return false };
        awake.is_told = false;
        awake.last_use = Instant::now();
        !std::mem::replace(&mut awake.is_explained, true)
    }
}
