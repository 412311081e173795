//! A thread that waits on its event loop, against everything that must wake it. A
//! lost wake-up shows as a deadlock.

mod support;

use loom::thread;
use port_core_model::{DisconnectReason, Event, TabTarget};
use support::{Browser, TAB, drain, model};

#[test]
fn wait_against_a_post() {
    model(None, 24, || {
        let browser = Browser::new();
        let (mut background, opener) = browser.background();
        let (mut page, _) = browser.content_script();
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        drain(&mut page);
        let posting = thread::spawn(move || {
            background.post_message(port, &[1]).unwrap();
            background
        });
        let Event::Message { payload, .. } = page.wait() else { panic!("expected a message") };
        assert_eq!(*payload, [1]);
        drop(posting.join().unwrap());
    });
}

#[test]
fn wait_against_the_first_connect() {
    model(Some(3), 180, || {
        let browser = Browser::new();
        let (mut background, opener) = browser.background();
        let (mut page, _) = browser.content_script();
        let connecting = thread::spawn(move || {
            background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
            background
        });
        assert!(matches!(page.wait(), Event::Connect { .. }));
        drop(connecting.join().unwrap());
    });
}

#[test]
fn wait_against_a_kill() {
    model(None, 1_190, || {
        let browser = Browser::new();
        let (mut background, opener) = browser.background();
        let (mut page, _) = browser.content_script();
        background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        drain(&mut page);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        let Event::Disconnect { reason, .. } = background.wait() else { panic!("expected an end") };
        assert_eq!(reason, DisconnectReason::TabClosed);
        killer.join().unwrap();
    });
}

#[test]
fn wait_against_the_peer_being_dropped() {
    model(Some(3), 1_690, || {
        let browser = Browser::new();
        let (mut background, opener) = browser.background();
        let (mut page, _) = browser.content_script();
        background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        drain(&mut page);
        let dropping = thread::spawn(move || drop(page));
        let Event::Disconnect { reason, .. } = background.wait() else { panic!("expected an end") };
        assert_eq!(reason, DisconnectReason::EventLoopGone);
        dropping.join().unwrap();
    });
}

#[test]
fn wait_against_a_post_and_a_kill() {
    model(Some(3), 2_150, || {
        let browser = Browser::new();
        let (mut background, _) = browser.background();
        let (mut page, opener) = browser.content_script();
        let port = page.connect_runtime(opener, "").unwrap();
        drain(&mut background);
        let posting = thread::spawn(move || {
            let _ = page.post_message(port, &[1]);
            page
        });
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        loop {
            match background.wait() {
                Event::Message { .. } => {}
                Event::Disconnect { reason, .. } => break assert_eq!(reason, DisconnectReason::TabClosed),
                other => panic!("unexpected {other:?}"),
            }
        }
        killer.join().unwrap();
        drop(posting.join().unwrap());
    });
}
