//! Event loops: connecting, posting and ending against each other, on the real code.

extern crate port_core_model as port_core;

mod support;

use loom::sync::Arc;
use loom::thread;
use port_core_model::{DisconnectReason, Message, TabTarget};
use support::{
    Connected, PLACE, Seen, TAB, assert_prefix, browser, connect_runtime, connected, counted_payload,
    counting_waker, describe_content_script, drain, ends, model, settle, take_connect, watched_payload,
};

#[test]
fn connect_against_kill_of_the_target() {
    model(None, 650, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        background.post_message(port, &[1]).unwrap();
        killer.join().unwrap();
        let (opener_saw, page_saw) = settle(&mut background, &mut page);
        // The opener hears once, whether the killer came before, between or after.
        assert_eq!(ends(&opener_saw), 1, "{opener_saw:?}");
        assert!(!background.is_open(port));
        assert_eq!(page_saw.last(), Some(&Seen::Gone(DisconnectReason::TabClosed)));
        assert_eq!(background.snapshot().ports, []);
        assert_eq!(page.snapshot().ports, []);
    });
}

#[test]
fn connect_and_accept_against_kill_of_the_target() {
    model(None, 1_260, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        let mut page_saw = drain(&mut page);
        killer.join().unwrap();
        let (opener_saw, later) = settle(&mut background, &mut page);
        page_saw.extend(later);
        assert_eq!(ends(&opener_saw), 1, "{opener_saw:?}");
        assert_eq!(ends(&page_saw), 0, "{page_saw:?}");
        assert!(!background.is_open(port));
        assert_eq!(page.snapshot().ports, []);
    });
}

#[test]
fn connect_against_kill_of_the_opener() {
    model(None, 340, || {
        let browser = browser();
        // The content script opens, so that closing the tab kills the opener.
        let (mut background, _) = browser.background_loop();
        let (mut page, opener) = browser.content_script_loop(PLACE);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        if let Ok(port) = connect_runtime(&mut page, opener, "") {
            let _ = page.post_message(port, &[1]);
        }
        killer.join().unwrap();
        // The background hears nothing, or a connection that ends, even while the
        // opener's own thread does nothing more.
        let background_saw = drain(&mut background);
        assert_prefix(&background_saw, 1);
        assert_eq!(ends(&background_saw), usize::from(!background_saw.is_empty()));
        let (later, page_saw) = settle(&mut background, &mut page);
        assert_eq!(later, []);
        assert_eq!(page_saw, [Seen::Gone(DisconnectReason::TabClosed)]);
        assert_eq!(background.snapshot().ports, []);
    });
}

#[test]
fn lanes_created_against_kill_of_the_opener_while_the_receiver_takes() {
    model(Some(3), 2_850, || {
        let browser = browser();
        let (mut background, _) = browser.background_loop();
        let (mut page, opener) = browser.content_script_loop(PLACE);
        let service = browser.service.clone();
        let opening = thread::spawn(move || {
            let _ = connect_runtime(&mut page, opener, "");
            page
        });
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        let mut background_saw = drain(&mut background);
        let mut page = opening.join().unwrap();
        killer.join().unwrap();
        background_saw.extend(settle(&mut background, &mut page).0);
        assert_prefix(&background_saw, 0);
        assert_eq!(ends(&background_saw), usize::from(!background_saw.is_empty()));
        assert_eq!(background.snapshot().ports, []);
    });
}

#[test]
fn post_against_kill_of_the_receiver() {
    model(None, 23, || {
        let browser = browser();
        let Connected { mut background, port, mut page, .. } = connected(&browser);
        assert_eq!(drain(&mut background), []);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        background.post_message(port, Message::from(watched_payload(1))).unwrap();
        let mut opener_saw = drain(&mut background);
        killer.join().unwrap();
        let (later, page_saw) = settle(&mut background, &mut page);
        opener_saw.extend(later);
        assert_eq!(opener_saw, [Seen::Disconnect(DisconnectReason::TabClosed)]);
        assert_eq!(page_saw, [Seen::Gone(DisconnectReason::TabClosed)]);
    });
}

#[test]
fn post_against_kill_of_the_poster() {
    model(Some(3), 4_200, || {
        let browser = browser();
        let (mut background, _) = browser.background_loop();
        let (mut page, opener) = browser.content_script_loop(PLACE);
        let port = connect_runtime(&mut page, opener, "").unwrap();
        let mut background_saw = drain(&mut background);
        assert_eq!(drain(&mut page), []);
        let service = browser.service.clone();
        let posting = thread::spawn(move || {
            let posted = (1..3).take_while(|mark| page.post_message(port, &[*mark]).is_ok()).count();
            (page, posted)
        });
        service.tab_closed(TAB).unwrap();
        background_saw.extend(drain(&mut background));
        // Told already, whether or not the poster's thread goes on.
        assert_eq!(ends(&background_saw), 1, "{background_saw:?}");
        let (page, posted) = posting.join().unwrap();
        background_saw.extend(drain(&mut background));
        assert_prefix(&background_saw, posted as u8);
        drop(page);
        assert_eq!(drain(&mut background), []);
    });
}

#[test]
fn what_was_posted_before_a_kill_is_heard_before_the_end() {
    model(None, 1_200, || {
        let browser = browser();
        let (mut background, _) = browser.background_loop();
        let (mut page, opener) = browser.content_script_loop(PLACE);
        let port = connect_runtime(&mut page, opener, "").unwrap();
        let mut background_saw = drain(&mut background);
        let service = browser.service.clone();
        let other = thread::spawn(move || {
            page.post_message(port, &[1]).unwrap();
            service.event_loop_gone(page.id()).unwrap();
            page
        });
        background_saw.extend(drain(&mut background));
        let page = other.join().unwrap();
        background_saw.extend(drain(&mut background));
        assert_eq!(
            background_saw,
            [Seen::Connect, Seen::Message(1), Seen::Disconnect(DisconnectReason::EventLoopGone)]
        );
        drop(page);
    });
}

#[test]
fn both_ends_disconnect_at_once() {
    model(Some(3), 1_900, || {
        let browser = browser();
        let Connected { mut background, port, mut page, received, .. } = connected(&browser);
        assert_eq!(drain(&mut background), []);
        let other = thread::spawn(move || {
            page.post_message(received, &[1]).unwrap();
            page.disconnect(received);
            let saw = drain(&mut page);
            (page, saw)
        });
        background.post_message(port, &[1]).unwrap();
        background.disconnect(port);
        // Neither hears of the other's end, nor a message that it had no ear for.
        assert_eq!(drain(&mut background), []);
        let (mut page, page_saw) = other.join().unwrap();
        assert_eq!(page_saw, []);
        assert_eq!(settle(&mut background, &mut page), (vec![], vec![]));
        assert_eq!(background.snapshot().ports, []);
        assert_eq!(page.snapshot().ports, []);
    });
}

#[test]
fn disconnect_against_taking_and_answering() {
    model(Some(3), 6_800, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let other = thread::spawn(move || {
            let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
            background.post_message(port, &[1]).unwrap();
            assert!(background.disconnect(port));
            // The slot is used again at once, under another generation.
            let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
            background.post_message(port, &[1]).unwrap();
            background
        });
        let mut page_saw = drain(&mut page);
        let mut background = other.join().unwrap();
        let (opener_saw, later) = settle(&mut background, &mut page);
        page_saw.extend(later);
        let ended = Seen::Disconnect(DisconnectReason::Disconnected);
        let whole = [Seen::Connect, Seen::Message(1), ended, Seen::Connect, Seen::Message(1)];
        assert_eq!(page_saw, whole);
        assert_eq!(opener_saw, []);
    });
}

#[test]
fn two_loops_create_their_lanes_at_once() {
    model(None, 6, || {
        let browser = browser();
        let (mut background, background_context) = browser.background_loop();
        let (mut page, page_context) = browser.content_script_loop(PLACE);
        let other = thread::spawn(move || {
            let port = connect_runtime(&mut page, page_context, "").unwrap();
            page.post_message(port, &[1]).unwrap();
            page
        });
        let port = background.connect_tab(background_context, &TabTarget::new(TAB)).unwrap();
        background.post_message(port, &[1]).unwrap();
        let mut page = other.join().unwrap();
        assert_eq!(background.snapshot().lanes.len(), 1);
        let both = [Seen::Connect, Seen::Message(1)];
        assert_eq!(settle(&mut background, &mut page), (both.to_vec(), both.to_vec()));
    });
}

#[test]
fn dropping_a_loop_against_a_post_to_it() {
    model(None, 3_500, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let (waker, wakes) = counting_waker();
        let mut page = browser.service.event_loop(waker);
        browser.content_script(&mut page, PLACE);
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        take_connect(&mut page);
        // Asleep, so that the post rings.
        assert_eq!(drain(&mut page), []);
        let dropping = thread::spawn(move || drop(page));
        let counts: Vec<_> = (1..3)
            .map(|mark| {
                let (payload, count) = counted_payload(mark);
                background.post_message(port, Message::from(payload)).unwrap();
                count
            })
            .collect();
        dropping.join().unwrap();
        assert_eq!(drain(&mut background), [Seen::Disconnect(DisconnectReason::EventLoopGone)]);
        // Nothing is kept for the one that is gone, though the poster lives on.
        assert!(background.snapshot().lanes.is_empty());
        assert!(counts.iter().all(|count| Arc::strong_count(count) == 1));
        assert_eq!(std::sync::Arc::strong_count(&wakes), 1);
    });
}

#[test]
fn dropping_both_loops_at_once() {
    model(Some(3), 2_400, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let (page, _) = browser.content_script_loop(PLACE);
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        background.post_message(port, Message::from(watched_payload(1))).unwrap();
        let dropping = thread::spawn(move || drop(page));
        drop(background);
        dropping.join().unwrap();
        assert!(browser.service.snapshot().event_loops.is_empty());
    });
}

#[test]
fn dropping_a_loop_against_connecting_to_it() {
    model(Some(3), 530, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let (page, _) = browser.content_script_loop(PLACE);
        let dropping = thread::spawn(move || drop(page));
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        dropping.join().unwrap();
        let saw = drain(&mut background);
        assert_eq!(saw, [Seen::Disconnect(DisconnectReason::NoReceiver)]);
        assert!(!background.is_open(port));
    });
}

#[test]
fn detach_against_connect() {
    model(None, 300, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let (mut page, context) = browser.content_script_loop(PLACE);
        let detaching = thread::spawn(move || {
            page.detach(context).unwrap();
            page
        });
        background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let mut page = detaching.join().unwrap();
        let (opener_saw, page_saw) = settle(&mut background, &mut page);
        assert_eq!(opener_saw, [Seen::Disconnect(DisconnectReason::NoReceiver)]);
        assert_eq!(page_saw, []);
    });
}

#[test]
fn attach_against_closing_the_tab() {
    model(None, 560, || {
        let browser = browser();
        let mut page = browser.event_loop();
        let description = describe_content_script(browser.extension, PLACE);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        let attached = page.attach(description);
        killer.join().unwrap();
        let saw = drain(&mut page);
        match attached {
            Ok(_) => assert_eq!(saw, [Seen::Gone(DisconnectReason::TabClosed)]),
            Err(_) => assert_eq!(saw, []),
        }
        // Nothing of it stays behind.
        let left = browser.service.snapshot();
        assert!(left.tabs.is_empty());
        assert_eq!(left.extensions[0].content_scripts, 0);
    });
}

#[test]
fn attach_against_unloading_the_extension() {
    model(None, 2_600, || {
        let browser = browser();
        let mut page = browser.event_loop();
        let description = describe_content_script(browser.extension, PLACE);
        let (service, extension) = (browser.service.clone(), browser.extension);
        let killer = thread::spawn(move || service.extension_unloaded(extension).unwrap());
        let attached = page.attach(description);
        killer.join().unwrap();
        let saw = drain(&mut page);
        assert_eq!(saw.len(), usize::from(attached.is_ok()));
        let left = browser.service.snapshot();
        assert!(left.extensions.is_empty());
        assert!(left.tabs[0].frames[0].contexts.is_empty());
    });
}

#[test]
fn attach_against_the_loop_being_declared_gone() {
    model(None, 3_800, || {
        let browser = browser();
        let mut page = browser.event_loop();
        let description = describe_content_script(browser.extension, PLACE);
        let (service, id) = (browser.service.clone(), page.id());
        let killer = thread::spawn(move || service.event_loop_gone(id).unwrap());
        let attached = page.attach(description);
        killer.join().unwrap();
        assert_eq!(drain(&mut page).len(), usize::from(attached.is_ok()));
        let left = browser.service.snapshot();
        assert!(left.tabs[0].frames[0].contexts.is_empty());
        assert_eq!(left.extensions[0].content_scripts, 0);
    });
}

#[test]
fn two_facts_end_one_context_once() {
    model(Some(7), 32_000, || {
        let browser = browser();
        let Connected { mut background, mut page, .. } = connected(&browser);
        assert_eq!(drain(&mut background), []);
        let (service, id) = (browser.service.clone(), page.id());
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        browser.service.event_loop_gone(id).unwrap();
        killer.join().unwrap();
        let (opener_saw, page_saw) = settle(&mut background, &mut page);
        assert_eq!(ends(&opener_saw), 1, "{opener_saw:?}");
        assert_eq!(page_saw.len(), 1, "{page_saw:?}");
    });
}
