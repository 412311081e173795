//! One-off messages go through the same lanes as ports; another extension is reached
//! only where its manifest admits it.

mod common;

use common::*;
use port_core::{
    ConnectKind, ContextId, DisconnectReason, Event, EventLoop, ExtensionDescription, ExtensionId,
    ExternalConnections, Listening, Policies, PortId, RuntimeTarget, TabTarget,
};

/// The small browser's extension.
const OURS: &str = "greeter@example";

fn send_one_off(event_loop: &mut EventLoop, opener: ContextId) -> PortId {
    event_loop.connect_runtime(opener, &RuntimeTarget::own().kind(ConnectKind::OneOff)).unwrap()
}

/// One extension with a background on a loop and two pages on another.
fn two_receivers(policies: Policies, listening: [Listening; 2]) -> (EventLoop, ContextId, EventLoop) {
    let browser = Browser::with_policies(policies);
    let (mut opening, mut receiving) = (browser.event_loop(), browser.event_loop());
    let opener = listen_for(&mut opening, describe_background(browser.extension), Listening::none());
    for listening in listening {
        listen_for(&mut receiving, describe_page(browser.extension), listening);
    }
    (opening, opener, receiving)
}

#[test]
fn a_connection_reaches_those_who_listen_for_its_kind() {
    let only_messages = Listening::none().one_off(true);
    let (mut opening, opener, mut receiving) =
        two_receivers(Policies::default(), [Listening::PORTS, only_messages]);
    connect_runtime(&mut opening, opener, "port").unwrap();
    send_one_off(&mut opening, opener);
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
        let (mut opening, opener, mut receiving) = two_receivers(policies, [listening_for_everything(); 2]);
        let request = send_one_off(&mut opening, opener);
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
        two_receivers(Policies::default(), [listening_for_everything(), Listening::none()]);
    let port = connect_runtime(&mut opening, opener, "").unwrap();
    for number in 0..3_u8 {
        opening.post_message(port, &[number]).unwrap();
        let one_off = send_one_off(&mut opening, opener);
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
    let browser = Browser::new();
    let other =
        browser.service.extension_loaded(ExtensionDescription::new("other").external(external)).unwrap();
    let (mut opening, mut receiving) = (browser.event_loop(), browser.event_loop());
    let opener = listen_for(&mut opening, describe_background(browser.extension), listening_for_everything());
    let receiver = listen_for(&mut receiving, describe_background(other), listening);
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
            assert_eq!(sender.extension().map(ExtensionId::as_str), Some(OURS));
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
    assert!(reaches(ExternalConnections::Extensions(vec![ExtensionId::new(OURS)]), external));
    assert!(!reaches(ExternalConnections::Extensions(vec![ExtensionId::new("two")]), external));
    assert!(!reaches(ExternalConnections::Nobody, listening_for_everything()));
    assert!(!reaches(ExternalConnections::Everyone, Listening::PORTS));
}

#[test]
fn an_unknown_extension_is_no_receiver_and_ones_own_id_is_oneself() {
    let (mut opening, opener, mut receiving) =
        two_receivers(Policies::default(), [listening_for_everything(); 2]);
    let unknown = RuntimeTarget::extension(ExtensionId::new("unknown"));
    opening.connect_runtime(opener, &unknown).unwrap();
    assert!(matches!(
        drain(&mut opening)[..],
        [Event::Disconnect { reason: DisconnectReason::NoReceiver, .. }]
    ));
    opening.connect_runtime(opener, &RuntimeTarget::extension(ExtensionId::new(OURS))).unwrap();
    assert_eq!(drain(&mut receiving).len(), 2);
}

#[test]
fn a_document_and_a_frame_that_do_not_fit_fare_as_the_policy_says() {
    for (policies, reached) in [(Policies::default(), 0), (Policies::CHROMIUM, 0), (Policies::FIREFOX, 1)] {
        let browser = Browser::with_policies(policies);
        let top = browser.tab();
        let below = browser.frame_in(top);
        let (mut opening, opener) = browser.background_loop();
        let (mut receiving, _) = browser.content_script_loop(top);
        browser.content_script(&mut receiving, below);
        let target = TabTarget::new(top.tab).document(below.document).frame(top.frame);
        opening.connect_tab(opener, &target).unwrap();
        assert_eq!(drain(&mut receiving).len(), reached);
    }
}

#[test]
fn another_extensions_connections_leave_room_for_ones_own() {
    let limits = limits(|limits| {
        limits.ports_per_context = 3;
        limits.external_ports_per_context = 50;
    });
    let browser = Browser::with_limits(limits);
    let everyone = ExtensionDescription::new("victim").external(ExternalConnections::Everyone);
    let victim = browser.service.extension_loaded(everyone).unwrap();
    let (mut attacking, mut serving, mut calling) =
        (browser.event_loop(), browser.event_loop(), browser.event_loop());
    let attackers = [(); 50].map(|()| browser.background(&mut attacking));
    let attacked = listen_for(&mut serving, describe_background(victim), listening_for_everything());
    let callers = [(); 2].map(|()| content_script_of(victim, &mut calling, browser.tab()));
    // As many as it may hold, and none beyond.
    let target = RuntimeTarget::extension("victim").kind(ConnectKind::OneOff);
    let connect = |event_loop: &mut EventLoop, at: usize| {
        event_loop.connect_runtime(attackers[at % attackers.len()], &target).unwrap()
    };
    let channels: Vec<_> = (0..100).map(|at| connect(&mut attacking, at)).collect();
    assert_eq!(drain(&mut serving).len(), 50);
    let refused = drain(&mut attacking);
    assert_eq!(refused.len(), 50);
    assert_eq!(heard_on(&refused, channels[99]), [disconnect(DisconnectReason::LimitReached)]);
    // The victim's own are taken as ever, opened and accepted, up to their own limit.
    let own = [0, 0, 1, 1].map(|caller| send_one_off(&mut calling, callers[caller]));
    assert_eq!(drain(&mut serving).len(), 3);
    assert_eq!(heard_on(&drain(&mut calling), own[3]), [disconnect(DisconnectReason::LimitReached)]);
    assert!(calling.disconnect(own[0]));
    assert_eq!(hear(&mut serving), [disconnect(DisconnectReason::Disconnected)]);
    connect_runtime(&mut serving, attacked, "to nobody, but it may").unwrap();
    assert_eq!(hear(&mut serving), [disconnect(DisconnectReason::NoReceiver)]);
    // One of the other extension's ends, and one may come.
    assert!(attacking.disconnect(channels[0]));
    connect(&mut attacking, 0);
    connect(&mut attacking, 1);
    assert_eq!(drain(&mut serving).len(), 2);
    assert_eq!(hear(&mut attacking), [disconnect(DisconnectReason::LimitReached)]);
}
