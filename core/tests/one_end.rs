//! G2: a port ends at most once, the side that ends it hears nothing of that, and
//! nothing follows the end.

mod common;

use common::*;
use port_core::DisconnectReason::{ContextDetached, Disconnected};
use port_core::{ContextId, Event, EventLoop, Place, PortId, PostErrorKind, TabTarget};

/// Both ends on one loop, or on two.
fn pairs() -> [(Browser, Vec<EventLoop>, PortId, PortId); 2] {
    [true, false].map(|same_loop| {
        let browser = Browser::new();
        let mut here = browser.event_loop();
        let place = browser.tab();
        let opener = browser.background(&mut here);
        if same_loop {
            browser.content_script(&mut here, place);
            let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
            let received = connected(&mut here)[0];
            (browser, vec![here], port, received)
        } else {
            let mut there = browser.event_loop();
            browser.content_script(&mut there, place);
            let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
            (browser, vec![here, there], port, received)
        }
    })
}

fn settle_all(loops: &mut [EventLoop]) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..4 {
        for event_loop in &mut *loops {
            events.extend(drain(event_loop));
        }
    }
    events
}

#[test]
fn the_caller_hears_nothing_and_the_other_side_once() {
    for opener_ends in [true, false] {
        for (_browser, mut loops, port, received) in pairs() {
            let last = loops.len() - 1;
            let (ending, at, other, other_at) =
                if opener_ends { (port, 0, received, last) } else { (received, last, port, 0) };
            assert!(loops[at].disconnect(ending));
            assert!(!loops[at].disconnect(ending), "twice is harmless");
            assert!(!loops[at].is_open(ending));
            assert_eq!(
                loops[at].post_message(ending, "x").map_err(PostErrorKind::from),
                Err(PostErrorKind::Disconnected)
            );
            let events = settle_all(&mut loops);
            assert_eq!(heard_on(&events, ending), []);
            assert_eq!(heard_on(&events, other), [disconnect(Disconnected)]);
            assert!(!loops[other_at].is_open(other));
            assert!(!loops[other_at].disconnect(other));
            assert_eq!(
                loops[other_at].post_message(other, "x").map_err(PostErrorKind::from),
                Err(PostErrorKind::Disconnected)
            );
            assert_eq!(settle_all(&mut loops), []);
        }
    }
}

#[test]
fn both_sides_end_at_once_and_neither_hears() {
    for (_browser, mut loops, port, received) in pairs() {
        let last = loops.len() - 1;
        loops[0].post_message(port, "crossing").unwrap();
        loops[last].post_message(received, "crossing").unwrap();
        assert!(loops[0].disconnect(port));
        assert!(loops[last].disconnect(received));
        assert_eq!(settle_all(&mut loops), []);
    }
}

#[test]
fn nothing_sent_by_the_other_side_arrives_after_ones_own_end() {
    // b17, and b09: ending in the middle of a batch.
    for (_browser, mut loops, port, received) in pairs() {
        let last = loops.len() - 1;
        for _ in 0..5 {
            loops[0].post_message(port, "x").unwrap();
        }
        assert!(matches!(loops[last].next_event(), Some(Event::Message { .. })));
        assert!(matches!(loops[last].next_event(), Some(Event::Message { .. })));
        assert!(loops[last].disconnect(received));
        let events = settle_all(&mut loops);
        assert_eq!(heard_on(&events, received), []);
        assert_eq!(heard_on(&events, port), [disconnect(Disconnected)]);
    }
}

#[test]
fn posts_between_the_end_and_its_event_are_accepted_and_dropped() {
    // b03, measured in both browsers.
    for (_browser, mut loops, port, received) in pairs() {
        let last = loops.len() - 1;
        let ledger = Ledger::default();
        assert!(loops[last].disconnect(received));
        assert!(loops[0].is_open(port));
        loops[0].post_message(port, ledger.payload(1_000)).unwrap();
        let events = settle_all(&mut loops);
        assert_eq!(heard_on(&events, port), [disconnect(Disconnected)]);
        assert_eq!(events.len(), 1);
        ledger.assert_balanced();
    }
}

#[test]
fn a_disconnect_in_answer_to_an_end_that_is_queued_takes_its_event_back() {
    for (_browser, mut loops, port, received) in pairs() {
        let last = loops.len() - 1;
        loops[last].disconnect(received);
        // Moves what lies in the lane into the loop, but hands nothing out.
        let _ = loops[0].snapshot();
        assert!(loops[0].disconnect(port));
        assert_eq!(settle_all(&mut loops), []);
    }
}

#[test]
fn everything_that_ends_a_port_at_once_ends_it_once() {
    // Both sides, the tab and the extension, in every order.
    type Cause = fn(&Browser, &mut [EventLoop], &Ends);
    struct Ends {
        place: Place,
        page: ContextId,
        received: PortId,
    }
    // Later ones find nothing left to end, so what they return differs.
    let causes: [Cause; 5] = [
        |_, loops, ends| _ = loops[1].disconnect(ends.received),
        |_, loops, ends| _ = loops[1].detach(ends.page),
        |browser, _, ends| _ = browser.service.frame_removed(ends.place.tab, ends.place.frame),
        |browser, _, ends| _ = browser.service.tab_closed(ends.place.tab),
        |browser, loops, _| _ = browser.service.event_loop_gone(loops[1].id()),
    ];
    for first in 0..causes.len() {
        for second in 0..causes.len() {
            for third in 0..causes.len() {
                let browser = Browser::new();
                let Apart { mut here, mut there, place, opener, script: page } = browser.apart();
                let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
                let ends = Ends { place, page, received };
                let mut loops = [here, there];
                for cause in [first, second, third] {
                    causes[cause](&browser, &mut loops, &ends);
                }
                let events = settle_all(&mut loops);
                let heard = heard_on(&events, port);
                assert_eq!(heard.len(), 1, "{first} {second} {third}: {heard:?}");
                assert!(matches!(heard[0], Heard::Disconnect(_)));
                assert_eq!(heard_on(&events, received), []);
                assert_eq!(loops[0].snapshot().ports, []);
            }
        }
    }
}

#[test]
fn a_detached_context_hears_nothing_more() {
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener, script: page } = browser.apart();
    let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
    here.post_message(port, "x").unwrap();
    here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    let _ = there.snapshot();
    there.detach(page).unwrap();
    assert_eq!(hear(&mut there), []);
    assert!(!there.is_open(received));
    assert!(!there.disconnect(received));
    // The fact comes late and finds nothing.
    browser.service.tab_closed(place.tab).unwrap();
    assert_eq!(hear(&mut there), []);
    let events = drain(&mut here);
    assert_eq!(heard_on(&events, port), [disconnect(ContextDetached)]);
    assert_eq!(events.len(), 2);
}
