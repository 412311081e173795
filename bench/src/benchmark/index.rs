//! Looking up a tab's frames, as connecting does: 10,000 tabs of one to ten frames, one
//! look-up in a hundred a change.
//!
//! The core's index is measured through its sharded map, filled with tabs of the shape that
//! the index keeps and visited as `tabs.connect` visits them, beside a plain map with the
//! same hasher and the same tabs.

use super::{Benchmark, Candidate, OURS};
use crate::sync::{HashMap, ShardedMap};
use crate::two_threads::{one_thread, two_threads};
use crossbeam_utils::CachePadded;
use port_core::{DocumentId, FrameId, TabId};
use std::hint::black_box;
use std::sync::Arc;

/// By one thread.
pub const ALONE: &str = "index, one thread";
/// By two, per look-up of both together.
pub const TOGETHER: &str = "index, two threads";
/// What a map that one thread has to itself is called.
pub const UNSYNCHRONISED: &str = "HashMap, unsynchronised";

const TABS: u64 = 10_000;
/// Of so many look-ups one changes its tab.
const CHANGE: usize = 100;
/// The extension whose contexts are looked for.
const INSTANCE: u64 = 3;

pub(super) fn benchmarks() -> Vec<Benchmark> {
    let benchmark = |name: &str, targets, candidates| Benchmark {
        name: name.into(),
        targets,
        operations: 64 * 1024,
        candidates,
    };
    vec![
        benchmark(ALONE, &["T9"], vec![alone(), unsynchronised()]),
        benchmark(TOGETHER, &[], vec![together(), apart()]),
    ]
}

/// A tab as the core's index keeps it.
struct Tab {
    frames: Vec<Frame>,
}

struct Frame {
    id: FrameId,
    document: Option<DocumentId>,
    contexts: Vec<Arc<Context>>,
}

/// As much of a context as a look-up reads.
struct Context {
    id: u64,
    instance: u64,
}

impl Tab {
    fn numbered(tab: u64) -> Self {
        let frames = (0..=tab % 10).map(|frame| {
            let contexts = [INSTANCE, INSTANCE + 1].map(|instance| Arc::new(Context { id: frame, instance }));
            let document = Some(DocumentId::new((tab * 10 + frame).into()));
            Frame { id: FrameId::new(frame), document, contexts: contexts.into() }
        });
        Self { frames: frames.collect() }
    }

    /// What `tabs.connect` does with the tab.
    fn visit(&self) -> u64 {
        let shown = self.frames.iter().filter(|frame| frame.document.is_some());
        let contexts = shown.flat_map(|frame| &frame.contexts);
        contexts.filter(|context| context.instance == INSTANCE).map(|context| context.id).sum()
    }

    /// A frame goes to another document.
    fn navigate(&mut self) {
        for frame in self.frames.iter_mut().filter(|frame| frame.id == FrameId::TOP) {
            frame.document = frame.document.map(|document| DocumentId::new(document.get() + 1));
        }
    }
}

fn tabs() -> impl Iterator<Item = (TabId, Tab)> {
    (0..TABS).map(|tab| (TabId::new(tab), Tab::numbered(tab)))
}

/// What the core keeps its tabs in.
type Shared = ShardedMap<TabId, Tab>;

/// Lies where nobody writes beside it.
fn shared() -> Box<CachePadded<Shared>> {
    let map = Box::new(CachePadded::new(Shared::new()));
    for (id, tab) in tabs() {
        map.insert_new(id, tab);
    }
    map
}

/// Which tab comes next, without a pattern. Cheap, for it is timed along. On a line of its own, for it is
/// written at each look-up, and must not lie where the other thread looks.
struct Order(CachePadded<u64>);

impl Order {
    fn new(seed: u64) -> Self {
        Self(CachePadded::new(seed))
    }

    fn next(&mut self) -> TabId {
        *self.0 ^= *self.0 << 13;
        *self.0 ^= *self.0 >> 7;
        *self.0 ^= *self.0 << 17;
        TabId::new(*self.0 % TABS)
    }
}

fn in_shared(map: &Shared, order: &mut Order, count: usize) {
    for turn in 0..count {
        let tab = order.next();
        if turn % CHANGE == 0 {
            map.update(&tab, Tab::navigate);
        } else {
            black_box(map.read(&tab, Tab::visit).unwrap_or_default());
        }
    }
}

fn in_plain(map: &mut HashMap<TabId, Tab>, order: &mut Order, count: usize) {
    for turn in 0..count {
        let tab = order.next();
        if turn % CHANGE == 0 {
            map.entry(tab).and_modify(Tab::navigate);
        } else {
            black_box(map.get(&tab).map_or(0, Tab::visit));
        }
    }
}

fn alone() -> Candidate {
    Candidate::new(OURS, |processors, count| {
        let (map, mut order) = (shared(), Order::new(1));
        one_thread(processors, count, |count| in_shared(&map, &mut order, count))
    })
}

fn unsynchronised() -> Candidate {
    Candidate::new(UNSYNCHRONISED, |processors, count| {
        let (mut map, mut order): (HashMap<_, _>, _) = (tabs().collect(), Order::new(1));
        one_thread(processors, count, |count| in_plain(&mut map, &mut order, count))
    })
}

/// Both threads in one map.
fn together() -> Candidate {
    Candidate::new(OURS, |processors, count| {
        let (map, mut one, mut other) = (shared(), Order::new(1), Order::new(2));
        let one = |count| in_shared(&map, &mut one, count / 2);
        let other = |count| in_shared(&map, &mut other, count / 2);
        two_threads(processors, count, one, other)
    })
}

/// A map for each thread: what the processors and their memory allow.
fn apart() -> Candidate {
    Candidate::new(UNSYNCHRONISED, |processors, count| {
        let (mut map, mut one): (HashMap<_, _>, _) = (tabs().collect(), Order::new(1));
        let (mut map_of_other, mut other): (HashMap<_, _>, _) = (tabs().collect(), Order::new(2));
        let one = |count| in_plain(&mut map, &mut one, count / 2);
        let other = |count| in_plain(&mut map_of_other, &mut other, count / 2);
        two_threads(processors, count, one, other)
    })
}
