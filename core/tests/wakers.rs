//! Wakers are the embedder's code and may do as they like: panic, call the service, drop
//! event loops.

mod common;

use bytes::Bytes;
use common::*;
use port_core::{DisconnectReason, EventLoop, TabId, TabTarget};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

#[test]
fn a_waker_that_panics_harms_neither_the_poster_nor_the_bell() {
    let browser = Browser::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let mut here = browser.service.event_loop(waker_fn(move || {
        counted.fetch_add(1, SeqCst);
        panic!("a waker panics");
    }));
    let mut there = browser.event_loop();
    browser.background(&mut here);
    let page = browser.content_script(&mut there, browser.tab());
    let port = connect_runtime(&mut there, page, "").unwrap();
    drain(&mut here);
    for round in 1..=5 {
        calls.store(0, SeqCst);
        let posted = catch_unwind(AssertUnwindSafe(|| there.post_message(port, "x").is_ok()));
        assert_eq!(posted.ok(), Some(true));
        assert_eq!(calls.load(SeqCst), 1, "round {round}");
        assert_eq!(hear(&mut here), [message("x")]);
    }
}

#[test]
fn a_waker_may_call_the_service_and_drop_what_it_likes() {
    // Every waker of this browser reports facts, looks around and drops things: a
    // lock held across a wake would be a deadlock.
    let browser = Browser::new();
    let service = browser.service.clone();
    let next_tab = Arc::new(AtomicUsize::new(1_000));
    let to_drop: Arc<Mutex<Vec<EventLoop>>> = Arc::default();
    let meddler = || {
        let (service, next_tab, to_drop) = (service.clone(), Arc::clone(&next_tab), Arc::clone(&to_drop));
        waker_fn(move || {
            let tab = TabId::new(next_tab.fetch_add(1, SeqCst) as u64);
            service.tab_opened(tab, WINDOW).unwrap();
            assert!(!format!("{service:?}").is_empty());
            service.tab_closed(tab).unwrap();
            drop(service.event_loop(Waker::noop().clone()));
            let dropped = to_drop.try_lock().ok().and_then(|mut loops| loops.pop());
            drop(dropped);
            drop(service.clone());
        })
    };
    let mut here = service.event_loop(meddler());
    let mut there = service.event_loop(meddler());
    let place = browser.tab();
    let opener = browser.background(&mut here);
    browser.content_script(&mut there, place);
    assert_eq!(here.next_event(), None);
    assert_eq!(there.next_event(), None);
    for _ in 0..3 {
        let mut doomed = service.event_loop(meddler());
        browser.content_script(&mut doomed, browser.frame_in(place));
        let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        drain(&mut doomed);
        to_drop.lock().unwrap().push(doomed);
        here.post_message(port, "x").unwrap();
        settle([&mut here, &mut there]);
        here.disconnect(port);
        settle([&mut here, &mut there]);
    }
    browser.navigate(place);
    service.tab_closed(place.tab).unwrap();
    service.event_loop_gone(there.id()).unwrap();
    service.extension_unloaded(browser.extension).unwrap();
    settle([&mut here, &mut there]);
    assert!(next_tab.load(SeqCst) > 1_005, "the wakers did run");
}

#[test]
fn a_waker_may_drop_the_very_loop_that_it_wakes() {
    let browser = Browser::new();
    let slot: Arc<Mutex<Option<EventLoop>>> = Arc::default();
    let sleeping = Arc::clone(&slot);
    let mut there = browser.service.event_loop(waker_fn(move || {
        drop(sleeping.lock().unwrap().take());
    }));
    let mut here = browser.event_loop();
    let place = browser.tab();
    let opener = browser.background(&mut here);
    browser.content_script(&mut there, place);
    let (port, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    *slot.lock().unwrap() = Some(there);
    let ledger = Ledger::default();
    here.post_message(port, ledger.payload(1_000)).unwrap();
    assert!(slot.lock().unwrap().is_none());
    here.post_message(port, ledger.payload(1_000)).unwrap();
    ledger.assert_balanced();
    assert_eq!(hear(&mut here), [disconnect(DisconnectReason::EventLoopGone)]);
}

/// What a panic may carry: it panics when it is dropped, with another of its kind.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 > 0 {
            std::panic::resume_unwind(Box::new(Self(self.0 - 1)));
        }
    }
}

/// A waker that throws such a panic from whatever is done to it, but for being cloned.
struct Bomber;

impl Wake for Bomber {
    fn wake(self: Arc<Self>) {
        std::panic::resume_unwind(Box::new(Bomb(7)));
    }
}

impl Drop for Bomber {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new(Bomb(7)));
    }
}

#[test]
fn what_a_wakers_panic_carries_may_panic_too() {
    let bomber = || Waker::from(Arc::new(Bomber));
    let nothing_comes_out = |call: &mut dyn FnMut()| {
        assert!(catch_unwind(AssertUnwindSafe(call)).is_ok());
    };
    let browser = Browser::new();
    let mut here = Some(browser.service.event_loop(bomber()));
    let mut there = browser.event_loop();
    browser.background(here.as_mut().unwrap());
    let page = browser.content_script(&mut there, browser.tab());
    let port = connect_runtime(&mut there, page, "").unwrap();
    drain(here.as_mut().unwrap());
    nothing_comes_out(&mut || there.post_message(port, "x").unwrap());
    assert_eq!(hear(here.as_mut().unwrap()), [message("x")]);
    nothing_comes_out(&mut || here.as_mut().unwrap().set_waker(bomber()));
    nothing_comes_out(&mut || {
        // The task is kept, let go for another, woken, and let go with the loop.
        let here = here.as_mut().unwrap();
        for _ in 0..2 {
            let task = std::mem::ManuallyDrop::new(bomber());
            assert!(here.poll_event(&mut Context::from_waker(&task)).is_pending());
            // Our own count, whose panic is no matter of the core's.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(std::mem::ManuallyDrop::into_inner(task))));
        }
    });
    nothing_comes_out(&mut || there.post_message(port, "y").unwrap());
    assert_eq!(hear(here.as_mut().unwrap()), [message("y")]);
    nothing_comes_out(&mut || drop(here.take()));
    assert_eq!(hear(&mut there), [disconnect(DisconnectReason::EventLoopGone)]);
}

#[test]
fn what_a_destructors_panic_carries_may_panic_too() {
    struct Explosive(Arc<AtomicUsize>);
    impl AsRef<[u8]> for Explosive {
        fn as_ref(&self) -> &[u8] {
            &[b'x'; 1_000]
        }
    }
    impl Drop for Explosive {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
            std::panic::resume_unwind(Box::new(Bomb(7)));
        }
    }
    let browser = Browser::new();
    let dropped = Arc::new(AtomicUsize::new(0));
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    browser.background(&mut here);
    let page = browser.content_script(&mut there, browser.tab());
    let port = connect_runtime(&mut there, page, "").unwrap();
    drain(&mut here);
    for _ in 0..10 {
        there.post_message(port, Bytes::from_owner(Explosive(Arc::clone(&dropped)))).unwrap();
    }
    // They lie in the lane of a loop that is dropped, and each goes on its own.
    assert!(catch_unwind(AssertUnwindSafe(|| drop(here))).is_ok());
    assert_eq!(dropped.load(SeqCst), 10);
    assert_eq!(hear(&mut there), [disconnect(DisconnectReason::EventLoopGone)]);
}
