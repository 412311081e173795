//! The figures, beside those of the browsers.

use super::sample::{RoundTrip, Sample};
use port_core_webext::Profile;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// The figures of a run.
#[derive(Debug)]
pub(crate) struct Report {
    profile: Profile,
    samples: usize,
    round_trip_mean: Spread,
    round_trip_p50: Spread,
    round_trip_p99: Spread,
    one_way: Spread,
    large: Spread,
    connects: Spread,
    fan_out: Spread,
    memory: Option<Spread>,
    /// Microseconds of processor time per unit, by question.
    processor: BTreeMap<&'static str, Spread>,
}

/// Questions whose processor time is looked at.
const QUESTIONS: [&str; 5] = ["round_trip", "one_way", "large", "connect", "fan_out"];

/// The median of some samples, with the least and the greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    median: f64,
    least: f64,
    greatest: f64,
}

impl Spread {
    /// `None` without samples.
    fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let median = if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) };
        Some(Self { median, least: values[0], greatest: values[values.len() - 1] })
    }
}

/// A figure of Chromium 156 and of Firefox 153, measured on two virtual processors of an AMD EPYC.
struct Browsers {
    chromium: f64,
    firefox: f64,
}

impl Report {
    /// Sums samples up, of which there is at least one.
    pub(super) fn new(profile: Profile, samples: Vec<Sample>, memory: Vec<f64>) -> Self {
        let of = |value: fn(&Sample) -> f64| {
            Spread::of(samples.iter().map(value)).unwrap_or(Spread { median: 0.0, least: 0.0, greatest: 0.0 })
        };
        Self {
            profile,
            samples: samples.len(),
            round_trip_mean: of(|sample| sample.round_trip_us.mean),
            round_trip_p50: of(|sample| sample.round_trip_us.p50),
            round_trip_p99: of(|sample| sample.round_trip_us.p99),
            one_way: of(|sample| sample.one_way_per_second),
            large: of(|sample| sample.large_megabytes_per_second),
            connects: of(|sample| sample.connects_per_second),
            fan_out: of(|sample| sample.fan_out_per_second),
            memory: Spread::of(memory),
            processor: QUESTIONS
                .into_iter()
                .filter_map(|question| {
                    let times =
                        samples.iter().filter_map(|sample| sample.processor_us.get(question).copied());
                    Some((question, Spread::of(times)?))
                })
                .collect(),
        }
    }

    /// The medians as JSON, for machines, and beside them the least and the greatest of the same figures.
    pub(crate) fn to_json(&self) -> String {
        let mut json = self.figures(|spread| spread.median);
        json["profile"] = self.profile.name().into();
        json["samples"] = self.samples.into();
        json["least"] = self.figures(|spread| spread.least);
        json["greatest"] = self.figures(|spread| spread.greatest);
        json.to_string()
    }

    fn figures(&self, of: fn(Spread) -> f64) -> Value {
        let round_trip_us = RoundTrip {
            mean: of(self.round_trip_mean),
            p50: of(self.round_trip_p50),
            p99: of(self.round_trip_p99),
        };
        json!({
            "round_trip_us": round_trip_us,
            "one_way_per_second": of(self.one_way),
            "large_megabytes_per_second": of(self.large),
            "connects_per_second": of(self.connects),
            "fan_out_per_second": of(self.fan_out),
            "bytes_per_idle_port": self.memory.map(of),
            "processor_us": self
                .processor
                .iter()
                .map(|(question, time)| (*question, of(*time)))
                .collect::<BTreeMap<_, _>>(),
        })
    }

    fn line(
        &self,
        f: &mut fmt::Formatter<'_>,
        name: &str,
        unit: &str,
        figure: Spread,
        question: &str,
        browsers: Option<&Browsers>,
    ) -> fmt::Result {
        let Spread { median, least, greatest } = figure;
        let shown = format!("{} ({}–{})", short(median), short(least), short(greatest));
        let processor = self.processor.get(question).map(|time| format!("{:.1} µs", time.median));
        write!(f, "{name:<24}{unit:<14}{shown:<32}{:<12}", processor.unwrap_or_default())?;
        let Some(Browsers { chromium, firefox }) = browsers else { return writeln!(f) };
        let theirs = match self.profile {
            Profile::Chromium => chromium,
            Profile::Firefox => firefox,
        };
        // Of rates more is better, of times and sizes less.
        let times = if unit.ends_with("/s") { median / theirs } else { theirs / median };
        writeln!(f, "{:<14}{:<14}{times:.1} ×", short(*chromium), short(*firefox))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let browsers = |chromium, firefox| Browsers { chromium, firefox };
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        writeln!(
            f,
            "Script to script, profile {}, {} samples: median (least–greatest). Processors here: {processors}.",
            self.profile.name(),
            self.samples
        )?;
        writeln!(
            f,
            "Chromium 156 and Firefox 153, processes and all: two virtual processors of an AMD EPYC.\n"
        )?;
        writeln!(f, "{:<24}{:<14}{:<32}{:<14}{:<14}better by", "", "", "here", "Chromium", "Firefox")?;
        let mut line = |name, unit, figure, question, browsers: Option<Browsers>| {
            self.line(f, name, unit, figure, question, browsers.as_ref())
        };
        line("round trip, mean", "µs", self.round_trip_mean, "round_trip", Some(browsers(834.0, 963.0)))?;
        line("round trip, p50", "µs", self.round_trip_p50, "", None)?;
        line("round trip, p99", "µs", self.round_trip_p99, "", Some(browsers(3_300.0, 3_070.0)))?;
        line("one way, 100 bytes", "messages/s", self.one_way, "one_way", Some(browsers(8_260.0, 8_170.0)))?;
        line("one way, 64 KiB", "MB/s", self.large, "large", Some(browsers(86.0, 66.0)))?;
        line("connect, word, end", "ports/s", self.connects, "connect", Some(browsers(671.0, 589.0)))?;
        line(
            "fan-out to ten frames",
            "events/s",
            self.fan_out,
            "fan_out",
            Some(browsers(16_500.0, 22_200.0)),
        )?;
        match self.memory {
            Some(memory) => {
                line("idle port, both ends", "bytes", memory, "", Some(browsers(16_600.0, 17_800.0)))
            }
            None => writeln!(f, "The heap of an idle port is not known on this system."),
        }
    }
}

/// A number as people read it: three digits, or all of a whole one, with commas.
fn short(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::{Spread, short};

    #[test]
    fn a_spread_has_the_middle_and_the_ends() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, least: 1.0, greatest: 3.0 }));
        assert_eq!(Spread::of([4.0, 1.0]), Some(Spread { median: 2.5, least: 1.0, greatest: 4.0 }));
    }

    #[test]
    fn numbers_are_grouped() {
        let shown = [0.25, 99.94, 100.4, 1_234.5, 1_234_567.0].map(short);
        assert_eq!(shown, ["0.2", "99.9", "100", "1,234", "1,234,567"]);
    }
}
