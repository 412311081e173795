//! The pool that all lanes of a service draw on: what one thread gives back against another that wants it.

extern crate port_core_model as port_core;

mod support;

use loom::thread;
use port_core_model::{EventLoop, ExtensionInstance, Place, Policies, PortId, PostErrorKind, TabTarget};
use std::task::Waker;
use support::{
    Browser, Connected, OTHER_PLACE, PLACE, Seen, TAB, background_of, browser_with, connected,
    content_script_of, drain, limits, model, settle, take_connect,
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

/// A browser whose pool has so many bytes for all, and so many for each extension.
fn browser_with_pool(service: u64, extension: u64) -> Browser {
    let limits = limits(|limits| {
        limits.service_bytes = service;
        limits.extension_bytes = extension;
    });
    browser_with(limits, Policies::default())
}

/// A background and a content script of an extension of its own, in a place, with a port that is open.
fn pair_of(browser: &Browser, extension: ExtensionInstance, place: Place) -> (EventLoop, PortId, EventLoop) {
    let (mut background, mut page) = (browser.event_loop(), browser.event_loop());
    let opener = background_of(extension, &mut background);
    content_script_of(extension, &mut page, place);
    let port = background.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    take_connect(&mut page);
    assert_eq!(drain(&mut page), []);
    assert_eq!(drain(&mut background), []);
    (background, port, page)
}

/// Two threads draw at once on what is enough for one.
#[test]
fn two_posts_at_once_do_not_draw_more_than_there_is() {
    model(None, 4, || {
        let browser = browser_with_pool(CHUNK, 0);
        let Connected { mut background, port, mut page, received, .. } = connected(&browser);
        assert_eq!(drain(&mut page), []);
        assert_eq!(drain(&mut background), []);
        let posting = thread::spawn(move || {
            let posted = post(&mut page, received).is_ok();
            (page, posted)
        });
        let posted = post(&mut background, port).is_ok();
        let (_page, answered) = posting.join().unwrap();
        assert!(posted != answered, "one of them draws");
        assert_eq!(in_use(&browser), CHUNK);
    });
}

/// Two extensions draw on their shares at once, and one gives back meanwhile. Neither is refused for the other's sake.
#[test]
fn an_extension_has_its_share_of_an_empty_pool_against_another() {
    model(Some(3), 8, || {
        let browser = browser_with_pool(0, CHUNK);
        browser.tab_at(OTHER_PLACE);
        let other = browser.load("other@example");
        let (mut background, port, mut page) = pair_of(&browser, browser.extension, PLACE);
        let (mut others, others_port, mut others_page) = pair_of(&browser, other, OTHER_PLACE);
        let posting = thread::spawn(move || {
            post(&mut others, others_port).unwrap();
            assert_eq!(drain(&mut others_page), [Seen::Message(1)]);
            (others, others_page)
        });
        post(&mut background, port).unwrap();
        assert!(in_use(&browser) >= CHUNK);
        let _others = posting.join().unwrap();
        assert_eq!(in_use(&browser), CHUNK);
        assert_eq!(drain(&mut page), [Seen::Message(1)]);
        assert_eq!(in_use(&browser), 0);
    });
}

/// A loop is declared gone that has not taken the lane to it, while its peer posts into that, and another post waits
/// for what lies there.
#[test]
fn a_loop_is_declared_gone_against_a_post_that_draws_for_it() {
    model(Some(2), 10, || {
        let browser = browser_with_pool(CHUNK, 0);
        browser.tab_at(OTHER_PLACE);
        let (mut background, opener) = browser.background_loop();
        let (hung, _) = browser.content_script_loop(PLACE);
        let (mut page, _) = browser.content_script_loop(OTHER_PLACE);
        let port = background.connect_tab(opener, &TabTarget::new(OTHER_PLACE.tab)).unwrap();
        take_connect(&mut page);
        assert_eq!(drain(&mut background), []);
        let to_hung = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let (service, id) = (browser.service.clone(), hung.id());
        let gone = thread::spawn(move || service.event_loop_gone(id).unwrap());
        let drawn = post(&mut background, to_hung).is_ok();
        let posted = post(&mut background, port).is_ok();
        gone.join().unwrap();
        let saw = drain(&mut background);
        assert!(drawn || posted, "nobody else draws");
        if !posted {
            assert!(saw.contains(&Seen::Room), "{saw:?}");
            post(&mut background, port).unwrap();
        }
        assert_eq!(drain(&mut page), [Seen::Message(1)]);
        assert_eq!(in_use(&browser), 0, "what the loop never takes is given back, though its thread lives");
        drop(hung);
    });
}

/// A loop at its limit is refused a post while another thread takes what lies in its lane. The service has more, so nobody
/// else would tell it of room.
#[test]
fn a_post_that_a_loops_limit_refuses_against_what_is_given_back() {
    model(Some(2), 100, || {
        let browser = browser_with_pool(4 * CHUNK, 0);
        let (mut background, opener) = browser.background_loop();
        let mut page = browser.service.limited_event_loop(Waker::noop().clone(), CHUNK);
        content_script_of(browser.extension, &mut page, PLACE);
        background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let port = take_connect(&mut page);
        assert_eq!(drain(&mut page), []);
        assert_eq!(drain(&mut background), []);
        post(&mut page, port).unwrap();
        let taking = thread::spawn(move || {
            let saw = drain(&mut background);
            (background, saw)
        });
        let posted = post(&mut page, port).is_ok();
        let (mut background, mut background_saw) = taking.join().unwrap();
        let (saw, more) = settle(&mut page, &mut background);
        background_saw.extend(more);
        if !posted {
            assert_eq!(saw, [Seen::Room]);
            post(&mut page, port).unwrap();
        }
        background_saw.extend(drain(&mut background));
        assert_eq!(background_saw, [Seen::Message(1); 2]);
        assert_eq!(in_use(&browser), 0, "all is given back");
    });
}
