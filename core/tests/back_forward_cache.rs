//! Pages that go into the back/forward cache and come back, under each policy.

mod common;

use common::*;
use port_core::DisconnectReason::{
    BackForwardCache as WentIntoCache, Disconnected, Navigated, NoReceiver, TabClosed,
};
use port_core::{
    AttachError, BackForwardCache, ConnectError, DisconnectReason, DocumentLifecycle, Event, FactError,
    Place, PortStatus, ReceiverDisconnects, TabTarget,
};

const QUEUES: BackForwardCache = BackForwardCache::queues_messages(5, 1_000);
const ALL: [BackForwardCache; 3] = [BackForwardCache::Ends, BackForwardCache::LosesMessages, QUEUES];

/// A page with a frame, and a port to each from a background.
type Visit = Frames<2>;

impl Visit {
    fn new(policy: BackForwardCache) -> Self {
        let browser = Browser::with_policies(policies(|policies| policies.back_forward_cache = policy));
        let top = browser.tab();
        let frames = [top, browser.frame_in(top)];
        Self::connected(browser, frames)
    }

    fn top(&self) -> Place {
        self.frames[0]
    }

    fn cache(&mut self) {
        self.browser.service.document_cached(self.top().document).unwrap();
    }

    fn restore(&mut self) {
        self.browser.service.document_restored(self.top().document).unwrap();
    }

    fn settle(&mut self) -> [Vec<Event>; 2] {
        settle([&mut self.here, &mut self.there])
    }

    fn post_to_both(&mut self, text: &str) {
        for port in self.ports {
            self.here.post_message(port, text.to_string()).unwrap();
        }
    }
}

#[test]
fn ports_end_when_the_page_is_cached() {
    // c06, c09 in Chromium.
    let mut visit = Visit::new(BackForwardCache::Ends);
    for received in visit.received {
        visit.there.post_message(received, "bye").unwrap();
    }
    visit.cache();
    let [mine, theirs] = visit.settle();
    for port in visit.ports {
        assert_eq!(heard_on(&mine, port), [message("bye"), disconnect(WentIntoCache)]);
    }
    assert_eq!(theirs, [], "the cached page hears nothing");
    // Its ports stay to look at, and what is posted goes nowhere.
    let ledger = Ledger::default();
    for received in visit.received {
        assert!(visit.there.is_open(received));
        visit.there.post_message(received, ledger.payload(500)).unwrap();
    }
    ledger.assert_balanced();
    assert!(visit.there.snapshot().ports.iter().all(|port| port.status == PortStatus::Silent));
    visit.restore();
    assert_eq!(visit.settle().concat(), []);
    // Old ports stay dead on both sides; new ones work.
    visit.there.post_message(visit.received[0], "into the void").unwrap();
    assert!(visit.there.disconnect(visit.received[0]));
    assert!(!visit.here.is_open(visit.ports[0]));
    assert_eq!(visit.settle().concat(), []);
    let port = visit.here.connect_tab(visit.background, &TabTarget::new(visit.top().tab)).unwrap();
    visit.here.post_message(port, "again").unwrap();
    let [_, theirs] = visit.settle();
    for script in visit.scripts {
        assert_eq!(heard_by(&theirs, script), [connect(""), message("again")]);
    }
}

#[test]
fn messages_to_a_cached_page_are_lost_and_its_ports_live() {
    // c09 in Firefox.
    let mut visit = Visit::new(BackForwardCache::LosesMessages);
    let ledger = Ledger::default();
    visit.post_to_both("before");
    visit.cache();
    let [_, theirs] = visit.settle();
    // What was not taken by then arrives at a cached page, and is lost like the rest.
    assert_eq!(theirs, []);
    for port in visit.ports {
        visit.here.post_message(port, ledger.payload(500)).unwrap();
    }
    assert_eq!(visit.settle().concat(), []);
    ledger.assert_balanced();
    visit.restore();
    visit.post_to_both("after");
    for received in visit.received {
        visit.there.post_message(received, "and back").unwrap();
    }
    let [mine, theirs] = visit.settle();
    for at in [0, 1] {
        assert_eq!(heard_on(&mine, visit.ports[at]), [message("and back")]);
        assert_eq!(heard_on(&theirs, visit.received[at]), [message("after")]);
    }
}

/// As many as would overflow the stack, were each handed on by a call within the one before.
#[test]
fn messages_to_several_that_are_all_lost_are_taken_in_turns() {
    const MESSAGES: usize = 150_000;
    let mut visit = Visit::new(BackForwardCache::LosesMessages);
    let port = visit.here.connect_tab(visit.background, &TabTarget::new(visit.top().tab)).unwrap();
    visit.settle();
    visit.cache();
    visit.settle();
    for _ in 0..MESSAGES {
        visit.here.post_message(port, "to both").unwrap();
    }
    let mut calls = 0;
    while visit.here.snapshot().lanes[0].outbound_records > 0 {
        assert_eq!(visit.there.next_event(), None);
        calls += 1;
    }
    // A call takes 65,536 steps that make no event; each record is two, for it is taken and then nobody hears it.
    assert_eq!(calls, MESSAGES * 2 / 65_536 + 1);
}

#[test]
fn messages_wait_for_a_cached_page_and_then_its_end() {
    let mut visit = Visit::new(QUEUES);
    visit.cache();
    visit.post_to_both("1");
    assert_eq!(visit.settle().concat(), []);
    visit.post_to_both("2");
    visit.here.disconnect(visit.ports[1]);
    assert_eq!(visit.settle().concat(), []);
    visit.restore();
    visit.here.post_message(visit.ports[0], "3").unwrap();
    let [_, theirs] = visit.settle();
    assert_eq!(heard_on(&theirs, visit.received[0]), [message("1"), message("2"), message("3")]);
    let ended = [message("1"), message("2"), disconnect(Disconnected)];
    assert_eq!(heard_on(&theirs, visit.received[1]), ended);
}

#[test]
fn a_port_for_which_too_much_waits_ends() {
    for by_bytes in [false, true] {
        let mut visit = Visit::new(QUEUES);
        visit.cache();
        let ledger = Ledger::default();
        let (count, length) = if by_bytes { (2, 500) } else { (5, 161) };
        for _ in 0..count {
            visit.here.post_message(visit.ports[0], ledger.payload(length)).unwrap();
            visit.here.post_message(visit.ports[1], ledger.payload(200)).unwrap();
        }
        assert_eq!(visit.settle().concat(), [], "exactly as much as may wait");
        visit.here.post_message(visit.ports[0], ledger.payload(1)).unwrap();
        let [mine, theirs] = visit.settle();
        assert_eq!(heard_on(&mine, visit.ports[0]), [disconnect(WentIntoCache)]);
        assert_eq!((mine.len(), theirs.len()), (1, 0), "the other port has a bound of its own");
        assert_eq!(ledger.dropped(), count + 1, "what waited for it is let go at once");
        visit.restore();
        let [_, theirs] = visit.settle();
        assert_eq!(heard_on(&theirs, visit.received[1]).len(), count);
        assert_eq!(theirs.len(), count);
        drop(theirs);
        ledger.assert_balanced();
        // The bound is one for each stay in the cache.
        visit.cache();
        for _ in 0..5 {
            visit.here.post_message(visit.ports[1], "x").unwrap();
        }
        assert_eq!(visit.settle().concat(), []);
    }
}

#[test]
fn what_waits_for_a_page_is_not_lost_with_a_sibling_that_leaves() {
    // Under Chromium's policy the other receivers are not told of the end; what was
    // posted before it is theirs all the same.
    let browser = Browser::with_policies(policies(|policies| {
        policies.back_forward_cache = QUEUES;
        policies.receiver_disconnects = ReceiverDisconnects::EndsForOpener;
    }));
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    let top = browser.tab();
    let frame = browser.frame_in(top);
    let background = browser.background(&mut here);
    browser.content_script(&mut there, top);
    let cached = browser.content_script(&mut there, frame);
    let port = here.connect_tab(background, &TabTarget::new(top.tab)).unwrap();
    let [leaves, stays] = connected(&mut there)[..] else { panic!() };
    assert_eq!(hear(&mut here), []);
    browser.service.document_cached(frame.document).unwrap();
    here.post_message(port, "to both").unwrap();
    assert_eq!(hear(&mut there), [message("to both")]);
    there.disconnect(leaves);
    assert_eq!(hear(&mut here), [disconnect(Disconnected)]);
    assert_eq!(hear(&mut there), []);
    browser.service.document_restored(frame.document).unwrap();
    let events = drain(&mut there);
    assert_eq!(heard_by(&events, cached), [message("to both")]);
    assert!(there.is_open(stays));
}

#[test]
fn nobody_connects_to_a_cached_page() {
    for policy in ALL {
        let mut visit = Visit::new(policy);
        // Found before, taken after: refused as well.
        let early = visit.here.connect_tab(visit.background, &TabTarget::new(visit.top().tab)).unwrap();
        visit.cache();
        let late = visit.here.connect_tab(visit.background, &TabTarget::new(visit.top().tab)).unwrap();
        let [mine, theirs] = visit.settle();
        assert_eq!(theirs, []);
        assert_eq!(heard_on(&mine, early), [disconnect(NoReceiver)], "{policy:?}");
        assert_eq!(heard_on(&mine, late), [disconnect(NoReceiver)], "{policy:?}");
        // Nor can a script come into it.
        let script = describe_content_script(visit.browser.extension, visit.top());
        assert_eq!(visit.there.attach(script), Err(AttachError::UnknownDocument));
    }
}

#[test]
fn a_cached_page_that_is_thrown_out_ends() {
    type Fact = fn(&Visit) -> Result<(), FactError>;
    let facts: [(DisconnectReason, Fact); 2] = [
        (Navigated, |visit| visit.browser.service.document_evicted(visit.top().document)),
        (TabClosed, |visit| visit.browser.service.tab_closed(visit.top().tab)),
    ];
    for policy in ALL {
        for (reason, fact) in facts {
            let mut visit = Visit::new(policy);
            visit.cache();
            visit.post_to_both("never read");
            let [mine, theirs] = visit.settle();
            let ended = policy == BackForwardCache::Ends;
            assert_eq!((mine.len(), theirs.len()), (if ended { 2 } else { 0 }, 0));
            fact(&visit).unwrap();
            let [mine, theirs] = visit.settle();
            for port in visit.ports {
                let expected = if ended { vec![] } else { vec![disconnect(reason)] };
                assert_eq!(heard_on(&mine, port), expected, "{policy:?}");
            }
            assert_eq!(gone(&theirs), visit.scripts.map(|context| (context, reason)), "{policy:?}");
            assert_eq!(
                visit.browser.service.document_restored(visit.top().document),
                Err(FactError::UnknownDocument)
            );
        }
    }
}

#[test]
fn a_restored_page_takes_the_place_of_what_its_frame_shows() {
    // There and back: the first page is cached, the second shown and then cached or not.
    for second_is_cached in [true, false] {
        let mut visit = Visit::new(BackForwardCache::LosesMessages);
        visit.cache();
        let second = visit.browser.navigate(visit.top());
        let script = visit.browser.content_script(&mut visit.there, second);
        let port = visit.here.connect_tab(visit.background, &TabTarget::new(second.tab)).unwrap();
        let [_, theirs] = visit.settle();
        assert_eq!((theirs.len(), heard_by(&theirs, script)), (1, vec![connect("")]));
        if second_is_cached {
            visit.browser.service.document_cached(second.document).unwrap();
        }
        visit.restore();
        let [mine, theirs] = visit.settle();
        if second_is_cached {
            assert_eq!((mine, theirs), (vec![], vec![]));
        } else {
            assert_eq!(heard_on(&mine, port), [disconnect(Navigated)]);
            assert_eq!(heard_by(&theirs, script), [Heard::ContextGone(Navigated)]);
        }
        visit.post_to_both("back");
        let [_, theirs] = visit.settle();
        assert_eq!(theirs.len(), 2, "the first page with its frame");
        visit.here.connect_tab(visit.background, &TabTarget::new(second.tab)).unwrap();
        let [_, theirs] = visit.settle();
        let order: Vec<_> = theirs.iter().map(Event::context).collect();
        assert_eq!(order, visit.scripts);
        if second_is_cached {
            // And forward again.
            visit.cache();
            visit.browser.service.document_restored(second.document).unwrap();
            visit.here.post_message(port, "forward").unwrap();
            let [_, theirs] = visit.settle();
            assert_eq!(heard_by(&theirs, script), [message("forward")]);
        }
    }
}

#[test]
fn a_page_cached_and_back_before_its_thread_looked() {
    for policy in ALL {
        let mut visit = Visit::new(policy);
        visit.cache();
        visit.post_to_both("meanwhile");
        visit.restore();
        visit.post_to_both("after");
        let [mine, theirs] = visit.settle();
        for at in [0, 1] {
            let heard = heard_on(&theirs, visit.received[at]);
            if policy == BackForwardCache::Ends {
                assert_eq!(heard, []);
                assert_eq!(heard_on(&mine, visit.ports[at]), [disconnect(WentIntoCache)]);
            } else {
                // It never noticed that it was away.
                assert_eq!(heard, [message("meanwhile"), message("after")]);
            }
        }
    }
}

#[test]
fn a_frame_alone_may_be_cached() {
    let mut visit = Visit::new(BackForwardCache::Ends);
    let frame = visit.browser.frame_in(visit.top());
    let script = visit.browser.content_script(&mut visit.there, frame);
    let (tab, service) = (frame.tab, visit.browser.service.clone());
    let port =
        visit.here.connect_tab(visit.background, &TabTarget::new(tab).document(frame.document)).unwrap();
    visit.settle();
    service.document_cached(frame.document).unwrap();
    assert_eq!(service.document_cached(frame.document), Err(FactError::UnknownDocument));
    let [mine, theirs] = visit.settle();
    assert_eq!((heard_on(&mine, port), theirs.len()), (vec![disconnect(WentIntoCache)], 0));
    visit.post_to_both("the others go on");
    assert_eq!(visit.settle()[1].len(), 2);
    // Its frame is removed meanwhile: it cannot come back, but can be thrown out.
    service.frame_removed(tab, frame.frame).unwrap();
    assert_eq!(service.document_restored(frame.document), Err(FactError::UnknownFrame));
    service.document_evicted(frame.document).unwrap();
    let [_, theirs] = visit.settle();
    assert_eq!(gone(&theirs), [(script, Navigated)]);
}

#[test]
fn a_cached_opener_fares_like_a_cached_receiver() {
    for policy in ALL {
        let mut visit = Visit::new(policy);
        let port = connect_runtime(&mut visit.there, visit.scripts[0], "up").unwrap();
        let [mine, _] = visit.settle();
        let Some(received) = mine[0].port() else { panic!() };
        visit.cache();
        visit.settle();
        let answered = visit.here.post_message(received, "answer");
        assert_eq!(answered.is_err(), policy == BackForwardCache::Ends);
        assert_eq!(visit.settle()[1], []);
        visit.restore();
        let expected = if policy == QUEUES { vec![message("answer")] } else { vec![] };
        assert_eq!(heard_on(&visit.settle()[1], port), expected);
        assert!(visit.there.is_open(port));
    }
}

#[test]
fn a_cached_page_connects_only_where_its_ports_live() {
    for policy in ALL {
        let mut visit = Visit::new(policy);
        visit.cache();
        visit.settle();
        let connected = connect_runtime(&mut visit.there, visit.scripts[0], "from the cache");
        if policy == BackForwardCache::Ends {
            assert_eq!(connected, Err(ConnectError::Cached));
            assert_eq!(visit.settle().concat(), []);
            visit.restore();
            visit.settle();
            connect_runtime(&mut visit.there, visit.scripts[0], "shown again").unwrap();
            assert_eq!(visit.settle()[0].len(), 1);
        } else {
            connected.unwrap();
            let [mine, _] = visit.settle();
            assert!(matches!(&mine[..], [Event::Connect { sender, .. }]
                if sender.lifecycle() == Some(DocumentLifecycle::Cached)));
        }
    }
}
