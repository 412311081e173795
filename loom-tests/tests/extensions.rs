//! Two extensions between the same two event loops: the lanes of the second are made while those of the first are there,
//! against the other loop's making them, kills, and loops that go.

extern crate port_core_model as port_core;

mod support;

use loom::thread;
use port_core_model::{
    ContextId, DisconnectReason, EventLoop, ExtensionInstance, MessageService, PortId, TabTarget,
};
use support::{
    Browser, Connected, PLACE, Seen, TAB, background_of, browser, connect_runtime, connected,
    content_script_of, drain, ends, model, settle,
};

/// An extension whose background and content script are connected, and a second one beside it on the same two loops, which
/// has no lanes yet.
struct Second {
    browser: Browser,
    background: EventLoop,
    page: EventLoop,
    /// The first one's port.
    port: PortId,
    /// The contexts of the second.
    opener: ContextId,
    script: ContextId,
}

fn second() -> Second {
    let browser = browser();
    let Connected { mut background, port, mut page, .. } = connected(&browser);
    assert_eq!(drain(&mut background), []);
    let other: ExtensionInstance = browser.load("other@example");
    let opener = background_of(other, &mut background);
    let script = content_script_of(other, &mut page, PLACE);
    Second { browser, background, page, port, opener, script }
}

/// Both loops make the lanes of a second extension at once: one makes them, and the other finds them.
#[test]
fn two_loops_create_the_lanes_of_a_second_extension_at_once() {
    model(None, 18, || {
        let Second { mut background, mut page, port, opener, script, .. } = second();
        let other = thread::spawn(move || {
            let called = connect_runtime(&mut page, script, "").unwrap();
            page.post_message(called, &[1]).unwrap();
            page
        });
        let called = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        background.post_message(called, &[1]).unwrap();
        let mut page = other.join().unwrap();
        let both = [Seen::Connect, Seen::Message(1)];
        assert_eq!(settle(&mut background, &mut page), (both.to_vec(), both.to_vec()));
        // Those of the first are as they were.
        background.post_message(port, &[2]).unwrap();
        assert_eq!(drain(&mut page), [Seen::Message(2)]);
        assert_eq!(background.snapshot().lanes.len(), 1);
    });
}

/// The same where the lanes of the first are made by one loop and those of the second by the other.
#[test]
fn two_loops_meet_at_once_for_an_extension_each() {
    model(None, 18, || {
        let browser = browser();
        let (mut background, _) = browser.background_loop();
        let (mut page, script) = browser.content_script_loop(PLACE);
        let other = browser.load("other@example");
        let opener = background_of(other, &mut background);
        content_script_of(other, &mut page, PLACE);
        let connecting = thread::spawn(move || {
            let called = connect_runtime(&mut page, script, "").unwrap();
            page.post_message(called, &[1]).unwrap();
            page
        });
        let called = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        background.post_message(called, &[1]).unwrap();
        let mut page = connecting.join().unwrap();
        let both = [Seen::Connect, Seen::Message(1)];
        assert_eq!(settle(&mut background, &mut page), (both.to_vec(), both.to_vec()));
    });
}

/// What becomes of both extensions' ports at the background while a fact ends the page's contexts, or its loop, which hangs.
fn ends_against_a_connect_of_the_second(
    fact: fn(&MessageService, &EventLoop),
    reason: DisconnectReason,
) -> EventLoop {
    let Second { browser, mut background, page, port, opener, .. } = second();
    let service = browser.service.clone();
    let killer = thread::spawn(move || {
        fact(&service, &page);
        // And hangs.
        page
    });
    let called = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
    let _ = background.post_message(called, &[1]);
    let hanging = killer.join().unwrap();
    let mut saw = drain(&mut background);
    saw.sort_by_key(|seen| *seen != Seen::Disconnect(reason));
    assert_eq!(saw, [reason, DisconnectReason::NoReceiver].map(Seen::Disconnect));
    assert!(!background.is_open(port) && !background.is_open(called));
    assert_eq!(background.snapshot().ports, []);
    drop(hanging);
    background
}

/// Lanes are made for a second extension, whose target is killed meanwhile with the first one's, and whose thread hangs.
#[test]
fn lanes_of_a_second_extension_against_kill_of_the_targets_of_both() {
    model(Some(3), 440, || {
        let closes = |service: &MessageService, _: &EventLoop| service.tab_closed(TAB).unwrap();
        ends_against_a_connect_of_the_second(closes, DisconnectReason::TabClosed);
    });
}

/// The same where the loop is declared gone.
#[test]
fn lanes_of_a_second_extension_against_the_loop_being_declared_gone() {
    model(Some(3), 3_600, || {
        let declares =
            |service: &MessageService, page: &EventLoop| service.event_loop_gone(page.id()).unwrap();
        let background = ends_against_a_connect_of_the_second(declares, DisconnectReason::EventLoopGone);
        assert!(background.snapshot().lanes.is_empty());
    });
}

/// A context of a second extension opens a port, and with it lanes, while it is killed with that of the first. The
/// receiver hears of both ends, though their own thread does nothing more.
#[test]
fn lanes_of_a_second_extension_against_kill_of_the_openers_of_both() {
    model(Some(3), 14_400, || {
        let Second { browser, mut background, mut page, port, script, .. } = second();
        let connecting = thread::spawn(move || {
            if let Ok(called) = connect_runtime(&mut page, script, "") {
                let _ = page.post_message(called, &[1]);
            }
            // And hangs.
            page
        });
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        let mut saw = drain(&mut background);
        killer.join().unwrap();
        let mut page = connecting.join().unwrap();
        saw.extend(drain(&mut background));
        let connects = saw.iter().filter(|seen| **seen == Seen::Connect).count();
        assert_eq!(ends(&saw), 1 + connects, "{saw:?}");
        assert!(connects <= 1 && !background.is_open(port), "{saw:?}");
        assert_eq!(background.snapshot().ports, []);
        assert_eq!(ends(&settle(&mut background, &mut page).0), 0);
        assert_eq!(page.snapshot().ports, []);
    });
}

/// A loop that hangs has forgotten strangers that came and went. One whose first lanes wait for it goes while it makes
/// others to that one, for a second extension: it hears the end of what it opened by them.
#[test]
fn a_loop_goes_against_lanes_to_it_by_one_that_has_not_met_it() {
    model(Some(3), 2_200, || {
        let browser = browser();
        let (mut hung, _) = browser.background_loop();
        let other = browser.load("other@example");
        let opener = background_of(other, &mut hung);
        let (mut stranger, script) = browser.content_script_loop(PLACE);
        connect_runtime(&mut stranger, script, "").unwrap();
        drop(stranger);
        let (mut page, script) = browser.content_script_loop(PLACE);
        content_script_of(other, &mut page, PLACE);
        connect_runtime(&mut page, script, "").unwrap();
        let dropping = thread::spawn(move || drop(page));
        let port = hung.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        dropping.join().unwrap();
        let saw = drain(&mut hung);
        assert!(saw.contains(&Seen::Disconnect(DisconnectReason::NoReceiver)), "{saw:?}");
        assert!(!hung.is_open(port));
        assert_eq!(hung.snapshot().ports, []);
        assert!(hung.snapshot().lanes.is_empty());
    });
}
