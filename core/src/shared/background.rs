//! Backgrounds that are started on demand: who is told of a start, and of its end.

use crate::concurrent::wakeup::Contained;
use crate::ids::{EventLoopId, ExtensionInstance};
use crate::index::background::{Wait, Waiting};
use crate::index::{ContextShared, Extension};
use crate::reason::DisconnectReason;
use crate::shared::event_loop::Notice;
use crate::shared::service::ServiceInner;
use crate::sync::{Mutex, mutant};
use std::collections::VecDeque;
use std::task::Waker;

/// The backgrounds that the browser is to start.
pub(super) struct Wanted(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    /// Each once.
    instances: VecDeque<ExtensionInstance>,
    /// Counted, for to clone a waker is to run the embedder's code, which must not run under the lock.
    waker: Option<std::sync::Arc<Contained>>,
}

impl Wanted {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Queue::default()))
    }
}

impl ServiceInner {
    /// Has an event loop wait for a background, unless it runs, and asks the browser for it if nobody has.
    /// `None` when the extension is not loaded.
    pub(crate) fn wait_for_background(
        &self,
        instance: ExtensionInstance,
        event_loop: EventLoopId,
    ) -> Option<Wait> {
        let wait = self.index.wait(instance, event_loop)?;
        if matches!(wait, Wait::ForStart { first: true, .. }) {
            let mut queue = self.wanted.0.lock();
            if !queue.instances.contains(&instance) {
                queue.instances.push_back(instance);
            }
            let waker = queue.waker.clone();
            drop(queue);
            if let Some(waker) = waker.filter(|_| !mutant("start-without-a-wake")) {
                waker.wake();
            }
        }
        Some(wait)
    }

    /// Returns the next background to start.
    pub(crate) fn next_wanted(&self) -> Option<ExtensionInstance> {
        loop {
            let instance = self.wanted.0.lock().instances.pop_front()?;
            // Race: it was given up, or got ready, meanwhile; or given up and wanted again by a thread that was
            // quicker to queue it than the first, so that it lay here twice, one after the other.
            if self.index.change_extension(instance, Extension::ask) == Some(true) {
                return Some(instance);
            }
        }
    }

    /// Sets who is woken when a background is wanted; at once if one is.
    pub(crate) fn set_wanted_waker(&self, waker: Waker) {
        let waker = std::sync::Arc::new(Contained::new(waker));
        let (before, wanted) = {
            let mut queue = self.wanted.0.lock();
            (queue.waker.replace(std::sync::Arc::clone(&waker)), !queue.instances.is_empty())
        };
        drop(before);
        if wanted {
            waker.wake();
        }
    }

    /// Notes that a background's listeners are registered, and tells those that wait.
    pub(crate) fn background_ready(&self, context: &ContextShared) {
        let Some(instance) = context.description().instance else { return };
        let waiting = self.index.change_extension(instance, |extension| extension.ready(context.id()));
        self.tell_waiting(waiting.unwrap_or_default(), |_| Notice::BackgroundReady(instance));
    }

    /// Gives up a start. Returns `false` when the extension is not loaded.
    pub(crate) fn give_up(&self, instance: ExtensionInstance, reason: DisconnectReason) -> bool {
        let waiting = self.index.change_extension(instance, Extension::give_up);
        let loaded = waiting.is_some();
        self.give_up_waiting(instance, waiting.unwrap_or_default(), reason);
        loaded
    }

    /// Tells those that waited for a start that it is over.
    pub(crate) fn give_up_waiting(
        &self,
        instance: ExtensionInstance,
        waiting: Waiting,
        reason: DisconnectReason,
    ) {
        self.tell_waiting(waiting, |start| Notice::BackgroundGivenUp { instance, start, reason });
    }

    /// Tells the event loops that waited what came of the start.
    fn tell_waiting(&self, waiting: Waiting, notice: impl Fn(u64) -> Notice) {
        for event_loop in waiting.event_loops {
            // Race: the event loop is gone.
            if let Some(event_loop) = self.event_loop(event_loop) {
                event_loop.notify(notice(waiting.start));
            }
        }
    }

    /// Removes a context from the index, and tells those that waited for it why it ended.
    pub(crate) fn leave(&self, context: &ContextShared, reason: DisconnectReason) {
        let waiting = self.index.leave(context);
        let reason = context.killed().unwrap_or(reason);
        if let Some(instance) = context.description().instance {
            self.give_up_waiting(instance, waiting, reason);
        }
    }
}
