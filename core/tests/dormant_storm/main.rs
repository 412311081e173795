//! Backgrounds that stop and start all the time, each on a thread of its own, while content scripts and pages on other
//! threads connect to them, post, disconnect and navigate. In the end nobody waits, and the books balance.

#[path = "../common/mod.rs"]
mod common;
mod thread;

use common::*;
use port_core::{
    DisconnectReason, ExtensionDescription, ExtensionInstance, ExternalConnections, Limits, OpeningPort,
    Place, Policies,
};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use thread::Thread;

const EXTENSIONS: [&str; 2] = ["one@example", "two@example"];
/// Threads with content scripts and pages; each extension has one more, for its background.
const SCRIPTS: usize = 3;
const ROUNDS: usize = 1_000;
/// So many backgrounds are started at least.
const STARTS: usize = 40;
/// How often what was taken may make others take something once all are calm: a start, the connect, its answer.
const STAGES: usize = 12;

/// What all threads know.
struct Weather {
    browser: Browser,
    extensions: [ExtensionInstance; 2],
    /// Where a new content script may go.
    places: Mutex<Vec<Place>>,
    ledger: Ledger,
    /// How often each background was asked for and not started since.
    wanted: [AtomicUsize; 2],
    starts: AtomicUsize,
    /// How much was posted on each port that was open to the last, by sender.
    posted: Mutex<HashMap<u64, u64>>,
    gathering: Gathering,
}

impl Weather {
    /// Whether a background is wanted. Whoever asks passes on what he is told of others.
    fn is_wanted(&self, extension: usize) -> bool {
        while let Some(wanted) = self.browser.service.next_wanted_background() {
            let at = self.extensions.iter().position(|known| *known == wanted).unwrap();
            self.wanted[at].fetch_add(1, SeqCst);
        }
        self.wanted[extension].swap(0, SeqCst) > 0
    }
}

/// The browser's own thread: tabs navigate, and backgrounds are stopped and given up, while the others run.
fn report_facts(weather: &Weather) {
    let mut dice = Dice::new(99);
    let service = &weather.browser.service;
    while weather.gathering.is_anybody_active() {
        let extension = weather.extensions[dice.below(2)];
        match dice.below(8) {
            0 => service.stop_background(extension).unwrap(),
            1 => service.give_up_background(extension, DisconnectReason::BackgroundNotStarted).unwrap(),
            _ => {
                let mut places = weather.places.lock().unwrap();
                let at = dice.below(places.len());
                places[at] = weather.browser.navigate(places[at]);
            }
        }
        for _ in 0..200 {
            std::thread::yield_now();
        }
    }
}

fn storm(seed: u64, limits: Limits, change: impl FnOnce(&mut Policies)) {
    let policies = policies(|policies| {
        policies.sender.context = true;
        change(policies);
    });
    let browser = Browser::with(limits, policies);
    let extensions = EXTENSIONS.map(|id| {
        let description = ExtensionDescription::new(id).background_on_demand();
        let description = description.external(ExternalConnections::Everyone);
        browser.service.extension_loaded(description).unwrap()
    });
    let places: Vec<_> = (0..3).map(|_| browser.tab()).collect();
    let ledger = Ledger::default();
    let weather = Weather {
        browser,
        extensions,
        places: Mutex::new(places),
        ledger: ledger.clone(),
        wanted: Default::default(),
        starts: AtomicUsize::new(0),
        posted: Mutex::default(),
        gathering: Gathering::new(SCRIPTS + EXTENSIONS.len(), SCRIPTS),
    };
    let taken: usize = std::thread::scope(|scope| {
        let weather = &weather;
        let thread = |number: usize| Thread::new(weather, seed * 1_000 + number as u64);
        let scripts = (0..SCRIPTS).map(|number| scope.spawn(move || thread(number).run_scripts()));
        let mut threads: Vec<_> = scripts.collect();
        for extension in 0..EXTENSIONS.len() {
            threads.push(scope.spawn(move || thread(SCRIPTS + extension).run_background(extension)));
        }
        report_facts(weather);
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(taken > 1_000, "seed {seed}: {taken}");
    drop(weather);
    ledger.assert_balanced();
}

#[test]
fn the_books_balance_after_backgrounds_came_and_went() {
    for seed in 1..=2 {
        storm(seed, Limits::default(), |_| ());
    }
}

#[test]
fn the_books_balance_where_posts_wait_for_the_answers() {
    storm(4, Limits::default(), |policies| policies.opening_port = OpeningPort::PostsWait);
}

#[test]
fn the_books_balance_with_tight_limits() {
    let limits = limits(|limits| {
        limits.window_messages = Some(5);
        limits.window_bytes = Some(700);
        limits.lane_records = 100;
        limits.lane_bytes = 10_000;
        limits.ports_per_context = 20;
    });
    storm(5, limits, |policies| policies.opening_port = OpeningPort::PostsWait);
}
