//! Messages that say who sent them, and which of its messages they are.

use super::{Dice, Ledger};
use port_core::{EventLoop, PortId, PostErrorKind};

/// An open port with the number of the sender, which is unique, and of its next message.
pub type NumberedPort = (PortId, u64, u64);

/// Posts up to `most` numbered messages of several lengths, as long as there is room. Returns whether the port is still open.
pub fn post_numbered(
    event_loop: &mut EventLoop,
    (port, sender, number): &mut NumberedPort,
    ledger: &Ledger,
    dice: &mut Dice,
    most: usize,
) -> bool {
    for _ in 0..1 + dice.below(most) {
        let length = [16, 100, 300][dice.below(3)];
        let mut bytes = vec![0; length];
        bytes[..8].copy_from_slice(&sender.to_le_bytes());
        bytes[8..16].copy_from_slice(&number.to_le_bytes());
        let posted = event_loop.post_message(*port, ledger.payload_of(bytes));
        match posted.map_err(PostErrorKind::from) {
            Ok(()) => *number += 1,
            Err(PostErrorKind::Busy | PostErrorKind::WindowFull) => return true,
            Err(PostErrorKind::Gone | PostErrorKind::Disconnected) => return false,
            Err(other) => panic!("{other:?}"),
        }
    }
    true
}
