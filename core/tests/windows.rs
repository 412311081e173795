//! G6, per port: the size of a message, and windows by messages and by bytes with the
//! credits that open them again.

mod common;

use bytes::Bytes;
use common::*;
use port_core::{
    BackForwardCache, ContextId, Event, EventLoop, Message, MessageFormat, Place, PortId, PostErrorKind,
    ReceiverLost, TabTarget,
};

/// A background and a content script that are connected, each on its loop.
struct Pair {
    browser: Browser,
    here: EventLoop,
    there: EventLoop,
    opener: ContextId,
    place: Place,
    port: PortId,
    received: PortId,
}

impl Pair {
    fn new(browser: Browser) -> Self {
        let Apart { mut here, mut there, place, opener, .. } = browser.apart();
        let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
        Self { browser, here, there, opener, place, port, received }
    }

    fn with_window_of(messages: u32) -> Self {
        Self::new(Browser::with_limits(limits(|limits| limits.window_messages = Some(messages))))
    }
}

/// Posts until refused for want of window; how many went.
fn fill(event_loop: &mut EventLoop, port: PortId) -> usize {
    for posted in 0..100 {
        match event_loop.post_message(port, "x").map_err(PostErrorKind::from) {
            Ok(()) => {}
            Err(PostErrorKind::WindowFull) => return posted,
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("no window");
}

fn take(event_loop: &mut EventLoop, count: usize) {
    for _ in 0..count {
        assert!(matches!(event_loop.next_event(), Some(Event::Message { .. })));
    }
}

#[test]
fn a_message_may_be_as_large_as_the_limit_and_no_larger() {
    for limit in [0, 1, 160, 161, 70_000] {
        let mut pair = Pair::new(Browser::with_limits(limits(|limits| limits.message_bytes = limit)));
        let too_large = Bytes::from(vec![7; limit + 1]);
        let posted = Message::from(too_large.clone()).format(MessageFormat::Other(9)).user_activation(true);
        let Err(refused) = pair.here.post_message(pair.port, posted.clone()) else { panic!("{limit}") };
        assert_eq!(refused.kind(), PostErrorKind::TooLarge);
        let Some(back) = refused.into_message() else { panic!("{limit}") };
        assert_eq!(back, posted);
        assert_eq!(back.into_bytes().as_ptr(), too_large.as_ptr(), "not copied");
        pair.here.post_message(pair.port, vec![7; limit]).unwrap();
        let Some(Event::Message { payload, .. }) = pair.there.next_event() else { panic!() };
        assert_eq!(payload.len(), limit);
        // And the other way round.
        assert!(pair.there.post_message(pair.received, vec![7; limit + 1]).is_err());
        assert!(pair.there.post_message(pair.received, vec![7; limit]).is_ok());
    }
}

#[test]
fn a_window_of_messages_fills_and_opens_again() {
    for window in [1, 2, 3, 4, 7] {
        let mut pair = Pair::with_window_of(window);
        let size = window as usize;
        assert_eq!(fill(&mut pair.here, pair.port), size);
        assert_eq!(fill(&mut pair.here, pair.port), 0);
        assert_eq!(hear(&mut pair.here), [], "no room before anything was taken");
        take(&mut pair.there, size);
        assert_eq!(hear(&mut pair.there), []);
        // Two refusals, one event.
        assert_eq!(hear(&mut pair.here), [Heard::Room]);
        assert!(fill(&mut pair.here, pair.port) > 0);
        // Over and over, the window neither leaks nor grows.
        for _ in 0..50 {
            hear(&mut pair.there);
            assert_eq!(hear(&mut pair.here), [Heard::Room]);
            let posted = fill(&mut pair.here, pair.port);
            assert!((1..=size).contains(&posted), "{posted} of {size}");
        }
    }
}

#[test]
fn a_receivers_window_is_its_own() {
    let mut pair = Pair::with_window_of(4);
    assert_eq!(fill(&mut pair.here, pair.port), 4);
    assert_eq!(fill(&mut pair.there, pair.received), 4);
    take(&mut pair.here, 4);
    assert_eq!(pair.here.next_event(), None);
    take(&mut pair.there, 4);
    assert_eq!(hear(&mut pair.there), [Heard::Room]);
    assert_eq!(hear(&mut pair.here), [Heard::Room]);
}

#[test]
fn no_room_is_told_where_no_post_was_refused() {
    let mut pair = Pair::with_window_of(4);
    for _ in 0..20 {
        for _ in 0..4 {
            pair.here.post_message(pair.port, "x").unwrap();
        }
        take(&mut pair.there, 4);
        assert_eq!(hear(&mut pair.here), []);
    }
}

#[test]
fn a_post_takes_in_credits_by_itself_and_leaves_the_rest_in_order() {
    let mut pair = Pair::with_window_of(4);
    assert_eq!(fill(&mut pair.here, pair.port), 4);
    for _ in 0..3 {
        take(&mut pair.there, 4);
        pair.there.post_message(pair.received, "answer").unwrap();
        // Without asking for events: the credit lies in the lane.
        for _ in 0..4 {
            pair.here.post_message(pair.port, "x").unwrap();
        }
    }
    let heard = hear(&mut pair.here);
    let answers = heard.iter().filter(|heard| **heard == message("answer")).count();
    assert_eq!(answers, 3, "{heard:?}");
    take(&mut pair.there, 4);
    assert!(pair.there.disconnect(pair.received));
    assert_eq!(hear(&mut pair.here).last(), Some(&disconnect(port_core::DisconnectReason::Disconnected)));
}

#[test]
fn a_window_of_bytes_admits_while_it_is_not_full() {
    let mut pair = Pair::new(Browser::with_limits(limits(|limits| limits.window_bytes = Some(100))));
    // Larger than the whole window: fits while it is empty, and fills it.
    pair.here.post_message(pair.port, vec![0; 5_000]).unwrap();
    let posted = Message::from(b"one more".to_vec());
    let Err(refused) = pair.here.post_message(pair.port, posted.clone()) else { panic!() };
    assert_eq!((refused.kind(), refused.into_message()), (PostErrorKind::WindowFull, Some(posted)));
    take(&mut pair.there, 1);
    assert_eq!(hear(&mut pair.here), [Heard::Room]);
    // 99 bytes leave it open for one of any size.
    pair.here.post_message(pair.port, vec![0; 99]).unwrap();
    pair.here.post_message(pair.port, vec![0; 3_000]).unwrap();
    assert!(pair.here.post_message(pair.port, "").is_err());
    take(&mut pair.there, 2);
    // Messages without bytes never fill a window of bytes.
    for _ in 0..1_000 {
        pair.here.post_message(pair.port, "").unwrap();
    }
    pair.here.post_message(pair.port, vec![0; 100]).unwrap();
    assert!(pair.here.post_message(pair.port, "").is_err());
}

#[test]
fn with_two_windows_the_tighter_decides() {
    let mut pair = Pair::new(Browser::with_limits(limits(|limits| {
        limits.window_messages = Some(4);
        limits.window_bytes = Some(100);
    })));
    for _ in 0..20 {
        for _ in 0..4 {
            pair.here.post_message(pair.port, "x").unwrap();
        }
        assert!(pair.here.post_message(pair.port, "x").is_err());
        take(&mut pair.there, 4);
        assert_eq!(hear(&mut pair.here), [Heard::Room]);
        pair.here.post_message(pair.port, vec![0; 100]).unwrap();
        assert!(pair.here.post_message(pair.port, "x").is_err());
        take(&mut pair.there, 1);
        assert_eq!(hear(&mut pair.here), [Heard::Room]);
    }
}

#[test]
fn a_window_of_nothing_admits_one_at_a_time() {
    // A window that admits nothing would never open, and never tell of room.
    for messages in [true, false] {
        let mut pair = Pair::new(Browser::with_limits(limits(|limits| {
            if messages {
                limits.window_messages = Some(0);
            } else {
                limits.window_bytes = Some(0);
            }
        })));
        for _ in 0..3 {
            assert_eq!(fill(&mut pair.here, pair.port), 1);
            take(&mut pair.there, 1);
            assert_eq!(hear(&mut pair.here), [Heard::Room]);
        }
    }
}

#[test]
fn other_ports_go_on_while_one_is_full() {
    let mut pair = Pair::with_window_of(2);
    let other = pair.here.connect_tab(pair.opener, &TabTarget::new(pair.place.tab)).unwrap();
    assert_eq!(fill(&mut pair.here, pair.port), 2);
    assert_eq!(fill(&mut pair.here, other), 2);
    let third = pair.here.connect_tab(pair.opener, &TabTarget::new(pair.place.tab)).unwrap();
    pair.here.post_message(third, "unhindered").unwrap();
    assert!(pair.here.disconnect(pair.port));
    let heard: Vec<_> = hear(&mut pair.there);
    assert!(heard.contains(&message("unhindered")));
    // The port that ended wants no room any more; the other does.
    let events = drain(&mut pair.here);
    assert_eq!(heard_on(&events, other), [Heard::Room]);
    assert_eq!(events.len(), 1);
}

/// An opener and two receivers, on one other loop or on two.
fn fan_out(browser: &Browser, homes: [usize; 2]) -> ([EventLoop; 3], PortId, [Place; 2], [ContextId; 2]) {
    let mut loops = [browser.event_loop(), browser.event_loop(), browser.event_loop()];
    let top = browser.tab();
    let frames = [top, browser.frame_in(top)];
    let opener = browser.background(&mut loops[0]);
    let receivers = [0, 1].map(|which| browser.content_script(&mut loops[homes[which]], frames[which]));
    let port = loops[0].connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    for event_loop in &mut loops {
        drain(event_loop);
    }
    drain(&mut loops[0]);
    (loops, port, frames, receivers)
}

#[test]
fn the_slowest_loop_of_a_fan_out_sets_the_pace() {
    let browser = Browser::with_limits(limits(|limits| limits.window_messages = Some(4)));
    for slow_detaches in [false, true] {
        let ([mut here, mut quick, mut slow], port, _, [_, second]) = fan_out(&browser, [1, 2]);
        assert_eq!(fill(&mut here, port), 4);
        take(&mut quick, 4);
        assert_eq!(hear(&mut here), []);
        assert!(here.post_message(port, "x").is_err());
        if slow_detaches {
            slow.detach(second).unwrap();
        } else {
            take(&mut slow, 4);
        }
        assert_eq!(hear(&mut here), [Heard::Room]);
        assert_eq!(fill(&mut here, port), 4);
    }
}

#[test]
fn the_slowest_receiver_on_one_loop_sets_the_pace() {
    // On one loop all take at the same pace, unless one is in the cache with its messages.
    let queues = BackForwardCache::queues_messages(100, 10_000);
    let browser = Browser::with(
        limits(|limits| limits.window_messages = Some(4)),
        policies(|policies| {
            policies.back_forward_cache = queues;
            policies.receiver_lost = ReceiverLost::LeavesOthers;
        }),
    );
    enum End {
        Restored,
        Evicted,
        Detached,
    }
    for end in [End::Restored, End::Evicted, End::Detached] {
        let ([mut here, mut there, _], port, [_, frame], [_, second]) = fan_out(&browser, [1, 1]);
        browser.service.document_cached(frame.document).unwrap();
        assert_eq!(fill(&mut here, port), 4);
        take(&mut there, 4);
        assert_eq!(there.next_event(), None);
        assert_eq!(hear(&mut here), [], "the cached one holds the credit");
        match end {
            End::Restored => browser.service.document_restored(frame.document).unwrap(),
            End::Evicted => browser.service.document_evicted(frame.document).unwrap(),
            End::Detached => there.detach(second).unwrap(),
        }
        drain(&mut there);
        assert_eq!(hear(&mut here), [Heard::Room]);
        assert_eq!(fill(&mut here, port), 4);
    }
}

#[test]
fn a_cached_receiver_that_loses_messages_gives_their_credit_back() {
    let browser = Browser::with(
        limits(|limits| limits.window_messages = Some(4)),
        policies(|policies| policies.back_forward_cache = BackForwardCache::LosesMessages),
    );
    let mut pair = Pair::new(browser);
    pair.browser.service.document_cached(pair.place.document).unwrap();
    for _ in 0..5 {
        assert_eq!(fill(&mut pair.here, pair.port), 4);
        assert_eq!(hear(&mut pair.there), []);
        assert_eq!(hear(&mut pair.here), [Heard::Room]);
    }
}

#[test]
fn a_port_to_oneself_has_a_window_too() {
    let browser = Browser::with_limits(limits(|limits| limits.window_messages = Some(3)));
    let mut here = browser.event_loop();
    let place = browser.tab();
    let opener = browser.background(&mut here);
    browser.content_script(&mut here, place);
    let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    assert_eq!(fill(&mut here, port), 3);
    let heard = hear(&mut here);
    assert_eq!(heard.iter().filter(|heard| **heard == Heard::Room).count(), 1, "{heard:?}");
    assert!(fill(&mut here, port) > 0);
}
