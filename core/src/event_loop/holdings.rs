//! What an event loop holds for scripts beside its lanes, and draws on the service's pool for: slots of ports and
//! channels, long names, and messages that wait.

use super::EventLoop;
use crate::error::ConnectError;
use crate::event_loop::port::{Leg, PeerIndex, Port};
use crate::event_loop::slab::{Occupant, Slab};
use crate::ids::{ExtensionInstance, Key};
use crate::shared::pool::{CHUNK, Grant, LoopLimit, Pool, Waiting};

/// How many bytes a loop may hold of its own.
const LOOP_FREE: u64 = 1 << 20;

/// What a port counts for: its slot, its place in lists, an event, and the records that answer and end it. A slot is
/// kept for another port, so it is the slots that are counted.
const PORT: u64 = 512;

/// What a channel counts for: its leg, and the mirror of that at the peer.
const CHANNEL: u64 = 128;

/// What a target of a channel that has several counts for, in its lists.
const TARGET: u64 = 48;

/// How many slots are counted at a time.
const SLOTS: u32 = 32;

/// What a message that waits counts for beside its payload.
const MESSAGE: u64 = 256;

/// What an event loop holds, and what it has drawn for that.
#[derive(Debug)]
pub(crate) struct Holdings {
    held: u64,
    grant: Grant,
}

impl Holdings {
    pub(crate) fn within(limit: Option<LoopLimit>) -> Self {
        Self { held: 0, grant: Grant::within(limit) }
    }

    /// Counts so many bytes for an extension; nothing if the pool does not have them.
    pub(crate) fn admit(
        &mut self,
        pool: &Pool,
        bytes: u64,
        extension: Option<ExtensionInstance>,
    ) -> Result<(), Lacking> {
        let missing = (self.held + bytes).saturating_sub(LOOP_FREE + self.grant.bytes());
        if missing > 0 {
            let missing = missing.next_multiple_of(CHUNK);
            if !pool.draw(&mut self.grant, missing, extension) {
                return Err(Lacking(missing));
            }
        }
        self.held += bytes;
        Ok(())
    }

    /// Counts so many bytes less.
    fn release(&mut self, pool: &Pool, bytes: u64) -> Option<Waiting> {
        debug_assert!(bytes <= self.held, "it was counted");
        self.held = self.held.saturating_sub(bytes);
        let needed = self.held.saturating_sub(LOOP_FREE);
        let over = self.grant.bytes().saturating_sub(needed);
        // A chunk is kept, so that a name that comes and goes does not come here each time.
        (over >= 2 * CHUNK).then(|| pool.give_back(&mut self.grant, over - CHUNK))
    }

    /// Lets a slab have slots for one more, for an extension.
    fn admit_slots<T: Occupant>(
        &mut self,
        pool: &Pool,
        slab: &mut Slab<T>,
        each: u64,
        extension: Option<ExtensionInstance>,
    ) -> Result<(), Lacking> {
        if slab.vacant_key().is_none() && slab.may_have_more() {
            self.admit(pool, each * u64::from(SLOTS), extension)?;
            slab.allow_more(SLOTS);
        }
        Ok(())
    }
}

/// How many bytes the pool lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lacking(pub(crate) u64);

impl From<Lacking> for ConnectError {
    fn from(_: Lacking) -> Self {
        Self::Busy
    }
}

/// Makes sure that there is room for a port, and for its channel if it opens one; counts the name of the port, of which
/// so many bytes lie on the heap.
#[cold]
pub(crate) fn admit_port(
    (holdings, pool): (&mut Holdings, &Pool),
    ports: &mut Slab<Port>,
    opened: Option<&mut Slab<Leg>>,
    extension: Option<ExtensionInstance>,
    name_bytes: usize,
) -> Result<(), ConnectError> {
    holdings.admit_slots(pool, ports, PORT, extension)?;
    if let Some(opened) = opened {
        holdings.admit_slots(pool, opened, CHANNEL, extension)?;
        opened.vacant_key().ok_or(ConnectError::TooManyPorts)?;
    }
    ports.vacant_key().ok_or(ConnectError::TooManyPorts)?;
    Ok(holdings.admit(pool, name_bytes as u64, extension)?)
}

/// Returns what messages that wait count for.
pub(crate) const fn of_messages(messages: u64, bytes: u64) -> u64 {
    messages * MESSAGE + bytes
}

impl EventLoop {
    /// Returns for which extension a port draws on the pool, if its context is there.
    pub(super) fn draws_for(&self, key: Key) -> Option<Option<ExtensionInstance>> {
        let holder = self.contexts.get(self.ports.get(key)?.context)?;
        Some(holder.shared.description().instance)
    }

    /// Lets a peer have a slot for one more channel, if it is `opened`, and so many more targets in lists, for an
    /// extension.
    #[cold]
    pub(super) fn admit_targets(
        &mut self,
        index: PeerIndex,
        opened: bool,
        targets: usize,
        extension: Option<ExtensionInstance>,
    ) -> Result<(), Lacking> {
        let Self { holdings, service, peers, .. } = self;
        let Some(peer) = peers[index as usize].as_mut() else { return Ok(()) };
        if opened {
            holdings.admit_slots(&service.pool, &mut peer.opened, CHANNEL, extension)?;
        }
        let listed = &mut peer.listed;
        let more = (listed.now + targets as u32).saturating_sub(listed.allowed);
        if more > 0 {
            holdings.admit(&service.pool, u64::from(more) * TARGET, extension)?;
            listed.allowed += more;
        }
        Ok(())
    }

    /// Counts so many bytes less among what the loop holds.
    #[cold]
    pub(super) fn release_held(&mut self, bytes: u64) {
        let Self { holdings, service, .. } = self;
        if let Some(waiting) = holdings.release(&service.pool, bytes) {
            waiting.ring();
        }
        // What is kept for the next may do for a port that waits here.
        if bytes > 0 && !self.waiting_for_pool.is_empty() {
            self.shared.nudge();
        }
    }

    /// Counts the channels of a peer that is gone no more.
    pub(super) fn release_channels(&mut self, index: PeerIndex) {
        let Some(peer) = self.peer(index) else { return };
        let (channels, targets) = (peer.opened.allowed(), peer.listed.allowed);
        self.release_held(u64::from(channels) * CHANNEL + u64::from(targets) * TARGET);
    }

    /// Gives everything back. The loop is dropped.
    pub(super) fn release_holdings(&mut self) {
        let Self { holdings, service, .. } = self;
        let all = holdings.grant.bytes();
        service.pool.give_back(&mut holdings.grant, all).ring();
    }
}
