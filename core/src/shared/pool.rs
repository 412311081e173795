//! What the lanes and event loops of a service hold together, and what bounds it.
//!
//! A lane and a loop hold a little each that is theirs. For more they draw on the pool, in chunks, so that a message costs
//! nothing here. Whoever comes may draw on the common part; once that is used up, each extension has a share of its
//! own. So one extension may use the whole common part, and shuts no other out. An event loop may have a limit besides, for
//! all that it sends and holds, whatever extensions its contexts belong to.

use crate::ids::{EventLoopId, ExtensionInstance};
use crate::limits::Limits;
use crate::shared::event_loop::EventLoopShared;
use crate::sync::{Arc, HashMap, Mutex, mutant};
use std::mem;

/// What a record counts for beside its payload: its slots, and what goes with a long message or a list.
const RECORD: u64 = 128;

/// How many bytes a lane may hold of its own, as long as there are few.
const LANE_FREE: u64 = if cfg!(port_core_model) { 8 } else { 1024 } * RECORD;

/// How many lanes are few.
const FEW_LANES: u32 = if cfg!(port_core_model) { 8 } else { 128 };

/// How many bytes each further lane may hold of its own. There is one for each extension between two event loops, so there
/// may be thousands, most of which never hold more than this.
const LATE_LANE_FREE: u64 = LANE_FREE / if cfg!(port_core_model) { 2 } else { 16 };

/// In which pieces an event loop draws, and most lanes.
pub(crate) const CHUNK: u64 = chunk(LANE_FREE);

/// Returns in which pieces a lane draws that may hold so much of its own. If it falls idle it has given everything back without
/// another look, because this and [`look`] are together no more than that.
const fn chunk(free: u64) -> u64 {
    free / 4 * 3
}

/// Returns after how many bytes the reader of such a lane looks what it may give back.
const fn look(free: u64) -> u64 {
    free / 4
}

/// Returns how many bytes so many records count for, with their payload.
#[inline(always)]
pub(crate) const fn memory((records, bytes): (u64, u64)) -> u64 {
    records * RECORD + bytes
}

/// What all lanes and event loops of a service draw on.
pub(crate) struct Pool {
    common: u64,
    share: u64,
    drawn: Mutex<Drawn>,
}

#[derive(Default)]
struct Drawn {
    parts: Grant,
    /// What loops have drawn that have a limit.
    by_loop: HashMap<EventLoopId, u64>,
    /// How many lanes there are that came while there were few.
    early_lanes: u32,
    /// Loops that were refused something and are rung when something is given back.
    waiting: Vec<Arc<EventLoopShared>>,
}

/// Bounds what an event loop draws, with the lanes that it sends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoopLimit {
    pub(crate) event_loop: EventLoopId,
    pub(crate) bytes: u64,
}

/// What a holder has drawn: of the common part, and of extensions' shares.
#[derive(Debug, Default)]
pub(crate) struct Grant {
    /// The limit of the event loop that it is drawn for, if there is one.
    limit: Option<LoopLimit>,
    common: u64,
    /// Pages of the web, which have no extension, have one share together.
    shares: Vec<(Option<ExtensionInstance>, u64)>,
}

impl Grant {
    pub(crate) fn within(limit: Option<LoopLimit>) -> Self {
        Self { limit, ..Self::default() }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.common + self.shares.iter().map(|(_, bytes)| bytes).sum::<u64>()
    }

    fn share(&self, extension: Option<ExtensionInstance>) -> u64 {
        self.shares.iter().find(|(known, _)| *known == extension).map_or(0, |(_, bytes)| *bytes)
    }

    fn add(&mut self, common: u64, (extension, bytes): (Option<ExtensionInstance>, u64)) {
        self.common += common;
        if bytes == 0 {
            return;
        }
        match self.shares.iter_mut().find(|(known, _)| *known == extension) {
            Some((_, held)) => *held += bytes,
            None => self.shares.push((extension, bytes)),
        }
    }

    fn take_off(&mut self, (extension, bytes): (Option<ExtensionInstance>, u64)) {
        if let Some((_, held)) = self.shares.iter_mut().find(|(known, _)| *known == extension) {
            *held -= bytes;
        }
        self.shares.retain(|(_, held)| *held > 0);
    }
}

impl Drawn {
    /// Counts so many bytes for an event loop, if it has a limit.
    fn count(&mut self, limit: Option<LoopLimit>, bytes: u64) {
        if let Some(LoopLimit { event_loop, .. }) = limit {
            *self.by_loop.entry(event_loop).or_default() += bytes;
        }
    }

    /// Counts so many bytes less.
    fn discount(&mut self, limit: Option<LoopLimit>, bytes: u64) {
        if let Some(LoopLimit { event_loop, .. }) = limit
            && let Some(counted) = self.by_loop.get_mut(&event_loop)
        {
            *counted -= bytes;
            if *counted == 0 {
                self.by_loop.remove(&event_loop);
            }
        }
    }
}

/// Loops to be rung, once no lock is held, because something was given back.
#[must_use]
pub(crate) struct Waiting(Vec<Arc<EventLoopShared>>);

impl Waiting {
    pub(crate) fn ring(self) {
        self.0.iter().for_each(|event_loop| event_loop.nudge());
    }
}

impl Pool {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            common: limits.service_bytes,
            share: limits.extension_bytes,
            drawn: Mutex::new(Drawn::default()),
        }
    }

    /// Returns how many bytes of so many the common part lacks; `None` if the extension's share does not have them, or the
    /// event loop's limit does not allow them.
    fn lacking(
        &self,
        drawn: &Drawn,
        bytes: u64,
        extension: Option<ExtensionInstance>,
        limit: Option<LoopLimit>,
    ) -> Option<u64> {
        if let Some(LoopLimit { event_loop, bytes: limit }) = limit
            && drawn.by_loop.get(&event_loop).unwrap_or(&0) + bytes > limit
        {
            return None;
        }
        let lacking = bytes.saturating_sub(self.common.saturating_sub(drawn.parts.common));
        let of_all = || drawn.parts.shares.iter().map(|(_, bytes)| bytes).sum();
        let held = if mutant("one-share-for-all") { of_all() } else { drawn.parts.share(extension) };
        (lacking == 0 || held + lacking <= self.share).then_some(lacking)
    }

    /// Draws so many bytes for an extension, or nothing.
    #[must_use]
    pub(crate) fn draw(&self, grant: &mut Grant, bytes: u64, extension: Option<ExtensionInstance>) -> bool {
        let mut drawn = self.drawn.lock();
        let Some(lacking) = self.lacking(&drawn, bytes, extension, grant.limit) else { return false };
        if mutant("drawn-after-an-old-look") {
            drop(drawn);
            drawn = self.drawn.lock();
        }
        drawn.count(grant.limit, bytes);
        drawn.parts.add(bytes - lacking, (extension, lacking));
        grant.add(bytes - lacking, (extension, lacking));
        true
    }

    /// Counts a lane. Returns how many bytes it may hold of its own.
    fn lane_comes(&self) -> u64 {
        let mut drawn = self.drawn.lock();
        if drawn.early_lanes == FEW_LANES {
            return LATE_LANE_FREE;
        }
        drawn.early_lanes += 1;
        LANE_FREE
    }

    /// Counts a lane no more that might hold so many bytes of its own.
    fn lane_goes(&self, free: u64) {
        self.drawn.lock().early_lanes -= u32::from(free == LANE_FREE);
    }

    /// Draws so many bytes of the common part, whatever there is of it.
    fn draw_anyway(&self, grant: &mut Grant, bytes: u64) {
        let mut drawn = self.drawn.lock();
        drawn.count(grant.limit, bytes);
        drawn.parts.common += bytes;
        grant.common += bytes;
    }

    /// Returns whether so many bytes could be drawn now.
    fn has(&self, bytes: u64, extension: Option<ExtensionInstance>, limit: Option<LoopLimit>) -> bool {
        self.lacking(&self.drawn.lock(), bytes, extension, limit).is_some()
    }

    /// Takes so many bytes back, of shares first: they were drawn last.
    pub(crate) fn give_back(&self, grant: &mut Grant, mut bytes: u64) -> Waiting {
        if bytes == 0 {
            return Waiting(Vec::new());
        }
        let mut drawn = self.drawn.lock();
        if !mutant("what-a-loop-gave-back-still-counted") {
            drawn.discount(grant.limit, bytes);
        }
        while bytes > 0
            && let Some(&(extension, held)) = grant.shares.last()
        {
            let back = held.min(bytes);
            grant.take_off((extension, back));
            drawn.parts.take_off((extension, back));
            bytes -= back;
        }
        grant.common -= bytes;
        drawn.parts.common -= bytes;
        if mutant("nobody-told-of-what-was-given-back") {
            return Waiting(Vec::new());
        }
        Waiting(mem::take(&mut drawn.waiting))
    }

    /// Has an event loop, which was refused so many bytes, rung once something is given back. Returns `false` if there is
    /// enough by now.
    pub(crate) fn wait(
        &self,
        event_loop: &Arc<EventLoopShared>,
        bytes: u64,
        extension: Option<ExtensionInstance>,
    ) -> bool {
        let mut drawn = self.drawn.lock();
        // Race: something was given back since the refusal.
        if self.lacking(&drawn, bytes, extension, event_loop.limit()).is_some()
            && !mutant("waits-for-what-is-there")
        {
            return false;
        }
        if drawn.waiting.iter().all(|known| known.id() != event_loop.id()) {
            drawn.waiting.push(Arc::clone(event_loop));
        }
        true
    }

    /// Forgets an event loop that is over.
    pub(crate) fn forget(&self, event_loop: EventLoopId) {
        let mut drawn = self.drawn.lock();
        let at = drawn.waiting.iter().position(|known| known.id() == event_loop);
        let forgotten = at.map(|at| drawn.waiting.swap_remove(at));
        drop(drawn);
        drop(forgotten);
    }

    /// Returns how many bytes are drawn.
    pub(crate) fn drawn(&self) -> u64 {
        self.drawn.lock().parts.bytes()
    }
}

/// What a lane has drawn, which its two ends share. The writer draws before it sends; the reader gives back what it
/// took, because the writer may never send again. Positions are bytes of [`memory`] since the lane's beginning.
pub(crate) struct LaneGrant {
    pool: Arc<Pool>,
    /// How many bytes the lane may hold of its own.
    free: u64,
    state: Mutex<Reach>,
}

struct Reach {
    /// How far the writer may send with what is drawn. Beyond what lies in the lane, and what is the lane's own, it
    /// is less than a chunk.
    until: u64,
    grant: Grant,
}

impl LaneGrant {
    /// Makes that of a lane on which an event loop sends that has this limit.
    pub(crate) fn new(pool: &Arc<Pool>, limit: Option<LoopLimit>) -> Self {
        let state = Reach { until: 0, grant: Grant::within(limit) };
        Self { pool: Arc::clone(pool), free: pool.lane_comes(), state: Mutex::new(state) }
    }

    /// Returns after how many bytes the reader looks what it may give back.
    pub(crate) fn look(&self) -> u64 {
        look(self.free)
    }

    /// Returns how many bytes are to be drawn before the lane may hold so many.
    fn missing(&self, state: &Reach, held: u64) -> u64 {
        match held.saturating_sub(self.free + state.grant.bytes()) {
            0 => 0,
            // By constants, for a division by what is not known takes longer than all the rest.
            missing if self.free == LANE_FREE => missing.next_multiple_of(CHUNK),
            missing => missing.next_multiple_of(chunk(LATE_LANE_FREE)),
        }
    }

    /// Has the lane, which was written up to `position` and of which `lying` is not known to be taken, hold so much
    /// more, for an extension. Returns how much more it may hold then, in all; or, if the pool does not have it, how much
    /// of it that is. Draws only if `draws`.
    pub(crate) fn admit(
        &self,
        (position, lying): (u64, u64),
        more: u64,
        extension: Option<ExtensionInstance>,
        draws: bool,
    ) -> Result<u64, u64> {
        if lying + more <= self.free {
            return Ok(self.free - lying);
        }
        let mut state = self.state.lock();
        let missing = self.missing(&state, lying + more);
        if missing > 0 {
            if !draws {
                return if self.pool.has(missing, extension, state.grant.limit) {
                    Ok(0)
                } else {
                    Err(missing)
                };
            }
            if !self.pool.draw(&mut state.grant, missing, extension) {
                return Err(missing);
            }
        }
        // No further than a chunk ahead, so that the reader can give back the rest.
        let room = (self.free + state.grant.bytes() - lying).min(more + chunk(self.free));
        state.until = state.until.max(position + room);
        Ok(room)
    }

    /// Has the lane hold so much more that was admitted elsewhere, where it counts no longer. So it is not refused here.
    pub(crate) fn move_here(&self, (position, lying): (u64, u64), more: u64) {
        if lying + more <= self.free {
            return;
        }
        let mut state = self.state.lock();
        let missing = self.missing(&state, lying + more);
        self.pool.draw_anyway(&mut state.grant, missing);
        state.until = state.until.max(position + more);
    }

    /// Has the reader give back what is no more needed, as it took everything up to this position.
    pub(crate) fn taken(&self, position: u64) {
        self.keep(|state| {
            if mutant("taken-and-never-given-back") { u64::MAX } else { state.until.saturating_sub(position) }
        });
    }

    /// Has the writer give back what it has not used. It must not send before it asked again.
    pub(crate) fn unused(&self, (position, lying): (u64, u64)) {
        self.keep(|state| {
            state.until = position;
            lying
        });
    }

    /// Gives back what the lane has drawn beyond what it holds at most.
    fn keep(&self, held: impl FnOnce(&mut Reach) -> u64) {
        let mut state = self.state.lock();
        let needed = held(&mut state).saturating_sub(self.free);
        let over = state.grant.bytes().saturating_sub(needed);
        let waiting = self.pool.give_back(&mut state.grant, over);
        drop(state);
        waiting.ring();
    }
}

impl Drop for LaneGrant {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        let all = if mutant("drawn-by-a-lane-that-is-gone") { 0 } else { state.grant.bytes() };
        let waiting = self.pool.give_back(&mut state.grant, all);
        drop(state);
        waiting.ring();
        self.pool.lane_goes(self.free);
    }
}
