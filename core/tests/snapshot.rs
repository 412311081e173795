//! What the core shows of itself.

mod common;

use common::*;
use port_core::{
    BackForwardCache, ContextKind, DisconnectReason, EventLoop, ExtensionId, Listening, PortEnd,
    PortSnapshot, PortStatus, TabTarget,
};

fn only_port(event_loop: &mut EventLoop) -> PortSnapshot {
    let ports = event_loop.snapshot().ports;
    assert_eq!(ports.len(), 1, "{ports:?}");
    ports.into_iter().next().unwrap()
}

fn ends(port: &PortSnapshot) -> Vec<(port_core::ContextId, bool)> {
    port.others.iter().map(|PortEnd { context, accepted, .. }| (*context, *accepted)).collect()
}

#[test]
fn a_channel_shows_at_both_its_ends() {
    let browser = Browser::new();
    let Apart { mut here, mut there, place: top, opener, script: page } = browser.apart();
    let port = here.connect_tab(opener, &TabTarget::new(top.tab).name("chat")).unwrap();
    here.post_message(port, vec![0; 200]).unwrap();
    here.post_message(port, "abc").unwrap();

    let shown = only_port(&mut here);
    assert_eq!(
        (shown.port, shown.context, shown.opener, shown.status),
        (port, opener, true, PortStatus::Open)
    );
    assert_eq!((shown.name.as_str(), ends(&shown)), ("chat", vec![(page, false)]));
    let lanes = here.snapshot().lanes;
    assert_eq!((lanes.len(), lanes[0].peer), (1, there.id()));
    assert_eq!(
        (lanes[0].outbound_records, lanes[0].outbound_bytes),
        (4, 203 + 4 + 32),
        "what is said of the opener too"
    );

    let received = there.next_event().and_then(|event| event.port()).unwrap();
    let shown = only_port(&mut there);
    assert_eq!((shown.port, shown.context, shown.opener), (received, page, false));
    assert_eq!((shown.queued.messages, shown.queued.bytes), (2, 203));
    assert_eq!(ends(&shown), [(opener, true)]);
    assert_eq!(drain(&mut there).len(), 2, "looking takes nothing away");
    assert_eq!(only_port(&mut there).queued.messages, 0);
    assert_eq!(hear(&mut here), []);
    assert_eq!(ends(&only_port(&mut here)), [(page, true)]);

    there.post_message(received, "four").unwrap();
    there.disconnect(received);
    let shown = only_port(&mut here);
    assert_eq!((shown.queued.messages, shown.queued.bytes), (1, 4));
    assert_eq!(hear(&mut here).len(), 2);
    assert_eq!(here.snapshot().ports, []);
}

#[test]
fn contexts_show_what_was_said_of_them() {
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener: background, script: page } = browser.apart();
    here.set_listening(background, Listening::none()).unwrap();
    let snapshot = here.snapshot();
    assert_eq!(snapshot.event_loop, here.id());
    let shown = &snapshot.contexts[0];
    assert_eq!((shown.context, shown.kind, shown.place), (background, ContextKind::Background, None));
    assert_eq!((shown.listening.ports, shown.suspended, shown.gone), (false, false, None));
    browser.service.document_cached(place.document).unwrap();
    assert_eq!(there.next_event(), None);
    let shown = there.snapshot().contexts.remove(0);
    assert_eq!((shown.context, shown.kind, shown.place), (page, ContextKind::ContentScript, Some(place)));
    assert_eq!((shown.listening.ports, shown.suspended), (true, true));
    assert_eq!(shown.extension.as_ref().map(ExtensionId::as_str), Some("greeter@example"));
    browser.service.tab_closed(place.tab).unwrap();
    assert_eq!(there.snapshot().contexts[0].gone, Some(DisconnectReason::TabClosed));
    assert_eq!(drain(&mut there).len(), 1);
    assert_eq!(there.snapshot().contexts, []);
}

#[test]
fn messages_that_wait_for_a_cached_page_count_as_queued() {
    let queues = BackForwardCache::queues_messages(10, 10_000);
    let browser = Browser::with_policies(policies(|policies| policies.back_forward_cache = queues));
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (port, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    browser.service.document_cached(place.document).unwrap();
    for taken in [false, true] {
        here.post_message(port, "abc").unwrap();
        if taken {
            assert_eq!(there.next_event(), None);
        }
    }
    here.post_message(port, "de").unwrap();
    let queued = only_port(&mut there).queued;
    assert_eq!((queued.messages, queued.bytes), (3, 8));
    browser.service.document_restored(place.document).unwrap();
    assert!(there.next_event().is_some());
    let queued = only_port(&mut there).queued;
    assert_eq!((queued.messages, queued.bytes), (2, 5));
}

#[test]
fn a_port_that_ended_shows_nobody_elses_ends() {
    // A cached page's port is kept to look at. Its peer is gone, and its place among
    // the peers has gone to another with a channel of the same number.
    let browser = Browser::new();
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    let (place, other) = (browser.tab(), browser.tab());
    let opener = browser.background(&mut here);
    let page = browser.content_script(&mut there, place);
    let second = browser.content_script(&mut there, other);
    browser.open_port(&mut here, opener, &mut there, place.tab);
    browser.service.document_cached(place.document).unwrap();
    assert_eq!(there.next_event(), None);
    drop(here);
    assert_eq!(there.next_event(), None);
    let mut here = browser.event_loop();
    let opener = browser.background(&mut here);
    browser.open_port(&mut here, opener, &mut there, other.tab);
    let ports = there.snapshot().ports;
    let of = |context| ports.iter().find(|port| port.context == context).unwrap();
    assert_eq!((of(page).status, ends(of(page))), (PortStatus::Silent, vec![]));
    assert_eq!((of(second).status, ends(of(second))), (PortStatus::Open, vec![(opener, true)]));
}

#[test]
fn the_service_shows_its_tabs_extensions_and_loops() {
    let browser = Browser::new();
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    let top = browser.tab();
    let frame = browser.frame_in(top);
    let background = browser.background(&mut here);
    let script = browser.content_script(&mut there, frame);
    let snapshot = browser.service.snapshot();
    assert_eq!(snapshot.event_loops, [(here.id(), vec![]), (there.id(), vec![])]);
    browser.open_port(&mut here, background, &mut there, top.tab);
    browser.tab();

    let snapshot = browser.service.snapshot();
    assert_eq!(snapshot.event_loops, [(here.id(), vec![there.id()]), (there.id(), vec![here.id()])]);
    let tabs: Vec<_> = snapshot.tabs.iter().map(|tab| tab.tab).collect();
    assert!(tabs.is_sorted() && tabs.len() == 2);
    let shown = &snapshot.tabs[0];
    assert_eq!((shown.tab, shown.window, shown.frames.len(), shown.cached.len()), (top.tab, WINDOW, 2, 0));
    let inner = &shown.frames[1];
    assert_eq!((inner.frame, inner.parent), (frame.frame, Some(top.frame)));
    assert_eq!((inner.document, &inner.contexts[..]), (Some(frame.document), &[script][..]));
    let extension = &snapshot.extensions[0];
    assert_eq!((extension.instance, extension.extension.as_str()), (browser.extension, "greeter@example"));
    assert_eq!((&extension.own[..], extension.content_scripts), (&[background][..], 1));

    browser.service.document_cached(top.document).unwrap();
    let snapshot = browser.service.snapshot();
    assert_eq!((snapshot.tabs[0].frames.len(), snapshot.tabs[0].cached.len()), (1, 2));
    assert_eq!(snapshot.tabs[0].frames[0].document, None);
    drop(here);
    drop(there);
    let snapshot = browser.service.snapshot();
    assert_eq!(snapshot.event_loops, []);
    assert_eq!((snapshot.extensions[0].own.len(), snapshot.extensions[0].content_scripts), (0, 0));
    assert_eq!(snapshot.tabs[0].cached[1].contexts, []);
}

#[test]
fn debug_of_everything_is_readable() {
    let browser = Browser::new();
    let mut here = browser.event_loop();
    let place = browser.tab();
    let opener = browser.background(&mut here);
    browser.content_script(&mut here, place);
    let port = here.connect_tab(opener, &TabTarget::new(place.tab).name("chat")).unwrap();
    here.post_message(port, "hello\n\u{1}").unwrap();
    assert!(here.next_event().is_some());
    let shown = format!("{:?}", here.snapshot());
    let shown_port = format!("{port:?}");
    for part in ["\"chat\"", "greeter@example", &shown_port, "messages: 1", "ContentScript"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let id = format!("{:?}", here.id());
    let shown = format!("{:?}", browser.service.snapshot());
    for part in ["TabId(1)", "FrameId(0)", "greeter@example", &id] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let shown = format!("{:?}", browser.service);
    assert_eq!(shown, "MessageService { tabs: 1, extensions: 1, event_loops: 1 }");
    assert!(format!("{here:?}").contains(&id));
    let events = drain(&mut here);
    let shown = format!("{:?}", events[0]);
    assert!(shown.contains(r#"b"hello\n\x01""#), "{shown}");
    here.post_message(port, vec![b'z'; 5_000]).unwrap();
    let shown = format!("{:?}", here.next_event());
    assert!(shown.contains("(5000 bytes)") && shown.len() < 400, "{shown}");
}
