//! What may lie in the lane to a peer: a part that all extensions have in common, and beyond it a share for each.
//!
//! Below the common part, seven eighths of the budget, everybody's messages and connections are admitted, at the cost
//! of one comparison with a count that was made before. Beyond it each extension may use an eighth of the budget of its
//! own, until the peer has taken so much that the lane is below the common part again. So an extension that is alone
//! has the whole budget, and one that fills it shuts no other out.

use super::{Ends, Link, Peer};
use crate::ids::ExtensionInstance;
use crate::index::ContextShared;
use crate::limits::Limits;

/// Records and bytes.
type Amount = [u64; 2];

/// What each extension has in a lane beyond the common part, at most; none while the lane is below it.
#[derive(Default)]
pub(super) struct Shares(Vec<(ExtensionInstance, Amount)>);

/// A share, and the common part.
const fn parts(budget: u64) -> (u64, u64) {
    (budget / 8, budget - budget / 8)
}

impl Ends {
    /// Returns whether what an extension sends is admitted by the common part, as far as the peer has taken records by
    /// now, or by the extension's share, for which it counts if `counts`.
    #[cold]
    #[inline(never)]
    fn admit_by_now(
        &mut self,
        Shares(all): &mut Shares,
        limits: &Limits,
        extension: ExtensionInstance,
        sent: Amount,
        counts: bool,
    ) -> bool {
        let [(share, common), (byte_share, common_bytes)] =
            [limits.lane_records, limits.lane_bytes].map(parts);
        let (records, bytes) = self.producer.allow(common, common_bytes);
        let (lying, common, shares) = ([records, bytes], [common, common_bytes], [share, byte_share]);
        if lying[0] < common[0] && lying[1] < common[1] {
            *all = Vec::new();
        }
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
            // Not the farewells that go before it: those may be another extension's.
            records += 1;
            all_bytes += context.description().bytes() as u64;
        }
        self.admits(limits, context, [records, all_bytes], counts)
    }

    #[inline(always)]
    fn admits(&mut self, limits: &Limits, context: &ContextShared, sent: Amount, counts: bool) -> bool {
        let Self { link, shares, own, .. } = self;
        match link {
            Link::Lanes(ends) => {
                ends.producer.fits(sent[0], sent[1]) || {
                    if *own {
                        // This side is the consumer too, and has not said what it took since its turn began.
                        ends.consumer.publish_consumed();
                    }
                    ends.admit_by_now(shares, limits, context.description().instance, sent, counts)
                }
            }
            Link::Own => limits.lane_records > 0 && limits.lane_bytes > 0,
        }
    }
}
