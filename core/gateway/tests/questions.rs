//! Who takes a connection is what the renderer says when it hears of it.

mod common;

use common::{Browser, Renderer, disconnect, hear, message, texts, the_connect};
use port_core::{DisconnectReason, Event, Listening, PortStatus, TabTarget};
use port_core_gateway::{ContextNumber, StubEvent};

/// A background in the browser, and a renderer with a content script that listens.
struct Scene {
    _browser: Browser,
    renderer: Renderer,
    script: ContextNumber,
    there: port_core::EventLoop,
    opener: port_core::ContextId,
    target: TabTarget,
}

fn scene(listening: Listening) -> Scene {
    let browser = Browser::new();
    let place = browser.tab();
    let (there, opener) = browser.background_loop();
    let mut renderer = Renderer::new(&browser.service);
    let script = renderer.content_script(&browser, place);
    renderer.stub.set_listening(script, listening).unwrap();
    renderer.carry_up().unwrap();
    Scene { _browser: browser, renderer, script, there, opener, target: TabTarget::new(place.tab) }
}

#[test]
fn a_listener_that_was_removed_meanwhile_is_no_receiver() {
    let Scene { mut renderer, script, mut there, opener, target, .. } = scene(Listening::PORTS);
    there.connect_tab(opener, &target).unwrap();
    renderer.host.turn().unwrap();
    // The connection is on its way down, and this on its way up.
    renderer.stub.set_listening(script, Listening::none()).unwrap();
    assert_eq!(renderer.hear(), []);
    let heard = there.next_event();
    let Some(Event::Disconnect { reason, not_listening, .. }) = heard else { panic!("{heard:?}") };
    assert_eq!((reason, not_listening), (DisconnectReason::NoReceiver, true));
    assert_eq!((renderer.host.snapshot().ports, renderer.stub.ports(script).count()), (0, 0));
}

#[test]
fn a_connection_that_crosses_another_listener_is_taken_by_it() {
    let Scene { mut renderer, script, mut there, opener, target, .. } = scene(Listening::PORTS);
    let port = there.connect_tab(opener, &target).unwrap();
    there.post_message(port, "hello").unwrap();
    renderer.host.turn().unwrap();
    renderer.stub.set_listening(script, Listening::PORTS.one_off(true)).unwrap();
    let heard = renderer.hear();
    assert_eq!((heard.len(), texts(&heard)), (2, vec!["hello".to_owned()]));
    assert_eq!(hear(&mut there), []);
    assert!(there.snapshot().ports[0].others[0].accepted);
}

#[test]
fn a_script_that_is_asked_decides_later() {
    let Scene { mut renderer, script, mut there, opener, target, .. } = scene(Listening::PORTS.asks(true));
    let connects = [(); 3].map(|()| there.connect_tab(opener, &target).unwrap());
    there.post_message(connects[0], "hello").unwrap();
    let heard = renderer.hear();
    let question = |event: &StubEvent| match event {
        StubEvent::Connect { port, undecided: true, external: false, .. } => Some(*port),
        _ => None,
    };
    let asked: Vec<_> = heard.iter().filter_map(question).collect();
    assert_eq!((asked.len(), texts(&heard)), (3, vec!["hello".to_owned()]));
    let states = |renderer: &Renderer| {
        let ports = renderer.host.event_loop().snapshot().ports;
        ports.iter().map(|port| port.status).collect::<Vec<_>>()
    };
    assert_eq!(states(&renderer), [PortStatus::Undecided; 3]);
    let stub = &mut renderer.stub;
    assert!(stub.accept(asked[0]) && !stub.accept(asked[0]) && !stub.refuse(asked[0]));
    assert!(stub.refuse(asked[1]) && !stub.refuse(asked[1]) && !stub.is_open(asked[1]));
    stub.post_message(asked[2], "taken by a post").unwrap();
    assert!(!stub.refuse(asked[2]));
    assert_eq!(renderer.hear(), []);
    assert_eq!(hear(&mut there), [disconnect(DisconnectReason::NoReceiver), message("taken by a post")]);
    assert_eq!(states(&renderer), [PortStatus::Open; 2]);
    renderer.stub.detach(script).unwrap();
}

#[test]
fn nothing_waits_behind_a_question() {
    let Scene { mut renderer, script, mut there, opener, target, .. } = scene(Listening::PORTS.asks(true));
    there.connect_tab(opener, &target).unwrap();
    the_connect(&renderer.hear());
    renderer.stub.set_listening(script, Listening::PORTS).unwrap();
    renderer.carry_up().unwrap();
    let port = there.connect_tab(opener, &target).unwrap();
    there.post_message(port, "hello").unwrap();
    assert_eq!(texts(&renderer.hear()), ["hello"]);
}

#[test]
fn a_question_is_over_with_its_context() {
    let Scene { mut renderer, script, mut there, opener, target, .. } = scene(Listening::PORTS.asks(true));
    there.connect_tab(opener, &target).unwrap();
    let asked = the_connect(&renderer.hear());
    renderer.stub.detach(script).unwrap();
    assert!(!renderer.stub.accept(asked));
    assert_eq!(renderer.hear(), []);
    assert_eq!(hear(&mut there), [disconnect(DisconnectReason::NoReceiver)]);
}
