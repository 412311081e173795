//! Facts from outside: tabs closed, frames navigated, extensions unloaded, threads that
//! hang, against connecting, attaching and each other.

extern crate port_core_model as port_core;

mod support;

use loom::thread;
use port_core_model::{DisconnectReason, DocumentId, FrameId, TabTarget};
use support::{
    Connected, INNER_PLACE, OTHER_PLACE, PLACE, Seen, TAB, assert_prefix, browser, connect_runtime,
    connected, counting_waker, describe_background, describe_content_script, drain, ends, model, settle,
    take_connect,
};

/// Lanes are created for a target that is killed meanwhile and whose thread
/// hangs. The opener hears, though no answer ever comes, and is woken for it once if it sleeps,
/// whoever it learns it from.
#[test]
fn connect_against_kill_of_a_target_that_hangs() {
    model(None, 580, || {
        let browser = browser();
        let (waker, wakes) = counting_waker();
        let mut background = browser.service.event_loop(waker);
        let opener = background.attach(describe_background(browser.extension)).unwrap();
        let (hanging, _) = browser.content_script_loop(PLACE);
        // Asleep, as far as its host knows.
        assert_eq!(drain(&mut background), []);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let _ = background.post_message(port, &[1]);
        killer.join().unwrap();
        assert_eq!(wakes.count(), 1);
        let saw = drain(&mut background);
        assert_eq!(saw, [Seen::Disconnect(DisconnectReason::NoReceiver)]);
        assert!(!background.is_open(port));
        drop(hanging);
    });
}

/// The same where the target's loop creates the lanes at that moment, for another
/// context of its own: they are found, and the target was killed before they led anywhere.
#[test]
fn connect_over_lanes_found_against_kill_of_a_target_that_hangs() {
    model(Some(3), 4_400, || {
        let browser = browser();
        browser.tab_at(OTHER_PLACE);
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let other = browser.content_script(&mut page, OTHER_PLACE);
        let connecting = thread::spawn(move || {
            connect_runtime(&mut page, other, "").unwrap();
            // And hangs.
            page
        });
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        killer.join().unwrap();
        let hanging = connecting.join().unwrap();
        let saw = drain(&mut background);
        assert_eq!(ends(&saw), 1, "{saw:?}");
        assert!(!background.is_open(port));
        drop(hanging);
    });
}

/// G9: a thread that hangs with a port open is declared gone.
#[test]
fn a_hung_loop_is_declared_gone_against_posts_to_it() {
    model(None, 145, || {
        let browser = browser();
        let Connected { mut background, port, page: mut hanging, .. } = connected(&browser);
        let (service, id) = (browser.service.clone(), hanging.id());
        let killer = thread::spawn(move || service.event_loop_gone(id).unwrap());
        background.post_message(port, &[1]).unwrap();
        let mut saw = drain(&mut background);
        killer.join().unwrap();
        saw.extend(drain(&mut background));
        assert_eq!(saw, [Seen::Disconnect(DisconnectReason::EventLoopGone)]);
        // Nothing of it is kept, and what it still does is refused.
        let known = browser.service.snapshot();
        assert_eq!(known.event_loops, [(background.id(), vec![])]);
        assert_eq!(ends(&drain(&mut hanging)), 0);
        assert_eq!(hanging.snapshot().ports, []);
    });
}

/// A process crashes with a port open.
#[test]
fn a_process_crashes_against_posts_to_its_loop() {
    model(None, 145, || {
        let browser = browser();
        let Connected { mut background, port, page: mut crashed, .. } = connected(&browser);
        let (service, id) = (browser.service.clone(), crashed.id());
        let killer = thread::spawn(move || service.event_loop_crashed(id).unwrap());
        background.post_message(port, &[1]).unwrap();
        let mut saw = drain(&mut background);
        killer.join().unwrap();
        saw.extend(drain(&mut background));
        assert_eq!(saw, [Seen::Disconnect(DisconnectReason::ProcessCrashed)]);
        assert_eq!(drain(&mut crashed), [Seen::Gone(DisconnectReason::ProcessCrashed)]);
    });
}

/// The opener disconnects, the receiver's tab closes and the extension is unloaded,
/// all at once.
#[test]
fn three_ends_at_once() {
    model(Some(3), 12_000, || {
        let browser = browser();
        let Connected { mut background, port, mut page, .. } = connected(&browser);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        let (service, extension) = (browser.service.clone(), browser.extension);
        let unloader = thread::spawn(move || service.extension_unloaded(extension).unwrap());
        background.disconnect(port);
        let mut page_saw = drain(&mut page);
        killer.join().unwrap();
        unloader.join().unwrap();
        let (opener_saw, later) = settle(&mut background, &mut page);
        page_saw.extend(later);
        assert_eq!(opener_saw, [Seen::Gone(DisconnectReason::ExtensionUnloaded)]);
        assert!(ends(&page_saw) <= 1, "{page_saw:?}");
        assert!(matches!(page_saw.last(), Some(Seen::Gone(_))), "{page_saw:?}");
        assert_eq!(page_saw.len() - ends(&page_saw), 1, "{page_saw:?}");
        assert_eq!((background.snapshot().ports, page.snapshot().ports), (vec![], vec![]));
    });
}

/// Both ends of a port die of one fact: nobody is left to hear a disconnect.
#[test]
fn unloading_an_extension_against_its_port_being_made() {
    model(Some(4), 1_100, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let (service, extension) = (browser.service.clone(), browser.extension);
        let unloader = thread::spawn(move || service.extension_unloaded(extension).unwrap());
        if let Ok(port) = background.connect_tab(opener, &TabTarget::new(TAB)) {
            let _ = background.post_message(port, &[1]);
        }
        unloader.join().unwrap();
        let (opener_saw, page_saw) = settle(&mut background, &mut page);
        let gone = [Seen::Gone(DisconnectReason::ExtensionUnloaded)];
        assert_eq!((opener_saw.as_slice(), page_saw.as_slice()), (gone.as_slice(), gone.as_slice()));
        assert_eq!((background.snapshot().ports, page.snapshot().ports), (vec![], vec![]));
    });
}

/// A frame goes to another document while a content script attaches to the old one.
#[test]
fn attach_against_navigation() {
    model(None, 560, || {
        let browser = browser();
        let mut page = browser.event_loop();
        let description = describe_content_script(browser.extension, PLACE);
        let service = browser.service.clone();
        let navigating =
            thread::spawn(move || service.frame_navigated(TAB, PLACE.frame, DocumentId::new(9)).unwrap());
        let attached = page.attach(description);
        navigating.join().unwrap();
        let saw = drain(&mut page);
        match attached {
            Ok(_) => assert_eq!(saw, [Seen::Gone(DisconnectReason::Navigated)]),
            Err(_) => assert_eq!(saw, []),
        }
        let left = browser.service.snapshot();
        assert!(left.tabs[0].frames[0].contexts.is_empty());
        assert_eq!(left.extensions[0].content_scripts, 0);
    });
}

/// Two facts take the same context out of the index at once.
#[test]
fn closing_the_tab_against_unloading_the_extension() {
    model(Some(8), 94_000, || {
        let browser = browser();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        browser.service.extension_unloaded(browser.extension).unwrap();
        killer.join().unwrap();
        let saw = drain(&mut page);
        assert!(matches!(saw[..], [Seen::Gone(_)]), "{saw:?}");
        let left = browser.service.snapshot();
        assert!(left.tabs.is_empty() && left.extensions.is_empty());
        assert_eq!(page.snapshot().contexts, []);
    });
}

/// A fact against the owner's own detach of the same context.
#[test]
fn detach_against_closing_the_tab() {
    model(None, 4_200, || {
        let browser = browser();
        let Connected { mut background, mut page, receiver, .. } = connected(&browser);
        assert_eq!(drain(&mut background), []);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        page.detach(receiver).unwrap();
        killer.join().unwrap();
        let (opener_saw, page_saw) = settle(&mut background, &mut page);
        assert_eq!((opener_saw.len(), ends(&opener_saw)), (1, 1), "{opener_saw:?}");
        assert_eq!(page_saw, []);
    });
}

/// Three loops meet pairwise at the same moment: registries are locked in one order.
#[test]
fn three_loops_meet_at_once() {
    model(Some(3), 1_600, || {
        let browser = browser();
        browser.tab_at(OTHER_PLACE);
        let (mut background, background_context) = browser.background_loop();
        let (mut page, page_context) = browser.content_script_loop(PLACE);
        let mut other = browser.event_loop();
        let other_context = browser.content_script(&mut other, OTHER_PLACE);
        let page_thread = thread::spawn(move || {
            connect_runtime(&mut page, page_context, "").unwrap();
            page
        });
        let other_thread = thread::spawn(move || {
            connect_runtime(&mut other, other_context, "").unwrap();
            other
        });
        background.connect_tab(background_context, &TabTarget::new(TAB)).unwrap();
        background.connect_tab(background_context, &TabTarget::new(OTHER_PLACE.tab)).unwrap();
        let mut page = page_thread.join().unwrap();
        let mut other = other_thread.join().unwrap();
        assert_eq!(drain(&mut background), [Seen::Connect, Seen::Connect]);
        assert_eq!(drain(&mut page), [Seen::Connect]);
        assert_eq!(drain(&mut other), [Seen::Connect]);
        assert_eq!(drain(&mut background), []);
        assert_eq!(background.snapshot().lanes.len(), 2);
    });
}

/// One of two targets on one loop is killed while both are asked. Whether it accepted before,
/// after, or not at all, the other stays connected.
#[test]
fn one_of_two_targets_is_killed_while_they_accept() {
    model(Some(3), 9_600, || {
        let browser = browser();
        browser.frame_at(INNER_PLACE, FrameId::TOP);
        let (mut background, opener) = browser.background_loop();
        let (mut page, context) = browser.content_script_loop(PLACE);
        browser.content_script(&mut page, INNER_PLACE);
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let taking = thread::spawn(move || {
            let saw = drain(&mut page);
            (page, saw)
        });
        browser.service.frame_removed(TAB, INNER_PLACE.frame).unwrap();
        let mut opener_saw = drain(&mut background);
        let (mut page, mut page_saw) = taking.join().unwrap();
        let (by_opener, by_page) = settle(&mut background, &mut page);
        opener_saw.extend(by_opener);
        page_saw.extend(by_page);
        let connects = page_saw.iter().filter(|seen| **seen == Seen::Connect).count();
        assert!((1..=2).contains(&connects), "{page_saw:?}");
        assert_eq!(ends(&page_saw), 0, "{page_saw:?}");
        assert_eq!(opener_saw, []);
        assert!(background.is_open(port));
        background.post_message(port, &[1]).unwrap();
        assert_eq!(drain(&mut page), [Seen::Message(1)]);
        page.detach(context).unwrap();
        assert_eq!(ends(&drain(&mut background)), 1);
    });
}

/// What fills several segments of a lane before a kill is heard before the end, all of it.
#[test]
fn everything_posted_before_a_kill_is_heard_however_much_it_is() {
    model(Some(3), 1_500, || {
        let browser = browser();
        let (mut background, _) = browser.background_loop();
        let (mut page, opener) = browser.content_script_loop(PLACE);
        let port = connect_runtime(&mut page, opener, "").unwrap();
        let mut saw = drain(&mut background);
        for mark in 1..8 {
            page.post_message(port, &[mark]).unwrap();
        }
        let service = browser.service.clone();
        let posting = thread::spawn(move || {
            page.post_message(port, &[8]).unwrap();
            service.tab_closed(TAB).unwrap();
            page
        });
        saw.extend(drain(&mut background));
        let page = posting.join().unwrap();
        saw.extend(drain(&mut background));
        assert_prefix(&saw, 8);
        assert_eq!((saw.len(), saw.last()), (10, Some(&Seen::Disconnect(DisconnectReason::TabClosed))));
        drop(page);
    });
}

/// A connect that finds the lanes which the target's loop has just made takes those out of
/// the control queue and nothing else: a fact that lies there is heard in its turn.
#[test]
fn a_connect_over_lanes_found_leaves_other_notices() {
    model(Some(3), 80, || {
        let browser = browser();
        browser.tab_at(OTHER_PLACE);
        let (mut background, opener) = browser.background_loop();
        browser.content_script(&mut background, OTHER_PLACE);
        let (mut page, other) = browser.content_script_loop(PLACE);
        let connecting = thread::spawn(move || {
            connect_runtime(&mut page, other, "").unwrap();
            page
        });
        browser.service.tab_closed(OTHER_PLACE.tab).unwrap();
        background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let mut page = connecting.join().unwrap();
        let (mut saw, page_saw) = settle(&mut background, &mut page);
        saw.sort_by_key(|seen| matches!(seen, Seen::Gone(_)));
        assert_eq!(saw, [Seen::Connect, Seen::Gone(DisconnectReason::TabClosed)]);
        assert_eq!(page_saw, [Seen::Connect]);
    });
}

/// Looking around takes one lock at a time, so it neither stops a fact nor is stopped.
#[test]
fn a_snapshot_against_facts_and_a_connect() {
    model(Some(3), 6_400, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        let service = browser.service.clone();
        let looking = thread::spawn(move || {
            let saw = service.snapshot();
            assert!(saw.tabs.len() <= 1 && saw.event_loops.len() == 2, "{saw:?}");
            let lanes: Vec<_> = saw.event_loops.iter().map(|(_, peers)| peers.len()).collect();
            assert!(lanes.iter().all(|lanes| *lanes <= 1), "{saw:?}");
        });
        background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        killer.join().unwrap();
        looking.join().unwrap();
        let (opener_saw, page_saw) = settle(&mut background, &mut page);
        assert_eq!(ends(&opener_saw), 1, "{opener_saw:?}");
        assert_eq!(page_saw.last(), Some(&Seen::Gone(DisconnectReason::TabClosed)));
        assert!(browser.service.snapshot().tabs.is_empty());
    });
}

/// A context that has its last word and detaches, while the peer hears that others of that loop are gone and asks
/// which: the port ends as the context said.
#[test]
fn detaching_against_finding_out_who_is_gone() {
    model(Some(2), 80, || {
        let browser = browser();
        let Connected { mut background, port, mut page, receiver, received, .. } = connected(&browser);
        browser.tab_at(OTHER_PLACE);
        browser.frame_at(INNER_PLACE, FrameId::TOP);
        for place in [OTHER_PLACE, INNER_PLACE] {
            browser.content_script(&mut page, place);
        }
        assert_eq!(drain(&mut background), []);
        browser.service.tab_closed(OTHER_PLACE.tab).unwrap();
        browser.service.frame_removed(TAB, INNER_PLACE.frame).unwrap();
        let detaching = thread::spawn(move || {
            page.post_message(received, &[1]).unwrap();
            page.detach(receiver).unwrap();
            page
        });
        let mut saw = drain(&mut background);
        let page = detaching.join().unwrap();
        saw.extend(drain(&mut background));
        assert_eq!(saw, [Seen::Message(1), Seen::Disconnect(DisconnectReason::ContextDetached)]);
        assert!(!background.is_open(port));
        drop(page);
    });
}

/// The contexts of a loop are killed one after the other while their peer takes notices, which name few of them:
/// each port ends once, after what was sent before, and that of the context that stays does not.
#[test]
fn contexts_that_no_notice_names() {
    model(Some(3), 60, || {
        let browser = browser();
        let Connected { mut background, opener, port, mut page, received, .. } = connected(&browser);
        browser.tab_at(OTHER_PLACE);
        browser.frame_at(INNER_PLACE, FrameId::TOP);
        for place in [OTHER_PLACE, INNER_PLACE] {
            browser.content_script(&mut page, place);
        }
        let other = background.connect_tab(opener, &TabTarget::new(OTHER_PLACE.tab)).unwrap();
        let inner = TabTarget::new(TAB).frame(INNER_PLACE.frame);
        let inner = background.connect_tab(opener, &inner).unwrap();
        let [_, _] = [(); 2].map(|()| take_connect(&mut page));
        page.post_message(received, &[1]).unwrap();
        let service = browser.service.clone();
        let killing = thread::spawn(move || {
            service.frame_removed(TAB, INNER_PLACE.frame).unwrap();
            service.tab_closed(OTHER_PLACE.tab).unwrap();
        });
        let mut saw = drain(&mut background);
        killing.join().unwrap();
        saw.extend(drain(&mut background));
        assert_eq!(saw[0], Seen::Message(1));
        assert_eq!(saw.len(), 3, "{saw:?}");
        assert_eq!(ends(&saw), 2, "{saw:?}");
        assert!(background.is_open(port) && !background.is_open(other) && !background.is_open(inner));
    });
}
