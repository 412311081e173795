//! Facts from outside: tabs closed, frames navigated, extensions unloaded, threads that
//! hang, against connecting, attaching and each other.

mod support;

use loom::thread;
use port_core_model::{
    ContextDescription, DisconnectReason, DocumentId, ExtensionId, ExternalConnections, Listening, Place,
    RuntimeTarget, TabTarget,
};
use support::{
    Browser, OTHER_PLACE, PLACE, Seen, TAB, assert_prefix, drain, ends, model, settle, take_connect,
};

/// I4, G9: lanes are created for a target that is killed meanwhile and whose thread
/// hangs. The opener hears, though no answer ever comes.
#[test]
fn connect_against_kill_of_a_target_that_hangs() {
    model(None, 580, || {
        let browser = Browser::new();
        let (mut background, opener) = browser.background();
        let (hanging, _) = browser.content_script();
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let _ = background.post_message(port, &[1]);
        killer.join().unwrap();
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
    model(Some(3), 3_400, || {
        let browser = Browser::new();
        browser.tab(OTHER_PLACE);
        let (mut background, opener) = browser.background();
        let (mut page, _) = browser.content_script();
        let other = browser.content_script_in(&mut page, OTHER_PLACE);
        let connecting = thread::spawn(move || {
            page.connect_runtime(other, "").unwrap();
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
    model(None, 220, || {
        let browser = Browser::new();
        let (mut background, opener) = browser.background();
        let (mut hanging, _) = browser.content_script();
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        take_connect(&mut hanging);
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

/// I5: the opener disconnects, the receiver's tab closes and the extension is unloaded,
/// all at once.
#[test]
fn three_ends_at_once() {
    model(Some(3), 7_100, || {
        let browser = Browser::new();
        let (mut background, opener) = browser.background();
        let (mut page, _) = browser.content_script();
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        take_connect(&mut page);
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
        let browser = Browser::new();
        let (mut background, opener) = browser.background();
        let (mut page, _) = browser.content_script();
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

/// G7: an extension is reloaded while a content script of the old instance connects:
/// it never reaches the new background.
#[test]
fn a_reload_against_a_connect_by_the_old_instance() {
    model(None, 4_800, || {
        let browser = Browser::new();
        let (old_background, _) = browser.background();
        let (mut page, opener) = browser.content_script();
        let (service, old) = (browser.service.clone(), browser.extension);
        let reloading = thread::spawn(move || {
            service.extension_unloaded(old).unwrap();
            let new = service.extension_loaded(ExtensionId::new("extension")).unwrap();
            let mut event_loop = service.event_loop(std::task::Waker::noop().clone());
            let context = event_loop.attach(ContextDescription::background(new, "", "")).unwrap();
            event_loop.set_listening(context, true).unwrap();
            event_loop
        });
        let connected = page.connect_runtime(opener, "");
        let mut new_background = reloading.join().unwrap();
        drop(old_background);
        let (new_saw, page_saw) = settle(&mut new_background, &mut page);
        assert_eq!(new_saw, []);
        // Its own death is what it hears, and all.
        assert_eq!(page_saw, [Seen::Gone(DisconnectReason::ExtensionUnloaded)], "{connected:?}");
    });
}

/// I1: a tab is closed and its id used again while a connection to it is made. The
/// opener reaches the old page, the new one or nobody, and hears of the old one's end.
#[test]
fn a_tab_id_is_used_again_against_connecting_to_it() {
    model(None, 580, || {
        let browser = Browser::new();
        let (mut background, opener) = browser.background();
        let (mut old, _) = browser.content_script();
        let service = browser.service.clone();
        let extension = browser.extension;
        let reopening = thread::spawn(move || {
            service.tab_closed(TAB).unwrap();
            let browser = Browser { service, extension };
            let place = Place { document: DocumentId::new(9), ..PLACE };
            browser.tab(place);
            let mut new = browser.event_loop();
            browser.content_script_in(&mut new, place);
            new
        });
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        background.post_message(port, &[1]).unwrap();
        let mut new = reopening.join().unwrap();
        let old_saw = drain(&mut old);
        let (opener_saw, new_saw) = settle(&mut background, &mut new);
        assert_eq!(old_saw, [Seen::Gone(DisconnectReason::TabClosed)]);
        assert_prefix(&new_saw, 1);
        if new_saw.is_empty() {
            assert_eq!(ends(&opener_saw), 1, "{opener_saw:?}");
            assert!(!background.is_open(port));
        } else {
            assert_eq!(new_saw, [Seen::Connect, Seen::Message(1)]);
            assert_eq!(opener_saw, []);
        }
    });
}

/// I4: a frame goes to another document while a content script attaches to the old one.
#[test]
fn attach_against_navigation() {
    model(None, 310, || {
        let browser = Browser::new();
        let mut page = browser.event_loop();
        let description = browser.content_script_description();
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
    model(None, 19_000, || {
        let browser = Browser::new();
        let (mut page, _) = browser.content_script();
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
    model(None, 1_300, || {
        let browser = Browser::new();
        let (mut background, opener) = browser.background();
        let (mut page, context) = browser.content_script();
        background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        take_connect(&mut page);
        assert_eq!(drain(&mut background), []);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        page.detach(context).unwrap();
        killer.join().unwrap();
        let (opener_saw, page_saw) = settle(&mut background, &mut page);
        assert_eq!((opener_saw.len(), ends(&opener_saw)), (1, 1), "{opener_saw:?}");
        assert_eq!(page_saw, []);
    });
}

/// Three loops meet pairwise at the same moment: registries are locked in one order.
#[test]
fn three_loops_meet_at_once() {
    model(Some(3), 2_700, || {
        let browser = Browser::new();
        browser.tab(OTHER_PLACE);
        let (mut background, background_context) = browser.background();
        let (mut page, page_context) = browser.content_script();
        let mut other = browser.event_loop();
        let other_context = browser.content_script_in(&mut other, OTHER_PLACE);
        let page_thread = thread::spawn(move || {
            page.connect_runtime(page_context, "").unwrap();
            page
        });
        let other_thread = thread::spawn(move || {
            other.connect_runtime(other_context, "").unwrap();
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

/// G7: rights are looked at again where a connection is taken: another extension's
/// background is unloaded while it is reached for.
#[test]
fn an_external_connect_against_unloading_the_other_extension() {
    model(Some(3), 540, || {
        let browser = Browser::new();
        let (mut opening, opener) = browser.background();
        let other = ExtensionId::new("other");
        let admits = ExternalConnections::Everyone;
        let extension = browser.service.extension_loaded_with(other.clone(), admits).unwrap();
        let mut receiving = browser.event_loop();
        let context = receiving.attach(ContextDescription::background(extension, "", "")).unwrap();
        receiving.set_listening(context, Listening { external_ports: true, ..Listening::PORTS }).unwrap();
        let service = browser.service.clone();
        let unloader = thread::spawn(move || service.extension_unloaded(extension).unwrap());
        let port = opening.connect_runtime(opener, RuntimeTarget::extension(other)).unwrap();
        let mut receiver_saw = drain(&mut receiving);
        unloader.join().unwrap();
        let (opener_saw, later) = settle(&mut opening, &mut receiving);
        receiver_saw.extend(later);
        assert_eq!((opener_saw.len(), ends(&opener_saw)), (1, 1), "{opener_saw:?}");
        assert!(!opening.is_open(port));
        let gone = Seen::Gone(DisconnectReason::ExtensionUnloaded);
        assert!(receiver_saw == [gone] || receiver_saw == [Seen::Connect, gone], "{receiver_saw:?}");
        assert_eq!(receiving.snapshot().ports, []);
    });
}
