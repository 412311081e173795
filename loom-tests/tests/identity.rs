//! Who is reached: the right instance, tab and context, whatever goes and takes its place
//! meanwhile.

extern crate port_core_model as port_core;

mod support;

use loom::thread;
use port_core_model::{
    DisconnectReason, DocumentId, ExtensionDescription, ExtensionId, ExternalConnections, Listening,
    RuntimeTarget, TabTarget,
};
use support::{
    OTHER_PLACE, PLACE, Seen, TAB, assert_prefix, background_of, browser, connect_runtime, content_script_of,
    describe_background, drain, ends, listen_for, model, settle, with_document,
};

/// G7: an extension is reloaded while a content script of the old instance connects:
/// it never reaches the new background.
#[test]
fn a_reload_against_a_connect_by_the_old_instance() {
    model(Some(6), 19_000, || {
        let browser = browser();
        let (old_background, _) = browser.background_loop();
        let (mut page, opener) = browser.content_script_loop(PLACE);
        let (service, old) = (browser.service.clone(), browser.extension);
        let reloading = thread::spawn(move || {
            service.extension_unloaded(old).unwrap();
            let new = service.extension_loaded(ExtensionId::new("greeter@example")).unwrap();
            let mut event_loop = service.event_loop(std::task::Waker::noop().clone());
            background_of(new, &mut event_loop);
            event_loop
        });
        let connected = connect_runtime(&mut page, opener, "");
        let mut new_background = reloading.join().unwrap();
        drop(old_background);
        let (new_saw, page_saw) = settle(&mut new_background, &mut page);
        assert_eq!(new_saw, []);
        // Its own death is what it hears, and all.
        assert_eq!(page_saw, [Seen::Gone(DisconnectReason::ExtensionUnloaded)], "{connected:?}");
    });
}

/// A tab is closed and its id used again while a connection to it is made. The
/// opener reaches the old page, the new one or nobody, and hears of the old one's end.
#[test]
fn a_tab_id_is_used_again_against_connecting_to_it() {
    model(None, 580, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let (mut old, _) = browser.content_script_loop(PLACE);
        let reopening = thread::spawn(move || {
            browser.service.tab_closed(TAB).unwrap();
            browser.content_script_loop(browser.tab_at(with_document(PLACE, DocumentId::new(9)))).0
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

/// G7: rights are looked at again where a connection is taken: another extension's
/// background is unloaded while it is reached for.
#[test]
fn an_external_connect_against_unloading_the_other_extension() {
    model(Some(3), 920, || {
        let browser = browser();
        let (mut opening, opener) = browser.background_loop();
        let other = ExtensionId::new("other");
        let admits = ExternalConnections::Everyone;
        let extension = browser
            .service
            .extension_loaded(ExtensionDescription::new(other.clone()).external(admits))
            .unwrap();
        let mut receiving = browser.event_loop();
        listen_for(&mut receiving, describe_background(extension), Listening::PORTS.external_ports(true));
        let service = browser.service.clone();
        let unloader = thread::spawn(move || service.extension_unloaded(extension).unwrap());
        let port = opening.connect_runtime(opener, &RuntimeTarget::extension(other)).unwrap();
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

/// Another extension's script in the same frame is not reached, whichever of the two
/// instances goes meanwhile.
#[test]
fn a_connect_reaches_its_own_instance_alone() {
    model(Some(3), 24, || {
        let browser = browser();
        let (mut background, opener) = browser.background_loop();
        let other = browser.service.extension_loaded(ExtensionId::new("other")).unwrap();
        let mut page = browser.event_loop();
        content_script_of(other, &mut page, PLACE);
        let service = browser.service.clone();
        let unloader = thread::spawn(move || service.extension_unloaded(other).unwrap());
        background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let mut page_saw = drain(&mut page);
        unloader.join().unwrap();
        let (opener_saw, later) = settle(&mut background, &mut page);
        page_saw.extend(later);
        assert_eq!(page_saw, [Seen::Gone(DisconnectReason::ExtensionUnloaded)]);
        assert_eq!(opener_saw, [Seen::Disconnect(DisconnectReason::NoReceiver)]);
    });
}

/// A context takes the slot of one that was killed and connects before the peer hears of the
/// kill: the peer forgets the one that is gone, and still knows the other.
#[test]
fn a_successor_is_known_though_its_predecessor_was_killed() {
    model(Some(2), 390, || {
        let browser = browser();
        browser.tab_at(OTHER_PLACE);
        let (mut background, _) = browser.background_loop();
        let (mut page, old) = browser.content_script_loop(PLACE);
        connect_runtime(&mut page, old, "").unwrap();
        let mut saw = drain(&mut background);
        let page_thread = thread::spawn(move || {
            browser.service.tab_closed(TAB).unwrap();
            assert_eq!(drain(&mut page), [Seen::Gone(DisconnectReason::TabClosed)]);
            let new = browser.content_script(&mut page, OTHER_PLACE);
            connect_runtime(&mut page, new, "").unwrap();
            (page, new)
        });
        saw.extend(drain(&mut background));
        let (mut page, new) = page_thread.join().unwrap();
        saw.extend(drain(&mut background));
        saw.sort_by_key(|seen| matches!(seen, Seen::Disconnect(_)));
        assert_eq!(saw, [Seen::Connect, Seen::Connect, Seen::Disconnect(DisconnectReason::TabClosed)]);
        connect_runtime(&mut page, new, "").unwrap();
        assert_eq!(settle(&mut background, &mut page), (vec![Seen::Connect], vec![]));
    });
}
