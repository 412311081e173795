//! A connection that ends at any byte: what came before is a prefix, and then each port ends once.

mod common;

use common::{Browser, check_recorded, describe_content_script, drain, recording};
use port_core_gateway::{Bounds, Host};
use std::task::Waker;

#[test]
fn a_recording_cut_at_any_byte_gives_a_prefix_and_one_end() {
    let (begins, bytes) = recording();
    let browser = Browser::new();
    let place = browser.tab();
    let (mut event_loop, _) = browser.background_loop();
    // All bytes, but few of those within the one long payload.
    let long = begins[12] + 40..begins[13] - 40;
    let cuts = (0..=bytes.len()).filter(|cut| !long.contains(cut) || cut % 9_973 == 0);
    for cut in cuts {
        for piece in [cut.max(1), 1_000] {
            let mut host = Host::new(browser.service.event_loop(Waker::noop().clone()), Bounds::default());
            host.grant(describe_content_script(browser.extension, place), b"");
            for bytes in bytes[..cut].chunks(piece) {
                host.receive(bytes).unwrap();
            }
            host.finish().unwrap();
            drop(host);
            let frames = begins.iter().skip(1).chain([&bytes.len()]).filter(|end| **end <= cut).count();
            check_recorded(&drain(&mut event_loop), frames);
            assert_eq!(event_loop.snapshot().ports.len(), 0);
        }
    }
}
