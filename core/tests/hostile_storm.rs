//! Twenty extensions whose scripts do everything that they can, in a hundred tabs, on two threads, all at once. What
//! they make the core hold stays below a number that follows from the limits; in the end everything is given back.

#![allow(unreachable_pub, reason = "modules of one test")]

mod common;
#[path = "long_storm/heap.rs"]
mod heap;

use common::*;
use heap::held;
use port_core::bytes::Bytes;
use port_core::{
    ConnectError, ConnectKind, ContextId, Event, EventLoop, ExtensionDescription, ExtensionInstance,
    ExternalConnections, Limits, Place, Policies, PortId, PostErrorKind, RuntimeTarget, TabId, TabTarget,
};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

const EXTENSIONS: usize = 20;
const TABS: usize = 100;
const THREADS: usize = 2;

/// How often each thread takes what is left, at most.
const ROUNDS: usize = 1_000;

/// The most bytes that the core holds, as `docs/limits.md` sums up.
fn most(limits: &Limits) -> u64 {
    let extensions = EXTENSIONS as u64;
    // For each extension and for pages of the web a lane of its own for each loop, and two for each pair; segments that are
    // kept besides.
    let lanes = (extensions + 1) * (THREADS * THREADS) as u64 * ((128 + 64) << 10);
    let loops = THREADS as u64 * (1 << 20);
    let contexts = extensions * (TABS as u64 + 1) * (u64::from(limits.description_bytes) + 1_024);
    limits.service_bytes + extensions * limits.extension_bytes + lanes + loops + contexts
}

struct Arena {
    browser: Browser,
    extensions: Vec<ExtensionInstance>,
    tabs: Mutex<Vec<Place>>,
    ledger: Ledger,
    begin: Barrier,
    active: AtomicUsize,
    /// The last round in which something was on its way still.
    unsettled: AtomicUsize,
    peak: AtomicUsize,
}

struct Attacker {
    arena: Arc<Arena>,
    dice: Dice,
    event_loop: EventLoop,
    contexts: Vec<ContextId>,
    ports: Vec<PortId>,
    /// For how many steps it takes no event.
    hangs: u32,
    /// Posts and connects that a full lane or context refused.
    refused: usize,
}

fn name_of(extension: usize) -> String {
    format!("extension-{extension}@example")
}

impl Attacker {
    fn new(arena: &Arc<Arena>, number: usize, seed: u64) -> Self {
        let mut event_loop = arena.browser.event_loop();
        let mut contexts = Vec::new();
        if number == 0 {
            let listen = |&extension| {
                listen_for(&mut event_loop, describe_background(extension), listening_for_everything())
            };
            contexts.extend(arena.extensions.iter().map(listen));
        }
        let mut attacker = Self {
            arena: Arc::clone(arena),
            dice: Dice::new(seed),
            event_loop,
            contexts,
            ports: Vec::new(),
            hangs: 0,
            refused: 0,
        };
        let tabs = arena.tabs.lock().unwrap().clone();
        tabs.into_iter().skip(number).step_by(THREADS).for_each(|place| attacker.run_scripts(place));
        attacker
    }

    /// Every extension has a content script in a document.
    fn run_scripts(&mut self, place: Place) {
        let url = format!("https://example.org/{}", "x".repeat(self.dice.below(4_000)));
        for at in 0..EXTENSIONS {
            let description = describe_content_script_at(self.arena.extensions[at], place, &url, "");
            // Refused where the other thread closed the tab meanwhile.
            if let Ok(context) = self.event_loop.attach(description) {
                let _ = self.event_loop.set_listening(context, listening_for_everything());
                self.contexts.push(context);
            }
        }
    }

    fn some_tab(&mut self) -> Place {
        let tabs = self.arena.tabs.lock().unwrap();
        tabs[self.dice.below(tabs.len())]
    }

    fn keep(&mut self, connected: Result<PortId, ConnectError>) {
        match connected {
            Ok(port) if self.dice.below(2) == 0 => self.ports.push(port),
            Ok(port) => drop(self.event_loop.disconnect(port)),
            Err(ConnectError::Busy | ConnectError::TooManyPorts) => self.refused += 1,
            Err(_) => {}
        }
    }

    fn flood(&mut self) {
        let Some(port) = self.dice.pick(&self.ports) else { return };
        let long = self.dice.below(3) == 0;
        let length = 200 + self.dice.below(1 << 18);
        for _ in 0..5_000 {
            let payload =
                if long { self.arena.ledger.payload(length) } else { Bytes::from_static(&[b's'; 150]) };
            match self.event_loop.post_message(port, payload).map_err(PostErrorKind::from) {
                Ok(()) => {}
                Err(PostErrorKind::Busy) => {
                    self.refused += 1;
                    return;
                }
                Err(_) => return self.ports.retain(|open| *open != port),
            }
        }
    }

    fn connect(&mut self, target: &TabTarget, times: usize) {
        // Content scripts may not; of backgrounds there are few.
        let some =
            if self.dice.below(2) == 0 { EXTENSIONS.min(self.contexts.len()) } else { self.contexts.len() };
        let Some(context) = self.dice.pick(&self.contexts[..some]) else { return };
        for _ in 0..times {
            let connected = self.event_loop.connect_tab(context, target);
            self.keep(connected);
        }
    }

    /// To its own extension or another, by ports with long names and by one-off messages.
    fn connect_to_extension(&mut self) {
        let Some(context) = self.dice.pick(&self.contexts) else { return };
        let target = match self.dice.below(2) {
            0 => RuntimeTarget::own().name(&"n".repeat(self.dice.below(4_100))),
            _ => RuntimeTarget::extension(name_of(self.dice.below(EXTENSIONS)).as_str())
                .kind(ConnectKind::OneOff),
        };
        for _ in 0..200 {
            let connected = self.event_loop.connect_runtime(context, &target);
            self.keep(connected);
        }
    }

    /// A tab closes, and another opens.
    fn kill(&mut self) {
        let browser = &self.arena.browser;
        let place = {
            let mut tabs = self.arena.tabs.lock().unwrap();
            let at = self.dice.below(tabs.len());
            browser.service.tab_closed(tabs[at].tab).unwrap();
            tabs[at] = browser.tab();
            tabs[at]
        };
        self.run_scripts(place);
    }

    /// The tab may be closed by now.
    fn cache(&mut self) {
        let (document, service) = (self.some_tab().document, &self.arena.browser.service);
        for _ in 0..50 {
            let _ = service.document_cached(document);
            let _ = service.document_restored(document);
        }
    }

    /// An event loop comes, says something and goes.
    fn come_and_go(&mut self) {
        let extension = self.arena.extensions[self.dice.below(EXTENSIONS)];
        let mut event_loop = self.arena.browser.event_loop();
        let page = listen(&mut event_loop, describe_page(extension));
        if let Ok(port) = connect_runtime(&mut event_loop, page, "") {
            let _ = event_loop.post_message(port, self.arena.ledger.payload(10_000));
        }
    }

    fn take(&mut self, most: usize) -> usize {
        for taken in 0..most {
            match self.event_loop.next_event() {
                None => return taken,
                Some(Event::Connect { port, .. }) if self.dice.below(3) > 0 => self.ports.push(port),
                Some(Event::Connect { port, .. }) => drop(self.event_loop.disconnect(port)),
                Some(Event::Disconnect { port, .. }) => self.ports.retain(|open| *open != port),
                Some(Event::ContextGone { context, .. }) => self.contexts.retain(|known| *known != context),
                Some(_) => {}
            }
        }
        most
    }

    fn step(&mut self) {
        self.hangs = self.hangs.saturating_sub(1);
        match self.dice.below(100) {
            0..30 => self.flood(),
            30..38 => self.connect(&TabTarget::new(TabId::new(u64::MAX)), 2_000),
            38..50 => {
                let target = TabTarget::new(self.some_tab().tab).name(&"n".repeat(self.dice.below(4_100)));
                self.connect(&target, 100);
            }
            50..60 => self.connect_to_extension(),
            60..64 => self.kill(),
            64..68 => self.cache(),
            68..70 => self.come_and_go(),
            70..72 => self.hangs = 100,
            _ if self.hangs == 0 => {
                self.take(500);
            }
            _ => {}
        }
        self.arena.peak.fetch_max(held(), SeqCst);
    }

    /// Whether the other has taken all that was sent.
    fn has_settled(&self) -> bool {
        self.event_loop.snapshot().lanes.iter().all(|lane| lane.outbound_records == 0)
    }

    /// Attacks, and then takes what is left until both have nothing more. Returns how often it was refused.
    fn run(mut self, steps: usize) -> usize {
        self.arena.begin.wait();
        (0..steps).for_each(|_| self.step());
        self.arena.active.fetch_sub(1, SeqCst);
        while self.arena.active.load(SeqCst) > 0 {
            self.take(usize::MAX);
            thread::yield_now();
        }
        for round in 1..=ROUNDS {
            self.arena.begin.wait();
            self.take(usize::MAX);
            self.arena.begin.wait();
            // What one takes it may answer, and of what nobody hears it takes only so much in a row.
            if !self.has_settled() {
                self.arena.unsettled.store(round, SeqCst);
            }
            self.arena.begin.wait();
            if self.arena.unsettled.load(SeqCst) < round {
                break;
            }
        }
        let snapshot = self.event_loop.snapshot();
        // Before it can fail, so that the other thread does not wait for ever.
        self.arena.begin.wait();
        assert_eq!(snapshot.events, 0);
        for lane in &snapshot.lanes {
            assert_eq!((lane.outbound_records, lane.outbound_bytes), (0, 0), "the books balance");
        }
        self.refused
    }
}

/// Returns the most bytes that were held, beyond what was before, and how much was refused.
fn storm(seed: u64, steps: usize) -> (usize, usize) {
    let before = held();
    let browser = Browser::with(Limits::default(), Policies::default());
    let load = |at| {
        let description = ExtensionDescription::new(name_of(at).as_str());
        browser.service.extension_loaded(description.external(ExternalConnections::Everyone)).unwrap()
    };
    let extensions = (0..EXTENSIONS).map(load).collect();
    let tabs = Mutex::new((0..TABS).map(|_| browser.tab()).collect());
    let arena = Arc::new(Arena {
        browser,
        extensions,
        tabs,
        ledger: Ledger::default(),
        begin: Barrier::new(THREADS),
        active: AtomicUsize::new(THREADS),
        unsettled: AtomicUsize::new(0),
        peak: AtomicUsize::new(0),
    });
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            let arena = Arc::clone(&arena);
            thread::spawn(move || Attacker::new(&arena, number, seed + number as u64).run(steps))
        })
        .collect();
    let refused = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    arena.ledger.assert_balanced();
    assert_eq!(arena.browser.service.snapshot().bytes, 0, "all that was drawn is given back");
    let peak = arena.peak.load(SeqCst);
    (peak - before, refused)
}

#[test]
fn hostile_scripts_hold_less_than_the_limits_sum_up_to() {
    const MIB: u64 = 1 << 20;
    let most = most(&Limits::default());
    assert_eq!(most.div_ceil(MIB), 404, "as docs/limits.md says");
    // Fills what is made once for the whole process, such as the table of parked threads.
    storm(0, 50);
    let before = held();
    let (peak, refused) = storm(7, 600);
    assert!(refused > 2_000, "{refused} refusals");
    assert!((peak as u64) < most, "{peak} bytes");
    assert!(peak as u64 > 64 * MIB, "no attack: {peak} bytes");
    // Locks keep a little for good, by how many threads ever waited at once.
    assert!(held() < before + 4_096, "{} bytes stay", held() - before);
    println!("{} MiB of {} at most, {refused} refusals", peak as u64 / MIB, most / MIB);
}
