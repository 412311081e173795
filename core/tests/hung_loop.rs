//! G9: a hung or dead thread never keeps its peers waiting once it is killed. They
//! hear of it after what it had sent, and should it go on it gets nowhere.

mod common;

use common::*;
use port_core::DisconnectReason::{EventLoopGone, NoReceiver, ProcessCrashed};
use port_core::{
    AttachError, ConnectError, ContextError, DisconnectReason, Event, EventLoop, FactError, Listening,
    Message, PostErrorKind, TabTarget,
};
use std::sync::Barrier;
use std::thread;

#[test]
fn peers_hear_of_a_hung_loop_after_what_it_sent() {
    let browser = Browser::new();
    let (mut here, mut hung) = (browser.event_loop(), browser.event_loop());
    let place = browser.tab();
    let background = browser.background(&mut here);
    let page = browser.content_script(&mut hung, place);
    let (port, received) = browser.open_port(&mut here, background, &mut hung, place.tab);
    // More than a segment, and a connection of its own on top.
    for number in 0..500 {
        hung.post_message(received, number.to_string()).unwrap();
    }
    let called = connect_runtime(&mut hung, page, "help").unwrap();
    hung.post_message(called, "!").unwrap();
    // The peer's own posts to the hung one are stuck; that is no reason to wait.
    here.post_message(port, "hello?").unwrap();

    browser.service.event_loop_gone(hung.id()).unwrap();
    let events = drain(&mut here);
    let mut expected: Vec<_> = (0..500).map(|number| message(number.to_string())).collect();
    expected.push(disconnect(EventLoopGone));
    assert_eq!(heard_on(&events, port), expected);
    // A connect of an opener that is known to be dead is refused, though it lies in the lane.
    assert_eq!(events.len(), expected.len());
    assert_eq!(here.snapshot().ports, []);
    assert_eq!(here.snapshot().lanes, []);
    assert_eq!(browser.service.event_loop_gone(hung.id()), Err(FactError::UnknownEventLoop));
}

#[test]
fn peers_hear_that_a_process_crashed() {
    let browser = Browser::new();
    let (mut here, mut crashed) = (browser.event_loop(), browser.event_loop());
    let place = browser.tab();
    let background = browser.background(&mut here);
    let page = browser.content_script(&mut crashed, place);
    let (port, received) = browser.open_port(&mut here, background, &mut crashed, place.tab);
    let called = connect_runtime(&mut crashed, page, "to the background").unwrap();
    let accepted = connected(&mut here)[0];
    crashed.post_message(received, "last word").unwrap();
    crashed.post_message(called, "and another").unwrap();
    browser.service.event_loop_crashed(crashed.id()).unwrap();
    let events = drain(&mut here);
    assert_eq!(heard_on(&events, port), [message("last word"), disconnect(ProcessCrashed)]);
    assert_eq!(heard_on(&events, accepted), [message("and another"), disconnect(ProcessCrashed)]);
    // The loop itself hears the same, if it runs on, and is over.
    assert_eq!(gone(&drain(&mut crashed)), [(page, ProcessCrashed)]);
    assert_eq!(
        crashed.attach(describe_content_script(browser.extension, place)),
        Err(AttachError::EventLoopGone)
    );
    assert_eq!(browser.service.event_loop_crashed(crashed.id()), Err(FactError::UnknownEventLoop));
}

#[test]
fn a_connect_that_a_hung_loop_never_took_ends_without_receiver() {
    let browser = Browser::new();
    let (mut here, mut hung, mut fine) = (browser.event_loop(), browser.event_loop(), browser.event_loop());
    let top = browser.tab();
    let opener = browser.background(&mut here);
    browser.content_script(&mut hung, top);
    browser.content_script(&mut fine, browser.frame_in(top));
    let alone = here.connect_tab(opener, &TabTarget::new(top.tab).frame(top.frame)).unwrap();
    let both = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    assert_eq!(connected(&mut fine).len(), 1);
    assert_eq!(hear(&mut here), [], "the core has no clock");
    browser.service.event_loop_gone(hung.id()).unwrap();
    let events = drain(&mut here);
    assert_eq!(heard_on(&events, alone), [disconnect(NoReceiver)]);
    assert_eq!(heard_on(&events, both), []);
    here.post_message(both, "to the living").unwrap();
    assert_eq!(hear(&mut fine), [message("to the living")]);
    // Nobody finds the dead one any more.
    let later = here.connect_tab(opener, &TabTarget::new(top.tab).frame(top.frame)).unwrap();
    let events = drain(&mut here);
    assert_eq!(heard_on(&events, later), [disconnect(NoReceiver)]);
}

#[test]
fn a_hung_loop_that_goes_on_gets_nowhere() {
    let browser = Browser::new();
    let (mut here, mut hung) = (browser.event_loop(), browser.event_loop());
    let (place, own) = (browser.tab(), browser.tab());
    let background = browser.background(&mut here);
    let page = browser.content_script(&mut hung, place);
    let second = browser.background(&mut hung);
    let (port, received) = browser.open_port(&mut here, background, &mut hung, place.tab);
    browser.content_script(&mut hung, own);
    let within = hung.connect_tab(second, &TabTarget::new(own.tab)).unwrap();
    drain(&mut hung);
    here.post_message(port, "before").unwrap();
    assert!(!hung.is_gone());
    browser.service.event_loop_gone(hung.id()).unwrap();
    assert!(hung.is_gone() && !here.is_gone());
    here.post_message(port, "after").unwrap();

    // It does not know yet. Every call is refused and gives back what it took.
    let Err(refused) = hung.post_message(received, b"late".to_vec()) else { panic!() };
    assert_eq!(refused.kind(), PostErrorKind::Gone);
    assert_eq!(refused.into_message().as_ref().map(Message::bytes), Some(&b"late"[..]));
    assert_eq!(hung.post_message(within, "late").map_err(PostErrorKind::from), Err(PostErrorKind::Gone));
    assert_eq!(connect_runtime(&mut hung, page, ""), Err(ConnectError::Gone));
    assert_eq!(hung.connect_tab(second, &TabTarget::new(own.tab)), Err(ConnectError::Gone));
    assert_eq!(hung.set_listening(page, Listening::PORTS), Err(ContextError::Gone));
    assert_eq!(
        hung.attach(describe_content_script(browser.extension, place)),
        Err(AttachError::EventLoopGone)
    );
    hung.disconnect(received);
    // Its contexts end one by one, and nothing else is handed out.
    let gone: Vec<_> = drain(&mut hung);
    assert_eq!(gone.len(), 3, "{gone:?}");
    for event in &gone {
        assert!(matches!(event, Event::ContextGone { reason: EventLoopGone, .. }));
    }
    assert_eq!(connect_runtime(&mut hung, page, ""), Err(ConnectError::UnknownContext));
    assert_eq!(
        hung.post_message(received, "x").map_err(PostErrorKind::from),
        Err(PostErrorKind::Disconnected)
    );
    assert_eq!(hung.set_listening(page, Listening::PORTS), Err(ContextError::UnknownContext));
    assert_eq!(hung.detach(page), Err(ContextError::UnknownContext));
    assert_eq!(
        hung.attach(describe_content_script(browser.extension, place)),
        Err(AttachError::EventLoopGone)
    );
    assert_eq!(hung.snapshot().ports, []);
    // One end for the peer, whatever the late one did.
    assert_eq!(hear(&mut here), [disconnect(EventLoopGone)]);
    drop(hung);
    assert_eq!(hear(&mut here), []);
}

/// A loop that has spoken to a background which has not looked yet, and now ends; what the background hears.
fn speaks_before_its_peer_ever_looked(
    ends: impl FnOnce(&Browser, EventLoop) -> Option<EventLoop>,
) -> Vec<Heard> {
    let browser = Browser::new();
    let (mut here, mut dead) = (browser.event_loop(), browser.event_loop());
    browser.background(&mut here);
    let page = browser.content_script(&mut dead, browser.tab());
    let port = connect_runtime(&mut dead, page, "first meeting").unwrap();
    dead.post_message(port, "words").unwrap();
    let ended = ends(&browser, dead);
    let heard = hear(&mut here);
    assert_eq!(here.snapshot().ports, []);
    assert_eq!(here.snapshot().lanes, []);
    drop(ended);
    heard
}

#[test]
fn a_loop_dropped_before_its_peer_ever_looked_is_heard_to_its_last_word() {
    let heard = speaks_before_its_peer_ever_looked(|_, dead| {
        drop(dead);
        None
    });
    assert_eq!(heard, [connect("first meeting"), message("words"), disconnect(EventLoopGone)]);
}

#[test]
fn a_loop_declared_gone_before_its_peer_ever_looked_leaves_nothing_open() {
    let heard = speaks_before_its_peer_ever_looked(|browser, dead| {
        browser.service.event_loop_gone(dead.id()).unwrap();
        Some(dead)
    });
    assert_eq!(heard, []);
}

#[test]
fn a_killed_thread_that_still_runs_cannot_put_off_the_end() {
    // The loop posts as fast as it can and is killed in the middle: the peer hears a
    // prefix without a gap, and the end, while the other goes on and on.
    for round in 0..30 {
        let browser = Browser::new();
        let (mut here, mut wild) = (browser.event_loop(), browser.event_loop());
        let place = browser.tab();
        let background = browser.background(&mut here);
        browser.content_script(&mut wild, place);
        let (port, received) = browser.open_port(&mut here, background, &mut wild, place.tab);
        let (id, start) = (wild.id(), Barrier::new(2));
        thread::scope(|scope| {
            let running = scope.spawn(|| {
                start.wait();
                let mut accepted = 0_u64;
                // Stops of itself only when it is refused: a kill that did not reach the
                // poster would hang here.
                while wild.post_message(received, accepted.to_string()).is_ok() {
                    accepted += 1;
                }
                accepted
            });
            start.wait();
            let mut expected = 0_u64;
            let mut take = |here: &mut EventLoop| match here.wait() {
                Event::Message { payload, .. } => {
                    assert_eq!(*payload, *expected.to_string().as_bytes());
                    expected += 1;
                    true
                }
                Event::Disconnect { port: ended, reason, .. } => {
                    assert_eq!((ended, reason), (port, EventLoopGone));
                    false
                }
                other => panic!("{other:?}"),
            };
            for _ in 0..round * 37 {
                assert!(take(&mut here));
            }
            browser.service.event_loop_gone(id).unwrap();
            while take(&mut here) {}
            assert_eq!(here.next_event(), None);
            let accepted = running.join().unwrap();
            assert!(expected <= accepted);
        });
    }
}

#[test]
fn a_killed_context_on_a_living_loop_does_not_take_its_neighbours_along() {
    let browser = Browser::new();
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    let (doomed, stays) = (browser.tab(), browser.tab());
    let background = browser.background(&mut here);
    browser.content_script(&mut there, doomed);
    browser.content_script(&mut there, stays);
    let (first, ended) = browser.open_port(&mut here, background, &mut there, doomed.tab);
    let (second, going) = browser.open_port(&mut here, background, &mut there, stays.tab);
    for number in 0..100 {
        there.post_message(if number % 2 == 0 { ended } else { going }, "x").unwrap();
    }
    browser.service.tab_crashed(doomed.tab).unwrap();
    assert_eq!(there.post_message(ended, "x").map_err(PostErrorKind::from), Err(PostErrorKind::Gone));
    there.post_message(going, "after").unwrap();
    let events = drain(&mut here);
    assert_eq!(heard_on(&events, first).len(), 51);
    assert_eq!(heard_on(&events, second).len(), 51);
    assert_eq!(heard_on(&events, second).last(), Some(&message("after")));
}

#[test]
fn what_a_killed_context_still_does_is_not_the_reason() {
    // Else the same end would fall under another policy by a race.
    for detaches in [true, false] {
        let browser = Browser::new();
        let Apart { mut here, mut there, place, opener: background, script: page } = browser.apart();
        let (_, received) = browser.open_port(&mut here, background, &mut there, place.tab);
        browser.service.tab_closed(place.tab).unwrap();
        if detaches {
            there.detach(page).unwrap();
        } else {
            there.disconnect(received);
        }
        assert_eq!(hear(&mut here), [disconnect(DisconnectReason::TabClosed)]);
    }
}

#[test]
fn a_killed_opener_ends_the_ports_of_its_receivers() {
    let browser = Browser::new();
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    browser.background(&mut here);
    let place = browser.tab();
    let page = browser.content_script(&mut there, place);
    let port = connect_runtime(&mut there, page, "").unwrap();
    let [received] = connected(&mut here)[..] else { panic!() };
    for _ in 0..3 {
        there.post_message(port, "x").unwrap();
    }
    browser.service.frame_removed(place.tab, place.frame).unwrap();
    let reason = DisconnectReason::FrameRemoved;
    assert_eq!(hear(&mut here), [message("x"), message("x"), message("x"), disconnect(reason)]);
    assert!(!here.is_open(received));
    assert_eq!(hear(&mut there), [Heard::ContextGone(reason)]);
    // The channel's slot is used again, by another page, without a mix-up.
    let next = browser.content_script(&mut there, browser.tab());
    let port = connect_runtime(&mut there, next, "next").unwrap();
    there.post_message(port, "y").unwrap();
    assert_eq!(hear(&mut here), [connect("next"), message("y")]);
}
