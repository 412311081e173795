//! The lanes between two event loops, of which each extension whose contexts open connections has its own: made from both
//! sides at once, ended together, and taken over by the next load.

mod common;

use common::*;
use port_core::DisconnectReason::{
    self, ContextDetached, EventLoopGone, ExtensionUnloaded, Navigated, ProcessCrashed, TabClosed,
};
use port_core::{
    ConnectError, ContextId, EventLoop, ExtensionDescription, ExtensionInstance, ExternalConnections, Place,
    PortId, RuntimeTarget, TabTarget,
};

const OTHER: &str = "other@example";

/// Two extensions, with a background each on one loop and a content script each on another, in one tab.
struct Two {
    browser: Browser,
    here: EventLoop,
    there: EventLoop,
    place: Place,
    extensions: [ExtensionInstance; 2],
    backgrounds: [ContextId; 2],
    scripts: [ContextId; 2],
}

impl Two {
    fn new() -> Self {
        let browser = Browser::new();
        let other = ExtensionDescription::new(OTHER).external(ExternalConnections::Everyone);
        let extensions = [browser.extension, browser.service.extension_loaded(other).unwrap()];
        let (mut here, mut there, place) = (browser.event_loop(), browser.event_loop(), browser.tab());
        let everything = listening_for_everything();
        let backgrounds =
            extensions.map(|extension| listen_for(&mut here, describe_background(extension), everything));
        let scripts = extensions.map(|extension| content_script_of(extension, &mut there, place));
        Self { browser, here, there, place, extensions, backgrounds, scripts }
    }

    /// Connects a background to its content script, without a look at what comes of it.
    fn down(&mut self, of: usize) -> PortId {
        self.here.connect_tab(self.backgrounds[of], &TabTarget::new(self.place.tab)).unwrap()
    }

    /// Connects a content script to its background.
    fn up(&mut self, of: usize) -> PortId {
        connect_runtime(&mut self.there, self.scripts[of], "").unwrap()
    }

    /// Opens ports both ways in each extension. Gives the ends of the backgrounds and those of the content scripts.
    fn ports_both_ways(&mut self) -> [Vec<PortId>; 2] {
        let mut here: Vec<_> = [0, 1].map(|of| self.down(of)).into();
        let mut there: Vec<_> = [0, 1].map(|of| self.up(of)).into();
        let [ours, theirs] = settle([&mut self.here, &mut self.there]);
        here.extend(ours.iter().map(|event| event.port().unwrap()));
        there.extend(theirs.iter().map(|event| event.port().unwrap()));
        assert_eq!((here.len(), there.len()), (4, 4));
        [here, there]
    }
}

#[test]
fn both_loops_make_the_lanes_of_one_extension_at_once_beside_those_of_another() {
    for looked in [true, false] {
        let mut two = Two::new();
        let mut expected = vec![connect(""), message("a word")];
        let mut expected_there = expected.clone();
        if looked {
            let port = two.down(0);
            assert_eq!(hear(&mut two.there), [connect("")]);
            assert_eq!(hear(&mut two.here), []);
            assert!(two.here.is_open(port));
        } else {
            // The lanes of the one wait for the one loop, those of the other for the other.
            two.down(0);
            expected_there.insert(0, connect(""));
            two.up(0);
            expected.insert(0, connect(""));
        }
        let (down, up) = (two.down(1), two.up(1));
        two.here.post_message(down, "a word").unwrap();
        two.there.post_message(up, "a word").unwrap();
        let [mut ours, mut theirs] = [&mut two.here, &mut two.there].map(hear);
        ours.sort();
        theirs.sort();
        assert_eq!((ours, theirs), (expected, expected_there));
        assert_eq!(settle([&mut two.here, &mut two.there]), [[], []]);
        for event_loop in [&two.here, &two.there] {
            let [lane] = &event_loop.snapshot().lanes[..] else { panic!("one peer") };
            assert_eq!((lane.outbound_records, lane.outbound_bytes), (0, 0));
        }
    }
}

#[test]
fn two_loops_each_make_the_lanes_of_an_extension_that_the_other_has_not_heard_of() {
    let mut two = Two::new();
    let (down, up) = (two.down(0), two.up(1));
    two.here.post_message(down, "down").unwrap();
    two.there.post_message(up, "up").unwrap();
    // And each finds the other's.
    let (second_down, second_up) = (two.down(1), two.up(0));
    two.here.post_message(second_down, "down").unwrap();
    two.there.post_message(second_up, "up").unwrap();
    let twice = |word: &str| vec![connect(""), connect(""), message(word), message(word)];
    let heard = [&mut two.here, &mut two.there].map(|event_loop| {
        let mut heard = hear(event_loop);
        heard.sort();
        heard
    });
    assert_eq!(heard, [twice("up"), twice("down")]);
}

/// Ports of two extensions both ways, and everybody's last words; what is heard of the end of those on the one loop.
fn ends(how: impl FnOnce(&mut Two), reason: DisconnectReason) -> Two {
    let mut two = Two::new();
    let [here, there] = two.ports_both_ways();
    for &port in &there {
        two.there.post_message(port, "last words").unwrap();
    }
    how(&mut two);
    let events = drain(&mut two.here);
    for &port in &here {
        assert_eq!(heard_on(&events, port), [message("last words"), disconnect(reason)]);
        assert!(!two.here.is_open(port));
    }
    assert_eq!(events.len(), 8);
    assert_eq!(two.here.snapshot().ports, []);
    two
}

#[test]
fn the_end_of_a_loop_is_heard_on_the_lanes_of_every_extension() {
    let drops = |two: &mut Two| two.there = two.browser.event_loop();
    let declares = |two: &mut Two| two.browser.service.event_loop_gone(two.there.id()).unwrap();
    let crashes = |two: &mut Two| two.browser.service.event_loop_crashed(two.there.id()).unwrap();
    for two in [ends(drops, EventLoopGone), ends(declares, EventLoopGone), ends(crashes, ProcessCrashed)] {
        assert_eq!(two.here.snapshot().lanes, []);
    }
}

#[test]
fn the_end_of_contexts_is_heard_on_the_lanes_of_every_extension() {
    let closes = |two: &mut Two| two.browser.service.tab_closed(two.place.tab).unwrap();
    let navigates = |two: &mut Two| two.place = two.browser.navigate(two.place);
    let detaches = |two: &mut Two| two.scripts.iter().for_each(|&script| two.there.detach(script).unwrap());
    for mut two in [ends(closes, TabClosed), ends(navigates, Navigated), ends(detaches, ContextDetached)] {
        // The loops go on.
        settle([&mut two.here, &mut two.there]);
        two.place = two.browser.tab();
        two.scripts = two.extensions.map(|extension| content_script_of(extension, &mut two.there, two.place));
        two.ports_both_ways();
    }
}

#[test]
fn one_extension_is_unloaded_and_the_lanes_of_another_go_on() {
    let mut two = Two::new();
    let [here, there] = two.ports_both_ways();
    let of_other = |ports: &[PortId], two: &Two| {
        let snapshots = [two.here.snapshot(), two.there.snapshot()];
        let open =
            |port: &&PortId| snapshots.iter().flat_map(|all| &all.ports).any(|shown| shown.port == **port);
        ports.iter().filter(open).copied().collect::<Vec<_>>()
    };
    two.browser.service.extension_unloaded(two.extensions[0]).unwrap();
    let [ours, theirs] = settle([&mut two.here, &mut two.there]);
    assert_eq!(gone(&ours), [(two.backgrounds[0], ExtensionUnloaded)]);
    assert_eq!(gone(&theirs), [(two.scripts[0], ExtensionUnloaded)]);
    for (ports, from_here) in [(of_other(&here, &two), true), (of_other(&there, &two), false)] {
        assert_eq!(ports.len(), 2);
        for port in ports {
            let from = if from_here { &mut two.here } else { &mut two.there };
            from.post_message(port, "on").unwrap();
        }
    }
    let on = [message("on"), message("on")];
    assert_eq!([&mut two.here, &mut two.there].map(hear), [on.clone(), on]);
}

#[test]
fn a_loop_that_goes_on_finds_out_which_contexts_of_several_extensions_are_gone() {
    // More than are named one by one.
    let browser = Browser::new();
    let extensions = [browser.extension, browser.load(OTHER)];
    let (mut hung, mut there) = (browser.event_loop(), browser.event_loop());
    let backgrounds = extensions.map(|extension| background_of(extension, &mut hung));
    let pages: Vec<_> = (0..2_000_usize)
        .map(|number| {
            let (place, of) = (browser.tab(), number % 2);
            let page = content_script_of(extensions[of], &mut there, place);
            let (opened, received) = browser.open_port(&mut hung, backgrounds[of], &mut there, place.tab);
            let called = connect_runtime(&mut there, page, "").unwrap();
            (place, [opened, take_connect(&mut hung)], [received, called])
        })
        .collect();
    assert_eq!(hear(&mut there), []);
    for (_, _, theirs) in &pages {
        theirs.iter().for_each(|&port| there.post_message(port, "last words").unwrap());
    }
    let stays = |number: usize| number % 10 < 2;
    for (number, (place, ..)) in pages.iter().enumerate() {
        if !stays(number) {
            browser.service.tab_closed(place.tab).unwrap();
        }
    }
    let events = drain(&mut hung);
    for (number, (_, ours, _)) in pages.iter().enumerate() {
        let end = (!stays(number)).then_some(disconnect(TabClosed));
        let expected: Vec<_> = [message("last words")].into_iter().chain(end).collect();
        for &port in ours {
            assert_eq!(heard_on(&events, port), expected, "page {number}");
            assert_eq!(hung.is_open(port), stays(number));
        }
    }
    assert_eq!(hung.snapshot().ports.len(), 800);
}

#[test]
fn what_contexts_of_one_extension_send_to_another_comes_in_order_across_loads() {
    let mut two = Two::new();
    let target = RuntimeTarget::extension(OTHER);
    // To a background on the other loop.
    two.here.detach(two.backgrounds[1]).unwrap();
    listen_for(&mut two.there, describe_background(two.extensions[1]), listening_for_everything());
    let (mut expected, mut heard) = (Vec::new(), Vec::new());
    for load in 0..20 {
        let own = [two.backgrounds[0], listen(&mut two.here, describe_page(two.extensions[0]))];
        let mut ports = Vec::new();
        for round in 0..10 {
            let name = format!("{load} {round}");
            let port = two.here.connect_runtime(own[round % 2], &target.clone().name(&name)).unwrap();
            two.here.post_message(port, &*name).unwrap();
            expected.extend([connect(&name), message(&*name)]);
            ports.push(port);
        }
        heard.extend(hear(&mut two.there));
        // These lie there when the next load connects.
        for port in ports {
            two.here.post_message(port, "last words").unwrap();
            expected.push(message("last words"));
        }
        two.browser.service.extension_unloaded(two.extensions[0]).unwrap();
        two.extensions[0] = two.browser.load("greeter@example");
        two.backgrounds[0] = background_of(two.extensions[0], &mut two.here);
    }
    heard.extend(hear(&mut two.there));
    let ends = heard.extract_if(.., |heard| *heard == disconnect(ExtensionUnloaded)).count();
    assert_eq!(ends, 200);
    heard.retain(|heard| !matches!(heard, Heard::ContextGone(_)));
    assert_eq!(heard, expected);
}

#[test]
fn pages_of_the_web_have_lanes_of_their_own() {
    let browser = Browser::with_limits(limits(|limits| limits.lane_records = 100));
    let (mut here, mut there, place) = (browser.event_loop(), browser.event_loop(), browser.tab());
    listen_for(&mut here, describe_background(browser.extension), listening_for_everything());
    let page = there.attach(describe_web_page(place, &["greeter@example"])).unwrap();
    let script = browser.content_script(&mut there, place);
    let target = RuntimeTarget::extension("greeter@example");
    let port = there.connect_runtime(page, &target).unwrap();
    let flooded = (0..1_000).take_while(|_| there.post_message(port, "flood").is_ok()).count();
    assert_eq!(flooded, 98, "the page is announced, and it connects");
    assert_eq!(there.connect_runtime(page, &target), Err(ConnectError::Busy));
    let port = connect_runtime(&mut there, script, "").unwrap();
    let posted = (0..1_000).take_while(|_| there.post_message(port, "on").is_ok()).count();
    assert_eq!(posted, 98);
    assert_eq!(drain(&mut here).len(), 2 * 99);
}
