//! Connect, accept and disconnect, in bursts of 64.

use super::{BLOCK, Benchmark, Candidate, OURS};
use crate::scene::Scene;
use crate::transport::Item;
use crate::two_threads::{one_thread, two_threads};
use crossbeam_utils::CachePadded;
use dashmap::DashMap;
use foldhash::fast::FixedState;
use port_core::{ContextId, Event, EventLoop, PortId, TabTarget};
use std::collections::VecDeque;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// What the core is called where both contexts share an event loop.
pub const ONE_LOOP: &str = "port-core, one event loop";
/// What the cheapest rival is called.
pub const FLUME: &str = "dashmap + two flume";
/// What another is called.
pub const CROSSBEAM: &str = "dashmap + two crossbeam";
/// What another is called.
pub const TOKIO: &str = "dashmap + two tokio";

/// Bursts that the opener may be ahead.
const AHEAD: usize = 4;

/// A benchmark's name.
pub const ALONE: &str = "connect, one thread";
/// A benchmark's name.
pub const APART: &str = "connect, two threads";

pub(super) fn benchmarks() -> Vec<Benchmark> {
    vec![
        Benchmark {
            name: ALONE.into(),
            targets: &["T4"],
            operations: 8 * 1024,
            candidates: vec![
                core_alone(OURS, Scene::of_two_loops),
                core_alone(ONE_LOOP, Scene::of_one_loop),
                rival_alone::<Flume>(FLUME),
                rival_alone::<Crossbeam>(CROSSBEAM),
                rival_alone::<Tokio>(TOKIO),
            ],
        },
        Benchmark {
            name: APART.into(),
            targets: &["T4"],
            operations: 8 * 1024,
            candidates: vec![
                core_apart(OURS),
                rival_apart::<Flume>(FLUME),
                rival_apart::<Crossbeam>(CROSSBEAM),
                rival_apart::<Tokio>(TOKIO),
            ],
        },
    ]
}

/// Drains an event loop; how many of its ports ended.
fn drain(event_loop: &mut EventLoop) -> usize {
    let mut ended = 0;
    while let Some(event) = &event_loop.next_event_unarmed() {
        ended += usize::from(matches!(event, Event::Disconnect { .. }));
    }
    ended
}

fn open_burst(opener: &mut EventLoop, background: ContextId, target: &TabTarget, ports: &mut Vec<PortId>) {
    for _ in 0..BLOCK {
        ports.push(opener.connect_tab(background, target).expect("there is room for a port"));
    }
}

fn end_burst(opener: &mut EventLoop, ports: &mut Vec<PortId>) {
    for port in ports.drain(..) {
        opener.disconnect(port);
    }
}

/// One thread plays both sides.
pub fn core_alone(name: &'static str, scene: fn(u64) -> Scene) -> Candidate {
    Candidate::new(name, move |processors, count| {
        let Scene { mut opener, mut receiver, background, target, .. } = scene(1);
        let target = target.name("bench");
        let mut ports = Vec::with_capacity(BLOCK);
        one_thread(processors, count, |count| {
            for _ in 0..count / BLOCK {
                open_burst(&mut opener, background, &target, &mut ports);
                receiver.as_mut().map(drain);
                drain(&mut opener);
                end_burst(&mut opener, &mut ports);
                let ended = drain(receiver.as_mut().unwrap_or(&mut opener));
                assert_eq!(ended, BLOCK);
            }
        })
    })
}

/// A thread for each side.
pub fn core_apart(name: &'static str) -> Candidate {
    Candidate::new(name, |processors, count| {
        let Scene { opener, receiver, background, target, .. } = Scene::of_two_loops(1);
        let mut opener = CachePadded::new(opener);
        let mut receiver = CachePadded::new(receiver.expect("the scene has two loops"));
        let target = target.name("bench");
        let mut ports = Vec::with_capacity(BLOCK);
        let ended = Progress::default();
        let mut opened = 0;
        two_threads(
            processors,
            count,
            |count| {
                for _ in 0..count / BLOCK {
                    ended.wait_for(opened);
                    open_burst(&mut opener, background, &target, &mut ports);
                    end_burst(&mut opener, &mut ports);
                    drain(&mut opener);
                    opened += BLOCK;
                }
            },
            |count| ended.until(count, || drain(&mut receiver)),
        )
    })
}

/// How far the acceptor is.
#[derive(Default)]
struct Progress(CachePadded<AtomicUsize>);

impl Progress {
    /// Opener: spins while it is too far ahead.
    fn wait_for(&self, opened: usize) {
        while opened - self.0.load(Ordering::Relaxed) > (AHEAD - 1) * BLOCK {
            spin_loop();
        }
    }

    /// Acceptor: looks for ended ports until there were so many.
    fn until(&self, count: usize, mut look: impl FnMut() -> usize) {
        let mut total = 0;
        while total < count {
            match look() {
                0 => spin_loop(),
                ended => {
                    total += ended;
                    self.0.fetch_add(ended, Ordering::Relaxed);
                }
            }
        }
    }
}

/// A kind of channel that a port could be two of.
trait Kind: 'static {
    type Sender: Send;
    type Receiver: Send;
    fn channel() -> (Self::Sender, Self::Receiver);
    fn is_closed(receiver: &mut Self::Receiver) -> bool;
}

/// One end of a port.
struct Port<K: Kind> {
    _sender: K::Sender,
    receiver: K::Receiver,
}

/// Where an acceptor is found, under its tab.
type Index<K> = DashMap<u64, flume::Sender<Port<K>>, FixedState>;

const TAB: u64 = 7;

fn index<K: Kind>() -> (Index<K>, flume::Receiver<Port<K>>) {
    let (offers, offered) = flume::unbounded();
    let index = Index::<K>::default();
    index.insert(TAB, offers);
    (index, offered)
}

fn open<K: Kind>(index: &Index<K>) -> Port<K> {
    let (to_acceptor, from_opener) = K::channel();
    let (to_opener, from_acceptor) = K::channel();
    let offers = index.get(&TAB).expect("the tab is there");
    assert!(offers.send(Port { _sender: to_opener, receiver: from_opener }).is_ok(), "the acceptor is there");
    Port { _sender: to_acceptor, receiver: from_acceptor }
}

/// The acceptor's side: takes what is offered, drops what is closed, the oldest first.
fn accept<K: Kind>(offered: &flume::Receiver<Port<K>>, ports: &mut VecDeque<Port<K>>) -> usize {
    ports.extend(offered.try_iter());
    let mut ended = 0;
    while ports.front_mut().is_some_and(|port| K::is_closed(&mut port.receiver)) {
        ports.pop_front();
        ended += 1;
    }
    ended
}

fn rival_alone<K: Kind>(name: &'static str) -> Candidate {
    Candidate::new(name, |processors, count| {
        let (index, offered) = index::<K>();
        let (mut opened, mut accepted) = (Vec::with_capacity(BLOCK), VecDeque::with_capacity(BLOCK));
        one_thread(processors, count, |count| {
            for _ in 0..count / BLOCK {
                opened.extend((0..BLOCK).map(|_| open(&index)));
                assert_eq!(accept(&offered, &mut accepted), 0);
                opened.clear();
                assert_eq!(accept(&offered, &mut accepted), BLOCK);
            }
        })
    })
}

fn rival_apart<K: Kind>(name: &'static str) -> Candidate {
    Candidate::new(name, |processors, count| {
        let (index, offered) = index::<K>();
        let (mut ours, mut accepted) = (Vec::with_capacity(BLOCK), VecDeque::with_capacity(AHEAD * BLOCK));
        let ended = Progress::default();
        let mut opened = 0;
        two_threads(
            processors,
            count,
            |count| {
                for _ in 0..count / BLOCK {
                    ended.wait_for(opened);
                    ours.extend((0..BLOCK).map(|_| open(&index)));
                    ours.clear();
                    opened += BLOCK;
                }
            },
            |count| ended.until(count, || accept(&offered, &mut accepted)),
        )
    })
}

macro_rules! kind {
    ($kind:ident, $channel:path, $sender:ty, $receiver:ty, $closed:pat) => {
        struct $kind;

        impl Kind for $kind {
            type Sender = $sender;
            type Receiver = $receiver;

            fn channel() -> (Self::Sender, Self::Receiver) {
                $channel()
            }

            fn is_closed(receiver: &mut Self::Receiver) -> bool {
                matches!(receiver.try_recv(), Err($closed))
            }
        }
    };
}

kind!(Flume, flume::unbounded, flume::Sender<Item>, flume::Receiver<Item>, flume::TryRecvError::Disconnected);
kind!(
    Crossbeam,
    crossbeam_channel::unbounded,
    crossbeam_channel::Sender<Item>,
    crossbeam_channel::Receiver<Item>,
    crossbeam_channel::TryRecvError::Disconnected
);
kind!(
    Tokio,
    mpsc::unbounded_channel,
    mpsc::UnboundedSender<Item>,
    mpsc::UnboundedReceiver<Item>,
    mpsc::error::TryRecvError::Disconnected
);
