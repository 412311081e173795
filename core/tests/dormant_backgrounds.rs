//! Backgrounds that are started on demand: who waits for them, in which order, and how the wait ends.

mod common;

use common::*;
use port_core::DisconnectReason::{
    BackgroundNotStarted, BackgroundStopped, Disconnected, EventLoopGone, ExtensionUnloaded, LimitReached,
    NoReceiver, TabClosed,
};
use port_core::{
    BackgroundState, ConnectError, ConnectKind, Event, ExtensionDescription, Limits, Listening, OpeningPort,
    Policies, PostErrorKind, RuntimeTarget,
};

#[test]
fn what_is_sent_to_a_dormant_background_waits_and_arrives_in_order() {
    for opening in [OpeningPort::PostsFollow, OpeningPort::PostsWait] {
        let policies = policies(|policies| policies.opening_port = opening);
        let mut sleeper = Sleeper::of(service(Limits::default(), policies));
        assert_eq!(sleeper.state(), BackgroundState::Dormant);
        let first = sleeper.connect("first");
        sleeper.page.post_message(first, "one").unwrap();
        let second = sleeper.connect("second");
        sleeper.page.post_message(second, "two").unwrap();
        sleeper.page.post_message(first, "three").unwrap();
        assert!(sleeper.page.disconnect(second));
        assert_eq!(sleeper.settle(), (vec![], vec![]));
        assert_eq!(sleeper.state(), BackgroundState::Wanted);
        sleeper.start();
        let expected = [
            connect("first"),
            message("one"),
            connect("second"),
            message("two"),
            message("three"),
            disconnect(Disconnected),
        ];
        let (heard, at_home) = sleeper.settle();
        assert_eq!(heard, []);
        if opening == OpeningPort::PostsFollow {
            assert_eq!(at_home, expected);
        } else {
            // Here posts wait for the answers of all receivers, which each port has in its turn.
            let mut sorted = at_home;
            sorted.sort();
            let mut all = expected.to_vec();
            all.sort();
            assert_eq!(sorted, all);
        }
        assert_eq!(sleeper.state(), BackgroundState::Ready);
        assert!(sleeper.page.is_open(first));
        assert!(!sleeper.page.is_open(second));
    }
}

#[test]
fn the_browser_is_asked_once_for_each_start() {
    let mut sleeper = Sleeper::new();
    let (waker, wakes) = counting_waker();
    sleeper.browser.service.set_background_waker(waker);
    let service = sleeper.browser.service.clone();
    assert_eq!(service.next_wanted_background(), None);
    for start in 1..=3 {
        sleeper.connect("one");
        sleeper.connect("another");
        assert_eq!((wakes.take(), start), (1, start));
        assert_eq!(service.next_wanted_background(), Some(sleeper.extension));
        assert_eq!(service.next_wanted_background(), None);
        sleeper.start();
        assert_eq!(sleeper.settle().1, [connect("one"), connect("another")]);
        sleeper.connect("awake");
        assert_eq!(sleeper.settle().1, [connect("awake")]);
        service.stop_background(sleeper.extension).unwrap();
        let stopped = disconnect(BackgroundStopped);
        assert_eq!(sleeper.settle().0, [stopped.clone(), stopped.clone(), stopped]);
        assert_eq!(sleeper.state(), BackgroundState::Dormant);
    }
    assert_eq!(wakes.count(), 0);
    // One that is set late is called for what is wanted already.
    sleeper.connect("one");
    let (late, calls) = counting_waker();
    service.set_background_waker(late);
    assert_eq!((wakes.count(), calls.count()), (1, 1));
}

#[test]
fn a_background_is_not_wanted_any_more_once_it_runs_or_is_given_up() {
    let mut sleeper = Sleeper::new();
    let service = sleeper.browser.service.clone();
    sleeper.connect("early");
    sleeper.start();
    assert_eq!(service.next_wanted_background(), None);
    assert_eq!(sleeper.settle().1, [connect("early")]);
    service.stop_background(sleeper.extension).unwrap();
    assert_eq!(sleeper.settle().0, [disconnect(BackgroundStopped)]);
    sleeper.connect("given up");
    service.give_up_background(sleeper.extension, BackgroundNotStarted).unwrap();
    assert_eq!(service.next_wanted_background(), None);
    assert_eq!(sleeper.settle().0, [disconnect(BackgroundNotStarted)]);
    sleeper.connect("again");
    assert_eq!(service.next_wanted_background(), Some(sleeper.extension));
}

#[test]
fn a_loop_that_hears_of_a_start_too_late_waits_for_the_next() {
    let mut sleeper = Sleeper::new();
    let service = sleeper.browser.service.clone();
    sleeper.connect("late");
    sleeper.start();
    sleeper.connect("behind");
    service.stop_background(sleeper.extension).unwrap();
    sleeper.connect("last");
    assert_eq!(sleeper.settle(), (vec![], vec![Heard::ContextGone(BackgroundStopped)]));
    assert_eq!(service.next_wanted_background(), Some(sleeper.extension));
    sleeper.start();
    assert_eq!(sleeper.settle(), (vec![], vec![connect("late"), connect("behind"), connect("last")]));
}

#[test]
fn attached_is_not_ready() {
    let mut sleeper = Sleeper::new();
    let port = sleeper.connect("port");
    let background = sleeper.attach();
    sleeper.home.set_listening(background, Listening::PORTS).unwrap();
    assert_eq!(sleeper.settle(), (vec![], vec![]));
    // What is still starting does not wait for itself.
    assert_eq!(
        connect_runtime(&mut sleeper.home, background, "own"),
        Ok(sleeper.home.ports(background).next().unwrap())
    );
    assert_eq!(sleeper.settle().1, [disconnect(NoReceiver)]);
    sleeper.home.set_listening(background, READY).unwrap();
    sleeper.home.set_listening(background, READY).unwrap();
    assert_eq!(sleeper.settle().1, [connect("port")]);
    assert!(sleeper.page.is_open(port));
}

#[test]
fn a_background_that_is_ready_without_a_listener_refuses() {
    let mut sleeper = Sleeper::new();
    sleeper.connect("port");
    let background = sleeper.attach();
    sleeper.home.set_listening(background, Listening::none().ready(true)).unwrap();
    assert_eq!(sleeper.settle(), (vec![disconnect(NoReceiver)], vec![]));
}

#[test]
fn a_start_that_comes_to_nothing_ends_what_waited_once_and_the_next_connect_asks_again() {
    type Ends = fn(&mut Sleeper);
    let gives_up: Ends = |sleeper| {
        sleeper.browser.service.give_up_background(sleeper.extension, BackgroundNotStarted).unwrap();
    };
    let crashes: Ends = |sleeper| {
        sleeper.attach();
        sleeper.browser.service.event_loop_gone(sleeper.home.id()).unwrap();
        sleeper.home = sleeper.browser.event_loop();
    };
    let stopped: Ends = |sleeper| {
        sleeper.attach();
        sleeper.browser.service.stop_background(sleeper.extension).unwrap();
        drain(&mut sleeper.home);
    };
    let detached: Ends = |sleeper| {
        let background = sleeper.attach();
        sleeper.home.detach(background).unwrap();
    };
    let ends = [
        (gives_up, BackgroundNotStarted),
        (crashes, EventLoopGone),
        (stopped, BackgroundStopped),
        (detached, port_core::DisconnectReason::ContextDetached),
    ];
    for (end, reason) in ends {
        let mut sleeper = Sleeper::new();
        let held = sleeper.connect("held");
        sleeper.page.post_message(held, "lost").unwrap();
        let left = sleeper.connect("left");
        sleeper.page.post_message(left, "lost too").unwrap();
        assert!(sleeper.page.disconnect(left));
        assert_eq!(sleeper.browser.service.next_wanted_background(), Some(sleeper.extension));
        end(&mut sleeper);
        // Made before the loop hears of it: this one is not ended by a start that it did not wait for.
        let behind = sleeper.connect("behind");
        assert_eq!(sleeper.settle(), (vec![disconnect(reason)], vec![]), "{reason:?}");
        assert!(!sleeper.page.is_open(held) && sleeper.page.is_open(behind));
        assert_eq!(sleeper.page.ports(sleeper.script).count(), 1);
        assert_eq!(sleeper.browser.service.next_wanted_background(), Some(sleeper.extension));
        sleeper.start();
        assert_eq!(sleeper.settle(), (vec![], vec![connect("behind")]));
    }
}

#[test]
fn unloading_ends_what_waits() {
    let mut sleeper = Sleeper::new();
    let mut other = sleeper.browser.event_loop();
    let stranger = sleeper.browser.page(&mut other);
    let target = RuntimeTarget::extension("sleeper@example").name("external");
    other.connect_runtime(stranger, &target).unwrap();
    sleeper.connect("own");
    sleeper.browser.service.extension_unloaded(sleeper.extension).unwrap();
    assert_eq!(hear(&mut other), [disconnect(ExtensionUnloaded)]);
    assert_eq!(sleeper.settle().0, [Heard::ContextGone(ExtensionUnloaded)]);
    other.connect_runtime(stranger, &target).unwrap();
    assert_eq!(hear(&mut other), [disconnect(NoReceiver)]);
}

#[test]
fn another_extension_waits_if_it_is_admitted() {
    let mut sleeper = Sleeper::new();
    let mut other = sleeper.browser.event_loop();
    let stranger = sleeper.browser.page(&mut other);
    let target = RuntimeTarget::extension("sleeper@example").kind(ConnectKind::OneOff).name("question");
    let port = other.connect_runtime(stranger, &target).unwrap();
    other.post_message(port, "?").unwrap();
    assert_eq!(hear(&mut other), []);
    listen_for(&mut sleeper.home, describe_background(sleeper.extension), READY.external_one_off(true));
    let heard = settle([&mut other, &mut sleeper.home]);
    assert_eq!(heard[1].iter().map(Heard::from).collect::<Vec<_>>(), [connect("question"), message("?")]);

    let closed = ExtensionDescription::new("closed@example").background_on_demand();
    sleeper.browser.service.extension_loaded(closed).unwrap();
    other.connect_runtime(stranger, &RuntimeTarget::extension("closed@example")).unwrap();
    assert_eq!(hear(&mut other), [disconnect(NoReceiver)]);
    assert_eq!(sleeper.browser.service.next_wanted_background(), None);
}

#[test]
fn an_opener_that_ends_waits_no_more() {
    let mut sleeper = Sleeper::new();
    let port = sleeper.connect("port");
    sleeper.page.post_message(port, "never heard").unwrap();
    sleeper.browser.service.tab_closed(sleeper.place.tab).unwrap();
    sleeper.start();
    assert_eq!(sleeper.settle(), (vec![Heard::ContextGone(TabClosed)], vec![]));
    assert_eq!(sleeper.page.snapshot().ports.len(), 0);
}

#[test]
fn loops_that_wait_are_all_told() {
    let mut sleeper = Sleeper::new();
    let mut second = sleeper.browser.event_loop();
    let page = listen(&mut second, describe_page(sleeper.extension));
    sleeper.connect("first");
    connect_runtime(&mut second, page, "second").unwrap();
    let background = sleeper.start();
    let heard = settle([&mut sleeper.page, &mut second, &mut sleeper.home]);
    let mut at_home = heard_by(&heard[2], background);
    at_home.sort();
    assert_eq!(at_home, [connect("first"), connect("second")]);
    // It goes to every context of the extension, as when the background was awake.
    assert_eq!(heard_by(&heard[1], page), [connect("first")]);
}

#[test]
fn what_waits_is_bounded_as_a_lane_is() {
    let small = limits(|limits| (limits.lane_records, limits.lane_bytes) = (4, 1_000));
    let mut sleeper = Sleeper::of(service(small, Policies::default()));
    // The background's loop knows the content script from now on, which else counts too.
    sleeper.connect("0");
    sleeper.start();
    sleeper.settle();
    sleeper.browser.service.stop_background(sleeper.extension).unwrap();
    sleeper.settle();

    let port = sleeper.connect("1");
    sleeper.page.post_message(port, "2").unwrap();
    sleeper.connect("3");
    sleeper.connect("4");
    assert_eq!(connect_runtime(&mut sleeper.page, sleeper.script, "5"), Err(ConnectError::Busy));
    assert_eq!(sleeper.page.post_message(port, "5").map_err(PostErrorKind::from), Err(PostErrorKind::Busy));
    sleeper.start();
    assert_eq!(sleeper.settle().1, [connect("1"), message("2"), connect("3"), connect("4")]);
    sleeper.browser.service.stop_background(sleeper.extension).unwrap();
    sleeper.settle();

    let port = sleeper.connect("long");
    sleeper.page.post_message(port, &[0; 1_000]).unwrap();
    assert_eq!(connect_runtime(&mut sleeper.page, sleeper.script, "more"), Err(ConnectError::Busy));
    sleeper.browser.service.give_up_background(sleeper.extension, BackgroundNotStarted).unwrap();
    assert_eq!(sleeper.settle().0, [disconnect(BackgroundNotStarted)]);
    // What ended counts no more.
    let port = sleeper.connect("long");
    sleeper.page.post_message(port, &[0; 999]).unwrap();
}

#[test]
fn the_name_of_what_waited_counts_no_more_once_its_opener_has_gone() {
    let small = limits(|limits| limits.lane_bytes = 1_000);
    let mut sleeper = Sleeper::of(service(small, Policies::default()));
    sleeper.connect("stays");
    for _ in 0..3 {
        let script = content_script_of(sleeper.extension, &mut sleeper.page, sleeper.place);
        let port = connect_runtime(&mut sleeper.page, script, &"n".repeat(1_000)).unwrap();
        assert!(sleeper.page.disconnect(port));
        // It is to arrive all the same, so it counts.
        assert_eq!(connect_runtime(&mut sleeper.page, script, ""), Err(ConnectError::Busy));
        sleeper.page.detach(script).unwrap();
    }
    sleeper.connect("next");
    sleeper.start();
    assert_eq!(sleeper.settle().1, [connect("stays"), connect("next")]);
}

#[test]
fn what_waited_goes_to_no_lane_that_is_full() {
    let small = limits(|limits| limits.lane_records = 16);
    let mut sleeper = Sleeper::of(service(small, Policies::default()));
    // An extension page that hangs, and is reached by whatever goes to the background.
    let mut hung = sleeper.browser.event_loop();
    listen_for(&mut hung, describe_page(sleeper.extension), Listening::PORTS);
    for start in 0..5 {
        let ports: Vec<_> = (0..10).map(|number| sleeper.connect(&format!("{start}.{number}"))).collect();
        sleeper.start();
        let at_home: Vec<_> = (0..10).map(|number| connect(&format!("{start}.{number}"))).collect();
        assert_eq!(sleeper.settle(), (vec![], at_home));
        ports.into_iter().for_each(|port| assert!(sleeper.page.disconnect(port)));
        sleeper.settle();
        sleeper.browser.service.stop_background(sleeper.extension).unwrap();
        sleeper.settle();
    }
    let taken = drain(&mut hung).iter().filter(|event| matches!(event, Event::Connect { .. })).count();
    assert!((10..=16).contains(&taken), "{taken} connections for a lane of 16 records");

    // Nobody else takes the connection, so its opener is told that somebody was full.
    sleeper.page.detach(sleeper.script).unwrap();
    sleeper.script = content_script_of(sleeper.extension, &mut sleeper.page, sleeper.place);
    listen_for(&mut sleeper.home, describe_background(sleeper.extension), Listening::none().ready(true));
    while connect_runtime(&mut sleeper.page, sleeper.script, "fills") != Err(ConnectError::Busy) {}
    sleeper.browser.service.stop_background(sleeper.extension).unwrap();
    sleeper.settle();
    sleeper.connect("waits");
    listen_for(&mut sleeper.home, describe_background(sleeper.extension), Listening::none().ready(true));
    assert_eq!(sleeper.settle().0, [disconnect(LimitReached)]);
}

#[test]
fn a_background_that_is_not_started_on_demand_is_not_waited_for() {
    let browser = Browser::new();
    let mut event_loop = browser.event_loop();
    let page = browser.page(&mut event_loop);
    connect_runtime(&mut event_loop, page, "port").unwrap();
    assert_eq!(hear(&mut event_loop), [disconnect(NoReceiver)]);
    let background = browser.background(&mut event_loop);
    browser.service.stop_background(browser.extension).unwrap();
    assert_eq!(gone(&drain(&mut event_loop)), [(background, BackgroundStopped)]);
    connect_runtime(&mut event_loop, page, "port").unwrap();
    assert_eq!(hear(&mut event_loop), [disconnect(NoReceiver)]);
}

#[test]
fn why_a_background_is_awake_is_counted_for_the_browser_s_timer() {
    let mut sleeper = Sleeper::new();
    let port = sleeper.connect("port");
    let question = RuntimeTarget::own().kind(ConnectKind::OneOff);
    let question = sleeper.page.connect_runtime(sleeper.script, &question).unwrap();
    let background = sleeper.start();
    let asked = |sleeper: &Sleeper| sleeper.home.why_awake(background).unwrap();
    assert_eq!((asked(&sleeper).uses, asked(&sleeper).ports), (0, vec![]));
    sleeper.settle();
    let used = |sleeper: &Sleeper| -> Vec<_> {
        asked(sleeper).ports.iter().map(|port| (port.kind, port.opened, port.last_use)).collect()
    };
    assert_eq!(used(&sleeper), [(ConnectKind::OneOff, false, 2), (ConnectKind::Port, false, 1)]);
    sleeper.page.post_message(port, "awake?").unwrap();
    sleeper.settle();
    assert_eq!(used(&sleeper), [(ConnectKind::Port, false, 3), (ConnectKind::OneOff, false, 2)]);
    // Nothing happened between two looks.
    assert_eq!(asked(&sleeper).uses, 3);
    sleeper.home.post_message(asked(&sleeper).ports[1].port, "answer").unwrap();
    assert_eq!(asked(&sleeper).uses, 4);
    sleeper.page.disconnect(question);
    sleeper.settle();
    assert_eq!((asked(&sleeper).uses, used(&sleeper)), (5, vec![(ConnectKind::Port, false, 3)]));
    // One that it opens itself counts too.
    let tab = port_core::TabTarget::new(sleeper.place.tab);
    sleeper.home.connect_tab(background, &tab).unwrap();
    assert_eq!(used(&sleeper), [(ConnectKind::Port, true, 6), (ConnectKind::Port, false, 3)]);
    // Others' uses are not counted, and their ports are listed all the same.
    let script = sleeper.page.why_awake(sleeper.script).unwrap();
    assert_eq!((script.uses, script.ports.len()), (0, 1));
}
