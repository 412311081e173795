//! A renderer that has been taken over: what it tries, and what becomes of it. Each test plays one attacker, who
//! speaks the protocol by hand; `docs/processes.md` lists them.

mod common;

use common::{
    Browser, ConnectedRenderer, Renderer, connected, describe_background, describe_content_script,
    describe_page, describe_web_page, drain, ends, hear, listening_for_everything, message, the_connect,
};
use port_core::{
    ConnectError, ConnectKind, ContextKind, DisconnectReason, DocumentId, Event, ExtensionDescription,
    ExtensionId, ExternalConnections, FrameId, Limits, Listening, MessageFormat, PostErrorKind,
    RuntimeTarget, TabId, TabTarget,
};
use port_core_gateway::wire::{Down, Up, VERSION};
use port_core_gateway::{
    Bounds, Content, ContextNumber, InTab, Lied, OfExtension, PortNumber, Stub, StubEvent,
};

const NOBODY: ContextNumber = ContextNumber::from_bits(99);

fn port(number: u64) -> PortNumber {
    PortNumber::from_bits(number)
}

/// A renderer with a content script in a tab, connected to a background on a thread of the browser.
struct Scene {
    browser: Browser,
    renderer: Renderer,
    script: ContextNumber,
    port: PortNumber,
    tab: TabId,
    there: port_core::EventLoop,
    received: port_core::PortId,
    received_by: port_core::ContextId,
}

impl Scene {
    fn new() -> Self {
        Self::with(Bounds::default())
    }

    fn with(bounds: Bounds) -> Self {
        let browser = Browser::new();
        let ConnectedRenderer { renderer, place, script, port, there, background: received_by, received } =
            ConnectedRenderer::new(&browser, bounds);
        Self { browser, renderer, script, port, tab: place.tab, there, received, received_by }
    }

    /// The attacker sends this, and is caught; nobody else notices.
    #[track_caller]
    fn caught(mut self, frame: Up<'_>, lied: Lied) {
        let lie = self.renderer.forge(frame).unwrap_err();
        assert_eq!(lie.what(), lied);
        assert_eq!(self.renderer.host.turn().unwrap_err(), lie, "it does nothing any more");
        assert_eq!(self.renderer.host.receive(b"anything").unwrap_err(), lie);
        assert_eq!(hear(&mut self.there), []);
        drop(self.renderer);
        assert_eq!(hear(&mut self.there), [common::disconnect(DisconnectReason::EventLoopGone)]);
    }
}

// Speaking as somebody else.

#[test]
fn a_context_that_was_never_granted_cannot_be_attached() {
    Scene::new().caught(Up::Attach { context: NOBODY }, Lied::Context);
    Scene::new().caught(Up::Attach { context: ContextNumber::from_bits(0) }, Lied::Context);
    Scene::new().caught(Up::Attach { context: ContextNumber::from_bits(u64::MAX) }, Lied::Context);
}

#[test]
fn a_grant_is_good_for_one_context() {
    let scene = Scene::new();
    let context = scene.script;
    scene.caught(Up::Attach { context }, Lied::Twice);
    // Once that context is detached, what names it is late, and does nothing.
    let mut scene = Scene::new();
    scene.renderer.stub.detach(scene.script).unwrap();
    scene.renderer.carry_up().unwrap();
    scene.renderer.forge(Up::Attach { context: scene.script }).unwrap();
    assert_eq!(scene.renderer.host.snapshot().contexts, 0);
    assert!(scene.renderer.hear().is_empty());
}

#[test]
fn a_grant_that_is_not_used_speaks_for_nobody() {
    let granted = ContextNumber::from_bits(2);
    for frame in [
        Up::ConnectRuntime { context: granted, port: port(4), target: OfExtension::own() },
        Up::ConnectTab { context: granted, port: port(4), target: InTab::new(TabId::new(1)) },
        Up::Listen { context: granted, listening: Listening::PORTS },
        Up::Detach { context: granted },
    ] {
        let mut scene = Scene::new();
        assert_eq!(scene.renderer.host.grant(describe_background(scene.browser.extension), b""), granted);
        scene.caught(frame, Lied::NotAttached);
    }
}

#[test]
fn a_grant_ends_with_its_document_and_its_extension() {
    let browser = Browser::new();
    let place = browser.tab();
    let mut renderer = Renderer::new(&browser.service);
    let stale = renderer.host.grant(describe_content_script(browser.extension, place), b"");
    let unloaded = renderer.host.grant(describe_page(browser.extension), b"");
    browser.navigate(place);
    renderer.hear();
    renderer.stub.attach(stale).unwrap();
    let heard = renderer.hear();
    assert!(matches!(heard[..], [StubEvent::AttachRefused { context, .. }] if context == stale), "{heard:?}");
    browser.service.extension_unloaded(browser.extension).unwrap();
    renderer.stub.attach(unloaded).unwrap();
    let heard = renderer.hear();
    assert!(
        matches!(heard[..], [StubEvent::AttachRefused { context, .. }] if context == unloaded),
        "{heard:?}"
    );
}

#[test]
fn a_revoked_grant_does_nothing() {
    let browser = Browser::new();
    let mut renderer = Renderer::new(&browser.service);
    let revoked = renderer.host.grant(describe_background(browser.extension), b"");
    renderer.carry_up().unwrap();
    assert!(renderer.host.revoke(revoked));
    // An honest renderer may have used it before it heard so.
    for frame in [
        Up::Attach { context: revoked },
        Up::Listen { context: revoked, listening: Listening::PORTS },
        Up::ConnectTab { context: revoked, port: port(2), target: InTab::new(TabId::new(1)) },
        Up::Post { port: port(2), content: Content::from("late") },
        Up::Disconnect { port: port(2) },
    ] {
        renderer.forge(frame).unwrap();
    }
    let holds = renderer.host.snapshot();
    assert_eq!((holds.contexts, holds.ports, holds.waiting_messages), (0, 0, 0));
    assert_eq!(renderer.host.event_loop().snapshot().contexts.len(), 0);
}

#[test]
fn what_a_sender_is_comes_from_the_browser() {
    // No frame of a renderer's has a field for it, so all that the attacker can fill with names are names.
    let mut scene = Scene::new();
    let target = OfExtension { extension: None, kind: ConnectKind::Port, name: "ext://greeter/bg.js" };
    scene.renderer.forge(Up::ConnectRuntime { context: scene.script, port: port(4), target }).unwrap();
    let events = drain(&mut scene.there);
    let [Event::Connect { sender, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((sender.kind(), sender.url()), (ContextKind::ContentScript, "https://example.org/a"));
    assert_eq!(sender.extension().map(ExtensionId::as_str), Some("greeter@example"));
    assert_eq!(sender.tab(), Some(scene.tab));
}

#[test]
fn a_content_script_cannot_connect_to_tabs() {
    let scene = Scene::new();
    let (context, target) = (scene.script, InTab::new(scene.tab));
    scene.caught(Up::ConnectTab { context, port: port(4), target }, Lied::NotAllowed);
}

#[test]
fn a_page_of_the_web_names_an_extension_and_does_nothing_else() {
    let scene = || {
        let mut scene = Scene::new();
        let place = scene.browser.tab();
        let page = scene.renderer.attach(describe_web_page(place, &["other", "greeter@example"]));
        (scene, page, InTab::new(place.tab))
    };
    let own = OfExtension { extension: None, kind: ConnectKind::Port, name: "as its extension's own" };
    let (mut first, context, tab) = scene();
    let stub = &mut first.renderer.stub;
    assert_eq!(stub.connect_runtime(context, &own), Err(ConnectError::NotAllowed));
    assert_eq!(stub.connect_tab(context, &tab), Err(ConnectError::NotAllowed));
    first.caught(Up::ConnectRuntime { context, port: port(4), target: own }, Lied::NotAllowed);
    let (second, context, target) = scene();
    second.caught(Up::ConnectTab { context, port: port(4), target }, Lied::NotAllowed);
    // With an id it is heard as what it is, by who admits it.
    let (mut third, context, _) = scene();
    let listening = Listening::none().external_ports(true);
    third.there.set_listening(third.received_by, listening).unwrap();
    let target = OfExtension { extension: Some("greeter@example"), ..own };
    third.renderer.stub.connect_runtime(context, &target).unwrap();
    assert!(third.renderer.hear().is_empty());
    let events = drain(&mut third.there);
    let [Event::Connect { sender, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((sender.kind(), sender.extension()), (ContextKind::WebPage, None));
    let (mut fourth, _, _) = scene();
    let unadmitted = fourth.renderer.attach(describe_web_page(fourth.browser.tab(), &["other"]));
    fourth.there.set_listening(fourth.received_by, listening).unwrap();
    let ended = fourth.renderer.stub.connect_runtime(unadmitted, &target).unwrap();
    assert_eq!(ends(&fourth.renderer.hear()), [(ended, DisconnectReason::NoReceiver)]);
    assert_eq!(drain(&mut fourth.there), []);
}

#[test]
fn user_activation_is_believed_where_the_browser_knows_of_it() {
    let mut scene = Scene::new();
    let mut claim = |active: bool| {
        let content = Content::from("{}").user_activation(active);
        scene.renderer.forge(Up::Post { port: scene.port, content }).unwrap();
        let events = drain(&mut scene.there);
        let [Event::Message { user_activation, .. }] = &events[..] else { panic!("{events:?}") };
        let seen = *user_activation;
        assert!(scene.renderer.host.set_user_activation(scene.script, true));
        seen
    };
    assert_eq!([claim(true), claim(true), claim(false)], [false, true, false]);
    assert!(scene.renderer.host.set_user_activation(scene.script, false));
    scene
        .renderer
        .forge(Up::Post { port: scene.port, content: Content::from("{}").user_activation(true) })
        .unwrap();
    assert!(matches!(&drain(&mut scene.there)[..], [Event::Message { user_activation: false, .. }]));
    assert!(!scene.renderer.host.set_user_activation(NOBODY, true));
}

// Reaching somebody else.

#[test]
fn another_extension_is_reached_only_if_it_admits_this_one() {
    let mut scene = Scene::new();
    let closed = scene.browser.load("closed@example");
    let open = ExtensionDescription::new("open@example").external(ExternalConnections::Everyone);
    let open = scene.browser.service.extension_loaded(open).unwrap();
    for extension in [closed, open] {
        common::listen_for(&mut scene.there, describe_background(extension), listening_for_everything());
    }
    for (number, (extension, reached)) in
        [("closed@example", 0), ("absent@example", 0), ("open@example", 1)].into_iter().enumerate()
    {
        let number = port(4 + 2 * number as u64);
        let target = OfExtension { extension: Some(extension), ..OfExtension::own() };
        scene.renderer.forge(Up::ConnectRuntime { context: scene.script, port: number, target }).unwrap();
        assert_eq!(connected(&mut scene.there).len(), reached, "{extension}");
        scene.renderer.host.turn().unwrap();
        // Whether it is there and closed, or not there at all, looks the same.
        let told = if reached == 0 { 1 } else { 0 };
        let mut ended = Vec::new();
        Down::End { port: number, reason: DisconnectReason::NoReceiver, not_listening: false }
            .write(&mut ended);
        let output = scene.renderer.host.output().to_vec();
        assert_eq!(output.windows(ended.len()).filter(|bytes| *bytes == ended).count(), told);
        scene.renderer.host.sent(output.len());
    }
}

#[test]
fn all_numbers_of_other_renderers_mean_nothing() {
    let browser = Browser::new();
    let places = [browser.tab(), browser.tab(), browser.tab()];
    let (mut there, _) = browser.background_loop();
    // Three renderers, each with three ports of its own.
    let mut renderers = places.map(|place| {
        let mut renderer = Renderer::new(&browser.service);
        let script = renderer.content_script(&browser, place);
        let ports = [(); 3].map(|()| renderer.stub.connect_runtime(script, &OfExtension::own()).unwrap());
        assert!(renderer.hear().is_empty());
        (renderer, script, ports)
    });
    assert_eq!(connected(&mut there).len(), 9);
    let ids: Vec<u64> = renderers
        .iter()
        .flat_map(|(renderer, ..)| {
            let snapshot = renderer.host.event_loop().snapshot();
            let ports: Vec<_> = snapshot.ports.iter().map(|port| port.port.to_bits()).collect();
            snapshot.contexts.iter().map(|context| context.context.to_bits()).chain(ports).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(ids.len(), 12);
    // The core's ids, of its own and of the others, are numbers that were never given on any connection.
    for id in ids {
        for frame in [
            Up::Post { port: port(id), content: Content::from("forged") },
            Up::Disconnect { port: port(id) },
            Up::Detach { context: ContextNumber::from_bits(id) },
            Up::Attach { context: ContextNumber::from_bits(id) },
        ] {
            let mut attacker = Renderer::new(&browser.service);
            attacker.content_script(&browser, places[0]);
            assert!(matches!(attacker.forge(frame).unwrap_err().what(), Lied::Port | Lied::Context));
        }
    }
    assert_eq!(hear(&mut there), []);
    // The numbers of the connections count in each alone: who says another's number says his own.
    let (attacker, _, ports) = &mut renderers[0];
    attacker.forge(Up::Post { port: ports[1], content: Content::from("mine") }).unwrap();
    attacker.forge(Up::Disconnect { port: ports[2] }).unwrap();
    let events = drain(&mut there);
    assert_eq!(common::heard_on(&events, events[0].port().unwrap()), [message("mine")]);
    for (renderer, script, ports) in &mut renderers[1..] {
        assert!(renderer.hear().is_empty());
        assert_eq!(renderer.stub.ports(*script).count(), ports.len());
    }
}

#[test]
fn ports_that_never_were_are_not_used() {
    let never = [0, 1, 4, 6, u64::MAX, u64::MAX - 1];
    for number in never {
        Scene::new().caught(Up::Post { port: port(number), content: Content::from("") }, Lied::Port);
        Scene::new().caught(Up::Disconnect { port: port(number) }, Lied::Port);
        Scene::new().caught(Up::Accept { port: port(number) }, Lied::Port);
        Scene::new().caught(Up::Refuse { port: port(number) }, Lied::Port);
    }
}

/// A scene in which the renderer has been asked about a connection and has not answered, and the opener's end.
fn asked() -> (Scene, PortNumber, port_core::PortId) {
    let mut scene = Scene::new();
    let listening = Listening::PORTS.asks(true);
    scene.renderer.stub.set_listening(scene.script, listening).unwrap();
    scene.renderer.carry_up().unwrap();
    let background = scene.there.context_of(scene.received).unwrap();
    let opened = scene.there.connect_tab(background, &TabTarget::new(scene.tab)).unwrap();
    let asked = the_connect(&scene.renderer.hear());
    (scene, asked, opened)
}

#[test]
fn a_question_is_answered_once_and_before_anything_else() {
    // A connection that the renderer opened itself is no question.
    let frames: [fn(PortNumber) -> Up<'static>; 2] = [|port| Up::Accept { port }, |port| Up::Refuse { port }];
    for answer in frames {
        let scene = Scene::new();
        let own = scene.port;
        scene.caught(answer(own), Lied::Answer);
        // Taken, and answered again.
        let (mut scene, port, _) = asked();
        scene.renderer.forge(Up::Accept { port }).unwrap();
        assert_eq!(scene.renderer.forge(answer(port)).unwrap_err().what(), Lied::Answer);
        // Refused: what comes after it is late, and harmless.
        let (mut scene, port, opened) = asked();
        scene.renderer.forge(Up::Refuse { port }).unwrap();
        scene.renderer.forge(answer(port)).unwrap();
        assert_eq!(hear(&mut scene.there), [common::disconnect(DisconnectReason::NoReceiver)]);
        assert!(!scene.there.is_open(opened));
        // The opener ended it while the answer was under way.
        let (mut scene, port, opened) = asked();
        scene.there.disconnect(opened);
        scene.renderer.hear();
        scene.renderer.forge(answer(port)).unwrap();
        assert_eq!(hear(&mut scene.there), []);
    }
    for frame in [|port| Up::Post { port, content: Content::from("untaken") }, |port| Up::Disconnect { port }]
    {
        let (mut scene, port, _) = asked();
        assert_eq!(scene.renderer.forge(frame(port)).unwrap_err().what(), Lied::Answer);
        assert_eq!(hear(&mut scene.there), []);
    }
}

#[test]
fn questions_that_are_never_answered_are_counted() {
    let limits = Limits::default().ports_per_context(3);
    let browser = Browser::with_limits(limits);
    let place = browser.tab();
    let (mut there, background) = browser.background_loop();
    let other = browser.page(&mut there);
    let mut renderer = Renderer::new(&browser.service);
    let script = renderer.content_script(&browser, place);
    renderer.stub.set_listening(script, Listening::PORTS.asks(true)).unwrap();
    renderer.carry_up().unwrap();
    for opener in [background, background, other, other] {
        there.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    }
    assert_eq!(renderer.hear().len(), 3);
    assert_eq!(renderer.host.snapshot().ports, 3);
    // Nobody waits for it behind the others, and its end answers for all of them.
    assert_eq!(hear(&mut there), [common::disconnect(DisconnectReason::LimitReached)]);
    drop(renderer);
    assert_eq!(hear(&mut there), vec![common::disconnect(DisconnectReason::NoReceiver); 3]);
}

#[test]
fn new_ports_come_in_turn() {
    for number in [0, 1, 2, 3, 5, 6, 1 << 40, u64::MAX] {
        let scene = Scene::new();
        let (context, target) = (scene.script, OfExtension::own());
        scene.caught(Up::ConnectRuntime { context, port: port(number), target }, Lied::Turn);
    }
}

#[test]
fn nothing_is_done_with_a_port_twice() {
    let mut scene = Scene::new();
    scene.renderer.forge(Up::Disconnect { port: scene.port }).unwrap();
    // Late, and harmless.
    scene.renderer.forge(Up::Post { port: scene.port, content: Content::from("late") }).unwrap();
    scene.renderer.forge(Up::Disconnect { port: scene.port }).unwrap();
    assert_eq!(hear(&mut scene.there), [common::disconnect(DisconnectReason::Disconnected)]);
    assert!(!scene.there.is_open(scene.received));
}

// Frames that are none.

#[test]
fn a_renderer_greets_once_and_first() {
    let browser = Browser::new();
    for frame in [Up::Attach { context: NOBODY }, Up::Disconnect { port: port(2) }] {
        let lie = Renderer::new(&browser.service).forge(frame).unwrap_err();
        assert_eq!((lie.what(), lie.at()), (Lied::Greeting, 0));
    }
    let lie = Renderer::new(&browser.service).forge(Up::Hello { version: VERSION + 1 }).unwrap_err();
    assert_eq!(lie.what(), Lied::Version);
    Scene::new().caught(Up::Hello { version: VERSION }, Lied::Greeting);
}

#[test]
fn every_changed_byte_is_a_lie_or_the_renderers_own_business() {
    // A connection recorded from an honest stub, with one byte changed: wherever it is, others hear only what the
    // renderer may say.
    let browser = Browser::new();
    let (mut there, _) = browser.background_loop();
    let place = browser.tab();
    let mut recorded = Renderer::new(&browser.service);
    let script = recorded.host.grant(describe_content_script(browser.extension, place), b"");
    recorded.carry_down();
    let granted = recorded.stub.next_event().unwrap();
    assert!(matches!(granted, Some(StubEvent::Granted { .. })));
    recorded.stub.attach(script).unwrap();
    recorded.stub.set_listening(script, Listening::PORTS).unwrap();
    let port = recorded.stub.connect_runtime(script, &OfExtension::own().name("name")).unwrap();
    recorded.stub.post_message(port, "message").unwrap();
    recorded.stub.disconnect(port);
    recorded.stub.detach(script).unwrap();
    let bytes = recorded.stub.output().to_vec();
    drop(recorded);
    let mut lies = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let mut renderer = Renderer::new(&browser.service);
            renderer.host.grant(describe_content_script(browser.extension, place), b"");
            lies += usize::from(renderer.host.receive(&changed).is_err() || renderer.host.finish().is_err());
            for event in drain(&mut there) {
                if let Event::Connect { sender, .. } = event {
                    assert_eq!(
                        (sender.url(), sender.document()),
                        ("https://example.org/a", Some(place.document))
                    );
                }
            }
        }
    }
    assert!(lies > bytes.len() * 4, "{lies} lies in {} bits", bytes.len() * 8);
}

#[test]
fn a_length_is_not_believed_before_its_bytes_are_there() {
    for (length, lied) in [(0_u32, true), (64 << 20, false), ((64 << 20) + 1_025, true), (u32::MAX, true)] {
        let mut scene = Scene::new();
        let received = scene.renderer.host.receive(&length.to_le_bytes());
        assert_eq!(received.is_err(), lied, "{length}");
        assert!(scene.renderer.host.snapshot().input_bytes <= 4);
    }
}

// Filling the browser's memory.

#[test]
fn a_message_beyond_the_limit_is_a_lie() {
    let bounds = Bounds::default().message_bytes(1_000);
    let scene = Scene::with(bounds);
    let (port, payload) = (scene.port, vec![0; 1_001]);
    scene.caught(Up::Post { port, content: Content::from(&payload[..]) }, Lied::Message);
    let scene = Scene::with(bounds);
    let payload = vec![0; 3_000];
    scene.caught(Up::Post { port, content: Content::from(&payload[..]) }, Lied::Length);
}

/// A background that takes nothing, behind a lane that is soon full, and a renderer that is connected to it.
fn before_a_full_lane(bounds: Bounds) -> (Browser, port_core::EventLoop, Renderer, PortNumber) {
    let browser = Browser::with_limits(Limits::default().lane_records(8));
    let ConnectedRenderer { renderer, port, there, .. } = ConnectedRenderer::new(&browser, bounds);
    (browser, there, renderer, port)
}

#[test]
fn more_than_the_windows_let_pass_is_a_lie() {
    let bounds = Bounds::default().port_messages(16).port_bytes(80);
    for (payload, admitted) in [("", 24), ("0123456789", 16)] {
        let (_browser, there, mut renderer, port) = before_a_full_lane(bounds);
        let post = Up::Post { port, content: Content::from(payload) };
        let mut passed = 0;
        let lie = loop {
            match renderer.forge(post) {
                Ok(()) => passed += 1,
                Err(lie) => break lie,
            }
        };
        // Eight are in the lane, and a window's worth waits for it.
        assert_eq!((lie.what(), passed), (Lied::Credit, admitted), "{payload:?}");
        drop(there);
    }
}

#[test]
fn a_renderer_uses_up_no_more_than_its_own() {
    const HELD: u64 = 4 << 20;
    const EACH: usize = 10_000;
    let browser = Browser::new();
    let bounds = Bounds::default().held_bytes(HELD);
    let ConnectedRenderer { mut renderer, port, mut there, received, .. } =
        ConnectedRenderer::new(&browser, bounds);
    // A window's worth and more than the service has for all; whoever it is for takes nothing.
    let flood = vec![7; EACH];
    let mut sent = 0;
    while sent < 60 << 20 && renderer.stub.post_message(port, &flood[..]).is_ok() {
        sent += EACH;
        renderer.carry_up().unwrap();
        let _ = renderer.host.turn().unwrap();
    }
    assert!(sent > 50 << 20, "what the lane does not take, the browser's end keeps in its own bounds");
    let held = browser.service.snapshot().bytes;
    assert!(held <= HELD && held > HELD / 2, "{held} bytes");
    // The same extension's scripts elsewhere are not refused.
    let place = browser.tab();
    let mut other = browser.event_loop();
    let script = other.attach(describe_content_script(browser.extension, place)).unwrap();
    let own = other.connect_runtime(script, &RuntimeTarget::own()).unwrap();
    for _ in 0..1_000 {
        other.post_message(own, &flood[..]).unwrap();
    }
    // Nothing of it is lost.
    let mut heard = 0;
    while heard < sent {
        let before = heard;
        while let Some(event) = there.next_event() {
            match event {
                Event::Message { port, payload, .. } if port == received => heard += payload.len(),
                _ => {}
            }
        }
        renderer.hear();
        assert!(heard > before, "{heard} of {sent} bytes");
    }
}

#[test]
fn the_stub_refuses_before_it_would_lie() {
    let bounds = Bounds::default().port_messages(16).messages(30);
    let (_browser, mut there, mut renderer, port) = before_a_full_lane(bounds);
    let mut posted = 0;
    let mut heard = Vec::new();
    loop {
        match renderer.stub.post_message(port, &*format!("{posted}")) {
            Ok(()) => posted += 1,
            Err(PostErrorKind::WindowFull) => {
                let before = heard.len();
                let events = renderer.hear();
                if events.is_empty() {
                    break;
                }
                assert!(matches!(events[..], [StubEvent::Room { port: with_room, .. }] if with_room == port));
                heard.extend(events);
                assert!(heard.len() > before);
            }
            Err(error) => panic!("{error}"),
        }
    }
    let holds = renderer.host.snapshot();
    assert_eq!((holds.held_calls, holds.waiting_messages, posted), (16, 16, 24));
    // All of it arrives once the receiver takes it, in order.
    let mut arrived = Vec::new();
    while arrived.len() < posted {
        arrived.extend(hear(&mut there));
        renderer.hear();
    }
    assert_eq!(arrived, (0..posted).map(|number| message(number.to_string())).collect::<Vec<_>>());
    assert!(renderer.host.snapshot().held_calls == 0);
}

#[test]
fn who_does_not_read_is_not_listened_to() {
    let bounds = Bounds::default().output_bytes(1_000);
    let mut scene = Scene::with(bounds);
    // Connects that find nobody are each answered.
    let target = OfExtension { extension: Some("absent@example"), ..OfExtension::own() };
    let mut bytes = Vec::new();
    for number in 2..10_000 {
        Up::ConnectRuntime { context: scene.script, port: port(2 * number), target }.write(&mut bytes);
    }
    for piece in bytes.chunks(1_000) {
        if !scene.renderer.host.wants_input() {
            break;
        }
        scene.renderer.host.receive(piece).unwrap();
        scene.renderer.host.turn().unwrap();
    }
    let holds = scene.renderer.host.snapshot();
    assert!(holds.output_bytes < 1_200 && holds.input_bytes < 2_000 && holds.ports < 200, "{holds:?}");
    assert!(!scene.renderer.host.wants_input());
    // Nor is anything taken for it: it fills its lane, and who posts to it is told so.
    let mut posted = 0;
    while scene.there.post_message(scene.received, "to who does not read").is_ok() && posted < 1_000 {
        posted += 1;
    }
    scene.renderer.host.turn().unwrap();
    assert!(scene.renderer.host.snapshot().output_bytes < 1_200);
}

#[test]
fn a_flood_of_connects_is_counted() {
    let bounds = Bounds::default().messages(100);
    let (_browser, mut there, mut renderer, first) = before_a_full_lane(bounds);
    for number in 0..200 {
        renderer.stub.post_message(first, &*number.to_string()).unwrap_or_default();
        renderer.carry_up().unwrap();
    }
    // All of the window is used by what waits; a connect more is too much.
    let context = renderer.stub.context_of(first).unwrap();
    let frame = Up::ConnectRuntime { context, port: port(4), target: OfExtension::own() };
    assert_eq!(renderer.forge(frame).unwrap_err().what(), Lied::Credit);
    assert!(renderer.host.snapshot().ports <= 1);
    assert_eq!(hear(&mut there).len(), 8);
}

#[test]
fn one_stopped_receiver_does_not_silence_the_others() {
    let browser = Browser::with_limits(Limits::default().lane_records(8));
    let places = [browser.tab(), browser.tab()];
    let (mut stopped, _) = browser.content_script_loop(places[0]);
    let (mut alive, _) = browser.content_script_loop(places[1]);
    let mut renderer = Renderer::new(&browser.service);
    let background = renderer.background(&browser);
    let ports = places.map(|place| renderer.stub.connect_tab(background, &InTab::new(place.tab)).unwrap());
    renderer.hear();
    connected(&mut stopped);
    connected(&mut alive);
    for number in 0..100 {
        renderer.stub.post_message(ports[0], "flood").unwrap();
        renderer.stub.post_message(ports[1], &*number.to_string()).unwrap();
        assert!(renderer.hear().is_empty());
        assert_eq!(hear(&mut alive), [message(number.to_string())]);
    }
    assert_eq!(renderer.host.snapshot().held_calls, 92);
    // What was held is not lost, and comes before what follows it.
    renderer.stub.post_message(ports[0], "last").unwrap();
    renderer.stub.disconnect(ports[0]);
    let mut heard = Vec::new();
    while renderer.hear().is_empty() && renderer.host.snapshot().held_calls > 0 {
        heard.extend(hear(&mut stopped));
    }
    heard.extend(hear(&mut stopped));
    let mut expected = vec![message("flood"); 100];
    expected.extend([message("last"), common::disconnect(DisconnectReason::Disconnected)]);
    assert_eq!(heard, expected);
    assert_eq!(renderer.host.snapshot().ports, 1);
}

#[test]
fn more_is_not_taken_than_came() {
    let with_window = || {
        let browser = Browser::with_limits(Limits::default().window_messages(4));
        let ConnectedRenderer {
            mut renderer,
            place,
            script,
            port,
            mut there,
            background: received_by,
            received,
        } = ConnectedRenderer::new(&browser, Bounds::default());
        there.post_message(received, "x").unwrap();
        renderer.host.turn().unwrap();
        Scene { browser, renderer, script, port, tab: place.tab, there, received, received_by }
    };
    let port = with_window().port;
    for (messages, bytes) in [(0, 0), (0, 1), (2, 1), (1, 2), (u32::MAX, u64::MAX)] {
        with_window().caught(Up::Taken { port, messages, bytes }, Lied::Taken);
    }
    let mut scene = with_window();
    scene.renderer.forge(Up::Taken { port, messages: 1, bytes: 1 }).unwrap();
    scene.caught(Up::Taken { port, messages: 1, bytes: 0 }, Lied::Taken);
    with_window().caught(Up::Taken { port: self::port(4), messages: 1, bytes: 1 }, Lied::Port);
    // Nobody counts.
    Scene::new().caught(Up::Taken { port, messages: 1, bytes: 0 }, Lied::Taken);
    // Nothing is taken of a port that has ended, which may be news to who takes it.
    let mut scene = with_window();
    scene.there.disconnect(scene.received);
    scene.renderer.host.turn().unwrap();
    scene.renderer.forge(Up::Taken { port, messages: 9, bytes: 9 }).unwrap();
}

// The renderer's own end, against a browser's end that is none.

#[test]
fn a_stub_does_not_take_what_no_browser_sends() {
    let hello = Down::Hello { version: VERSION, bounds: Bounds::default(), window: (None, None) };
    let grant = |number| Down::Grant {
        context: ContextNumber::from_bits(number),
        kind: ContextKind::Background,
        label: b"",
    };
    let end = |number| Down::End {
        port: port(number),
        reason: DisconnectReason::Disconnected,
        not_listening: false,
    };
    for (frames, lied) in [
        (vec![grant(1)], Lied::Greeting),
        (vec![hello.clone(), hello.clone()], Lied::Greeting),
        (vec![Down::Hello { version: 0, bounds: Bounds::default(), window: (None, None) }], Lied::Version),
        (vec![hello.clone(), grant(2)], Lied::Turn),
        (vec![hello.clone(), end(1)], Lied::Port),
        (vec![hello.clone(), end(2)], Lied::Port),
        (vec![hello.clone(), Down::Revoke { context: NOBODY }], Lied::Context),
        (vec![hello.clone(), Down::Message { port: port(4), content: Content::from("") }], Lied::Port),
        (vec![hello, Down::PortCredit { port: port(3), messages: 1, bytes: 1 }], Lied::Port),
    ] {
        let (mut stub, mut bytes) = (Stub::new(), Vec::new());
        frames.iter().for_each(|frame| frame.write(&mut bytes));
        stub.receive(&bytes);
        let lie = loop {
            match stub.next_event() {
                Ok(event) => assert!(event.is_some(), "{frames:?} is believed"),
                Err(lie) => break lie,
            }
        };
        assert_eq!(lie.what(), lied, "{frames:?}");
        assert_eq!(stub.next_event(), Err(lie));
    }
}

#[test]
fn a_payload_is_carried_as_it_is() {
    // What a receiver's engine makes of the bytes is up to it: the core carries them, and the format as it was said.
    let mut scene = Scene::new();
    let content = Content::from(&[0xff, 0, 0xfe]).format(MessageFormat::Other(77));
    scene.renderer.forge(Up::Post { port: scene.port, content }).unwrap();
    let events = drain(&mut scene.there);
    let [Event::Message { payload, format: MessageFormat::Other(77), .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(payload[..], [0xff, 0, 0xfe]);
}

#[test]
fn who_holds_a_tab_reaches_no_frame_of_another_extension() {
    let browser = Browser::new();
    let other = browser.load("other@example");
    let place = browser.tab();
    let mut there = browser.event_loop();
    common::content_script_of(other, &mut there, place);
    let mut renderer = Renderer::new(&browser.service);
    let background = renderer.background(&browser);
    let everywhere = InTab::new(place.tab);
    for (number, target) in [
        everywhere,
        InTab { frame: Some(FrameId::TOP), ..everywhere },
        InTab { document: Some(place.document), ..everywhere },
        InTab { document: Some(DocumentId::new(u128::MAX)), ..everywhere },
        InTab::new(TabId::new(u64::MAX)),
    ]
    .into_iter()
    .enumerate()
    {
        let number = port(2 + 2 * number as u64);
        renderer.forge(Up::ConnectTab { context: background, port: number, target }).unwrap();
    }
    renderer.host.turn().unwrap();
    assert_eq!(hear(&mut there), []);
    let (mut own, _) = browser.content_script_loop(place);
    let target = TabTarget::new(place.tab);
    let context = common::background_of(other, &mut there);
    there.connect_tab(context, &target).unwrap();
    assert_eq!(hear(&mut own), [], "nor the other way round");
}
