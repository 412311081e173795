//! A message to several contexts of one event loop, handed out as one event where the embedder asks for that.

mod common;

use common::*;
use port_core::{
    ContextId, Event, EventLoop, Limits, Place, Policies, PortId, ReceiverDisconnects, TabTarget,
};

/// A background, and three content scripts in one tab on another loop, which groups them.
struct Scene {
    browser: Browser,
    here: EventLoop,
    there: EventLoop,
    scripts: [ContextId; 3],
    places: [Place; 3],
    port: PortId,
    received: Vec<PortId>,
}

fn scene(limits: Limits, policies: Policies) -> Scene {
    let browser = Browser::with(limits, policies);
    let top = browser.tab();
    let places = [top, browser.frame_in(top), browser.frame_in(top)];
    let (mut here, opener) = browser.background_loop();
    let mut there = browser.event_loop();
    there.group_receivers(true);
    let scripts = places.map(|place| browser.content_script(&mut there, place));
    let port = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    let received = connected(&mut there);
    assert_eq!((received.len(), hear(&mut here)), (3, vec![]));
    Scene { browser, here, there, scripts, places, port, received }
}

/// The ports and the text of the one event that there is.
#[track_caller]
fn the_message(event_loop: &mut EventLoop) -> (Vec<PortId>, String) {
    match &drain(event_loop)[..] {
        [Event::MessageToSeveral { receivers, payload, .. }] => (
            receivers.iter().map(|receiver| receiver.port).collect(),
            String::from_utf8_lossy(payload).into_owned(),
        ),
        [Event::Message { port, payload, .. }] => {
            (vec![*port], String::from_utf8_lossy(payload).into_owned())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_event_names_every_receiver_with_the_embedders_numbers() {
    let Scene { mut here, mut there, scripts, port, received, .. } =
        scene(Limits::default(), Policies::default());
    there.set_context_data(scripts[1], 7).unwrap();
    there.set_port_data(received[2], 9);
    for text in ["short", &"long ".repeat(100)] {
        here.post_message(port, text).unwrap();
        let events = drain(&mut there);
        let [event @ Event::MessageToSeveral { receivers, payload, .. }] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(**payload, *text.as_bytes());
        let shown: Vec<_> = receivers
            .iter()
            .map(|receiver| (receiver.context, receiver.port, receiver.context_data, receiver.port_data))
            .collect();
        let data = [(0, 0), (7, 0), (0, 9)];
        let expected = (0..3).map(|at| (scripts[at], received[at], data[at].0, data[at].1));
        assert_eq!(shown, expected.collect::<Vec<_>>());
        assert_eq!((event.context(), event.port()), (scripts[0], None));
    }
    there.group_receivers(false);
    here.post_message(port, "one by one").unwrap();
    assert_eq!(hear(&mut there), [(); 3].map(|()| message("one by one")));
}

#[test]
fn who_may_not_hear_it_is_left_out() {
    let Scene { browser, mut here, mut there, places, port, .. } =
        scene(Limits::default(), Policies::default());
    here.post_message(port, "to two").unwrap();
    browser.service.frame_removed(places[2].tab, places[2].frame).unwrap();
    let events = drain(&mut there);
    let two = events.iter().find_map(|event| match event {
        Event::MessageToSeveral { receivers, .. } => Some(receivers.len()),
        _ => None,
    });
    assert_eq!((two, events.len()), (Some(2), 2), "{events:?}");
}

#[test]
fn a_message_for_one_that_is_left_is_told_as_ever() {
    let policies = Policies::default().receiver_disconnects(ReceiverDisconnects::LeavesOthers);
    let Scene { mut here, mut there, port, received, .. } = scene(Limits::default(), policies);
    there.disconnect(received[0]);
    here.post_message(port, "to two").unwrap();
    assert_eq!(the_message(&mut there), (received[1..].to_vec(), "to two".to_owned()));
    there.disconnect(received[2]);
    here.post_message(port, "to one").unwrap();
    assert_eq!(the_message(&mut there), (vec![received[1]], "to one".to_owned()));
}

#[test]
fn windows_count_each_receiver() {
    let limits = Limits::default().window_messages(2);
    let Scene { mut here, mut there, port, received, .. } = scene(limits, Policies::default());
    for round in 0..10 {
        here.post_message(port, round.to_string()).unwrap();
        assert_eq!(the_message(&mut there), (received.clone(), round.to_string()));
        drain(&mut here);
    }
}
