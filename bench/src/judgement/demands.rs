//! The targets, as comparisons between contenders.

use super::demand::{Against, Demand, Part, Relation};
use crate::carrier::{
    BlockLimit, Carrier, Core, CrossbeamArray, CrossbeamBounded, CrossbeamSegments, CrossbeamUnbounded,
    FlumeUnbounded, Gil, Ipc, KanalUnbounded, LaneAlone, Nexus, Ringbuf, Rtrb, StdUnbounded, TokioUnbounded,
};
use crate::question::{connect, fan_out, index, many_ports, one_way, round_trip};

/// For one producer, one consumer and a plain type.
const RINGS: &[&str] = &[Rtrb::NAME, Ringbuf::NAME, Gil::NAME, Nexus::NAME];
const CROSSBEAM: &[&str] = &[CrossbeamBounded::NAME, CrossbeamUnbounded::NAME];
const TOKIO: &[&str] = &[TokioUnbounded::NAME];
const RTRB: &[&str] = &[Rtrb::NAME];
/// Everyone who could carry a port's messages in the core's place.
const RIVALS: &[&str] = &[
    Rtrb::NAME,
    Ringbuf::NAME,
    Gil::NAME,
    Nexus::NAME,
    CrossbeamArray::NAME,
    CrossbeamSegments::NAME,
    CrossbeamBounded::NAME,
    CrossbeamUnbounded::NAME,
    KanalUnbounded::NAME,
    TokioUnbounded::NAME,
    StdUnbounded::NAME,
    FlumeUnbounded::NAME,
    Ipc::NAME,
];

fn demand(
    target: &'static str,
    question: impl Into<String>,
    ours: &'static str,
    rivals: &'static [&'static str],
    bound: f64,
) -> Demand {
    let against = Against::BestOf(rivals);
    let (part, relation) = (Part::Median, Relation::Ratio);
    Demand { target, question: question.into(), ours, against, part, relation, bound }
}

/// Everything that the targets demand of what is timed.
pub(super) fn all() -> Vec<Demand> {
    let mut all = Vec::new();
    all.extend(lane_alone());
    all.extend(post_to_event());
    all.extend(round_trip());
    all.extend(connect());
    all.extend(many_ports());
    all.push(demand("T6", fan_out::name(10), Core::NAME, &[fan_out::SINGLE], 0.3));
    all.extend(looked_up());
    all.push(demand("T12", one_way::SLICES, Core::NAME, RIVALS, 0.25));
    all
}

fn lane_alone() -> [Demand; 2] {
    [
        demand("T1", one_way::LANE, LaneAlone::NAME, RINGS, 0.5),
        demand("T1", one_way::LANE, LaneAlone::NAME, &[BlockLimit::<4>::NAME], 3.5),
    ]
}

fn post_to_event() -> Vec<Demand> {
    let lane = Against::In { question: one_way::LANE.into(), contender: LaneAlone::NAME };
    let beyond_the_lane = Demand {
        against: lane,
        relation: Relation::Difference,
        ..demand("T2", one_way::STATIC, Core::NAME, &[], 10.0)
    };
    let mut all = vec![beyond_the_lane, demand("T2", one_way::STATIC, Core::NAME, RTRB, 0.6)];
    for question in [one_way::STATIC, one_way::ASLEEP] {
        all.push(demand("T2", question, Core::NAME, CROSSBEAM, 0.3));
        all.push(demand("T2", question, Core::NAME, TOKIO, 0.22));
    }
    all
}

fn round_trip() -> [Demand; 3] {
    [
        demand("T3", round_trip::SPINNING, Core::NAME, RIVALS, 0.85),
        Demand { part: Part::P99, ..demand("T3", round_trip::SPINNING, Core::NAME, RIVALS, 0.85) },
        demand("T3", round_trip::SLEEPING, Core::NAME, &[round_trip::PARK], 1.1),
    ]
}

fn connect() -> Vec<Demand> {
    let mut all = Vec::new();
    for ours in [Core::NAME, connect::ONE_LOOP] {
        all.push(demand("T4", connect::ALONE, ours, &[connect::FLUME], 0.6));
        all.push(demand("T4", connect::ALONE, ours, &[connect::CROSSBEAM], 0.25));
    }
    all.push(demand("T4", connect::APART, Core::NAME, &[connect::FLUME], 0.35));
    all.push(demand("T4", connect::APART, Core::NAME, &[connect::CROSSBEAM], 0.25));
    all
}

fn many_ports() -> Vec<Demand> {
    let one = many_ports::name(1, 100);
    let mut all = Vec::new();
    for (ports, percent) in many_ports::CASES {
        let question = many_ports::name(ports, percent);
        if question != one {
            let against = Against::In { question: one.clone(), contender: Core::NAME };
            all.push(Demand { against, ..demand("T5", question.clone(), Core::NAME, &[], 1.15) });
        }
        all.push(demand("T5", question.clone(), Core::NAME, RTRB, 0.6));
        all.push(demand("T5", question, Core::NAME, &[CrossbeamUnbounded::NAME], 0.3));
    }
    all
}

/// Looking up a tab's frames, as connecting does.
fn looked_up() -> [Demand; 2] {
    let (one, two) = (index::ALONE, index::TOGETHER);
    let against = Against::In { question: one.into(), contender: Core::NAME };
    [
        demand("T9", one, Core::NAME, &[index::UNSYNCHRONISED], 1.3),
        // Per look-up of both threads together: at least 1.7 times as many.
        Demand { against, ..demand("T9", two, Core::NAME, &[], 1.0 / 1.7) },
    ]
}
