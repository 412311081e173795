//! G10: neither a flood from one loop nor a loop's own doing holds up another, nor does an extension another one.

mod common;

use common::*;
use port_core::{
    ConnectError, ConnectKind, ContextId, Event, EventLoop, ExtensionInstance, Listening, Place, PortId,
    TabId, TabTarget,
};

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

/// How many records are taken of what one extension sent before it is another's turn; and of what was sent while nobody
/// else sent anything.
const TURN: usize = 2;
const TURN_ALONE: usize = 64;

/// Two extensions between the same two loops, or on one: a background and a content script of each, which are connected.
struct Beside {
    loops: Vec<EventLoop>,
    /// Of the loops, those of the backgrounds and of the content scripts.
    homes: [usize; 2],
    backgrounds: [ContextId; 2],
    /// That the content scripts live in.
    tab: TabId,
    /// By extension, the ends of the background and of the content script.
    ports: [[PortId; 2]; 2],
}

impl Beside {
    /// Lanes that are short, so that one that is kept full is filled soon.
    fn on(loops: usize) -> Self {
        let browser = Browser::with_limits(limits(|limits| limits.lane_records = 300));
        let mut loops: Vec<_> = (0..loops).map(|_| browser.event_loop()).collect();
        let (homes, place) = ([0, loops.len() - 1], browser.tab());
        let listening = Listening::PORTS.one_off(true);
        let mut attach = |extension: ExtensionInstance, place: Place| {
            let background = listen_for(&mut loops[homes[0]], describe_background(extension), listening);
            let script = describe_content_script(extension, place);
            listen_for(&mut loops[homes[1]], script, listening);
            background
        };
        let extensions = [browser.extension, browser.load("other@example")];
        let backgrounds = extensions.map(|extension| attach(extension, place));
        let ports = backgrounds.map(|background| {
            let port = loops[homes[0]].connect_tab(background, &TabTarget::new(place.tab)).unwrap();
            [port, take_connect(&mut loops[homes[1]])]
        });
        loops.iter_mut().for_each(|event_loop| assert_eq!(hear(event_loop), []));
        Self { loops, homes, backgrounds, tab: place.tab, ports }
    }

    /// The first extension posts from one side until its lane is full.
    fn flood(&mut self, side: usize) {
        let event_loop = &mut self.loops[self.homes[side]];
        while event_loop.post_message(self.ports[0][side], "flood").is_ok() {}
    }

    /// How much the loop of the other side takes before what is awaited, while the lane of the first extension is kept full.
    fn takes_before(&mut self, side: usize, awaited: impl Fn(&Event) -> bool) -> usize {
        (0..PATIENCE)
            .take_while(|_| {
                let event = self.loops[self.homes[1 - side]].next_event().expect("the lane is full");
                let goes_on = !awaited(&event);
                self.flood(side);
                goes_on
            })
            .count()
    }
}

#[test]
fn behind_a_lane_that_one_extension_keeps_full_another_is_heard_after_a_turn() {
    for loops in [1, 2] {
        for side in [0, 1] {
            let mut beside = Beside::on(loops);
            let word = |beside: &mut Beside| {
                let from = beside.homes[side];
                beside.loops[from].post_message(beside.ports[1][side], "a word").unwrap();
            };
            // Both lie there before the loop looks.
            beside.flood(side);
            word(&mut beside);
            let before = beside.takes_before(side, |event| is_message(event, "a word"));
            assert!(before <= TURN, "{before} before the first word");
            // Both are taken from now on, whenever the other one comes.
            for offset in 0..200 {
                (0..offset % 20).for_each(|_| assert_eq!(beside.takes_before(side, |_| true), 0));
                word(&mut beside);
                let before = beside.takes_before(side, |event| is_message(event, "a word"));
                assert!(before <= TURN, "{before} before a word, after {offset}");
            }
        }
    }
}

#[test]
fn an_extension_that_begins_to_speak_waits_for_a_long_turn_at_most() {
    for loops in [1, 2] {
        for side in [0, 1] {
            for taken in [1, 5, TURN_ALONE, TURN_ALONE + 1] {
                let mut beside = Beside::on(loops);
                // Nobody else sends anything, so its turns are long.
                beside.flood(side);
                (0..taken).for_each(|_| assert_eq!(beside.takes_before(side, |_| true), 0));
                let from = beside.homes[side];
                beside.loops[from].post_message(beside.ports[1][side], "a word").unwrap();
                let before = beside.takes_before(side, |event| is_message(event, "a word"));
                assert!(before <= TURN_ALONE + TURN, "{before} before the word");
            }
        }
    }
}

#[test]
fn a_one_off_message_is_heard_after_a_turn_of_another_extension() {
    for loops in [1, 2] {
        for floods_by_one_offs in [false, true] {
            let mut beside = Beside::on(loops);
            let target = TabTarget::new(beside.tab).kind(ConnectKind::OneOff);
            let send = |event_loop: &mut EventLoop, opener, text: &str| {
                let port = event_loop.connect_tab(opener, &target)?;
                // Where there is no room for it, the connection counts all the same.
                let _ = event_loop.post_message(port, text);
                event_loop.disconnect(port);
                Ok::<(), ConnectError>(())
            };
            let [loud, quiet] = beside.backgrounds;
            if floods_by_one_offs {
                while send(&mut beside.loops[0], loud, "flood").is_ok() {}
            } else {
                beside.flood(0);
            }
            send(&mut beside.loops[0], quiet, "a word").unwrap();
            let to = &mut beside.loops[beside.homes[1]];
            let before =
                (0..PATIENCE).take_while(|_| !is_message(&to.next_event().unwrap(), "a word")).count();
            // Its connect is heard before it.
            assert!(before <= TURN + 1, "{before} before the word");
        }
    }
}
