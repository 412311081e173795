//! What all threads of a storm share: the browser, its tabs, and how far they are.

use crate::common::{Browser, Dice, Ledger};
use parking_lot::{Condvar, Mutex};
use port_core::{EventLoopId, ExtensionId, ExtensionInstance, FrameId, Limits, Place, Policies, TabId};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;

const TABS: usize = 6;
const FRAMES: usize = 4;
/// How often all threads meet at the end.
pub const STAGES: usize = 8;

pub struct Weather {
    pub browser: Browser,
    pub ledger: Ledger,
    pub seed: u64,
    /// What each thread posts, at least.
    pub messages_each: u64,
    state: Mutex<State>,
    /// How many threads are there, and whether they may begin.
    start: Mutex<(usize, bool)>,
    started: Condvar,
    /// The next number of a port's end.
    next_end: AtomicU64,
    /// Threads that still act.
    active: AtomicUsize,
    /// Threads that came to each of the last stages.
    stages: [AtomicUsize; STAGES],
    threads: usize,
    /// A thread panicked, so that nobody need wait for it.
    broken: AtomicBool,
}

struct State {
    extension: ExtensionInstance,
    /// The frames of each tab, its top frame first.
    tabs: Vec<Vec<Place>>,
    /// The event loop of each thread.
    loops: Vec<Option<EventLoopId>>,
    declared_gone: HashSet<EventLoopId>,
    facts: u64,
}

impl Weather {
    pub fn new(seed: u64, threads: usize, messages: u64, limits: Limits, policies: Policies) -> Self {
        let browser = Browser::with(limits, policies);
        let state = State {
            extension: browser.extension,
            tabs: (0..TABS).map(|_| vec![browser.tab()]).collect(),
            loops: vec![None; threads],
            declared_gone: HashSet::new(),
            facts: 0,
        };
        Self {
            browser,
            ledger: Ledger::default(),
            seed,
            messages_each: messages.div_ceil(threads as u64),
            state: Mutex::new(state),
            start: Mutex::new((0, false)),
            started: Condvar::new(),
            next_end: AtomicU64::new(1),
            active: AtomicUsize::new(threads),
            stages: Default::default(),
            threads,
            broken: AtomicBool::new(false),
        }
    }

    /// Waits until all threads are there. Each of them sleeps: what `parking_lot` keeps
    /// for good depends on how many ever did at once, so that is the same in each storm.
    pub fn wait_for_start(&self) {
        let mut start = self.start.lock();
        start.0 += 1;
        while !start.1 {
            self.started.wait(&mut start);
        }
    }

    /// Has the threads begin once all sleep.
    pub fn begin(&self) {
        while self.start.lock().0 < self.threads {
            thread::yield_now();
        }
        self.start.lock().1 = true;
        self.started.notify_all();
    }

    /// A number for an end of a channel.
    pub fn number_end(&self) -> u64 {
        self.next_end.fetch_add(1, SeqCst)
    }

    /// The extension as it is loaded now, and where a content script may go.
    pub fn some_place(&self, dice: &mut Dice) -> (ExtensionInstance, Place) {
        let state = self.state.lock();
        let tab = &state.tabs[dice.below(TABS)];
        (state.extension, tab[dice.below(tab.len())])
    }

    pub fn some_tab(&self, dice: &mut Dice) -> TabId {
        self.state.lock().tabs[dice.below(TABS)][0].tab
    }

    /// A thread has another event loop.
    pub fn lives_on(&self, thread: usize, event_loop: EventLoopId) {
        self.state.lock().loops[thread] = Some(event_loop);
    }

    /// The event loops that were declared gone.
    pub fn declared_gone(&self) -> HashSet<EventLoopId> {
        self.state.lock().declared_gone.clone()
    }

    /// Something happens in the browser, as any of its threads may tell.
    pub fn change(&self, dice: &mut Dice, thread: usize) {
        let mut state = self.state.lock();
        let state = &mut *state;
        state.facts += 1;
        let tab = dice.below(TABS);
        let frame = dice.below(state.tabs[tab].len());
        let place = state.tabs[tab][frame];
        match dice.below(100) {
            0..50 => {
                // Whatever a page held goes with it.
                if place.frame == FrameId::TOP {
                    for nested in state.tabs[tab].split_off(1) {
                        self.browser.service.frame_removed(nested.tab, nested.frame).unwrap();
                    }
                }
                state.tabs[tab][frame] = self.browser.navigate(place);
            }
            50..75 if state.tabs[tab].len() < FRAMES => {
                let nested = self.browser.frame_in(state.tabs[tab][0]);
                state.tabs[tab].push(nested);
            }
            50..75 if frame > 0 => {
                self.browser.service.frame_removed(place.tab, place.frame).unwrap();
                state.tabs[tab].remove(frame);
            }
            75..95 => {
                self.browser.service.tab_closed(place.tab).unwrap();
                // Now and then the id comes again, as after a restored session.
                let again = dice.below(2) == 0;
                state.tabs[tab] =
                    vec![if again { self.browser.tab_with_id(place.tab) } else { self.browser.tab() }];
            }
            95..98 => {
                self.browser.service.extension_unloaded(state.extension).unwrap();
                let id = ExtensionId::new("greeter@example");
                state.extension = self.browser.service.extension_loaded(id).unwrap();
            }
            98..99 => {
                let hung = state.loops[(thread + 1) % self.threads].take();
                if let Some(hung) = hung {
                    state.declared_gone.insert(hung);
                    // It may have been dropped just now.
                    let _ = self.browser.service.event_loop_gone(hung);
                }
            }
            _ => {}
        }
    }

    /// A thread has done what it had to do.
    pub fn calm_down(&self) {
        self.active.fetch_sub(1, SeqCst);
    }

    pub fn is_anybody_active(&self) -> bool {
        self.active.load(SeqCst) > 0 && !self.broken.load(SeqCst)
    }

    /// Waits for the other threads; `false` when one will not come.
    pub fn meet(&self, stage: usize) -> bool {
        self.stages[stage].fetch_add(1, SeqCst);
        while self.stages[stage].load(SeqCst) < self.threads {
            if self.broken.load(SeqCst) {
                return false;
            }
            thread::yield_now();
        }
        true
    }

    /// Nobody need wait for the calling thread.
    pub fn breaks(&self) {
        self.broken.store(true, SeqCst);
    }
}
