//! G1: what was posted arrives at every receiver that is still connected, exactly
//! once, in order, before its disconnect.

mod common;

use common::*;
use port_core::{DisconnectReason, Event, EventLoop, INLINE_BYTES, Message, MessageFormat, TabTarget};
use std::sync::{Arc, Mutex};

#[test]
fn messages_posted_right_after_connect_arrive_after_it_in_order() {
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();

    let port = here.connect_tab(opener, &TabTarget::new(place.tab).name("chat")).unwrap();
    for number in 0..5 {
        here.post_message(port, format!("m{number}")).unwrap();
    }
    let mut expected = vec![connect("chat")];
    expected.extend((0..5).map(|number| message(format!("m{number}"))));
    assert_eq!(hear(&mut there), expected);
    assert_eq!(hear(&mut here), []);
}

#[test]
fn everything_of_a_breath_arrives_before_its_disconnect() {
    // b06: 200 posts, then disconnect(); here from both sides, on one loop and on two.
    for same_loop in [true, false] {
        let browser = Browser::new();
        let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
        let place = browser.tab();
        let opener = browser.background(&mut here);
        let target_loop = if same_loop { &mut here } else { &mut there };
        browser.content_script(target_loop, place);

        let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        for number in 0..200 {
            here.post_message(port, format!("{number}")).unwrap();
        }
        assert!(here.disconnect(port));
        let target_loop = if same_loop { &mut here } else { &mut there };
        let mut expected = vec![connect("")];
        expected.extend((0..200).map(|number| message(number.to_string())));
        expected.push(disconnect(DisconnectReason::Disconnected));
        assert_eq!(hear(target_loop), expected);
        assert_eq!(hear(&mut here), []);

        // And from the receiver's side, within its onConnect.
        let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        let target_loop = if same_loop { &mut here } else { &mut there };
        let Some(Event::Connect { port: received, .. }) = target_loop.next_event() else { panic!() };
        for number in 0..200 {
            target_loop.post_message(received, format!("{number}")).unwrap();
        }
        assert!(target_loop.disconnect(received));
        expected.remove(0);
        assert_eq!(hear(&mut here), expected);
        assert!(!here.is_open(port));
    }
}

#[test]
fn every_receiver_of_a_fan_out_gets_every_message_once() {
    let browser = Browser::new();
    let mut loops = [browser.event_loop(), browser.event_loop(), browser.event_loop()];
    let top = browser.tab();
    let frames = [top, browser.frame_in(top), browser.frame_in(top), browser.frame_in(top)];
    let opener = browser.background(&mut loops[0]);
    // One frame on the opener's own loop, one on the second, two on the third.
    let receivers: Vec<_> = frames
        .iter()
        .zip([0, 1, 2, 2])
        .map(|(&place, at)| (at, browser.content_script(&mut loops[at], place)))
        .collect();

    let port = loops[0].connect_tab(opener, &TabTarget::new(top.tab).name("all")).unwrap();
    for number in 0..100 {
        loops[0].post_message(port, format!("{number}")).unwrap();
    }
    loops[0].disconnect(port);
    let [first, second, third] = &mut loops;
    let events = settle([first, second, third]);
    let mut expected = vec![connect("all")];
    expected.extend((0..100).map(|number| message(number.to_string())));
    expected.push(disconnect(DisconnectReason::Disconnected));
    for (at, context) in receivers {
        assert_eq!(heard_by(&events[at], context), expected);
    }
    assert_eq!(heard_by(&events[0], opener), []);
}

#[test]
fn a_receiver_that_leaves_between_two_copies_of_a_message_gets_none() {
    /// How it leaves: by its own call, with its context, or by a fact, which its event loop has yet to hear of.
    #[derive(Clone, Copy, PartialEq)]
    enum Way {
        Disconnects,
        IsDetached,
        IsKilled,
    }
    use Way::*;
    // Short messages and long ones; while the first message is handed out, or a later one.
    let ways = [Disconnects, IsDetached, IsKilled].into_iter().flat_map(|way| [(way, 1), (way, 1_000)]);
    for ((way, length), earlier) in ways.flat_map(|case| [(case, 0), (case, 3)]) {
        let browser = Browser::new();
        let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
        let top = browser.tab();
        let opener = browser.background(&mut here);
        let frames = [top, browser.frame_in(top), browser.frame_in(top)];
        let contexts = frames.map(|place| browser.content_script(&mut there, place));
        let port = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
        let receivers = connected(&mut there);

        for _ in 0..earlier + 2 {
            here.post_message(port, vec![7; length]).unwrap();
        }
        let mut next = || match there.next_event() {
            Some(Event::Message { context, .. }) => Some(context),
            Some(Event::ContextGone { .. }) => None,
            other => panic!("{other:?}"),
        };
        for _ in 0..earlier {
            assert_eq!([next(), next(), next()], contexts.map(Some));
        }
        assert_eq!(next(), Some(contexts[0]));
        match way {
            Disconnects => assert!(there.disconnect(receivers[1])),
            IsDetached => there.detach(contexts[1]).unwrap(),
            IsKilled => browser.service.frame_removed(top.tab, frames[1].frame).unwrap(),
        }
        let rest = std::iter::from_fn(|| there.next_event());
        let heard = rest.filter(|event| !matches!(event, Event::ContextGone { .. }));
        let heard: Vec<_> = heard.map(|event| event.context()).collect();
        assert_eq!(heard, [contexts[2], contexts[0], contexts[2]]);
    }
}

#[test]
fn messages_of_every_length_arrive_whole() {
    // Around each place where a message is cut: record head, slots behind it, inline or by reference.
    let lengths = (0..=INLINE_BYTES + 3).chain([1_000, 1 << 16, 1 << 20]);
    for same_loop in [true, false] {
        let browser = Browser::new();
        let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
        let place = browser.tab();
        let opener = browser.background(&mut here);
        browser.content_script(if same_loop { &mut here } else { &mut there }, place);
        let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        let content: Vec<u8> = (0..1 << 20).map(|at| (at % 251) as u8).collect();
        for length in lengths.clone() {
            here.post_message(port, &content[..length]).unwrap();
            here.post_message(port, content[..length].to_vec()).unwrap();
        }
        let target_loop = if same_loop { &mut here } else { &mut there };
        assert!(matches!(target_loop.next_event(), Some(Event::Connect { .. })));
        for length in lengths.clone() {
            for _ in 0..2 {
                let Some(Event::Message { payload, .. }) = target_loop.next_event() else { panic!() };
                assert!(payload == content[..length], "a message of {length} bytes");
                assert!(payload.into_bytes() == content[..length]);
            }
        }
        assert_eq!(target_loop.next_event(), None);
    }
}

#[test]
fn format_and_user_activation_travel_along() {
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (port, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    let formats = [
        MessageFormat::Json,
        MessageFormat::StructuredClone,
        MessageFormat::Other(0),
        MessageFormat::Other(255),
    ];
    for format in formats {
        for activation in [false, true] {
            for length in [3, INLINE_BYTES + 1] {
                let bytes = vec![7; length];
                let posted = Message::from(&bytes[..]).format(format).user_activation(activation);
                here.post_message(port, posted).unwrap();
                let Some(Event::Message { format: got, user_activation, payload, .. }) = there.next_event()
                else {
                    panic!()
                };
                assert_eq!((got, user_activation, payload.len()), (format, activation, length));
            }
        }
    }
}

#[test]
fn a_long_message_is_passed_by_reference_to_every_receiver() {
    let browser = Browser::new();
    let Apart { mut here, mut there, place: top, opener, .. } = browser.apart();
    browser.content_script(&mut here, browser.frame_in(top));
    let ledger = Ledger::default();
    let posted = ledger.payload(INLINE_BYTES + 1);
    let address = posted.as_ptr();
    let port = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    here.post_message(port, posted).unwrap();
    for event_loop in [&mut here, &mut there] {
        let payloads: Vec<_> = drain(event_loop)
            .into_iter()
            .filter_map(|event| match event {
                Event::Message { payload, .. } => Some(payload.into_bytes()),
                _ => None,
            })
            .collect();
        assert_eq!(payloads.len(), 1);
        assert_eq!(payloads[0].as_ptr(), address);
    }
    ledger.assert_balanced();
}

#[test]
fn after_a_kill_from_outside_a_prefix_arrives_and_then_the_end() {
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
    for number in 0..300 {
        there.post_message(received, format!("{number}")).unwrap();
    }
    browser.service.tab_closed(place.tab).unwrap();
    // Everything here was sent before the kill, so the prefix is everything.
    let mut expected: Vec<_> = (0..300).map(|number| message(number.to_string())).collect();
    expected.push(disconnect(DisconnectReason::TabClosed));
    assert_eq!(hear(&mut here), expected);
    assert!(!here.is_open(port));
}

#[test]
fn what_a_receiver_posts_before_it_ends_within_the_connect_arrives() {
    // The receiver's thread may run, and its context end, while connect is still
    // returning: here it does, on every connect, for the waker is its whole thread.
    for (killed, reason) in [(false, DisconnectReason::ContextDetached), (true, DisconnectReason::TabClosed)]
    {
        let browser = Browser::new();
        let place = browser.tab();
        let page: Arc<Mutex<Option<EventLoop>>> = Arc::default();
        let (running, service) = (Arc::clone(&page), browser.service.clone());
        let waker = waker_fn(move || {
            let Ok(mut page) = running.try_lock() else { return };
            let Some(page) = page.as_mut() else { return };
            while let Some(event) = page.next_event() {
                let Event::Connect { context, port, .. } = event else { panic!() };
                for number in 0..3 {
                    page.post_message(port, format!("{number}")).unwrap();
                }
                if killed {
                    service.tab_closed(place.tab).unwrap();
                    return;
                }
                page.detach(context).unwrap();
            }
        });
        let mut there = browser.service.event_loop(waker);
        browser.content_script(&mut there, place);
        assert_eq!(there.next_event(), None);
        *page.lock().unwrap() = Some(there);

        let mut here = browser.event_loop();
        let opener = browser.background(&mut here);
        here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        assert_eq!(hear(&mut here), [message("0"), message("1"), message("2"), disconnect(reason)]);
        // It holds its own waker.
        drop(page.lock().unwrap().take());
    }
}

#[test]
fn a_connection_and_its_messages_outlive_the_detached_opener() {
    // A page's last words in `pagehide`, to a receiver that looks later; no matter which loop it is on.
    for same_loop in [true, false] {
        let browser = Browser::new();
        let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
        let place = browser.tab();
        let opener = browser.content_script(&mut here, place);
        browser.background(if same_loop { &mut here } else { &mut there });
        let port = connect_runtime(&mut here, opener, "bye").unwrap();
        here.post_message(port, "last words").unwrap();
        here.detach(opener).unwrap();
        let target_loop = if same_loop { &mut here } else { &mut there };
        let expected = [connect("bye"), message("last words"), disconnect(DisconnectReason::ContextDetached)];
        assert_eq!(hear(target_loop), expected, "on one loop: {same_loop}");
    }
}
