//! That a run is judged by what it found, and shown as it was judged.

use port_core_bench::benchmark::{OURS, Results, one_way, round_trip};
use port_core_bench::report::{Findings, document, figure, ratio, to_json};
use port_core_bench::sample::{Distance, Label, Spread, Summary};
use port_core_bench::targets::{Verdict, judge, lacking, occurred, unmeasured};
use port_core_bench::topology::Topology;

const NEAR: Label = Label::TwoThreads(Topology::SameComplex);
const SIBLING: Label = Label::TwoThreads(Topology::Sibling);
const FAR: Label = Label::TwoThreads(Topology::Far);

fn summary(median: f64, p99: Option<f64>, count: usize) -> Summary {
    let spread = |median| Spread { median, min: median / 2.0, max: median * 2.0 };
    Summary { time: spread(median), p99: p99.map(spread), line: Some(Spread::exactly(90.0)), count }
}

fn found(benchmark: &str, results: impl IntoIterator<Item = (Label, &'static str, Summary)>) -> Findings {
    let mut by_label = Results::new();
    for (label, candidate, summary) in results {
        by_label.entry(label).or_default().push((candidate, summary));
    }
    Findings { results: vec![(benchmark.into(), by_label)], ..Findings::default() }
}

fn of(target: &str, findings: &Findings) -> Vec<Verdict> {
    judge(findings).into_iter().filter(|verdict| verdict.target == target).collect()
}

#[test]
fn the_best_rival_counts() {
    let times = |ours| {
        found(
            one_way::SLICES,
            [
                (NEAR, OURS, summary(ours, None, 9)),
                (NEAR, "rtrb 1024", summary(200.0, None, 9)),
                (NEAR, "flume unbounded", summary(400.0, None, 9)),
            ],
        )
    };
    let [met] = &of("T12", &times(40.0))[..] else { panic!("one verdict") };
    assert!(met.is_met());
    assert_eq!((met.figure, met.samples), (0.2, 9));
    assert_eq!(met.rival.as_ref().map(|(name, _)| name.as_str()), Some("rtrb 1024"));
    let [short] = &of("T12", &times(41.0))[..] else { panic!("one verdict") };
    assert!(!short.is_met());
}

#[test]
fn nobody_is_compared_across_topologies() {
    let findings = found(
        one_way::SLICES,
        [(NEAR, OURS, summary(1.0, None, 9)), (FAR, "rtrb 1024", summary(200.0, None, 9))],
    );
    assert!(of("T12", &findings).is_empty());
    assert_eq!(unmeasured(&findings), [("T12", one_way::SLICES.to_owned())]);
}

#[test]
fn two_samples_are_none() {
    let judged = |samples| {
        of(
            "T12",
            &found(
                one_way::SLICES,
                [(NEAR, OURS, summary(10.0, None, 9)), (NEAR, "rtrb 1024", summary(200.0, None, samples))],
            ),
        )
        .len()
    };
    assert_eq!((judged(2), judged(3)), (0, 1));
}

#[test]
fn near_and_far_are_judged_apart() {
    let findings = found(
        one_way::LANE,
        [
            (NEAR, "lane alone", summary(6.0, None, 9)),
            (NEAR, "rtrb 1024", summary(10.0, None, 9)),
            (FAR, "lane alone", summary(6.0, None, 9)),
            (FAR, "rtrb 1024", summary(10.0, None, 9)),
        ],
    );
    let [near, far] = &of("T1", &findings)[..] else { panic!("two verdicts") };
    assert_eq!((near.label, near.is_met()), (Some(NEAR), true));
    assert_eq!((far.label, far.is_met()), (Some(FAR), false));
}

#[test]
fn what_lacks_samples_at_a_distance_that_occurred_is_run_again() {
    let far = |samples| {
        let findings = found(
            one_way::ASLEEP,
            [
                (NEAR, OURS, summary(10.0, None, 9)),
                (NEAR, "tokio unbounded", summary(200.0, None, 9)),
                (FAR, OURS, summary(100.0, None, samples)),
                (FAR, "tokio unbounded", summary(200.0, None, samples)),
            ],
        );
        let tokio = |(_, benchmark, distance): &(_, String, _)| {
            benchmark == one_way::ASLEEP && *distance == Distance::Far
        };
        lacking(&findings).iter().filter(|lack| tokio(lack)).count()
    };
    // The comparisons with crossbeam lack theirs in any case.
    assert_eq!((far(2), far(3)), (3, 2));
    assert!(occurred(&found(one_way::ASLEEP, [(FAR, OURS, summary(1.0, None, 1))]), Distance::Far));
}

#[test]
fn siblings_decide_where_the_usual_near_topology_has_too_few_samples() {
    let judged = |near| {
        let findings = found(
            one_way::SLICES,
            [
                (NEAR, OURS, summary(10.0, None, near)),
                (NEAR, "rtrb 1024", summary(200.0, None, near)),
                (SIBLING, OURS, summary(100.0, None, 9)),
                (SIBLING, "rtrb 1024", summary(200.0, None, 9)),
            ],
        );
        let [verdict] = &of("T12", &findings)[..] else { panic!("one verdict") };
        (verdict.label, verdict.is_met())
    };
    assert_eq!(judged(5), (Some(NEAR), true));
    assert_eq!(judged(4), (Some(SIBLING), false));
}

#[test]
fn a_round_trip_is_judged_beside_rings_channels_and_bare_lines() {
    let findings = found(
        round_trip::SPINNING,
        [
            (NEAR, OURS, summary(100.0, Some(140.0), 9)),
            (NEAR, "lane alone", summary(90.0, Some(120.0), 9)),
            (NEAR, "rtrb 1024", summary(80.0, Some(1_000.0), 9)),
            (NEAR, "gil 1024", summary(300.0, Some(800.0), 9)),
            (NEAR, "std unbounded", summary(200.0, Some(800.0), 9)),
            (NEAR, "limit: cache lines", summary(80.0, Some(95.0), 9)),
        ],
    );
    let verdicts = of("T3", &findings);
    let figures: Vec<_> = verdicts.iter().map(|verdict| (verdict.figure, verdict.is_met())).collect();
    assert_eq!(figures, [(1.125, false), (1.25, true), (0.5, true), (140.0 / 95.0, false)]);
    assert_eq!((verdicts[1].limit, verdicts[3].limit), (Some(80.0), Some(95.0)));
    let json: serde_json::Value = serde_json::from_str(&to_json(&findings, &verdicts)).expect("JSON");
    assert_eq!(json["verdicts"][1]["rival"], "rtrb 1024");
    assert_eq!(json["verdicts"][0]["met"], false);
    assert_eq!(json["rows"][0]["topology"], "same complex");
}

#[test]
fn a_document_keeps_what_is_not_measured() {
    let sections = [("one", "new\n".to_owned())];
    let page = |inside| format!("before\n<!-- measured: one -->\n{inside}<!-- end -->\nafter\n");
    let renewed = |page: &str| document::renewed(page, "measured", &sections);
    assert_eq!(renewed(&page("old\nolder\n")), Some(page("new\n")));
    assert_eq!(renewed(&page("").replace("one", "two")), None);
    assert_eq!(renewed("<!-- measured: one -->\n"), None);
    // What another program measures.
    let others = page("old\n").replace("measured", "measured elsewhere");
    assert_eq!(renewed(&others), None);
    assert_eq!(renewed(&(others.clone() + &page("old\n"))), Some(others + &page("new\n")));
}

#[test]
fn figures_have_the_places_they_deserve() {
    let shown = [0.0, 0.0625, 0.3, 8.14, 9.0, 33.4, 1_234.5, 1_234_567.0].map(figure);
    assert_eq!(shown, ["0", "0.062", "0.3", "8.1", "9", "33", "1,234", "1,234,567"]);
    let shown = [0.0, 0.0625, 1.15, 1.1504, 10.0, 65_536.0].map(ratio);
    assert_eq!(shown, ["0", "0.063", "1.15", "1.15", "10", "65,536"]);
}
