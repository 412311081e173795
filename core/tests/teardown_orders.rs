//! G8, every order: what two event loops hold is given back to the byte, whichever of the
//! opener's loop, the receivers' loop, the service and the events taken goes first, and
//! whatever happens to the port in between.

mod common;

use common::*;
use port_core::{ContextId, Event, EventLoop, Place, Policies, PortId, TabTarget};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What goes, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Service,
    OpenersLoop,
    ReceiversLoop,
    /// The events that were taken and not looked at.
    Events,
    /// What else happens.
    Incident,
}

#[derive(Clone, Copy, Debug)]
enum Incident {
    OpenerDisconnects,
    ReceiverDisconnects,
    OpenerDetaches,
    ReceiverDetaches,
    FrameNavigates,
    TabCloses,
    ExtensionUnloads,
    OpenersLoopDeclaredGone,
    ReceiversLoopDeclaredGone,
    EverythingIsTaken,
}

const INCIDENTS: [Incident; 10] = [
    Incident::OpenerDisconnects,
    Incident::ReceiverDisconnects,
    Incident::OpenerDetaches,
    Incident::ReceiverDetaches,
    Incident::FrameNavigates,
    Incident::TabCloses,
    Incident::ExtensionUnloads,
    Incident::OpenersLoopDeclaredGone,
    Incident::ReceiversLoopDeclaredGone,
    Incident::EverythingIsTaken,
];

#[test]
fn every_order_of_teardown_gives_all_memory_back() {
    const STEPS: [Step; 5] =
        [Step::Service, Step::OpenersLoop, Step::ReceiversLoop, Step::Events, Step::Incident];
    // What is made once for the whole process.
    tear_down(Policies::default(), Incident::EverythingIsTaken, &STEPS);
    let mut orders = Vec::new();
    permute(&mut STEPS.to_vec(), 0, &mut orders);
    assert_eq!(orders.len(), 120);
    for policies in [Policies::CHROMIUM, Policies::FIREFOX] {
        for incident in INCIDENTS {
            for order in &orders {
                let before = held();
                tear_down(policies, incident, order);
                assert_eq!(held(), before, "bytes held after {order:?} with {incident:?}");
            }
        }
    }
}

fn permute(steps: &mut Vec<Step>, from: usize, orders: &mut Vec<Vec<Step>>) {
    if from == steps.len() {
        orders.push(steps.clone());
    }
    for at in from..steps.len() {
        steps.swap(from, at);
        permute(steps, from + 1, orders);
        steps.swap(from, at);
    }
}

/// Two loops in the middle of everything.
struct Scene {
    browser: Option<Browser>,
    openers: Option<EventLoop>,
    receivers: Option<EventLoop>,
    events: Vec<Event>,
    place: Place,
    opener: ContextId,
    receiver: ContextId,
    port: PortId,
    received: PortId,
}

fn tear_down(policies: Policies, incident: Incident, order: &[Step]) {
    let ledger = Ledger::default();
    let mut scene = Scene::new(&ledger, policies);
    for step in order {
        match step {
            Step::Service => scene.browser = None,
            Step::OpenersLoop => scene.openers = None,
            Step::ReceiversLoop => scene.receivers = None,
            Step::Events => scene.events.clear(),
            Step::Incident => scene.meet(incident),
        }
    }
    drop(scene);
    assert!(ledger.made() > 30);
    ledger.assert_balanced();
}

impl Scene {
    /// A port from a background to a frame on another loop and to one beside it, with
    /// messages under way in all directions, and a second one that nobody took yet.
    fn new(ledger: &Ledger, policies: Policies) -> Self {
        let browser = Browser::with_policies(policies);
        let (mut openers, mut receivers) = (browser.event_loop(), browser.event_loop());
        let place = browser.tab();
        let opener = browser.background(&mut openers);
        let receiver = browser.content_script(&mut receivers, place);
        browser.content_script(&mut openers, browser.frame_in(place));
        let port = openers.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
        for length in [5, 100, 500].repeat(8) {
            openers.post_message(port, ledger.payload(length)).unwrap();
        }
        let first = receivers.next_event();
        let Some(Event::Connect { port: received, .. }) = first else { panic!("{first:?}") };
        let mut events = Vec::from_iter(first);
        for length in [5, 100, 500].repeat(8) {
            receivers.post_message(received, ledger.payload(length)).unwrap();
        }
        // Where posts wait for the answers, they have come now.
        for event_loop in [&mut openers, &mut receivers] {
            events.extend((0..7).map_while(|_| event_loop.next_event()));
        }
        let name = "longer than what fits into a name without an allocation";
        let second = openers.connect_tab(opener, &TabTarget::new(place.tab).name(name)).unwrap();
        openers.post_message(second, ledger.payload(500)).unwrap();
        let (openers, receivers) = (Some(openers), Some(receivers));
        Self { browser: Some(browser), openers, receivers, events, place, opener, receiver, port, received }
    }

    /// As far as whoever it happens to is still there.
    fn meet(&mut self, incident: Incident) {
        let Self { browser, openers, receivers, events, place, .. } = self;
        let service = browser.as_ref().map(|browser| &browser.service);
        match (incident, service, openers, receivers) {
            (Incident::OpenerDisconnects, _, Some(openers), _) => {
                openers.disconnect(self.port);
            }
            (Incident::ReceiverDisconnects, _, _, Some(receivers)) => {
                receivers.disconnect(self.received);
            }
            (Incident::OpenerDetaches, _, Some(openers), _) => openers.detach(self.opener).unwrap(),
            (Incident::ReceiverDetaches, _, _, Some(receivers)) => receivers.detach(self.receiver).unwrap(),
            (Incident::FrameNavigates, Some(_), ..) => {
                browser.as_ref().unwrap().navigate(*place);
            }
            (Incident::TabCloses, Some(service), ..) => service.tab_closed(place.tab).unwrap(),
            (Incident::ExtensionUnloads, Some(service), ..) => {
                service.extension_unloaded(browser.as_ref().unwrap().extension).unwrap();
            }
            (Incident::OpenersLoopDeclaredGone, Some(service), Some(openers), _) => {
                service.event_loop_gone(openers.id()).unwrap();
            }
            (Incident::ReceiversLoopDeclaredGone, Some(service), _, Some(receivers)) => {
                service.event_loop_gone(receivers.id()).unwrap();
            }
            (Incident::EverythingIsTaken, _, openers, receivers) => {
                for _ in 0..3 {
                    for event_loop in [&mut *openers, &mut *receivers].into_iter().flatten() {
                        events.extend(drain(event_loop));
                    }
                }
            }
            _ => {}
        }
    }
}

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts what the calling thread holds.
struct Counting;

fn held() -> isize {
    HELD.get()
}

fn add(bytes: isize) {
    // A thread that is ending may have no count any more.
    let _ = HELD.try_with(|held| held.set(held.get() + bytes));
}

// SAFETY: everything is the system's allocator's doing; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        add(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}
