//! G10: neither a flood from one loop nor a loop's own doing holds up another.

mod common;

use common::*;
use port_core::{Event, EventLoop, PortId, TabTarget};

/// Far more events than a batch per lane and round.
const PATIENCE: usize = 2_000;

/// Event loops that reach one background on a loop of their own.
fn clients<const N: usize>(browser: &Browser, busy: &mut EventLoop) -> [(EventLoop, PortId); N] {
    browser.background(busy);
    let clients = std::array::from_fn(|_| {
        let mut event_loop = browser.event_loop();
        let page = browser.content_script(&mut event_loop, browser.tab());
        let port = connect_runtime(&mut event_loop, page, "").unwrap();
        (event_loop, port)
    });
    assert_eq!(connected(busy).len(), N);
    clients
}

fn is_message(event: &Event, text: &str) -> bool {
    matches!(event, Event::Message { payload, .. } if &**payload == text.as_bytes())
}

#[test]
fn a_flood_from_one_loop_does_not_hold_up_another() {
    let browser = Browser::new();
    let mut busy = browser.event_loop();
    let [(mut loud, flood), (mut quiet, port), (mut silent, last)] = clients(&browser, &mut busy);
    for _ in 0..50_000 {
        loud.post_message(flood, "flood").unwrap();
    }
    quiet.post_message(port, "a word").unwrap();
    silent.post_message(last, "another").unwrap();
    let taken: Vec<_> = std::iter::from_fn(|| busy.next_event()).take(PATIENCE).collect();
    assert!(taken.iter().any(|event| is_message(event, "a word")));
    assert!(taken.iter().any(|event| is_message(event, "another")));
    // And again while the flood goes on for every event taken.
    quiet.post_message(port, "in between").unwrap();
    let heard = (0..PATIENCE).any(|_| {
        loud.post_message(flood, "flood").unwrap();
        is_message(&busy.next_event().unwrap(), "in between")
    });
    assert!(heard);
}

#[test]
fn a_flood_does_not_hold_up_what_the_browser_reports() {
    let browser = Browser::new();
    let mut busy = browser.event_loop();
    let [(mut loud, flood)] = clients(&browser, &mut busy);
    let place = browser.tab();
    let page = browser.content_script(&mut busy, place);
    for _ in 0..50_000 {
        loud.post_message(flood, "flood").unwrap();
    }
    browser.service.tab_closed(place.tab).unwrap();
    let heard = (0..PATIENCE)
        .any(|_| matches!(busy.next_event(), Some(Event::ContextGone { context, .. }) if context == page));
    assert!(heard);
}

#[test]
fn a_loop_that_posts_to_itself_for_ever_hears_others() {
    let browser = Browser::new();
    let mut busy = browser.event_loop();
    let [(mut quiet, port)] = clients(&browser, &mut busy);
    let place = browser.tab();
    browser.content_script(&mut busy, place);
    let opener = browser.background(&mut busy);
    let own = busy.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    busy.post_message(own, "ping").unwrap();
    quiet.post_message(port, "a word").unwrap();
    let heard = (0..PATIENCE).any(|_| match busy.next_event().unwrap() {
        event if is_message(&event, "a word") => true,
        _ => {
            // Two for one: the queue never empties.
            busy.post_message(own, "ping").unwrap();
            busy.post_message(own, "ping").unwrap();
            false
        }
    });
    assert!(heard);
}

#[test]
fn a_loop_that_connects_again_whenever_nobody_is_there_hears_others() {
    // What extensions do: reconnect in onDisconnect.
    let browser = Browser::new();
    let mut busy = browser.event_loop();
    let [(mut quiet, port)] = clients(&browser, &mut busy);
    let nobody = TabTarget::new(browser.tab().tab);
    let opener = browser.background(&mut busy);
    busy.connect_tab(opener, &nobody).unwrap();
    quiet.post_message(port, "a word").unwrap();
    let heard = (0..PATIENCE).any(|_| match busy.next_event().unwrap() {
        Event::Disconnect { .. } => {
            busy.connect_tab(opener, &nobody).unwrap();
            false
        }
        event => is_message(&event, "a word"),
    });
    assert!(heard);
}

#[test]
fn a_fan_out_of_many_events_a_record_does_not_hold_up_another_loop() {
    let browser = Browser::new();
    let mut busy = browser.event_loop();
    let [(mut quiet, port)] = clients(&browser, &mut busy);
    let top = browser.tab();
    for _ in 0..20 {
        browser.content_script(&mut busy, browser.frame_in(top));
    }
    let mut loud = browser.event_loop();
    let opener = browser.background(&mut loud);
    let flood = loud.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    for _ in 0..5_000 {
        loud.post_message(flood, "flood").unwrap();
    }
    quiet.post_message(port, "a word").unwrap();
    // A batch counts records, so a round is as long as its receivers are many.
    let heard = (0..20 * PATIENCE).any(|_| is_message(&busy.next_event().unwrap(), "a word"));
    assert!(heard);
}

#[test]
fn every_one_of_many_flooding_loops_has_its_turn() {
    let browser = Browser::new();
    let mut busy = browser.event_loop();
    let mut clients: [_; 8] = clients(&browser, &mut busy);
    for (number, (event_loop, port)) in clients.iter_mut().enumerate() {
        for _ in 0..2_000 {
            event_loop.post_message(*port, format!("{number}")).unwrap();
        }
    }
    let mut taken = [0_usize; 8];
    for _ in 0..8_000 {
        let Some(Event::Message { payload, .. }) = busy.next_event() else { panic!() };
        taken[std::str::from_utf8(&payload).unwrap().parse::<usize>().unwrap()] += 1;
        let (least, most) = (taken.iter().min().unwrap(), taken.iter().max().unwrap());
        assert!(most - least <= 128, "{taken:?}");
    }
}
