//! What is measured: each benchmark has several candidates, which take turns.

/// What carries messages in the core's place and never sleeps, each made a candidate. Before the modules, which
/// use it.
macro_rules! every_rival {
    ($candidate:ident, $load:expr) => {
        [
            $candidate::<$crate::transport::RingPerPort, _>($load),
            $candidate::<$crate::transport::Rtrb, _>($load),
            $candidate::<$crate::transport::Ringbuf, _>($load),
            $candidate::<$crate::transport::Gil, _>($load),
            $candidate::<$crate::transport::Nexus, _>($load),
            $candidate::<$crate::transport::CrossbeamArray, _>($load),
            $candidate::<$crate::transport::CrossbeamSegments, _>($load),
            $candidate::<$crate::transport::CrossbeamBounded, _>($load),
            $candidate::<$crate::transport::CrossbeamUnbounded, _>($load),
            $candidate::<$crate::transport::KanalUnbounded, _>($load),
            $candidate::<$crate::transport::TokioUnbounded, _>($load),
            $candidate::<$crate::transport::StdUnbounded, _>($load),
            $candidate::<$crate::transport::FlumeUnbounded, _>($load),
        ]
    };
}

pub mod connect;
pub mod event_loops;
pub mod fan_out;
pub mod index;
pub mod many_ports;
pub mod one_way;
pub mod round_trip;

use crate::sample::{Label, Sample, Summary, summarise};
use crate::topology::{Processors, Topology};
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// The candidate that the others are compared with.
pub const OURS: &str = "port-core";

/// Operations that everything is measured in multiples of, for the sake of those
/// that go in blocks or bursts.
pub const BLOCK: usize = 64;

/// How often a sample is taken that turns out to be no good, while there is time.
const ATTEMPTS: usize = 40;

/// What one sample of a candidate is taken with.
type Run = Box<dyn FnMut(&Processors, usize) -> Sample>;

/// One of those that a benchmark measures.
pub struct Candidate {
    /// What its row is labelled with.
    pub name: &'static str,
    run: Run,
    /// By how much its samples have fewer operations than the others'.
    divisor: usize,
    /// The good samples that its benchmark took so far.
    samples: Vec<Sample>,
}

impl Candidate {
    /// The same under another name.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Makes a candidate that takes a sample by `run`, given the number of operations.
    pub fn new(name: &'static str, run: impl FnMut(&Processors, usize) -> Sample + 'static) -> Self {
        Self { name, run: Box::new(run), divisor: 1, samples: Vec::new() }
    }

    /// Has it do so many times fewer operations, because it is that much slower than the others.
    #[must_use]
    pub fn slow(self, times: usize) -> Self {
        Self { divisor: times, ..self }
    }

    /// Takes a sample of so many operations, rounded up to whole blocks.
    pub fn sample(&mut self, processors: &Processors, operations: usize) -> Sample {
        (self.run)(processors, (operations / self.divisor).next_multiple_of(BLOCK).max(BLOCK))
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A benchmark and its candidates.
#[derive(Debug)]
pub struct Benchmark {
    /// Its name: the group, then what varies.
    pub name: String,
    /// The targets that are judged by its results.
    pub targets: &'static [&'static str],
    /// Operations of one sample.
    pub operations: usize,
    /// The core first.
    pub candidates: Vec<Candidate>,
}

/// What each candidate took, by label.
pub type Results = BTreeMap<Label, Vec<(&'static str, Summary)>>;

/// How long a benchmark runs.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Samples of each candidate, at most.
    pub rounds: usize,
    /// Samples of each candidate that are worth twice the allowance.
    pub least: usize,
    /// What each candidate's samples may take.
    pub allowance: Duration,
}

/// Returns the label that has the most samples; the usual one comes first.
#[must_use]
pub fn usual(results: &Results) -> Option<Label> {
    let samples = |rows: &[(_, Summary)]| rows.iter().map(|(_, summary)| summary.count).sum::<usize>();
    let usual = Label::TwoThreads(Topology::SameComplex);
    results.iter().max_by_key(|(label, rows)| (**label == usual, samples(rows))).map(|(label, _)| *label)
}

impl Benchmark {
    /// Measures the candidates in turn. A sample that is no good is taken again, a
    /// few times; those that never came good are counted in the second result and otherwise
    /// left out. Called again, adds to what it measured before, and returns the results of all of it.
    pub fn run(&mut self, processors: &Processors, pace: Pace) -> (Results, usize) {
        let mut left_out = 0;
        let (start, candidates) = (Instant::now(), self.candidates.len() as f64);
        let late = |times: f64| start.elapsed() > pace.allowance.mul_f64(candidates * times);
        for round in 0..pace.rounds {
            if late(if round < pace.least { 2.0 } else { 1.0 }) {
                break;
            }
            for candidate in &mut self.candidates {
                let good = (0..ATTEMPTS)
                    .take_while(|&attempt| attempt == 0 || !late(1.0))
                    // Shorter and shorter, to fit between two turns of other processes.
                    .map(|attempt| candidate.sample(processors, self.operations >> (attempt / 8)))
                    .find(|sample| sample.label().is_some());
                match good {
                    Some(sample) => candidate.samples.push(sample),
                    None => left_out += 1,
                }
            }
        }
        let mut results = Results::new();
        for candidate in &self.candidates {
            for (label, summary) in summarise(&candidate.samples) {
                results.entry(label).or_default().push((candidate.name, summary));
            }
        }
        (results, left_out)
    }
}

/// Every benchmark, in the order in which they run.
#[must_use]
pub fn all() -> Vec<Benchmark> {
    let mut all = one_way::benchmarks();
    all.extend(round_trip::benchmarks());
    all.extend(connect::benchmarks());
    all.extend(index::benchmarks());
    all.extend(fan_out::benchmarks());
    all.extend(many_ports::benchmarks());
    all
}
