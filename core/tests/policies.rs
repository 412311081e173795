//! Who hears when one of several receivers of a port leaves, under each policy, with
//! the receivers spread over loops in each way; and why the opener's port ended.

mod common;

use common::*;
use port_core::DisconnectReason::{
    ContextDetached, Disconnected, EventLoopGone, FrameRemoved, LimitReached, NoReceiver, SiblingEnded,
    TabClosed,
};
use port_core::{
    ContextId, Event, EventLoop, Listening, Place, Policies, PortId, ReceiverDisconnects, ReceiverLost,
    TabTarget,
};

/// An opener on the first loop, connected to three frames that live where `homes` says.
struct Trio {
    browser: Browser,
    loops: [EventLoop; 3],
    frames: [Place; 3],
    homes: [usize; 3],
    receivers: [(ContextId, PortId); 3],
    opener: ContextId,
    port: PortId,
}

/// On the opener's own loop, on one other, on two, on all three.
const HOMES: [[usize; 3]; 5] = [[0, 0, 0], [1, 1, 1], [1, 1, 2], [1, 2, 2], [0, 1, 2]];

impl Trio {
    fn new(policies: Policies, homes: [usize; 3]) -> Self {
        let browser = Browser::with_policies(policies);
        let mut loops = [browser.event_loop(), browser.event_loop(), browser.event_loop()];
        let top = browser.tab();
        let frames = [top, browser.frame_in(top), browser.frame_in(top)];
        let opener = browser.background(&mut loops[0]);
        let contexts = [0, 1, 2].map(|which| browser.content_script(&mut loops[homes[which]], frames[which]));
        let port = loops[0].connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
        let [first, second, third] = &mut loops;
        let events = settle([first, second, third]).concat();
        let receivers = contexts.map(|context| {
            let event = events.iter().find(|event| event.context() == context).unwrap();
            assert!(matches!(event, Event::Connect { .. }));
            (context, event.port().unwrap())
        });
        Self { browser, loops, frames, homes, receivers, opener, port }
    }

    /// What the opener and the three receivers hear until all is quiet.
    fn hear(&mut self) -> (Vec<Heard>, [Vec<Heard>; 3]) {
        let [first, second, third] = &mut self.loops;
        let events = settle([first, second, third]).concat();
        (heard_by(&events, self.opener), self.receivers.map(|(context, _)| heard_by(&events, context)))
    }

    fn disconnect(&mut self, which: usize) {
        assert!(self.loops[self.homes[which]].disconnect(self.receivers[which].1));
    }

    fn detach(&mut self, which: usize) {
        self.loops[self.homes[which]].detach(self.receivers[which].0).unwrap();
    }

    /// Posts from the opener and says which receivers got it.
    fn reached(&mut self) -> [bool; 3] {
        self.loops[0].post_message(self.port, "still there?").unwrap();
        let (opener, receivers) = self.hear();
        assert_eq!(opener, []);
        receivers.map(|heard| match heard.as_slice() {
            [] => false,
            [one] => *one == message("still there?"),
            more => panic!("{more:?}"),
        })
    }
}

fn disconnects(choice: ReceiverDisconnects) -> Policies {
    policies(|policies| policies.receiver_disconnects = choice)
}

fn lost(choice: ReceiverLost) -> Policies {
    policies(|policies| policies.receiver_lost = choice)
}

#[test]
fn a_receivers_disconnect_ends_the_port_for_all() {
    for homes in HOMES {
        let mut trio = Trio::new(disconnects(ReceiverDisconnects::EndsForAll), homes);
        trio.disconnect(1);
        let (opener, receivers) = trio.hear();
        assert_eq!(opener, [disconnect(Disconnected)], "{homes:?}");
        let told = vec![disconnect(SiblingEnded)];
        assert_eq!(receivers, [told.clone(), vec![], told], "{homes:?}");
        assert!(!trio.loops[0].is_open(trio.port));
        for (which, (_, port)) in trio.receivers.into_iter().enumerate() {
            assert!(!trio.loops[homes[which]].is_open(port));
        }
    }
}

#[test]
fn a_receivers_disconnect_ends_the_port_for_the_opener_alone() {
    for homes in HOMES {
        let mut trio = Trio::new(disconnects(ReceiverDisconnects::EndsForOpener), homes);
        trio.disconnect(1);
        let (opener, receivers) = trio.hear();
        assert_eq!(opener, [disconnect(Disconnected)], "{homes:?}");
        assert_eq!(receivers, [vec![], vec![], vec![]], "{homes:?}");
        // The siblings post into the void, as measured (a20), and leave without a sound.
        for which in [0, 2] {
            let (_, port) = trio.receivers[which];
            let event_loop = &mut trio.loops[homes[which]];
            assert!(event_loop.is_open(port));
            event_loop.post_message(port, "into the void").unwrap();
            assert!(event_loop.disconnect(port));
            assert!(!event_loop.is_open(port));
        }
        assert_eq!(trio.hear(), (vec![], [vec![], vec![], vec![]]));
    }
}

#[test]
fn a_receivers_disconnect_leaves_the_others() {
    for homes in HOMES {
        let mut trio = Trio::new(disconnects(ReceiverDisconnects::LeavesOthers), homes);
        trio.disconnect(1);
        assert_eq!(trio.hear(), (vec![], [vec![], vec![], vec![]]));
        assert_eq!(trio.reached(), [true, false, true], "{homes:?}");
        trio.disconnect(0);
        assert_eq!(trio.reached(), [false, false, true], "{homes:?}");
        trio.disconnect(2);
        assert_eq!(trio.hear(), (vec![disconnect(Disconnected)], [vec![], vec![], vec![]]));
    }
}

#[test]
fn a_lost_receiver_leaves_the_others_until_the_last() {
    for homes in HOMES {
        let mut trio = Trio::new(lost(ReceiverLost::LeavesOthers), homes);
        trio.detach(1);
        assert_eq!(trio.reached(), [true, false, true], "{homes:?}");
        let Place { tab, frame, .. } = trio.frames[2];
        trio.browser.service.frame_removed(tab, frame).unwrap();
        let gone = vec![Heard::ContextGone(FrameRemoved)];
        assert_eq!(trio.hear(), (vec![], [vec![], vec![], gone]), "{homes:?}");
        assert_eq!(trio.reached(), [true, false, false], "{homes:?}");
        trio.detach(0);
        assert_eq!(trio.hear(), (vec![disconnect(ContextDetached)], [vec![], vec![], vec![]]));
    }
}

#[test]
fn a_lost_receiver_ends_the_port_for_all() {
    for homes in HOMES {
        for killed in [true, false] {
            let mut trio = Trio::new(lost(ReceiverLost::EndsForAll), homes);
            let (reason, own) = if killed {
                let Place { tab, frame, .. } = trio.frames[1];
                trio.browser.service.frame_removed(tab, frame).unwrap();
                (FrameRemoved, vec![Heard::ContextGone(FrameRemoved)])
            } else {
                trio.detach(1);
                (ContextDetached, vec![])
            };
            let told = vec![disconnect(SiblingEnded)];
            let expected = (vec![disconnect(reason)], [told.clone(), own, told]);
            assert_eq!(trio.hear(), expected, "{homes:?}, killed: {killed}");
        }
    }
}

#[test]
fn the_two_policies_are_independent() {
    let mut chosen = disconnects(ReceiverDisconnects::LeavesOthers);
    chosen.receiver_lost = ReceiverLost::EndsForAll;
    let mut trio = Trio::new(chosen, [0, 1, 2]);
    trio.disconnect(0);
    assert_eq!(trio.reached(), [false, true, true]);
    trio.detach(1);
    let told = vec![disconnect(SiblingEnded)];
    assert_eq!(trio.hear(), (vec![disconnect(ContextDetached)], [vec![], vec![], told]));
}

#[test]
fn presets_are_what_was_measured() {
    assert_eq!(Policies::CHROMIUM.receiver_disconnects, ReceiverDisconnects::EndsForOpener);
    assert_eq!(Policies::CHROMIUM.receiver_lost, ReceiverLost::LeavesOthers);
    assert_eq!(Policies::FIREFOX.receiver_disconnects, ReceiverDisconnects::EndsForAll);
    assert_eq!(Policies::FIREFOX.receiver_lost, ReceiverLost::EndsForAll);
    // c01: one frame, then the other.
    let mut trio = Trio::new(Policies::CHROMIUM, [0, 1, 2]);
    trio.detach(2);
    assert_eq!(trio.reached(), [true, true, false]);
    let mut trio = Trio::new(Policies::FIREFOX, [0, 1, 2]);
    trio.detach(2);
    assert_eq!(trio.hear().0, [disconnect(ContextDetached)]);
}

#[test]
fn the_opener_hears_the_end_of_a_connection_that_was_not_that_nobody_took_it() {
    // One receiver takes the connection and leaves; the other, on a loop that comes
    // later, refuses. "Could not establish connection" would be a lie.
    for goes in [Disconnected, ContextDetached, EventLoopGone] {
        let browser = Browser::with_policies(disconnects(ReceiverDisconnects::LeavesOthers));
        let (mut here, mut prompt, mut late) =
            (browser.event_loop(), browser.event_loop(), browser.event_loop());
        let top = browser.tab();
        let opener = browser.background(&mut here);
        let first = browser.content_script(&mut prompt, top);
        let second = browser.content_script(&mut late, browser.frame_in(top));
        late.set_listening(second, Listening::none()).unwrap();
        here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
        let [received] = connected(&mut prompt)[..] else { panic!() };
        match goes {
            Disconnected => assert!(prompt.disconnect(received)),
            ContextDetached => prompt.detach(first).unwrap(),
            _ => drop(prompt),
        }
        assert_eq!(hear(&mut here), []);
        assert_eq!(hear(&mut late), []);
        assert_eq!(hear(&mut here), [disconnect(goes)]);
    }
}

#[test]
fn no_receiver_is_told_once_and_only_when_the_last_has_refused() {
    for reason in [NoReceiver, LimitReached, TabClosed] {
        let browser = Browser::with_limits(limits(|limits| {
            if reason == LimitReached {
                limits.ports_per_context = 1;
            }
        }));
        let (mut here, mut second, mut third) =
            (browser.event_loop(), browser.event_loop(), browser.event_loop());
        let top = browser.tab();
        let opener = browser.background(&mut here);
        let two = browser.content_script(&mut second, top);
        let three = browser.content_script(&mut third, browser.frame_in(top));
        if reason == LimitReached {
            // One receiver is full, the other does not listen.
            let other = browser.background(&mut second);
            second.connect_tab(other, &TabTarget::new(top.tab).frame(top.frame)).unwrap();
            assert_eq!(connected(&mut second).len(), 1);
        } else {
            second.set_listening(two, Listening::none()).unwrap();
        }
        third.set_listening(three, Listening::none()).unwrap();
        let port = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
        assert_eq!(hear(&mut here), []);
        if reason == TabClosed {
            browser.service.tab_closed(top.tab).unwrap();
            // Whatever it was that kept the receivers from it: nobody ever took it.
            assert_eq!(hear(&mut here), [disconnect(NoReceiver)]);
        } else {
            hear(&mut second);
            assert_eq!(hear(&mut here), []);
            hear(&mut third);
            assert_eq!(hear(&mut here), [disconnect(reason)]);
        }
        hear(&mut second);
        hear(&mut third);
        assert_eq!(hear(&mut here), []);
        assert!(!here.is_open(port));
    }
}
