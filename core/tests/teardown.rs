//! G8: nothing is lost or leaked in any order of teardown, and every payload is
//! dropped exactly once, also when a destructor panics.

mod common;

use common::*;
use port_core::{BackForwardCache, DisconnectReason, Event, EventLoop, TabTarget};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;

const LONG: usize = 500;

/// Three loops, a port from the first to frames on all three, and payloads under
/// way in all directions.
fn busy_loops(browser: &Browser, ledger: &Ledger) -> Vec<EventLoop> {
    let mut loops = [browser.event_loop(), browser.event_loop(), browser.event_loop()];
    let top = browser.tab();
    let opener = browser.background(&mut loops[0]);
    browser.content_script(&mut loops[0], top);
    browser.content_script(&mut loops[1], browser.frame_in(top));
    browser.content_script(&mut loops[2], browser.frame_in(top));
    browser.content_script(&mut loops[2], browser.frame_in(top));
    let port = loops[0].connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    for number in 0..40 {
        let payload = if number % 7 == 3 { ledger.explosive(LONG) } else { ledger.payload(LONG) };
        loops[0].post_message(port, payload).unwrap();
    }
    for at in [1, 2] {
        // Takes the connect and one message, and leaves the rest where it is.
        for event in [loops[at].next_event(), loops[at].next_event()] {
            let Some(Event::Connect { port, .. }) = event else { continue };
            for number in 0..20 {
                let payload = if number % 6 == 2 { ledger.explosive(LONG) } else { ledger.payload(LONG) };
                loops[at].post_message(port, payload).unwrap();
            }
        }
    }
    loops.into()
}

#[test]
fn every_order_of_teardown_drops_every_payload_once() {
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in ORDERS {
        for service_first in [true, false] {
            let ledger = Ledger::default();
            let browser = Browser::new();
            let mut loops: Vec<_> = busy_loops(&browser, &ledger).into_iter().map(Some).collect();
            let mut browser = Some(browser);
            if service_first {
                browser = None;
            }
            for at in order {
                // No destructor's panic comes out of the core.
                loops[at] = None;
            }
            drop(browser);
            assert!(ledger.made() > 60);
            ledger.assert_balanced();
        }
    }
}

#[test]
fn survivors_hear_of_each_dropped_loop_after_what_it_sent() {
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
    there.post_message(received, "last").unwrap();
    drop(there);
    here.post_message(port, "to nobody").unwrap();
    assert_eq!(hear(&mut here), [message("last"), disconnect(DisconnectReason::EventLoopGone)]);
    assert!(here.post_message(port, "late").is_err());
}

#[test]
fn the_service_handle_may_go_first() {
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    drop(browser);
    let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    here.post_message(port, "still there").unwrap();
    assert_eq!(hear(&mut there), [connect(""), message("still there")]);
}

#[test]
fn events_that_nobody_looks_at_take_their_payloads_along() {
    let ledger = Ledger::default();
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (port, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    for _ in 0..10 {
        here.post_message(port, ledger.payload(LONG)).unwrap();
    }
    let events = drain(&mut there);
    assert_eq!((events.len(), ledger.dropped()), (10, 0));
    drop(there);
    drop(here);
    assert_eq!(ledger.dropped(), 0);
    drop(events);
    ledger.assert_balanced();
}

#[test]
fn payloads_of_messages_nobody_may_have_any_more_are_dropped_quietly() {
    let ledger = Ledger::default();
    let browser = Browser::new();
    let Apart { mut here, mut there, place: top, opener, script: first } = browser.apart();
    browser.content_script(&mut there, browser.frame_in(top));
    let port = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    assert_eq!(connected(&mut there).len(), 2);

    // One receiver detaches with the message under way, then the other.
    here.post_message(port, ledger.explosive(LONG)).unwrap();
    there.detach(first).unwrap();
    let events = drain(&mut there);
    assert_eq!(events.len(), 1);
    let last = events[0].context();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(events))).is_err(), "the embedder's own drop");
    ledger.assert_balanced();
    here.post_message(port, ledger.explosive(LONG)).unwrap();
    there.detach(last).unwrap();
    assert_eq!(hear(&mut there), []);
    ledger.assert_balanced();
    assert_eq!(hear(&mut here), [disconnect(DisconnectReason::ContextDetached)]);

    // Short owned messages are copied and dropped at the post.
    let top = browser.tab();
    browser.content_script(&mut there, top);
    let (port, _) = browser.open_port(&mut here, opener, &mut there, top.tab);
    here.post_message(port, ledger.explosive(5)).unwrap();
    ledger.assert_balanced();
    assert_eq!(hear(&mut there), [message("xxxxx")]);

    // A post whose port has nobody at the other end goes nowhere.
    let port = here.connect_tab(opener, &TabTarget::new(browser.tab().tab)).unwrap();
    here.post_message(port, ledger.explosive(LONG)).unwrap();
    ledger.assert_balanced();
}

#[test]
fn a_loop_dropped_while_its_thread_panics_drops_what_it_holds() {
    let ledger = Ledger::default();
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (port, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    for _ in 0..100 {
        here.post_message(port, ledger.explosive(LONG)).unwrap();
    }
    let ended = catch_unwind(AssertUnwindSafe(move || {
        let _there = there;
        panic!("a script's thread panics");
    }));
    assert!(ended.is_err());
    ledger.assert_balanced();
    assert_eq!(hear(&mut here), [disconnect(DisconnectReason::EventLoopGone)]);
}

#[test]
fn a_waker_is_let_go_with_its_loop() {
    let wakes = Arc::new(Wakes::default());
    let browser = Browser::new();
    let mut here = browser.event_loop();
    let place = browser.tab();
    let opener = browser.background(&mut here);
    for round in 0..3 {
        let mut there = browser.service.event_loop(Waker::from(Arc::clone(&wakes)));
        browser.content_script(&mut there, place);
        let (port, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
        if round == 1 {
            browser.service.event_loop_gone(there.id()).unwrap();
        }
        drop(there);
        // The survivor lets go of its peer with the notice.
        assert_eq!(hear(&mut here), [disconnect(DisconnectReason::EventLoopGone)]);
        assert!(!here.is_open(port));
        assert_eq!(Arc::strong_count(&wakes), 1, "round {round}");
    }
}

#[test]
fn thousands_of_short_lives_leave_nothing_behind() {
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    for round in 0..10_000 {
        let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        here.post_message(port, "once").unwrap();
        if round % 2 == 0 {
            here.disconnect(port);
            assert_eq!(drain(&mut there).len(), 3);
            assert_eq!(hear(&mut here), []);
        } else {
            let Some(Event::Connect { port, .. }) = there.next_event() else { panic!() };
            there.disconnect(port);
            assert_eq!(hear(&mut there), []);
            assert_eq!(hear(&mut here), [disconnect(DisconnectReason::Disconnected)]);
        }
    }
    for event_loop in [&mut here, &mut there] {
        let snapshot = event_loop.snapshot();
        assert_eq!((snapshot.ports.len(), snapshot.events, snapshot.contexts[0].ports), (0, 0, 0));
        assert_eq!((snapshot.lanes[0].outbound_records, snapshot.lanes[0].outbound_bytes), (0, 0));
    }
}

#[test]
fn posting_to_a_dropped_loop_drops_the_payload_at_once_and_hides_its_panic() {
    let ledger = Ledger::default();
    let browser = Browser::new();
    let (mut here, mut gone, mut there) = (browser.event_loop(), browser.event_loop(), browser.event_loop());
    let top = browser.tab();
    let opener = browser.background(&mut here);
    browser.content_script(&mut gone, top);
    let port = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    drop(gone);
    here.post_message(port, ledger.explosive(LONG)).unwrap();
    ledger.assert_balanced();

    // A panic between the receivers of one message would keep it from the later ones.
    let mut gone = browser.event_loop();
    browser.content_script(&mut gone, browser.frame_in(top));
    let stays = browser.content_script(&mut there, browser.frame_in(top));
    let port = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    drop(gone);
    here.post_message(port, vec![b'v'; LONG]).unwrap();
    let events = drain(&mut there);
    assert_eq!(heard_by(&events, stays), [connect(""), message("v".repeat(LONG))]);
}

#[test]
fn held_messages_of_a_cached_page_are_dropped_quietly_whatever_ends_it() {
    let queueing = || {
        Browser::with_policies(policies(|policies| {
            policies.back_forward_cache = BackForwardCache::queues_messages(100, 1 << 20);
        }))
    };
    enum End {
        Evicted,
        Detached,
        LoopDropped,
    }
    for end in [End::Evicted, End::Detached, End::LoopDropped] {
        let ledger = Ledger::default();
        let browser = queueing();
        let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
        let (place, other) = (browser.tab(), browser.tab());
        let opener = browser.background(&mut here);
        let page = browser.content_script(&mut there, place);
        let neighbour = browser.content_script(&mut there, other);
        let (port, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
        browser.service.document_cached(place.document).unwrap();
        // Several, for two panics in one drop would abort.
        for _ in 0..3 {
            here.post_message(port, ledger.explosive(LONG)).unwrap();
        }
        assert_eq!(hear(&mut there), []);
        assert_eq!(ledger.dropped(), 0);
        match end {
            End::Evicted => {
                // A second fact behind the first must not be lost.
                browser.service.document_evicted(place.document).unwrap();
                browser.service.tab_closed(other.tab).unwrap();
                let expected =
                    [(page, DisconnectReason::Navigated), (neighbour, DisconnectReason::TabClosed)];
                assert_eq!(gone(&drain(&mut there)), expected);
            }
            End::Detached => there.detach(page).unwrap(),
            End::LoopDropped => drop(there),
        }
        ledger.assert_balanced();
    }
}
