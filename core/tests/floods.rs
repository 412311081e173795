//! What one script can do in a turn that it never ends, at a scale at which it would show: memory stays within
//! what `docs/limits.md` says, and others go on.

mod common;
#[path = "common/heap.rs"]
mod heap;

use common::*;
use heap::{KIB, MIB, held, most_held};
use port_core::{
    AttachError, ConnectError, DisconnectReason::NoReceiver, DisconnectReason::TabClosed, Event, Limits,
    TabTarget,
};

#[test]
fn connects_to_nobody_end_at_the_budget_of_the_loop_to_itself() {
    let browser = Browser::new();
    let (mut here, wakes) = browser.counted_event_loop();
    let opener = browser.background(&mut here);
    let nobody = TabTarget::new(browser.tab().tab);
    let mut connected = 0_u64;
    let most = most_held(1_500_000, |_| match here.connect_tab(opener, &nobody) {
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
    // Each call takes some of them, and calls the waker for the rest.
    let (_, mut calls) = (wakes.take(), 0);
    while calls == wakes.count() {
        assert_eq!(here.next_event(), None);
        calls += 1;
    }
    assert!(calls >= 16, "{calls}");
    let port = here.connect_tab(opener, &nobody).unwrap();
    assert_eq!(heard_on(&drain(&mut here), port), [disconnect(NoReceiver)]);
}

#[test]
fn lists_of_targets_for_a_hung_loop_count_as_bytes() {
    const BUDGET: u64 = 16 << 20;
    // Another limit, on answers, would come first.
    let browser = Browser::with_limits(limits(|limits| {
        limits.lane_bytes = BUDGET;
        limits.unanswered_connects = u32::MAX;
    }));
    let (mut here, mut hung, top) = (browser.event_loop(), browser.event_loop(), browser.tab());
    let opener = browser.background(&mut here);
    for _ in 0..1_000 {
        browser.content_script(&mut hung, browser.frame_in(top));
    }
    let everywhere = TabTarget::new(top.tab);
    let mut connected = 0;
    let most = most_held(2_500, |_| match here.connect_tab(opener, &everywhere) {
        Ok(port) => {
            connected += 1;
            assert!(here.disconnect(port));
        }
        Err(error) => assert_eq!(error, ConnectError::Busy),
    });
    // A thousand keys of eight bytes each, and the record of it.
    assert_eq!(connected, BUDGET.div_ceil(8_000));
    assert!(most < 16 * MIB * 9 / 8 + MIB, "{most} bytes");
    // It goes on after all: each of the frames takes all of the connections, and hears their ends.
    let before = held();
    assert_eq!(std::iter::from_fn(|| hung.next_event()).take(5_000).count(), 5_000);
    assert!(held() - before < 8 * MIB, "nothing piles up on the way");
    drop(hung);
    assert_eq!(hear(&mut here), []);
    assert!(held() - before < -14 * MIB, "the rest is freed with the lane");
}

#[test]
fn descriptions_are_bounded_and_count_as_bytes() {
    let browser = Browser::with_limits(limits(|limits| limits.lane_bytes = 4 << 20));
    let (mut here, mut hung) = (browser.event_loop(), browser.event_loop());
    browser.background(&mut hung);
    let long = |length: usize| format!("data:{}", "x".repeat(length - "data:".len()));
    let attach = |event_loop: &mut port_core::EventLoop, length| {
        event_loop.attach(describe_content_script_at(browser.extension, browser.tab(), &long(length), ""))
    };
    assert_eq!(attach(&mut here, 1 << 20), Err(AttachError::DescriptionTooLong));
    assert_eq!(attach(&mut here, (1 << 14) + 1), Err(AttachError::DescriptionTooLong));
    assert_eq!(here.snapshot().contexts.len(), 0);
    // What each of five hundred pages is called goes to the background with its first connection.
    let pages: Vec<_> = (0..500).map(|_| attach(&mut here, 1 << 14).unwrap()).collect();
    let mut told = 0;
    let most = most_held(500, |at| match connect_runtime(&mut here, pages[at as usize], "") {
        Ok(_) => told += 1,
        Err(error) => assert_eq!(error, ConnectError::Busy),
    });
    assert_eq!(told, (4 << 20) / (1 << 14));
    // The peer shares what the page has.
    assert!(most < 128 * KIB, "{most} bytes");
    assert_eq!(connected(&mut hung).len(), told);
    connect_runtime(&mut here, pages[499], "").unwrap();
}

#[test]
fn a_kill_leaves_a_long_lane_where_it_lies() {
    const RECORDS: u64 = 1_000_000;
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
    for _ in 0..RECORDS {
        there.post_message(received, "flood").unwrap();
    }
    browser.service.tab_closed(place.tab).unwrap();
    let before = held();
    let (mut heard, mut lying) = (0, RECORDS);
    while lying > 0 {
        let event = here.next_event();
        assert!(matches!(event, Some(Event::Message { .. })), "{event:?}");
        heard += 1;
        assert!(held() - before < 64 * KIB, "nothing is copied");
        if heard < 1_000 || heard % 10_000 == 0 || heard == RECORDS {
            // What one call takes is told at the end of a turn.
            let left = there.snapshot().lanes[0].outbound_records;
            assert!(left + heard + 64 >= RECORDS, "{heard} heard, and {left} left");
        }
        lying = RECORDS - heard;
    }
    assert_eq!(heard_on(&drain(&mut here), port), [disconnect(TabClosed)]);
}

#[test]
fn a_record_for_a_thousand_receivers_is_a_turn() {
    let browser = Browser::new();
    let (mut busy, mut loud, mut quiet) = (browser.event_loop(), browser.event_loop(), browser.event_loop());
    let top = browser.tab();
    for _ in 0..1_000 {
        browser.content_script(&mut busy, browser.frame_in(top));
    }
    let [opener, other] = [&mut loud, &mut quiet].map(|event_loop| browser.background(event_loop));
    let flood = loud.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    let lone = browser.tab();
    browser.content_script(&mut busy, lone);
    let port = quiet.connect_tab(other, &TabTarget::new(lone.tab)).unwrap();
    assert_eq!(connected(&mut busy).len(), 1_001);
    for _ in 0..128 {
        loud.post_message(flood, "flood").unwrap();
    }
    quiet.post_message(port, "a word").unwrap();
    let is_word = |event: &Event| matches!(event, Event::Message { payload, .. } if **payload == *b"a word");
    let before = std::iter::from_fn(|| busy.next_event()).take_while(|event| !is_word(event)).count();
    assert!(before <= 1_000, "{before} events come first");
}

#[test]
fn what_nobody_hears_is_taken_in_turns_too() {
    const RECORDS: u64 = 200_000;
    let browser = Browser::new();
    let place = browser.tab();
    let (mut here, opener) = browser.background_loop();
    let (mut there, wakes) = browser.counted_event_loop();
    browser.content_script(&mut there, place);
    let (port, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    for _ in 0..RECORDS {
        here.post_message(port, "to one who is gone").unwrap();
    }
    browser.service.tab_closed(place.tab).unwrap();
    assert!(matches!(there.next_event(), Some(Event::ContextGone { .. })));
    let mut lying = RECORDS;
    while lying > 0 {
        let before = wakes.count();
        assert_eq!(there.next_event(), None);
        let left = here.snapshot().lanes[0].outbound_records;
        assert!(lying - left <= 65_536 + 64, "{} in one call", lying - left);
        assert!(left == 0 || wakes.count() == before + 1, "it is called for the rest");
        lying = left;
    }
    let before = wakes.count();
    assert_eq!(there.next_event(), None);
    assert_eq!(wakes.count(), before);
}
