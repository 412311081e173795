//! How far apart two processors are.
//!
//! On a virtual machine the two land, from minute to minute, on sibling threads of one
//! core, on one core complex, or far apart, and every figure of two threads moves
//! with it by up to ten times. So one cache line is timed going back and forth before and
//! after each sample, and only samples with the same label are compared.

use core_affinity::CoreId;
use crossbeam_utils::CachePadded;
use std::fmt;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// The two processors that the threads of a sample are pinned to.
#[derive(Clone, Copy, Debug)]
pub struct Processors {
    /// The processor of the thread that starts: the poster, the opener.
    pub first: CoreId,
    /// The processor of the other thread.
    pub second: CoreId,
}

impl Processors {
    /// The first and the last processor that this process may use; `None` where it
    /// has one alone.
    #[must_use]
    pub fn find() -> Option<Self> {
        let all = core_affinity::get_core_ids()?;
        let (first, second) = (*all.first()?, *all.last()?);
        (first != second).then_some(Self { first, second })
    }
}

/// How far apart two processors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topology {
    /// Threads of one core: a line comes back within 75 ns.
    Sibling,
    /// One core complex: within 200 ns.
    SameComplex,
    /// Anything else.
    Far,
}

impl Topology {
    /// The topology in which a line comes back after so many nanoseconds.
    #[must_use]
    pub fn of(nanoseconds: f64) -> Self {
        if nanoseconds <= 75.0 {
            Self::Sibling
        } else if nanoseconds <= 200.0 {
            Self::SameComplex
        } else {
            Self::Far
        }
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sibling => "sibling",
            Self::SameComplex => "same complex",
            Self::Far => "far",
        })
    }
}

/// One cache line that two threads send back and forth.
#[derive(Debug, Default)]
pub struct Shuttle(CachePadded<AtomicU32>);

impl Shuttle {
    const CHUNKS: u32 = 5;
    const TRIPS: u32 = 200;

    /// Nanoseconds of one round trip: the median of five short runs, for one
    /// interruption would spoil a long one. The other thread is in [`answer`](Self::answer).
    pub fn time(&self) -> f64 {
        let start = self.0.load(Ordering::Relaxed);
        let mut chunks = [0.0; Self::CHUNKS as usize];
        for (chunk, number) in chunks.iter_mut().zip(0..) {
            let begin = Instant::now();
            for trip in 0..Self::TRIPS {
                let out = start.wrapping_add((number * Self::TRIPS + trip) * 2 + 1);
                self.0.store(out, Ordering::Release);
                self.await_value(out.wrapping_add(1));
            }
            *chunk = begin.elapsed().as_nanos() as f64 / f64::from(Self::TRIPS);
        }
        chunks.sort_by(f64::total_cmp);
        chunks[chunks.len() / 2]
    }

    /// Sends back whatever [`time`](Self::time) sends. `runs` counts the earlier calls.
    pub fn answer(&self, runs: u32) {
        let trips = Self::CHUNKS * Self::TRIPS;
        let start = runs.wrapping_mul(trips * 2);
        for trip in 0..trips {
            let out = start.wrapping_add(trip * 2 + 1);
            self.await_value(out);
            self.0.store(out.wrapping_add(1), Ordering::Release);
        }
    }

    /// Spins on the line, and in short pauses once the other thread is clearly not running.
    fn await_value(&self, value: u32) {
        let mut looks = 0_u32;
        while self.0.load(Ordering::Acquire) != value {
            looks = looks.saturating_add(1);
            if looks > 100_000 {
                spin_loop();
            }
        }
    }
}
