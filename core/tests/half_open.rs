//! G3: connect racing with anything that goes away ends in a connection that is
//! closed later, or in "no receiver". No port stays open towards nobody.

mod common;

use common::*;
use port_core::{
    AttachError, ConnectError, ContextId, DisconnectReason, Event, EventLoop, FrameId, MessageService, Place,
    PortId, TabId, TabTarget,
};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

/// Checks that what an opener heard is one whole life, with this end.
#[track_caller]
fn check_opener(events: &[Event], port: PortId, sent_by_receiver: usize) {
    let heard = heard_on(events, port);
    let Some((Heard::Disconnect(reason), before)) = heard.split_last() else {
        panic!("the port never ended: {heard:?}");
    };
    if *reason == DisconnectReason::NoReceiver {
        assert_eq!(before, [], "nobody took it, and yet somebody spoke");
    }
    assert!(before.len() <= sent_by_receiver);
    for (number, heard) in before.iter().enumerate() {
        assert_eq!(*heard, message(number.to_string()), "a prefix in order");
    }
}

/// How a receiver goes away, on its own thread or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Disconnects,
    Detaches,
    DropsItsLoop,
    TabClosed,
    FrameNavigated,
    Unloaded,
    LoopDeclaredGone,
}

/// A receiver's thread: takes what comes, posts a few words on every connection,
/// and goes in its way. Gives what it heard and the loop, unless it dropped that.
fn receive(
    mut event_loop: EventLoop,
    context: ContextId,
    end: End,
    start: &Barrier,
    rounds: usize,
) -> (Vec<Event>, Option<EventLoop>) {
    let mut heard = Vec::new();
    start.wait();
    for _ in 0..rounds {
        let Some(event) = event_loop.next_event() else { continue };
        if let Event::Connect { port, .. } = event {
            for number in 0..3 {
                // Refused once the context is killed.
                let _ = event_loop.post_message(port, number.to_string());
            }
            if end == End::Disconnects {
                event_loop.disconnect(port);
            }
        }
        heard.push(event);
    }
    match end {
        End::Detaches => event_loop.detach(context).unwrap(),
        End::DropsItsLoop => {
            drop(event_loop);
            return (heard, None);
        }
        _ => {}
    }
    (heard, Some(event_loop))
}

fn race(end: End, seed: u64) {
    let mut dice = Dice::new(seed);
    let browser = Browser::new();
    let mut here = browser.event_loop();
    let opener = browser.background(&mut here);
    let place = browser.tab();
    let mut there = browser.event_loop();
    let page = browser.content_script(&mut there, place);
    if dice.below(2) == 0 {
        // Half of the times the loops know each other already.
        let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        here.disconnect(port);
        settle([&mut here, &mut there]);
    }
    let there_id = there.id();
    let start = Barrier::new(3);
    let (rounds, connects, spins) = (dice.below(40), 1 + dice.below(3), dice.below(2_000));
    thread::scope(|scope| {
        let receiver = scope.spawn(|| receive(there, page, end, &start, rounds));
        let fact = scope.spawn(|| {
            start.wait();
            for _ in 0..spins {
                std::hint::spin_loop();
            }
            match end {
                End::TabClosed => browser.service.tab_closed(place.tab).unwrap(),
                End::FrameNavigated => drop(browser.navigate(place)),
                End::Unloaded => browser.service.extension_unloaded(browser.extension).unwrap(),
                End::LoopDeclaredGone => browser.service.event_loop_gone(there_id).unwrap(),
                End::Disconnects | End::Detaches | End::DropsItsLoop => {}
            }
        });
        start.wait();
        let mut ports = Vec::new();
        let mut events = Vec::new();
        for _ in 0..connects {
            match here.connect_tab(opener, &TabTarget::new(place.tab)) {
                Ok(port) => ports.push(port),
                Err(error) => {
                    assert_eq!(end, End::Unloaded);
                    assert!(matches!(error, ConnectError::Gone | ConnectError::UnknownContext));
                }
            }
            events.extend(here.next_event());
        }
        fact.join().unwrap();
        let (mut heard, there) = receiver.join().unwrap();
        let mut there = there.unwrap_or_else(|| browser.event_loop());
        loop {
            let [mine, theirs] = settle([&mut here, &mut there]);
            if end == End::Disconnects {
                for event in &theirs {
                    if let Event::Connect { port, .. } = event {
                        there.disconnect(*port);
                    }
                }
            }
            let quiet = mine.is_empty() && theirs.is_empty();
            events.extend(mine);
            heard.extend(theirs);
            if quiet {
                break;
            }
        }
        if end == End::Unloaded {
            let gone = events.iter().any(|event| matches!(event, Event::ContextGone { .. }));
            assert!(gone, "the opener's context is the extension's too");
            assert!(ports.iter().all(|port| !here.is_open(*port)));
        } else {
            for &port in &ports {
                check_opener(&events, port, 3);
                assert!(!here.is_open(port));
            }
        }
        // The receiver's side is closed as well, or gone with its context.
        let received = heard.iter().filter_map(|event| match event {
            Event::Connect { port, .. } => Some(*port),
            _ => None,
        });
        for port in received {
            assert!(!there.is_open(port), "a receiver's port left open");
        }
        assert_eq!(here.snapshot().ports, []);
        assert_eq!(there.snapshot().ports, []);
    });
}

fn races(end: End) {
    for seed in 0..400 {
        if let Err(panic) = std::panic::catch_unwind(|| race(end, seed)) {
            eprintln!("failing seed {seed} of {end:?}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn connect_races_with_disconnect() {
    races(End::Disconnects);
}

#[test]
fn connect_races_with_detach() {
    races(End::Detaches);
}

#[test]
fn connect_races_with_the_drop_of_a_loop() {
    races(End::DropsItsLoop);
}

#[test]
fn connect_races_with_the_close_of_a_tab() {
    races(End::TabClosed);
}

#[test]
fn connect_races_with_navigation() {
    races(End::FrameNavigated);
}

#[test]
fn connect_races_with_unload() {
    races(End::Unloaded);
}

#[test]
fn connect_races_with_a_loop_declared_gone() {
    races(End::LoopDeclaredGone);
}

/// The tab in which a page of the extension shows up and goes, again and again.
fn flicker(service: &MessageService, place: Place, done: &AtomicBool) {
    let Place { tab, frame, document, .. } = place;
    while !done.load(SeqCst) {
        service.tab_opened(tab, WINDOW).unwrap();
        service.frame_attached(tab, frame, None, document).unwrap();
        service.tab_closed(tab).unwrap();
    }
}

#[test]
fn an_attach_that_loses_its_race_passes_nothing_on_to_the_next() {
    // A context that was seen by others before its attach failed may be named in a
    // notice or a connect. Whatever is attached next must not answer to that.
    let browser = Browser::new();
    let place = place(TabId::new(browser.fresh()), FrameId::TOP, browser.fresh_document());
    let done = AtomicBool::new(false);
    let mut here = browser.event_loop();
    let surprises: Vec<_> = thread::scope(|scope| {
        scope.spawn(|| flicker(&browser.service, place, &done));
        let surprises = (0..30_000)
            .flat_map(|_| {
                let page = describe_page_in_tab_at(browser.extension, place, "ext://p", "ext://");
                let Err(error) = here.attach(page) else {
                    drain(&mut here);
                    return None;
                };
                assert_eq!(error, AttachError::UnknownDocument);
                // Takes the slot that the refused context had.
                let next = browser.background(&mut here);
                let surprise = drain(&mut here).into_iter().find(|event| event.context() == next);
                let _ = here.detach(next);
                surprise
            })
            .collect();
        done.store(true, SeqCst);
        surprises
    });
    assert_eq!(surprises, [], "the end of another context");
}

#[test]
fn ids_of_a_refused_attach_are_not_given_again() {
    let browser = Browser::new();
    let mut here = browser.event_loop();
    let first = browser.background(&mut here);
    here.detach(first).unwrap();
    let nowhere = with_document(browser.tab(), browser.fresh_document());
    let refused = here.attach(describe_content_script(browser.extension, nowhere));
    assert_eq!(refused, Err(AttachError::UnknownDocument));
    let second = browser.background(&mut here);
    assert_eq!(second.to_bits() - first.to_bits(), 2, "the same slot, and between them one id that is lost");
}
