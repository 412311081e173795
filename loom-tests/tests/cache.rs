//! The back/forward cache: pages that go and come back while somebody posts to them.

extern crate port_core_model as port_core;

mod support;

use loom::thread;
use port_core_model::{BackForwardCache, DisconnectReason, Limits, TabTarget};
use support::{
    Browser, Connected, PLACE, Seen, TAB, browser_with, connected, drain, ends, model, policies, settle,
};

fn browser_with_cache(back_forward_cache: BackForwardCache) -> Browser {
    browser_with(Limits::default(), policies(|policies| policies.back_forward_cache = back_forward_cache))
}

const QUEUES: BackForwardCache = BackForwardCache::queues_messages(10, 1_000);

/// What is posted while a page goes into the cache and comes back arrives, in order.
#[test]
fn posts_against_going_into_the_cache_and_coming_back() {
    model(Some(3), 16_000, || {
        let browser = browser_with_cache(QUEUES);
        let Connected { mut background, port, mut page, .. } = connected(&browser);
        let service = browser.service.clone();
        let caching = thread::spawn(move || {
            service.document_cached(PLACE.document).unwrap();
            service.document_restored(PLACE.document).unwrap();
        });
        let posting = thread::spawn(move || {
            background.post_message(port, &[1]).unwrap();
            background.post_message(port, &[2]).unwrap();
            background
        });
        let mut saw = drain(&mut page);
        caching.join().unwrap();
        let background = posting.join().unwrap();
        saw.extend(drain(&mut page));
        assert_eq!(saw, [Seen::Message(1), Seen::Message(2)]);
        drop(background);
    });
}

/// Where the cache ends ports, the opener hears once and the page nothing.
#[test]
fn a_port_ends_with_its_page_going_into_the_cache() {
    model(None, 76, || {
        let browser = browser_with_cache(BackForwardCache::Ends);
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let service = browser.service.clone();
        let caching = thread::spawn(move || service.document_cached(PLACE.document).unwrap());
        let mut page_saw = drain(&mut page);
        caching.join().unwrap();
        background.post_message(port, &[1]).unwrap();
        let (opener_saw, later) = settle(&mut background, &mut page);
        page_saw.extend(later);
        assert_eq!(ends(&opener_saw), 1, "{opener_saw:?}");
        assert_eq!(ends(&page_saw), 0, "{page_saw:?}");
        assert!(matches!(page_saw[..], [] | [Seen::Connect]), "{page_saw:?}");
    });
}

/// A page is thrown out of the cache while messages for it arrive.
#[test]
fn posts_against_being_thrown_out_of_the_cache() {
    model(None, 150, || {
        let browser = browser_with_cache(QUEUES);
        let Connected { mut background, port, mut page, .. } = connected(&browser);
        assert_eq!(drain(&mut page), []);
        assert_eq!(drain(&mut background), []);
        browser.service.document_cached(PLACE.document).unwrap();
        let service = browser.service.clone();
        let evicting = thread::spawn(move || service.document_evicted(PLACE.document).unwrap());
        background.post_message(port, support::watched_payload(1)).unwrap();
        let mut page_saw = drain(&mut page);
        evicting.join().unwrap();
        let (opener_saw, later) = settle(&mut background, &mut page);
        page_saw.extend(later);
        assert_eq!(opener_saw, [Seen::Disconnect(DisconnectReason::Navigated)]);
        assert_eq!(page_saw, [Seen::Gone(DisconnectReason::Navigated)]);
    });
}

/// A connection that is under way while its target's page goes into the cache is
/// taken before or refused; it is never left open on one side.
#[test]
fn connect_against_going_into_the_cache() {
    model(None, 1_000, || {
        let browser = browser_with_cache(QUEUES);
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let service = browser.service.clone();
        let caching = thread::spawn(move || service.document_cached(PLACE.document).unwrap());
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let mut page_saw = drain(&mut page);
        caching.join().unwrap();
        let (opener_saw, later) = settle(&mut background, &mut page);
        page_saw.extend(later);
        if background.is_open(port) {
            assert_eq!((opener_saw, page_saw), (vec![], vec![Seen::Connect]));
            assert_eq!(page.snapshot().ports.len(), 1);
        } else {
            assert_eq!(opener_saw, [Seen::Disconnect(DisconnectReason::NoReceiver)]);
            assert_eq!(page.snapshot().ports, []);
        }
    });
}

/// Two threads report at once that a page went into the cache and that it is shown again: the index and its event
/// loop agree on what came last, so a page that is shown hears what is posted.
#[test]
fn going_into_the_cache_against_coming_back() {
    model(None, 80, || {
        let browser = browser_with_cache(QUEUES);
        let Connected { mut background, port, mut page, .. } = connected(&browser);
        let service = browser.service.clone();
        let caching = thread::spawn(move || service.document_cached(PLACE.document).unwrap());
        // Refused where it comes first.
        let restored = browser.service.document_restored(PLACE.document).is_ok();
        caching.join().unwrap();
        assert_eq!(drain(&mut page), []);
        background.post_message(port, &[1]).unwrap();
        let saw = drain(&mut page);
        let shown = browser.service.snapshot().tabs[0].cached.is_empty();
        assert_eq!(shown, restored);
        assert_eq!(page.snapshot().contexts[0].suspended, !shown);
        assert_eq!(saw, if shown { vec![Seen::Message(1)] } else { vec![] });
    });
}
