//! The targets, as comparisons between candidates.

use super::target::{Against, Part, Relation, Target};
use crate::benchmark::{connect, fan_out, index, many_ports, one_way, round_trip};
use crate::transport::{
    BlockLimit, Core, CrossbeamArray, CrossbeamBounded, CrossbeamSegments, CrossbeamUnbounded,
    FlumeUnbounded, Gil, Ipc, KanalUnbounded, LaneAlone, Nexus, Ringbuf, Rtrb, StdUnbounded, TokioUnbounded,
    Transport,
};

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

fn target(
    name: &'static str,
    benchmark: impl Into<String>,
    ours: &'static str,
    rivals: &'static [&'static str],
    bound: f64,
) -> Target {
    let against = Against::BestOf(rivals);
    let (part, relation) = (Part::Median, Relation::Ratio);
    Target { name, benchmark: benchmark.into(), ours, against, part, relation, bound }
}

/// Lists everything that the targets want of what is timed.
pub(super) fn all() -> Vec<Target> {
    let mut all = Vec::new();
    all.extend(lane_alone());
    all.extend(post_to_event());
    all.extend(round_trip());
    all.extend(connect());
    all.extend(many_ports());
    all.push(target("T6", fan_out::name(10), Core::NAME, &[fan_out::SINGLE], 0.3));
    all.extend(looked_up());
    all.push(target("T12", one_way::SLICES, Core::NAME, RIVALS, 0.25));
    all
}

fn lane_alone() -> [Target; 2] {
    [
        target("T1", one_way::LANE, LaneAlone::NAME, RINGS, 0.5),
        target("T1", one_way::LANE, LaneAlone::NAME, &[BlockLimit::<4>::NAME], 3.5),
    ]
}

fn post_to_event() -> Vec<Target> {
    let lane = Against::In { benchmark: one_way::LANE.into(), candidate: LaneAlone::NAME };
    let beyond_the_lane = Target {
        against: lane,
        relation: Relation::Difference,
        ..target("T2", one_way::STATIC, Core::NAME, &[], 10.0)
    };
    let mut all = vec![beyond_the_lane, target("T2", one_way::STATIC, Core::NAME, RTRB, 0.6)];
    for benchmark in [one_way::STATIC, one_way::ASLEEP] {
        all.push(target("T2", benchmark, Core::NAME, CROSSBEAM, 0.3));
        all.push(target("T2", benchmark, Core::NAME, TOKIO, 0.22));
    }
    all
}

fn round_trip() -> [Target; 3] {
    [
        target("T3", round_trip::SPINNING, Core::NAME, RIVALS, 0.85),
        Target { part: Part::P99, ..target("T3", round_trip::SPINNING, Core::NAME, RIVALS, 0.85) },
        target("T3", round_trip::SLEEPING, Core::NAME, &[round_trip::PARK], 1.1),
    ]
}

fn connect() -> [Target; 4] {
    [
        target("T4", connect::ALONE, Core::NAME, &[connect::FLUME], 0.6),
        target("T4", connect::ALONE, Core::NAME, &[connect::CROSSBEAM], 0.25),
        target("T4", connect::APART, Core::NAME, &[connect::FLUME], 0.35),
        target("T4", connect::APART, Core::NAME, &[connect::CROSSBEAM], 0.25),
    ]
}

fn many_ports() -> Vec<Target> {
    let one = many_ports::name(1, 100);
    let mut all = Vec::new();
    for (ports, percent) in many_ports::CASES {
        let benchmark = many_ports::name(ports, percent);
        if benchmark != one {
            let against = Against::In { benchmark: one.clone(), candidate: Core::NAME };
            all.push(Target { against, ..target("T5", benchmark.clone(), Core::NAME, &[], 1.15) });
        }
        all.push(target("T5", benchmark.clone(), Core::NAME, RTRB, 0.6));
        all.push(target("T5", benchmark, Core::NAME, &[CrossbeamUnbounded::NAME], 0.3));
    }
    all
}

/// Looking up a tab's frames, as connecting does.
fn looked_up() -> [Target; 2] {
    let (one, two) = (index::ALONE, index::TOGETHER);
    let against = Against::In { benchmark: one.into(), candidate: Core::NAME };
    [
        target("T9", one, Core::NAME, &[index::UNSYNCHRONISED], 1.3),
        // Per look-up of both threads together: at least 1.7 times as many.
        Target { against, ..target("T9", two, Core::NAME, &[], 1.0 / 1.7) },
    ]
}
