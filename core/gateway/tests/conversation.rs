//! Contexts in renderers talk, as scripts do.

mod common;

use common::{Browser, ConnectedRenderer, Renderer, connected, describe_page, drain, ends, hear, texts};
use port_core::{
    AttachError, BackForwardCache, ConnectError, ConnectKind, ContextError, ContextKind, DisconnectReason,
    Listening, MessageFormat, PostErrorKind, TabTarget,
};
use port_core_gateway::{Bounds, Content, InTab, OfExtension, StubEvent};

#[test]
fn two_renderers_talk_through_the_browser() {
    let browser = Browser::new();
    let place = browser.tab();
    let (mut here, mut there) = (Renderer::new(&browser.service), Renderer::new(&browser.service));
    let background = here.background(&browser);
    let script = there.content_script(&browser, place);

    let port =
        here.stub.connect_tab(background, &InTab::new(place.tab).name("tabs-connect-example")).unwrap();
    here.stub.post_message(port, "hi there").unwrap();
    assert!(here.hear().is_empty());
    let heard = there.hear();
    let [
        StubEvent::Connect { context, port: received, kind, name, sender, .. },
        StubEvent::Message { payload, .. },
    ] = &heard[..]
    else {
        panic!("{heard:?}")
    };
    assert_eq!((*context, *kind, &**name), (script, ConnectKind::Port, "tabs-connect-example"));
    assert_eq!(
        (sender.kind, &*sender.url, &*sender.origin),
        (ContextKind::Background, "ext://greeter/bg.js", "ext://greeter")
    );
    assert_eq!((sender.tab, &payload[..]), (None, &b"hi there"[..]));

    let large = vec![b'x'; 3 << 20];
    there
        .stub
        .post_message(*received, Content::from(&large[..]).format(MessageFormat::StructuredClone))
        .unwrap();
    there.stub.post_message(*received, "after").unwrap();
    assert!(there.stub.disconnect(*received));
    assert!(there.hear().is_empty());
    let heard = here.hear();
    assert!(
        matches!(&heard[0], StubEvent::Message { payload, format: MessageFormat::StructuredClone, .. } if *payload == large)
    );
    assert_eq!(
        (&texts(&heard)[1..], ends(&heard)),
        (&["after".to_owned()][..], vec![(port, DisconnectReason::Disconnected)])
    );
    for renderer in [here, there] {
        let holds = renderer.host.snapshot();
        assert_eq!((holds.contexts, holds.ports, holds.waiting_messages, holds.input_bytes), (1, 0, 0, 0));
    }
}

/// Messages read where they lie are those that come as events, in the same order with everything else.
#[test]
fn messages_are_read_where_they_lie() {
    let browser = Browser::new();
    let ConnectedRenderer { mut renderer, script, port, mut there, received, .. } =
        ConnectedRenderer::new(&browser, Bounds::default());
    let long = vec![b'l'; 100 << 10];
    for message in [&b"first"[..], b"", b"third"] {
        let message = port_core::Message::from(message).format(MessageFormat::Other(3));
        there.post_message(received, message).unwrap();
    }
    there.post_message(received, &*long).unwrap();
    there.post_message(received, "after it").unwrap();
    there.disconnect(received);
    while renderer.host.turn().unwrap() {}
    // In pieces that end anywhere.
    let (mut heard, output) = (Vec::new(), renderer.host.output().to_vec());
    for piece in output.chunks(33) {
        renderer.stub.receive(piece);
        loop {
            while let Some(message) = renderer.stub.next_message() {
                assert_eq!((message.context, message.port), (script, port));
                heard.push((message.content.payload.to_vec(), message.content.format));
            }
            match renderer.stub.next_event().unwrap() {
                Some(StubEvent::Message { payload, format, .. }) => heard.push((payload.to_vec(), format)),
                Some(StubEvent::Disconnect { port: ended, .. }) => {
                    assert_eq!(ended, port);
                    heard.push((b"the end".to_vec(), MessageFormat::Json));
                }
                Some(other) => panic!("{other:?}"),
                None => break,
            }
        }
    }
    let expected: Vec<(&[u8], _)> = vec![
        (b"first", MessageFormat::Other(3)),
        (b"", MessageFormat::Other(3)),
        (b"third", MessageFormat::Other(3)),
        (&long, MessageFormat::Json),
        (b"after it", MessageFormat::Json),
        (b"the end", MessageFormat::Json),
    ];
    assert!(heard.iter().map(|(payload, format)| (&**payload, *format)).eq(expected), "{}", heard.len());
}

#[test]
fn a_message_to_a_port_that_ended_here_is_read_by_nobody() {
    let browser = Browser::new();
    let ConnectedRenderer { mut renderer, port, mut there, received, .. } =
        ConnectedRenderer::new(&browser, Bounds::default());
    there.post_message(received, "too late").unwrap();
    while renderer.host.turn().unwrap() {}
    renderer.carry_down();
    assert!(renderer.stub.disconnect(port));
    assert_eq!(renderer.stub.next_message(), None);
    assert_eq!(renderer.stub.next_event(), Ok(None));
}

#[test]
fn a_renderer_talks_to_a_thread_of_the_browser() {
    let browser = Browser::new();
    let place = browser.tab();
    let (mut there, _) = browser.background_loop();
    let mut renderer = Renderer::new(&browser.service);
    let script = renderer.content_script(&browser, place);
    let port = renderer.stub.connect_runtime(script, &OfExtension::own().name("greetings")).unwrap();
    renderer.stub.post_message(port, "hello").unwrap();
    renderer.carry_up().unwrap();
    let events = drain(&mut there);
    let port_core::Event::Connect { port: received, sender, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!(
        (sender.tab(), sender.frame(), sender.document()),
        (Some(place.tab), Some(place.frame), Some(place.document))
    );
    there.post_message(*received, "and you").unwrap();
    assert_eq!(texts(&renderer.hear()), ["and you"]);
    there.disconnect(*received);
    assert_eq!(ends(&renderer.hear()), [(port, DisconnectReason::Disconnected)]);
}

#[test]
fn one_message_reaches_all_frames_of_a_renderer() {
    let browser = Browser::new();
    let top = browser.tab();
    let mut renderer = Renderer::new(&browser.service);
    let scripts = [top, browser.frame_in(top)].map(|place| renderer.content_script(&browser, place));
    let (mut here, opener) = browser.background_loop();
    let port = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    here.post_message(port, "all").unwrap();
    let heard = renderer.hear();
    assert_eq!(texts(&heard), ["all", "all"]);
    let contexts: Vec<_> = heard
        .iter()
        .filter_map(|event| match event {
            StubEvent::Message { context, .. } => Some(*context),
            _ => None,
        })
        .collect();
    assert_eq!(contexts, scripts);
}

#[test]
fn what_the_stub_knows_it_refuses_at_once() {
    let browser = Browser::new();
    let place = browser.tab();
    let mut renderer = Renderer::new(&browser.service);
    let script = renderer.content_script(&browser, place);
    let granted = renderer.host.grant(describe_page(browser.extension), b"popup");
    let [StubEvent::Granted { kind: ContextKind::Page, label, .. }] = &renderer.hear()[..] else { panic!() };
    assert_eq!(label, "popup");
    let stub = &mut renderer.stub;
    assert_eq!(stub.connect_tab(script, &InTab::new(place.tab)), Err(ConnectError::NotAllowed));
    assert_eq!(stub.connect_runtime(granted, &OfExtension::own()), Err(ConnectError::UnknownContext));
    assert_eq!(stub.set_listening(granted, Listening::PORTS), Err(ContextError::UnknownContext));
    assert_eq!(stub.attach(script), Err(ContextError::UnknownContext));
    let port = stub.connect_runtime(script, &OfExtension::own()).unwrap();
    let too_large = vec![0; (64 << 20) + 1];
    assert_eq!(stub.post_message(port, &too_large[..]), Err(PostErrorKind::TooLarge));
    assert_eq!(stub.context_of(port), Some(script));
    assert!(stub.disconnect(port) && !stub.disconnect(port));
    assert_eq!(stub.post_message(port, ""), Err(PostErrorKind::Disconnected));
    stub.detach(script).unwrap();
    assert_eq!(stub.detach(script), Err(ContextError::UnknownContext));
    assert!(renderer.hear().is_empty());
    assert_eq!(renderer.host.snapshot().contexts, 1);
}

#[test]
fn a_connect_that_the_core_refuses_is_a_port_that_ends() {
    let browser = Browser::with_limits(common::limits(|limits| limits.ports_per_context = 1));
    let place = browser.tab();
    let (_there, _) = browser.background_loop();
    let mut renderer = Renderer::new(&browser.service);
    let script = renderer.content_script(&browser, place);
    let ports = [(); 3].map(|()| renderer.stub.connect_runtime(script, &OfExtension::own()).unwrap());
    let refused = ports[1..].iter().map(|port| (*port, DisconnectReason::LimitReached)).collect::<Vec<_>>();
    assert_eq!(ends(&renderer.hear()), refused);
    assert_eq!(renderer.host.snapshot().ports, 1);
}

#[test]
fn a_cached_page_opens_no_port_and_leaves_none() {
    let browser = Browser::new();
    let place = browser.tab();
    let (_there, _) = browser.background_loop();
    let mut renderer = Renderer::new(&browser.service);
    let script = renderer.content_script(&browser, place);
    renderer.stub.connect_runtime(script, &OfExtension::own()).unwrap();
    assert!(renderer.hear().is_empty());
    browser.service.document_cached(place.document).unwrap();
    assert_eq!(common::policies(|_| ()).back_forward_cache, BackForwardCache::Ends);
    assert!(renderer.hear().is_empty());
    let port = renderer.stub.connect_runtime(script, &OfExtension::own()).unwrap();
    assert_eq!(ends(&renderer.hear()), [(port, DisconnectReason::BackForwardCache)]);
    browser.service.document_evicted(place.document).unwrap();
    assert!(matches!(
        renderer.hear()[..],
        [StubEvent::ContextGone { reason: DisconnectReason::Navigated, .. }]
    ));
    let holds = renderer.host.snapshot();
    assert_eq!((holds.contexts, holds.ports), (0, 0));
}

#[test]
fn facts_end_contexts_and_grants() {
    let browser = Browser::new();
    let place = browser.tab();
    let (mut there, _) = browser.background_loop();
    let mut renderer = Renderer::new(&browser.service);
    let script = renderer.content_script(&browser, place);
    let port = renderer.stub.connect_runtime(script, &OfExtension::own()).unwrap();
    let late = renderer.host.grant(common::describe_content_script(browser.extension, place), b"");
    renderer.hear();
    connected(&mut there);
    browser.navigate(place);
    renderer.stub.attach(late).unwrap();
    // What crosses the news of the end is a race, and nobody hears it.
    renderer.stub.post_message(port, "too late").unwrap();
    let heard = renderer.hear();
    let [
        StubEvent::ContextGone { context, reason: DisconnectReason::Navigated, ports, .. },
        StubEvent::AttachRefused { context: refused, error: AttachError::UnknownDocument, .. },
    ] = &heard[..]
    else {
        panic!("{heard:?}")
    };
    assert_eq!((*refused, *context, &ports[..]), (late, script, &[port][..]));
    assert_eq!(hear(&mut there), [common::disconnect(DisconnectReason::Navigated)]);
    let holds = renderer.host.snapshot();
    assert_eq!((holds.contexts, holds.ports), (0, 0));
    assert_eq!(renderer.stub.ports(script).count(), 0);

    let revoked = renderer.host.grant(describe_page(browser.extension), b"");
    renderer.hear();
    assert!(renderer.host.revoke(revoked) && !renderer.host.revoke(revoked));
    assert!(matches!(renderer.hear()[..], [StubEvent::Revoked { context, .. }] if context == revoked));
    assert_eq!(renderer.stub.attach(revoked), Err(ContextError::UnknownContext));
}

#[test]
fn a_name_may_be_as_long_as_a_message() {
    let browser = Browser::new();
    let place = browser.tab();
    let (mut there, _) = browser.background_loop();
    let mut renderer = Renderer::with(&browser.service, Bounds::default().message_bytes(5_000));
    let script = renderer.content_script(&browser, place);
    let name = "n".repeat(5_000);
    renderer.stub.connect_runtime(script, &OfExtension::own().name(&name)).unwrap();
    assert!(renderer.hear().is_empty());
    assert_eq!(hear(&mut there), [common::connect(&name)]);
    let refused = renderer.stub.connect_runtime(script, &OfExtension::own().name(&"n".repeat(5_001)));
    assert_eq!(refused, Err(ConnectError::NameTooLong));
}

#[test]
fn a_context_that_waits_to_be_detached_takes_no_connection() {
    let browser = Browser::with_limits(common::limits(|limits| limits.lane_records = 4));
    let ConnectedRenderer { mut renderer, place, script, port, mut there, background, .. } =
        ConnectedRenderer::new(&browser, Bounds::default());
    for number in 0..9 {
        renderer.stub.post_message(port, &*number.to_string()).unwrap();
    }
    renderer.stub.detach(script).unwrap();
    assert!(renderer.hear().is_empty());
    assert_eq!(renderer.host.snapshot().contexts, 1);
    let late = there.connect_tab(background, &TabTarget::new(place.tab)).unwrap();
    let mut heard = Vec::new();
    for _ in 0..4 {
        renderer.hear();
        heard.extend(drain(&mut there));
    }
    // What it had said comes before its end, and who came late found nobody.
    let mut expected: Vec<_> = (0..9).map(|number| common::message(number.to_string())).collect();
    expected.push(common::disconnect(DisconnectReason::ContextDetached));
    let (late, rest): (Vec<_>, Vec<_>) = heard.into_iter().partition(|event| event.port() == Some(late));
    assert_eq!(common::heard_by(&rest, background), expected);
    assert_eq!(common::heard_by(&late, background), [common::disconnect(DisconnectReason::NoReceiver)]);
    assert_eq!(renderer.host.snapshot().contexts, 0);
}
