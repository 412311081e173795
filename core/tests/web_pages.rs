//! Pages of the web connect to extensions that admit them, and do nothing else.

mod common;

use common::*;
use port_core::{
    ConnectError, ContextId, ContextKind, DisconnectReason, Event, EventLoop, ExtensionDescription,
    ExternalConnections, FrameId, Limits, Listening, Place, Policies, PortId, RuntimeTarget, TabTarget,
};

/// The small browser's extension.
const OURS: &str = "greeter@example";

/// A service with an extension and a page of the web on another loop, which some extensions admit.
struct WithWebPage {
    browser: Browser,
    opening: EventLoop,
    place: Place,
    page: ContextId,
    receiving: EventLoop,
    background: ContextId,
}

impl WithWebPage {
    fn new(limits: Limits, admitted_by: &[&str]) -> Self {
        let browser = Browser::with(limits, Policies::default());
        let (mut opening, mut receiving) = (browser.event_loop(), browser.event_loop());
        let place = browser.tab();
        let page = describe_web_page(place, admitted_by);
        let page = listen_for(&mut opening, page, listening_for_everything());
        let background =
            listen_for(&mut receiving, describe_background(browser.extension), listening_for_everything());
        Self { browser, opening, place, page, receiving, background }
    }

    fn connect_to(&mut self, extension: &str) -> PortId {
        let target = RuntimeTarget::extension(extension).name("from the page");
        self.opening.connect_runtime(self.page, &target).unwrap()
    }
}

#[test]
fn a_page_of_the_web_reaches_an_extension_that_admits_it() {
    let mut scene = WithWebPage::new(Limits::default(), &["other", OURS]);
    let port = scene.connect_to(OURS);
    scene.opening.post_message(port, "hello").unwrap();
    let events = drain(&mut scene.receiving);
    let [Event::Connect { context, port: received, sender, .. }, Event::Message { .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(*context, scene.background);
    assert_eq!((sender.extension(), sender.instance()), (None, None));
    assert_eq!((sender.kind(), sender.url()), (ContextKind::WebPage, "https://example.org/a"));
    assert_eq!((sender.tab(), sender.frame()), (Some(scene.place.tab), Some(FrameId::TOP)));
    scene.receiving.post_message(*received, "answer").unwrap();
    let [Event::Message { payload, .. }] = &drain(&mut scene.opening)[..] else {
        panic!("expected an answer")
    };
    assert_eq!(**payload, *b"answer");
    // It is an external connection: who listens for its own extension's alone does not hear of it.
    scene.receiving.set_listening(scene.background, Listening::PORTS.one_off(true)).unwrap();
    let unheard = scene.connect_to(OURS);
    assert_eq!(drain(&mut scene.receiving), []);
    let events = drain(&mut scene.opening);
    assert_eq!(heard_on(&events, unheard), [disconnect(DisconnectReason::NoReceiver)]);
}

#[test]
fn a_page_of_the_web_reaches_no_extension_that_does_not_admit_it() {
    let mut scene = WithWebPage::new(Limits::default(), &["other"]);
    for extension in [OURS, "other", ""] {
        let port = scene.connect_to(extension);
        assert_eq!(drain(&mut scene.receiving), []);
        let events = drain(&mut scene.opening);
        assert_eq!(heard_on(&events, port), [disconnect(DisconnectReason::NoReceiver)]);
    }
    // Everyone means every extension.
    let open = ExtensionDescription::new("open").external(ExternalConnections::Everyone);
    let open = scene.browser.service.extension_loaded(open).unwrap();
    listen_for(&mut scene.receiving, describe_background(open), listening_for_everything());
    let port = scene.connect_to("open");
    assert_eq!(drain(&mut scene.receiving), []);
    let events = drain(&mut scene.opening);
    assert_eq!(heard_on(&events, port), [disconnect(DisconnectReason::NoReceiver)]);
}

#[test]
fn a_page_of_the_web_does_nothing_else() {
    let mut scene = WithWebPage::new(Limits::default(), &[OURS]);
    let WithWebPage { browser, opening, place, page, receiving, background } = &mut scene;
    let tab = TabTarget::new(place.tab);
    let not_allowed = Err(ConnectError::NotAllowed);
    assert_eq!(opening.connect_runtime(*page, &RuntimeTarget::own()), not_allowed);
    assert_eq!(opening.connect_tab(*page, &tab), not_allowed);
    // Nobody finds it, though it says that it listens.
    let script = describe_content_script(browser.extension, *place);
    let script = listen_for(receiving, script, listening_for_everything());
    receiving.connect_tab(*background, &tab).unwrap();
    for opener in [*background, script] {
        receiving.connect_runtime(opener, &RuntimeTarget::own()).unwrap();
    }
    let heard = drain(receiving);
    assert_eq!(heard.iter().filter(|event| matches!(event, Event::Connect { .. })).count(), 2);
    assert_eq!(drain(opening), []);
}

#[test]
fn the_ports_of_a_page_of_the_web_end_with_its_document_and_with_the_extension() {
    let mut scene = WithWebPage::new(Limits::default(), &[OURS]);
    let port = scene.connect_to(OURS);
    drop(drain(&mut scene.receiving));
    scene.browser.service.extension_unloaded(scene.browser.extension).unwrap();
    let events = drain(&mut scene.opening);
    assert_eq!(heard_on(&events, port), [disconnect(DisconnectReason::ExtensionUnloaded)]);
    // The next load has the same id, so the page still has its leave.
    let again = ExtensionDescription::new(OURS);
    let again = scene.browser.service.extension_loaded(again).unwrap();
    let receiver = listen_for(&mut scene.receiving, describe_background(again), listening_for_everything());
    scene.connect_to(OURS);
    let events = drain(&mut scene.receiving);
    let port = events.iter().find(|event| event.context() == receiver).and_then(Event::port).unwrap();
    scene.browser.service.tab_closed(scene.place.tab).unwrap();
    let events = drain(&mut scene.receiving);
    assert_eq!(heard_on(&events, port), [disconnect(DisconnectReason::TabClosed)]);
    let ended = drain(&mut scene.opening);
    assert!(matches!(ended[..], [Event::ContextGone { context, .. }] if context == scene.page));
}

#[test]
fn the_ports_of_pages_of_the_web_are_counted_apart() {
    let limits = Limits::default().external_ports_per_context(2);
    let mut scene = WithWebPage::new(limits, &[OURS]);
    let ports: Vec<_> = (0..3).map(|_| scene.connect_to(OURS)).collect();
    assert_eq!(drain(&mut scene.receiving).len(), 2);
    let events = drain(&mut scene.opening);
    assert_eq!(heard_on(&events, ports[2]), [disconnect(DisconnectReason::LimitReached)]);
    let script = describe_content_script(scene.browser.extension, scene.place);
    let script = listen_for(&mut scene.opening, script, Listening::none());
    connect_runtime(&mut scene.opening, script, "its own").unwrap();
    assert_eq!(drain(&mut scene.receiving).len(), 1);
}
