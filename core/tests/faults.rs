//! Faults put in on purpose: loops that die in the middle of draining, wakers that pull
//! the ground from under the call that wakes them.

mod common;

use common::*;
use port_core::DisconnectReason::EventLoopGone;
use port_core::{BackForwardCache, ContextId, Event, EventLoop, Listening, PortId, TabTarget};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::thread;

const LONG: usize = 500;
/// Messages that lie in the lane of the loop that dies: over three segments.
const LYING: usize = 30;

/// A page on a loop that will die, a background and another page that survive, and a
/// port from the background to both.
struct Scene {
    ledger: Ledger,
    browser: Browser,
    here: EventLoop,
    dying: EventLoop,
    other: EventLoop,
    port: PortId,
}

impl Scene {
    fn new() -> Self {
        let (ledger, browser) = (Ledger::default(), Browser::new());
        let [mut here, mut dying, mut other] = [(); 3].map(|()| browser.event_loop());
        let top = browser.tab();
        let opener = browser.background(&mut here);
        browser.content_script(&mut dying, top);
        browser.content_script(&mut other, browser.frame_in(top));
        let port = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
        for number in 0..LYING {
            let payload = if number % 3 == 0 { LONG } else { number };
            here.post_message(port, ledger.payload(payload)).unwrap();
        }
        Self { ledger, browser, here, dying, other, port }
    }

    /// Takes so many events of the dying loop, and answers each message.
    fn drain_some(&mut self, most: usize) -> usize {
        let mut answers = 0;
        for _ in 0..most {
            if let Some(Event::Message { port, .. }) = self.dying.next_event() {
                self.dying.post_message(port, self.ledger.payload(LONG)).unwrap();
                answers += 1;
            }
        }
        answers
    }

    /// What the survivors hear once the loop has died: all that it said, and no end as
    /// long as another receiver is there.
    fn check_survivors(mut self, answers: usize) -> Ledger {
        let events = drain(&mut self.here);
        assert_eq!(events.len(), answers, "every answer, and nothing else");
        let theirs = drain(&mut self.other);
        assert_eq!(theirs.len(), 1 + LYING);
        self.here.post_message(self.port, "the living go on").unwrap();
        assert_eq!(hear(&mut self.other), [message("the living go on")]);
        drop((events, theirs));
        drop(self.other);
        assert_eq!(hear(&mut self.here), [disconnect(EventLoopGone)]);
        assert_eq!((self.here.snapshot().ports, self.here.snapshot().lanes), (vec![], vec![]));
        self.ledger
    }
}

#[test]
fn a_loop_dropped_at_every_point_of_its_draining() {
    for taken in 0..=1 + LYING {
        let mut scene = Scene::new();
        let answers = scene.drain_some(taken);
        let nobody = scene.browser.event_loop();
        drop(std::mem::replace(&mut scene.dying, nobody));
        scene.check_survivors(answers).assert_balanced();
    }
}

#[test]
fn a_thread_that_panics_at_every_point_of_its_draining() {
    for taken in 0..=1 + LYING {
        let mut scene = Scene::new();
        let nobody = scene.browser.event_loop();
        let dying = std::mem::replace(&mut scene.dying, nobody);
        let ledger = scene.ledger.clone();
        let answers = thread::scope(|scope| {
            let dead = scope.spawn(move || {
                let mut answers = 0;
                let ended = catch_unwind(AssertUnwindSafe(|| {
                    // The event that is under way is dropped by the unwinding, and so is the loop.
                    let mut dying = dying;
                    for number in 0..=taken {
                        let event = dying.next_event();
                        if number == taken {
                            std::panic::resume_unwind(Box::new("the script's thread panics"));
                        }
                        if let Some(Event::Message { port, .. }) = event {
                            dying.post_message(port, ledger.payload(LONG)).unwrap();
                            answers += 1;
                        }
                    }
                }));
                assert!(ended.is_err());
                answers
            });
            dead.join().unwrap()
        });
        scene.check_survivors(answers).assert_balanced();
    }
}

#[test]
fn a_loop_leaked_at_every_point_of_its_draining_and_declared_gone() {
    for taken in 0..=1 + LYING {
        let mut scene = Scene::new();
        let answers = scene.drain_some(taken);
        let nobody = scene.browser.event_loop();
        let leaked = std::mem::replace(&mut scene.dying, nobody);
        let id = leaked.id();
        std::mem::forget(leaked);
        scene.browser.service.event_loop_gone(id).unwrap();
        // What the survivors hold is dropped; what the leaked loop holds leaked with it.
        let ledger = scene.check_survivors(answers);
        assert!(ledger.dropped() >= answers && ledger.dropped() <= ledger.made());
    }
}

/// What a waker does, once, in the middle of whatever wakes.
type Fault = Box<dyn FnOnce() + Send>;

/// A waker that does a fault at its next wake. The fault runs under no lock.
fn faulty(slot: &Arc<Mutex<Option<Fault>>>) -> Waker {
    let slot = Arc::clone(slot);
    waker_fn(move || {
        let fault = slot.lock().unwrap().take();
        if let Some(fault) = fault {
            fault();
        }
    })
}

/// What may go wrong during a wake, by number.
const FAULTS: usize = 9;

fn fault(number: usize, stage: &Stage) -> Fault {
    let service = stage.browser.service.clone();
    let (mine, theirs) = (stage.place_here, stage.place_there);
    let (here, there) = (stage.here.id(), stage.there.id());
    let extension = stage.browser.extension;
    let third = Arc::clone(&stage.third);
    match number {
        0 => Box::new(|| panic!("a waker panics")),
        1 => Box::new(move || service.tab_closed(mine.tab).unwrap()),
        2 => Box::new(move || service.tab_closed(theirs.tab).unwrap()),
        3 => Box::new(move || service.event_loop_gone(here).unwrap()),
        4 => Box::new(move || service.event_loop_gone(there).unwrap()),
        5 => Box::new(move || service.extension_unloaded(extension).unwrap()),
        6 => Box::new(move || service.document_cached(mine.document).unwrap()),
        7 => Box::new(move || drop(third.lock().unwrap().take())),
        _ => Box::new(move || {
            // It uses another loop, which wakes nobody twice.
            let mut third = third.lock().unwrap();
            let (third, context, port) = third.as_mut().expect("it is there");
            let _ = third.post_message(*port, "from the waker");
            let _ = third.connect_tab(*context, &TabTarget::new(theirs.tab));
            third.detach(*context).unwrap();
            while third.next_event().is_some() {}
        }),
    }
}

/// A page that talks to a page of the extension elsewhere, with a third loop that does too.
struct Stage {
    ledger: Ledger,
    browser: Browser,
    slot: Arc<Mutex<Option<Fault>>>,
    here: EventLoop,
    there: EventLoop,
    third: Arc<Mutex<Option<(EventLoop, ContextId, PortId)>>>,
    place_here: port_core::Place,
    place_there: port_core::Place,
    opener: ContextId,
    port: PortId,
    received: PortId,
}

impl Stage {
    fn new() -> Self {
        let ledger = Ledger::default();
        let browser = Browser::with_policies(policies(|policies| {
            policies.back_forward_cache = BackForwardCache::queues_messages(3, 10_000);
        }));
        let slot = Arc::default();
        let mut here = browser.event_loop();
        let mut there = browser.service.event_loop(faulty(&slot));
        let mut third = browser.event_loop();
        let (place_here, place_there) = (browser.tab(), browser.tab());
        let page = |place| describe_page_in_tab_at(browser.extension, place, "ext://page", "ext://");
        let opener = here.attach(page(place_here)).unwrap();
        let receiver = there.attach(page(place_there)).unwrap();
        there.set_listening(receiver, Listening::PORTS).unwrap();
        let (port, received) = browser.open_port(&mut here, opener, &mut there, place_there.tab);
        let context = browser.background(&mut third);
        let (ours, _) = browser.open_port(&mut third, context, &mut there, place_there.tab);
        let third = Arc::new(Mutex::new(Some((third, context, ours))));
        let (opened, heard) = (hear(&mut here), hear(&mut there));
        assert_eq!((opened, heard), (vec![], vec![]));
        Self { ledger, browser, slot, here, there, third, place_here, place_there, opener, port, received }
    }

    /// What wakes the other loop, by number.
    fn wake(&mut self, number: usize) {
        match number {
            0 => drop(self.here.post_message(self.port, self.ledger.payload(LONG))),
            1 => drop(self.here.connect_tab(self.opener, &TabTarget::new(self.place_there.tab))),
            2 => drop(self.here.disconnect(self.port)),
            3 => drop(self.here.detach(self.opener)),
            4 => drop(self.browser.service.frame_removed(self.place_here.tab, self.place_here.frame)),
            5 => drop(self.browser.service.document_cached(self.place_there.document)),
            _ => {
                let nobody = self.browser.event_loop();
                drop(std::mem::replace(&mut self.here, nobody));
            }
        }
    }
}

const WAKES: usize = 7;

#[test]
fn a_waker_may_pull_the_ground_from_under_the_call_that_wakes_it() {
    for wake in 0..WAKES {
        for number in 0..FAULTS {
            let mut stage = Stage::new();
            stage.here.post_message(stage.port, stage.ledger.payload(LONG)).unwrap();
            assert!(drain(&mut stage.there).len() == 1, "and asleep again");
            for _ in 0..3 {
                stage.there.post_message(stage.received, stage.ledger.payload(LONG)).unwrap();
            }
            *stage.slot.lock().unwrap() = Some(fault(number, &stage));
            stage.wake(wake);
            assert!(stage.slot.lock().unwrap().is_none(), "{wake} woke");
            // Whatever it was, each side hears at most one end and nothing after it.
            let mut loops = [&mut stage.here, &mut stage.there];
            for _ in 0..4 {
                for event_loop in &mut loops {
                    let mut ended = HashSet::new();
                    for event in drain(event_loop) {
                        if let Some(port) = event.port() {
                            assert!(!ended.contains(&port), "wake {wake}, fault {number}: {event:?}");
                        }
                        if let Event::Disconnect { port, .. } = event {
                            ended.insert(port);
                            assert!(!event_loop.is_open(port));
                        }
                    }
                }
            }
            // And a port that is open on one side is open on the other, unless its loop is gone.
            let cached = stage.there.snapshot().contexts.iter().any(|context| context.suspended)
                || stage.here.snapshot().contexts.iter().any(|context| context.suspended);
            let known = stage.browser.service.snapshot().event_loops.len();
            if !cached && known >= 2 && stage.there.is_open(stage.received) {
                assert!(stage.here.is_open(stage.port), "wake {wake}, fault {number}");
            }
            let Stage { ledger, browser, here, there, third, slot, .. } = stage;
            drop((slot, third, there, browser, here));
            ledger.assert_balanced();
        }
    }
}

#[test]
fn a_chain_of_wakers_that_post() {
    // Every wake of one loop posts to the next, around to the first.
    const LOOPS: usize = 5;
    type Slot = Arc<Mutex<Option<(EventLoop, PortId)>>>;
    let browser = Browser::new();
    let slots: Vec<Slot> = (0..LOOPS).map(|_| Slot::default()).collect();
    let place = browser.tab();
    let mut pages = Vec::new();
    for at in 0..LOOPS {
        let next = Arc::clone(&slots[(at + 1) % LOOPS]);
        let mut event_loop = browser.service.event_loop(waker_fn(move || {
            // Where the next is being used further up, it is left alone.
            if let Ok(mut next) = next.try_lock()
                && let Some((event_loop, port)) = next.as_mut()
            {
                event_loop.post_message(*port, "on").unwrap();
            }
        }));
        let frame = browser.frame_in(place);
        browser.content_script(&mut event_loop, frame);
        pages.push((event_loop, frame));
    }
    let ports: Vec<_> = (0..LOOPS)
        .map(|at| {
            let background = browser.background(&mut pages[at].0);
            let target = TabTarget::new(place.tab).frame(pages[(at + 1) % LOOPS].1.frame);
            pages[at].0.connect_tab(background, &target).unwrap()
        })
        .collect();
    for _ in 0..3 {
        pages.iter_mut().for_each(|(event_loop, _)| drop(drain(event_loop)));
    }
    for ((slot, (event_loop, _)), port) in slots.iter().zip(pages).zip(ports) {
        *slot.lock().unwrap() = Some((event_loop, port));
    }
    let mut first = slots[0].lock().unwrap();
    let (event_loop, port) = first.as_mut().unwrap();
    event_loop.post_message(*port, "go").unwrap();
    let mut heard = 0;
    for slot in &slots[1..] {
        let mut slot = slot.lock().unwrap();
        heard += drain(&mut slot.as_mut().unwrap().0).len();
    }
    assert!(heard >= LOOPS - 2, "the word went round: {heard}");
    assert!(drain(&mut first.as_mut().unwrap().0).len() <= 1);
    drop(first);
    // Each waker holds the next loop.
    for slot in &slots {
        let event_loop = slot.lock().unwrap().take();
        drop(event_loop);
    }
}
