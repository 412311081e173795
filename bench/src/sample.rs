//! Samples and what is said of many.

use crate::topology::Regime;
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
    pub kept_waiting: Option<Duration>,
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
        if self.kept_waiting.is_some_and(|wait| wait > self.elapsed.mul_f64(WAIT)) {
            return None;
        }
        match self.line {
            None => Some(Label::OneThread),
            Some((before, after)) => {
                let regime = Regime::of(before);
                (regime == Regime::of(after)).then_some(Label::TwoThreads(regime))
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
    TwoThreads(Regime),
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OneThread => f.pad("one thread"),
            Self::TwoThreads(regime) => regime.fmt(f),
        }
    }
}

/// What is said of several samples with one label: nanoseconds per operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The middle one.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// How many.
    pub count: usize,
    /// The median of the samples' 99th percentiles, where there are any.
    pub p99: Option<f64>,
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
    let mut times: Vec<f64> = samples.iter().map(|sample| sample.nanoseconds()).collect();
    let mut tails: Vec<f64> =
        samples.iter().filter_map(|sample| Some(sample.p99?.as_nanos() as f64)).collect();
    let median = median(&mut times)?;
    Some(Summary {
        median,
        min: *times.first()?,
        max: *times.last()?,
        count: times.len(),
        p99: self::median(&mut tails),
    })
}

/// The middle value; sorts.
pub fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
