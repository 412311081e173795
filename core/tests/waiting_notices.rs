//! What waits to be told to a loop that hangs: bounded, whatever the browser reports meanwhile, and still true when
//! the loop goes on.

mod common;
#[path = "common/heap.rs"]
mod heap;

use common::*;
use heap::{KIB, held, most_held};
use port_core::DisconnectReason::{BackForwardCache as Cached, ContextDetached, Navigated, TabClosed};
use port_core::{BackForwardCache, DisconnectReason, Event, RuntimeTarget, TabTarget};

#[test]
fn navigations_beside_a_hung_loop_hold_a_bounded_heap() {
    let browser = Browser::new();
    let Apart { here: mut hung, mut there, place, opener, .. } = browser.apart();
    let lasting = browser.tab();
    browser.content_script(&mut there, lasting);
    let (port, _) = browser.open_port(&mut hung, opener, &mut there, place.tab);
    let (other, _) = browser.open_port(&mut hung, opener, &mut there, lasting.tab);
    let mut place = place;
    let most = most_held(100_000, |number| {
        place = browser.navigate(place);
        browser.content_script(&mut there, place);
        if number % 16 == 0 {
            drain(&mut there);
        }
    });
    assert!(most < 96 * KIB, "{most} bytes");
    assert_eq!(hear(&mut hung), [disconnect(Navigated)]);
    assert!(!hung.is_open(port));
    drain(&mut there);
    hung.post_message(other, "to one that lives").unwrap();
    assert_eq!(hear(&mut there), [message("to one that lives")]);
}

#[test]
fn changing_reasons_are_bounded_too() {
    let browser = Browser::new();
    let Apart { here: mut hung, mut there, place, opener, .. } = browser.apart();
    browser.open_port(&mut hung, opener, &mut there, place.tab);
    let most = most_held(5_000, |number| {
        let place = browser.tab();
        browser.content_script(&mut there, place);
        match number % 3 {
            0 => browser.service.frame_removed(place.tab, place.frame).unwrap(),
            1 => drop(browser.navigate(place)),
            _ => {}
        }
        browser.service.tab_closed(place.tab).unwrap();
        drain(&mut there);
    });
    assert!(most < 256 * KIB, "{most} bytes");
    assert_eq!(hear(&mut hung), []);
}

#[test]
fn a_loop_that_goes_on_finds_out_which_contexts_are_gone() {
    // Ports both ways between a loop that hangs and each page; most of the pages end, some of themselves.
    let browser = Browser::new();
    let (mut hung, mut there) = (browser.event_loop(), browser.event_loop());
    let background = browser.background(&mut hung);
    let pages: Vec<_> = (0..2_000_u32)
        .map(|number| {
            let place = browser.tab();
            let page = browser.content_script(&mut there, place);
            let (opened, received) = browser.open_port(&mut hung, background, &mut there, place.tab);
            let from_page = there.connect_runtime(page, &RuntimeTarget::own()).unwrap();
            let [accepted] = connected(&mut hung)[..] else { panic!() };
            (number, place, page, [opened, accepted], [received, from_page])
        })
        .collect();
    drain(&mut there);
    for (.., theirs) in &pages {
        theirs.iter().for_each(|&port| there.post_message(port, "last words").unwrap());
    }
    for &(number, place, page, ..) in &pages {
        match number % 10 {
            0 => {}
            1 => there.detach(page).unwrap(),
            2..6 => drop(browser.navigate(place)),
            _ => browser.service.tab_closed(place.tab).unwrap(),
        }
    }
    let events = drain(&mut hung);
    for (number, .., ours, _) in pages {
        let [opened, accepted] = ours.map(|port| heard_on(&events, port));
        let end = match number % 10 {
            0 => None,
            1 => Some(ContextDetached),
            2..6 => Some(Navigated),
            _ => Some(TabClosed),
        };
        let expected: Vec<_> = [message("last words")].into_iter().chain(end.map(disconnect)).collect();
        assert_eq!((&opened, &accepted), (&expected, &expected), "page {number}");
        ours.iter().for_each(|&port| assert_eq!(hung.is_open(port), end.is_none()));
    }
    assert_eq!(hung.snapshot().ports.len(), 400);
}

#[test]
fn going_into_the_cache_and_back_holds_a_bounded_heap() {
    for policy in [BackForwardCache::Ends, BackForwardCache::queues_messages(10, 1_000)] {
        for ends_cached in [false, true] {
            let browser = Browser::with_policies(policies(|policies| policies.back_forward_cache = policy));
            let Apart { mut here, there: mut hung, place, opener, .. } = browser.apart();
            let (port, _) = browser.open_port(&mut here, opener, &mut hung, place.tab);
            let most = most_held(10_000, |_| {
                browser.service.document_cached(place.document).unwrap();
                browser.service.document_restored(place.document).unwrap();
            });
            assert!(most < 64 * KIB, "{most} bytes");
            if ends_cached {
                browser.service.document_cached(place.document).unwrap();
            }
            assert_eq!(hear(&mut hung), []);
            assert_eq!(hung.snapshot().contexts[0].suspended, ends_cached);
            if policy == BackForwardCache::Ends {
                assert_eq!(hear(&mut here), [disconnect(Cached)]);
                continue;
            }
            here.post_message(port, "x").unwrap();
            let heard = hear(&mut hung);
            assert_eq!(heard.is_empty(), ends_cached);
            if ends_cached {
                browser.service.document_restored(place.document).unwrap();
                assert_eq!(hear(&mut hung), [message("x")]);
            }
        }
    }
}

#[test]
fn what_waits_for_a_loop_is_freed_when_it_is_declared_gone() {
    let ledger = Ledger::default();
    let browser = Browser::new();
    let (mut here, mut hung) = (browser.event_loop(), browser.event_loop());
    let place = browser.tab();
    let opener = browser.background(&mut here);
    browser.content_script(&mut hung, place);
    let before = held();
    let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    for _ in 0..1_000 {
        here.post_message(port, ledger.payload(1_000)).unwrap();
    }
    assert!(held() - before > 1_000 * KIB);
    // It never met its peer, so the lanes wait in its control queue.
    browser.service.event_loop_gone(hung.id()).unwrap();
    ledger.assert_balanced();
    assert_eq!(drain(&mut here).len(), 1);
    assert!(held() - before < 16 * KIB, "{} bytes", held() - before);
    // Facts and posts add nothing from now on.
    let most = most_held(1_000, |_| {
        let place = browser.tab();
        browser.content_script(&mut here, place);
        browser.service.tab_closed(place.tab).unwrap();
        drain(&mut here);
    });
    assert!(most < 16 * KIB, "{most} bytes");
    assert!(matches!(drain(&mut hung)[..], [Event::ContextGone { .. }]));
}

#[test]
fn a_context_that_ended_before_its_loop_was_declared_gone_keeps_its_reason() {
    let browser = Browser::new();
    let mut hung = browser.event_loop();
    let (navigated, stays) = (browser.tab(), browser.tab());
    let contexts = [navigated, stays].map(|place| browser.content_script(&mut hung, place));
    browser.navigate(navigated);
    browser.service.event_loop_gone(hung.id()).unwrap();
    let ends = [(contexts[0], Navigated), (contexts[1], DisconnectReason::EventLoopGone)];
    assert_eq!(gone(&drain(&mut hung)), ends);
}

#[test]
fn loops_that_come_and_go_beside_a_hung_loop_hold_a_bounded_heap() {
    for declared in [false, true] {
        let browser = Browser::new();
        let (mut hung, background) = browser.background_loop();
        let lasting = browser.tab();
        let (mut there, _) = browser.content_script_loop(lasting);
        let (port, _) = browser.open_port(&mut hung, background, &mut there, lasting.tab);
        let most = most_held(3_000, |_| {
            let place = browser.tab();
            let (mut comes, page) = browser.content_script_loop(place);
            let port = connect_runtime(&mut comes, page, "").unwrap();
            (0..10).for_each(|_| comes.post_message(port, "last words").unwrap());
            if declared {
                browser.service.event_loop_gone(comes.id()).unwrap();
            }
            drop(comes);
            browser.service.tab_closed(place.tab).unwrap();
        });
        assert!(most < 1_024 * KIB, "{most} bytes");
        // Of the first it still hears, unless they were killed, and those that live it serves as ever.
        let heard = hear(&mut hung);
        let words = heard.iter().filter(|heard| **heard == message("last words")).count();
        assert_eq!(words, if declared { 0 } else { 640 });
        assert_eq!(hung.snapshot().ports.len(), 1);
        hung.post_message(port, "on").unwrap();
        assert_eq!(hear(&mut there), [message("on")]);
    }
}

#[test]
fn loops_of_several_extensions_that_come_and_go_beside_a_hung_loop_hold_a_bounded_heap() {
    const EXTENSIONS: usize = 4;
    for declared in [false, true] {
        let browser = Browser::new();
        let mut hung = browser.event_loop();
        let extensions: [_; EXTENSIONS] = std::array::from_fn(|at| browser.load(&format!("{at}@example")));
        let backgrounds = extensions.map(|extension| background_of(extension, &mut hung));
        let lasting = browser.tab();
        let mut there = browser.event_loop();
        let ports = std::array::from_fn::<_, EXTENSIONS, _>(|at| {
            content_script_of(extensions[at], &mut there, lasting);
            let port = hung.connect_tab(backgrounds[at], &TabTarget::new(lasting.tab)).unwrap();
            take_connect(&mut there);
            port
        });
        assert_eq!([&mut hung, &mut there].map(hear), [[], []]);
        let most = most_held(3_000, |_| {
            let (mut comes, place) = (browser.event_loop(), browser.tab());
            for extension in extensions {
                let page = content_script_of(extension, &mut comes, place);
                let port = connect_runtime(&mut comes, page, "").unwrap();
                (0..3).for_each(|_| comes.post_message(port, "last words").unwrap());
            }
            if declared {
                browser.service.event_loop_gone(comes.id()).unwrap();
            }
            drop(comes);
            browser.service.tab_closed(place.tab).unwrap();
        });
        assert!(most < 3_072 * KIB, "{most} bytes");
        // Of the first it still hears, of each extension, unless they were killed.
        let heard = hear(&mut hung);
        let words = heard.iter().filter(|heard| **heard == message("last words")).count();
        assert_eq!(words, if declared { 0 } else { 64 * EXTENSIONS * 3 });
        assert_eq!(hung.snapshot().ports.len(), EXTENSIONS);
        for port in ports {
            hung.post_message(port, "on").unwrap();
            assert_eq!(hear(&mut there), [message("on")]);
        }
    }
}

#[test]
fn a_loop_that_goes_is_no_stranger_to_one_that_made_lanes_to_it_for_another_extension() {
    for declared in [false, true] {
        let browser = Browser::new();
        let other = browser.load("other@example");
        let (mut hung, mut goes, place) = (browser.event_loop(), browser.event_loop(), browser.tab());
        browser.background(&mut hung);
        let opener = background_of(other, &mut hung);
        // So many loops have come and gone that the next strangers are forgotten.
        for _ in 0..100 {
            let place = browser.tab();
            let (mut comes, page) = browser.content_script_loop(place);
            connect_runtime(&mut comes, page, "").unwrap();
            drop(comes);
            browser.service.tab_closed(place.tab).unwrap();
        }
        // The first lanes between the two wait, when the hung one makes others of its own.
        let page = browser.content_script(&mut goes, place);
        connect_runtime(&mut goes, page, "").unwrap();
        content_script_of(other, &mut goes, place);
        let port = hung.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        take_connect(&mut goes);
        if declared {
            browser.service.event_loop_gone(goes.id()).unwrap();
        }
        drop(goes);
        let events = drain(&mut hung);
        assert_eq!(heard_on(&events, port), [disconnect(DisconnectReason::EventLoopGone)]);
        assert!(!hung.is_open(port));
        assert_eq!(hung.snapshot().ports, []);
        assert_eq!(hung.snapshot().lanes, []);
    }
}
