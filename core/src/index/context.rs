//! What threads share of a context.

use crate::description::{ContextDescription, ContextKind};
use crate::ids::{ContextId, ExtensionId, ExtensionNumber};
use crate::reason::DisconnectReason;
use crate::sync::{AtomicBool, AtomicU8, Ordering};
use std::fmt;

/// What the index, peers and killers share of a context. It names its event loop by id alone, so a
/// [`Sender`](crate::Sender) that an embedder keeps does not keep the event loop's memory alive.
///
/// Two marks say that it is gone, each set before any notice of its end. There are
/// two so that no thread loads what it writes: killers write `killed`, the owner
/// writes `detached`.
///
/// On cache lines of its own, apart from the reference count, which a receiver writes for
/// each [`Sender`](crate::Sender) while the opener reads here.
#[repr(align(64))]
pub(crate) struct ContextShared {
    id: ContextId,
    description: ContextDescription,
    extension: Option<ExtensionId>,
    number: ExtensionNumber,
    killed: AtomicU8,
    detached: AtomicBool,
}

impl ContextShared {
    pub(crate) fn new(
        id: ContextId,
        description: ContextDescription,
        extension: Option<ExtensionId>,
        number: ExtensionNumber,
    ) -> Self {
        Self {
            id,
            description,
            extension,
            number,
            killed: AtomicU8::new(0),
            detached: AtomicBool::new(false),
        }
    }

    pub(crate) fn id(&self) -> ContextId {
        self.id
    }

    pub(crate) fn description(&self) -> &ContextDescription {
        &self.description
    }

    pub(crate) fn is_background(&self) -> bool {
        self.description.kind == ContextKind::Background
    }

    /// Returns its extension; `None` for a page of the web.
    pub(crate) fn extension(&self) -> Option<&ExtensionId> {
        self.extension.as_ref()
    }

    /// Returns its extension's number, by which the lanes are chosen that its connections take.
    #[inline(always)]
    pub(crate) fn number(&self) -> ExtensionNumber {
        self.number
    }

    /// Marks the context as ended by a fact. The first reason stays.
    pub(crate) fn kill(&self, reason: DisconnectReason) {
        // Relaxed: no other access is ordered by the mark, and a thread that must not miss
        // it came through a lock that the killer took after setting it: an index shard
        // in `attach`, the registry where lanes are created, the control queue elsewhere.
        let _ = self.killed.compare_exchange(0, reason.mark(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Marks the context as detached by its owner.
    pub(crate) fn set_detached(&self) {
        // Relaxed: only spares others a connect that our loop would refuse.
        self.detached.store(true, Ordering::Relaxed);
    }

    /// Returns why a fact ended the context, if one did.
    #[inline]
    pub(crate) fn killed(&self) -> Option<DisconnectReason> {
        // Relaxed: see `kill`.
        DisconnectReason::from_mark(self.killed.load(Ordering::Relaxed))
    }

    /// Returns whether a fact ended the context.
    #[inline(always)]
    pub(crate) fn is_killed(&self) -> bool {
        // Relaxed: see `kill`.
        self.killed.load(Ordering::Relaxed) != 0
    }

    /// Returns whether the context was killed or detached. Not for the owner, which writes one of the marks.
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
