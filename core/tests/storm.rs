//! Many threads at once: every loop posts, connects, ends and dies as its dice say,
//! while the browser reports facts. In the end the books balance.

mod common;

use common::*;
use port_core::{
    ContextError, ContextId, Event, EventLoop, Limits, Listening, Place, Policies, PortId, PortStatus,
    TabTarget,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Barrier, Mutex};
use std::thread;

const THREADS: usize = 4;
const ROUNDS: usize = 6_000;
const STAGES: usize = 7;

/// What all threads know.
struct Weather {
    browser: Browser,
    tabs: Vec<Place>,
    /// Where a new content script may go.
    places: Mutex<Vec<Place>>,
    ledger: Ledger,
    /// How much was posted on each port that was open to the last, by sender.
    posted: Mutex<HashMap<u64, u64>>,
    start: Barrier,
    /// Threads that are still active.
    active: AtomicUsize,
    /// Threads that came to each of the last stages.
    stages: [AtomicUsize; STAGES],
    /// A thread panicked, so that nobody need wait for it.
    broken: AtomicBool,
}

impl Weather {
    /// Waits for the other threads; `false` when one will not come.
    fn meet(&self, stage: usize) -> bool {
        self.stages[stage].fetch_add(1, SeqCst);
        while self.stages[stage].load(SeqCst) < THREADS {
            if self.broken.load(SeqCst) {
                return false;
            }
            thread::yield_now();
        }
        true
    }
}

/// What one port has heard.
#[derive(Default)]
struct Life {
    ended: bool,
    /// The next number expected of each sender: a fan-out's opener hears several.
    next: HashMap<u64, u64>,
}

/// One thread: an event loop, its contexts, and its own books.
struct Thread<'a> {
    weather: &'a Weather,
    dice: Dice,
    event_loop: EventLoop,
    contexts: Vec<ContextId>,
    /// Open ports with the next number to post; the number of a sender is unique.
    ports: Vec<NumberedPort>,
    lives: HashMap<PortId, Life>,
    taken: usize,
}

impl<'a> Thread<'a> {
    fn new(weather: &'a Weather, seed: u64) -> Self {
        let mut event_loop = weather.browser.event_loop();
        let background = weather.browser.background(&mut event_loop);
        Self {
            weather,
            dice: Dice::new(seed),
            event_loop,
            contexts: vec![background],
            ports: Vec::new(),
            lives: HashMap::new(),
            taken: 0,
        }
    }

    fn attach(&mut self) {
        let place = self.dice.pick(&self.weather.places.lock().unwrap());
        let Some(place) = place else { return };
        let description = describe_content_script(self.weather.browser.extension, place);
        // The document may be gone by now.
        if let Ok(context) = self.event_loop.attach(description) {
            // Its end may be under way, but is not taken before the next event.
            let listening =
                self.event_loop.set_listening(context, Listening::none().ports(self.dice.below(5) > 0));
            assert!(matches!(listening, Ok(()) | Err(ContextError::Gone)));
            self.contexts.push(context);
        }
    }

    fn own(&mut self, port: PortId) {
        let sender = self.weather.browser.fresh();
        self.ports.push((port, sender, 0));
        let fresh = self.lives.insert(port, Life::default()).is_none();
        assert!(fresh, "a port's id is given once");
    }

    fn connect(&mut self) {
        let Some(opener) = self.dice.pick(&self.contexts) else { return };
        let tab = self.weather.tabs[self.dice.below(self.weather.tabs.len())].tab;
        let connected = self
            .event_loop
            .connect_tab(opener, &TabTarget::new(tab))
            .or_else(|_| connect_runtime(&mut self.event_loop, opener, "storm"));
        if let Ok(port) = connected {
            self.own(port);
        }
    }

    fn post(&mut self) {
        if self.ports.is_empty() {
            return;
        }
        let Self { event_loop, weather, dice, ports, .. } = self;
        let at = dice.below(ports.len());
        if !post_numbered(event_loop, &mut ports[at], &weather.ledger, dice, 20) {
            ports.swap_remove(at);
        }
    }

    fn disconnect(&mut self) {
        let Some((port, ..)) = self.dice.take(&mut self.ports) else { return };
        self.event_loop.disconnect(port);
        if let Some(life) = self.lives.get_mut(&port) {
            life.ended = true;
        }
    }

    fn take(&mut self, most: usize) -> bool {
        for _ in 0..most {
            let Some(event) = self.event_loop.next_event() else { return false };
            self.taken += 1;
            self.heard(event);
        }
        true
    }

    fn heard(&mut self, event: Event) {
        match event {
            Event::Connect { port, .. } => self.own(port),
            Event::Message { port, payload, .. } => {
                let life = self.lives.get_mut(&port).expect("a message comes after its connect");
                assert!(!life.ended, "a message after the end");
                let word = |at: usize| u64::from_le_bytes(payload[at..at + 8].try_into().unwrap());
                let next = life.next.entry(word(0)).or_default();
                assert_eq!(word(8), *next, "each once and in order");
                *next += 1;
            }
            Event::Disconnect { port, .. } => {
                let life = self.lives.get_mut(&port).expect("an end comes after its connect");
                assert!(!std::mem::replace(&mut life.ended, true), "two ends");
                self.ports.retain(|(open, ..)| *open != port);
                assert!(!self.event_loop.is_open(port));
            }
            Event::Room { port, .. } => assert!(!self.lives[&port].ended, "room after the end"),
            Event::ContextGone { context, .. } => {
                assert!(self.contexts.contains(&context), "gone twice, or not ours");
                self.contexts.retain(|living| *living != context);
            }
            other => panic!("{other:?}"),
        }
    }

    fn act(&mut self) {
        match self.dice.below(100) {
            0..40 => self.post(),
            40..48 => self.connect(),
            48..54 => self.disconnect(),
            54..58 => self.attach(),
            58..60 if self.contexts.len() > 1 => {
                if self.event_loop.detach(self.contexts[1]).is_ok() {
                    self.contexts.swap_remove(1);
                } // Else its end is queued.
                // Its ports are closed without a word.
                let event_loop = &self.event_loop;
                self.ports.retain(|(port, ..)| event_loop.is_open(*port));
            }
            _ => {
                let most = 1 + self.dice.below(60);
                self.take(most);
            }
        }
    }

    fn run(mut self) -> usize {
        self.weather.start.wait();
        for round in 0..ROUNDS {
            self.act();
            if round == ROUNDS / 2 && self.dice.below(3) == 0 {
                // This thread dies, another takes its place.
                let seed = self.dice.roll();
                let taken = self.taken;
                self = Thread::new(self.weather, seed);
                self.taken = taken;
            }
        }
        // No more of its own doing; others may still post here.
        self.weather.active.fetch_sub(1, SeqCst);
        while self.weather.active.load(SeqCst) > 0 && !self.weather.broken.load(SeqCst) {
            self.take(usize::MAX);
            thread::yield_now();
        }
        // All have stopped. Answers to answers are a few rounds deep.
        let last = STAGES - 2;
        let quiet = (0..last).all(|stage| {
            let met = self.weather.meet(stage);
            self.take(usize::MAX);
            met
        });
        let open = self.open_ports();
        for (_, sender, posted) in self.ports.iter().filter(|(port, ..)| open.contains(port)) {
            self.weather.posted.lock().unwrap().insert(*sender, *posted);
        }
        if quiet && self.weather.meet(last) {
            self.check_quiet();
            self.check_delivered(&open);
            // Nobody goes away under another's eyes.
            self.weather.meet(last + 1);
        }
        self.taken
    }

    fn open_ports(&mut self) -> Vec<PortId> {
        let ports = self.event_loop.snapshot().ports;
        ports.iter().filter(|port| port.status == PortStatus::Open).map(|port| port.port).collect()
    }

    /// Between two ends that are open everything posted has arrived.
    fn check_delivered(&self, open: &[PortId]) {
        let posted = self.weather.posted.lock().unwrap();
        for port in open {
            for (sender, next) in &self.lives[port].next {
                if let Some(posted) = posted.get(sender) {
                    assert_eq!(next, posted, "delivered against posted");
                }
            }
        }
    }

    /// All is taken: an open port has the other side open, and nothing lies about.
    fn check_quiet(&mut self) {
        let snapshot = self.event_loop.snapshot();
        assert_eq!(snapshot.events, 0);
        for lane in &snapshot.lanes {
            assert_eq!((lane.outbound_records, lane.outbound_bytes), (0, 0));
        }
        // Chromium's siblings stay to look at.
        for port in snapshot.ports.iter().filter(|port| port.status != PortStatus::Silent) {
            assert!(!port.others.is_empty(), "half open: {port:?}");
            assert!(port.others.iter().all(|other| other.accepted), "undecided: {port:?}");
            assert_eq!(port.queued.messages, 0);
        }
    }
}

impl Drop for Thread<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.weather.broken.store(true, SeqCst);
        }
    }
}

/// The browser's own thread: tabs navigate, reload and close while the others run.
fn report_facts(weather: &Weather) {
    let mut dice = Dice::new(99);
    weather.start.wait();
    while weather.active.load(SeqCst) > 0 && !weather.broken.load(SeqCst) {
        let mut places = weather.places.lock().unwrap();
        let at = dice.below(places.len());
        let place = places[at];
        if dice.below(4) > 0 {
            places[at] = weather.browser.navigate(place);
        } else {
            weather.browser.service.tab_closed(place.tab).unwrap();
            places[at] = weather.browser.tab_with_id(place.tab);
        }
        drop(places);
        for _ in 0..200 {
            thread::yield_now();
        }
    }
}

fn storm(seed: u64, limits: Limits, policies: Policies) {
    let browser = Browser::with(limits, policies);
    let tabs: Vec<_> = (0..3).map(|_| browser.tab()).collect();
    let ledger = Ledger::default();
    let weather = Weather {
        places: Mutex::new(tabs.clone()),
        tabs,
        browser,
        ledger: ledger.clone(),
        posted: Mutex::default(),
        start: Barrier::new(THREADS + 1),
        active: AtomicUsize::new(THREADS),
        stages: Default::default(),
        broken: AtomicBool::new(false),
    };
    let taken: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS as u64)
            .map(|number| {
                let weather = &weather;
                scope.spawn(move || Thread::new(weather, seed * 1_000 + number).run())
            })
            .collect();
        report_facts(&weather);
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(taken > 1_000, "seed {seed}: {taken}");
    drop(weather);
    ledger.assert_balanced();
}

#[test]
fn the_books_balance_after_a_storm() {
    storm(1, Limits::default(), Policies::default());
}

#[test]
fn the_books_balance_after_a_storm_in_firefox() {
    storm(2, Limits::default(), Policies::FIREFOX);
}

#[test]
fn the_books_balance_after_a_storm_with_tight_limits() {
    let limits = limits(|limits| {
        limits.window_messages = Some(5);
        limits.window_bytes = Some(700);
        limits.lane_records = 100;
        limits.lane_bytes = 10_000;
        limits.ports_per_context = 20;
    });
    storm(3, limits, Policies::CHROMIUM);
}
