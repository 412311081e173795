//! G6, beyond one port: what may lie between two event loops for the connections of each extension, and how many ports
//! a context may hold.

mod common;

use common::*;
use port_core::DisconnectReason::{Disconnected, LimitReached};
use port_core::bytes::Bytes;
use port_core::{
    ConnectError, ContextId, Event, EventLoop, ExtensionDescription, ExternalConnections, Limits, Listening,
    Message, PortId, PostErrorKind, RuntimeTarget, TabTarget,
};

#[test]
fn a_full_lane_refuses_posts_and_connects_but_no_disconnect() {
    for same_loop in [true, false] {
        let browser = Browser::with_limits(limits(|limits| limits.lane_records = 10));
        let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
        let (place, elsewhere) = (browser.tab(), browser.tab());
        let opener = browser.background(&mut here);
        browser.content_script(if same_loop { &mut here } else { &mut there }, place);
        let mut third = browser.event_loop();
        browser.content_script(&mut third, elsewhere);
        let other = here.connect_tab(opener, &TabTarget::new(elsewhere.tab)).unwrap();

        let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        let mut posted = 0;
        let message = Message::from("one too many").user_activation(true);
        let refused = loop {
            match here.post_message(port, message.clone()) {
                Ok(()) => posted += 1,
                Err(refused) => break refused,
            }
        };
        assert_eq!(posted, 8, "that the opener is told of and the connect are records as well");
        assert_eq!((refused.kind(), refused.into_message()), (PostErrorKind::Busy, None));
        assert_eq!(here.connect_tab(opener, &TabTarget::new(place.tab)), Err(ConnectError::Busy));
        // Neither another lane nor the end of a port is held up.
        here.post_message(other, "elsewhere").unwrap();
        assert!(here.disconnect(port));
        let target_loop = if same_loop { &mut here } else { &mut there };
        let heard = hear(target_loop);
        assert_eq!((heard.len(), heard.last()), (10, Some(&disconnect(Disconnected))));
        let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        here.post_message(port, "room again").unwrap();
        assert_eq!(hear(&mut third), [connect(""), self::message("elsewhere")]);
    }
}

#[test]
fn the_budget_outlives_ports() {
    // Else connect, post, disconnect would go round every window.
    let browser = Browser::with_limits(limits(|limits| limits.lane_records = 300));
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let mut connects = 0;
    while let Ok(port) = here.connect_tab(opener, &TabTarget::new(place.tab)) {
        connects += 1;
        let _ = here.post_message(port, "x");
        here.disconnect(port);
    }
    // A share of 37 counts what was connected and posted, but not the ends, beyond the 263 that are common.
    assert_eq!(connects, 106);
    assert_eq!(drain(&mut there).len(), 318);
    assert!(here.connect_tab(opener, &TabTarget::new(place.tab)).is_ok());
}

#[test]
fn a_lane_admits_bytes_while_the_sum_is_below_the_budget() {
    for same_loop in [true, false] {
        let browser = Browser::with_limits(limits(|limits| limits.lane_bytes = 1_000));
        let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
        let place = browser.tab();
        let opener = browser.background(&mut here);
        browser.content_script(if same_loop { &mut here } else { &mut there }, place);
        let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        // What the other loop is told of the opener counts too.
        let described = "ext://greeter/bg.js".len() + "ext://greeter".len();
        here.post_message(port, vec![1; 999 - described]).unwrap();
        here.post_message(port, vec![1; 5_000]).unwrap();
        assert_eq!(here.post_message(port, "").map_err(PostErrorKind::from), Err(PostErrorKind::Busy));
        assert_eq!(here.connect_tab(opener, &TabTarget::new(place.tab)), Err(ConnectError::Busy));
        let target_loop = if same_loop { &mut here } else { &mut there };
        // A loop that was full of its own messages hears of room besides.
        assert_eq!(drain(target_loop).len(), 3 + usize::from(same_loop));
        for _ in 0..100 {
            here.post_message(port, vec![1; 1_000]).unwrap();
            assert!(here.post_message(port, "x").is_err());
            let target_loop = if same_loop { &mut here } else { &mut there };
            assert_eq!(drain(target_loop).len(), 1 + usize::from(same_loop));
        }
    }
}

#[test]
fn names_are_bytes_too() {
    // A name of megabytes may be allowed; any number of them in a lane is not.
    for frames in [1, 2] {
        let browser = Browser::with_limits(limits(|limits| {
            limits.lane_bytes = 10_000_000;
            limits.name_bytes = 3_000_000;
            limits.names_per_context = 1_000_000_000;
            limits.service_bytes = 1_000_000_000;
        }));
        let Apart { mut here, mut there, place: top, opener, .. } = browser.apart();
        for _ in 1..frames {
            browser.content_script(&mut there, browser.frame_in(top));
        }
        let target = TabTarget::new(top.tab).name(&"n".repeat(3_000_000));
        for _ in 0..20 {
            let connects = (0..10).take_while(|_| here.connect_tab(opener, &target).is_ok()).count();
            assert_eq!(connects, 4);
            assert_eq!(drain(&mut there).len(), 4 * frames);
        }
    }
}

#[test]
fn a_name_that_is_too_long_is_refused_and_changes_nothing() {
    let browser = Browser::with_limits(limits(|limits| limits.name_bytes = 30));
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let named = |length: usize| TabTarget::new(place.tab).name(&"n".repeat(length));
    assert_eq!(here.connect_tab(opener, &named(31)), Err(ConnectError::NameTooLong));
    assert_eq!(connect_runtime(&mut here, opener, &"n".repeat(31)), Err(ConnectError::NameTooLong));
    let nobody = TabTarget::new(browser.tab().tab).name(&"n".repeat(31));
    assert_eq!(here.connect_tab(opener, &nobody), Err(ConnectError::NameTooLong));
    assert_eq!((here.snapshot().ports, here.snapshot().lanes), (vec![], vec![]));
    here.connect_tab(opener, &named(30)).unwrap();
    assert_eq!(hear(&mut there), [connect(&"n".repeat(30))]);
}

#[test]
fn names_of_ports_that_live_are_counted_on_both_sides() {
    let browser = Browser::with_limits(limits(|limits| limits.names_per_context = 120));
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let neighbour = browser.background(&mut here);
    let [long, short] = [40, 23].map(|length| TabTarget::new(place.tab).name(&"n".repeat(length)));
    // Short ones lie in their ports.
    let shorts: Vec<_> = (0..50).map(|_| here.connect_tab(opener, &short).unwrap()).collect();
    let longs: Vec<_> = (0..3).map(|_| here.connect_tab(opener, &long).unwrap()).collect();
    assert_eq!(here.connect_tab(opener, &long), Err(ConnectError::TooManyPorts));
    here.connect_tab(opener, &short).unwrap();
    assert_eq!(connected(&mut there).len(), 54);
    // Another context has its own count, but the receiver has them all.
    let refused = here.connect_tab(neighbour, &long).unwrap();
    assert_eq!(hear(&mut there), []);
    assert_eq!(heard_on(&drain(&mut here), refused), [disconnect(LimitReached)]);
    // Whichever way a port ends, its name no longer counts.
    assert!(here.disconnect(longs[0]));
    assert_eq!(hear(&mut there), [disconnect(Disconnected)]);
    let again = here.connect_tab(neighbour, &long).unwrap();
    let received = connected(&mut there);
    assert!(there.disconnect(received[0]));
    assert_eq!(heard_on(&drain(&mut here), again), [disconnect(Disconnected)]);
    shorts.into_iter().for_each(|port| assert!(here.disconnect(port)));
    here.connect_tab(opener, &long).unwrap();
    assert_eq!(here.connect_tab(opener, &long), Err(ConnectError::TooManyPorts));
}

/// Two extensions that send by one lane. The background of the first has opened a port to its own content script and one
/// to the background of the second, which admits it; both answer from another loop.
struct Two {
    browser: Browser,
    here: EventLoop,
    there: EventLoop,
    /// The first one's receiver.
    script: ContextId,
    /// Those of the receivers.
    ports: [PortId; 2],
}

impl Two {
    fn with_limits(limits: Limits) -> Self {
        let browser = Browser::with_limits(limits);
        let other = ExtensionDescription::new("other@example").external(ExternalConnections::Everyone);
        let other = browser.service.extension_loaded(other).unwrap();
        let Apart { mut here, opener, mut there, script, place } = browser.apart();
        listen_for(&mut there, describe_background(other), listening_for_everything());
        here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        here.connect_runtime(opener, &RuntimeTarget::extension("other@example")).unwrap();
        let ports = connected(&mut there).try_into().unwrap();
        assert_eq!(hear(&mut here), []);
        Self { browser, here, there, script, ports }
    }

    fn post(&mut self, of: usize, bytes: &Bytes) -> bool {
        self.there.post_message(self.ports[of], bytes.clone()).is_ok()
    }

    /// How many of an extension's posts go through until one is refused.
    fn flood(&mut self, of: usize, bytes: &Bytes) -> usize {
        (0..100_000).take_while(|_| self.post(of, bytes)).count()
    }
}

/// Limits of a lane, and a message of which it holds so many.
fn lanes_of_800() -> [(Limits, Bytes); 2] {
    [
        (limits(|limits| limits.lane_records = 800), Bytes::from_static(b"flood")),
        (limits(|limits| limits.lane_bytes = 800_000), Bytes::from(vec![1; 1_000])),
    ]
}

#[test]
fn an_extension_that_fills_a_lane_leaves_another_its_share() {
    for (limits, bytes) in lanes_of_800() {
        for [loud, quiet] in [[0, 1], [1, 0]] {
            let mut two = Two::with_limits(limits);
            assert_eq!(two.flood(loud, &bytes), 800, "alone it has all of it");
            assert!(!two.post(loud, &bytes));
            // The other one posts, and fills no more than its share in turn.
            let mut connects = 0;
            if quiet == 0 {
                // Whose lane it is connects by it too.
                connect_runtime(&mut two.there, two.script, "").unwrap();
                connects = 1;
            }
            let more = two.flood(quiet, &bytes);
            assert!((97..=100).contains(&more), "{more}");
            assert_eq!(connect_runtime(&mut two.there, two.script, ""), Err(ConnectError::Busy));
            assert_eq!(drain(&mut two.here).len(), 800 + connects + more, "nothing was lost");
            assert_eq!(two.flood(quiet, &bytes), 800, "now that is alone");
            assert!(two.flood(loud, &bytes) >= 99);
            drop(two.browser);
        }
    }
}

#[test]
fn while_one_extension_floods_the_posts_of_another_go_on() {
    // The one posts whenever it may; the other now and then. The peer takes half as much as comes.
    for [loud, quiet] in [[0, 1], [1, 0]] {
        let mut two = Two::with_limits(limits(|limits| limits.lane_records = 800));
        let flood = Bytes::from_static(b"flood");
        let (mut heard, mut sent) = (0, 0);
        for round in 0..20_000 {
            let flooded = two.post(loud, &flood);
            if round % 50 == 0 {
                assert!(two.post(quiet, &Bytes::from_static(b"a word")), "refused in round {round}");
                sent += 1;
            }
            if round % 2 == 0 {
                let event = two.here.next_event();
                heard += usize::from(
                    matches!(event, Some(Event::Message { ref payload, .. }) if **payload == *b"a word"),
                );
            }
            assert!(flooded || round > 800);
        }
        let rest = hear(&mut two.here).into_iter().filter(|heard| *heard == message("a word")).count();
        assert_eq!(heard + rest, sent);
    }
}

#[test]
fn a_buffer_posted_again_and_again_leaves_another_extension_its_share() {
    // With the default limits: twice 64 MiB are the budget of a lane.
    let mut two = Two::with_limits(Limits::default());
    let buffer = Bytes::from(vec![0; 64 << 20]);
    assert_eq!(two.flood(1, &buffer), 2);
    assert!(two.post(0, &Bytes::from_static(b"a word")));
    connect_runtime(&mut two.there, two.script, "").unwrap();
    assert_eq!(drain(&mut two.here).len(), 4);
}

#[test]
fn an_extension_that_fills_its_lanes_leaves_another_the_whole_of_its_own() {
    for (limits, bytes) in lanes_of_800() {
        for same_loop in [false, true] {
            let browser = Browser::with_limits(limits);
            let extensions = [browser.extension, browser.load("other@example")];
            let (mut here, mut there, place) = (browser.event_loop(), browser.event_loop(), browser.tab());
            let target = TabTarget::new(place.tab);
            let backgrounds = extensions.map(|extension| background_of(extension, &mut here));
            let their_loop = if same_loop { &mut here } else { &mut there };
            let scripts = extensions.map(|extension| content_script_of(extension, their_loop, place));
            let ports = backgrounds.map(|background| here.connect_tab(background, &target).unwrap());
            let received = connected(if same_loop { &mut here } else { &mut there });
            assert_eq!(hear(&mut here), []);
            let flood = |event_loop: &mut EventLoop, port| {
                (0..100_000).take_while(|_| event_loop.post_message(port, bytes.clone()).is_ok()).count()
            };
            for of in [0, 1] {
                assert_eq!(flood(&mut here, ports[of]), 800, "nothing of the other's counts");
                assert_eq!(here.connect_tab(backgrounds[of], &target), Err(ConnectError::Busy));
                if !same_loop {
                    assert_eq!(flood(&mut there, received[of]), 800, "nor the other way");
                    assert_eq!(connect_runtime(&mut there, scripts[of], ""), Err(ConnectError::Busy));
                }
            }
            let [heard_here, heard_there] = settle([&mut here, &mut there]);
            let messages = heard_here.iter().chain(&heard_there);
            let messages = messages.filter(|event| matches!(event, Event::Message { .. })).count();
            assert_eq!(messages, if same_loop { 1_600 } else { 3_200 }, "nothing was lost");
        }
    }
}

#[test]
fn connects_of_one_extension_whose_answers_are_not_taken_leave_another_all_of_its_own() {
    let browser = Browser::with_limits(limits(|limits| limits.unanswered_connects = 20));
    let extensions = [browser.extension, browser.load("other@example")];
    let (mut here, mut there, place) = (browser.event_loop(), browser.event_loop(), browser.tab());
    let backgrounds = extensions.map(|extension| background_of(extension, &mut here));
    for extension in extensions {
        content_script_of(extension, &mut there, place);
    }
    for background in backgrounds {
        let connects =
            (0..100).take_while(|_| here.connect_tab(background, &TabTarget::new(place.tab)).is_ok()).count();
        assert_eq!(connects, 20);
        assert_eq!(connected(&mut there).len(), 20);
    }
}

#[test]
fn a_fan_out_is_busy_when_one_of_its_loops_is_and_sends_nothing() {
    let browser = Browser::with_limits(limits(|limits| limits.lane_records = 8));
    let (mut here, mut quick, mut slow) = (browser.event_loop(), browser.event_loop(), browser.event_loop());
    let top = browser.tab();
    let opener = browser.background(&mut here);
    browser.content_script(&mut quick, top);
    let frame = browser.frame_in(top);
    browser.content_script(&mut slow, frame);
    let all = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    let one = here.connect_tab(opener, &TabTarget::new(top.tab).frame(top.frame)).unwrap();
    assert_eq!(connected(&mut quick).len(), 2);
    let mut posted = 0;
    while here.post_message(all, "all").is_ok() {
        posted += 1;
        assert_eq!(hear(&mut quick), [message("all")]);
    }
    assert_eq!(posted, 6);
    assert_eq!(hear(&mut quick), [], "refused as a whole");
    assert_eq!(here.connect_tab(opener, &TabTarget::new(top.tab)), Err(ConnectError::Busy));
    assert_eq!(hear(&mut quick), []);
    here.post_message(one, "one").unwrap();
    assert_eq!(hear(&mut quick), [message("one")]);
    assert_eq!(drain(&mut slow).len(), 7);
    here.post_message(all, "again").unwrap();
}

#[test]
fn connects_whose_answers_are_not_taken_are_counted() {
    // The peer takes every connect at once, so its lane never fills; the answers lie with the opener.
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener, script } = browser.apart();
    let target = TabTarget::new(place.tab);
    let connect_all = |here: &mut EventLoop, there: &mut EventLoop, most: u32| {
        let mut connects = 0;
        for _ in 0..most {
            match here.connect_tab(opener, &target) {
                Ok(port) => assert!(here.disconnect(port)),
                Err(error) => {
                    assert_eq!(error, ConnectError::Busy);
                    break;
                }
            }
            connects += 1;
            drain(there);
        }
        connects
    };
    let limit = Limits::default().unanswered_connects;
    assert_eq!(connect_all(&mut here, &mut there, limit * 2), limit);
    // Nor do posts, or connects elsewhere, suffer.
    let elsewhere = browser.tab();
    browser.content_script(&mut here, elsewhere);
    let near = here.connect_tab(opener, &TabTarget::new(elsewhere.tab)).unwrap();
    here.post_message(near, "near").unwrap();
    assert_eq!(hear(&mut here), [connect(""), message("near")]);
    // Nobody hears of the answers, so several calls take them.
    let take_answers = |here: &mut EventLoop| (0..4).for_each(|_| assert_eq!(hear(here), []));
    take_answers(&mut here);
    // A refusal is an answer, as is one to a port that has left.
    there.set_listening(script, Listening::none()).unwrap();
    assert_eq!(connect_all(&mut here, &mut there, limit * 2), limit);
    take_answers(&mut here);
    assert_eq!(connect_all(&mut here, &mut there, 10), 10);
}

#[test]
fn every_target_of_a_connect_has_to_answer() {
    for [first, second] in [[1, 1], [1, 2]] {
        let browser = Browser::with_limits(limits(|limits| limits.unanswered_connects = 3));
        let mut loops = [browser.event_loop(), browser.event_loop(), browser.event_loop()];
        let top = browser.tab();
        let opener = browser.background(&mut loops[0]);
        browser.content_script(&mut loops[first], top);
        browser.content_script(&mut loops[second], browser.frame_in(top));
        let target = TabTarget::new(top.tab);
        for _ in 0..3 {
            let connects = (0..10).take_while(|_| loops[0].connect_tab(opener, &target).is_ok()).count();
            assert_eq!(connects, if first == second { 2 } else { 3 });
            assert_eq!(loops[0].connect_tab(opener, &target), Err(ConnectError::Busy));
            drain(&mut loops[first]);
            assert_eq!(loops[0].connect_tab(opener, &target), Err(ConnectError::Busy), "not taken yet");
            drain(&mut loops[second]);
            assert_eq!(hear(&mut loops[0]), []);
        }
    }
}

#[test]
fn an_opener_holds_as_many_ports_as_it_may() {
    let browser = Browser::with_limits(limits(|limits| limits.ports_per_context = 3));
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    let place = browser.tab();
    let opener = browser.background(&mut here);
    let neighbour = browser.background(&mut here);
    let target = TabTarget::new(place.tab);
    browser.content_script(&mut there, place);
    let ports: Vec<_> = (0..3).map(|_| here.connect_tab(opener, &target).unwrap()).collect();
    assert_eq!(here.connect_tab(opener, &target), Err(ConnectError::TooManyPorts));
    assert_eq!(connect_runtime(&mut here, opener, ""), Err(ConnectError::TooManyPorts));
    // Another context has its own count, but the receiver takes no more either.
    let refused = here.connect_tab(neighbour, &target).unwrap();
    assert_eq!(connected(&mut there).len(), 3);
    let events = drain(&mut here);
    assert_eq!(heard_on(&events, refused), [disconnect(LimitReached)]);
    // One ends, one may come.
    here.disconnect(ports[1]);
    assert_eq!(hear(&mut there), [disconnect(Disconnected)]);
    here.connect_tab(opener, &target).unwrap();
    assert_eq!(connected(&mut there).len(), 1);
    assert_eq!(here.connect_tab(opener, &target), Err(ConnectError::TooManyPorts));
}

#[test]
fn a_full_receiver_does_not_keep_others_from_the_connection() {
    let browser = Browser::with_limits(limits(|limits| limits.ports_per_context = 2));
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    let top = browser.tab();
    let frame = browser.frame_in(top);
    let openers = [(); 3].map(|()| browser.background(&mut here));
    let full = browser.content_script(&mut there, top);
    let other = browser.content_script(&mut there, frame);
    for _ in 0..2 {
        here.connect_tab(openers[0], &TabTarget::new(top.tab).frame(top.frame)).unwrap();
    }
    assert_eq!(connected(&mut there).len(), 2);
    let port = here.connect_tab(openers[1], &TabTarget::new(top.tab)).unwrap();
    let events = drain(&mut there);
    assert_eq!((heard_by(&events, full), heard_by(&events, other)), (vec![], vec![connect("")]));
    here.post_message(port, "to the one that is there").unwrap();
    assert_eq!(drain(&mut there).len(), 1);
    assert_eq!(hear(&mut here), []);
    // Ports that the full one itself opens count as well.
    here.connect_tab(openers[2], &TabTarget::new(top.tab).frame(frame.frame)).unwrap();
    assert_eq!(connected(&mut there).len(), 1);
    assert_eq!(connect_runtime(&mut there, other, ""), Err(ConnectError::TooManyPorts));
}

#[test]
fn a_refused_connect_leaves_no_port() {
    let browser = Browser::with_limits(limits(|limits| limits.lane_records = 0));
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    for _ in 0..10 {
        assert_eq!(here.connect_tab(opener, &TabTarget::new(place.tab)), Err(ConnectError::Busy));
    }
    assert_eq!(here.snapshot().ports, []);
    assert_eq!(here.snapshot().contexts[0].ports, 0);
    assert_eq!(there.next_event().as_ref().and_then(Event::port), None);
}
