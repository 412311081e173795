//! The backgrounds of a thread that are stopped when they are idle, and since when they are.

use crate::messages::BackgroundStart;
use port_core::{ContextId, PortId};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The backgrounds of a thread that are stopped when they are idle.
#[derive(Debug, Default)]
pub(super) struct IdleBackgrounds {
    by_context: BTreeMap<ContextId, Awake>,
}

/// A background that runs.
#[derive(Debug)]
struct Awake {
    started: BackgroundStart,
    last_use: Instant,
    /// When to look again at one that was idle for long enough and stayed awake.
    kept_until: Option<Instant>,
    /// Messages that may have no answer yet, and since when.
    requests: BTreeMap<PortId, Instant>,
    /// Whether the browser process was told that it is idle.
    is_told: bool,
    /// Whether the log says why it stays awake.
    is_explained: bool,
}

impl IdleBackgrounds {
    pub(super) fn add(&mut self, context: ContextId, started: BackgroundStart) {
        let awake = Awake {
            started,
            last_use: Instant::now(),
            kept_until: None,
            requests: BTreeMap::new(),
            is_told: false,
            is_explained: false,
        };
        self.by_context.insert(context, awake);
    }

    pub(super) fn remove(&mut self, context: ContextId) {
        self.by_context.remove(&context);
    }

    /// Something came for a context, or it called for something: its time begins anew.
    pub(super) fn note_use(&mut self, context: ContextId) {
        if let Some(awake) = self.by_context.get_mut(&context) {
            awake.last_use = Instant::now();
            awake.kept_until = None;
        }
    }

    /// A message without an answer so far came for a context, or it sent one.
    pub(super) fn note_request(&mut self, context: ContextId, port: PortId) {
        if let Some(awake) = self.by_context.get_mut(&context) {
            awake.requests.insert(port, Instant::now());
        }
    }

    /// Whether the browser process was told that a background is idle, which comes to its end then.
    pub(super) fn is_told(&self, context: ContextId) -> bool {
        self.by_context.get(&context).is_some_and(|awake| awake.is_told)
    }

    /// When the first of them will have been idle for so long.
    pub(super) fn next_due(&self, idle: Duration) -> Option<Instant> {
        let waiting = self.by_context.values().filter(|awake| !awake.is_told);
        waiting.filter_map(|awake| awake.kept_until.or_else(|| awake.last_use.checked_add(idle))).min()
    }

    /// Takes one that has been idle for so long; the browser process must be told, or its time begun anew.
    pub(super) fn take_due(&mut self, idle: Duration) -> Option<(ContextId, BackgroundStart)> {
        let is_due = |awake: &Awake| {
            let look = awake.kept_until.or_else(|| awake.last_use.checked_add(idle));
            !awake.is_told && look.is_some_and(|look| look <= Instant::now())
        };
        let (context, awake) = self.by_context.iter_mut().find(|(_, awake)| is_due(awake))?;
        awake.is_told = true;
        Some((*context, awake.started))
    }

    /// Keeps one that was taken awake, as long as one of its `requests` has been without an answer for less than so long.
    pub(super) fn keep_awake(
        &mut self,
        context: ContextId,
        requests: &[PortId],
        idle: Duration,
        unanswered: Duration,
    ) -> Option<Kept> {
        let awake = self.by_context.get_mut(&context)?;
        let now = Instant::now();
        awake.requests.retain(|port, _| requests.contains(port));
        let young = awake.requests.values().filter_map(|since| since.checked_add(unanswered));
        let young = young.filter(|end| *end > now);
        let (count, last) = young.fold((0, now), |(count, last), end| (count + 1, last.max(end)));
        if count == 0 {
            return None;
        }
        awake.is_told = false;
        awake.kept_until = Some(now.checked_add(idle).map_or(last, |again| again.min(last)));
        Some(Kept { requests: count, is_explained: std::mem::replace(&mut awake.is_explained, true) })
    }
}

/// Why a background stays awake that was idle for long enough.
pub(super) struct Kept {
    /// How many messages have no answer.
    pub(super) requests: usize,
    /// Whether the log says so already.
    pub(super) is_explained: bool,
}
