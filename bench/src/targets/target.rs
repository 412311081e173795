//! What a target wants of one benchmark's results.

use super::{Bound, Verdict};
use crate::report::Findings;
use crate::sample::{Distance, Label, Spread, Summary};
use crate::topology::Topology;
use crate::transport::{BlockLimit, CacheLines, Transport};

/// Fewer samples have no median to speak of.
const LEAST: usize = 3;
/// Samples from which on the medians of the usual near topology decide, though there be more of siblings.
const ENOUGH: usize = 5;

/// One comparison.
#[derive(Clone, Debug)]
pub struct Target {
    /// The target's name; several comparisons may be of one.
    pub name: &'static str,
    /// In which benchmark's results our figure is.
    pub benchmark: String,
    /// Who is judged.
    pub ours: &'static str,
    /// With whom.
    pub against: Against,
    /// What of them is compared.
    pub part: Part,
    /// What our figure by theirs may be at most.
    pub bound: f64,
    /// The same where the threads are far apart.
    pub far: f64,
}

/// With whom a candidate is compared.
#[derive(Clone, Debug)]
pub enum Against {
    /// The best of these, in the same benchmark.
    BestOf(&'static [&'static str]),
    /// A candidate of another benchmark.
    In {
        /// The other benchmark.
        benchmark: String,
        /// Its candidate.
        candidate: &'static str,
    },
}

/// What of the results is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The medians.
    Median,
    /// The medians of the 99th percentiles.
    P99,
}

impl Part {
    fn of(self, summary: Summary) -> Option<Spread> {
        match self {
            Self::Median => Some(summary.time),
            Self::P99 => summary.p99,
        }
    }
}

impl Target {
    /// Has another bound where the threads are far apart.
    pub(super) fn far(self, bound: f64) -> Self {
        Self { far: bound, ..self }
    }

    /// The verdict at a distance, if both sides were measured under one label of it, often enough.
    pub(super) fn judge(&self, findings: &Findings, distance: Distance) -> Option<Verdict> {
        let (label, _) = findings
            .labels(&self.benchmark)
            .filter(|label| label.distance() == distance)
            .filter_map(|label| Some((label, self.samples(findings, label)?)))
            .filter(|(_, samples)| *samples >= LEAST)
            .max_by_key(|(label, samples)| {
                (*label == Label::TwoThreads(Topology::SameComplex) && *samples >= ENOUGH, *samples)
            })?;
        let (ours, name, theirs) = self.compared(findings, label)?;
        let (our, their) = (self.part.of(ours)?, self.part.of(theirs)?);
        Some(Verdict {
            target: self.name,
            what: format!("{}{}", self.benchmark, if self.part == Part::P99 { ", p99" } else { "" }),
            unit: "ns",
            label: Some(label),
            ours: our,
            rival: Some((name, their)),
            limit: self.limit(findings, label),
            figure: our.median / their.median,
            bound: Bound::AtMost(if distance == Distance::Far { self.far } else { self.bound }),
            samples: ours.count.min(theirs.count),
        })
    }

    fn samples(&self, findings: &Findings, label: Label) -> Option<usize> {
        let (ours, _, theirs) = self.compared(findings, label)?;
        Some(ours.count.min(theirs.count))
    }

    /// Our result under a label, the one that it is compared with, and whose that is.
    fn compared(&self, findings: &Findings, label: Label) -> Option<(Summary, String, Summary)> {
        let ours = findings.get(&self.benchmark, label, self.ours)?;
        let part = |summary: &Summary| self.part.of(*summary).map_or(f64::INFINITY, |spread| spread.median);
        let (name, theirs) = match &self.against {
            Against::BestOf(rivals) => rivals
                .iter()
                .filter_map(|name| Some(((*name).into(), findings.get(&self.benchmark, label, name)?)))
                .min_by(|(_, one), (_, other)| part(one).total_cmp(&part(other)))?,
            Against::In { benchmark, candidate } => {
                // A benchmark for one thread may be compared with one for two.
                let theirs = findings.get(benchmark, label, candidate).or_else(|| {
                    findings.labels(benchmark).find_map(|label| findings.get(benchmark, label, candidate))
                })?;
                (format!("{candidate}, {benchmark}"), theirs)
            }
        };
        Some((ours, name, theirs))
    }

    /// Blocks handed over whole where they are candidates, and for a round trip bare lines.
    fn limit(&self, findings: &Findings, label: Label) -> Option<f64> {
        let limit = [BlockLimit::<8>::NAME, CacheLines::NAME]
            .into_iter()
            .find_map(|name| findings.get(&self.benchmark, label, name))?;
        Some(self.part.of(limit)?.median)
    }
}
