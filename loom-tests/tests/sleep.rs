//! A thread that waits on its event loop, against everything that must wake it. A
//! lost wake-up shows as a deadlock.

extern crate port_core_model as port_core;

mod support;

use loom::future::block_on;
use loom::thread::{self, JoinHandle};
use port_core_model::{DisconnectReason, Event, EventLoop, PortId, TabTarget};
use std::future::poll_fn;
use std::task::Context;
use support::{
    Connected, OTHER_PLACE, PLACE, Seen, TAB, browser, connect_runtime, connected, counting_waker,
    describe_background, drain, model, seen,
};

/// Posts on another thread, which gives its event loop back.
fn spawn_post(mut background: EventLoop, port: PortId) -> JoinHandle<EventLoop> {
    thread::spawn(move || {
        background.post_message(port, &[1]).unwrap();
        background
    })
}

/// Takes the next event as a task does.
fn await_event(event_loop: &mut EventLoop) -> Seen {
    seen(&block_on(poll_fn(|context| event_loop.poll_event(context))))
}

#[test]
fn wait_against_a_post() {
    model(None, 43, || {
        let browser = browser();
        let Connected { background, port, mut page, .. } = connected(&browser);
        assert_eq!(drain(&mut page), []);
        let posting = spawn_post(background, port);
        let Event::Message { payload, .. } = page.wait() else { panic!("expected a message") };
        assert_eq!(*payload, [1]);
        drop(posting.join().unwrap());
    });
}

#[test]
fn wait_against_the_first_connect() {
    model(None, 68_000, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let connecting = thread::spawn(move || {
            background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
            background
        });
        assert!(matches!(page.wait(), Event::Connect { .. }));
        drop(connecting.join().unwrap());
    });
}

/// A main loop that sleeps before its first look is woken by whatever came first.
#[test]
fn a_loop_that_never_looked_is_woken_by_the_first_connect() {
    model(None, 1, || {
        let browser = browser();
        let (waker, wakes) = counting_waker();
        let mut page = browser.service.event_loop(waker);
        browser.content_script(&mut page, PLACE);
        let (mut background, opener) = browser.background_loop();
        let connecting = thread::spawn(move || {
            background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
            background
        });
        let background = connecting.join().unwrap();
        assert_eq!(wakes.count(), 1);
        assert_eq!(drain(&mut page), [Seen::Connect]);
        drop(background);
    });
}

/// A loop gets another waker while a post wakes it: the new one is called, or both are, and nothing waits unheard.
#[test]
fn a_new_waker_against_a_post() {
    model(None, 60, || {
        let browser = browser();
        let Connected { background, port, mut page, .. } = connected(&browser);
        let (old, old_wakes) = counting_waker();
        page.set_waker(old);
        assert_eq!(drain(&mut page), []);
        let posting = spawn_post(background, port);
        let (new, new_wakes) = counting_waker();
        page.set_waker(new);
        let background = posting.join().unwrap();
        // Twice where the ringer and `set_waker` both know of the new one.
        assert!((1..=2).contains(&new_wakes.count()));
        assert!(old_wakes.count() <= 1);
        // Nobody holds the old one.
        assert_eq!(std::sync::Arc::strong_count(&old_wakes), 1);
        assert_eq!(drain(&mut page), [Seen::Message(1)]);
        drop(background);
    });
}

#[test]
fn wait_against_a_kill() {
    model(None, 2_200, || {
        let browser = browser();
        let Connected { mut background, mut page, .. } = connected(&browser);
        assert_eq!(drain(&mut page), []);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        let Event::Disconnect { reason, .. } = background.wait() else { panic!("expected an end") };
        assert_eq!(reason, DisconnectReason::TabClosed);
        killer.join().unwrap();
    });
}

#[test]
fn wait_against_the_peer_being_dropped() {
    model(Some(3), 2_400, || {
        let browser = browser();
        let Connected { mut background, mut page, .. } = connected(&browser);
        assert_eq!(drain(&mut page), []);
        let dropping = thread::spawn(move || drop(page));
        let Event::Disconnect { reason, .. } = background.wait() else { panic!("expected an end") };
        assert_eq!(reason, DisconnectReason::EventLoopGone);
        dropping.join().unwrap();
    });
}

#[test]
fn wait_against_a_post_and_a_kill() {
    model(Some(3), 3_900, || {
        let browser = browser();
        let (mut background, _) = browser.background_loop();
        let (mut page, opener) = browser.content_script_loop(PLACE);
        let port = connect_runtime(&mut page, opener, "").unwrap();
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

/// A task registers while something is published.
#[test]
fn poll_against_a_post() {
    model(None, 250, || {
        let browser = browser();
        let Connected { background, port, mut page, .. } = connected(&browser);
        assert_eq!(drain(&mut page), []);
        let posting = spawn_post(background, port);
        assert_eq!(await_event(&mut page), Seen::Message(1));
        drop(posting.join().unwrap());
    });
}

/// The task that polled last is woken, not the first.
#[test]
fn the_last_task_is_woken() {
    model(None, 250, || {
        let browser = browser();
        let Connected { background, port, mut page, .. } = connected(&browser);
        assert_eq!(drain(&mut page), []);
        let (first, first_wakes) = counting_waker();
        assert!(page.poll_event(&mut Context::from_waker(&first)).is_pending());
        let posting = spawn_post(background, port);
        assert_eq!(await_event(&mut page), Seen::Message(1));
        assert!(first_wakes.count() <= 1);
        drop(posting.join().unwrap());
    });
}

/// What a loop makes for itself after it said "nothing" wakes it as another's would:
/// a message to itself, and a connection that finds nobody.
#[test]
fn own_work_wakes_a_loop_that_said_nothing() {
    model(None, 1, || {
        let browser = browser();
        let (waker, wakes) = counting_waker();
        let mut only = browser.service.event_loop(waker);
        let opener = only.attach(describe_background(browser.extension)).unwrap();
        browser.content_script(&mut only, PLACE);
        assert_eq!(drain(&mut only), []);
        assert_eq!(wakes.count(), 0);
        let port = only.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        assert_eq!(wakes.count(), 1);
        assert_eq!(drain(&mut only), [Seen::Connect]);
        only.post_message(port, &[1]).unwrap();
        only.post_message(port, &[2]).unwrap();
        assert_eq!(wakes.count(), 2);
        assert_eq!(drain(&mut only), [Seen::Message(1), Seen::Message(2)]);
        only.connect_tab(opener, &TabTarget::new(OTHER_PLACE.tab)).unwrap();
        assert_eq!(wakes.count(), 3);
        assert_eq!(drain(&mut only), [Seen::Disconnect(DisconnectReason::NoReceiver)]);
    });
}

/// G4: at most one wake per "nothing", from two loops and a fact at once.
#[test]
fn everything_at_once_wakes_once() {
    model(Some(3), 34, || {
        let browser = browser();
        browser.tab_at(OTHER_PLACE);
        let (waker, wakes) = counting_waker();
        let mut page = browser.service.event_loop(waker);
        browser.content_script(&mut page, PLACE);
        browser.content_script(&mut page, OTHER_PLACE);
        let (mut background, opener) = browser.background_loop();
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        drain(&mut page);
        let before = wakes.count();
        let posting = spawn_post(background, port);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(OTHER_PLACE.tab).unwrap());
        killer.join().unwrap();
        let background = posting.join().unwrap();
        assert_eq!(wakes.count() - before, 1);
        let mut saw = drain(&mut page);
        saw.sort_by_key(|seen| matches!(seen, Seen::Gone(_)));
        assert_eq!(saw, [Seen::Message(1), Seen::Gone(DisconnectReason::TabClosed)]);
        drop(background);
    });
}

/// A loop that a task waits on is dropped while a post wakes it; the task's
/// waker goes with the loop.
#[test]
fn a_registered_task_is_let_go_while_a_post_wakes_it() {
    model(None, 460, || {
        let browser = browser();
        let Connected { background, port, mut page, .. } = connected(&browser);
        assert_eq!(drain(&mut page), []);
        let (task, wakes) = counting_waker();
        assert!(page.poll_event(&mut Context::from_waker(&task)).is_pending());
        drop(task);
        let posting = spawn_post(background, port);
        drop(page);
        let mut background = posting.join().unwrap();
        assert!(wakes.count() <= 1);
        // At once, though the peer does not know yet that the loop is gone.
        assert_eq!(std::sync::Arc::strong_count(&wakes), 1);
        assert_eq!(drain(&mut background), [Seen::Disconnect(DisconnectReason::EventLoopGone)]);
    });
}

/// A post comes between a task's being registered and the second look, which finds it: nobody wakes the task,
/// and its waker goes with the loop all the same.
#[test]
fn a_task_that_need_not_wait_is_let_go_with_its_loop() {
    model(None, 3_000, || {
        let browser = browser();
        let Connected { mut background, port, mut page, .. } = connected(&browser);
        assert_eq!(drain(&mut page), []);
        let (task, wakes) = counting_waker();
        let posting = thread::spawn(move || {
            background.post_message(port, &[1]).unwrap();
            background
        });
        drop(page.poll_event(&mut Context::from_waker(&task)));
        drop((task, page));
        let background = posting.join().unwrap();
        assert_eq!(std::sync::Arc::strong_count(&wakes), 1);
        drop(background);
    });
}
