//! One-off messages go through the same lanes as ports; another extension is reached
//! only where its manifest admits it.

mod common;

use common::{disconnect, drain, heard_on};
use port_core::*;
use std::task::Waker;

fn event_loop(service: &MessageService) -> EventLoop {
    service.event_loop(Waker::noop().clone())
}

fn background(event_loop: &mut EventLoop, extension: ExtensionInstance, listening: Listening) -> ContextId {
    let context = event_loop.attach(ContextDescription::background(extension)).unwrap();
    event_loop.set_listening(context, listening).unwrap();
    context
}

const EVERYTHING: Listening =
    Listening::none().ports(true).one_off(true).external_ports(true).external_one_off(true).listeners(1);

/// One extension with a background on a loop and two pages on another.
fn two_receivers(policies: Policies, listening: [Listening; 2]) -> (EventLoop, ContextId, EventLoop) {
    let service = MessageService::builder().policies(policies).build();
    let extension = service.extension_loaded(ExtensionId::new("one")).unwrap();
    let (mut opening, mut receiving) = (event_loop(&service), event_loop(&service));
    let opener = background(&mut opening, extension, Listening::none());
    for listening in listening {
        let page = receiving.attach(ContextDescription::page(extension)).unwrap();
        receiving.set_listening(page, listening).unwrap();
    }
    (opening, opener, receiving)
}

#[test]
fn a_connection_reaches_those_who_listen_for_its_kind() {
    let only_messages = Listening::none().one_off(true);
    let (mut opening, opener, mut receiving) =
        two_receivers(Policies::default(), [Listening::PORTS, only_messages]);
    opening.connect_runtime(opener, &RuntimeTarget::own().name("port")).unwrap();
    opening.connect_runtime(opener, &RuntimeTarget::own().kind(ConnectKind::OneOff)).unwrap();
    let kinds: Vec<_> = drain(&mut receiving)
        .iter()
        .map(|event| match event {
            Event::Connect { kind, name, .. } => (*kind, name.as_str().to_owned()),
            other => panic!("unexpected {other:?}"),
        })
        .collect();
    assert_eq!(kinds, [(ConnectKind::Port, "port".to_owned()), (ConnectKind::OneOff, String::new())]);
    assert_eq!(drain(&mut opening), []);
}

#[test]
fn a_receiver_that_gives_no_answer_leaves_a_one_off_message_to_the_others() {
    for policies in [Policies::default(), Policies::CHROMIUM, Policies::FIREFOX] {
        let (mut opening, opener, mut receiving) = two_receivers(policies, [EVERYTHING; 2]);
        let request =
            opening.connect_runtime(opener, &RuntimeTarget::own().kind(ConnectKind::OneOff)).unwrap();
        opening.post_message(request, "question").unwrap();
        let ports: Vec<_> = drain(&mut receiving)
            .iter()
            .filter(|event| matches!(event, Event::Connect { .. }))
            .filter_map(Event::port)
            .collect();
        assert!(receiving.disconnect(ports[0]));
        assert_eq!(drain(&mut opening), []);
        receiving.post_message(ports[1], "answer").unwrap();
        let [Event::Message { payload, .. }] = &drain(&mut opening)[..] else { panic!("expected an answer") };
        assert_eq!(**payload, *b"answer");
        receiving.disconnect(ports[1]);
        assert!(matches!(
            drain(&mut opening)[..],
            [Event::Disconnect { reason: DisconnectReason::Disconnected, .. }]
        ));
    }
}

#[test]
fn one_off_messages_keep_their_place_among_everything_else() {
    let (mut opening, opener, mut receiving) =
        two_receivers(Policies::default(), [EVERYTHING, Listening::none()]);
    let port = opening.connect_runtime(opener, &RuntimeTarget::own()).unwrap();
    for number in 0..3_u8 {
        opening.post_message(port, &[number]).unwrap();
        let one_off =
            opening.connect_runtime(opener, &RuntimeTarget::own().kind(ConnectKind::OneOff)).unwrap();
        opening.post_message(one_off, &[number + 100]).unwrap();
    }
    let heard: Vec<u8> = drain(&mut receiving)
        .iter()
        .filter_map(|event| match event {
            Event::Message { payload, .. } => Some(payload[0]),
            _ => None,
        })
        .collect();
    assert_eq!(heard, [0, 100, 1, 101, 2, 102]);
}

fn reaches(external: ExternalConnections, listening: Listening) -> bool {
    let service = MessageService::default();
    let one = service.extension_loaded(ExtensionId::new("one")).unwrap();
    let other = service
        .extension_loaded(ExtensionDescription::new(ExtensionId::new("other")).external(external))
        .unwrap();
    let (mut opening, mut receiving) = (event_loop(&service), event_loop(&service));
    let opener = background(&mut opening, one, EVERYTHING);
    let receiver = background(&mut receiving, other, listening);
    let target = RuntimeTarget::extension(ExtensionId::new("other")).name("hello");
    let port = opening.connect_runtime(opener, &target).unwrap();
    match &drain(&mut receiving)[..] {
        [] => {
            let events = drain(&mut opening);
            assert_eq!(heard_on(&events, port), [disconnect(DisconnectReason::NoReceiver)]);
            assert_eq!((events.len(), events[0].context()), (1, opener));
            false
        }
        [Event::Connect { context, sender, name, .. }] => {
            assert_eq!(*context, receiver);
            assert_eq!(sender.extension().as_str(), "one");
            assert_eq!(*name, "hello");
            true
        }
        other => panic!("unexpected {other:?}"),
    }
}

#[test]
fn another_extension_is_reached_where_it_admits_and_listens() {
    let external = Listening::none().external_ports(true);
    assert!(reaches(ExternalConnections::Everyone, external));
    assert!(reaches(ExternalConnections::Extensions(vec![ExtensionId::new("one")]), external));
    assert!(!reaches(ExternalConnections::Extensions(vec![ExtensionId::new("two")]), external));
    assert!(!reaches(ExternalConnections::Nobody, EVERYTHING));
    assert!(!reaches(ExternalConnections::Everyone, Listening::PORTS));
}

#[test]
fn an_unknown_extension_is_no_receiver_and_ones_own_id_is_oneself() {
    let (mut opening, opener, mut receiving) = two_receivers(Policies::default(), [EVERYTHING; 2]);
    let unknown = RuntimeTarget::extension(ExtensionId::new("unknown"));
    opening.connect_runtime(opener, &unknown).unwrap();
    assert!(matches!(
        drain(&mut opening)[..],
        [Event::Disconnect { reason: DisconnectReason::NoReceiver, .. }]
    ));
    opening.connect_runtime(opener, &RuntimeTarget::extension(ExtensionId::new("one"))).unwrap();
    assert_eq!(drain(&mut receiving).len(), 2);
}

#[test]
fn a_document_and_a_frame_that_do_not_fit_fare_as_the_policy_says() {
    for (policies, reached) in [(Policies::default(), 0), (Policies::CHROMIUM, 0), (Policies::FIREFOX, 1)] {
        let service = MessageService::builder().policies(policies).build();
        let extension = service.extension_loaded(ExtensionId::new("one")).unwrap();
        let (tab, top, below) = (TabId::new(1), DocumentId::new(1), DocumentId::new(2));
        service.tab_opened(tab, WindowId::new(1)).unwrap();
        service.frame_attached(tab, FrameId::TOP, None, top).unwrap();
        service.frame_attached(tab, FrameId::new(5), Some(FrameId::TOP), below).unwrap();
        let (mut opening, mut receiving) = (event_loop(&service), event_loop(&service));
        let opener = background(&mut opening, extension, Listening::none());
        for (frame, document) in [(FrameId::TOP, top), (FrameId::new(5), below)] {
            let place = Place::new(tab, frame, document);
            let script = receiving.attach(ContextDescription::content_script(extension, place)).unwrap();
            receiving.set_listening(script, Listening::PORTS).unwrap();
        }
        let target = TabTarget::new(tab).document(below).frame(FrameId::TOP);
        opening.connect_tab(opener, &target).unwrap();
        assert_eq!(drain(&mut receiving).len(), reached);
    }
}
