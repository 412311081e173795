//! The targets, and whether a run met them. A bound is never loosened here: what is
//! short is printed as short.

use crate::carrier::{
    BlockLimit, Carrier, Core, CrossbeamBounded, CrossbeamUnbounded, FlumeUnbounded, LaneAlone, Ringbuf,
    Rtrb, StdUnbounded, TokioUnbounded,
};
use crate::memory;
use crate::question::{connect, fan_out, many_ports};
use crate::report::Findings;
use crate::sample::{Label, Summary};

/// One thing asked by a target, and what was found.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The target's name.
    pub target: &'static str,
    /// What the figure is.
    pub what: String,
    /// Under which label; `None` for what was counted.
    pub label: Option<Label>,
    /// What was found.
    pub figure: f64,
    /// What it may be at most.
    pub bound: f64,
}

impl Verdict {
    /// Whether the target is met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.figure <= self.bound
    }
}

const PLAIN: &str = "one way, 32 static bytes";
const SLICES: &str = "one way, 100 bytes slice to slice";
const TRIP: &str = "round trip, spinning";
const NAP: &str = "round trip, sleeping";
/// Everyone who could carry a port's messages in the core's place.
const RIVALS: [&str; 7] = [
    Rtrb::NAME,
    Ringbuf::NAME,
    CrossbeamBounded::NAME,
    CrossbeamUnbounded::NAME,
    TokioUnbounded::NAME,
    StdUnbounded::NAME,
    FlumeUnbounded::NAME,
];

/// Judges what can be judged from these findings.
#[must_use]
pub fn judge(findings: &Findings) -> Vec<Verdict> {
    let mut bench = Bench { findings, verdicts: Vec::new() };
    bench.lane_alone();
    bench.post_to_event();
    bench.round_trip();
    bench.connect();
    bench.many_ports();
    bench.fan_out();
    bench.counted();
    bench.slice_to_slice();
    bench.verdicts
}

struct Bench<'f> {
    findings: &'f Findings,
    verdicts: Vec<Verdict>,
}

/// How two medians relate.
fn medians(ours: Summary, theirs: Summary) -> Option<f64> {
    Some(ours.median / theirs.median)
}

fn tails(ours: Summary, theirs: Summary) -> Option<f64> {
    Some(ours.p99? / theirs.p99?)
}

impl Bench<'_> {
    fn enter(&mut self, target: &'static str, what: String, label: Label, figure: f64, bound: f64) {
        self.verdicts.push(Verdict { target, what, label: Some(label), figure, bound });
    }

    /// Judges `ours` against the best of `theirs`, under every label.
    fn ratio(
        &mut self,
        (target, question, bound): (&'static str, &str, f64),
        ours: &str,
        theirs: &[&str],
        relate: fn(Summary, Summary) -> Option<f64>,
        of: &str,
    ) {
        for label in self.findings.labels(question).collect::<Vec<_>>() {
            let Some(our) = self.findings.get(question, label, ours) else { continue };
            let best = theirs
                .iter()
                .filter_map(|name| Some((relate(our, self.findings.get(question, label, name)?)?, *name)))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((figure, name)) = best {
                let what = format!("{question}{of}: {ours} / {name}");
                self.enter(target, what, label, figure, bound);
            }
        }
    }

    fn lane_alone(&mut self) {
        let (question, lane) = ("lane alone", LaneAlone::NAME);
        self.ratio(("T1", question, 0.5), lane, &[Rtrb::NAME, Ringbuf::NAME], medians, "");
        self.ratio(("T1", question, 3.5), lane, &[BlockLimit::NAME], medians, "");
    }

    fn post_to_event(&mut self) {
        for label in self.findings.labels(PLAIN).collect::<Vec<_>>() {
            let ours = self.findings.get(PLAIN, label, Core::NAME);
            let lane = self.findings.get("lane alone", label, LaneAlone::NAME);
            if let (Some(ours), Some(lane)) = (ours, lane) {
                let what = format!("{PLAIN}: ns beyond the lane alone");
                self.enter("T2", what, label, ours.median - lane.median, 10.0);
            }
        }
        self.ratio(("T2", PLAIN, 0.6), Core::NAME, &[Rtrb::NAME], medians, "");
        for question in [PLAIN, "one way, may sleep"] {
            let crossbeam = [CrossbeamBounded::NAME, CrossbeamUnbounded::NAME];
            self.ratio(("T2", question, 0.3), Core::NAME, &crossbeam, medians, "");
            self.ratio(("T2", question, 0.22), Core::NAME, &[TokioUnbounded::NAME], medians, "");
        }
    }

    fn round_trip(&mut self) {
        self.ratio(("T3", TRIP, 0.85), Core::NAME, &RIVALS, medians, "");
        self.ratio(("T3", TRIP, 0.85), Core::NAME, &RIVALS, tails, ", p99");
        self.ratio(("T3", NAP, 1.1), Core::NAME, &["park and unpark"], medians, "");
    }

    fn connect(&mut self) {
        let (alone, apart) = ("connect, one thread", "connect, two threads");
        for ours in [Core::NAME, connect::ONE_LOOP] {
            self.ratio(("T4", alone, 0.6), ours, &[connect::FLUME], medians, "");
            self.ratio(("T4", alone, 0.25), ours, &[connect::CROSSBEAM], medians, "");
        }
        self.ratio(("T4", apart, 0.35), Core::NAME, &[connect::FLUME], medians, "");
        self.ratio(("T4", apart, 0.25), Core::NAME, &[connect::CROSSBEAM], medians, "");
    }

    fn many_ports(&mut self) {
        let one = many_ports::name(1, 100);
        for (ports, percent) in many_ports::CASES {
            let question = many_ports::name(ports, percent);
            for label in self.findings.labels(&question).collect::<Vec<_>>() {
                let many = self.findings.get(&question, label, Core::NAME);
                let few = self.findings.get(&one, label, Core::NAME);
                if let (Some(many), Some(few)) = (many, few)
                    && question != one
                {
                    let what = format!("{question}: against one port");
                    self.enter("T5", what, label, many.median / few.median, 1.15);
                }
            }
            self.ratio(("T5", &question, 0.6), Core::NAME, &[Rtrb::NAME], medians, "");
            self.ratio(("T5", &question, 0.3), Core::NAME, &[CrossbeamUnbounded::NAME], medians, "");
        }
    }

    fn fan_out(&mut self) {
        self.ratio(("T6", &fan_out::name(10), 0.3), Core::NAME, &[fan_out::SINGLE], medians, "");
    }

    fn counted(&mut self) {
        for (target, name, bound) in [
            ("T7", memory::POST_SHORT, 0.0),
            ("T7", memory::EVENT_SHORT, 0.0),
            ("T7", memory::POST_LONG, 0.0),
            ("T7", memory::EVENT_LONG, 0.0),
            ("T7", memory::CONNECT, 0.0),
            ("T7", memory::CONNECT_NAMED, 1.0),
            ("T8", memory::IDLE_PAIR, 256.0),
            ("T11", memory::AFTER_BURST, 65_536.0),
        ] {
            if let Some(figure) = self.findings.count(name) {
                let what = name.to_owned();
                self.verdicts.push(Verdict { target, what, label: None, figure, bound });
            }
        }
    }

    fn slice_to_slice(&mut self) {
        self.ratio(("T12", SLICES, 0.25), Core::NAME, &RIVALS, medians, "");
    }
}
