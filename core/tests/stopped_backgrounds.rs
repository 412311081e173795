//! Connects and one-off messages that meet a stop: nobody took them, so they wait for the next start, in order and with
//! what was posted behind them.

mod common;

use common::*;
use port_core::DisconnectReason::{
    BackgroundStopped, Disconnected, EventLoopGone, ExtensionUnloaded, NoReceiver, ProcessCrashed, TabClosed,
};
use port_core::{
    BackgroundState, ConnectKind, DisconnectReason, Event, EventLoop, ExtensionDescription, Limits,
    Listening, OpeningPort, Policies, PortId, PortStatus, PostErrorKind, RuntimeTarget,
};

const EVERY_OPENING: [OpeningPort; 2] = [OpeningPort::PostsFollow, OpeningPort::PostsWait];

fn awake(change: impl FnOnce(&mut Policies)) -> Sleeper {
    let mut sleeper = Sleeper::of(service(Limits::default(), policies(change)));
    sleeper.start();
    sleeper
}

fn stop(sleeper: &Sleeper) {
    sleeper.browser.service.stop_background(sleeper.extension).unwrap();
}

fn post(sleeper: &mut Sleeper, port: PortId, text: &str) {
    sleeper.page.post_message(port, text).unwrap();
}

/// Sends a one-off message; it is lost unless somebody takes it.
fn send(sleeper: &mut Sleeper, text: &str) -> PortId {
    let target = RuntimeTarget::own().name(text).kind(ConnectKind::OneOff);
    let port = sleeper.page.connect_runtime(sleeper.script, &target).unwrap();
    sleeper.page.post_message(port, text).unwrap();
    port
}

fn start_elsewhere(sleeper: &Sleeper) -> EventLoop {
    let mut elsewhere = sleeper.browser.event_loop();
    listen_for(&mut elsewhere, describe_background(sleeper.extension), READY);
    elsewhere
}

#[test]
fn what_meets_a_stop_waits_for_the_next_start_in_the_order_of_the_calls() {
    let mut sleeper = awake(|_| ());
    let service = sleeper.browser.service.clone();
    let first = sleeper.connect("first");
    post(&mut sleeper, first, "one");
    let second = sleeper.connect("second");
    post(&mut sleeper, second, "two");
    let asks = send(&mut sleeper, "asks");
    post(&mut sleeper, first, "three");
    assert!(sleeper.page.disconnect(second));
    assert!(!sleeper.page.is_open(second));
    stop(&sleeper);
    post(&mut sleeper, first, "four");
    sleeper.connect("behind");
    assert_eq!(sleeper.settle(), (vec![], vec![Heard::ContextGone(BackgroundStopped)]));
    assert_eq!(sleeper.state(), BackgroundState::Wanted);
    assert_eq!(service.next_wanted_background(), Some(sleeper.extension));
    assert_eq!(service.next_wanted_background(), None);
    post(&mut sleeper, first, "five");
    sleeper.start();
    let expected = [
        connect("first"),
        message("one"),
        connect("second"),
        message("two"),
        connect("asks"),
        message("asks"),
        message("three"),
        disconnect(Disconnected),
        message("four"),
        connect("behind"),
        message("five"),
    ];
    assert_eq!(sleeper.settle(), (vec![], expected.to_vec()));
    assert!(sleeper.page.is_open(first) && sleeper.page.is_open(asks));
    assert!(!sleeper.page.is_open(second));
    // Nothing is kept any more: the next stop ends what was taken.
    stop(&sleeper);
    assert_eq!(
        sleeper.settle().0,
        [disconnect(BackgroundStopped), disconnect(BackgroundStopped), disconnect(BackgroundStopped)]
    );
    assert_eq!(sleeper.state(), BackgroundState::Dormant);
}

#[test]
fn what_meets_a_stop_waits_where_posts_wait_for_the_answers() {
    let mut sleeper = awake(|policies| policies.opening_port = OpeningPort::PostsWait);
    let first = sleeper.connect("first");
    post(&mut sleeper, first, "one");
    send(&mut sleeper, "asks");
    let second = sleeper.connect("second");
    post(&mut sleeper, second, "two");
    assert!(sleeper.page.disconnect(second));
    stop(&sleeper);
    assert_eq!(sleeper.settle(), (vec![], vec![Heard::ContextGone(BackgroundStopped)]));
    sleeper.start();
    let (heard, at_home) = sleeper.settle();
    assert_eq!(heard, []);
    let connects = [connect("first"), connect("asks"), message("asks"), connect("second")];
    assert_eq!(at_home[..4], connects);
    assert_eq!(at_home[4..], [message("one"), message("two"), disconnect(Disconnected)]);
}

#[test]
fn what_was_taken_before_the_stop_ends_with_it() {
    for opening in EVERY_OPENING {
        let mut sleeper = awake(|policies| policies.opening_port = opening);
        let port = sleeper.connect("taken");
        post(&mut sleeper, port, "one");
        assert_eq!(hear(&mut sleeper.home)[0], connect("taken"));
        // Its answer is under way.
        stop(&sleeper);
        assert_eq!(sleeper.settle().0, [disconnect(BackgroundStopped)]);
        assert_eq!(sleeper.state(), BackgroundState::Dormant);
    }
}

#[test]
fn one_stop_after_another_is_waited_for() {
    let mut sleeper = awake(|_| ());
    let port = sleeper.connect("patient");
    post(&mut sleeper, port, "one");
    for _ in 0..3 {
        stop(&sleeper);
        assert_eq!(sleeper.settle(), (vec![], vec![Heard::ContextGone(BackgroundStopped)]));
        sleeper.start();
        // It is sent, and not taken before the next stop.
        assert_eq!(hear(&mut sleeper.page), []);
    }
    assert_eq!(sleeper.settle(), (vec![], vec![connect("patient"), message("one")]));
}

#[test]
fn what_is_connected_behind_a_stop_does_not_overtake_what_met_it() {
    let mut sleeper = awake(|_| ());
    let first = sleeper.connect("met the stop");
    post(&mut sleeper, first, "one");
    stop(&sleeper);
    sleeper.connect("behind");
    let mut elsewhere = start_elsewhere(&sleeper);
    sleeper.connect("awake again");
    // The loop of the background that was stopped has not said what became of the first.
    assert_eq!(hear(&mut sleeper.page), []);
    assert_eq!(hear(&mut elsewhere), []);
    assert_eq!(hear(&mut sleeper.home), [Heard::ContextGone(BackgroundStopped)]);
    assert_eq!(hear(&mut sleeper.page), []);
    let expected = [connect("met the stop"), message("one"), connect("behind"), connect("awake again")];
    assert_eq!(hear(&mut elsewhere), expected);
    // The other way round: it had taken the first.
    let mut sleeper = awake(|_| ());
    sleeper.connect("taken");
    assert_eq!(hear(&mut sleeper.home), [connect("taken")]);
    stop(&sleeper);
    sleeper.connect("behind");
    let mut elsewhere = start_elsewhere(&sleeper);
    assert_eq!(hear(&mut sleeper.page), [disconnect(BackgroundStopped)]);
    assert_eq!(hear(&mut elsewhere), [connect("behind")]);
}

#[test]
fn the_thread_of_a_background_that_was_stopped_may_go_without_a_word() {
    for (goes, opening) in [(false, EVERY_OPENING[0]), (true, EVERY_OPENING[0]), (true, EVERY_OPENING[1])] {
        let mut sleeper = awake(|policies| policies.opening_port = opening);
        let port = sleeper.connect("port");
        post(&mut sleeper, port, "one");
        stop(&sleeper);
        if goes {
            sleeper.home = sleeper.browser.event_loop();
        } else {
            sleeper.browser.service.event_loop_crashed(sleeper.home.id()).unwrap();
        }
        let mut elsewhere = start_elsewhere(&sleeper);
        assert_eq!(hear(&mut sleeper.page), []);
        let mut heard = hear(&mut elsewhere);
        assert_eq!(hear(&mut sleeper.page), []);
        heard.extend(hear(&mut elsewhere));
        assert_eq!(heard, [connect("port"), message("one")]);
    }
}

#[test]
fn other_ends_refuse_as_ever() {
    type End = fn(&mut Sleeper);
    let ends: [(End, DisconnectReason); 5] = [
        (|sleeper| sleeper.browser.service.event_loop_crashed(sleeper.home.id()).unwrap(), ProcessCrashed),
        (|sleeper| sleeper.browser.service.event_loop_gone(sleeper.home.id()).unwrap(), EventLoopGone),
        (|sleeper| sleeper.home = sleeper.browser.event_loop(), EventLoopGone),
        (|sleeper| sleeper.browser.service.extension_unloaded(sleeper.extension).unwrap(), ExtensionUnloaded),
        (
            |sleeper| {
                let background = sleeper.home.snapshot().contexts[0].context;
                sleeper.home.detach(background).unwrap();
            },
            NoReceiver,
        ),
    ];
    for (end, reason) in ends {
        let mut sleeper = awake(|_| ());
        let place = sleeper.browser.tab();
        let other = sleeper.browser.load("other@example");
        let script = content_script_of(other, &mut sleeper.page, place);
        let target = RuntimeTarget::extension("sleeper@example");
        sleeper.page.connect_runtime(script, &target).unwrap();
        let left = sleeper.page.connect_runtime(script, &target).unwrap();
        assert!(sleeper.page.disconnect(left));
        end(&mut sleeper);
        let heard = sleeper.settle().0;
        assert!(heard.contains(&disconnect(NoReceiver)), "{reason:?}: {heard:?}");
        assert_eq!(heard.iter().filter(|heard| matches!(heard, Heard::Disconnect(_))).count(), 1);
        assert_eq!(sleeper.page.snapshot().ports, []);
        assert_eq!(sleeper.browser.service.next_wanted_background(), None);
    }
}

#[test]
fn a_refusal_of_the_background_s_own_is_one_though_a_stop_follows() {
    let mut sleeper = Sleeper::new();
    listen_for(&mut sleeper.home, describe_background(sleeper.extension), Listening::none().ready(true));
    sleeper.connect("port");
    assert_eq!(hear(&mut sleeper.home), []);
    stop(&sleeper);
    assert_eq!(sleeper.settle().0, [disconnect(NoReceiver)]);
    assert_eq!(sleeper.state(), BackgroundState::Dormant);
}

#[test]
fn a_question_that_a_stop_leaves_open_is_asked_again() {
    for opening in EVERY_OPENING {
        let mut sleeper =
            Sleeper::of(service(Limits::default(), policies(|policies| policies.opening_port = opening)));
        listen_for(&mut sleeper.home, describe_background(sleeper.extension), READY.asks(true));
        let port = sleeper.connect("port");
        let event = sleeper.home.next_event();
        assert!(matches!(event, Some(Event::Connect { undecided: true, .. })));
        drop(event);
        post(&mut sleeper, port, "one");
        stop(&sleeper);
        assert_eq!(sleeper.settle(), (vec![], vec![Heard::ContextGone(BackgroundStopped)]));
        sleeper.start();
        assert_eq!(sleeper.settle(), (vec![], vec![connect("port"), message("one")]));
    }
}

#[test]
fn an_opener_that_goes_while_its_connect_meets_a_stop_is_forgotten() {
    type End = fn(&mut Sleeper, PortId);
    let ends: [End; 3] = [
        |sleeper, _| sleeper.browser.service.tab_closed(sleeper.place.tab).unwrap(),
        |sleeper, _| sleeper.page.detach(sleeper.script).unwrap(),
        |sleeper, left| assert!(sleeper.page.disconnect(left)),
    ];
    for (nth, end) in ends.into_iter().enumerate() {
        for at_once in [true, false] {
            let mut sleeper = awake(|_| ());
            let port = sleeper.connect("goes");
            post(&mut sleeper, port, "one");
            if at_once {
                end(&mut sleeper, port);
                stop(&sleeper);
            } else {
                stop(&sleeper);
                sleeper.settle();
                end(&mut sleeper, port);
            }
            let (heard, _) = sleeper.settle();
            let gone = if nth == 0 { vec![Heard::ContextGone(TabClosed)] } else { vec![] };
            assert_eq!(heard, gone);
            sleeper.start();
            let expected = [connect("goes"), message("one"), disconnect(Disconnected)];
            let expected = if nth == 2 { &expected[..] } else { &[] };
            assert_eq!(sleeper.settle(), (vec![], expected.to_vec()));
            assert_eq!(sleeper.page.snapshot().ports, []);
        }
    }
}

#[test]
fn a_page_that_takes_the_connection_has_it() {
    let mut sleeper = awake(|_| ());
    let mut popup = sleeper.browser.event_loop();
    listen_for(&mut popup, describe_page(sleeper.extension), Listening::PORTS);
    let port = sleeper.connect("port");
    post(&mut sleeper, port, "one");
    stop(&sleeper);
    sleeper.settle();
    // A page that hangs keeps nobody else waiting.
    sleeper.connect("behind");
    sleeper.start();
    assert_eq!(sleeper.settle(), (vec![], vec![connect("behind")]));
    assert_eq!(hear(&mut popup), [connect("port"), message("one"), connect("behind")]);
    assert_eq!(sleeper.settle(), (vec![], vec![]));
    assert!(sleeper.page.is_open(port));
    assert_eq!(sleeper.state(), BackgroundState::Ready);
}

#[test]
fn the_word_of_the_background_that_was_stopped_suffices_though_a_page_hangs() {
    let mut sleeper = awake(|_| ());
    let mut popup = sleeper.browser.event_loop();
    listen_for(&mut popup, describe_page(sleeper.extension), Listening::PORTS);
    sleeper.connect("met the stop");
    stop(&sleeper);
    sleeper.connect("behind");
    let mut elsewhere = start_elsewhere(&sleeper);
    // The loop of the background that was stopped has not said what became of the first.
    assert_eq!(hear(&mut sleeper.page), []);
    assert_eq!(hear(&mut elsewhere), []);
    assert_eq!(sleeper.settle(), (vec![], vec![Heard::ContextGone(BackgroundStopped)]));
    assert_eq!(hear(&mut elsewhere), [connect("behind")]);
    assert_eq!(hear(&mut popup), [connect("met the stop"), connect("behind")]);
}

#[test]
fn answers_may_come_in_any_order() {
    const PORTS: usize = 100;
    let orders: [fn(usize) -> usize; 3] = [|nth| nth, |nth| PORTS - 1 - nth, |nth| nth * 37 % PORTS];
    for order in orders {
        let mut sleeper = Sleeper::new();
        let background =
            listen_for(&mut sleeper.home, describe_background(sleeper.extension), READY.asks(true));
        let ports: Vec<_> = (0..PORTS).map(|nth| sleeper.connect(&nth.to_string())).collect();
        for &port in &ports {
            post(&mut sleeper, port, "kept");
        }
        let mut asked = vec![];
        for event in drain(&mut sleeper.home) {
            if let Event::Connect { port, name, .. } = event {
                asked.push((name.to_string(), port));
            }
        }
        assert_eq!(asked.len(), PORTS);
        // Every other one is taken, and the stop finds the rest.
        for nth in (0..PORTS).map(order).filter(|nth| nth % 2 == 0) {
            assert!(sleeper.home.accept(asked[nth].1));
            assert_eq!(hear(&mut sleeper.page), []);
        }
        assert_eq!(sleeper.home.ports(background).count(), PORTS);
        stop(&sleeper);
        let (heard, _) = sleeper.settle();
        assert_eq!(heard, vec![disconnect(BackgroundStopped); PORTS / 2]);
        sleeper.start();
        let rest = (0..PORTS).filter(|nth| nth % 2 == 1);
        let connects = rest.clone().map(|nth| connect(&nth.to_string()));
        let expected: Vec<_> = connects.chain(rest.map(|_| message("kept"))).collect();
        assert_eq!(sleeper.settle(), (vec![], expected));
    }
}

#[test]
fn two_extensions_wait_each_for_its_own_background() {
    let mut sleeper = awake(|_| ());
    let service = sleeper.browser.service.clone();
    let description = ExtensionDescription::new("other@example").background_on_demand();
    let other = service.extension_loaded(description).unwrap();
    let mut other_home = sleeper.browser.event_loop();
    listen_for(&mut other_home, describe_background(other), READY);
    let other_script = content_script_of(other, &mut sleeper.page, sleeper.place);
    for round in 0..3 {
        let name = round.to_string();
        let port = sleeper.connect(&name);
        connect_runtime(&mut sleeper.page, other_script, &name).unwrap();
        // One of them is stopped, with its connect; the other takes its own.
        stop(&sleeper);
        assert_eq!(hear(&mut other_home), [connect(&name)]);
        connect_runtime(&mut sleeper.page, other_script, "one more").unwrap();
        assert_eq!(hear(&mut other_home), [connect("one more")]);
        assert_eq!(sleeper.settle(), (vec![], vec![Heard::ContextGone(BackgroundStopped)]));
        sleeper.start();
        assert_eq!(sleeper.settle(), (vec![], vec![connect(&name)]));
        assert!(sleeper.page.disconnect(port));
        assert_eq!(sleeper.settle(), (vec![], vec![disconnect(Disconnected)]));
    }
}

#[test]
fn what_is_kept_for_an_answer_is_bounded_as_a_lane_is() {
    let limits = limits(|limits| limits.lane_records = 8);
    let mut sleeper = Sleeper::of(service(limits, Policies::default()));
    listen_for(&mut sleeper.home, describe_background(sleeper.extension), READY.asks(true));
    let port = sleeper.connect("port");
    let mut posted = 0;
    let refused = loop {
        // The background hears the messages, and says nothing of the connection.
        assert!(hear(&mut sleeper.home).len() <= 2);
        hear(&mut sleeper.page);
        match sleeper.page.post_message(port, "message") {
            Ok(()) => posted += 1,
            Err(error) => break error.kind(),
        }
    };
    assert_eq!((posted, refused), (8, PostErrorKind::Busy));
    let asked = sleeper.home.ports(sleeper.home.snapshot().contexts[0].context).next().unwrap();
    assert!(sleeper.home.accept(asked));
    let room = drain(&mut sleeper.page);
    assert!(matches!(room[..], [Event::Room { .. }]), "{room:?}");
    post(&mut sleeper, port, "there is room");
}

#[test]
fn a_port_that_was_left_before_its_answer_is_shown_as_one_that_opens() {
    let mut sleeper = awake(|_| ());
    let port = sleeper.connect("port");
    let status = |sleeper: &Sleeper| sleeper.page.snapshot().ports.first().map(|port| port.status);
    assert_eq!(status(&sleeper), Some(PortStatus::Open));
    assert!(sleeper.page.disconnect(port));
    assert!(!sleeper.page.disconnect(port));
    assert_eq!(status(&sleeper), Some(PortStatus::Opening));
    assert_eq!(sleeper.page.context_of(port), None);
    let refused = sleeper.page.post_message(port, "late").map_err(|error| error.kind());
    assert_eq!(refused, Err(PostErrorKind::Disconnected));
    assert_eq!(sleeper.settle(), (vec![], vec![connect("port"), disconnect(Disconnected)]));
    assert_eq!(status(&sleeper), None);
}
