//! G4: after "nothing", anything new wakes the loop, once.

mod common;

use common::*;
use port_core::{
    ContextId, DisconnectReason, Event, EventLoop, FrameId, Listening, Place, PortId, TabId, TabTarget,
};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

/// A background on a loop that counts its wakes, and a content script elsewhere.
struct Sleeper {
    browser: Browser,
    here: EventLoop,
    wakes: Arc<Wakes>,
    there: EventLoop,
    opener: ContextId,
    page: ContextId,
    place: Place,
    port: PortId,
    received: PortId,
}

impl Sleeper {
    fn new() -> Self {
        let browser = Browser::new();
        let ((mut here, wakes), mut there) = (browser.counted_event_loop(), browser.event_loop());
        let place = browser.tab();
        let opener = browser.background(&mut here);
        let page = browser.content_script(&mut there, place);
        let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
        wakes.take();
        Self { browser, here, wakes, there, opener, page, place, port, received }
    }
}

#[test]
fn one_wake_for_each_nothing() {
    let Sleeper { mut here, wakes, mut there, received, .. } = Sleeper::new();
    for _ in 0..10 {
        assert_eq!(here.next_event(), None);
        assert_eq!(wakes.take(), 0);
        for _ in 0..200 {
            there.post_message(received, "x").unwrap();
        }
        assert_eq!(wakes.take(), 1);
        // Awake until it is told "nothing" again.
        assert!(here.next_event().is_some());
        for _ in 0..200 {
            there.post_message(received, "x").unwrap();
        }
        assert_eq!(drain(&mut here).len(), 399);
        assert_eq!(wakes.take(), 0);
    }
}

#[test]
fn a_loop_that_was_never_asked_is_woken_once() {
    let browser = Browser::new();
    let ((mut here, wakes), mut there) = (browser.counted_event_loop(), browser.event_loop());
    browser.background(&mut here);
    let page = browser.content_script(&mut there, browser.tab());
    assert_eq!(wakes.take(), 0);
    let port = connect_runtime(&mut there, page, "").unwrap();
    assert_eq!(wakes.take(), 1);
    there.post_message(port, "x").unwrap();
    assert_eq!(wakes.take(), 0);
    assert_eq!(drain(&mut here).len(), 2);
}

#[test]
fn a_loop_that_was_never_asked_is_woken_by_its_own_work() {
    let browser = Browser::new();
    let (mut here, wakes) = browser.counted_event_loop();
    let opener = browser.background(&mut here);
    connect_runtime(&mut here, opener, "").unwrap();
    assert_eq!(wakes.take(), 1);
    assert_eq!(hear(&mut here), [disconnect(DisconnectReason::NoReceiver)]);
}

#[test]
fn a_closure_wakes_as_a_waker_does() {
    let browser = Browser::new();
    let wakes = Arc::new(Wakes::default());
    let called = Arc::clone(&wakes);
    let mut here = browser.service.event_loop_with(move || Arc::clone(&called).wake());
    browser.background(&mut here);
    let mut there = browser.event_loop();
    let page = browser.content_script(&mut there, browser.tab());
    for round in 0..3 {
        connect_runtime(&mut there, page, "").unwrap();
        assert_eq!(wakes.take(), 1, "{round}");
        assert_eq!(drain(&mut here).len(), 1);
    }
    // The closure goes with the loop and whoever may still wake it.
    drop((here, there, browser));
    assert_eq!(Arc::strong_count(&wakes), 1);
}

#[test]
fn another_waker_takes_over_and_misses_nothing() {
    let Sleeper { mut here, wakes, mut there, received, .. } = Sleeper::new();
    let next = Arc::new(Wakes::default());
    let before = Arc::strong_count(&wakes);
    // Asleep and not woken: only the new one will be.
    here.set_waker(Waker::from(Arc::clone(&next)));
    assert_eq!((wakes.take(), next.take()), (0, 0));
    assert_eq!(Arc::strong_count(&wakes), before - 1, "the old one is let go");
    there.post_message(received, "x").unwrap();
    assert_eq!((wakes.take(), next.take()), (0, 1));
    // Woken and nothing taken yet: the next one is told of it at once.
    here.set_waker(Waker::from(Arc::clone(&wakes)));
    assert_eq!((wakes.take(), next.take()), (1, 0));
    assert_eq!(hear(&mut here), [message("x")]);
    // Awake, and it has not asked for more.
    there.post_message(received, "y").unwrap();
    wakes.take();
    assert_eq!(here.next_event().as_ref().map(Heard::from), Some(message("y")));
    here.set_waker(Waker::from(Arc::clone(&next)));
    assert_eq!((wakes.take(), next.take()), (0, 0));
    assert_eq!(here.next_event(), None);
    there.post_message(received, "z").unwrap();
    assert_eq!((wakes.take(), next.take()), (0, 1));
}

#[test]
fn two_loops_that_post_wake_once() {
    let Sleeper { browser, mut here, wakes, mut there, received, .. } = Sleeper::new();
    let mut third = browser.event_loop();
    let page = browser.content_script(&mut third, browser.tab());
    let port = connect_runtime(&mut third, page, "").unwrap();
    drain(&mut here);
    wakes.take();
    there.post_message(received, "x").unwrap();
    third.post_message(port, "x").unwrap();
    browser.service.event_loop_gone(there.id()).unwrap();
    assert_eq!(wakes.take(), 1);
    assert_eq!(drain(&mut here).len(), 3);
}

#[test]
fn everything_that_makes_an_event_wakes_a_sleeping_loop() {
    type Cause = fn(&mut Sleeper);
    let causes: [(&str, Cause); 9] = [
        ("a message", |all| all.there.post_message(all.received, "x").unwrap()),
        ("a disconnect", |all| assert!(all.there.disconnect(all.received))),
        ("a detach", |all| all.there.detach(all.page).unwrap()),
        ("a connect", |all| assert!(connect_runtime(&mut all.there, all.page, "").is_ok())),
        ("a closed tab", |all| all.browser.service.tab_closed(all.place.tab).unwrap()),
        ("an unload", |all| all.browser.service.extension_unloaded(all.browser.extension).unwrap()),
        ("its peer declared gone", |all| all.browser.service.event_loop_gone(all.there.id()).unwrap()),
        ("itself declared gone", |all| all.browser.service.event_loop_gone(all.here.id()).unwrap()),
        ("its peer's drop", |all| {
            let other = all.browser.event_loop();
            drop(std::mem::replace(&mut all.there, other));
        }),
    ];
    for (name, cause) in causes {
        let mut all = Sleeper::new();
        cause(&mut all);
        assert_eq!(all.wakes.take(), 1, "{name}");
        assert_eq!(drain(&mut all.here).len(), 1, "{name}");
        assert_eq!(all.wakes.take(), 0, "{name}");
    }
}

#[test]
fn work_that_a_sleeping_loop_makes_itself_wakes_it() {
    // A timer or a page's own task calls into the core while the loop believes to sleep.
    type Cause = fn(&mut Sleeper);
    let causes: [(&str, Cause); 4] = [
        ("nobody to connect to", |all| {
            let nobody = TabTarget::new(all.place.tab).frame(FrameId::new(99));
            all.here.connect_tab(all.opener, &nobody).unwrap();
        }),
        ("a connect to its own context", |all| {
            let page = all.browser.content_script(&mut all.here, all.browser.frame_in(all.place));
            connect_runtime(&mut all.here, page, "").unwrap();
        }),
        ("a post, a detach and a disconnect to itself", |all| {
            let page = all.browser.content_script(&mut all.here, all.browser.frame_in(all.place));
            let port = connect_runtime(&mut all.here, page, "").unwrap();
            drain(&mut all.here);
            all.wakes.take();
            all.here.post_message(port, "x").unwrap();
            assert_eq!(all.wakes.take(), 1);
            let second = connect_runtime(&mut all.here, page, "").unwrap();
            all.here.disconnect(second);
            assert_eq!(all.wakes.take(), 0, "awake already");
            assert_eq!(drain(&mut all.here).len(), 3);
            all.here.detach(page).unwrap();
        }),
        ("a snapshot that takes in what lies in a lane", |all| {
            // The lane's own ring comes first and must do.
            all.there.post_message(all.received, "x").unwrap();
            let _ = all.here.snapshot();
        }),
    ];
    for (name, cause) in causes {
        let mut all = Sleeper::new();
        cause(&mut all);
        assert_eq!(all.wakes.take(), 1, "{name}");
        assert_eq!(drain(&mut all.here).len(), 1, "{name}");
    }
}

#[test]
fn a_refusal_that_comes_back_wakes_the_opener() {
    let Sleeper { mut here, wakes, mut there, page, place, opener, .. } = Sleeper::new();
    there.set_listening(page, Listening::none()).unwrap();
    here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    assert_eq!(here.next_event(), None);
    wakes.take();
    assert_eq!(there.next_event(), None);
    assert_eq!(wakes.take(), 1);
    assert_eq!(hear(&mut here), [disconnect(DisconnectReason::NoReceiver)]);
}

#[test]
fn room_wakes() {
    let browser = Browser::with_limits(limits(|limits| limits.window_messages = Some(2)));
    let ((mut here, wakes), mut there) = (browser.counted_event_loop(), browser.event_loop());
    let place = browser.tab();
    let opener = browser.background(&mut here);
    browser.content_script(&mut there, place);
    let (port, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    while here.post_message(port, "x").is_ok() {}
    assert_eq!(here.next_event(), None);
    wakes.take();
    assert_eq!(drain(&mut there).len(), 2);
    assert_eq!(wakes.take(), 1);
    assert_eq!(hear(&mut here), [Heard::Room]);
}

#[test]
fn a_loop_that_spins_is_not_woken_and_sleeps_well_afterwards() {
    let Sleeper { mut here, wakes, mut there, received, .. } = Sleeper::new();
    assert_eq!(here.next_event_unarmed(), None);
    there.post_message(received, "seen by spinning").unwrap();
    assert_eq!(wakes.take(), 0);
    assert!(here.next_event_unarmed().is_some());
    there.post_message(received, "left for next_event").unwrap();
    assert_eq!(wakes.take(), 0);
    assert!(here.next_event().is_some());
    assert_eq!(here.next_event(), None);
    there.post_message(received, "x").unwrap();
    assert_eq!(wakes.take(), 1);
}

#[test]
fn a_late_wake_after_the_drop_is_harmless() {
    let Sleeper { browser, here, wakes, mut there, received, .. } = Sleeper::new();
    drop(here);
    wakes.take();
    there.post_message(received, "to nobody").unwrap();
    browser.service.tab_opened(TabId::new(77), WINDOW).unwrap();
    browser.service.tab_closed(TabId::new(77)).unwrap();
    assert_eq!(hear(&mut there), [disconnect(DisconnectReason::EventLoopGone)]);
    assert_eq!(wakes.take(), 0);
}

#[test]
fn a_task_is_woken_by_its_latest_waker_alone() {
    // Polled with A, then with B.
    let Sleeper { mut here, wakes, mut there, received, .. } = Sleeper::new();
    let (a, b) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
    let (waker_a, waker_b) = (Waker::from(Arc::clone(&a)), Waker::from(Arc::clone(&b)));
    for _ in 0..3 {
        assert_eq!(here.poll_event(&mut Context::from_waker(&waker_a)), Poll::Pending);
        assert_eq!(here.poll_event(&mut Context::from_waker(&waker_b)), Poll::Pending);
        there.post_message(received, "x").unwrap();
        there.post_message(received, "y").unwrap();
        assert_eq!((a.take(), b.take(), wakes.take()), (0, 1, 1));
        for _ in 0..2 {
            assert!(here.poll_event(&mut Context::from_waker(&waker_a)).is_ready());
        }
    }
    // Polls leave nothing behind.
    for _ in 0..10_000 {
        assert_eq!(here.poll_event(&mut Context::from_waker(&waker_a)), Poll::Pending);
    }
    assert!(Arc::strong_count(&a) <= 3, "{}", Arc::strong_count(&a));
    drop(here);
    drop(there);
    assert_eq!(Arc::strong_count(&b), 2);
}

#[test]
fn a_task_dropped_after_its_wake_loses_nothing() {
    // Events stay in the loop until they are taken.
    let Sleeper { mut here, mut there, received, .. } = Sleeper::new();
    let first = Waker::from(Arc::new(Wakes::default()));
    assert_eq!(here.poll_event(&mut Context::from_waker(&first)), Poll::Pending);
    there.post_message(received, "x").unwrap();
    drop(first);
    let second = Waker::noop();
    let Poll::Ready(event) = here.poll_event(&mut Context::from_waker(second)) else { panic!() };
    assert_eq!(Heard::from(&event), message("x"));
}

/// Wakes a thread, for a task that runs on it.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// What a thread does to get its next event.
type Next = fn(&mut EventLoop) -> Event;

#[test]
fn threads_and_tasks_sleep_and_miss_nothing() {
    let ways: [(&str, Next); 3] = [
        ("wait", EventLoop::wait),
        ("wait_timeout", |event_loop| {
            loop {
                if let Some(event) = event_loop.wait_timeout(Duration::from_secs(3_600)) {
                    return event;
                }
            }
        }),
        ("poll_event", |event_loop| {
            let waker = Waker::from(Arc::new(Unpark(thread::current())));
            loop {
                match event_loop.poll_event(&mut Context::from_waker(&waker)) {
                    Poll::Ready(event) => return event,
                    Poll::Pending => thread::park(),
                }
            }
        }),
    ];
    const ROUNDS: usize = 5_000;
    for (name, next) in ways {
        let Sleeper { mut here, mut there, port, received, .. } = Sleeper::new();
        // Ping-pong: each side sleeps for every message, so that one lost wake-up hangs the test.
        thread::scope(|scope| {
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    let event = next(&mut there);
                    assert!(matches!(event, Event::Message { .. }), "{name}: {event:?}");
                    there.post_message(received, "pong").unwrap();
                }
                there
            });
            for _ in 0..ROUNDS {
                here.post_message(port, "ping").unwrap();
                let event = next(&mut here);
                assert!(matches!(event, Event::Message { .. }), "{name}: {event:?}");
            }
        });
    }
}

#[test]
fn a_wait_with_a_deadline_ends_without_an_event() {
    let Sleeper { mut here, mut there, received, .. } = Sleeper::new();
    assert_eq!(here.wait_timeout(Duration::ZERO), None);
    assert_eq!(here.wait_timeout(Duration::from_millis(1)), None);
    there.post_message(received, "x").unwrap();
    assert!(here.wait_timeout(Duration::ZERO).is_some());
    there.post_message(received, "x").unwrap();
    assert!(here.wait_timeout(Duration::MAX).is_some());
}

#[test]
fn a_fact_from_another_thread_ends_a_wait() {
    let Sleeper { browser, mut here, opener, there: _there, .. } = Sleeper::new();
    let waiting = thread::spawn(move || here.wait());
    browser.service.extension_unloaded(browser.extension).unwrap();
    let reason = DisconnectReason::ExtensionUnloaded;
    assert_eq!(gone(&[waiting.join().unwrap()]), [(opener, reason)]);
}
