//! A context that asks decides about each connection later. Until then its port hears what comes, and the opener has
//! no answer.

mod common;

use common::*;
use port_core::{
    ConnectListeners, ContextId, DisconnectReason, Event, EventLoop, Limits, Listening, Policies, PortId,
    PortStatus, TabTarget,
};

/// A background, and a content script that asks.
fn asking(browser: &Browser) -> Apart {
    let mut apart = browser.apart();
    ask(&mut apart.there, apart.script);
    apart
}

fn ask(event_loop: &mut EventLoop, context: ContextId) {
    event_loop.set_listening(context, listening_for_everything().asks(true)).unwrap();
}

/// The ports that are handed out as questions; nothing else is.
fn questions(event_loop: &mut EventLoop) -> Vec<PortId> {
    let question = |event: &Event| match event {
        Event::Connect { port, undecided: true, .. } => *port,
        other => panic!("no question: {other:?}"),
    };
    drain(event_loop).iter().map(question).collect()
}

#[test]
fn what_was_posted_meanwhile_is_heard_and_an_answer_goes_back_once_it_is_taken() {
    let browser = Browser::new();
    let Apart { mut here, opener, mut there, place, .. } = asking(&browser);
    let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    here.post_message(port, "hello").unwrap();
    let events = drain(&mut there);
    let [Event::Connect { port: asked, undecided: true, .. }, Event::Message { .. }] = events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(there.snapshot().ports[0].status, PortStatus::Undecided);
    assert!(there.is_open(asked));
    assert!(there.accept(asked));
    assert!(!there.accept(asked) && !there.refuse(asked), "it is decided");
    there.post_message(asked, "welcome").unwrap();
    assert_eq!(hear(&mut here), [message("welcome")]);
    assert!(here.snapshot().ports[0].others[0].accepted);
}

#[test]
fn a_post_takes_the_connection() {
    let browser = Browser::new();
    let Apart { mut here, opener, mut there, place, .. } = asking(&browser);
    here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    let asked = questions(&mut there)[0];
    there.post_message(asked, "welcome").unwrap();
    assert!(!there.refuse(asked));
    assert_eq!(hear(&mut here), [message("welcome")]);
}

#[test]
fn a_refusal_is_no_receiver_and_nothing_is_left() {
    let browser = Browser::new();
    let Apart { mut here, opener, mut there, place, .. } = asking(&browser);
    let refuse: [fn(&mut EventLoop, PortId) -> bool; 2] = [EventLoop::refuse, EventLoop::disconnect];
    for refuse in refuse {
        here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        let asked = questions(&mut there)[0];
        assert!(refuse(&mut there, asked));
        assert!(!there.is_open(asked) && !there.accept(asked) && !there.refuse(asked));
        let events = drain(&mut here);
        let reason = DisconnectReason::NoReceiver;
        assert!(
            matches!(events[..], [Event::Disconnect { reason: got, not_listening: true, .. }] if got == reason),
            "{events:?}"
        );
        assert_eq!((here.snapshot().ports, there.snapshot().ports), (vec![], vec![]));
    }
}

#[test]
fn nothing_waits_behind_a_question() {
    let browser = Browser::new();
    let Apart { mut here, opener, mut there, script, place } = asking(&browser);
    let undecided = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    there.set_listening(script, Listening::PORTS.asks(true)).unwrap();
    assert_eq!(questions(&mut there).len(), 1);
    there.set_listening(script, Listening::PORTS).unwrap();
    let port = here.connect_tab(opener, &TabTarget::new(place.tab).name("other")).unwrap();
    here.post_message(undecided, "to nobody yet").unwrap();
    here.post_message(port, "hello").unwrap();
    assert_eq!(hear(&mut there), [connect("other"), message("to nobody yet"), message("hello")]);
}

#[test]
fn one_of_several_that_takes_it_is_enough() {
    let browser = Browser::new();
    let place = browser.tab();
    let (mut here, opener) = browser.background_loop();
    let (mut there, first) = browser.content_script_loop(place);
    let second = browser.content_script(&mut there, browser.frame_in(place));
    ask(&mut there, first);
    ask(&mut there, second);
    for taker in 0..2 {
        let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        let asked = questions(&mut there);
        assert!(there.refuse(asked[1 - taker]));
        assert_eq!(hear(&mut here), []);
        assert!(there.accept(asked[taker]));
        here.post_message(port, "hello").unwrap();
        let events = drain(&mut there);
        assert_eq!(heard_on(&events, asked[taker]), [message("hello")]);
        assert_eq!(events.len(), 1);
        here.disconnect(port);
        drain(&mut there);
    }
}

#[test]
fn a_question_that_is_withdrawn_is_counted_as_answered() {
    let browser = Browser::with_limits(Limits::default().unanswered_connects(1));
    let Apart { mut here, opener, mut there, script, place } = asking(&browser);
    let target = TabTarget::new(place.tab);
    for _ in 0..3 {
        let port = here.connect_tab(opener, &target).unwrap();
        here.post_message(port, "hello").unwrap();
        let asked = drain(&mut there)[0].port().unwrap();
        assert!(here.connect_tab(opener, &target).is_err(), "one answer is owed");
        here.disconnect(port);
        assert_eq!(hear(&mut there), [disconnect(DisconnectReason::Disconnected)]);
        assert!(!there.accept(asked) && !there.refuse(asked));
        assert_eq!(hear(&mut here), []);
    }
    here.connect_tab(opener, &target).unwrap();
    assert_eq!(questions(&mut there).len(), 1);
    there.detach(script).unwrap();
    assert_eq!(hear(&mut here), [disconnect(DisconnectReason::NoReceiver)]);
}

#[test]
fn a_question_counts_as_a_port_of_its_context() {
    let browser = Browser::with_limits(Limits::default().ports_per_context(2));
    let Apart { mut here, opener, mut there, place, .. } = asking(&browser);
    let other = browser.page(&mut here);
    let target = TabTarget::new(place.tab);
    for opener in [opener, other, other] {
        here.connect_tab(opener, &target).unwrap();
    }
    assert_eq!(questions(&mut there).len(), 2);
    assert_eq!(hear(&mut here), [disconnect(DisconnectReason::LimitReached)]);
}

#[test]
fn a_fact_that_ends_the_context_answers_for_it() {
    let browser = Browser::new();
    let Apart { mut here, opener, mut there, place, .. } = asking(&browser);
    here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    let asked = questions(&mut there)[0];
    browser.service.tab_closed(place.tab).unwrap();
    assert!(!there.accept(asked) && !there.refuse(asked));
    assert_eq!(hear(&mut here), [disconnect(DisconnectReason::NoReceiver)]);
    assert_eq!(drain(&mut there).len(), 1);
}

#[test]
fn who_asks_has_one_port_of_a_connection_under_every_policy() {
    let browser =
        Browser::with_policies(Policies::default().connect_listeners(ConnectListeners::PortForEach));
    let Apart { mut here, opener, mut there, script, place } = browser.apart();
    for (asks, ports) in [(false, 3), (true, 1)] {
        there.set_listening(script, Listening::PORTS.listeners(3).asks(asks)).unwrap();
        here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        assert_eq!(drain(&mut there).len(), ports);
    }
}
