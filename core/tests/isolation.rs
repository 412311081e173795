//! G7: a context reaches its own extension's instance and nobody else's, and what a
//! receiver hears of the opener is what the browser said.

mod common;

use common::*;
use port_core::DisconnectReason::{Disconnected, ExtensionUnloaded, NoReceiver};
use port_core::{
    ConnectError, ContextError, ContextKind, DocumentLifecycle, Event, EventLoop, ExtensionId, FactError,
    FrameId, Listening, Place, Policies, PostErrorKind, RuntimeTarget, TabId, TabTarget,
};

#[test]
fn another_extensions_scripts_in_the_same_frame_hear_nothing() {
    let browser = Browser::new();
    let other = browser.service.extension_loaded(ExtensionId::new("other@example")).unwrap();
    let mut here = browser.event_loop();
    let place = browser.tab();
    let backgrounds = [browser.background(&mut here), background_of(other, &mut here)];
    let pages = [browser.content_script(&mut here, place), content_script_of(other, &mut here, place)];
    for which in [0, 1] {
        here.connect_tab(backgrounds[which], &TabTarget::new(place.tab)).unwrap();
        let events = drain(&mut here);
        assert_eq!(events.len(), 1);
        assert_eq!(heard_by(&events, pages[which]), [connect("")]);
        connect_runtime(&mut here, pages[which], "").unwrap();
        let events = drain(&mut here);
        assert_eq!(events.len(), 1);
        assert_eq!(heard_by(&events, backgrounds[which]), [connect("")]);
    }
}

#[test]
fn scripts_left_over_from_before_a_reload_reach_nobody() {
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener: old_background, script: old_page } = browser.apart();
    let (port, received) = browser.open_port(&mut here, old_background, &mut there, place.tab);
    assert_eq!(
        browser.service.extension_loaded(ExtensionId::new("greeter@example")),
        Err(FactError::ExtensionExists)
    );
    browser.service.extension_unloaded(browser.extension).unwrap();
    let reloaded = browser.service.extension_loaded(ExtensionId::new("greeter@example")).unwrap();
    assert_ne!(reloaded, browser.extension);
    let new_background = background_of(reloaded, &mut here);

    // The old ones do not know yet, and get nowhere.
    assert_eq!(connect_runtime(&mut there, old_page, ""), Err(ConnectError::Gone));
    assert_eq!(here.connect_tab(old_background, &TabTarget::new(place.tab)), Err(ConnectError::Gone));
    assert_eq!(there.post_message(received, "x").map_err(PostErrorKind::from), Err(PostErrorKind::Gone));
    // Nor does the new one reach the old.
    let lonely = here.connect_tab(new_background, &TabTarget::new(place.tab)).unwrap();
    let [mine, theirs] = settle([&mut here, &mut there]);
    assert_eq!(heard_on(&mine, lonely), [disconnect(NoReceiver)]);
    assert_eq!(heard_by(&mine, old_background), [Heard::ContextGone(ExtensionUnloaded)]);
    assert_eq!(gone(&theirs), [(old_page, ExtensionUnloaded)]);
    assert!(!here.is_open(port));
    assert_eq!(
        browser.service.extension_unloaded(browser.extension),
        Err(FactError::UnknownExtension),
        "the old instance ended once"
    );
    let new_page = content_script_of(reloaded, &mut there, place);
    connect_runtime(&mut there, new_page, "new").unwrap();
    let events = drain(&mut here);
    assert_eq!(heard_by(&events, new_background), [connect("new")]);
}

#[test]
fn a_connect_under_way_across_a_reload_is_not_taken_by_the_next_instance() {
    let browser = Browser::new();
    let Apart { mut here, mut there, opener: background, script: page, .. } = browser.apart();
    let port = connect_runtime(&mut there, page, "from before").unwrap();
    there.post_message(port, "x").unwrap();
    here.detach(background).unwrap();
    browser.service.extension_unloaded(browser.extension).unwrap();
    let reloaded = browser.service.extension_loaded(ExtensionId::new("greeter@example")).unwrap();
    background_of(reloaded, &mut here);
    assert_eq!(hear(&mut here), []);
}

#[test]
fn a_content_script_connects_to_no_tab() {
    let browser = Browser::new();
    let mut here = browser.event_loop();
    let (place, other) = (browser.tab(), browser.tab());
    let page = browser.content_script(&mut here, place);
    browser.content_script(&mut here, other);
    for tab in [place.tab, other.tab, TabId::new(12_345)] {
        assert_eq!(here.connect_tab(page, &TabTarget::new(tab)), Err(ConnectError::NotAllowed));
    }
    assert_eq!(hear(&mut here), []);
}

#[test]
fn who_hears_what() {
    // e06, e07, e08, page_and_background: tabs.connect reaches content scripts and the
    // extension's pages in that tab, runtime.connect the extension's own contexts alone,
    // and neither the opener itself.
    let browser = Browser::new();
    let mut here = browser.event_loop();
    let (place, shown) = (browser.tab(), browser.tab());
    let background = browser.background(&mut here);
    let script = browser.content_script(&mut here, place);
    let beside_page = browser.content_script(&mut here, shown);
    let page = describe_page_in_tab_at(browser.extension, shown, "ext://greeter/p", "ext://greeter");
    let page = listen(&mut here, page);
    let popup = describe_page_at(browser.extension, "ext://greeter/popup", "ext://greeter");
    let popup = listen(&mut here, popup);

    let hearers = |here: &mut EventLoop| {
        let mut hearers: Vec<_> = drain(here).iter().map(Event::context).collect();
        hearers.sort();
        hearers
    };
    here.connect_tab(background, &TabTarget::new(place.tab)).unwrap();
    assert_eq!(hearers(&mut here), [script]);
    here.connect_tab(page, &TabTarget::new(shown.tab)).unwrap();
    assert_eq!(hearers(&mut here), [beside_page]);
    here.connect_tab(background, &TabTarget::new(shown.tab)).unwrap();
    assert_eq!(hearers(&mut here), [beside_page, page]);
    connect_runtime(&mut here, script, "").unwrap();
    assert_eq!(hearers(&mut here), [background, page, popup]);
    connect_runtime(&mut here, background, "").unwrap();
    assert_eq!(hearers(&mut here), [page, popup]);
    connect_runtime(&mut here, popup, "").unwrap();
    assert_eq!(hearers(&mut here), [background, page]);
    for context in [page, popup] {
        here.detach(context).unwrap();
    }
    hearers(&mut here);
    let alone = connect_runtime(&mut here, background, "").unwrap();
    let events = drain(&mut here);
    assert_eq!(heard_on(&events, alone), [disconnect(NoReceiver)]);
}

#[test]
fn the_embedder_is_told_nobody_from_somebody_who_does_not_listen() {
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener, script } = browser.apart();
    let frame = browser.frame_in(place);
    let in_frame = browser.content_script(&mut there, frame);
    let target = TabTarget::new(place.tab);
    let mut ends = |listening: [Listening; 2], target: &TabTarget| {
        there.set_listening(script, listening[0]).unwrap();
        there.set_listening(in_frame, listening[1]).unwrap();
        here.connect_tab(opener, target).unwrap();
        let [heard, _] = settle([&mut here, &mut there]);
        let [Event::Disconnect { reason, not_listening, .. }] = heard[..] else { panic!("{heard:?}") };
        (reason, not_listening)
    };
    let (deaf, for_messages) = (Listening::none(), Listening::none().one_off(true));
    assert_eq!(ends([deaf, deaf], &target), (NoReceiver, true));
    assert_eq!(ends([for_messages, deaf], &target), (NoReceiver, true));
    let nobody = target.clone().frame(FrameId::new(99_999));
    assert_eq!(ends([deaf, deaf], &nobody), (NoReceiver, false));
    // One who listened and left is another reason.
    let port = here.connect_tab(opener, &target.frame(place.frame)).unwrap();
    there.set_listening(script, Listening::PORTS).unwrap();
    there.set_listening(in_frame, deaf).unwrap();
    let received = take_connect(&mut there);
    assert!(there.disconnect(received));
    let heard = drain(&mut here);
    let [Event::Disconnect { reason, not_listening, .. }] = heard[..] else { panic!("{heard:?}") };
    assert_eq!((reason, not_listening), (Disconnected, false));
    assert!(!here.is_open(port));
    // Another extension that admits nobody is not there.
    let other = browser.load("other@example");
    let stranger = background_of(other, &mut there);
    there.set_listening(stranger, deaf).unwrap();
    let target = RuntimeTarget::extension(ExtensionId::new("other@example"));
    here.connect_runtime(opener, &target).unwrap();
    let [heard, _] = settle([&mut here, &mut there]);
    assert!(matches!(heard[..], [Event::Disconnect { reason: NoReceiver, not_listening: false, .. }]));
}

#[test]
fn targets_that_do_not_exist_are_no_error_but_no_receiver() {
    // M1: unknown tab, frame, document, a document that is not in that frame.
    let browser = Browser::new();
    let mut here = browser.event_loop();
    let (place, other) = (browser.tab(), browser.tab());
    let opener = browser.background(&mut here);
    browser.content_script(&mut here, place);
    browser.content_script(&mut here, other);
    let tab = TabTarget::new(place.tab);
    let unknown = browser.fresh_document();
    let nobody = [
        TabTarget::new(TabId::new(99_999)),
        tab.clone().frame(FrameId::new(99_999)),
        tab.clone().document(unknown),
        tab.clone().document(other.document),
        tab.clone().frame(FrameId::new(99_999)).document(place.document),
        TabTarget::new(browser.tab().tab),
    ];
    for target in nobody {
        let port = here.connect_tab(opener, &target).unwrap();
        assert!(here.is_open(port));
        here.post_message(port, "accepted all the same").unwrap();
        assert_eq!(hear(&mut here), [disconnect(NoReceiver)], "{target:?}");
        assert!(!here.is_open(port));
    }
    for target in [
        tab.clone(),
        tab.clone().frame(FrameId::TOP),
        tab.clone().document(place.document),
        tab.frame(FrameId::TOP).document(place.document),
    ] {
        here.connect_tab(opener, &target).unwrap();
        assert_eq!(hear(&mut here), [connect("")], "{target:?}");
    }
}

#[test]
fn the_sender_is_what_the_browser_said() {
    let browser = Browser::new();
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    let place = browser.frame_in(browser.tab());
    let background = browser.background(&mut here);
    let page = browser.content_script(&mut there, place);
    let Place { tab, frame, document, .. } = place;

    connect_runtime(&mut there, page, "up").unwrap();
    let Some(Event::Connect { context, sender, name, .. }) = here.next_event() else { panic!() };
    assert_eq!((context, name.as_str()), (background, "up"));
    assert_eq!(sender.extension().map(ExtensionId::as_str), Some("greeter@example"));
    assert_eq!(sender.instance(), Some(browser.extension));
    assert_eq!(sender.kind(), ContextKind::ContentScript);
    assert_eq!((sender.url(), sender.origin()), ("https://example.org/a", "https://example.org"));
    assert_eq!((sender.tab(), sender.frame(), sender.document()), (Some(tab), Some(frame), Some(document)));
    assert_eq!(sender.lifecycle(), Some(DocumentLifecycle::Active));
    assert_eq!(sender.context(), Some(page));
    let shown = format!("{sender:?}");
    assert!(shown.contains("greeter@example") && shown.contains("https://example.org/a"), "{shown}");

    here.connect_tab(background, &TabTarget::new(tab)).unwrap();
    let Some(Event::Connect { sender: from_background, .. }) = there.next_event() else { panic!() };
    assert_eq!(from_background.kind(), ContextKind::Background);
    assert_eq!(
        (from_background.tab(), from_background.frame(), from_background.document()),
        (None, None, None)
    );
    assert_eq!(from_background.url(), "ext://greeter/bg.js");
    assert_ne!(sender, from_background);
    // It stays readable when the opener is long gone.
    there.detach(page).unwrap();
    drop(there);
    browser.service.tab_closed(tab).unwrap();
    assert_eq!(sender.tab(), Some(tab));
    assert_eq!(sender.clone(), sender);
}

#[test]
fn ids_of_other_loops_are_refused() {
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener, script: page } = browser.apart();
    let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
    assert_eq!((opener.event_loop(), received.event_loop()), (here.id(), there.id()));
    // Index and generation are the same; the loop tells them apart.
    assert_eq!(
        here.post_message(received, "x").map_err(PostErrorKind::from),
        Err(PostErrorKind::Disconnected)
    );
    assert_eq!(there.post_message(port, "x").map_err(PostErrorKind::from), Err(PostErrorKind::Disconnected));
    assert!(!here.disconnect(received) && !here.is_open(received));
    assert_eq!(here.detach(page), Err(ContextError::UnknownContext));
    assert_eq!(here.set_listening(page, Listening::none()), Err(ContextError::UnknownContext));
    assert_eq!(connect_runtime(&mut here, page, ""), Err(ConnectError::UnknownContext));
    assert_eq!(there.connect_tab(opener, &TabTarget::new(place.tab)), Err(ConnectError::UnknownContext));
    assert!(here.is_open(port) && there.is_open(received));
    assert_eq!(settle([&mut here, &mut there]).concat(), []);
}

#[test]
fn stale_ids_do_not_reach_their_successors() {
    // Late calls with the id of something that ended.
    let browser = Browser::new();
    let mut here = browser.event_loop();
    let place = browser.tab();
    let opener = browser.background(&mut here);
    let mut page = browser.content_script(&mut here, place);
    let mut stale = Vec::new();
    for _ in 0..50 {
        let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        let received = connected(&mut here)[0];
        for &old in &stale {
            assert!(!here.is_open(old) && !here.disconnect(old));
            assert!(here.post_message(old, "late").is_err());
        }
        assert!(here.is_open(port) && here.is_open(received));
        here.disconnect(port);
        assert_eq!(drain(&mut here).len(), 1);
        stale.extend([port, received]);
        here.detach(page).unwrap();
        let next = browser.content_script(&mut here, place);
        assert_eq!(here.detach(page), Err(ContextError::UnknownContext));
        page = next;
    }
}

#[test]
fn a_sender_shows_what_the_policy_says() {
    for (policies, lifecycle, context) in [
        (Policies::default(), true, true),
        (Policies::CHROMIUM, true, false),
        (Policies::FIREFOX, false, true),
    ] {
        let browser = Browser::with_policies(policies);
        let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
        browser.background(&mut here);
        let opener = browser.content_script(&mut there, browser.tab());
        connect_runtime(&mut there, opener, "").unwrap();
        let Some(Event::Connect { sender, .. }) = here.next_event() else { panic!() };
        assert_eq!(sender.lifecycle(), lifecycle.then_some(DocumentLifecycle::Active));
        assert_eq!(sender.context(), context.then_some(opener));
    }
}

#[test]
fn a_background_page_shows_the_document_that_it_was_given_and_a_worker_none() {
    let browser = Browser::new();
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    let place = browser.tab();
    browser.content_script(&mut there, place);
    let document = browser.fresh_document();
    let worker = describe_background_at(browser.extension, "ext:/worker.js", "ext:/");
    let page = describe_background_at(browser.extension, "ext:/page.html", "ext:/").in_document(document);
    for (description, shown) in [(worker, None), (page, Some(document))] {
        let opener = here.attach(description).unwrap();
        here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        let Some(Event::Connect { sender, .. }) = there.next_event() else { panic!() };
        assert_eq!((sender.document(), sender.tab(), sender.frame()), (shown, None, None));
        // It is no place that anybody could reach.
        assert_eq!(browser.service.document_cached(document), Err(FactError::UnknownDocument));
    }
}
