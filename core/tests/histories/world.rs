//! What the threads share, and the browser's own thread, which reports facts meanwhile.

use crate::common::{Browser, Dice, Ledger};
use port_core::{
    EventLoop, EventLoopId, ExtensionDescription, ExtensionId, ExtensionInstance, ExternalConnections,
    Limits, MessageService, Place, Policies,
};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

pub const THREADS: usize = 3;
/// Answers to answers are so deep at most.
pub const LAST_ROUNDS: usize = 8;
/// The second admits everybody.
pub const EXTENSIONS: [&str; 2] = ["greeter@example", "other@example"];

/// What all threads know.
pub struct World {
    pub browser: Browser,
    pub service: MessageService,
    pub places: Mutex<Vec<Place>>,
    /// Loads of extensions, each with the extension's number; the first is never reloaded.
    pub loads: Mutex<Vec<(usize, ExtensionInstance)>>,
    pub loops: Mutex<Vec<EventLoopId>>,
    pub declared: Mutex<Vec<EventLoopId>>,
    pub next: AtomicU64,
    pub active: AtomicUsize,
    pub rounds: Vec<AtomicUsize>,
    pub broken: AtomicBool,
    pub ledger: Ledger,
}

impl World {
    pub fn new(limits: Limits, policies: Policies) -> Self {
        let browser = Browser::with(limits, policies);
        let service = browser.service.clone();
        let loads = vec![(0, browser.extension), (1, load_other(&service))];
        let places = (0..2).map(|_| browser.tab()).collect();
        Self {
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
        }
    }

    pub fn event_loop(&self) -> EventLoop {
        let event_loop = self.browser.event_loop();
        lock(&self.loops).push(event_loop.id());
        event_loop
    }

    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, SeqCst)
    }

    /// Waits for the other threads, unless one is broken.
    pub fn meet(&self, round: usize) {
        self.rounds[round].fetch_add(1, SeqCst);
        while self.rounds[round].load(SeqCst) < THREADS && !self.broken.load(SeqCst) {
            thread::yield_now();
        }
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The browser's own thread.
pub fn report_facts(world: &World, seed: u64) {
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
    service.extension_loaded(ExtensionDescription::new(id).external(ExternalConnections::Everyone)).unwrap()
}
