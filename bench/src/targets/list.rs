//! The targets, as comparisons between candidates.

use super::target::{Against, Part, Target};
use crate::benchmark::{connect, fan_out, index, many_ports, one_way, round_trip};
use crate::transport::{
    BlockLimit, CacheLines, Core, CrossbeamArray, CrossbeamBounded, CrossbeamSegments, CrossbeamUnbounded,
    FlumeUnbounded, Gil, Ipc, KanalUnbounded, LaneAlone, Nexus, Ringbuf, Rtrb, StdUnbounded, TokioUnbounded,
    Transport,
};

/// For one producer, one consumer and a plain type.
const RINGS: &[&str] = &[Rtrb::NAME, Ringbuf::NAME, Gil::NAME, Nexus::NAME];
const BOUNDED: &[&str] = &[CrossbeamBounded::NAME];
const UNBOUNDED: &[&str] = &[CrossbeamUnbounded::NAME];
const TOKIO: &[&str] = &[TokioUnbounded::NAME];
const LIMIT: &[&str] = &[BlockLimit::<8>::NAME];
/// For any number of producers, with a way to wait.
const CHANNELS: &[&str] = &[
    CrossbeamBounded::NAME,
    CrossbeamUnbounded::NAME,
    KanalUnbounded::NAME,
    TokioUnbounded::NAME,
    StdUnbounded::NAME,
    FlumeUnbounded::NAME,
];
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
    Target { name, benchmark: benchmark.into(), ours, against, part: Part::Median, bound, far: bound }
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
    // How many connects two threads make says what the index gives them.
    all.push(target("T9", index::ALONE, Core::NAME, &[index::UNSYNCHRONISED], 1.3));
    all.push(target("T12", one_way::SLICES, Core::NAME, LIMIT, 3.0));
    all.push(target("T12", one_way::SLICES, Core::NAME, RIVALS, 0.2));
    all
}

fn lane_alone() -> [Target; 2] {
    [
        target("T1", one_way::LANE, LaneAlone::NAME, RINGS, 0.8).far(0.4),
        target("T1", one_way::LANE, LaneAlone::NAME, LIMIT, 1.5),
    ]
}

fn post_to_event() -> Vec<Target> {
    let mut all = vec![target("T2", one_way::STATIC, Core::NAME, RINGS, 2.0).far(0.6)];
    for benchmark in [one_way::STATIC, one_way::ASLEEP] {
        all.push(target("T2", benchmark, Core::NAME, UNBOUNDED, 0.3));
        all.push(target("T2", benchmark, Core::NAME, BOUNDED, 0.7));
        all.push(target("T2", benchmark, Core::NAME, TOKIO, 0.1));
    }
    all
}

fn round_trip() -> [Target; 5] {
    let lines = Target {
        part: Part::P99,
        ..target("T3", round_trip::SPINNING, Core::NAME, &[CacheLines::NAME], 1.4)
    };
    [
        target("T3", round_trip::SPINNING, LaneAlone::NAME, RINGS, 1.0),
        target("T3", round_trip::SPINNING, Core::NAME, RINGS, 1.3),
        target("T3", round_trip::SPINNING, Core::NAME, CHANNELS, 0.6),
        lines,
        target("T3", round_trip::SLEEPING, Core::NAME, &[round_trip::PARK], 1.1),
    ]
}

fn connect() -> [Target; 3] {
    let alone = Against::In { benchmark: connect::ALONE.into(), candidate: Core::NAME };
    [
        target("T4", connect::ALONE, Core::NAME, &[connect::CROSSBEAM], 0.28),
        target("T4", connect::APART, Core::NAME, &[connect::CROSSBEAM], 0.1),
        // Per connection of both threads together: at least 1.7 times as many.
        Target { against: alone, ..target("T4", connect::APART, Core::NAME, &[], 1.0 / 1.7) },
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
        all.push(target("T5", benchmark.clone(), Core::NAME, RINGS, 2.0));
        all.push(target("T5", benchmark, Core::NAME, UNBOUNDED, 0.3));
    }
    all
}
