//! From script to script: the example browser with each site in a process of its own, beside Chromium's figures.

use super::Pace;
use super::judge::{Verdicts, spread};
use port_core_bench::end_to_end::{self, CHROMIUM, EndToEnd};
use port_core_bench::sample::Spread;

/// What was found and what Chromium takes, and the latter's part or multiple.
struct Compared {
    found: Spread,
    ratio: Spread,
}

/// Has the example browser measure itself. Without an answer nothing is met.
pub(crate) fn measure(pace: Pace, verdicts: &mut Verdicts) {
    let found = end_to_end::measure(&["--processes", "--samples", &pace.scripts.to_string()])
        .inspect_err(|error| eprintln!("{error}"))
        .ok();
    let of = |figure: fn(&EndToEnd) -> f64| {
        let found = found.map_or_else(|| spread(&[]), |found| found.of(figure));
        let theirs = figure(&CHROMIUM);
        let Spread { median, min, max } = found;
        Compared { found, ratio: Spread { median: median / theirs, min: min / theirs, max: max / theirs } }
    };
    let round = of(|browser| browser.round_trip_us);
    let messages = of(|browser| browser.one_way_per_second);
    let connects = of(|browser| browser.connects_per_second);
    verdicts
        .about("script to script, 100 bytes of JSON, each site in a process; Chromium on another machine");
    verdicts.figure("round trip, mean", "µs", round.found);
    verdicts.figure("one way", "messages/s", messages.found);
    verdicts.figure("connect, a message, disconnect", "per s", connects.found);
    verdicts.at_most("script to script: round trip by Chromium's", round.ratio, 1.0 / 20.0);
    verdicts.at_least("script to script: messages a second by Chromium's", messages.ratio, 30.0);
    verdicts.at_least("script to script: connects a second by Chromium's", connects.ratio, 50.0);
}
