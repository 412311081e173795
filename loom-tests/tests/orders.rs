//! The protocol again, in the orders that the other file leaves out: sides that end
//! before a word is said, connections out of a tab, posts that wait for an answer, and
//! two contexts on one thread.

extern crate port_core_model as port_core;

mod support;

use loom::thread;
use port_core_model::{DisconnectReason, Event, ExtensionInstance, MessageService, Policies, TabTarget};
use support::sides::Moment::{Answered, Connected, First, Spoken};
use support::sides::Then::{Detaches, Disconnects, Drops, Stays};
use support::sides::{Fact, Moment, Scene, Then, Way};
use support::{PLACE, Seen, TAB, browser, ends, model, seen};

type Does = (Moment, Then);

fn early(opener: Does, receiver: Does, fact: Fact) {
    Scene { policies: Policies::default(), way: Way::ToTheTab, opener, receiver, fact }.play();
}

fn out_of_the_tab(opener: Does, receiver: Does, fact: Fact) {
    Scene { policies: Policies::default(), way: Way::FromTheTab, opener, receiver, fact }.play();
}

fn posts_wait(opener: Does, receiver: Does, fact: Fact) {
    Scene { policies: Policies::FIREFOX, way: Way::ToTheTab, opener, receiver, fact }.play();
}

macro_rules! orders {
    ($how:ident, $fact:ident in $module:ident, bound $bound:literal, at least $floor:literal: $(
        $test:ident($opener:expr, $receiver:expr)
    )*) => {
        mod $module {
            use super::*;

            $(
                #[test]
                fn $test() {
                    model(Some($bound), $floor, || $how($opener, $receiver, Fact::$fact));
                }
            )*
        }
    };
}

macro_rules! early {
    ($fact:ident in $module:ident, bound $bound:literal, at least $floor:literal) => {
        orders!(early, $fact in $module, bound $bound, at least $floor:
            receiver_is_detached_already((Spoken, Stays), (First, Detaches))
            receiver_is_dropped_already((Spoken, Stays), (First, Drops))
            receiver_disconnects_with_the_connection((Spoken, Stays), (Connected, Disconnects))
            receiver_detaches_with_the_connection((Spoken, Stays), (Connected, Detaches))
            receiver_drops_with_the_connection((Spoken, Stays), (Connected, Drops))
            opener_disconnects_at_once((Connected, Disconnects), (Spoken, Stays))
            opener_detaches_at_once((Connected, Detaches), (Spoken, Stays))
            opener_drops_at_once((Connected, Drops), (Spoken, Stays))
            both_disconnect_without_a_word((Connected, Disconnects), (Connected, Disconnects))
            both_detach_without_a_word((Connected, Detaches), (First, Detaches))
            both_drop_without_a_word((Connected, Drops), (First, Drops))
        );
    };
}

macro_rules! usual {
    ($how:ident, $fact:ident in $module:ident, bound $bound:literal, at least $floor:literal) => {
        orders!($how, $fact in $module, bound $bound, at least $floor:
            both_stay((Spoken, Stays), (Answered, Stays))
            receiver_disconnects((Spoken, Stays), (Answered, Disconnects))
            receiver_detaches((Spoken, Stays), (Answered, Detaches))
            receiver_drops((Spoken, Stays), (Answered, Drops))
            opener_disconnects((Spoken, Disconnects), (Answered, Stays))
            opener_detaches((Spoken, Detaches), (Answered, Stays))
            opener_drops((Spoken, Drops), (Answered, Stays))
            both_disconnect((Spoken, Disconnects), (Answered, Disconnects))
            both_detach((Spoken, Detaches), (Answered, Detaches))
            both_drop((Spoken, Drops), (Answered, Drops))
        );
    };
}

early!(Nothing in early_and_nothing_happens, bound 3, at least 540);
early!(TabCloses in early_and_the_tab_closes, bound 2, at least 400);
early!(ExtensionUnloads in early_and_the_extension_is_unloaded, bound 2, at least 680);

usual!(out_of_the_tab, Nothing in out_of_the_tab_and_nothing_happens, bound 3, at least 700);
usual!(out_of_the_tab, TabCloses in out_of_the_tab_and_it_closes, bound 2, at least 690);
usual!(out_of_the_tab, ReceiverHangs in out_of_the_tab_and_the_receiver_hangs, bound 2, at least 430);

usual!(posts_wait, Nothing in posts_wait_and_nothing_happens, bound 3, at least 650);
usual!(posts_wait, TabCloses in posts_wait_and_the_tab_closes, bound 2, at least 360);
usual!(posts_wait, ExtensionUnloads in posts_wait_and_the_extension_is_unloaded, bound 2, at least 1_000);
usual!(posts_wait, OpenerHangs in posts_wait_and_the_opener_hangs, bound 2, at least 570);

/// Opener and receiver on one event loop, with a lane to itself: the
/// same must hold, and the fact comes from another thread.
fn on_one_loop(opener_then: Then, receiver_then: Then, fact: fn(&MessageService, ExtensionInstance)) {
    let browser = browser();
    let (mut event_loop, opener) = browser.background_loop();
    let receiver = browser.content_script(&mut event_loop, PLACE);
    let service = browser.service.clone();
    let extension = browser.extension;
    let reporting = thread::spawn(move || fact(&service, extension));
    let mut saw = Vec::new();
    let opened = event_loop.connect_tab(opener, &TabTarget::new(TAB)).ok();
    if let Some(port) = opened {
        let _ = event_loop.post_message(port, &[1]);
        match opener_then {
            Disconnects => drop(event_loop.disconnect(port)),
            Detaches => event_loop.detach(opener).unwrap(),
            Stays | Drops => {}
        }
    }
    let mut taken = None;
    while let Some(event) = event_loop.next_event() {
        saw.push((event.context(), seen(&event)));
        let Event::Connect { port, .. } = event else { continue };
        taken = Some(port);
        let _ = event_loop.post_message(port, &[5]);
        match receiver_then {
            Disconnects => drop(event_loop.disconnect(port)),
            Detaches => event_loop.detach(receiver).unwrap(),
            Stays | Drops => {}
        }
    }
    reporting.join().unwrap();
    saw.extend(std::iter::from_fn(|| event_loop.next_event()).map(|event| (event.context(), seen(&event))));
    let of = |context| saw.iter().filter(|(of, _)| *of == context).map(|(_, seen)| *seen).collect::<Vec<_>>();
    for (context, order) in
        [(opener, [Seen::Message(5)].as_slice()), (receiver, &[Seen::Connect, Seen::Message(1)])]
    {
        let saw = of(context);
        let mut rest = saw.as_slice();
        for expected in order {
            rest = rest.strip_prefix(&[*expected]).unwrap_or(rest);
        }
        assert!(
            matches!(rest, [] | [Seen::Disconnect(_) | Seen::Gone(_)] | [Seen::Disconnect(_), Seen::Gone(_)]),
            "{saw:?}"
        );
    }
    // The tab's end, or the extension's, ended whatever was left; the opener that stayed
    // and lives heard so once.
    assert_eq!(event_loop.snapshot().ports, []);
    let opener_saw = of(opener);
    let gone = opener_saw.iter().any(|seen| matches!(seen, Seen::Gone(_)));
    if opener_then == Stays && !gone {
        assert_eq!(ends(&opener_saw), 1, "{opener_saw:?}");
    }
    assert!(taken.is_none_or(|port| !event_loop.is_open(port)));
}

macro_rules! on_one_loop {
    ($($test:ident($opener:ident, $receiver:ident, $fact:expr), at least $floor:literal)*) => {
        mod on_one_loop {
            use super::*;

            $(
                #[test]
                fn $test() {
                    model(Some(3), $floor, || super::on_one_loop($opener, $receiver, $fact));
                }
            )*
        }
    };
}

const TAB_CLOSES: fn(&MessageService, ExtensionInstance) = |service, _| service.tab_closed(TAB).unwrap();
const UNLOADED: fn(&MessageService, ExtensionInstance) =
    |service, extension| service.extension_unloaded(extension).unwrap();

on_one_loop!(
    both_stay_and_the_tab_closes(Stays, Stays, TAB_CLOSES), at least 210
    receiver_detaches_and_the_tab_closes(Stays, Detaches, TAB_CLOSES), at least 540
    opener_detaches_and_the_tab_closes(Detaches, Stays, TAB_CLOSES), at least 450
    both_disconnect_and_the_tab_closes(Disconnects, Disconnects, TAB_CLOSES), at least 210
    both_stay_and_the_extension_is_unloaded(Stays, Stays, UNLOADED), at least 1_500
    receiver_detaches_and_the_extension_is_unloaded(Stays, Detaches, UNLOADED), at least 3_100
    opener_detaches_and_the_extension_is_unloaded(Detaches, Stays, UNLOADED), at least 1_400
);

/// A conversation between two threads that sleep whenever they have nothing to do, to
/// its end: any wake-up that is lost, by whichever record, is a deadlock.
fn conversation(opener_then: Then, receiver_then: Then) {
    let browser = browser();
    let (mut background, opener) = browser.background_loop();
    let (mut page, receiver) = browser.content_script_loop(PLACE);
    let opening = thread::spawn(move || {
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        background.post_message(port, &[1]).unwrap();
        assert_eq!(seen(&background.wait()), Seen::Message(5));
        background.post_message(port, &[2]).unwrap();
        match opener_then {
            Stays => {
                let end = seen(&background.wait());
                assert!(matches!(end, Seen::Disconnect(_)), "{end:?}");
            }
            Disconnects => drop(background.disconnect(port)),
            Detaches => background.detach(opener).unwrap(),
            Drops => drop(background),
        }
    });
    let Event::Connect { port, .. } = page.wait() else { panic!("expected a connection") };
    page.post_message(port, &[5]).unwrap();
    assert_eq!(seen(&page.wait()), Seen::Message(1));
    assert_eq!(seen(&page.wait()), Seen::Message(2));
    match receiver_then {
        Stays => {
            let reason = match opener_then {
                Disconnects => DisconnectReason::Disconnected,
                Detaches => DisconnectReason::ContextDetached,
                _ => DisconnectReason::EventLoopGone,
            };
            assert_eq!(seen(&page.wait()), Seen::Disconnect(reason));
        }
        Disconnects => drop(page.disconnect(port)),
        Detaches => page.detach(receiver).unwrap(),
        Drops => drop(page),
    }
    opening.join().unwrap();
}

macro_rules! conversation {
    ($($test:ident($opener:ident, $receiver:ident), at least $floor:literal)*) => {
        mod conversation {
            use super::*;

            $(
                #[test]
                fn $test() {
                    model(Some(2), $floor, || super::conversation($opener, $receiver));
                }
            )*
        }
    };
}

conversation!(
    the_opener_disconnects(Disconnects, Stays), at least 6_600
    the_opener_detaches(Detaches, Stays), at least 6_600
    the_opener_drops(Drops, Stays), at least 4_300
    the_receiver_disconnects(Stays, Disconnects), at least 7_200
    the_receiver_detaches(Stays, Detaches), at least 7_500
    the_receiver_drops(Stays, Drops), at least 11_000
    both_disconnect(Disconnects, Disconnects), at least 7_000
    both_drop(Drops, Drops), at least 6_700
);
