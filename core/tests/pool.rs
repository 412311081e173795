//! What a service holds for scripts in all: one number, whatever the number of event loops, and a share for each extension.

mod common;

use common::*;
use port_core::DisconnectReason::{BackgroundNotStarted, LimitReached};
use port_core::bytes::Bytes;
use port_core::{
    ConnectError, ConnectListeners, Event, EventLoop, ExtensionInstance, Limits, Listening, OpeningPort,
    Policies, PortId, PostErrorKind, RuntimeTarget, TabTarget,
};
use std::task::Waker;

const KIB: u64 = 1 << 10;
const POOL: u64 = 4 << 20;
const SHARE: u64 = 512 * KIB;
/// What a lane holds of its own, at most.
const LANE: u64 = 128 * KIB;

fn tight() -> Limits {
    Limits::default().service_bytes(POOL).extension_bytes(SHARE)
}

/// A background and the loops of three tabs, each with a port to it.
struct Star {
    here: EventLoop,
    there: Vec<EventLoop>,
    ports: Vec<PortId>,
}

impl Star {
    fn new(browser: &Browser, extension: ExtensionInstance) -> Self {
        let mut here = browser.event_loop();
        let background = background_of(extension, &mut here);
        let (mut there, mut ports) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (mut event_loop, place) = (browser.event_loop(), browser.tab());
            content_script_of(extension, &mut event_loop, place);
            ports.push(here.connect_tab(background, &TabTarget::new(place.tab)).unwrap());
            assert_eq!(connected(&mut event_loop).len(), 1);
            there.push(event_loop);
        }
        assert_eq!(hear(&mut here), []);
        Self { here, there, ports }
    }

    fn post(&mut self, to: usize, bytes: usize) -> bool {
        match self.here.post_message(self.ports[to], vec![0; bytes]).map_err(PostErrorKind::from) {
            Ok(()) => true,
            Err(error) => {
                assert_eq!(error, PostErrorKind::Busy);
                false
            }
        }
    }

    /// Returns how many bytes go to one of them, in messages of so many, until one is refused.
    fn flood(&mut self, to: usize, each: usize) -> u64 {
        (0..100_000).take_while(|_| self.post(to, each)).count() as u64 * each as u64
    }
}

fn in_use(browser: &Browser) -> u64 {
    browser.service.snapshot().bytes
}

#[test]
fn all_lanes_together_hold_what_the_service_may() {
    for each in [1_000, 10_000, 300_000] {
        let browser = Browser::with_limits(tight());
        let mut star = Star::new(&browser, browser.extension);
        let sent: u64 = (0..3).map(|to| star.flood(to, each)).sum();
        let most = POOL + SHARE + 3 * LANE;
        assert!(sent <= most && sent > most * 3 / 4, "{sent} of {most} bytes in messages of {each}");
        assert!(in_use(&browser) <= POOL + SHARE);
        // All is delivered, and all is given back.
        let heard: usize = star.there.iter_mut().map(|there| drain(there).len()).sum();
        assert_eq!(heard as u64, sent / each as u64);
        assert_eq!(in_use(&browser), 0);
        assert!(star.flood(1, each) > POOL * 3 / 4);
    }
}

#[test]
fn an_extension_that_uses_the_service_up_leaves_another_its_share() {
    let browser = Browser::with_limits(tight());
    let mut greedy = Star::new(&browser, browser.extension);
    let mut other = Star::new(&browser, browser.load("other@example"));
    let filled: u64 = (0..3).map(|to| greedy.flood(to, 1_000)).sum();
    assert!(filled > POOL);
    assert!(!greedy.post(0, 1_000));
    let sent: u64 = (0..3).map(|to| other.flood(to, 1_000)).sum();
    let share = SHARE + 3 * LANE;
    assert!(sent <= share && sent > share * 3 / 4, "{sent} bytes of {share}");
    assert!(in_use(&browser) <= POOL + 2 * SHARE);
    // What it has of its own comes back to it, and what was common to all.
    other.there.iter_mut().for_each(|there| drop(drain(there)));
    assert!(other.flood(2, 1_000) > SHARE * 3 / 4);
    greedy.there.iter_mut().for_each(|there| drop(drain(there)));
    other.there.iter_mut().for_each(|there| drop(drain(there)));
    assert_eq!(in_use(&browser), 0);
    assert!(other.flood(0, 1_000) > POOL * 3 / 4);
}

#[test]
fn room_is_told_when_another_lane_gives_back_what_was_lacking() {
    let browser = Browser::with_limits(tight());
    let mut star = Star::new(&browser, browser.extension);
    // Together they use up all; then only the first is emptied.
    star.flood(0, 10_000);
    star.flood(1, 10_000);
    assert!(!star.post(1, 10_000));
    assert_eq!(hear(&mut star.here), []);
    assert!(!drain(&mut star.there[0]).is_empty());
    let rooms = drain(&mut star.here);
    let of_the_second = |event: &Event| matches!(*event, Event::Room { port, .. } if port == star.ports[1]);
    assert!(rooms.iter().any(of_the_second), "{rooms:?}");
    assert!(star.post(1, 10_000));
}

#[test]
fn nothing_stays_drawn_for_a_message_that_one_of_several_lanes_refused() {
    let browser = Browser::with_limits(tight());
    let (mut here, mut quick, mut slow) = (browser.event_loop(), browser.event_loop(), browser.event_loop());
    let top = browser.tab();
    let opener = browser.background(&mut here);
    browser.content_script(&mut quick, top);
    browser.content_script(&mut slow, browser.frame_in(top));
    let all = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    drain(&mut quick);
    drain(&mut slow);
    // For one of the lanes there is enough, for both there is not.
    let message = Bytes::from(vec![0; 3 << 20]);
    let refused = here.post_message(all, message.clone()).map_err(PostErrorKind::from);
    assert_eq!(refused, Err(PostErrorKind::Busy));
    assert_eq!(in_use(&browser), 0);
    here.post_message(all, message.slice(..2 << 20)).unwrap();
    assert_eq!((drain(&mut quick).len(), drain(&mut slow).len()), (1, 1));
    assert_eq!(in_use(&browser), 0);
}

#[test]
fn ports_and_their_names_are_in_the_sum() {
    let browser = Browser::with_limits(tight());
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let target = TabTarget::new(place.tab).name(&"n".repeat(1_000));
    let mut refused = None;
    let connects = (0..10_000)
        .take_while(|_| {
            let connected = here.connect_tab(opener, &target);
            refused = connected.as_ref().err().copied();
            drain(&mut there);
            drain(&mut here);
            connected.is_ok()
        })
        .count();
    // Both sides hold a name and a port each, and a little of their own.
    assert_eq!(refused, Some(ConnectError::Busy));
    assert!((1_500..3_500).contains(&connects), "{connects}");
    assert!(in_use(&browser) <= POOL + SHARE);
    drop((here, there));
    assert_eq!(in_use(&browser), 0);
}

#[test]
fn a_receiver_for_which_there_is_no_room_refuses() {
    let browser = Browser::with_limits(tight().service_bytes(0).extension_bytes(0));
    let mut there = browser.event_loop();
    let place = browser.tab();
    browser.content_script(&mut there, place);
    // Each opener's loop has a little of its own; the receivers' loop has that once.
    let mut openers: Vec<_> = (0..4).map(|_| browser.background_loop()).collect();
    let mut ends = Vec::new();
    for (here, opener) in &mut openers {
        for _ in 0..1_000 {
            here.connect_tab(*opener, &TabTarget::new(place.tab)).unwrap();
            drain(&mut there);
            ends.extend(hear(here));
        }
    }
    assert!(ends.contains(&disconnect(LimitReached)));
    assert_eq!(in_use(&browser), 0);
}

#[test]
fn posts_that_wait_for_an_answer_are_in_the_sum() {
    let browser = Browser::with(tight(), policies(|policies| policies.opening_port = OpeningPort::PostsWait));
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let ports = [(); 3].map(|()| here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap());
    let mut sent = 0;
    for port in ports {
        while here.post_message(port, vec![0; 10_000]).is_ok() {
            sent += 10_000;
        }
    }
    assert!(sent <= POOL + SHARE + (1 << 20) && sent > POOL, "{sent} bytes");
    assert!(in_use(&browser) <= POOL + SHARE);
    // Once it is open they go on, as far as there is room.
    for _ in 0..3 {
        drain(&mut there);
        drain(&mut here);
    }
    here.post_message(ports[0], "now").unwrap();
    assert!(in_use(&browser) <= 96 * KIB, "a loop keeps a little for the next");
}

#[test]
fn posts_that_waited_are_in_the_sum_until_they_are_taken() {
    let browser = Browser::with(tight(), policies(|policies| policies.opening_port = OpeningPort::PostsWait));
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let ports = [(); 3].map(|()| here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap());
    // Each of the answers lets go what waits for it, and the receivers' loop takes nothing from then on.
    drain(&mut there);
    let mut sent = 0;
    while here.post_message(ports[0], vec![0; 10_000]).is_ok() {
        sent += 10_000;
    }
    assert!(sent > POOL, "{sent} bytes");
    drain(&mut here);
    assert!(in_use(&browser) > sent - (1 << 20), "{} bytes of {sent}", in_use(&browser));
    for port in ports {
        let refused = here.post_message(port, vec![0; 1_000_000]).map_err(PostErrorKind::from);
        assert_eq!(refused, Err(PostErrorKind::Busy));
    }
    assert_eq!(drain(&mut there).len() as u64, sent / 10_000);
    assert!(in_use(&browser) <= 96 * KIB, "a loop keeps a little for the next");
    here.post_message(ports[0], vec![0; 1_000_000]).unwrap();
}

#[test]
fn a_listener_joins_only_where_the_lane_has_room() {
    let listeners = policies(|policies| policies.connect_listeners = ConnectListeners::PortForEach);
    let browser = Browser::with(tight(), listeners);
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    let opener = browser.page(&mut here);
    let receiver = browser.background(&mut there);
    there.set_listening(receiver, Listening::PORTS.listeners(10_000)).unwrap();
    // The opener disconnects at once and takes no answer.
    for _ in 0..200 {
        if let Ok(port) = here.connect_runtime(opener, &RuntimeTarget::own()) {
            here.disconnect(port);
        }
        drain(&mut there);
    }
    let lying = there.snapshot().lanes.iter().map(|lane| lane.outbound_records).sum::<u64>();
    assert!(lying * 128 <= POOL + SHARE + LANE + 200 * 128, "{lying} answers");
    assert!(in_use(&browser) <= POOL + SHARE);
    drain(&mut here);
    drain(&mut there);
}

#[test]
fn the_names_of_ports_that_waited_for_a_background_are_given_back() {
    // Each of two loops keeps a little for the next: less than two of the pieces in which it draws. A name of each round
    // would be more.
    const KEPT: u64 = 2 * 2 * 96 * KIB;
    let name = "n".repeat(60_000);
    for end in ["given up", "started", "detached"] {
        let mut sleeper = Sleeper::of(service(tight(), Policies::default()));
        for round in 0..8 {
            let ports: Vec<_> = (0..50).map(|_| sleeper.connect(&name)).collect();
            let held = in_use(&sleeper.browser);
            assert!(held > 50 * 60_000 - (1 << 20), "{end}, round {round}: {held} bytes");
            assert!(ports.into_iter().all(|port| sleeper.page.disconnect(port)));
            let service = &sleeper.browser.service;
            match end {
                "given up" => service.give_up_background(sleeper.extension, BackgroundNotStarted).unwrap(),
                "started" => drop(sleeper.start()),
                _ => {
                    sleeper.page.detach(sleeper.script).unwrap();
                    sleeper.script = content_script_of(sleeper.extension, &mut sleeper.page, sleeper.place);
                }
            }
            sleeper.settle();
            let held = in_use(&sleeper.browser);
            assert!(held <= KEPT, "{end}, round {round}: {held} bytes");
            if end == "started" {
                sleeper.browser.service.stop_background(sleeper.extension).unwrap();
                sleeper.settle();
            }
        }
    }
}

/// A loop that has a limit, with content scripts of several tabs' backgrounds to post to: each of those is on a loop of its own.
struct Limited {
    here: EventLoop,
    there: Vec<EventLoop>,
    ports: Vec<PortId>,
}

const LIMIT: u64 = 1 << 20;

impl Limited {
    /// An extension for each of those that it posts to.
    fn new(browser: &Browser, extensions: &[ExtensionInstance]) -> Self {
        let mut here = browser.service.limited_event_loop(Waker::noop().clone(), LIMIT);
        let place = browser.tab();
        let (mut there, mut ports) = (Vec::new(), Vec::new());
        for &extension in extensions {
            let mut event_loop = browser.event_loop();
            background_of(extension, &mut event_loop);
            let script = content_script_of(extension, &mut here, place);
            ports.push(here.connect_runtime(script, &RuntimeTarget::own()).unwrap());
            assert_eq!(connected(&mut event_loop).len(), 1);
            there.push(event_loop);
        }
        assert_eq!(hear(&mut here), []);
        Self { here, there, ports }
    }

    fn flood(&mut self, each: usize) -> u64 {
        let Self { here, ports, .. } = self;
        let mut flood = |port: PortId| {
            let sent = (0..100_000).take_while(|_| here.post_message(port, vec![0; each]).is_ok());
            sent.count() as u64 * each as u64
        };
        ports.iter().map(|&port| flood(port)).sum()
    }
}

#[test]
fn what_a_limited_loop_sends_on_all_its_lanes_leaves_the_rest_to_others() {
    for each in [1_000, 10_000, 300_000] {
        let browser = Browser::with_limits(tight());
        let others = ["a@example", "b@example"].map(|id| browser.load(id));
        let mut limited = Limited::new(&browser, &[browser.extension, others[0], others[1]]);
        let sent = limited.flood(each);
        let most = LIMIT + 3 * LANE;
        assert!(
            sent <= most && sent + 3 * each as u64 > most / 2,
            "{sent} of {most} bytes in messages of {each}"
        );
        assert!(in_use(&browser) <= LIMIT);
        assert_eq!(hear(&mut limited.here), []);
        // The same extension's scripts elsewhere have what is left for all, and the share.
        let mut star = Star::new(&browser, browser.extension);
        assert!(star.flood(0, 1_000) > (POOL - LIMIT + SHARE) * 3 / 4);
        drop(star);
        // What was read may be sent again, and whoever waited for that is told.
        limited.there.iter_mut().for_each(|there| drop(drain(there)));
        assert_eq!(in_use(&browser), 0);
        let rooms = drain(&mut limited.here);
        assert!(rooms.iter().all(|event| matches!(event, Event::Room { .. })), "{rooms:?}");
        assert_eq!(rooms.len(), 3, "one for each port that was refused");
        assert!(limited.flood(each) + 3 * each as u64 > most / 2);
        drop(limited);
        assert_eq!(in_use(&browser), 0);
    }
}

#[test]
fn ports_of_a_limited_loop_count_with_what_it_sends() {
    let browser = Browser::with_limits(tight().unanswered_connects(1 << 20).ports_per_context(1 << 20));
    let mut limited = Limited::new(&browser, &[browser.extension]);
    let script = limited.here.context_of(limited.ports[0]).unwrap();
    let mut opened = 0;
    while limited.here.connect_runtime(script, &RuntimeTarget::own()).is_ok() {
        opened += 1;
        drop(drain(&mut limited.there[0]));
    }
    // A port and its channel, beyond what a loop has of its own.
    let most = (LIMIT + (1 << 20)) / (512 + 128) + 64;
    assert!(opened <= most && opened > most / 2, "{opened} ports of {most}");
    // With ports alone the limit is used up, and others have theirs.
    assert!(in_use(&browser) <= LIMIT + SHARE);
    let mut star = Star::new(&browser, browser.extension);
    assert!(star.flood(0, 1_000) > (POOL - 2 * LIMIT) * 3 / 4);
}
