//! Posts of a port whose receivers have not answered yet, and the order in which a
//! connection reaches frames: two policies in which browsers differ.

mod common;

use common::*;
use port_core::DisconnectReason::{ContextDetached, Disconnected, EventLoopGone, NoReceiver};
use port_core::{
    ConnectKind, ContextId, EventLoop, FanOutOrder, Limits, Listening, OpeningPort, Place, Policies,
    PortStatus, PostErrorKind, TabTarget,
};

/// An opener and a content script on loops of their own.
struct Pair {
    browser: Browser,
    here: EventLoop,
    there: EventLoop,
    opener: ContextId,
    receiver: ContextId,
    top: Place,
}

impl Pair {
    fn new(opening_port: OpeningPort) -> Self {
        Self::with(Limits::default(), opening_port)
    }

    fn with(limits: Limits, opening_port: OpeningPort) -> Self {
        let browser = Browser::with(limits, policies(|policies| policies.opening_port = opening_port));
        let Apart { here, mut there, place: top, opener, script: receiver } = browser.apart();
        there.set_listening(receiver, Listening::PORTS.one_off(true)).unwrap();
        Self { browser, here, there, opener, receiver, top }
    }

    fn target(&self) -> TabTarget {
        TabTarget::new(self.top.tab)
    }
}

#[test]
fn posts_of_an_opening_port_follow_the_connection_or_wait_for_the_answer() {
    for policy in [OpeningPort::PostsFollow, OpeningPort::PostsWait] {
        let mut pair = Pair::new(policy);
        let port = pair.here.connect_tab(pair.opener, &pair.target().name("port")).unwrap();
        pair.here.post_message(port, "posted").unwrap();
        assert!(pair.here.disconnect(port));
        assert!(!pair.here.is_open(port));
        assert!(!pair.here.disconnect(port));
        assert_eq!(
            pair.here.post_message(port, "late").map_err(PostErrorKind::from),
            Err(PostErrorKind::Disconnected)
        );
        let one_off = pair.target().kind(ConnectKind::OneOff).name("one-off");
        let one_off = pair.here.connect_tab(pair.opener, &one_off).unwrap();
        pair.here.post_message(one_off, "sent").unwrap();
        let heard = settle([&mut pair.there, &mut pair.here]).concat();
        let of_port = [message("posted"), disconnect(Disconnected)];
        let of_one_off = [connect("one-off"), message("sent")];
        let expected = match policy {
            OpeningPort::PostsFollow => [of_port, of_one_off],
            _ => [of_one_off, of_port],
        };
        let expected = [vec![connect("port")], expected.concat()].concat();
        assert_eq!(heard_by(&heard, pair.receiver), expected, "{policy:?}");
        assert_eq!(heard_by(&heard, pair.opener), []);
    }
}

#[test]
fn an_opening_port_hears_and_opens_with_the_last_answer() {
    let mut pair = Pair::new(OpeningPort::PostsWait);
    let mut third = pair.browser.event_loop();
    pair.browser.content_script(&mut third, pair.browser.frame_in(pair.top));
    let port = pair.here.connect_tab(pair.opener, &pair.target()).unwrap();
    pair.here.post_message(port, "held").unwrap();
    let status = |here: &mut EventLoop| here.snapshot().ports[0].status;
    assert_eq!(status(&mut pair.here), PortStatus::Opening);

    let answering = connected(&mut pair.there)[0];
    pair.there.post_message(answering, "early").unwrap();
    assert_eq!(hear(&mut pair.here), [message("early")]);
    assert_eq!(hear(&mut pair.there), [], "the other receiver has not answered");

    assert_eq!(connected(&mut third).len(), 1);
    assert_eq!(hear(&mut pair.here), []);
    assert_eq!(status(&mut pair.here), PortStatus::Open);
    assert_eq!(hear(&mut pair.there), [message("held")]);
    assert_eq!(hear(&mut third), [message("held")]);
}

#[test]
fn a_refusal_is_an_answer_too() {
    let mut pair = Pair::new(OpeningPort::PostsWait);
    let mut third = pair.browser.event_loop();
    let silent = pair.browser.content_script(&mut third, pair.browser.frame_in(pair.top));
    third.set_listening(silent, Listening::none()).unwrap();
    let port = pair.here.connect_tab(pair.opener, &pair.target()).unwrap();
    pair.here.post_message(port, "held").unwrap();
    assert_eq!(hear(&mut pair.there).len(), 1);
    hear(&mut third);
    assert_eq!(hear(&mut pair.here), []);
    assert_eq!(hear(&mut pair.there), [message("held")]);

    // Where all refuse, what waits is dropped, and an end that waits is silent.
    pair.there.set_listening(pair.receiver, Listening::none()).unwrap();
    for leaves in [false, true] {
        let port = pair.here.connect_tab(pair.opener, &pair.target()).unwrap();
        pair.here.post_message(port, "to nobody").unwrap();
        if leaves {
            pair.here.disconnect(port);
        }
        hear(&mut pair.there);
        hear(&mut third);
        let expected: &[Heard] = if leaves { &[] } else { &[disconnect(NoReceiver)] };
        assert_eq!(hear(&mut pair.here), expected);
        assert_eq!(pair.here.snapshot().ports.len(), 1, "the port of before");
    }
}

/// A pair whose opener posted while its port was opening, and then disconnected it or did not.
fn with_last_words(disconnected: bool) -> Pair {
    let mut pair = Pair::new(OpeningPort::PostsWait);
    let port = pair.here.connect_tab(pair.opener, &pair.target()).unwrap();
    pair.here.post_message(port, "last words").unwrap();
    if disconnected {
        pair.here.disconnect(port);
    }
    pair
}

#[test]
fn what_was_posted_arrives_when_the_opener_goes_while_its_port_is_opening() {
    for leaves in [false, true] {
        let mut pair = with_last_words(leaves);
        pair.here.detach(pair.opener).unwrap();
        let reason = if leaves { Disconnected } else { ContextDetached };
        assert_eq!(hear(&mut pair.there), [connect(""), message("last words"), disconnect(reason)]);
        assert_eq!(hear(&mut pair.here), []);
        assert!(pair.here.snapshot().ports.is_empty());
    }
}

#[test]
fn what_was_posted_arrives_when_the_openers_loop_goes_while_its_port_is_opening() {
    for leaves in [false, true] {
        let mut pair = with_last_words(leaves);
        drop(pair.here);
        let reason = if leaves { Disconnected } else { EventLoopGone };
        assert_eq!(hear(&mut pair.there), [connect(""), message("last words"), disconnect(reason)]);
        assert!(pair.there.snapshot().ports.is_empty());
    }
}

#[test]
fn what_waits_for_an_opening_port_is_bounded() {
    let windows = limits(|limits| limits.window_messages = Some(2));
    let mut pair = Pair::with(windows, OpeningPort::PostsWait);
    let port = pair.here.connect_tab(pair.opener, &pair.target()).unwrap();
    for text in ["one", "two"] {
        pair.here.post_message(port, text).unwrap();
    }
    assert_eq!(
        pair.here.post_message(port, "three").map_err(PostErrorKind::from),
        Err(PostErrorKind::WindowFull)
    );
    let heard = settle([&mut pair.there, &mut pair.here]).concat();
    assert_eq!(heard_by(&heard, pair.receiver), [connect(""), message("one"), message("two")]);
    assert_eq!(heard_by(&heard, pair.opener), [Heard::Room]);

    let lanes = limits(|limits| limits.lane_bytes = 5);
    let mut pair = Pair::with(lanes, OpeningPort::PostsWait);
    let port = pair.here.connect_tab(pair.opener, &pair.target()).unwrap();
    pair.here.post_message(port, "seven b").unwrap();
    assert_eq!(pair.here.post_message(port, "more").map_err(PostErrorKind::from), Err(PostErrorKind::Busy));
}

#[test]
fn frames_are_reached_in_document_order_or_in_another_that_stays() {
    let orders = [FanOutOrder::Document, FanOutOrder::Arbitrary].map(|fan_out_order| {
        let browser = Browser::with_policies(policies(|policies| policies.fan_out_order = fan_out_order));
        let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
        let top = browser.tab();
        let opener = browser.background(&mut here);
        let mut frames = vec![browser.content_script(&mut there, top)];
        for _ in 0..4 {
            frames.push(browser.content_script(&mut there, browser.frame_in(top)));
        }
        let mut visited = || -> Vec<usize> {
            let events = drain(&mut there);
            events
                .iter()
                .map(|event| frames.iter().position(|frame| *frame == event.context()).unwrap())
                .collect()
        };
        let port = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
        let connected = visited();
        here.post_message(port, "to all").unwrap();
        assert_eq!(visited(), connected);
        here.disconnect(port);
        assert_eq!(visited(), connected);
        connected
    });
    assert_eq!(orders, [vec![0, 1, 2, 3, 4], vec![0, 2, 4, 3, 1]]);
}

#[test]
fn the_presets_say_what_was_measured() {
    assert_eq!(Policies::CHROMIUM.opening_port, OpeningPort::PostsFollow);
    assert_eq!(Policies::FIREFOX.opening_port, OpeningPort::PostsWait);
    assert_eq!(Policies::CHROMIUM.fan_out_order, FanOutOrder::Arbitrary);
    assert_eq!(Policies::FIREFOX.fan_out_order, FanOutOrder::Document);
}

#[test]
fn a_window_of_none_holds_one_while_a_port_opens() {
    for bytes in [false, true] {
        let limits = limits(|limits| match bytes {
            false => limits.window_messages = Some(0),
            true => limits.window_bytes = Some(0),
        });
        let mut pair = Pair::with(limits, OpeningPort::PostsWait);
        let port = pair.here.connect_tab(pair.opener, &pair.target()).unwrap();
        pair.here.post_message(port, "one").unwrap();
        assert_eq!(
            pair.here.post_message(port, "two").map_err(PostErrorKind::from),
            Err(PostErrorKind::WindowFull)
        );
        let [theirs, mine] = settle([&mut pair.there, &mut pair.here]);
        assert_eq!(heard_by(&theirs, pair.receiver), [connect(""), message("one")]);
        assert_eq!(heard_on(&mine, port), [Heard::Room]);
    }
}
