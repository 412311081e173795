//! What one script can do in a turn that it never ends, at a scale at which it would show: memory stays within
//! what `docs/limits.md` says, and others go on.

mod common;
#[path = "common/heap.rs"]
mod heap;

use common::*;
use heap::{MIB, most_held};
use port_core::{ConnectError, DisconnectReason::NoReceiver, Limits, TabTarget};

#[test]
fn connects_to_nobody_end_at_the_budget_of_the_loop_to_itself() {
    let browser = Browser::new();
    let mut here = browser.event_loop();
    let opener = browser.background(&mut here);
    let nobody = TabTarget::new(browser.tab().tab);
    let mut connected = 0_u64;
    let most = most_held(10_000_000, |_| match here.connect_tab(opener, &nobody) {
        Ok(port) => {
            connected += 1;
            assert!(here.disconnect(port));
        }
        Err(error) => assert_eq!(error, ConnectError::Busy),
    });
    let budget = Limits::default().lane_records;
    assert_eq!(connected, budget, "one record each");
    // A slot of 64 bytes each, and what segments and the one port take.
    assert!(most < budget.cast_signed() as isize * 64 * 9 / 8 + MIB, "{most} bytes");
    assert_eq!(here.snapshot().ports, []);
    // Once they are taken there is room again, and nothing was lost.
    assert_eq!(hear(&mut here), []);
    let port = here.connect_tab(opener, &nobody).unwrap();
    assert_eq!(heard_on(&drain(&mut here), port), [disconnect(NoReceiver)]);
}
