//! The part of an event loop that other threads reach: its bell, its control queue, and the
//! registry of its peers and contexts.

use crate::concurrent::bell::{Bell, Line, Ringer, Source};
use crate::concurrent::lane::{self, Consumer, Producer};
use crate::concurrent::wakeup::Wakeup;
use crate::ids::{EventLoopId, ExtensionInstance, ExtensionNumber, Key, PeerId};
use crate::index::ContextShared;
use crate::reason::DisconnectReason;
use crate::shared::control::ControlQueue;
use crate::shared::pool::{LaneGrant, LoopLimit, Pool};
use crate::sync::{Arc, HashMap, Mutex, PairedFence, mutant};
use crate::wire::record::Record;
use std::collections::BTreeSet;
use std::fmt;
use std::task::Waker;

/// The part of an event loop that other threads reach.
pub(crate) struct EventLoopShared {
    id: EventLoopId,
    bell: Bell,
    control_line: Arc<Line>,
    /// Rare things for the loop to know, in order; `None` once it is dropped.
    control: Mutex<Option<ControlQueue>>,
    registry: Mutex<Registry>,
    pool: Arc<Pool>,
    limit: Option<LoopLimit>,
}

/// Which peers have lanes with an event loop, and which contexts live on it.
struct Registry {
    /// Set when the loop is dropped or declared gone. No lane and no context is
    /// added from then on.
    closed: bool,
    peers: Vec<Arc<EventLoopShared>>,
    /// For which extensions there are lanes with those of them whose ids are greater.
    lanes: BTreeSet<PeerId>,
    contexts: HashMap<Key, Arc<ContextShared>>,
}

/// The lanes between an event loop and a peer, in both directions, as the loop sees them. They are for connections that
/// contexts of one extension open.
pub(crate) struct Lanes {
    pub(crate) peer: Arc<EventLoopShared>,
    pub(crate) opens: ExtensionNumber,
    /// `true` if there were no lanes between the two before, and the loop that they wait for made none since.
    pub(crate) first: bool,
    pub(crate) producer: Producer<Record>,
    pub(crate) ringer: Ringer,
    pub(crate) consumer: Consumer<Record>,
    pub(crate) line: Arc<Line>,
    /// What the lane to the peer has drawn, and the one from it.
    pub(crate) grants: [Arc<LaneGrant>; 2],
}

/// Something rare that an event loop must be told.
pub(crate) enum Notice {
    /// A peer created the lanes between the two.
    Peer(Box<Lanes>),
    /// Contexts of a peer, or of the loop itself, were killed.
    ContextsGone { event_loop: EventLoopId, contexts: Arc<Vec<Key>>, reason: DisconnectReason },
    /// Contexts of a peer were killed, too many to name; why the last of them was.
    SomeContextsGone { event_loop: EventLoopId, reason: DisconnectReason },
    /// A peer, or the loop itself, was dropped or declared gone, for this reason.
    EventLoopGone(EventLoopId, DisconnectReason),
    /// The pages of these contexts of the loop went into the back/forward cache.
    Suspend(Vec<Key>),
    /// The pages of these contexts of the loop came back.
    Resume(Vec<Key>),
    /// A background that the loop waited for runs.
    BackgroundReady(ExtensionInstance),
    /// A background that the loop waited for was not started: all starts up to this one are over.
    BackgroundGivenUp { instance: ExtensionInstance, start: u64, reason: DisconnectReason },
}

/// Says why no lanes were created.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoLanes {
    /// The peer created them; they are in the control queue.
    Exist,
    /// One of the two is gone.
    Gone,
}

impl EventLoopShared {
    pub(crate) fn new(
        id: EventLoopId,
        wakeup: Wakeup,
        fence: PairedFence,
        (pool, limit): (Arc<Pool>, Option<LoopLimit>),
    ) -> Self {
        let bell = Bell::new(wakeup, fence);
        if !mutant("armed-by-the-first-look") {
            // So that a thread that sleeps before its first look is woken too.
            let armed = bell.arm();
            debug_assert!(armed, "nobody knows it yet");
        }
        Self {
            id,
            bell,
            control_line: Line::new(Source::Control),
            control: Mutex::new(Some(ControlQueue::new(id))),
            registry: Mutex::new(Registry {
                closed: false,
                peers: Vec::new(),
                lanes: BTreeSet::new(),
                contexts: HashMap::default(),
            }),
            pool,
            limit,
        }
    }

    /// Returns what bounds all that it sends and holds, if anything does.
    pub(crate) fn limit(&self) -> Option<LoopLimit> {
        self.limit
    }

    pub(crate) fn id(&self) -> EventLoopId {
        self.id
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Rings the bell by the control line, so that the loop looks for notices and events.
    pub(crate) fn nudge(&self) {
        self.bell.ring(&self.control_line);
    }

    /// Appends a notice and rings. Without effect once the loop is dropped.
    pub(crate) fn notify(&self, notice: Notice) {
        self.enqueue(notice);
        if !mutant("notice-without-a-ring") {
            self.nudge();
        }
    }

    /// Appends that a peer is over and rings, unless the loop need not know. No lock may be held.
    pub(crate) fn notify_of_end(&self, peer: EventLoopId, reason: DisconnectReason) {
        let forgotten = self.control.lock().as_mut().map(|queue| queue.push_over(peer, reason));
        // Outside the lock, for a lane in it may hold payloads with destructors.
        drop(forgotten);
        if !mutant("notice-without-a-ring") {
            self.nudge();
        }
    }

    /// Appends a notice for which somebody will [`nudge`](Self::nudge) the loop. Runs nobody's code.
    pub(crate) fn enqueue(&self, notice: Notice) {
        let refused = match &mut *self.control.lock() {
            Some(queue) => {
                queue.push(notice);
                None
            }
            None => Some(notice),
        };
        // Dropped outside the lock: a lane in it may hold payloads with destructors.
        drop(refused);
    }

    /// Takes all notices. Owner only.
    pub(crate) fn take_notices(&self) -> Vec<Notice> {
        self.control.lock().as_mut().map(ControlQueue::take).unwrap_or_default()
    }

    /// Takes the lanes that peers created, and leaves other notices in place. Owner only.
    pub(crate) fn take_new_peers(&self) -> Vec<Lanes> {
        self.control.lock().as_mut().map(ControlQueue::take_new_peers).unwrap_or_default()
    }

    /// The loop is over for everyone else. It need know that, and which of its contexts ended before; what else
    /// waits is freed.
    pub(crate) fn notify_of_its_end(&self, reason: DisconnectReason) {
        let freed = self.control.lock().as_mut().map(ControlQueue::keep_own_ends);
        // Outside the lock, for a lane in it may hold payloads with destructors.
        drop(freed);
        self.notify(Notice::EventLoopGone(self.id, reason));
    }

    /// Closes the loop, which is dropped: no notice and no ring reaches it any more.
    pub(crate) fn close(&self) {
        let notices = self.control.lock().take();
        drop(notices);
        self.pool.forget(self.id);
        self.bell.close();
        self.bell.wakeup().forget_task();
    }

    /// Creates the lanes to a peer, both directions at once. The peer finds its ends
    /// in its control queue. Both registries are locked, that of the lower id first, so
    /// that of two loops that try at once, one creates the lanes and the other finds them.
    pub(crate) fn create_lanes(
        own: &Arc<Self>,
        peer: &Arc<Self>,
        opens: ExtensionNumber,
    ) -> Result<Lanes, NoLanes> {
        let own_first = own.id < peer.id || mutant("registries-locked-own-first");
        let (lower, higher) = if own_first { (own, peer) } else { (peer, own) };
        let mut lower_registry = lower.registry.lock();
        let mut higher_registry = higher.registry.lock();
        if (lower_registry.closed || higher_registry.closed) && !mutant("lanes-to-a-closed-loop") {
            return Err(NoLanes::Gone);
        }
        let first = lower_registry.peers.iter().all(|known| known.id != higher.id);
        if lower_registry.lanes.contains(&PeerId::new(higher.id, opens))
            || !first && mutant("lanes-of-one-extension-taken-for-anothers")
        {
            return Err(NoLanes::Exist);
        }
        if !mutant("lanes-not-registered") {
            lower_registry.lanes.insert(PeerId::new(higher.id, opens));
            if first {
                lower_registry.peers.push(Arc::clone(higher));
                higher_registry.peers.push(Arc::clone(lower));
            }
        }
        if !first && !mutant("met-and-taken-for-a-stranger") {
            // Under the locks, so that the peer is not over before it is known as met.
            if let Some(queue) = own.control.lock().as_mut() {
                queue.meet(peer.id);
            }
        }
        let (here, there) = Lanes::between(own, peer, opens, first);
        // Under the locks, so that a notice of our death, or of one of our contexts',
        // comes after this one in the peer's queue. The waker must not run there.
        let locked =
            Some((lower_registry, higher_registry)).filter(|_| !mutant("lanes-announced-outside-the-locks"));
        peer.enqueue(Notice::Peer(Box::new(there)));
        drop(locked);
        peer.nudge();
        Ok(here)
    }

    /// Enters a context. Returns `false` when the loop is gone.
    pub(crate) fn enter(&self, context: &Arc<ContextShared>) -> bool {
        let mut registry = self.registry.lock();
        let open = !registry.closed || mutant("context-enters-a-closed-loop");
        if open {
            registry.contexts.insert(context.id().key(), Arc::clone(context));
        }
        open
    }

    /// Removes contexts that have ended.
    pub(crate) fn leave(&self, contexts: &[Key]) {
        let mut registry = self.registry.lock();
        let left: Vec<_> = contexts.iter().map(|context| registry.contexts.remove(context)).collect();
        drop(registry);
        drop(left);
    }

    /// Returns those of some contexts that are not on the loop any more; none once the loop itself is over, of
    /// which another notice tells.
    pub(crate) fn ended(&self, contexts: impl Iterator<Item = Key>) -> Vec<Key> {
        let registry = self.registry.lock();
        if registry.closed {
            return Vec::new();
        }
        let ended =
            |context: &Key| !registry.contexts.contains_key(context) || mutant("everybody-taken-for-gone");
        contexts.filter(ended).collect()
    }

    /// Who has lanes with this loop by now.
    pub(crate) fn peers(&self) -> Vec<Arc<Self>> {
        self.registry.lock().peers.clone()
    }

    /// Closes the registry. Returns the contexts and peers that were in it.
    pub(crate) fn retire(&self) -> (Vec<Arc<ContextShared>>, Vec<Arc<Self>>) {
        let mut registry = self.registry.lock();
        registry.closed = true;
        registry.lanes = BTreeSet::new();
        let contexts = std::mem::take(&mut registry.contexts).into_values().collect();
        (contexts, std::mem::take(&mut registry.peers))
    }

    /// Returns whether the loop was dropped or declared gone.
    pub(crate) fn is_retired(&self) -> bool {
        self.registry.lock().closed
    }

    /// Replaces the embedder's waker. Owner only.
    pub(crate) fn set_waker(&self, waker: Waker) {
        self.bell.wakeup().set_waker(waker);
        // Race: a thread rang meanwhile. It took a waker under the same lock: either this one, or the old one, and
        // then its ring is seen here.
        if self.bell.has_rung() && !mutant("waker-changed-without-a-look") {
            self.bell.wakeup().wake();
        }
    }

    /// Forgets a peer that is gone.
    pub(crate) fn forget(&self, peer: EventLoopId) {
        let mut registry = self.registry.lock();
        let forgotten =
            registry.peers.iter().position(|known| known.id == peer).map(|at| registry.peers.swap_remove(at));
        registry.lanes.retain(|lanes| lanes.event_loop() != peer);
        drop(registry);
        drop(forgotten);
    }
}

impl fmt::Debug for EventLoopShared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoopShared").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Lanes {
    fn between(
        here: &Arc<EventLoopShared>,
        there: &Arc<EventLoopShared>,
        opens: ExtensionNumber,
        first: bool,
    ) -> (Self, Self) {
        let (to_there, from_here) = lane::lane();
        let (to_here, from_there) = lane::lane();
        let [grant_there, grant_here] =
            [here, there].map(|sender| Arc::new(LaneGrant::new(&here.pool, sender.limit)));
        let line_here = Line::new(Source::Lane(PeerId::new(there.id, opens)));
        let line_there = Line::new(Source::Lane(PeerId::new(here.id, opens)));
        let ours = Self {
            peer: Arc::clone(there),
            opens,
            first,
            producer: to_there,
            ringer: Ringer::new(Arc::clone(&line_there)),
            consumer: from_there,
            line: Arc::clone(&line_here),
            grants: [&grant_there, &grant_here].map(Arc::clone),
        };
        let theirs = Self {
            peer: Arc::clone(here),
            opens,
            first,
            producer: to_here,
            ringer: Ringer::new(line_here),
            consumer: from_here,
            line: line_there,
            grants: [grant_here, grant_there],
        };
        (ours, theirs)
    }

    /// Makes the lane of an event loop to itself: both ends of one.
    #[cold]
    pub(crate) fn to_itself(own: &Arc<EventLoopShared>, id: PeerId) -> Self {
        let (producer, consumer) = lane::lane();
        let line = Line::new(Source::Lane(id));
        let grant = Arc::new(LaneGrant::new(&own.pool, own.limit));
        let (peer, ringer) = (Arc::clone(own), Ringer::new(Arc::clone(&line)));
        let (opens, first, grants) = (id.opens(), false, [Arc::clone(&grant), grant]);
        Self { peer, opens, first, producer, ringer, consumer, line, grants }
    }
}
