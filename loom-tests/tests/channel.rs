//! Channels: slots used again, ends in order, and what an event may still be handed
//! out for.

extern crate port_core_model as port_core;

mod support;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use port_core_model::{DisconnectReason, FrameId, Listening, Message, TabTarget};
use support::{
    Connected, INNER_PLACE, OTHER_PLACE, PLACE, Seen, TAB, browser, connect_runtime, connected, drain, ends,
    model, seen, settle, take_connect, watched_payload,
};

/// A late answer on a channel whose slot the opener has used again.
#[test]
fn a_late_answer_never_reaches_the_next_channel_of_its_slot() {
    model(None, 10_600, || {
        let browser = browser();
        let Connected { mut background, opener, port: old, mut page, received, .. } = connected(&browser);
        assert_eq!(drain(&mut background), []);
        let answering = thread::spawn(move || {
            page.post_message(received, &[9]).unwrap();
            page.disconnect(received);
            page
        });
        background.disconnect(old);
        let new = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        // The old id names nothing any more, the new one something else.
        assert!(!background.is_open(old));
        assert!(background.post_message(old, &[1]).is_err());
        assert!(!background.disconnect(old));
        assert_eq!(drain(&mut background), []);
        let mut page = answering.join().unwrap();
        let (opener_saw, page_saw) = settle(&mut background, &mut page);
        assert_eq!(opener_saw, []);
        assert_eq!(page_saw, [Seen::Connect]);
        assert!(background.is_open(new));
    });
}

/// A leg that was lost by a fact is told to its event loop before its slot is used
/// again, for that loop may not have heard of the fact.
#[test]
fn a_slot_is_told_free_before_it_is_used_again() {
    model(Some(3), 16_000, || {
        let browser = browser();
        browser.tab_at(OTHER_PLACE);
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        browser.content_script(&mut page, OTHER_PLACE);
        let first = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        // Not asleep yet: the page goes on with the lane before it looks for facts.
        take_connect(&mut page);
        let service = browser.service.clone();
        let other = thread::spawn(move || {
            service.tab_closed(TAB).unwrap();
            assert_eq!(drain(&mut background), [Seen::Disconnect(DisconnectReason::TabClosed)]);
            assert!(!background.is_open(first));
            let second = background.connect_tab(opener, &TabTarget::new(OTHER_PLACE.tab)).unwrap();
            background.post_message(second, &[2]).unwrap();
            background
        });
        let mut page_saw = drain(&mut page);
        let mut background = other.join().unwrap();
        let (opener_saw, later) = settle(&mut background, &mut page);
        page_saw.extend(later);
        // The first channel's end may be heard or swallowed by its context's.
        page_saw.retain(|seen| !matches!(seen, Seen::Disconnect(_)));
        page_saw.sort_by_key(|seen| matches!(seen, Seen::Gone(_)));
        assert_eq!(page_saw, [Seen::Connect, Seen::Message(2), Seen::Gone(DisconnectReason::TabClosed)]);
        assert_eq!(opener_saw, []);
        assert_eq!(page.snapshot().ports.len(), 1);
    });
}

/// Messages and the disconnect of one breath, against a receiver that drains.
#[test]
fn everything_posted_is_heard_before_the_disconnect() {
    model(Some(3), 19_000, || {
        let browser = browser();
        let Connected { mut background, port, mut page, .. } = connected(&browser);
        let posting = thread::spawn(move || {
            background.post_message(port, &[1]).unwrap();
            background.post_message(port, Message::from(watched_payload(2))).unwrap();
            background.disconnect(port);
            background
        });
        let mut saw = drain(&mut page);
        let background = posting.join().unwrap();
        saw.extend(drain(&mut page));
        assert_eq!(
            saw,
            [Seen::Message(1), Seen::Message(2), Seen::Disconnect(DisconnectReason::Disconnected)]
        );
        drop(background);
    });
}

/// The same when the poster's whole loop goes.
#[test]
fn everything_posted_is_heard_before_the_loop_is_gone() {
    model(Some(3), 970, || {
        let browser = browser();
        let Connected { mut background, port, mut page, .. } = connected(&browser);
        let posting = thread::spawn(move || {
            background.post_message(port, Message::from(watched_payload(1))).unwrap();
            drop(background);
        });
        let mut saw = drain(&mut page);
        posting.join().unwrap();
        saw.extend(drain(&mut page));
        assert_eq!(saw, [Seen::Message(1), Seen::Disconnect(DisconnectReason::EventLoopGone)]);
    });
}

/// The same where the receiver had not even taken the connection: it hears all three.
#[test]
fn a_dropped_loops_last_connection_is_heard() {
    model(Some(3), 930, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let opening = thread::spawn(move || {
            let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
            background.post_message(port, &[1]).unwrap();
            drop(background);
        });
        let mut saw = drain(&mut page);
        opening.join().unwrap();
        saw.extend(drain(&mut page));
        let end = Seen::Disconnect(DisconnectReason::EventLoopGone);
        assert_eq!(saw, [Seen::Connect, Seen::Message(1), end]);
        assert_eq!(page.snapshot().ports, []);
    });
}

/// Who hears of an end sees everything that was done before it.
#[test]
fn an_end_brings_along_what_was_done_before_it() {
    model(None, 45, || {
        let browser = browser();
        let Connected { mut background, mut page, receiver, .. } = connected(&browser);
        assert_eq!(drain(&mut background), []);
        let written = Arc::new(UnsafeCell::new(0));
        let cell = Arc::clone(&written);
        let ending = thread::spawn(move || {
            // SAFETY: read by nobody before the end is heard.
            cell.with_mut(|cell| unsafe { *cell = 7 });
            page.detach(receiver).unwrap();
            page
        });
        assert_eq!(seen(&background.wait()), Seen::Disconnect(DisconnectReason::ContextDetached));
        // SAFETY: written before the end by a thread that writes no more.
        assert_eq!(written.with(|cell| unsafe { *cell }), 7);
        drop(ending.join().unwrap());
    });
}

/// The same for what the browser did before it reported a fact.
#[test]
fn a_fact_brings_along_what_was_done_before_it() {
    model(None, 110, || {
        let browser = browser();
        let Connected { mut background, page: _page, .. } = connected(&browser);
        assert_eq!(drain(&mut background), []);
        let written = Arc::new(UnsafeCell::new(0));
        let (cell, service) = (Arc::clone(&written), browser.service.clone());
        let killer = thread::spawn(move || {
            // SAFETY: read by nobody before the end is heard.
            cell.with_mut(|cell| unsafe { *cell = 7 });
            service.tab_closed(TAB).unwrap();
        });
        assert_eq!(seen(&background.wait()), Seen::Disconnect(DisconnectReason::TabClosed));
        // SAFETY: written before the end by a thread that writes no more.
        assert_eq!(written.with(|cell| unsafe { *cell }), 7);
        killer.join().unwrap();
    });
}

/// Validity is looked at when an event is handed out: one that waits for a context
/// that a fact ends meanwhile is dropped.
#[test]
fn no_event_is_handed_to_a_context_that_was_killed_meanwhile() {
    model(None, 13, || {
        let browser = browser();
        browser.frame_at(INNER_PLACE, FrameId::TOP);
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let inner = browser.content_script(&mut page, INNER_PLACE);
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        take_connect(&mut page);
        take_connect(&mut page);
        for mark in 1..3 {
            background.post_message(port, Message::from(watched_payload(mark))).unwrap();
        }
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.frame_removed(TAB, INNER_PLACE.frame).unwrap());
        // Each message makes an event for either frame; the inner one's comes second.
        let mut heard = |number: usize| {
            let events = (0..number).map_while(|_| page.next_event());
            events.filter(|event| event.context() == inner).map(|event| seen(&event)).collect::<Vec<_>>()
        };
        let early = heard(3);
        killer.join().unwrap();
        let late = heard(9);
        assert!(matches!(late[..], [] | [Seen::Gone(_)]), "{early:?} {late:?}");
        let all: Vec<_> = early.into_iter().chain(late).collect();
        let gone = Seen::Gone(DisconnectReason::FrameRemoved);
        assert!(all == [gone] || all == [Seen::Message(1), gone], "{all:?}");
    });
}

/// G2: one of two receivers leaves while the other is lost, on loops of their own.
/// "No receiver" or an end fires once.
#[test]
fn two_receivers_go_at_once_on_two_loops() {
    model(Some(2), 490, || {
        let browser = browser();
        browser.frame_at(INNER_PLACE, FrameId::TOP);
        let (mut background, opener) = browser.background_loop();
        let (mut page, context) = browser.content_script_loop(PLACE);
        let mut inner = browser.event_loop();
        browser.content_script(&mut inner, INNER_PLACE);
        background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let leaving = thread::spawn(move || {
            let saw = drain(&mut page);
            page.detach(context).unwrap();
            (page, saw)
        });
        let dropping = thread::spawn(move || drop(inner));
        let mut saw = drain(&mut background);
        let (page, page_saw) = leaving.join().unwrap();
        dropping.join().unwrap();
        saw.extend(drain(&mut background));
        assert_eq!(page_saw, [Seen::Connect]);
        assert_eq!((saw.len(), ends(&saw)), (1, 1), "{saw:?}");
        assert_eq!(background.snapshot().ports, []);
        drop(page);
    });
}

/// G10: a flood holds up nobody: a batch per lane and round, the lane to itself included.
#[test]
fn a_flood_to_oneself_does_not_keep_another_waiting() {
    model(None, 1, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        browser.content_script(&mut background, PLACE);
        browser.tab_at(OTHER_PLACE);
        let mut page = browser.event_loop();
        let talker = browser.content_script(&mut page, OTHER_PLACE);
        let own = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let port = connect_runtime(&mut page, talker, "").unwrap();
        drain(&mut background);
        for _ in 0..200 {
            background.post_message(own, &[1]).unwrap();
        }
        page.post_message(port, &[9]).unwrap();
        let saw = drain(&mut background);
        let position = saw.iter().position(|seen| *seen == Seen::Message(9)).unwrap();
        assert!(position <= 130, "after {position} messages");
        assert_eq!(saw.len(), 201);
    });
}

/// A slot that has had its last generation is not used again: an id from long ago
/// never names what came later.
#[test]
fn a_slot_retires_before_its_generations_start_over() {
    model(None, 1, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let mut old = Vec::new();
        for _ in 0..5 {
            let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
            let received = take_connect(&mut page);
            assert!(!old.contains(&port) && !old.contains(&received));
            assert!(old.iter().all(|&old| !background.is_open(old) && !page.is_open(old)));
            background.disconnect(port);
            assert_eq!(drain(&mut page), [Seen::Disconnect(DisconnectReason::Disconnected)]);
            old.extend([port, received]);
        }
    });
}

/// A context that does not listen refuses while its loop takes the connection, so
/// nothing behind it waits for a decision.
#[test]
fn a_refusal_holds_up_nothing_behind_it() {
    model(Some(3), 3_200, || {
        let browser = browser();
        browser.tab_at(OTHER_PLACE);
        let (mut background, opener) = browser.background_loop();
        let (mut page, deaf) = browser.content_script_loop(PLACE);
        page.set_listening(deaf, Listening::none()).unwrap();
        browser.content_script(&mut page, OTHER_PLACE);
        let opening = thread::spawn(move || {
            let refused = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
            background.post_message(refused, Message::from(watched_payload(1))).unwrap();
            let taken = background.connect_tab(opener, &TabTarget::new(OTHER_PLACE.tab)).unwrap();
            background.post_message(taken, &[2]).unwrap();
            let saw = drain(&mut background);
            (background, taken, saw)
        });
        let mut page_saw = drain(&mut page);
        let (mut background, taken, mut opener_saw) = opening.join().unwrap();
        let (by_opener, by_page) = settle(&mut background, &mut page);
        opener_saw.extend(by_opener);
        page_saw.extend(by_page);
        assert_eq!(page_saw, [Seen::Connect, Seen::Message(2)]);
        assert_eq!(opener_saw, [Seen::Disconnect(DisconnectReason::NoReceiver)]);
        assert!(background.is_open(taken));
    });
}

/// Its first connection introduced the opener, the second names it by its key alone; by then the
/// receiver may have heard of the opener's end and know it no more.
#[test]
fn a_connection_of_a_known_opener_against_its_end() {
    model(Some(3), 60, || {
        let browser = browser();
        let Connected { mut background, opener, mut page, .. } = connected(&browser);
        assert_eq!(drain(&mut background), []);
        let (service, ended) = (browser.service.clone(), background.id());
        let ending = thread::spawn(move || {
            service.event_loop_gone(ended).unwrap();
            let saw = drain(&mut page);
            (page, saw)
        });
        let _ = background.connect_tab(opener, &TabTarget::new(TAB));
        let (mut page, mut saw) = ending.join().unwrap();
        saw.extend(settle(&mut background, &mut page).1);
        let heard = saw.iter().filter(|seen| **seen == Seen::Connect).count();
        assert_eq!(ends(&saw), 1 + heard, "{saw:?}");
        assert_eq!(page.snapshot().ports, []);
    });
}
