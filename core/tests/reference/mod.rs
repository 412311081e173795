//! What the core is to do, written for reading, and a way to hold the core against it.
//!
//! A [`World`](world::World) is one way in which everything may have gone so far: every
//! loop has queues from every loop, one for the connections that each extension opens, and
//! a queue of notices, and takes from any of them in any order; a record does what it does at once. Where the order is free the
//! [`Model`] follows every one, and what the core answers and hands out must fit at least
//! one of them. Facts need no such care: the [`Index`](index::Index) is the same in all.
//!
//! [`run`] takes a [script](script), which may be any numbers at all: from a seed, from a
//! fuzzer, or from a failure that was made short.
#![allow(
    unreachable_pub,
    dead_code,
    reason = "a module of tests and of a fuzzer, each of which takes its part"
)]

mod background;
mod calls;
mod connecting;
mod deciding;
mod facts;
mod hearing;
pub mod index;
mod port;
pub mod record;
mod room;
pub mod run;
pub mod script;
mod shown;
pub mod shrink;
mod starting;
mod state;
mod taking;
mod unanswered;
mod uses;
pub mod window;
pub mod world;

pub use run::run;

use port_core::{DisconnectReason, DocumentLifecycle};
use std::collections::{HashSet, VecDeque};
use world::{Rules, World};

/// Loops, contexts and channels by number, in order of creation.
pub type Loop = usize;
pub type Context = usize;
pub type Channel = usize;

/// An end of a channel: of the opener or of one receiver; of the `Nth` listener of its
/// context, where each has a port of its own.
pub type End = (Channel, Context, Nth);
pub type Nth = u16;

/// What a load of an extension is numbered by: the least that no loaded extension has. Pages of the web have zero.
pub type Number = usize;

/// A lane from a loop to another or to itself, for the connections that contexts of this number open: what either side
/// of them sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId {
    pub from: Loop,
    pub to: Loop,
    pub opens: Number,
}

impl LaneId {
    /// The lane the other way.
    pub fn back(self) -> Self {
        Self { from: self.to, to: self.from, opens: self.opens }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    pub number: u32,
    pub length: u64,
}

/// What a loop hands out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Heard {
    /// And whether its context is to decide.
    Connect(End, Option<DocumentLifecycle>, bool),
    Message(End, Message),
    /// And whether somebody was there who did not listen.
    Disconnect(End, DisconnectReason, bool),
    Room(End),
    ContextGone(Context, DisconnectReason),
}

/// All ways in which it may have happened so far.
pub struct Model {
    worlds: HashSet<World>,
}

impl Model {
    pub fn new(rules: Rules) -> Self {
        Self { worlds: [World::new(rules)].into() }
    }

    /// Whether something that was seen may be: forgets the worlds in which it may not.
    pub fn allows(&mut self, may: impl Fn(&mut World) -> bool) -> bool {
        let ways = self.worlds.drain().flat_map(|world| world.ways(&may));
        self.worlds = ways.filter_map(|(world, may)| may.then_some(world)).collect();
        !self.worlds.is_empty()
    }

    /// Something was done that has no answer.
    pub fn does(&mut self, change: impl Fn(&mut World)) {
        self.allows(|world| {
            change(world);
            true
        });
    }

    /// The core handed this out. Whether it may.
    pub fn hears(&mut self, event_loop: Loop, heard: &Heard) -> bool {
        self.follow(event_loop, |world| world.hand_out(event_loop, heard))
    }

    /// The core has nothing to hand out. Whether that may be: all is taken.
    pub fn is_silent(&mut self, event_loop: Loop) -> bool {
        self.follow(event_loop, |world| world.fall_silent(event_loop))
    }

    /// Has a loop take what makes no event, in every order, and keeps the worlds with
    /// which `fits` is content once it has an event or nothing more to take.
    fn follow(&mut self, event_loop: Loop, fits: impl Fn(&mut World) -> bool) -> bool {
        let mut fitting = HashSet::new();
        let mut looked_at = HashSet::new();
        let mut worlds: Vec<_> = self.worlds.drain().collect();
        while let Some(mut world) = worlds.pop() {
            world.forget_unfit(event_loop);
            world.refuse_unheard(event_loop);
            if world.heard(event_loop).is_none() {
                world.take_inert(event_loop);
            }
            if !looked_at.insert(world.clone()) {
                continue;
            }
            let steps = match world.heard(event_loop) {
                Some(_) => Vec::new(),
                None => world.steps(event_loop),
            };
            if !steps.is_empty() {
                worlds.extend(steps);
            } else if fits(&mut world) {
                fitting.insert(world);
            }
        }
        self.worlds = fitting;
        !self.worlds.is_empty()
    }

    /// What any of the worlds would hand out next, for a failure's text.
    pub fn next(&self, event_loop: Loop) -> Vec<Heard> {
        self.worlds.iter().filter_map(|world| world.heard(event_loop)).flatten().cloned().collect()
    }

    pub fn ways(&self) -> usize {
        self.worlds.len()
    }
}

/// Groups in order, each in no order.
pub type Groups = VecDeque<Vec<Heard>>;
