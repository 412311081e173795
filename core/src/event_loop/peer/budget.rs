//! What may lie in the lane to a peer: a part that all extensions have in common, and beyond it a share for each.
//!
//! Below the common part, seven eighths of the budget, everybody's messages and connections are admitted, at the cost
//! of one comparison with a count that was made before. Beyond it each extension may use an eighth of the budget of its
//! own, until the peer has taken so much that the lane is below the common part again. So an extension that is alone
//! has the whole budget, and one that fills it shuts no other out.

use super::{Ends, Lacking, Link, Peer};
use crate::ids::ExtensionInstance;
use crate::index::ContextShared;
use crate::limits::Limits;
use crate::shared::pool::memory;

/// Records and bytes.
type Amount = [u64; 2];

/// What each extension has in a lane beyond the common part, at most; none while the lane is below it. Pages of the web,
/// which have no extension, have one share together.
#[derive(Default)]
pub(super) struct Shares(Vec<(Option<ExtensionInstance>, Amount)>);

/// A share, and the common part.
const fn parts(budget: u64) -> (u64, u64) {
    (budget / 8, budget - budget / 8)
}

/// Splits the room in a lane into some for records themselves and some for what they carry: as it is with the record
/// that is sent now, for others like it often follow, and a little for others.
fn split(room: u64, bytes: u64, more: u64) -> (u64, u64) {
    let (least, like_this) = ((room / 8).min(memory((8, 0))), room.saturating_mul(bytes) / more);
    let for_bytes = like_this.clamp(least, room - least);
    (room - for_bytes, for_bytes)
}

impl Ends {
    /// Returns whether what an extension sends is admitted: by the common part, as far as the peer has taken records by
    /// now, or by the extension's share; and by the pool. It counts for these if `counts`. If it is the pool that refuses,
    /// says how much it lacks.
    #[cold]
    #[inline(never)]
    fn admit_by_now(
        &mut self,
        shares: &mut Shares,
        limits: &Limits,
        extension: Option<ExtensionInstance>,
        sent: Amount,
        counts: bool,
    ) -> Result<(), Option<Lacking>> {
        let (records, bytes) = self.producer.outstanding();
        let budgets = [limits.lane_records, limits.lane_bytes];
        if !shares.admit(budgets, [records, bytes], extension, sent) {
            return Err(None);
        }
        let position = memory(self.producer.sent());
        let lying = memory((records, bytes));
        let more = memory((sent[0], sent[1]));
        let room = self.grants[0].admit((position, lying), more, extension, counts);
        let room = room.map_err(|bytes| Some(Lacking { bytes, beside_others: lying > 0 }))?;
        if counts {
            // Below the common part it counts for no share.
            if !shares.0.is_empty() {
                shares.admit_beyond(budgets, [records, bytes], extension, sent, true);
            }
            let [common, common_bytes] = budgets.map(|budget| parts(budget).1);
            let (room, room_for_bytes) = split(room, sent[1], more);
            self.producer.allow(
                common.saturating_sub(records).min(room / memory((1, 0))),
                common_bytes.saturating_sub(bytes).min(room_for_bytes),
            );
        }
        Ok(())
    }

    /// Returns how far the lane to the peer was written, and how much of that is not known to be taken.
    fn filled(&self) -> (u64, u64) {
        (memory(self.producer.sent()), memory(self.producer.outstanding()))
    }
}

impl Shares {
    /// Returns whether a lane in which so much is lying admits what an extension sends.
    #[inline(always)]
    fn admit(
        &mut self,
        budgets: Amount,
        lying: Amount,
        extension: Option<ExtensionInstance>,
        sent: Amount,
    ) -> bool {
        let common = budgets.map(|budget| parts(budget).1);
        if (0..2).all(|unit| lying[unit] < common[unit]) {
            self.0 = Vec::new();
            if (0..2).all(|unit| lying[unit] + sent[unit] <= common[unit]) {
                return true;
            }
        }
        self.admit_beyond(budgets, lying, extension, sent, false)
    }

    /// Returns whether an extension's share admits what leaves the common part, for which it counts if `counts`.
    #[cold]
    fn admit_beyond(
        &mut self,
        budgets: Amount,
        lying: Amount,
        extension: Option<ExtensionInstance>,
        sent: Amount,
        counts: bool,
    ) -> bool {
        let Self(all) = self;
        let [(share, common), (byte_share, common_bytes)] = budgets.map(parts);
        let (common, shares) = ([common, common_bytes], [share, byte_share]);
        let at = all.iter().position(|(known, _)| *known == extension);
        let at = at.unwrap_or_else(|| {
            all.push((extension, [0; 2]));
            all.len() - 1
        });
        let held = &mut all[at].1;
        for unit in 0..2 {
            // What the peer has taken meanwhile was perhaps this extension's, but no more lies there.
            held[unit] = held[unit].min(lying[unit].saturating_sub(common[unit]));
        }
        let admitted = (0..2).all(|unit| lying[unit] < common[unit] || held[unit] < shares[unit]);
        if admitted && counts {
            for unit in 0..2 {
                held[unit] += sent[unit].min((lying[unit] + sent[unit]).saturating_sub(common[unit]));
            }
        }
        admitted
    }
}

impl Peer {
    /// Returns whether the lane's budget admits a message of so many bytes of one of our contexts. If it `counts`, it
    /// is sent next.
    #[inline(always)]
    pub(crate) fn admits_message(
        &mut self,
        limits: &Limits,
        context: &ContextShared,
        bytes: usize,
        counts: bool,
    ) -> bool {
        self.admits(limits, context, [1, bytes as u64], counts)
    }

    /// Returns whether a connection of one of our contexts is admitted: by the number of those that wait for an answer,
    /// and by the lane's budget, for so many bytes of name and list and what the peer is told of the context. If it
    /// `counts`, it is sent next.
    #[inline(always)]
    pub(crate) fn admits_connect(
        &mut self,
        limits: &Limits,
        context: &ContextShared,
        bytes: usize,
        counts: bool,
    ) -> bool {
        if self.unanswered >= limits.unanswered_connects {
            return false;
        }
        let [mut records, mut all_bytes] = [1, bytes as u64];
        if !self.contexts.is_announced(context.id().key()) {
            // Not the farewells that go before it, which others caused.
            records += 1;
            all_bytes += context.description().bytes() as u64;
        }
        self.admits(limits, context, [records, all_bytes], counts)
    }

    #[inline(always)]
    fn admits(&mut self, limits: &Limits, context: &ContextShared, sent: Amount, counts: bool) -> bool {
        let Self { link, shares, own, lacking, .. } = self;
        match link {
            Link::Lanes(ends) => {
                ends.producer.fits(sent[0], sent[1]) || {
                    if *own {
                        // This side is the consumer too, and has not said what it took since its turn began.
                        ends.publish_taken();
                    }
                    let admitted =
                        ends.admit_by_now(shares, limits, context.description().instance, sent, counts);
                    *lacking = admitted.err().flatten();
                    admitted.is_ok()
                }
            }
            Link::Own => limits.lane_records > 0 && limits.lane_bytes > 0,
        }
    }

    /// Counts a message of so many bytes, which waited and is sent next, among what lies in the lane.
    pub(crate) fn count_released(&mut self, bytes: usize) {
        let Link::Lanes(ends) = &self.link else { return };
        ends.grants[0].move_here(ends.filled(), memory((1, bytes as u64)));
    }

    /// Returns whether the pool has room for the word that one more listener of a context takes a connection, which is
    /// sent next.
    pub(crate) fn admits_join(&mut self, context: &ContextShared) -> bool {
        let Link::Lanes(ends) = &mut self.link else { return true };
        ends.grants[0].admit(ends.filled(), memory((1, 0)), context.description().instance, true).is_ok()
    }

    /// Returns what the pool lacked when it refused what was asked last; `None` if it was the lane that did.
    pub(crate) fn lacks(&self) -> Option<Lacking> {
        self.lacking
    }

    /// Gives back what the lane to the peer has drawn and does not hold, because what it was drawn for is not sent.
    #[cold]
    pub(crate) fn give_back_unused(&mut self) {
        if let Link::Lanes(ends) = &mut self.link {
            ends.producer.allow(0, 0);
            ends.grants[0].unused(ends.filled());
        }
    }
}
