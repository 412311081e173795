//! What threads share of a context.

use crate::description::ContextDescription;
use crate::ids::{ContextId, ExtensionId};
use crate::reason::DisconnectReason;
use crate::sync::{AtomicBool, AtomicU8, Ordering};
use std::fmt;

/// What the index, peers and killers share of a context. It names its event loop by id alone: a
/// [`Sender`](crate::Sender) that an embedder keeps holds no event loop's memory.
///
/// Two marks say that it is gone, each set before any notice of its death. They are
/// two so that no thread loads what it writes: killers write `killed`, the owner
/// writes `detached`.
///
/// On lines of its own, apart from the count of references, which a receiver writes for
/// each [`Sender`](crate::Sender) while the opener reads here.
#[repr(align(64))]
pub(crate) struct ContextShared {
    id: ContextId,
    description: ContextDescription,
    extension: ExtensionId,
    killed: AtomicU8,
    detached: AtomicBool,
}

impl ContextShared {
    pub(crate) fn new(id: ContextId, description: ContextDescription, extension: ExtensionId) -> Self {
        Self { id, description, extension, killed: AtomicU8::new(0), detached: AtomicBool::new(false) }
    }

    pub(crate) fn id(&self) -> ContextId {
        self.id
    }

    pub(crate) fn description(&self) -> &ContextDescription {
        &self.description
    }

    pub(crate) fn extension(&self) -> &ExtensionId {
        &self.extension
    }

    /// A fact ends the context. The first reason stays.
    pub(crate) fn kill(&self, reason: DisconnectReason) {
        // Relaxed: nothing is read on the strength of the mark, and whoever must not miss
        // it came through a lock that the killer took after setting it: an index shard
        // in `attach`, the registry where lanes are created, the control queue elsewhere.
        let _ = self.killed.compare_exchange(0, reason.mark(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The owner detached the context.
    pub(crate) fn set_detached(&self) {
        // Relaxed: only spares others a connect that our loop would refuse.
        self.detached.store(true, Ordering::Relaxed);
    }

    /// Why a fact ended the context, if one did.
    #[inline]
    pub(crate) fn killed(&self) -> Option<DisconnectReason> {
        // Relaxed: see `kill`.
        DisconnectReason::from_mark(self.killed.load(Ordering::Relaxed))
    }

    /// Whether a fact ended the context.
    #[inline(always)]
    pub(crate) fn is_killed(&self) -> bool {
        // Relaxed: see `kill`.
        self.killed.load(Ordering::Relaxed) != 0
    }

    /// Whether the context is gone, by whichever way. Not for the owner.
    pub(crate) fn is_gone(&self) -> bool {
        // Relaxed: see `set_detached`.
        self.is_killed() || self.detached.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for ContextShared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextShared").field("id", &self.id).finish_non_exhaustive()
    }
}
