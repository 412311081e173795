//! The pool that all lanes of a service draw on: what one thread gives back against another that wants it.

extern crate port_core_model as port_core;

mod support;

use loom::thread;
use port_core_model::{EventLoop, Policies, PortId, PostErrorKind, TabTarget};
use support::{
    Browser, Connected, OTHER_PLACE, Seen, browser_with, connected, drain, limits, model, settle,
    take_connect,
};

/// More than a lane has of its own in models, and so drawn.
const LONG: usize = 1_100;

/// In which pieces is drawn, in models.
const CHUNK: u64 = 768;

/// A browser whose pool has room for one long message, which lies in the lane to the page.
fn with_one_message_drawn() -> (Browser, Connected) {
    let limits = limits(|limits| {
        limits.service_bytes = CHUNK;
        limits.extension_bytes = 0;
    });
    let browser = browser_with(limits, Policies::default());
    let mut both = connected(&browser);
    assert_eq!(drain(&mut both.page), []);
    assert_eq!(drain(&mut both.background), []);
    post(&mut both.background, both.port).unwrap();
    (browser, both)
}

fn post(event_loop: &mut EventLoop, port: PortId) -> Result<(), PostErrorKind> {
    event_loop.post_message(port, vec![1; LONG]).map_err(PostErrorKind::from)
}

fn in_use(browser: &Browser) -> u64 {
    browser.service.snapshot().bytes
}

/// A post is refused while another thread takes what the pool lacks: either it goes, or the context is told of room.
#[test]
fn a_post_that_the_pool_refuses_against_what_is_given_back() {
    model(Some(2), 280, || {
        let (browser, Connected { mut background, port, mut page, .. }) = with_one_message_drawn();
        let taking = thread::spawn(move || {
            let saw = drain(&mut page);
            (page, saw)
        });
        let posted = post(&mut background, port).is_ok();
        let (mut page, mut page_saw) = taking.join().unwrap();
        let (saw, more) = settle(&mut background, &mut page);
        page_saw.extend(more);
        if !posted {
            assert_eq!(saw, [Seen::Room]);
            post(&mut background, port).unwrap();
        }
        page_saw.extend(drain(&mut page));
        assert_eq!(page_saw, [Seen::Message(1); 2]);
        assert_eq!(drain(&mut page), []);
        assert_eq!(in_use(&browser), 0, "all is given back");
    });
}

/// What one lane gives back is wanted for another, which is empty: nobody but the pool can tell of it.
#[test]
fn a_post_through_an_empty_lane_against_what_another_gives_back() {
    model(Some(3), 11, || {
        let (browser, Connected { mut background, opener, mut page, .. }) = with_one_message_drawn();
        browser.tab_at(OTHER_PLACE);
        let (mut other, _) = browser.content_script_loop(OTHER_PLACE);
        let port = background.connect_tab(opener, &TabTarget::new(OTHER_PLACE.tab)).unwrap();
        take_connect(&mut other);
        assert_eq!(drain(&mut other), []);
        assert_eq!(drain(&mut background), []);
        let taking = thread::spawn(move || {
            assert_eq!(drain(&mut page), [Seen::Message(1)]);
            page
        });
        let posted = post(&mut background, port).is_ok();
        // Kept, because its end would be a reason to look.
        let _page = taking.join().unwrap();
        let saw = drain(&mut background);
        if posted {
            assert_eq!(saw, []);
        } else {
            assert_eq!(saw, [Seen::Room]);
            post(&mut background, port).unwrap();
        }
        assert_eq!(drain(&mut other), [Seen::Message(1)]);
    });
}

/// A loop that waits for the pool sleeps, and is woken by the thread that gives back or takes.
#[test]
fn a_sleeper_that_waits_for_the_pool_is_woken() {
    model(Some(2), 1_450, || {
        let (_browser, Connected { mut background, port, mut page, .. }) = with_one_message_drawn();
        let posting = thread::spawn(move || {
            if post(&mut background, port).is_err() {
                assert_eq!(support::seen(&background.wait()), Seen::Room);
                post(&mut background, port).unwrap();
            }
            background
        });
        for _ in 0..2 {
            assert_eq!(support::seen(&page.wait()), Seen::Message(1));
        }
        drop(posting.join().unwrap());
    });
}

/// Either end of a lane with something drawn goes first; nothing stays drawn, and what is drawn is given back once.
#[test]
fn an_end_that_goes_against_what_is_given_back() {
    model(Some(2), 90, || {
        let (browser, Connected { background, mut page, .. }) = with_one_message_drawn();
        let going = thread::spawn(move || drop(background));
        let _ = drain(&mut page);
        going.join().unwrap();
        drop(page);
        assert_eq!(in_use(&browser), 0);
    });
}
