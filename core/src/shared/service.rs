//! What all handles of a service and all its event loops share: the index, the limits, the policies, and which
//! event loops there are.

use crate::concurrent::wakeup::Wakeup;
use crate::error::FactError;
use crate::ids::{EventLoopId, ExtensionInstance, Key, TabId};
use crate::index::{ContextShared, Index, Removed, Tab};
use crate::limits::Limits;
use crate::policy::Policies;
use crate::reason::DisconnectReason;
use crate::shared::background::Wanted;
use crate::shared::event_loop::{EventLoopShared, Notice};
use crate::shared::pool::{LoopLimit, Pool};
use crate::sync::{Arc, HashMap, Mutex, Numbers, PairedFence, mutant};

/// The state of a service.
pub(crate) struct ServiceInner {
    pub(crate) index: Index,
    pub(crate) limits: Limits,
    /// What lanes and event loops draw on.
    pub(crate) pool: Arc<Pool>,
    pub(crate) policies: Policies,
    asymmetric_fences: bool,
    event_loops: Mutex<HashMap<EventLoopId, Arc<EventLoopShared>>>,
    numbers: Numbers,
    pub(super) wanted: Wanted,
}

impl ServiceInner {
    pub(crate) fn new(limits: Limits, policies: Policies, asymmetric_fences: bool) -> Self {
        Self {
            index: Index::new(),
            pool: Arc::new(Pool::new(&limits)),
            limits,
            policies,
            asymmetric_fences,
            event_loops: Mutex::new(HashMap::default()),
            numbers: Numbers::new(),
            wanted: Wanted::new(),
        }
    }

    /// Returns an instance for an extension that is loaded.
    pub(crate) fn new_instance(&self) -> ExtensionInstance {
        ExtensionInstance::numbered(self.numbers.next_instance())
    }

    /// Makes the shared part of an event loop and enters it. So many bytes bound all that it sends and holds.
    pub(crate) fn new_event_loop(&self, wakeup: Wakeup, bytes: Option<u64>) -> Arc<EventLoopShared> {
        self.enter_event_loop(self.numbers.next_event_loop(), wakeup, bytes)
    }

    /// Makes and enters the shared part of an event loop with this number. If the number is too large for an id, the
    /// loop is gone from the start.
    fn enter_event_loop(&self, number: u64, wakeup: Wakeup, bytes: Option<u64>) -> Arc<EventLoopShared> {
        let (fence, pool) = (PairedFence::new(self.asymmetric_fences), Arc::clone(&self.pool));
        let Some(id) = EventLoopId::numbered(number) else {
            let shared = EventLoopShared::new(EventLoopId::UNNUMBERED, wakeup, fence, (pool, None));
            let shared = Arc::new(shared);
            let _nobody_lives_there = shared.retire();
            return shared;
        };
        let limit = bytes.map(|bytes| LoopLimit { event_loop: id, bytes });
        let shared = Arc::new(EventLoopShared::new(id, wakeup, fence, (pool, limit)));
        self.event_loops.lock().insert(id, Arc::clone(&shared));
        shared
    }

    /// Returns an event loop, unless it is gone.
    pub(crate) fn event_loop(&self, id: EventLoopId) -> Option<Arc<EventLoopShared>> {
        self.event_loops.lock().get(&id).cloned()
    }

    /// Returns how many event loops there are that are not gone.
    pub(crate) fn event_loop_count(&self) -> usize {
        self.event_loops.lock().len()
    }

    /// Returns the event loops that are not gone, in the order of their ids.
    pub(crate) fn event_loops(&self) -> Vec<Arc<EventLoopShared>> {
        let mut event_loops: Vec<_> = self.event_loops.lock().values().cloned().collect();
        event_loops.sort_by_key(|event_loop| event_loop.id());
        event_loops
    }

    /// Ends what a fact took out of the index.
    pub(crate) fn end(&self, removed: &Removed, reason: DisconnectReason) {
        // The mark comes first: a context that is being attached enters the index and
        // then looks at its mark, so either it is found here or it finds the mark.
        let mark = || removed.contexts.iter().for_each(|context| context.kill(reason));
        if !mutant("mark-after-the-notice") {
            mark();
        }
        let ended = self.by_event_loop(&removed.contexts);
        for (event_loop, contexts) in &ended {
            event_loop.leave(contexts);
        }
        if !mutant("rest-of-the-index-forgotten") {
            removed.contexts.iter().for_each(|context| self.leave(context, reason));
            self.index.forget(&removed.documents);
        }
        for (event_loop, contexts) in ended {
            let contexts = Arc::new(contexts);
            // Peers are read after the marks are set: a loop that creates lanes to this one later finds the marks.
            for concerned in event_loop.peers().iter().chain([&event_loop]) {
                concerned.notify(Notice::ContextsGone {
                    event_loop: event_loop.id(),
                    contexts: Arc::clone(&contexts),
                    reason,
                });
            }
        }
        if mutant("mark-after-the-notice") {
            mark();
        }
    }

    /// Moves a page into the cache or out of it, and appends the notice for the owners of its contexts
    /// while the tab's shard is locked: two such facts that race are heard in the order in which they changed the
    /// index. Returns the owners, to be [nudged](EventLoopShared::nudge) once no lock is held.
    ///
    /// So an index shard is locked first and a control queue second. Nobody may take an index shard's
    /// lock while it holds a control queue's; to append runs nobody's code.
    pub(crate) fn move_page<R>(
        &self,
        tab: TabId,
        notice: fn(Vec<Key>) -> Notice,
        change: impl FnOnce(&mut Tab) -> Result<(Vec<Arc<ContextShared>>, R), FactError>,
    ) -> Result<(Vec<Arc<EventLoopShared>>, R), FactError> {
        let outside = mutant("cache-notice-outside-the-lock");
        let mut moved = Vec::new();
        let (mut owners, rest) = self.index.change_tab(tab, |tab| {
            let (contexts, rest) = change(tab)?;
            if outside {
                moved = contexts;
                return Ok((Vec::new(), rest));
            }
            Ok((self.tell_owners(&contexts, notice), rest))
        })?;
        if outside {
            owners = self.tell_owners(&moved, notice);
        }
        Ok((owners, rest))
    }

    /// Appends a notice to the control queues of these contexts' event loops, which are returned.
    fn tell_owners(
        &self,
        contexts: &[Arc<ContextShared>],
        notice: fn(Vec<Key>) -> Notice,
    ) -> Vec<Arc<EventLoopShared>> {
        let owners = self.by_event_loop(contexts).into_iter();
        owners
            .map(|(event_loop, contexts)| {
                event_loop.enqueue(notice(contexts));
                event_loop
            })
            .collect()
    }

    /// Groups contexts by their event loops. Leaves out those on loops that are gone: their end was told
    /// when the loop ended.
    fn by_event_loop(&self, contexts: &[Arc<ContextShared>]) -> Vec<(Arc<EventLoopShared>, Vec<Key>)> {
        let mut grouped: Vec<(EventLoopId, Vec<Key>)> = Vec::new();
        let mut position = HashMap::<EventLoopId, usize>::default();
        for id in contexts.iter().map(|context| context.id()) {
            let (event_loop, key) = (id.event_loop(), id.key());
            let at = *position.entry(event_loop).or_insert(grouped.len());
            if at == grouped.len() {
                grouped.push((event_loop, Vec::new()));
            }
            grouped[at].1.push(key);
        }
        let found = |(id, keys)| Some((self.event_loop(id)?, keys));
        grouped.into_iter().filter_map(found).collect()
    }

    /// Ends an event loop for everyone else, who hear this reason. `mark` marks its contexts: a fact marks them as
    /// killed; their owner marks them as detached, so that its last connections are still taken.
    pub(crate) fn retire(
        &self,
        event_loop: &Arc<EventLoopShared>,
        reason: DisconnectReason,
        mark: impl Fn(&ContextShared),
    ) {
        let (contexts, peers) = event_loop.retire();
        for context in &contexts {
            if !mutant("lost-loop-left-unmarked") {
                mark(context);
            }
            self.leave(context, reason);
        }
        for peer in peers {
            if !mutant("dead-peer-not-forgotten") {
                peer.forget(event_loop.id());
            }
            let told = if mutant("crash-told-as-going") { DisconnectReason::EventLoopGone } else { reason };
            peer.notify_of_end(event_loop.id(), told);
        }
        event_loop.notify_of_its_end(reason);
        let forgotten = self.event_loops.lock().remove(&event_loop.id());
        drop(forgotten);
    }
}

#[cfg(test)]
#[path = "../../tests/inside/event_loop_numbers.rs"]
mod tests;
