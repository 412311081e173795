//! The candidates' transports: ways to bring the messages of some ports from one thread to another.

/// For an [`End`] whose ports have no names but their numbers. Before the modules, which use it.
macro_rules! ports_by_number {
    () => {
        type Port = usize;

        fn port(&self, number: usize) -> usize {
            number
        }
    };
}

mod block_limit;
mod cache_lines;
mod channels;
mod core;
mod ipc;
mod lane_alone;
mod ring_per_port;
mod rings;

pub use block_limit::BlockLimit;
pub use cache_lines::CacheLines;
pub use channels::{
    CrossbeamBounded, CrossbeamUnbounded, FlumeUnbounded, KanalUnbounded, StdUnbounded, TokioUnbounded,
};
pub use core::{Core, CoreEnd};
pub use ipc::Ipc;
pub use lane_alone::LaneAlone;
pub use ring_per_port::RingPerPort;
pub use rings::{CrossbeamArray, CrossbeamSegments, Gil, Nexus, Ringbuf, Rtrb};

use crate::load::Load;
use bytes::Bytes;
use crossbeam_utils::CachePadded;
use std::hint::black_box;
use std::ops::Deref;

/// What a channel carries for a port: its number and the message.
pub type Item = (u32, Bytes);

/// Slots of the bounded rivals.
pub const BOUND: usize = 1024;

/// A way between two threads, both directions.
pub trait Transport {
    /// What a row of figures is labelled with.
    const NAME: &'static str;

    /// One thread's end.
    type End: End;

    /// Both ends, with so many open ports between them.
    fn between(ports: usize) -> (Self::End, Self::End);
}

/// Both ends, neither on a cache line of the other's: each is to belong to its own thread.
#[must_use]
pub fn apart<C: Transport>(ports: usize) -> (CachePadded<C::End>, CachePadded<C::End>) {
    let (first, second) = C::between(ports);
    (CachePadded::new(first), CachePadded::new(second))
}

/// Both ends of two one-way queues, each end with the one to send on and the one to take from.
fn both_ways<S, T, E>(queue: impl Fn() -> (S, T), end: impl Fn(S, T) -> E) -> (E, E) {
    let (to_second, from_first) = queue();
    let (to_first, from_second) = queue();
    (end(to_second, from_second), end(to_first, from_first))
}

/// One thread's end of a [`Transport`].
pub trait End: Send {
    /// What a port is named by, which whoever posts has at hand.
    type Port: Copy + Send + Sync;

    /// The name of a port.
    fn port(&self, number: usize) -> Self::Port;

    /// Sends a message on a port; where there is a bound, spins until there is room.
    fn post<L: Load>(&mut self, port: Self::Port, load: &L);

    /// Takes a message if there is one, looks at it and drops it. Never sleeps.
    fn take(&mut self) -> bool;
}

/// An end that can sleep until there is something.
pub trait Sleeper: End {
    /// Takes a message; may spin a little, then sleeps.
    fn wait(&mut self);
}

/// What every listener does with what it took.
#[inline]
pub(crate) fn look_at(port: impl Copy, bytes: &[u8]) {
    black_box(port);
    black_box(bytes.first());
}

/// Looks at what was taken, if anything was.
#[inline]
pub(crate) fn look_at_any(taken: Option<(impl Copy, impl Deref<Target = [u8]>)>) -> bool {
    taken.inspect(|(port, bytes)| look_at(*port, bytes)).is_some()
}

/// The same for a channel's item.
#[inline]
pub(crate) fn look_at_item((port, bytes): Item) {
    look_at(port, &bytes);
}

#[inline]
pub(crate) fn item<L: Load>(port: usize, load: &L) -> Item {
    #[allow(clippy::cast_possible_truncation, reason = "there are few ports")]
    (port as u32, load.bytes())
}
