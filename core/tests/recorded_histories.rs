//! Threads that do what their dice say while the browser reports facts: each writes down
//! what it did and heard, and afterwards the guarantees are checked on all of it.
//!
//! `SEEDS=500` runs more, `SEED=7` one again; how the threads meet is up to the machine.

mod common;
mod histories;

use bytes::Bytes;
use common::*;
use histories::{Channel, Context, End, Entry, Life, Lives, Sent, To, about, check};
use port_core::{
    ContextDescription, ContextId, Event, EventLoop, EventLoopId, ExtensionId, ExtensionInstance,
    ExternalConnections, Limits, Listening, MessageService, Place, Policies, PortId, PortStatus, PostError,
    ReceiverDisconnects, RuntimeTarget, TabTarget,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

const SEEDS: u64 = 24;
const THREADS: usize = 3;
const STEPS: usize = 700;
/// Answers to answers are so deep at most.
const LAST_ROUNDS: usize = 8;

const EXTENSIONS: [&str; 2] = ["greeter@example", "other@example"];
const EVERYTHING: Listening =
    Listening { one_off: true, external_ports: true, external_one_off: true, ..Listening::PORTS };

/// What all threads know.
struct World {
    browser: Browser,
    service: MessageService,
    places: Mutex<Vec<Place>>,
    /// Loads of extensions, each with the extension's number; the first is never reloaded.
    loads: Mutex<Vec<(usize, ExtensionInstance)>>,
    loops: Mutex<Vec<EventLoopId>>,
    declared: Mutex<Vec<EventLoopId>>,
    next: AtomicU64,
    active: AtomicUsize,
    rounds: Vec<AtomicUsize>,
    broken: AtomicBool,
    ledger: Ledger,
}

impl World {
    fn number(&self) -> u64 {
        self.next.fetch_add(1, SeqCst)
    }

    /// Waits for the other threads, unless one is broken.
    fn meet(&self, round: usize) {
        self.rounds[round].fetch_add(1, SeqCst);
        while self.rounds[round].load(SeqCst) < THREADS && !self.broken.load(SeqCst) {
            thread::yield_now();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Thread<'a> {
    world: &'a World,
    dice: Dice,
    event_loop: EventLoop,
    life: Life,
    step: u64,
    contexts: Vec<(Context, ContextId)>,
    numbers: HashMap<ContextId, Context>,
    ends: HashMap<PortId, End>,
    /// Ports that may be open, with the number of posts.
    ports: Vec<(PortId, u64)>,
    history: Vec<Entry>,
}

fn event_loop(world: &World) -> EventLoop {
    let event_loop = world.browser.event_loop();
    lock(&world.loops).push(event_loop.id());
    event_loop
}

impl<'a> Thread<'a> {
    fn new(world: &'a World, seed: u64) -> Self {
        Self {
            world,
            dice: Dice::new(seed),
            event_loop: event_loop(world),
            life: world.number(),
            step: 0,
            contexts: Vec::new(),
            numbers: HashMap::new(),
            ends: HashMap::new(),
            ports: Vec::new(),
            history: Vec::new(),
        }
    }

    fn attach(&mut self) {
        let load = {
            let loads = lock(&self.world.loads);
            if self.dice.below(3) > 0 { 0 } else { self.dice.below(loads.len()) }
        };
        let instance = lock(&self.world.loads)[load].1;
        let place = self.dice.pick(&lock(&self.world.places)).filter(|_| self.dice.below(3) > 0);
        let context = self.world.number();
        let url = context.to_string();
        let mut script = false;
        let description = match place {
            Some(place) if self.dice.below(4) == 0 => {
                ContextDescription::page_in_tab(instance, place, &url, "")
            }
            Some(place) => {
                script = true;
                ContextDescription::content_script(instance, place, &url, "")
            }
            None => ContextDescription::background(instance, &url, ""),
        };
        let Ok(id) = self.event_loop.attach(description) else { return };
        let tab = place.map(|place| place.tab);
        let lives = Lives { life: self.life, load, tab, script };
        self.history.push(Entry::Attach { context, lives });
        let _ = self.event_loop.set_listening(id, EVERYTHING);
        self.contexts.push((context, id));
        self.numbers.insert(id, context);
    }

    fn connect(&mut self) {
        let Some((opener, id)) = self.dice.pick(&self.contexts) else { return };
        let channel = self.world.number();
        let name = channel.to_string();
        let tab = self.dice.pick(&lock(&self.world.places)).map(|place| place.tab);
        let (connected, to) = match (self.dice.below(6), tab) {
            (0..4, Some(tab)) => {
                (self.event_loop.connect_tab(id, &TabTarget::new(tab).name(&name)), To::Tab(tab))
            }
            (4, _) => (self.event_loop.connect_runtime(id, RuntimeTarget::own().name(&name)), To::Own),
            _ => {
                let target = RuntimeTarget::extension(ExtensionId::new(EXTENSIONS[1])).name(&name);
                (self.event_loop.connect_runtime(id, target), To::Other)
            }
        };
        if let Ok(port) = connected {
            let (life, step) = (self.life, self.step);
            self.history.push(Entry::Connect { channel, opener, life, step, to });
            self.own((channel, opener), port);
        }
    }

    fn own(&mut self, end: End, port: PortId) {
        assert_eq!(self.ends.insert(port, end), None, "a port's id is given once");
        self.ports.push((port, 0));
    }

    fn post(&mut self) {
        if self.ports.is_empty() {
            return;
        }
        let at = self.dice.below(self.ports.len());
        for _ in 0..1 + self.dice.below(12) {
            let (port, number) = self.ports[at];
            let end = self.ends[&port];
            let sent = [end.0, end.1, self.life, self.step, number];
            self.step += 1;
            let mut bytes: Vec<u8> = sent.iter().flat_map(|word| word.to_le_bytes()).collect();
            bytes.resize([40, 120, 300][self.dice.below(3)], 0);
            let message: Bytes = self.world.ledger.payload_of(bytes);
            match self.event_loop.post_message(port, message.clone()) {
                Ok(()) => {
                    self.history.push(Entry::Post { end, number });
                    self.ports[at].1 += 1;
                }
                Err(PostError::Disconnected(back) | PostError::Gone(back)) => {
                    assert_eq!(back.bytes(), &*message);
                    self.history.push(Entry::Refused { end });
                    self.ports.swap_remove(at);
                    return;
                }
                Err(PostError::WindowFull(back) | PostError::Busy(back)) => {
                    assert_eq!(back.bytes(), &*message);
                    return;
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    fn disconnect(&mut self) {
        if self.ports.is_empty() {
            return;
        }
        let at = self.dice.below(self.ports.len());
        let (port, _) = self.ports.swap_remove(at);
        // A port whose end is on its way is closed too, and hears of it no more.
        if self.event_loop.disconnect(port) {
            self.history.push(Entry::Disconnect { end: self.ends[&port], step: self.step });
        }
        assert!(!self.event_loop.is_open(port) && !self.event_loop.disconnect(port));
    }

    fn detach(&mut self) {
        if self.contexts.len() < 2 {
            return;
        }
        let at = self.dice.below(self.contexts.len());
        let (context, id) = self.contexts.swap_remove(at);
        if self.event_loop.detach(id).is_ok() {
            // If a fact was first, that is how it died, and nobody hears of it here.
            self.history.push(Entry::Detach { context, step: self.step });
        }
    }

    fn take(&mut self, most: usize) {
        for _ in 0..most {
            let Some(event) = self.event_loop.next_event() else { return };
            self.hear(&event);
        }
    }

    fn hear(&mut self, event: &Event) {
        let context = self.numbers[&event.context()];
        if let Some(end) = event.port().and_then(|port| self.ends.get(&port)) {
            assert_eq!(end.1, context);
        }
        match event {
            Event::Connect { port, name, sender, .. } => {
                let end: End = (name.as_str().parse::<Channel>().unwrap(), context);
                self.own(end, *port);
                let sender = sender.url().parse().unwrap();
                self.history.push(Entry::HeardConnect { end, sender });
            }
            Event::Message { port, payload, .. } => {
                let word = |at: usize| u64::from_le_bytes(payload[8 * at..8 * at + 8].try_into().unwrap());
                let [channel, from, life, step, number] = [0, 1, 2, 3, 4].map(word);
                let sent = Sent { channel, from, life, step, number };
                self.history.push(Entry::HeardMessage { end: self.ends[port], sent });
            }
            Event::Disconnect { port, reason, .. } => {
                self.history.push(Entry::HeardEnd { end: self.ends[port], reason: *reason });
            }
            Event::ContextGone { .. } => {
                self.contexts.retain(|known| known.0 != context);
                self.history.push(Entry::HeardGone { context });
            }
            Event::Room { port, .. } => assert!(self.event_loop.is_open(*port)),
            other => panic!("{other:?}"),
        }
    }

    /// The loop dies and another takes its place.
    fn begin_anew(&mut self) {
        let new = event_loop(self.world);
        let old = std::mem::replace(&mut self.event_loop, new);
        let id = old.id();
        drop(old);
        // From here on nobody can declare it gone.
        lock(&self.world.loops).retain(|known| *known != id);
        let declared = lock(&self.world.declared).contains(&id);
        self.history.push(Entry::LoopEnds { life: self.life, declared });
        self.life = self.world.number();
        self.contexts.clear();
        self.ports.clear();
    }

    fn act(&mut self) {
        self.step += 1;
        match self.dice.below(200) {
            0..60 => self.post(),
            60..80 => self.connect(),
            80..92 => self.disconnect(),
            92..106 => self.attach(),
            106..110 => self.detach(),
            110 => self.begin_anew(),
            111..114 if self.contexts.is_empty() => self.begin_anew(),
            _ => {
                let most = 1 + self.dice.below(30);
                self.take(most);
            }
        }
    }

    fn run(mut self) -> Vec<Entry> {
        for _ in 0..3 {
            self.attach();
        }
        self.world.meet(0);
        for _ in 0..STEPS {
            self.act();
        }
        self.world.active.fetch_sub(1, SeqCst);
        while self.world.active.load(SeqCst) > 0 && !self.world.broken.load(SeqCst) {
            self.take(usize::MAX);
            thread::yield_now();
        }
        for round in 1..=LAST_ROUNDS {
            self.world.meet(round);
            self.take(usize::MAX);
        }
        self.world.meet(LAST_ROUNDS + 1);
        for port in self.event_loop.snapshot().ports {
            if port.status == PortStatus::Open {
                self.history.push(Entry::OpenAtLast { end: self.ends[&port.port] });
            }
        }
        self.world.meet(LAST_ROUNDS + 2);
        std::mem::take(&mut self.history)
    }
}

impl Drop for Thread<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.world.broken.store(true, SeqCst);
        }
    }
}

/// The browser's own thread.
fn report_facts(world: &World, seed: u64) {
    let mut dice = Dice::new(seed);
    while world.active.load(SeqCst) > 0 && !world.broken.load(SeqCst) {
        match dice.below(12) {
            0..6 => {
                let mut places = lock(&world.places);
                let at = dice.below(places.len());
                places[at] = world.browser.navigate(places[at]);
            }
            6..8 => {
                let mut places = lock(&world.places);
                let at = dice.below(places.len());
                world.service.tab_closed(places[at].tab).unwrap();
                places[at] = world.browser.tab_with_id(places[at].tab);
            }
            8 => {
                let mut loads = lock(&world.loads);
                let last = loads.iter().rev().find(|load| load.0 == 1).unwrap().1;
                world.service.extension_unloaded(last).unwrap();
                loads.push((1, load_other(&world.service)));
            }
            9 => {
                // Under the lock, so that its owner knows whether it was declared gone.
                let mut loops = lock(&world.loops);
                if loops.len() == THREADS && dice.below(3) == 0 {
                    let id = loops.swap_remove(dice.below(THREADS));
                    lock(&world.declared).push(id);
                    let _ = world.service.event_loop_gone(id);
                }
            }
            _ => {}
        }
        for _ in 0..40 {
            thread::yield_now();
        }
    }
}

fn load_other(service: &MessageService) -> ExtensionInstance {
    let id = ExtensionId::new(EXTENSIONS[1]);
    service.extension_loaded_with(id, ExternalConnections::Everyone).unwrap()
}

fn record(seed: u64, limits: Limits, policies: Policies) {
    let browser = Browser::with(limits, policies);
    let service = browser.service.clone();
    let loads = vec![(0, browser.extension), (1, load_other(&service))];
    let places = (0..2).map(|_| browser.tab()).collect();
    let world = World {
        service,
        places: Mutex::new(places),
        loads: Mutex::new(loads),
        loops: Mutex::default(),
        declared: Mutex::default(),
        next: AtomicU64::new(1),
        active: AtomicUsize::new(THREADS),
        rounds: (0..LAST_ROUNDS + 3).map(|_| AtomicUsize::new(0)).collect(),
        broken: AtomicBool::new(false),
        ledger: Ledger::default(),
        browser,
    };
    let scripts: Vec<u64> = (0..=THREADS as u64).map(|thread| seed * 16 + thread).collect();
    let histories: Vec<_> = thread::scope(|scope| {
        let spawn = |script: &u64| {
            let (world, script) = (&world, *script);
            scope.spawn(move || Thread::new(world, script).run())
        };
        let threads: Vec<_> = scripts[..THREADS].iter().map(spawn).collect();
        report_facts(&world, scripts[THREADS]);
        threads.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let context = format!("SEED={seed} fails; the threads' scripts: {scripts:?}");
    let histories: Result<Vec<_>, _> = histories.into_iter().collect();
    let Ok(histories) = histories else { panic!("{context}: a thread panicked") };
    let heard = |entry: &&Entry| matches!(entry, Entry::HeardMessage { .. });
    assert!(histories.iter().flatten().filter(heard).count() > 50, "{context}: hardly anything was heard");
    let extensions = lock(&world.loads).iter().map(|load| load.0).collect();
    if let Err(error) = check(&histories, extensions, &policies) {
        about(&histories, &error).iter().for_each(|line| eprintln!("  {line}"));
        panic!("{context}: {error}");
    }
    let World { ledger, .. } = world;
    ledger.assert_balanced();
}

fn number(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("a number"))
}

fn record_all(limits: &Limits, policies: Policies) {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        record(seed, limits.clone(), policies);
    }
}

#[test]
fn the_guarantees_hold_of_what_threads_heard() {
    record_all(&Limits::default(), Policies::default());
}

#[test]
fn the_guarantees_hold_in_chromium_with_tight_limits() {
    let limits = limits(|limits| {
        limits.window_messages = Some(4);
        limits.lane_records = 60;
        limits.ports_per_context = 12;
    });
    record_all(&limits, Policies::CHROMIUM);
}

#[test]
fn the_guarantees_hold_in_firefox_and_where_receivers_leave() {
    record_all(&Limits::default(), Policies::FIREFOX);
    let leaves = policies(|policies| policies.receiver_disconnects = ReceiverDisconnects::LeavesOthers);
    record_all(&Limits::default(), leaves);
}
