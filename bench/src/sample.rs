//! Samples and what is said of many.

use crate::topology::Topology;
use std::collections::BTreeMap;
use std::time::Duration;

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// From the common start until both threads were done.
    pub elapsed: Duration,
    /// Operations done in that time.
    pub operations: usize,
    /// Nanoseconds of a cache line's round trip before and after; `None` where one
    /// thread did everything.
    pub line: Option<(f64, f64)>,
    /// The 99th percentile of single operations, where they were timed one by one.
    pub p99: Option<Duration>,
    /// How long the threads were ready to run meanwhile and did not: somebody else had their
    /// processors. `None` where they sleep of their own will or the system does not tell.
    pub preempted: Option<Duration>,
}

/// The part of a sample's time that others may have the processors.
const WAIT: f64 = 0.02;

impl Sample {
    /// Nanoseconds per operation.
    #[must_use]
    pub fn nanoseconds(&self) -> f64 {
        self.elapsed.as_nanos() as f64 / self.operations as f64
    }

    /// The label, or `None` when the sample is no good: the machine changed under it, or
    /// the threads had to share their processors.
    #[must_use]
    pub fn label(&self) -> Option<Label> {
        if self.preempted.is_some_and(|wait| wait > self.elapsed.mul_f64(WAIT)) {
            return None;
        }
        match self.line {
            None => Some(Label::OneThread),
            Some((before, after)) => {
                let topology = Topology::of(before);
                (topology == Topology::of(after)).then_some(Label::TwoThreads(topology))
            }
        }
    }
}

/// Which samples may be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// One thread did everything.
    OneThread,
    /// Two threads, so far apart.
    TwoThreads(Topology),
}

/// Samples that one target is judged by together: whether two threads share caches decides by how much a channel can be
/// better than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Distance {
    /// One thread did everything.
    OneThread,
    /// Threads of one core, or of one core complex.
    Near,
    /// Anything else.
    Far,
}

impl Distance {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OneThread, Self::Near, Self::Far];
}

impl Label {
    /// Returns how far apart the threads were.
    #[must_use]
    pub fn distance(self) -> Distance {
        match self {
            Self::OneThread => Distance::OneThread,
            Self::TwoThreads(Topology::Sibling | Topology::SameComplex) => Distance::Near,
            Self::TwoThreads(Topology::Far) => Distance::Far,
        }
    }
}

impl std::fmt::Display for Distance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::OneThread => "one thread",
            Self::Near => "near",
            Self::Far => "far",
        })
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OneThread => f.pad("one thread"),
            Self::TwoThreads(topology) => topology.fmt(f),
        }
    }
}

/// The middle of several figures, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Of figures in any order; `None` where there are none.
    #[must_use]
    pub fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let median = *figures.get(figures.len() / 2)?;
        Some(Self { median, min: *figures.first()?, max: *figures.last()? })
    }

    /// Of something that is the same each time.
    #[must_use]
    pub fn exactly(figure: f64) -> Self {
        Self { median: figure, min: figure, max: figure }
    }
}

/// What is said of several samples with one label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Nanoseconds per operation.
    pub time: Spread,
    /// The samples' 99th percentiles in nanoseconds, where there are any.
    pub p99: Option<Spread>,
    /// Nanoseconds in which one cache line went there and back, where there were two threads.
    pub line: Option<Spread>,
    /// How many samples.
    pub count: usize,
}

/// Sums up the samples by label; those without one are left out.
#[must_use]
pub fn summarise(samples: &[Sample]) -> BTreeMap<Label, Summary> {
    let mut by_label = BTreeMap::<Label, Vec<&Sample>>::new();
    for sample in samples {
        if let Some(label) = sample.label() {
            by_label.entry(label).or_default().push(sample);
        }
    }
    by_label.into_iter().filter_map(|(label, samples)| Some((label, summary(&samples)?))).collect()
}

fn summary(samples: &[&Sample]) -> Option<Summary> {
    let spread =
        |figure: fn(&Sample) -> Option<f64>| Spread::of(samples.iter().filter_map(|s| figure(s)).collect());
    Some(Summary {
        time: spread(|sample| Some(sample.nanoseconds()))?,
        p99: spread(|sample| Some(sample.p99?.as_nanos() as f64)),
        line: spread(|sample| Some(sample.line?.0)),
        count: samples.len(),
    })
}
