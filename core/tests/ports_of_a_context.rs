//! Which ports a context has, whose a port is, and which end with a context.

mod common;

use common::*;
use port_core::{ContextId, DisconnectReason, Event, EventLoop, OpeningPort, PortId, TabTarget};

fn ports(event_loop: &EventLoop, context: ContextId) -> Vec<PortId> {
    let mut ports: Vec<_> = event_loop.ports(context).collect();
    ports.sort();
    ports
}

fn sorted<const N: usize>(mut ports: [PortId; N]) -> [PortId; N] {
    ports.sort();
    ports
}

#[test]
fn a_context_lists_its_ports_and_a_port_names_its_context() {
    let browser = Browser::new();
    let Apart { mut here, opener, mut there, script, place } = browser.apart();
    let second = browser.content_script(&mut there, browser.tab());
    assert_eq!(ports(&here, opener), []);
    let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
    let other = connect_runtime(&mut there, script, "").unwrap();
    let accepted = connected(&mut here)[0];
    let seconds = connect_runtime(&mut there, second, "").unwrap();

    assert_eq!(ports(&there, script), sorted([received, other]));
    assert_eq!(ports(&there, second), [seconds]);
    assert_eq!(ports(&here, opener), sorted([port, accepted]));
    assert_eq!(
        [received, other, seconds].map(|port| there.context_of(port)),
        [Some(script), Some(script), Some(second)]
    );
    // Of another loop's it knows nothing, though the slots are the same.
    assert_eq!((ports(&here, script), here.context_of(received)), (vec![], None));

    assert!(there.disconnect(received));
    assert_eq!((ports(&there, script), there.context_of(received)), (vec![other], None));
    there.detach(script).unwrap();
    assert_eq!((ports(&there, script), there.context_of(other)), (vec![], None));
}

#[test]
fn a_port_is_listed_until_its_end_is_handed_out() {
    let browser = Browser::new();
    let Apart { mut here, opener, mut there, place, .. } = browser.apart();
    let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
    assert!(there.disconnect(received));
    assert_eq!(ports(&here, opener), [port]);
    assert_eq!(hear(&mut here), [disconnect(DisconnectReason::Disconnected)]);
    assert_eq!(ports(&here, opener), []);
}

#[test]
fn a_port_that_its_script_disconnected_while_it_was_opening_is_not_listed() {
    let browser = Browser::with_policies(policies(|all| all.opening_port = OpeningPort::PostsWait));
    let Apart { mut here, opener, place, .. } = browser.apart();
    let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    assert_eq!(ports(&here, opener), [port]);
    assert!(here.disconnect(port));
    assert_eq!((ports(&here, opener), here.context_of(port)), (vec![], None));
    browser.service.extension_unloaded(browser.extension).unwrap();
    let Some(Event::ContextGone { ports, .. }) = here.next_event() else { panic!() };
    assert_eq!(ports, [], "its script knows already");
}

#[test]
fn a_context_that_ends_names_the_ports_that_end_with_it() {
    let browser = Browser::new();
    let Apart { mut here, opener, mut there, script, place } = browser.apart();
    let other = browser.content_script(&mut there, browser.tab());
    let (_, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
    let opened = connect_runtime(&mut there, script, "").unwrap();
    let others = connect_runtime(&mut there, other, "").unwrap();
    let left = connect_runtime(&mut there, script, "").unwrap();
    assert!(there.disconnect(left));
    browser.service.tab_closed(place.tab).unwrap();
    let events = drain(&mut there);
    let [Event::ContextGone { context, reason, ports: gone, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!((*context, *reason), (script, DisconnectReason::TabClosed));
    let gone: Vec<_> = gone.iter().map(|ended| ended.port).collect();
    assert!(gone.iter().all(|port| !there.is_open(*port)));
    assert_eq!(sorted(gone.try_into().unwrap()), sorted([received, opened]));
    assert_eq!(ports(&there, other), [others]);
}

#[test]
fn every_event_hands_out_the_embedders_numbers() {
    let browser = Browser::new();
    let Apart { mut here, opener, mut there, script, place } = browser.apart();
    there.set_context_data(script, 11).unwrap();
    here.set_context_data(opener, 12).unwrap();
    let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    assert!(here.set_port_data(port, 22));
    let Some(Event::Connect { port: received, context_data: 11, port_data: 0, .. }) = there.next_event()
    else {
        panic!("a connection");
    };
    assert!(there.set_port_data(received, 21));
    for length in [3, 500] {
        here.post_message(port, vec![7; length]).unwrap();
        there.post_message(received, vec![7; length]).unwrap();
        let Some(Event::Message { context_data: 11, port_data: 21, .. }) = there.next_event() else {
            panic!("a message of {length}");
        };
        let Some(Event::Message { context_data: 12, port_data: 22, .. }) = here.next_event() else {
            panic!("an answer of {length}");
        };
    }
    // As they are when the event is handed out.
    assert!(here.disconnect(port));
    assert!(there.set_port_data(received, 31));
    assert!(!here.set_port_data(port, 9), "its own side is done with it");
    let Some(Event::Disconnect { context_data: 11, port_data: 31, .. }) = there.next_event() else {
        panic!("an end");
    };
    assert_eq!((there.port_data(received), there.context_data(script)), (0, 11));
    // The slot is used again, and its number is not.
    here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    let Some(Event::Connect { port: next, context_data: 11, port_data: 0, .. }) = there.next_event() else {
        panic!("another connection");
    };
    there.set_port_data(next, 41);
    browser.service.tab_closed(place.tab).unwrap();
    let Some(Event::ContextGone { context_data: 11, ports, .. }) = there.next_event() else {
        panic!("the tab was closed");
    };
    assert_eq!(ports.iter().map(|ended| (ended.port, ended.data)).collect::<Vec<_>>(), [(next, 41)]);
    assert!(there.set_context_data(script, 1).is_err());
}

#[test]
fn copies_of_a_fan_out_hand_out_the_numbers_of_each_receiver() {
    let browser = Browser::new();
    let Apart { mut here, opener, mut there, script: _, place } = browser.apart();
    browser.content_script(&mut there, browser.frame_in(place));
    let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    let receivers = connected(&mut there);
    for (&receiver, number) in receivers.iter().zip(1..) {
        assert!(there.set_port_data(receiver, number));
    }
    for length in [3, 500] {
        here.post_message(port, vec![7; length]).unwrap();
        for number in 1..=2 {
            let Some(Event::Message { port_data, .. }) = there.next_event() else { panic!("a copy") };
            assert_eq!(port_data, number);
        }
    }
    // Numbers that are set between two copies of one message: the ports', then the contexts'.
    for (of_ports, numbers) in [(true, [10, 0]), (false, [10, 20])] {
        here.post_message(port, "short").unwrap();
        for &receiver in &receivers {
            if of_ports {
                assert!(there.set_port_data(receiver, 10));
            } else {
                let context = there.context_of(receiver).unwrap();
                there.set_context_data(context, 20).unwrap();
            }
            let Some(Event::Message { port_data, context_data, .. }) = there.next_event() else {
                panic!("a copy")
            };
            assert_eq!([port_data, context_data], numbers);
        }
    }
}

#[test]
fn the_ports_of_a_context_end_in_the_order_in_which_they_were_opened() {
    let browser = Browser::new();
    let Apart { mut here, opener, mut there, script, place } = browser.apart();
    // Which of them were there first is forgotten: others have come in their places.
    let early: Vec<_> =
        (0..6).map(|_| browser.open_port(&mut here, opener, &mut there, place.tab).0).collect();
    let mut opened: Vec<_> = early.iter().copied().skip(1).step_by(2).collect();
    for port in early.into_iter().step_by(2) {
        assert!(here.disconnect(port));
    }
    while there.next_event().is_some() {}
    opened.extend((0..8).map(|_| browser.open_port(&mut here, opener, &mut there, place.tab).0));
    let mut accepted = Vec::new();
    for _ in 0..4 {
        connect_runtime(&mut there, script, "").unwrap();
        accepted.extend(connected(&mut here));
    }

    browser.service.tab_closed(place.tab).unwrap();
    let mut ended = Vec::new();
    while let Some(event) = here.next_event() {
        let Event::Disconnect { port, .. } = event else { panic!("{event:?}") };
        ended.push(port);
    }
    assert_eq!(ended, [opened, accepted].concat());
}
