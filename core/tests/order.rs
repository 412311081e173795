//! G5: what one event loop sends to one receiving context arrives in the order sent, across ports that one extension
//! opened, connects, messages and disconnects.

mod common;

use common::*;
use port_core::DisconnectReason::{ContextDetached, Disconnected};
use port_core::{BackForwardCache, ContextId, Event, EventLoop, Place, TabTarget};

/// An opener and a receiver, on one loop or on two.
fn with_both(test: impl Fn(&Browser, &mut EventLoop, Option<&mut EventLoop>, ContextId, Place)) {
    for same_loop in [true, false] {
        let browser = Browser::new();
        let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
        let place = browser.tab();
        let opener = browser.background(&mut here);
        browser.content_script(if same_loop { &mut here } else { &mut there }, place);
        test(&browser, &mut here, if same_loop { None } else { Some(&mut there) }, opener, place);
    }
}

fn hear_there(here: &mut EventLoop, there: Option<&mut EventLoop>) -> Vec<Heard> {
    hear(there.unwrap_or(here))
}

#[test]
fn posts_that_alternate_on_two_ports_keep_their_order() {
    // d01
    with_both(|_, here, there, opener, place| {
        let target = TabTarget::new(place.tab);
        let ports = [here.connect_tab(opener, &target).unwrap(), here.connect_tab(opener, &target).unwrap()];
        for number in 0..200 {
            here.post_message(ports[number % 2], number.to_string()).unwrap();
        }
        let mut expected = vec![connect(""), connect("")];
        expected.extend((0..200).map(|number| message(number.to_string())));
        assert_eq!(hear_there(here, there), expected);
    });
}

#[test]
fn connects_messages_and_ends_of_many_ports_come_in_the_order_of_the_calls() {
    // d03, d04, d07, as measured in Chromium.
    with_both(|_, here, there, opener, place| {
        let mut expected = Vec::new();
        let mut ports = Vec::new();
        let mut dice = Dice::new(5);
        for number in 0..600 {
            match dice.below(5) {
                0 => {
                    let name = format!("c{number}");
                    let target = TabTarget::new(place.tab).name(&name);
                    ports.push(here.connect_tab(opener, &target).unwrap());
                    expected.push(connect(&name));
                }
                1 if ports.len() > 2 => {
                    let port = ports.swap_remove(dice.below(ports.len()));
                    here.disconnect(port);
                    expected.push(disconnect(Disconnected));
                }
                _ => {
                    let Some(port) = dice.pick(&ports) else { continue };
                    // Long ones go another way than short ones, and may not overtake.
                    let text = format!("{number}").repeat([1, 20, 200][dice.below(3)]);
                    here.post_message(port, text.clone()).unwrap();
                    expected.push(message(text));
                }
            }
        }
        assert_eq!(hear_there(here, there), expected);
    });
}

#[test]
fn several_openers_on_one_loop_are_heard_in_the_order_of_the_calls() {
    with_both(|browser, here, there, _, place| {
        let openers = [browser.background(here), browser.background(here), browser.background(here)];
        let target = TabTarget::new(place.tab);
        let ports = openers.map(|opener| here.connect_tab(opener, &target).unwrap());
        let mut expected = vec![connect(""); 3];
        for number in 0..90 {
            here.post_message(ports[number * 7 % 3], number.to_string()).unwrap();
            expected.push(message(number.to_string()));
        }
        for (opener, port) in openers.into_iter().zip(ports) {
            here.post_message(port, "last").unwrap();
            here.detach(opener).unwrap();
            expected.extend([message("last"), disconnect(ContextDetached)]);
        }
        assert_eq!(hear_there(here, there), expected);
    });
}

#[test]
fn a_receivers_answers_keep_their_order_too() {
    // d05
    with_both(|_, here, mut there, opener, place| {
        let target = TabTarget::new(place.tab);
        let ports = [(); 3].map(|()| here.connect_tab(opener, &target).unwrap());
        let events = drain(there.as_deref_mut().unwrap_or(here));
        let received: Vec<_> = events.iter().filter_map(Event::port).collect();
        for number in 0..300 {
            let event_loop = there.as_deref_mut().unwrap_or(here);
            event_loop.post_message(received[number % 3], number.to_string()).unwrap();
        }
        for port in received {
            there.as_deref_mut().unwrap_or(here).disconnect(port);
        }
        let mut expected: Vec<_> = (0..300).map(|number| message(number.to_string())).collect();
        expected.extend([(); 3].map(|()| disconnect(Disconnected)));
        assert_eq!(hear(here), expected);
        assert!(ports.iter().all(|port| !here.is_open(*port)));
    });
}

#[test]
fn a_post_that_takes_in_credits_and_a_snapshot_leave_the_order_alone() {
    let browser = Browser::with_limits(limits(|limits| limits.window_messages = Some(2)));
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
    let mut expected = Vec::new();
    for round in 0..20 {
        here.post_message(port, "x").unwrap();
        here.post_message(port, "x").unwrap();
        let page = browser.content_script(&mut there, place);
        connect_runtime(&mut there, page, "").unwrap();
        expected.push(connect(""));
        drain(&mut there);
        if there.post_message(received, round.to_string()).is_ok() {
            expected.push(message(round.to_string()));
        }
        let _ = here.snapshot();
    }
    let heard: Vec<_> = hear(&mut here).into_iter().filter(|heard| *heard != Heard::Room).collect();
    assert_eq!(heard, expected);
}

#[test]
fn what_waited_for_a_cached_page_comes_before_what_comes_after() {
    let queues = BackForwardCache::queues_messages(100, 10_000);
    let browser = Browser::with_policies(policies(|policies| policies.back_forward_cache = queues));
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (first, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    let (second, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    let mut expected = Vec::new();
    let mut post = |here: &mut EventLoop, number: usize| {
        here.post_message(if number.is_multiple_of(3) { first } else { second }, number.to_string()).unwrap();
        expected.push(message(number.to_string()));
    };
    (0..10).for_each(|number| post(&mut here, number));
    browser.service.document_cached(place.document).unwrap();
    assert_eq!(hear(&mut there), []);
    (10..20).for_each(|number| post(&mut here, number));
    assert_eq!(hear(&mut there), []);
    (20..30).for_each(|number| post(&mut here, number));
    browser.service.document_restored(place.document).unwrap();
    (30..40).for_each(|number| post(&mut here, number));
    here.disconnect(first);
    expected.push(disconnect(Disconnected));
    assert_eq!(hear(&mut there), expected);
}
