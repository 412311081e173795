//! What a target demands of one question's answers.

use super::{Bound, Verdict};
use crate::carrier::{BlockLimit, CacheLines, Carrier};
use crate::report::Findings;
use crate::sample::{Label, Spread, Summary};
use crate::topology::Regime;

/// Fewer samples have no median to speak of.
const LEAST: usize = 3;
/// Samples from which on the medians of the usual topology decide, though there be more of another.
const ENOUGH: usize = 5;

/// One comparison.
#[derive(Clone, Debug)]
pub struct Demand {
    /// The target.
    pub target: &'static str,
    /// In which question's answers our figure is.
    pub question: String,
    /// Who is judged.
    pub ours: &'static str,
    /// With whom.
    pub against: Against,
    /// What of them is compared.
    pub part: Part,
    /// How.
    pub relation: Relation,
    /// What the comparison may give at most.
    pub bound: f64,
}

/// With whom a contender is compared.
#[derive(Clone, Debug)]
pub enum Against {
    /// The best of these, in the same question.
    BestOf(&'static [&'static str]),
    /// A contender of another question.
    In {
        /// The other question.
        question: String,
        /// Its contender.
        contender: &'static str,
    },
}

/// What of the answers is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The medians.
    Median,
    /// The medians of the 99th percentiles.
    P99,
}

/// How two figures are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Ours by theirs.
    Ratio,
    /// Ours less theirs, in nanoseconds.
    Difference,
}

impl Part {
    fn of(self, summary: Summary) -> Option<Spread> {
        match self {
            Self::Median => Some(summary.time),
            Self::P99 => summary.p99,
        }
    }
}

impl Relation {
    fn of(self, ours: Spread, theirs: Spread) -> f64 {
        match self {
            Self::Ratio => ours.median / theirs.median,
            Self::Difference => ours.median - theirs.median,
        }
    }
}

impl Demand {
    /// The verdict, if both sides were measured under one label, often enough.
    pub(super) fn judge(&self, findings: &Findings) -> Option<Verdict> {
        let (label, _) = findings
            .labels(&self.question)
            .filter_map(|label| Some((label, self.samples(findings, label)?)))
            .filter(|(_, samples)| *samples >= LEAST)
            .max_by_key(|(label, samples)| {
                (*label == Label::TwoThreads(Regime::SameComplex) && *samples >= ENOUGH, *samples)
            })?;
        let (ours, name, theirs) = self.compared(findings, label)?;
        let (our, their) = (self.part.of(ours)?, self.part.of(theirs)?);
        Some(Verdict {
            target: self.target,
            what: format!("{}{}", self.question, if self.part == Part::P99 { ", p99" } else { "" }),
            unit: "ns",
            label: Some(label),
            ours: our,
            rival: Some((name, their)),
            limit: self.limit(findings, label),
            figure: self.relation.of(our, their),
            bound: Bound::AtMost(self.bound),
            samples: ours.count.min(theirs.count),
        })
    }

    fn samples(&self, findings: &Findings, label: Label) -> Option<usize> {
        let (ours, _, theirs) = self.compared(findings, label)?;
        Some(ours.count.min(theirs.count))
    }

    /// Our answer under a label, the one that it is compared with, and whose that is.
    fn compared(&self, findings: &Findings, label: Label) -> Option<(Summary, String, Summary)> {
        let ours = findings.get(&self.question, label, self.ours)?;
        let part = |summary: &Summary| self.part.of(*summary).map_or(f64::INFINITY, |spread| spread.median);
        let (name, theirs) = match &self.against {
            Against::BestOf(rivals) => rivals
                .iter()
                .filter_map(|name| Some(((*name).into(), findings.get(&self.question, label, name)?)))
                .min_by(|(_, one), (_, other)| part(one).total_cmp(&part(other)))?,
            Against::In { question, contender } => {
                // A question for one thread may be compared with one for two.
                let theirs = findings.get(question, label, contender).or_else(|| {
                    findings.labels(question).find_map(|label| findings.get(question, label, contender))
                })?;
                (format!("{contender}, {question}"), theirs)
            }
        };
        Some((ours, name, theirs))
    }

    /// Blocks handed over whole where they were asked, and for a round trip bare lines.
    fn limit(&self, findings: &Findings, label: Label) -> Option<f64> {
        let limit = [BlockLimit::<4>::NAME, CacheLines::NAME]
            .into_iter()
            .find_map(|name| findings.get(&self.question, label, name))?;
        Some(self.part.of(limit)?.median)
    }
}
