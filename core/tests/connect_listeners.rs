//! A context with several `onConnect` listeners: one port for all of them, or one for each.

mod common;

use common::*;
use port_core::DisconnectReason::{ContextDetached, Disconnected, NoReceiver, SiblingEnded};
use port_core::{
    ConnectKind, ConnectListeners, ContextId, Event, EventLoop, Limits, Listening, Place, Policies, PortId,
    PostErrorKind, ReceiverDisconnects, TabTarget,
};

struct Page {
    browser: Browser,
    here: EventLoop,
    there: EventLoop,
    place: Place,
    opener: ContextId,
    script: ContextId,
}

impl Page {
    /// A background here and a content script with `listeners` there.
    fn with(limits: Limits, policies: Policies, listeners: u16) -> Self {
        let browser = Browser::with(limits, policies);
        let Apart { here, mut there, place, opener, script } = browser.apart();
        there.set_listening(script, Listening::PORTS.listeners(listeners)).unwrap();
        Self { browser, here, there, place, opener, script }
    }

    fn new(listeners: u16) -> Self {
        Self::with(Limits::default(), each(|_| {}), listeners)
    }

    fn connect(&mut self) -> PortId {
        self.here.connect_tab(self.opener, &TabTarget::new(self.place.tab)).unwrap()
    }

    fn settle(&mut self) -> [Vec<Event>; 2] {
        settle([&mut self.here, &mut self.there])
    }
}

fn each(change: impl FnOnce(&mut Policies)) -> Policies {
    policies(|policies| {
        policies.connect_listeners = ConnectListeners::PortForEach;
        policies.receiver_disconnects = ReceiverDisconnects::LeavesOthers;
        change(policies);
    })
}

fn ports(events: &[Event]) -> Vec<PortId> {
    let connects = events.iter().filter(|event| matches!(event, Event::Connect { .. }));
    connects.filter_map(Event::port).collect()
}

#[test]
fn listeners_share_one_port_unless_told() {
    for policies in [Policies::default(), Policies::CHROMIUM, Policies::FIREFOX] {
        let mut page = Page::with(Limits::default(), policies, 3);
        page.connect();
        let [_, there] = page.settle();
        assert_eq!(ports(&there).len(), 1);
    }
}

#[test]
fn each_listener_gets_a_port_that_hears_and_speaks_for_itself() {
    let mut page = Page::new(3);
    let port = page.connect();
    page.here.post_message(port, "to all").unwrap();
    let [_, there] = page.settle();
    let received = ports(&there);
    assert_eq!(received.len(), 3);
    for &one in &received {
        assert_eq!(heard_on(&there, one), [connect(""), message("to all")]);
    }
    for (at, &one) in received.iter().enumerate() {
        page.there.post_message(one, format!("from {at}")).unwrap();
    }
    let [here, _] = page.settle();
    assert_eq!(heard_on(&here, port), [message("from 0"), message("from 1"), message("from 2")]);
}

#[test]
fn the_opener_hears_of_the_last_listeners_end() {
    let mut page = Page::new(3);
    let port = page.connect();
    let [_, there] = page.settle();
    let [first, second, third] = *ports(&there) else { panic!() };
    for (leaving, left) in [(second, vec![first, third]), (first, vec![third])] {
        assert!(page.there.disconnect(leaving));
        page.here.post_message(port, "still there?").unwrap();
        let [here, there] = page.settle();
        assert!(here.is_empty());
        assert!(heard_on(&there, leaving).is_empty());
        for one in left {
            assert_eq!(heard_on(&there, one), [message("still there?")]);
        }
    }
    assert!(page.there.disconnect(third));
    let [here, _] = page.settle();
    assert_eq!(heard_on(&here, port), [disconnect(Disconnected)]);
}

#[test]
fn one_listeners_end_is_everybodys_where_the_policy_says_so() {
    let policies = each(|policies| policies.receiver_disconnects = ReceiverDisconnects::EndsForAll);
    let mut page = Page::with(Limits::default(), policies, 2);
    let port = page.connect();
    let [_, there] = page.settle();
    let [first, second] = *ports(&there) else { panic!() };
    assert!(page.there.disconnect(first));
    let [here, there] = page.settle();
    assert_eq!(heard_on(&here, port), [disconnect(Disconnected)]);
    assert_eq!(heard_on(&there, second), [disconnect(SiblingEnded)]);
}

#[test]
fn all_ports_of_a_context_end_with_it_and_with_their_opener() {
    let mut page = Page::new(2);
    let port = page.connect();
    page.settle();
    page.there.detach(page.script).unwrap();
    let [here, there] = page.settle();
    assert_eq!(heard_on(&here, port), [disconnect(ContextDetached)]);
    assert!(there.is_empty());

    let mut page = Page::new(2);
    let port = page.connect();
    let [_, there] = page.settle();
    let received = ports(&there);
    assert!(page.here.disconnect(port));
    let [_, there] = page.settle();
    for one in received {
        assert_eq!(heard_on(&there, one), [disconnect(Disconnected)]);
    }
}

#[test]
fn an_opener_that_left_meanwhile_takes_no_late_ports() {
    let mut page = Page::new(3);
    let first = page.connect();
    drain(&mut page.there);
    // The answers lie in the lane when the channel is freed and used again.
    assert!(page.here.disconnect(first));
    let second = page.connect();
    let [here, there] = page.settle();
    assert!(here.is_empty());
    let received = ports(&there);
    assert_eq!(received.len(), 3);
    for &one in &received {
        page.there.post_message(one, "here").unwrap();
    }
    let [here, _] = page.settle();
    assert_eq!(heard_on(&here, second), [message("here"), message("here"), message("here")]);
}

#[test]
fn a_one_off_message_is_heard_once_and_no_listener_counts_as_one() {
    let mut page = Page::new(5);
    let five = Listening::PORTS.one_off(true).listeners(5);
    page.there.set_listening(page.script, five).unwrap();
    let target = TabTarget::new(page.place.tab).kind(ConnectKind::OneOff);
    page.here.connect_tab(page.opener, &target).unwrap();
    let [_, there] = page.settle();
    assert_eq!(ports(&there).len(), 1);

    page.there.set_listening(page.script, Listening::PORTS.listeners(0)).unwrap();
    page.connect();
    let [_, there] = page.settle();
    assert_eq!(ports(&there).len(), 1);

    page.there.set_listening(page.script, Listening::none().listeners(2)).unwrap();
    let port = page.connect();
    let [here, _] = page.settle();
    assert_eq!(heard_on(&here, port), [disconnect(NoReceiver)]);
}

#[test]
fn a_context_takes_as_many_ports_as_it_may_have() {
    let limits = limits(|limits| limits.ports_per_context = 3);
    let mut page = Page::with(limits, each(|_| {}), 2);
    page.connect();
    let second = page.connect();
    let [here, there] = page.settle();
    assert!(here.is_empty());
    let received = ports(&there);
    assert_eq!(received.len(), 3, "two for the first, one for the second");
    page.there.post_message(received[2], "alone").unwrap();
    let [here, _] = page.settle();
    assert_eq!(heard_on(&here, second), [message("alone")]);
}

#[test]
fn the_slowest_listener_holds_the_window() {
    let limits = limits(|limits| limits.window_messages = Some(2));
    let mut page = Page::with(limits, each(|_| {}), 2);
    let port = page.connect();
    page.settle();
    for _ in 0..50 {
        page.here.post_message(port, "1").unwrap();
        page.here.post_message(port, "2").unwrap();
        assert_eq!(
            page.here.post_message(port, "3").map_err(PostErrorKind::from),
            Err(PostErrorKind::WindowFull)
        );
        // The first listener has one, the second none.
        assert!(matches!(page.there.next_event(), Some(Event::Message { .. })));
        page.settle();
    }
}

#[test]
fn contexts_of_one_loop_keep_their_order_and_their_own_ends() {
    let mut page = Page::new(2);
    let child = page.browser.frame_in(page.place);
    let other = page.browser.content_script(&mut page.there, child);
    let two = Listening::PORTS.listeners(2);
    page.there.set_listening(other, two).unwrap();
    let port = page.connect();
    let [_, there] = page.settle();
    let order: Vec<ContextId> = there.iter().map(Event::context).collect();
    assert_eq!(order, [page.script, page.script, other, other]);
    page.browser.service.frame_removed(child.tab, child.frame).unwrap();
    let [here, _] = page.settle();
    assert!(here.is_empty());
    page.here.post_message(port, "left?").unwrap();
    let [_, there] = page.settle();
    assert_eq!(heard_by(&there, page.script), [message("left?"), message("left?")]);
    assert!(heard_by(&there, other).is_empty());
}
