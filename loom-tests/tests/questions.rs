//! Connections about which their context decides later, against what ends them meanwhile.

extern crate port_core_model as port_core;

mod support;

use loom::thread;
use port_core_model::{DisconnectReason, EventLoop, Limits, Listening, Policies, PortId, TabTarget};
use support::{Apart, PLACE, Seen, TAB, browser_with, drain, limits, model, settle, take_connect};

/// A background that connected to a content script, which has heard the question. No other connect is admitted while
/// the answer is owed.
fn asked(limits: Limits) -> (Apart, PortId, PortId, support::Browser) {
    let browser = browser_with(limits, Policies::default());
    let mut apart = browser.apart_in(PLACE);
    apart.there.set_listening(apart.script, Listening::PORTS.asks(true)).unwrap();
    let port = apart.here.connect_tab(apart.opener, &TabTarget::new(TAB)).unwrap();
    let question = take_connect(&mut apart.there);
    (apart, port, question, browser)
}

fn one_answer_at_a_time() -> Limits {
    limits(|limits| limits.unanswered_connects = 1)
}

/// The decision against the opener's disconnect: whatever comes first, one answer is counted, and the opener may
/// connect again.
fn decided_against_a_disconnect(decide: fn(&mut EventLoop, PortId) -> bool) {
    model(Some(3), 320, move || {
        let (Apart { mut here, opener, mut there, .. }, port, question, _browser) =
            asked(one_answer_at_a_time());
        let deciding = thread::spawn(move || {
            let decided = decide(&mut there, question);
            assert!(!there.accept(question), "decided twice");
            let saw = drain(&mut there);
            (there, decided, saw)
        });
        here.disconnect(port);
        let mut opener_saw = drain(&mut here);
        let (mut there, decided, mut receiver_saw) = deciding.join().unwrap();
        let later = settle(&mut here, &mut there);
        opener_saw.extend(later.0);
        receiver_saw.extend(later.1);
        assert!(decided);
        assert_eq!(opener_saw, []);
        assert!(receiver_saw.len() <= 1, "{receiver_saw:?}");
        here.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        take_connect(&mut there);
    });
}

#[test]
fn a_question_is_taken_against_the_openers_disconnect() {
    decided_against_a_disconnect(EventLoop::accept);
}

#[test]
fn a_question_is_refused_against_the_openers_disconnect() {
    decided_against_a_disconnect(EventLoop::refuse);
}

/// A question that is withdrawn before the decision is answered by that, once.
#[test]
fn a_question_is_withdrawn_against_its_decision() {
    model(Some(3), 5_000, || {
        let (Apart { mut here, opener, mut there, .. }, port, question, _browser) =
            asked(one_answer_at_a_time());
        let leaving = thread::spawn(move || {
            here.post_message(port, &[1]).unwrap();
            here.disconnect(port);
            here
        });
        let mut receiver_saw = drain(&mut there);
        let decided = there.accept(question);
        let mut here = leaving.join().unwrap();
        let (opener_saw, later) = settle(&mut here, &mut there);
        receiver_saw.extend(later);
        assert_eq!(receiver_saw, [Seen::Message(1), Seen::Disconnect(DisconnectReason::Disconnected)]);
        assert_eq!(opener_saw, []);
        assert!(!there.accept(question) && !there.refuse(question), "decided: {decided}");
        here.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
    });
}

/// A question against the fact that ends its context: no port stays open on one side.
#[test]
fn a_question_is_taken_against_the_end_of_its_tab() {
    model(Some(3), 270, || {
        let (Apart { mut here, mut there, .. }, port, question, browser) = asked(Limits::default());
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.tab_closed(TAB).unwrap());
        there.accept(question);
        let mut receiver_saw = drain(&mut there);
        let mut opener_saw = drain(&mut here);
        killer.join().unwrap();
        let later = settle(&mut here, &mut there);
        opener_saw.extend(later.0);
        receiver_saw.extend(later.1);
        let [Seen::Disconnect(reason)] = opener_saw[..] else { panic!("{opener_saw:?}") };
        assert!(matches!(reason, DisconnectReason::NoReceiver | DisconnectReason::TabClosed));
        assert_eq!(receiver_saw, [Seen::Gone(DisconnectReason::TabClosed)]);
        assert!(!here.is_open(port));
    });
}
