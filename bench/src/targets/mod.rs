//! The targets, and whether a run met them. A bound is never loosened here: what is
//! short is printed as short.

mod list;
mod target;

pub use target::{Against, Part, Target};

use crate::end_to_end::{self, EndToEnd};
use crate::memory;
use crate::report::Findings;
use crate::sample::{Distance, Label, Spread};

/// All targets, in order.
pub const TARGETS: [&str; 12] = ["T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12"];

/// What a figure may be.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

/// One comparison of a target's, and what was found.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The target's name.
    pub target: &'static str,
    /// What was measured or counted.
    pub what: String,
    /// In what `ours`, `rival` and `limit` are.
    pub unit: &'static str,
    /// How far apart the processors were; `None` for what was counted.
    pub label: Option<Label>,
    /// Our figure.
    pub ours: Spread,
    /// With what it is compared, where it is not compared with a number.
    pub rival: Option<(String, Spread)>,
    /// What the hardware, or the system, allows.
    pub limit: Option<f64>,
    /// What is held against the bound: mostly ours by the rival's.
    pub figure: f64,
    /// What it may be.
    pub bound: Bound,
    /// How many samples our figure, or the rival's if it has fewer, is the median of.
    pub samples: usize,
}

impl Verdict {
    /// Whether the target is met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtMost(bound) => self.figure <= bound,
            Bound::AtLeast(bound) => self.figure >= bound,
        }
    }
}

/// Judges what can be judged from these findings.
#[must_use]
pub fn judge(findings: &Findings) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for target in list::all() {
        verdicts.extend(Distance::ALL.into_iter().filter_map(|distance| target.judge(findings, distance)));
    }
    verdicts.extend(counted(findings));
    verdicts.extend(findings.end_to_end.as_ref().into_iter().flat_map(end_to_end));
    verdicts.sort_by_key(|verdict| TARGETS.iter().position(|target| *target == verdict.target));
    verdicts
}

/// Lists what could not be judged though its benchmark ran, a target and a benchmark each:
/// no two samples were of one topology, or none was any good.
#[must_use]
pub fn unmeasured(findings: &Findings) -> Vec<(&'static str, String)> {
    let judged = |target: &Target| Distance::ALL.into_iter().any(|at| target.judge(findings, at).is_some());
    let missing = ran(findings).filter(|target| !judged(target));
    let mut missing: Vec<_> = missing.map(|target| (target.name, target.benchmark)).collect();
    // A target may compare one benchmark with several.
    missing.dedup();
    missing
}

/// Lists what could not be judged, though its benchmark ran, at a distance that occurred: a target, a benchmark and the
/// distance each. What has no samples at all is listed too.
#[must_use]
pub fn lacking(findings: &Findings) -> Vec<(&'static str, String, Distance)> {
    let mut lacking = Vec::new();
    for target in ran(findings) {
        let alone = findings.labels(&target.benchmark).any(|label| label.distance() == Distance::OneThread);
        for distance in [Distance::Near, Distance::Far] {
            if !alone && occurred(findings, distance) && target.judge(findings, distance).is_none() {
                lacking.push((target.name, target.benchmark.clone(), distance));
            }
        }
    }
    let empty =
        unmeasured(findings).into_iter().map(|(target, benchmark)| (target, benchmark, Distance::Near));
    lacking.extend(empty.filter(|(_, benchmark, _)| findings.labels(benchmark).next().is_none()));
    lacking
}

/// Returns whether any sample was taken at this distance.
#[must_use]
pub fn occurred(findings: &Findings, distance: Distance) -> bool {
    findings.results.iter().flat_map(|(_, results)| results.keys()).any(|label| label.distance() == distance)
}

/// The targets whose benchmark ran.
fn ran(findings: &Findings) -> impl Iterator<Item = Target> {
    list::all().into_iter().filter(|target| findings.results(&target.benchmark).is_some())
}

fn counted(findings: &Findings) -> impl Iterator<Item = Verdict> {
    const BOUNDS: [(&str, &str, f64); 9] = [
        ("T3", memory::WAKES, 1.0),
        ("T7", memory::POST_SHORT, 0.0),
        ("T7", memory::EVENT_SHORT, 0.0),
        ("T7", memory::POST_LONG, 0.0),
        ("T7", memory::EVENT_LONG, 0.0),
        ("T7", memory::CONNECT, 0.0),
        ("T7", memory::CONNECT_NAMED, 1.0),
        ("T8", memory::IDLE_PAIR, 256.0),
        ("T11", memory::AFTER_BURST, 65_536.0),
    ];
    // What is carried from slice to slice is what is counted for short messages.
    let again = [("T12", memory::POST_SHORT, 0.0), ("T12", memory::EVENT_SHORT, 0.0)];
    BOUNDS.into_iter().chain(again).filter_map(|(target, name, bound)| {
        let count = findings.counts.iter().find(|count| count.name == name)?;
        Some(Verdict {
            target,
            what: name.to_owned(),
            unit: count.unit,
            label: None,
            ours: Spread::exactly(count.figure),
            rival: None,
            limit: None,
            figure: count.figure,
            bound: Bound::AtMost(bound),
            samples: 1,
        })
    })
}

/// Script to script, against what was measured in Chromium.
fn end_to_end(found: &EndToEnd) -> [Verdict; 3] {
    let verdict = |what: &str, unit, ours: f64, theirs: f64, bound| Verdict {
        target: "T10",
        what: format!("script to script, {what}"),
        unit,
        label: None,
        ours: Spread::exactly(ours),
        rival: Some(("Chromium".into(), Spread::exactly(theirs))),
        limit: None,
        figure: ours / theirs,
        bound,
        samples: found.samples,
    };
    [
        verdict(
            "round trip",
            "µs",
            found.round_trip_us,
            end_to_end::CHROMIUM.round_trip_us,
            Bound::AtMost(1.0 / 100.0),
        ),
        verdict(
            "one way",
            "messages/s",
            found.one_way_per_second,
            end_to_end::CHROMIUM.one_way_per_second,
            Bound::AtLeast(70.0),
        ),
        verdict(
            "connects",
            "per s",
            found.connects_per_second,
            end_to_end::CHROMIUM.connects_per_second,
            Bound::AtLeast(100.0),
        ),
    ]
}
